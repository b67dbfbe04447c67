#!/usr/bin/env python3
"""refused.py REGEX COMPILER ARGUMENT...: the compiler refuses, and the reason is at the top.

Of what it prints, the first two lines that say `error:` are what a person reads; one of them has to match REGEX.
"""
import os
import re
import subprocess
import sys


def main():
    reason, *command = sys.argv[1:]
    english = {**os.environ, "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=english)
    first_two = [line for line in ran.stderr.splitlines() if re.search(r"\berror:", line)][:2]
    print("\n".join(first_two))
    if ran.returncode == 0:
        sys.exit("it compiles")
    if not any(re.search(reason, line) for line in first_two):
        sys.exit(f"neither line says {reason}; all of it:\n{ran.stderr}")


main()
