#!/usr/bin/env python3
"""wire_test.py PAGE: wire.py makes and reads the bytes that docs/wire.md shows; a changed bit is found."""
import re
import sys

try:
    import wire
except ImportError as missing:
    print(f"SKIPPED: {missing}: sudo apt-get install python3-crc32c")
    sys.exit(77)


def hex_blocks(page):
    for block in re.findall(r"^```hex\n(.*?)^```", page, re.S | re.M):
        yield bytes.fromhex("".join(line.split("  ")[0] for line in block.splitlines()))


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        batch, hello = hex_blocks(page.read())
    assert wire.hello(0x1122334455667788, "reader", ["tcp://127.0.0.1:20002"], 1, ["shop.>"]) == hello
    assert list(wire.Batch(batch).payloads()) == [b"abc", b"defgh"]
    for position in range(len(batch)):
        broken = bytearray(batch)
        broken[position] ^= 1
        try:
            wire.Batch(bytes(broken))
            sys.exit(f"FAIL: byte {position} was changed and nobody noticed")
        except wire.WireError:
            pass
    assert wire.Batch(wire.batch(wire.SYNC, 5)).numbers() == {}
    for pattern, topic, covered in (("shop.>", "shop.a.b", True), ("shop.>", "shop", False), ("shop.*", "shop.a", True),
                                    ("shop.*", "shop.a.b", False), ("*.a", "shop.a", True), ("shop.a", "shop.a", True)):
        assert wire.matches(pattern, topic) == covered, (pattern, topic)
    print("PASS")


main()
