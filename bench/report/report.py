#!/usr/bin/env python3
"""report.py FIGURES.json PAGE.md: writes the tables of the page, between its markers, and the charts beside it, in a
folder of the page's name. `report.py --check …` only says whether they are what the figures give."""
import json
import math
import os
import re
import sys

import charts
from statistics_of_bench import median, quantile, ratios, worked

MARKED = re.compile(r"(<!-- figures: ([^ ]+) -->\n).*?(<!-- end of figures -->)", re.S)


def rate(value, unit):
    return charts.short(value) + ("" if unit in ("messages/s", "calls/s") else f" {unit}")


def table(figures, prefix):
    lines = ["| scenario | ours | rival | ours, median | rival, median | ratio (quartiles) | runs | wanted |",
             "|---|---|---|---:|---:|---:|---:|---|"]
    for figure in figures:
        if not figure["scenario"].startswith(prefix):
            continue
        sign = "<=" if figure["less_is_better"] else ">="
        limit = f"{figure['target']:,.0f}" if figure["target"] >= 100 else f"{figure['target']:.3g}"
        wanted = f"{sign} {limit}: {'reached' if figure['reached'] else '**falls short**'}" if figure["target"] else ""
        own = rate(median(worked(figure["ours_samples"])), figure["unit"])
        if figure["rival_samples"]:
            pairs = ratios(figure)
            ratio = f"{median(pairs):.2f} ({quantile(pairs, 0.25):.2f} to {quantile(pairs, 0.75):.2f})"
            other = rate(median(worked(figure["rival_samples"])), figure["unit"])
        else:
            ratio, other = "", ""
        lines.append(f"| {figure['scenario']} | {figure['ours']} | {figure['rival']} | {own} | {other} | {ratio} | "
                     f"{len(figure['ours_samples'])} | {wanted} |")
    return "\n".join(lines) + "\n"


def machine(found):
    facts = found["machine"]
    return (f"{facts['cpu']}, {facts['cores']} cores, governor {facts['governor']}, Linux {facts['kernel']}, "
            f"{facts['compiler']}, `{facts['flags'].strip()}`, {facts['barrier']}; commit {facts['commit']}, {facts['date']}; "
            f"`{found['command']}`\n" + (f"\nRivals, as packaged: {facts['rivals']}.\n" if "rivals" in facts else ""))


def bar_chart(figures, scenario, title):
    """Every rival of one scenario; ours is the median over all its pairs."""
    wanted = [f for f in figures if f["scenario"] == scenario and f["rival_samples"] and f["ours"] in ("publisher", "one way")]
    if not wanted:
        return None
    # Relative, because the machine may have been another one for each rival.
    rows = [("Amphibus", 1.0, 1.0, 1.0, True)]
    for f in wanted:
        values = [1 / ratio for ratio in ratios(f) if ratio > 0]
        rows.append((f["rival"], median(values), quantile(values, 0.25), quantile(values, 0.75), False))
    rows.sort(key=lambda row: -row[1])
    note = "messages per second as a share of ours in the same pairs, logarithmic; medians, the line spans the quartiles"
    return charts.bars(title, note, rows)


def scaling_chart(figures, what, title, x_label):
    """Scenarios scaling/WHAT/NUMBER…: one line for ours, one per rival, which stands below it by the ratio of its pairs:
    the machine may have been another one for each."""
    own, others, ticks = {}, {}, {}
    for f in figures:
        parts = f["scenario"].split("/")
        if parts[:2] != ["scaling", what]:
            continue
        x = math.log2(float(parts[2]))
        ticks[x] = f"{int(parts[2]):,}"
        own.setdefault(x, []).extend(worked(f["ours_samples"]))
        if f["rival_samples"]:
            others.setdefault(f["rival"], {})[x] = median(ratios(f))
    if len(ticks) < 2:
        return None
    lines = [("Amphibus", [(x, median(own[x])) for x in sorted(own)], True)]
    lines += [(name, [(x, median(own[x]) / of[x]) for x in sorted(of) if of[x]], False) for name, of in others.items()]
    note = "messages published per second, medians" + ("; rivals at ours divided by the ratio of their pairs" if others else "")
    return charts.plot(title, note, lines, sorted(ticks.items()), x_label, "msg/s")


def percentile_chart(figures, prefix, title):
    """Times up to 99.99 %, spaced by how rare they are."""
    lines = []
    for f in figures:
        if not f["scenario"].startswith(prefix) or "ours_percentiles" not in f:
            continue
        for name, key, ours in (("Amphibus", "ours_percentiles", True), (f["rival"], "rival_percentiles", False)):
            if key in f and name not in [line[0] for line in lines]:
                points = [(-math.log10(1 - share), max(nanoseconds, 1)) for share, nanoseconds in f[key] if share >= 0.5]
                lines.append((name, points, ours))
    if not lines:
        return None
    ticks = [(-math.log10(1 - share), f"{share:.2%}".rstrip("0").rstrip(".%") + "%") for share in (0.5, 0.9, 0.99, 0.999, 0.9999)]
    return charts.plot(title, "nanoseconds from the intended send to the handler, logarithmic", lines, ticks, "percentile", "ns")


CHARTS = {
    "rivals.svg": lambda f: bar_chart(f, "inproc/1p1c/32B", "32 bytes, one publisher, one subscriber, one process"),
    "subscribers.svg": lambda f: scaling_chart(f, "subscribers", "One publisher, more and more subscribers", "subscribers"),
    "publishers.svg": lambda f: scaling_chart(f, "publishers", "One subscriber, more and more publishers", "publishers"),
    "sizes.svg": lambda f: scaling_chart(f, "bytes", "One to one, larger and larger messages", "bytes"),
    "topics.svg": lambda f: scaling_chart(f, "topics", "Round robin over more and more topics", "topics"),
    "asleep.svg": lambda f: percentile_chart(f, "latency/asleep", "To a subscriber that sleeps"),
    "awake.svg": lambda f: percentile_chart(f, "latency/awake", "To a subscriber that is awake"),
    "round_trip_tcp.svg": lambda f: percentile_chart(f, "latency/zeromq/tcp", "There and back over tcp, 1,000 a second"),
    "round_trip_ipc.svg": lambda f: percentile_chart(f, "latency/zeromq/ipc", "There and back over ipc, 1,000 a second"),
}


def files_of(found, page):
    """Everything that the figures give: {path: text}."""
    figures = found["figures"]
    folder = os.path.splitext(page)[0]
    out = {f"{folder}/{name}": chart for name, make in CHARTS.items() if (chart := make(figures)) is not None}
    with open(page, encoding="utf-8") as file:
        text = file.read()

    def fill(marked):
        body = machine(found) if marked.group(2) == "machine" else table(figures, marked.group(2))
        return marked.group(1) + "\n" + body + "\n" + marked.group(3)

    out[page] = MARKED.sub(fill, text)
    return out


def main():
    check = "--check" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--check"]
    if len(words) != 2:
        sys.exit("usage: ./dev bench report FIGURES.json PAGE.md")
    with open(words[0], encoding="utf-8") as file:
        found = json.load(file)
    stale = []
    for path, text in files_of(found, words[1]).items():
        before = open(path, encoding="utf-8").read() if os.path.exists(path) else None
        if before == text:
            continue
        stale.append(path)
        if not check:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    for path in stale:
        print(f"{path}: {'is not what the figures give' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
