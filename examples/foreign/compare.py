#!/usr/bin/env python3
"""compare.py --config FILE --program EXE --digest EXE --pattern PATTERN [--classes FOLDER] [--struct TYPE=LAYOUT]
[-- PROGRAM ARGUMENT...]: runs a program in the placement of FILE, its process `digest` by EXE and `reader` by reader.py,
and compares what the two say. Ends with 0 where every topic has gaps 0, CRC failures 0 and equal digests, 77 where a Python
package is missing. Endpoints are free ones, so that runs do not meet.
"""
import argparse
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from endpoints import own_endpoints

SKIPPED = 77


def commands(given, folder):
    """{name: command}: the program, which starts its own processes of the file, and one for each of the two readers."""
    common = ["--config", given.config, *own_endpoints(given.config, folder)]
    more = [f"--{name}={value}" for name in ("pattern", "classes", "struct") for value in getattr(given, name)]
    return {
        "program": [given.program, "up", *common, "--", *given.arguments],
        "digest": [given.digest, *common, "--process", "digest"],
        "reader": [sys.executable, "-B", str(HERE / "reader.py"), *common, "--process", "reader", *more],
    }


def run(given, folder):
    """{name: what it printed}. The program ends by itself, then the digest is told to, then the reader sees it go."""
    children = {}
    try:
        for name, command in commands(given, folder).items():
            with open(f"{folder}/{name}.out", "w", encoding="utf-8") as out:
                children[name] = subprocess.Popen(command, stdout=out)
        for name, child in children.items():
            if name == "digest":
                child.send_signal(signal.SIGTERM)
            if child.wait(timeout=given.deadline) != 0:
                print(f"FAIL: {name} ended with {child.returncode}")
                return None
    except subprocess.TimeoutExpired as late:
        print(f"FAIL: not done after {given.deadline} s: {late.cmd[0]}")
        return None
    finally:
        for child in children.values():
            child.kill()
            child.wait()
    return {name: Path(f"{folder}/{name}.out").read_text(encoding="utf-8") for name in children}


def topics_of(printed):
    found = re.findall(r"^TOPIC (\S+) messages=(\d+) gaps=(\d+) digest=(\w+)$", printed, re.M)
    return {topic: (int(messages), int(gaps), digest) for topic, messages, gaps, digest in found}


def compare(printed):
    """Prints a line per topic. Returns how many are not as they should be."""
    here, there = topics_of(printed["digest"]), topics_of(printed["reader"])
    crc_failures = int(re.search(r"^CRC failures=(\d+)$", printed["reader"], re.M).group(1))
    faults = crc_failures + (not there)
    print(f"{'topic':32} {'messages':>9} {'gaps':>5}  {'digest in Python':16}  in C++")
    for topic in sorted({*here, *there}):
        messages, gaps, digest = there.get(topic, (0, 0, "-"))
        expected, _, own = here.get(topic, (0, 0, "-"))
        equal = digest == own and messages == expected and gaps == 0
        faults += not equal
        print(f"{topic:32} {messages:9} {gaps:5}  {digest[:16]:16}  {'equal' if equal else own[:16] + ' DIFFERENT'}")
    print(f"CRC failures: {crc_failures}")
    return faults


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("config", "program", "digest"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("pattern", "classes", "struct"):
        parser.add_argument(f"--{name}", action="append", default=[])
    parser.add_argument("--deadline", type=float, default=240)
    parser.add_argument("arguments", nargs="*")
    return parser.parse_args()


def main():
    given = arguments()
    missing = [name for name in ("zmq", "flatbuffers", "crc32c") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"SKIPPED: {sys.executable} has no {', '.join(missing)}: "
              "sudo apt-get install python3-zmq python3-flatbuffers python3-crc32c")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="amphibus-foreign-") as folder:
        printed = run(given, folder)
    faults = 1 if printed is None else compare(printed)
    print(f"FAIL: {faults} differences" if faults else "PASS: the same messages in both languages")
    sys.exit(1 if faults else 0)


main()
