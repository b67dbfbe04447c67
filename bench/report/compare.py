#!/usr/bin/env python3
"""compare.py BEFORE.json AFTER.json: which figures of ./dev bench --json became better or worse, which only moved within
their noise, and which cannot be told. Exit code 1 if something became worse."""
import json
import math
import sys

from statistics_of_bench import median, outcome_samples, quantile, rank_sum_p

CHANCE = 0.01  # a difference that chance makes more often than this is noise
SMALLEST = 0.03  # smaller differences are of no interest, however certain
WIDE = 0.25  # a spread above this share of the median hides even large differences


def key(figure):
    return figure["scenario"], figure["ours"], figure["rival"]


def spread(samples):
    middle = median(samples)
    return (quantile(samples, 0.75) - quantile(samples, 0.25)) / middle if middle else float("inf")


def verdict(before, after):
    old, new = outcome_samples(before), outcome_samples(after)
    if min(len(old), len(new)) < 4:
        return "cannot be told", f"{min(len(old), len(new))} samples are too few; 11 pairs are usual"
    failed = math.inf if before["less_is_better"] else 0.0
    if failed in (median(old), median(new)):
        return "worse" if median(new) == failed else "cannot be told", "most of its runs failed"
    change = median(new) / median(old) - 1
    gained = -change if before["less_is_better"] else change
    p = rank_sum_p(old, new)
    told = f"{median(old):.3g} -> {median(new):.3g} ({change:+.1%}, p = {p:.2g})"
    if p <= CHANCE and abs(change) >= SMALLEST:
        return ("better" if gained > 0 else "worse"), told
    if max(spread(old), spread(new)) > WIDE and abs(change) >= SMALLEST:
        return "cannot be told", f"{told}, spread {max(spread(old), spread(new)):.0%}: repeat on a quieter machine"
    return "the same", told


def compare(before, after):
    """Returns [(verdict, key, text)] in the order of `after`."""
    old = {key(figure): figure for figure in before["figures"]}
    out = []
    for figure in after["figures"]:
        known = old.pop(key(figure), None)
        out.append((*verdict(known, figure), key(figure)) if known else ("new", "", key(figure)))
    return out + [("gone", "", each) for each in old]


def differing_facts(before, after):
    ignored = ("commit", "date")
    facts = sorted(set(before["machine"]) | set(after["machine"]))
    return [name for name in facts
            if name not in ignored and before["machine"].get(name) != after["machine"].get(name)]


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        if "figures" not in found or "machine" not in found:
            raise ValueError("it has no \"figures\" and \"machine\"")
        return found
    except (OSError, ValueError) as why:
        sys.exit(f"{path}: {why}; give two files that ./dev bench --json wrote")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: ./dev bench compare BEFORE.json AFTER.json")
    before, after = load(sys.argv[1]), load(sys.argv[2])
    for name in differing_facts(before, after):
        print(f"the runs differ in {name}: {before['machine'].get(name)} and {after['machine'].get(name)}")
    found = compare(before, after)
    for word, told, (scenario, ours, rival) in found:
        against = f" against {rival}" if rival else ""
        print(f"{word:15} {scenario}, {ours}{against}  {told}")
    words = [word for word, _, _ in found]
    print(", ".join(f"{words.count(each)} {each}" for each in
                    ("better", "worse", "the same", "cannot be told", "new", "gone") if each in words))
    return 1 if "worse" in words else 0


if __name__ == "__main__":
    sys.exit(main())
