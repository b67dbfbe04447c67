#!/usr/bin/env python3
"""words.py [ROOT]: words that have no place in the project: sleeping, unowned TODOs, paths of one machine, generated files."""
import re
import sys

import tree

CALLS_SLEEP = re.compile(r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(|\bnanosleep\s*\(|(?<![\w:.])sleep\s*\(\s*\d")
SHELL_SLEEP = re.compile(r"(^|[;&|]|\bdo\b|\bthen\b)\s*sleep\s")
MARKERS = ("TO" + "DO", "FIX" + "ME", "X" * 3)
UNOWNED = re.compile(r"\b(" + "|".join(MARKERS) + r")\b(?!\([a-z][\w-]*\): \S)")
DISABLED = re.compile(r"\[!mayfail\]|\[!shouldfail\]|TEST_CASE\([^)]*\[\.\]")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|home)/")
GENERATED = re.compile(r"(_generated\.h|\.bfbs|\.o|\.a|\.so|\.pyc)$|(^|/)(build|__pycache__)/")
MAY_SLEEP = ("tests/house/",)  # this file and the planted faults name the words


def faults_of(name, text):
    sleeping = name.startswith(("tests/", "examples/", "bench/")) and not name.startswith(MAY_SLEEP)
    code = name.endswith(tree.CODE + tree.BUILD + tree.SCRIPTS)
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}: "
        if sleeping and (CALLS_SLEEP.search(line) or (not name.endswith(tree.CODE) and SHELL_SLEEP.search(line))):
            yield where + "sleeps; use the manual clock, a readiness call or drain"
        if code and UNOWNED.search(line):
            yield where + "a marker without owner and reason; write it as MARKER(owner): reason, or do it"
        if code and not name.startswith(MAY_SLEEP) and DISABLED.search(line):
            yield where + "a disabled test"
        if MACHINE_PATH.search(line):
            yield where + "a path of one machine"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    names = tree.all_files(root)
    faults = [f"{name}: generated, does not belong into git" for name in names if GENERATED.search(name)]
    for name in names:
        if not name.endswith((".csv", ".deb", ".bin", ".png", ".xz")):
            faults += faults_of(name, tree.read(root, name))
    tree.finish(faults, f"{len(names)} files")


main()
