"""SVG charts without anything but text: bars, lines, percentile curves. Readable on light and on dark pages, because
each has its own ground."""
import math
from html import escape

WIDTH = 760
OURS = "#0b6e4f"
OTHERS = ["#8c8c8c", "#c1666b", "#4281a4", "#d4a017", "#7b5ea7", "#5f6c37", "#b5651d"]
FONT = 'font-family="Verdana, DejaVu Sans, sans-serif"'


def frame(height, title, note, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{escape(title)}">\n<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
            f'<text x="16" y="26" {FONT} font-size="15" font-weight="bold" fill="#222">{escape(title)}</text>\n'
            f'<text x="16" y="44" {FONT} font-size="11" fill="#666">{escape(note)}</text>\n{body}</svg>\n')


def text(x, y, what, anchor="start", size=11, fill="#333", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" {FONT} font-size="{size}" text-anchor="{anchor}" fill="{fill}" '
            f'font-weight="{weight}">{escape(what)}</text>\n')


def short(value):
    """1234567 -> 1.23 M."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def bars(title, note, rows):
    """rows: (label, value, low, high, is ours). A logarithmic axis, since rivals differ by a factor of a thousand."""
    left, right, top, step = 190, 90, 64, 30
    least = min(max(value, 1e-9) for _, value, _, _, _ in rows)
    most = max(max(value, high) for _, value, _, high, _ in rows)
    low_power, high_power = math.floor(math.log10(least)), math.ceil(math.log10(most))
    height = top + step * len(rows) + 36

    def at(value):
        share = (math.log10(max(value, 10.0 ** low_power)) - low_power) / max(1, high_power - low_power)
        return left + share * (WIDTH - left - right)

    body = ""
    for power in range(low_power, high_power + 1):
        x = at(10.0 ** power)
        body += f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{height - 28}" stroke="#e3e3e3"/>\n'
        body += text(x, height - 12, short(10.0 ** power), "middle", 10, "#777")
    for i, (label, value, low, high, ours) in enumerate(rows):
        y = top + i * step
        colour = OURS if ours else OTHERS[0]
        body += text(left - 10, y + 15, label, "end", 12, "#222", "bold" if ours else "normal")
        body += f'<rect x="{left}" y="{y}" width="{max(1.0, at(value) - left):.1f}" height="20" fill="{colour}"/>\n'
        body += f'<line x1="{at(low):.1f}" y1="{y + 10}" x2="{at(high):.1f}" y2="{y + 10}" stroke="#000" stroke-width="2"/>\n'
        body += text(max(at(value), at(high)) + 8, y + 15, short(value), size=12)
    return frame(height, title, note, body)


def plot(title, note, series, x_ticks, x_label, y_label, log_y=True):
    """series: (name, [(x, y)], is ours); x_ticks: (x, label), spaced evenly by x."""
    left, right, top, bottom, height = 74, 190, 66, 52, 400
    values = [y for _, points, _ in series for _, y in points if y > 0]
    if log_y:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        high = max(high, low + 1)
    else:
        low, high = 0.0, max(values) * 1.08
    first, last = x_ticks[0][0], x_ticks[-1][0]

    def at_x(x):
        return left + (x - first) / (last - first) * (WIDTH - left - right)

    def at_y(y):
        share = ((math.log10(max(y, 10.0 ** low)) if log_y else y) - low) / (high - low)
        return height - bottom - share * (height - top - bottom)

    body = ""
    marks = [10.0 ** p for p in range(int(low), int(high) + 1)] if log_y else [high * i / 5 for i in range(6)]
    for mark in marks:
        body += f'<line x1="{left}" y1="{at_y(mark):.1f}" x2="{WIDTH - right}" y2="{at_y(mark):.1f}" stroke="#e3e3e3"/>\n'
        body += text(left - 8, at_y(mark) + 4, short(mark), "end", 10, "#777")
    for x, label in x_ticks:
        body += f'<line x1="{at_x(x):.1f}" y1="{height - bottom}" x2="{at_x(x):.1f}" y2="{height - bottom + 4}" stroke="#777"/>\n'
        body += text(at_x(x), height - bottom + 18, label, "middle", 10, "#777")
    body += text((left + WIDTH - right) / 2, height - 12, x_label, "middle", 11, "#444")
    body += text(left - 8, top - 8, y_label, "end", 10, "#444")
    others, ends = 0, []
    for name, points, ours in series:
        colour = OURS if ours else OTHERS[others % len(OTHERS)]
        others += 0 if ours else 1
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        body += f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{3 if ours else 2}"/>\n'
        for x, y in points:
            body += f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{colour}"/>\n'
        ends.append([at_y(points[-1][1]) + 4, at_x(points[-1][0]) + 10, name, colour, ours])
    ends.sort()
    for above, below in zip(ends, ends[1:]):  # names must not cover each other
        below[0] = max(below[0], above[0] + 15)
    for y, x, name, colour, ours in ends:
        body += text(x, y, name, fill=colour, size=12, weight="bold" if ours else "normal")
    return frame(height, title, note, body)
