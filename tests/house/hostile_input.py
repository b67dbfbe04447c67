#!/usr/bin/env python3
"""hostile_input.py [ROOT]: every test that docs/hostile-input.md names exists."""
import re
import sys

import tree

PAGE = "docs/hostile-input.md"
TEST_CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+),')
CONFORMANCE = re.compile(r'\{\s*"((?:[^"\\]|\\.)*)"')


def names_of(root):
    names = set()
    for file in tree.select(root, tree.CODE, ("tests", "src/testing/conformance")):
        text = tree.read(root, file)
        names |= {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found)) for found in TEST_CASE.findall(text)}
        if file.startswith("src/testing/"):
            names |= set(CONFORMANCE.findall(text))
    return names


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    names = names_of(root)
    faults, rows = [], 0
    in_tests = False
    for number, line in enumerate(tree.read(root, PAGE).splitlines(), 1):
        if line.startswith("| case |"):
            in_tests = True
        elif not line.startswith("|"):
            in_tests = False
        elif in_tests and not line.startswith("|---"):
            rows += 1
            cell = line.rstrip("| ").rsplit(" | ", 1)[-1]
            named = re.fullmatch(r"`(.+)`", cell)
            if named is None:
                faults.append(f"{PAGE}:{number}: names no test")
            elif named.group(1) not in names:
                faults.append(f"{PAGE}:{number}: there is no test '{named.group(1)}'")
    tree.finish(faults, f"{rows} hostile inputs")


main()
