#!/usr/bin/env python3
"""compare_test.py: that a comparison tells regressions from noise, and says when it cannot."""
import sys

import compare


def figure(samples, less_is_better=False, name="a"):
    return {"scenario": name, "ours": "publisher", "rival": "r", "less_is_better": less_is_better,
            "ours_samples": samples, "rival_samples": [1.0] * len(samples)}


def run(*figures):
    return {"machine": {"cpu": "c", "commit": "x"}, "figures": list(figures)}


STEADY = [1.00, 1.01, 0.99, 1.02, 0.98, 1.00, 1.01, 0.99, 1.00, 1.02, 0.98]
LOWER = [each * 0.8 for each in STEADY]
NOISY = [0.4, 1.9, 1.0, 0.5, 1.6, 0.9, 1.3, 0.6, 1.8, 1.1, 0.7]
NOISY_LOWER = [each * 0.85 for each in reversed(NOISY)]

CASES = [
    ("a fall of a fifth is worse", figure(STEADY), figure(LOWER), "worse"),
    ("a rise is better", figure(LOWER), figure(STEADY), "better"),
    ("of a time, a fall is better", figure(STEADY, True), figure(LOWER, True), "better"),
    ("the same samples are the same", figure(STEADY), figure(list(reversed(STEADY))), "the same"),
    ("a certain change below 3 % is the same", figure(STEADY), figure([each * 0.98 for each in STEADY]), "the same"),
    ("a fall within a wide spread cannot be told", figure(NOISY), figure(NOISY_LOWER), "cannot be told"),
    ("three samples cannot tell", figure(STEADY[:3]), figure(LOWER[:3]), "cannot be told"),
    ("runs that failed are worse", figure(STEADY), figure([0.0] * 11), "worse"),
    ("of a time too", figure(STEADY, True), figure([None] * 11, True), "worse"),
    ("a few that failed do not stop it", figure(STEADY), figure([None] + STEADY[1:]), "the same"),
]


def main():
    failed = 0
    for name, before, after, expected in CASES:
        found = compare.compare(run(before), run(after))[0][0]
        if found != expected:
            failed += 1
            print(f"FAIL: {name}: {found} instead of {expected}")
    words = [word for word, _, _ in compare.compare(run(figure(STEADY)), run(figure(STEADY, name="b")))]
    if words != ["new", "gone"]:
        failed += 1
        print(f"FAIL: figures that come and go: {words}")
    if compare.differing_facts(run(), {"machine": {"cpu": "d", "commit": "y"}}) != ["cpu"]:
        failed += 1
        print("FAIL: another machine is not told")
    print(f"{len(CASES) + 2 - failed} of {len(CASES) + 2} ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
