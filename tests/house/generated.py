#!/usr/bin/env python3
"""guarantees.py ROOT EXECUTABLE [--write]: the table of guarantees in README.md is what the conformance suite prints."""
import subprocess
import sys
from pathlib import Path

BEGIN, END = "<!-- guarantees: generated -->\n", "<!-- end of guarantees -->\n"


def main():
    root, executable, *rest = sys.argv[1:]
    readme = Path(root) / "README.md"
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"FAIL: README.md needs the lines {BEGIN.strip()} and {END.strip()}, once each")
    before, rest_of = text.split(BEGIN)
    shown, after = rest_of.split(END)
    table = subprocess.run([executable, "--table"], capture_output=True, text=True, check=True).stdout
    if rest == ["--write"]:
        readme.write_text(before + BEGIN + "\n" + table + "\n" + END + after, encoding="utf-8")
        return
    if shown.strip() != table.strip():
        print(table)
        sys.exit("FAIL: the table of guarantees in README.md differs from what the capabilities say (above).\n"
                 f"Change it in src/testing/conformance/guarantees.cpp, then: python3 -B {__file__} {root} {executable} --write")
    print("ok: the table of guarantees")


main()
