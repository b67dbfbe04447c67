#!/usr/bin/env python3
"""generated.py FILE NAME [--write] COMMAND...: what stands in FILE between the marks of NAME is what COMMAND prints.

The marks are the lines `<!-- NAME: generated -->` and `<!-- end of NAME -->`; `--write` puts it there.
"""
import subprocess
import sys
from pathlib import Path


def main():
    file, name, *command = sys.argv[1:]
    write = command[0] == "--write"
    command = command[write:]
    begin, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->\n"
    text = Path(file).read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"FAIL: {file} needs the lines {begin.strip()} and {end.strip()}, once each")
    before, rest_of = text.split(begin)
    shown, after = rest_of.split(end)
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if write:
        Path(file).write_text(before + begin + "\n" + printed + "\n" + end + after, encoding="utf-8")
    elif shown.strip() != printed.strip():
        print(printed)
        sys.exit(f"FAIL: {name} in {file} differs from what is printed (above). Where that is right:\n"
                 f"python3 -B {__file__} {file} {name} --write {' '.join(command)}")
    print(f"ok: {name}")


main()
