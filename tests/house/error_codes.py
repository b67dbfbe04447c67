#!/usr/bin/env python3
"""error_codes.py [ROOT]: every code of base/error.hpp has its section in docs/errors.md with Why and Mend, and none is invented."""
import re
import sys

import tree

SOURCE = "include/amphibus/base/error.hpp"
PAGE = "docs/errors.md"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    enumeration = re.search(r"enum class error_code.*?\};", tree.read(root, SOURCE), re.S).group()
    defined = {int(number): name for name, number in re.findall(r"^\s*(\w+)\s*=\s*(\d+)", enumeration, re.M)}
    sections = re.split(r"^### ", tree.read(root, PAGE), flags=re.M)[1:]
    described = {}
    faults = []
    for section in sections:
        heading = re.match(r"AMB-E(\d{4}) `(\w+)`\n", section)
        if not heading:
            faults.append(f"{PAGE}: heading '{section.splitlines()[0]}' is not 'AMB-Ennnn `name`'")
            continue
        described[int(heading.group(1))] = heading.group(2)
        faults += [f"{PAGE}: AMB-E{heading.group(1)} lacks '{word}'" for word in ("**Why:**", "**Mend:**") if word not in section]
    for number, name in defined.items():
        if described.get(number) != name:
            faults.append(f"{PAGE}: no section '### AMB-E{number:04} `{name}`' for error_code::{name}")
    faults += [f"{PAGE}: AMB-E{number:04} is not in {SOURCE}" for number in described if number not in defined]
    tree.finish(faults, f"{len(defined)} error codes")


main()
