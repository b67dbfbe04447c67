#!/usr/bin/env python3
"""planted.py ROOT SCRATCH: every house check fails on the fault it exists for, planted in a copy of the tree."""
import os
import subprocess
import sys
from pathlib import Path

import tree

LONG_FUNCTION = "void long_one() {\n" + "  step();\n" * 75 + "}\n"
# check, file that gets the text appended, the text, what the check must say
PLANTS = [
    ("levels.py", "src/queue/inbox.cpp", "#include <amphibus/bus.hpp>\n", "queue is L1 and must not see core, L3"),
    ("levels.py", "src/wire/frame.cpp", "#include <amphibus/queue/pool.hpp>\n", "wire is L1 and must not see queue, L1"),
    ("levels.py", "transports/zeromq/src/link.cpp", "#include <amphibus/detail/bus_core.hpp>\n", "a transport sees L0 to L2"),
    ("levels.py", "src/bus.cpp", "#include <zmq.hpp>\n", "only transports/zeromq/"),
    ("levels.py", "src/bus.cpp", "#include <amphibus/zeromq/zeromq.hpp>\n", "must not know the transport zeromq"),
    ("levels.py", "src/bus.cpp", "#include <folly/Function.h>\n", "has no place"),
    ("levels.py", "examples/hello/main.cpp", "#include <amphibus/detail/bus_core.hpp>\n", "public interface only"),
    ("shape.py", "src/bus.cpp", LONG_FUNCTION, "function of 77 lines"),
    ("shape.py", "src/bus.cpp", "int x;\n" * 700, "the limit is 700"),
    ("words.py", "examples/hello/main.cpp", "void f() { std::this_thread::sleep_for(1s); }\n", "sleeps"),
    ("words.py", "tests/integration/wait.sh", "while true; do sleep 1; done\n", "sleeps"),
    ("words.py", "src/bus.cpp", "// TO" + "DO: later\n", "without owner"),
    ("words.py", "README.md", "see /ro" + "ot/notes\n", "path of one machine"),
    ("words.py", "examples/order_generated.h", "\n", "generated"),
    ("visibility.py", "include/amphibus/bus.hpp", "namespace amphibus { class late; }\n", "do not enclose"),
    ("visibility.py", "include/amphibus/base/pause.hpp", "#include <mutex>\n", "makes what others declare visible"),
    ("hello.py", "examples/hello/main.cpp", "// one more\n", "differs"),
    ("hostile_input.py", "docs/hostile-input.md", "| case | answer | test |\n|---|---|---|\n| x | y | `no such test` |\n", "no test"),
    ("error_codes.py", "docs/errors.md", "### AMB-E0999 `invented`\n\n**Why:** -\n**Mend:** -\n", "is not in"),
]


def copy_tree(root, scratch):
    for name in tree.all_files(root):
        if not name.endswith((".csv", ".deb")):
            target = scratch / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((Path(root) / name).read_bytes())


def run_check(here, check, scratch):
    return subprocess.run([sys.executable, "-B", str(here / check), str(scratch)], capture_output=True, text=True, check=False)


def main():
    root, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    here = Path(__file__).resolve().parent
    copy_tree(root, scratch)
    faults = []
    for check in sorted({plant[0] for plant in PLANTS}):
        before = run_check(here, check, scratch)
        if before.returncode != 0:
            faults.append(f"{check} fails before anything is planted:\n{before.stdout}{before.stderr}")
    for check, name, text, expected in PLANTS:
        target = scratch / name
        original = target.read_bytes() if target.exists() else None
        target.write_bytes((original or b"") + text.encode())
        ran = run_check(here, check, scratch)
        caught = ran.returncode == 1 and any(name in line and expected in line for line in ran.stdout.splitlines())
        print(f"{'caught' if caught else 'MISSED'}: {check} on {name}: {expected}")
        if not caught:
            faults.append(f"{check} missed what was planted in {name}:\n{ran.stdout}{ran.stderr}")
        if original is None:
            os.remove(target)
        else:
            target.write_bytes(original)
    tree.finish(faults, f"{len(PLANTS)} planted faults")


main()
