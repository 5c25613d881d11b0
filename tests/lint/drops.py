#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each drop reason is named by a test that reaches it: as DROP_NAME in C, in Python by its text.
What no test names stands in the table below, with the reason; a row that is not needed any
more is a mistake too."""
import re
import sys

import tree

ROW = re.compile(r'^DROP\((\w+),\s*"([^"]+)"\)', re.M)
OPEN = {
    "DUMMY": "no program gives it: dummy packets are counted as consumed",
    "TTL": "no program gives it: the kernel answers packets whose TTL ends",
    "NEIGHBOUR": "no program gives it: the kernel resolves neighbours",
    "DEVICE_RING": "a device counts it, when its ring of 256 frames is full",
    "REDIRECT": "a veth without its other end; the routing engine makes both at once",
    "KILLED": "test_counting.py counts what a killed SPU held among all that was dropped",
    "HANDOVER": "2,000 fragmented datagrams of ESP in a second: more than the test machines send",
    "HOLD_OVERFLOW": "hold_test.c reaches the full queue by its return value",
}


def tests():
    return {p.as_posix(): (tree.ROOT / p).read_text("utf-8") for p in tree.walk(".c", ".py")
            if p.parts[0] == "tests" and p.parts[1] in ("unit", "topo", "sim")}


def is_named(name, text, sources):
    as_c = re.compile(rf"\bDROP_{name}\b")
    return any(as_c.search(s) or f'"{text}"' in s for s in sources.values())


def check(rows, sources, known):
    problems = []
    for name, text in rows:
        if name == "NONE":
            continue
        named = is_named(name, text, sources)
        if not named and name not in known:
            problems.append(f"common/drops.def: no test reaches {name} ({text})")
        if named and name in known:
            problems.append(f"tests/lint/drops.py: a test names {name}; take its row out")
    for name in known.keys() - {name for name, _text in rows}:
        problems.append(f"tests/lint/drops.py: there is no reason {name}")
    return problems


def main():
    rows = ROW.findall((tree.ROOT / "common/drops.def").read_text("utf-8"))
    sources = tests()
    planted = [
        ("a reason that no test names", check(rows + [("NO_SUCH", "never said")], sources, OPEN)),
        ("a row that is not needed", check(rows, sources, {**OPEN, "REPLAY": ""})),
        ("a row for nothing", check(rows, sources, {**OPEN, "GONE": ""})),
    ]
    return tree.verdict("drops", check(rows, sources, OPEN), planted)


if __name__ == "__main__":
    sys.exit(main())
