#!/usr/bin/env python3
"""tap.py AMPHIBUS SHOP CONFIG DATA: `amphibus tap` on a running shop shows messages as JSON, counts, ends as told; and says
what is wrong, with exit code 2, where it cannot."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/support"))
from endpoints import own_endpoints


def check(what, condition, shown):
    if not condition:
        sys.exit(f"FAIL: {what}:\n{shown}")
    print(f"ok: {what}")


PROCESSES = ("feed", "orders", "billing", "stock", "shipping", "ledger")


class Tap:
    def __init__(self, tool, common):
        self.tool, self.common = tool, common

    def run(self, pattern, *more, common=None):
        command = [self.tool, "tap", pattern, *(self.common if common is None else common), *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def check_shows(tap):
    ran = tap.run("shop.orders.*", "--json", "--count", "500")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    check("--count 500 shows 500 and ends with 0", len(lines) == 500 and ran.returncode == 0, ran.stderr)
    check("only topics of the pattern", {each["topic"] for each in lines} <= {"shop.orders.received", "shop.orders.decided"},
          lines[0])
    check("content by its schema", all("invoice" in each["message"] for each in lines), lines[0])
    check("numbers of a stream grow", grows(lines), ran.stdout)
    check("it says what it cannot show", "not what stays inside" in ran.stderr, ran.stderr)
    ran = tap.run("shop.>", "--count", "3")
    check("lines for people", ran.stdout.count(" shop.") == 3 and not ran.stdout.startswith("{"), ran.stdout)
    ran = tap.run("shop.nothing", "--for", "300ms")
    check("--for ends, with nothing shown", ran.returncode == 0 and "0 shown, 0 missed" in ran.stderr, ran.stderr)


def grows(lines):
    last = {}
    for each in lines:
        stream = each["process"], each["topic"]
        if each["number"] <= last.get(stream, 0):
            return False
        last[stream] = each["number"]
    return True


def check_closed_output(tap):
    command = [tap.tool, "tap", "shop.>", *tap.common]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        running.stdout.close()
        code = running.wait(timeout=60)
        check("a reader that goes ends it quietly", code == 0, code)


def check_refusals(tap, config, folder):
    nobody = [f"--set=process.{name}.endpoint=ipc://{folder}/nobody-{name}" for name in PROCESSES]
    for what, pattern, more, common, code in (
            ("a bad pattern", "shop..x", [], None, "AMB-E0101"),
            ("a file that is not there", "shop.>", [], ["--config", "/nowhere.toml"], "AMB-E0201"),
            ("a process that is not in the file", "shop.>", ["--process", "oders"], None, "AMB-E0205"),
            ("a duration that is none", "shop.>", ["--for", "soon"], None, "AMB-E0207"),
            ("nobody there", "shop.>", [], ["--config", config, *nobody], "AMB-E0307")):
        ran = tap.run(pattern, *more, common=common)
        check(f"{what} is {code}", ran.returncode == 2 and code in ran.stderr, ran.stderr)


def main():
    tool, shop, config, data = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="amphibus-tap-") as folder:
        tap = Tap(tool, ["--config", config, *own_endpoints(config, folder)])
        command = [shop, "up", *tap.common, "--", "--data", data, "--rounds", "100000"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
            try:
                check_shows(tap)
                check_closed_output(tap)
            finally:
                running.terminate()
                running.wait(timeout=60)
        check_refusals(tap, config, folder)


main()
