#!/usr/bin/env python3
"""visibility.py ROOT [--mend]: what public headers declare is visible in shared libraries (docs/adr/0013).

Every public header that opens a namespace has PUSH before it, after all includes, and POP as its last line. --mend puts
them there.
"""
import re
import sys
from pathlib import Path

import tree

PUSH = "#pragma GCC visibility push(default)"
POP = "#pragma GCC visibility pop"
PUBLIC = re.compile(r"(include|transports/\w+/include)/.*\.hpp$")


def place_of_push(lines):
    """The line before which PUSH belongs: the first namespace with the comment above it; None without a namespace."""
    opening = next((number for number, line in enumerate(lines) if line.startswith("namespace ")), None)
    if opening is None:
        return None
    while opening > 0 and lines[opening - 1].startswith("//"):
        opening -= 1
    return opening


def mended(text):
    lines = [line for line in text.rstrip("\n").split("\n") if line not in (PUSH, POP)]
    place = place_of_push(lines)
    if place is None:
        return text
    before, after = "\n".join(lines[:place]).rstrip("\n"), "\n".join(lines[place:]).rstrip("\n")
    return f"{before}\n\n{PUSH}\n{after}\n{POP}\n"


def faults_of(name, text):
    if mended(text) != text:
        yield f"{name}: '{PUSH}' and '{POP}' do not enclose its namespaces: tests/house/visibility.py . --mend"
    pushed = text.find(PUSH)
    if pushed >= 0 and re.search(r"^\s*#\s*include", text[pushed:], re.M):
        yield f"{name}: an include after '{PUSH}' makes what others declare visible too"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    names = [name for name in tree.select(root, (".hpp",)) if PUBLIC.match(name)]
    if "--mend" in sys.argv:
        for name in names:
            (Path(root) / name).write_text(mended(tree.read(root, name)), encoding="utf-8")
    faults = [fault for name in names for fault in faults_of(name, tree.read(root, name))]
    tree.finish(faults, f"{len(names)} public headers")


main()
