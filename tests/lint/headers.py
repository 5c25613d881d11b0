#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fence: includes are flat, so each header name is unique, and no system header has it.

A system header is what the development packages put directly onto the compiler's path."""
import collections
import pathlib
import re
import subprocess
import sys

import tree

PACKAGES = ("libc6-dev", "linux-libc-dev", "check", "libdpdk-dev", "libbpf-dev", "libxdp-dev",
            "libssl-dev", "libuv1-dev", "liblmdb-dev", "libprotobuf-c-dev", "libjansson-dev",
            "libmnl-dev", "libedit-dev", "libipsec-mb-dev", "libbsd-dev", "libpcap-dev")
ON_THE_PATH = re.compile(r"^/usr/include/(?:x86_64-linux-gnu/)?(?:dpdk/)?([^/]+\.h)$")


def system_headers():
    names = set()
    for package in PACKAGES:
        listed = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True,
                                check=False)
        for line in listed.stdout.splitlines():
            found = ON_THE_PATH.match(line)
            if found:
                names.add(found.group(1))
    compiler = subprocess.run(["gcc", "-print-file-name=include"], capture_output=True, text=True,
                              check=True).stdout.strip()
    return names | {p.name for p in pathlib.Path(compiler).glob("*.h")}


def check(paths, system):
    problems = []
    by_name = collections.defaultdict(list)
    for path in paths:
        by_name[pathlib.PurePath(path).name].append(path)
    for name, where in by_name.items():
        if len(where) > 1:
            problems.append(f"{name} is there twice: {', '.join(map(str, where))}")
        if name in system:
            problems.append(f"{where[0]}: {name} is a system header's name as well")
    return problems


def main():
    system = system_headers()
    planted = [(f"a header called {name}", check([f"common/{name}"], system))
               for name in ("err.h", "poll.h", "link.h", "check.h", "rte_mbuf.h", "limits.h")]
    planted.append(("two of one name", check(["common/a.h", "spu/a.h"], set())))
    return tree.verdict("headers", check(tree.walk(".h"), system), planted)


if __name__ == "__main__":
    sys.exit(main())
