#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The last line of ./dev test: how many tests passed and failed, of meson's log and pytest's.

usage: summary.py TESTLOG.json TOPOLOGY.xml

A program written with Check counts with its number of checks; any other program counts as one."""
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)


def of_meson(lines):
    """{suite: [passed, failed]} of meson's testlog.json, one JSON object per line."""
    counts = {}
    for line in lines:
        test = json.loads(line)
        name = test["name"].split(" / ")[0]
        suite = name.split(":")[-1].split("+")[0] if ":" in name else "other"
        count = counts.setdefault(suite, [0, 0])
        checks = [tuple(map(int, c)) for c in CHECKS.findall(test.get("stdout", ""))]
        failed = sum(f + e for _, f, e in checks)
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            count[0] += sum(n for n, _, _ in checks) or 1
        else:
            count[0] += sum(n for n, _, _ in checks) - failed
            count[1] += failed or 1
    return counts


def of_pytest(path):
    suites = ElementTree.parse(path).getroot().iter("testsuite")
    passed = failed = 0
    for suite in suites:
        bad = int(suite.get("failures")) + int(suite.get("errors"))
        failed += bad + int(suite.get("skipped"))  # a topology test never skips
        passed += int(suite.get("tests")) - bad - int(suite.get("skipped"))
    return [passed, failed]


def main():
    counts = {}
    if os.path.exists(sys.argv[1]):
        with open(sys.argv[1], encoding="utf-8") as log:
            counts = of_meson(log)
    if os.path.exists(sys.argv[2]):
        counts["topology"] = of_pytest(sys.argv[2])
    if not counts:
        return 1  # nothing was run: whoever failed before has said why
    passed = sum(c[0] for c in counts.values())
    failed = sum(c[1] for c in counts.values())
    parts = ", ".join(f"{suite} {c[0] + c[1]}" for suite, c in counts.items())
    print(f"==> {passed} passed, {failed} failed ({parts})")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
