#!/usr/bin/env python3
"""hello.py [ROOT]: examples/hello/main.cpp has at most 12 lines and is, letter for letter, the first program of the README."""
import re
import sys

import tree

SOURCE = "examples/hello/main.cpp"
LINES_MAX = 12


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    hello = tree.read(root, SOURCE)
    count = sum(1 for line in hello.splitlines() if line.strip())
    faults = []
    if count > LINES_MAX:
        faults.append(f"{SOURCE}: {count} lines, the limit is {LINES_MAX}")
    first = re.search(r"^```cpp\n(.*?)^```", tree.read(root, "README.md"), re.S | re.M)
    if first is None or first.group(1) != hello:
        faults.append(f"README.md: its first cpp block differs from {SOURCE}")
    tree.finish(faults, f"{count} lines, the same in README.md")


main()
