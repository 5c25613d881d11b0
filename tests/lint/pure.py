#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fence: the pure libraries call nothing that asks the world: no clock, no chance, no I/O.

usage: pure.py MUST-FIND.a LIBRARY.a...

MUST-FIND.a calls some of what is forbidden, to prove that this script would see it."""
import re
import subprocess
import sys

import tree

# What nm -u may not show. _FORTIFY_SOURCE and large files give the same calls other names.
FORBIDDEN = re.compile(
    r"^(_*(isoc\d+_)?)?("
    r"time|clock_gettime|clock|gettimeofday|nanosleep|clock_nanosleep|usleep|sleep|alarm"
    r"|s?rand(om)?(_r)?|rand_r|[jlmn]rand48|getrandom|getentropy|arc4random\w*|RAND_\w+"
    r"|socket(pair)?|connect|bind|listen|accept4?|send(to|msg|mmsg|file\w*)?"
    r"|recv(from|msg|mmsg)?|poll|ppoll|select|epoll_\w+|ioctl"
    r"|open(at|dir)?|creat|f(d|re)?open|popen|read|readv|pread|write|writev|pwrite"
    r"|mmap|shm_open|fork|vfork|execve?|posix_spawnp?|system|pthread_create"
    r"|uv_\w+|zmq_\w+|mdb_\w+|bpf_\w+"
    r")(64)?(_2|_chk)?$")
MUST_FIND = ("time", "clock_gettime", "getrandom", "rand", "socket", "sendto", "recv", "open",
             "fopen", "read", "write")


def undefined(library):
    out = subprocess.run(["nm", "-u", library], capture_output=True, text=True, check=True).stdout
    return sorted({line.split()[-1].split("@")[0] for line in out.splitlines()
                   if line.strip() and not line.endswith(":")})


def forbidden(library):
    return [symbol for symbol in undefined(library) if FORBIDDEN.match(symbol)]


def bare(symbol):
    return re.sub(r"(64)?(_2|_chk)?$", "", symbol.lstrip("_"))


def main():
    planted, libraries = sys.argv[1], sys.argv[2:]
    seen = {bare(symbol) for symbol in forbidden(planted)}
    must_find = [(name, [name] if name in seen else []) for name in MUST_FIND]
    problems = [f"{library}: calls {symbol}()" for library in libraries
                for symbol in forbidden(library)]
    return tree.verdict("pure", problems, must_find)


if __name__ == "__main__":
    sys.exit(main())
