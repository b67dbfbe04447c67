#!/usr/bin/env python3
"""snippets.py ROOT BUILD COMPILER FLAG...: what documents and public headers show is true.

Every ```cpp block of README.md, docs/ and the comments of public headers compiles: a block with #include as it stands,
any other with what tests/house/snippet_context.hpp offers (with FlatBuffers where it shows a flat), as the body of a
function unless it begins with a declaration. Every ```console block marked `run` prints what it shows; `build/release` stands for BUILD there. Every
`./dev WORD` is a word that ./dev knows.
"""
import re
import subprocess
import sys
from pathlib import Path

import tree

DECLARATION = re.compile(r"(int|void|amphibus::task) \w+\(|inline |struct \w+ .*\n(inline|template)")
BLOCK = re.compile(r"^```(cpp|console)( run)?\n(.*?)^```", re.S | re.M)


def in_context(body):
    if "template <>" not in body and "AMPHIBUS_POD(" not in body:  # which is for the outermost scope only
        body = f"namespace snippet {{\n{body}}}\n" if DECLARATION.match(body) else f"void snippet() {{\n{body}\n}}\n"
    context = "snippet_flat_context" if "amphibus::flat<" in body else "snippet_context"
    return f"#include <tests/house/{context}.hpp>\n{body}"


def documentation(root, name):
    """The text of a document, or of a header's /// comments, line by line where it stands."""
    text = tree.read(root, name)
    if name.endswith(".md"):
        return text
    comments = (re.match(r"\s*/// ?(.*)", line) for line in text.split("\n"))
    return "\n".join(found.group(1) if found else "" for found in comments)


def compile_block(root, compiler, flags, body):
    if "#include" not in body:
        body = in_context(body)
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused", f"-I{root}", *flags,
               "-x", "c++", "-"]
    ran = subprocess.run(command, input=body, capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stderr


def console_faults(root, build, body):
    for step in re.split(r"^\$ ", body, flags=re.M)[1:]:
        command, _, shown = step.partition("\n")
        command = re.sub(r"\bbuild/release\b", build, command.split("  #")[0])
        ran = subprocess.run(["bash", "-c", command], cwd=root, capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
        if ran.stdout + ran.stderr != shown:
            yield f"`{command}` prints\n{ran.stdout}{ran.stderr}instead of\n{shown}"


def main():
    root, build, compiler, *flags = sys.argv[1:]
    root = str(Path(root).resolve())
    words = set(re.findall(r"^\./dev ([\w-]+)(?: \| ([\w-]+))?", subprocess.run(
        [f"{root}/dev", "help"], capture_output=True, text=True, check=True).stdout, re.M))
    words = {word for pair in words for word in pair if word} | {"help"}
    faults, count = [], 0
    for name in tree.select(root, (".md", ".hpp")):
        if not re.match(r"README.md$|(docs|transports)/.*\.md$|include/|transports/\w+/include/", name):
            continue
        text = documentation(root, name)
        faults += [f"{name}: ./dev has no {word}" for word in re.findall(r"\./dev ([\w-]+)", text) if word not in words]
        for found in BLOCK.finditer(text):
            where = f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
            kind, run, body = found.groups()
            count += kind == "cpp" or bool(run)
            if kind == "cpp":
                why = compile_block(root, compiler, flags, body)
                faults += [f"{where}: does not compile\n{why}"] if why else []
            elif run:
                faults += [f"{where}: {why}" for why in console_faults(root, build, body)]
    tree.finish(faults, f"{count} blocks")


main()
