# SPDX-License-Identifier: BSD-2-Clause
"""What the lint scripts know of the tree: its files, and which folder may use what."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = (".git", "__pycache__", "corpus", "data")

# The table of the fences: folder -> (folders it may use, foreign libraries it may name, as the
# variables of the top meson.build). "threads" and "libm" are everybody's. A folder may use what
# the folders it may use may use in turn only where it is named here as well. Of the keeper others
# use keeper_link alone, the client's end of its socket.
TABLE = {
    "common": ([], ["protobuf_c"]),
    "store": (["common"], ["lmdb", "protobuf_c"]),
    "bpf": (["common"], ["libbpf", "libxdp"]),
    "offload": (["common"], ["dpdk", "dpdk_driver", "ipsec_mb", "openssl", "libxdp", "libbpf"]),
    "spu": (["offload", "store", "common", "keeper"], ["dpdk"]),
    "cluster": (["common"], []),
    "re/ike": (["common"], ["openssl"]),
    "re/pki": (["common"], ["openssl"]),
    "re/config": (["common"], []),
    "re/vpn": (["common", "re/ike", "re/config"], []),
    "re/chassis": (["common", "cluster"], []),
    "re/cli": (["common", "store", "bpf", "cluster", "re/ike", "re/pki", "re/config", "re/vpn",
                "re/chassis"],
               ["libuv", "libmnl", "jansson", "libedit"]),
    "re/daemon": (["common", "store", "bpf", "cluster", "re/ike", "re/pki", "re/config", "re/vpn",
                   "re/chassis", "re/cli", "keeper"],
                  ["libuv", "libmnl", "jansson", "openssl", "libbpf"]),
    "keeper": (["common"], []),
    "lab/traffic": (["common"], []),
}
EVERYBODYS = ("threads", "libm")
# Variables of meson files that are a part of a folder but not called like it.
PARTS = {"proto": "common", "traffic": "lab/traffic", "keeper_link": "keeper", "steer": "bpf"}
PURE = ("re/ike", "re/config", "re/vpn", "re/chassis", "cluster")


def walk(*suffixes):
    """The tree's own files with one of these suffixes, relative to ROOT, sorted."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        top = pathlib.Path(folder) == ROOT
        folders[:] = [f for f in folders
                      if f not in SKIPPED and not (top and (f + "-").startswith("build-"))]
        found += [pathlib.Path(folder, name).relative_to(ROOT) for name in names
                  if not suffixes or name.endswith(suffixes)]
    return sorted(p for p in found if (ROOT / p).is_file())


def folder_of(path):
    """The folder of TABLE that a file belongs to, or None (tests, docs)."""
    for parent in pathlib.PurePath(path).parents:
        if parent.as_posix() in TABLE:
            return parent.as_posix()
    return None


def verdict(name, problems, must_find=()):
    """Prints the problems; the exit status. must_find: pairs of (what, problems that a planted
    mistake gave): none there means that the check sees nothing, which is a failure as well."""
    for what, found in must_find:
        if not found:
            problems = [*problems, f"{name}: does not find a planted mistake: {what}"]
    for problem in problems:
        print(problem)
    print(f"{name}: {len(problems)} problems, {len(must_find)} planted mistakes tried")
    return 1 if problems else 0
