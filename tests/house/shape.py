#!/usr/bin/env python3
"""shape.py [ROOT]: lengths of files, functions and lines. Prints p95 and the longest of each.

Functions are found by tracking braces, which is exact enough for formatted code: a function runs from the first line of
its declaration to its closing brace; lambdas count into the function around them.
"""
import re
import sys

import tree

FILE_P95, FILE_MAX = 450, 700
FUNCTION_P95, FUNCTION_MAX = 40, 70
COLUMNS = 120

NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|'
    r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.S | re.M)
MACRO_ALONE = re.compile(r"^[A-Z][A-Z0-9_]+\([^(){};]*\)[ \t]*$", re.M)  # as AMPHIBUS_POD, without a semicolon
SCOPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:inline\s+)?(?:extern\s*\"?|namespace|class|struct|union|enum)\b", re.S)


def blank(text):
    """The text without comments, strings and directives; lines keep their numbers, digit separators do not confuse it."""
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group()[0] in "/#\t " else
                     '""' + "\n" * m.group().count("\n"), text)


def kind_of(head, inside):
    """What the brace after `head` opens: scope, function, or a block that belongs to what is around it."""
    if inside in ("function", "block"):
        return "block"
    if "(" not in re.sub(r"\b(alignas|decltype|requires|noexcept)\s*\([^()]*\)", "", head) or SCOPE.match(head):
        return "scope" if SCOPE.match(head) else "block"
    if re.search(r"(?<![=<>!])=(?!=)\s*(\[|$)", head.strip()):
        return "block"
    initialisers = re.search(r"\)[^;]*?(?<!:):(?!:)(.*)$", head, re.S)
    if initialisers and re.search(r"[\w>]\s*$", initialisers.group(1)):
        return "block"  # a_{…} in a constructor's initialiser list
    return "function"


def functions(text):
    """(first line, lines, name) of every function of a file."""
    text = MACRO_ALONE.sub(lambda m: "\n" * m.group().count("\n"), blank(text))
    stack, found = [], []
    line, head, head_line = 1, "", None
    for character in text:
        if character == "{":
            kind = kind_of(head, stack[-1][0] if stack else "scope")
            stack.append((kind, head_line or line, head))
            if kind != "block":
                head, head_line = "", None
        elif character == "}":
            if stack:
                kind, first, opened = stack.pop()
                if kind == "function":
                    name = re.search(r"([\w~:]+|operator\S+)\s*\(", opened)
                    found.append((first, line - first + 1, name.group(1) if name else "?"))
                if kind != "block":
                    head, head_line = "", None
                else:
                    head += "}"
        elif character == ";":
            head, head_line = "", None
        else:
            if head_line is None and not character.isspace():
                head_line = line
            head += character if head_line is not None else ""
            if re.fullmatch(r"\s*(public|private|protected)\s*:", head):
                head, head_line = "", None
        line += character == "\n"
    return found


def percentile_95(values):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * 95 // 100)] if values else 0


def median(values):
    values = sorted(values)
    return values[len(values) // 2] if values else 0


def check(what, lengths, limit_95, limit_max):
    """`lengths`: (length, where). Returns the faults and a line with the figures."""
    values = [length for length, _ in lengths]
    longest = max(lengths, default=(0, "none"))
    faults = [f"{where}: {what} of {length} lines, the limit is {limit_max}" for length, where in lengths if length > limit_max]
    if percentile_95(values) > limit_95:
        faults.append(f"{what}s: p95 is {percentile_95(values)} lines, the limit is {limit_95}")
    return faults, (f"{len(values)} {what}s: median {median(values)}, p95 {percentile_95(values)} (limit {limit_95}), "
                    f"max {longest[0]} (limit {limit_max}): {longest[1]}")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    files, bodies, long_lines = [], [], []
    for name in tree.select(root, tree.CODE + tree.BUILD + tree.SCRIPTS):
        text = tree.read(root, name)
        lines = text.splitlines()
        files.append((len(lines), name))
        if name.endswith(tree.CODE):
            long_lines += [f"{name}:{number}: {len(line)} columns, the limit is {COLUMNS}"
                           for number, line in enumerate(lines, 1) if len(line) > COLUMNS]
            bodies += [(length, f"{name}:{first} {function}") for first, length, function in functions(text)]
    faults, file_figures = check("file", files, FILE_P95, FILE_MAX)
    more, function_figures = check("function", bodies, FUNCTION_P95, FUNCTION_MAX)
    faults += more + long_lines
    print(file_figures)
    print(function_figures)
    tree.finish(faults, f"no line over {COLUMNS} columns")


main()
