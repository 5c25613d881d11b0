#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fence: each folder uses only what the table in tree.py allows.

Looks at the dependencies that the folder's meson.build declares, and at every #include "x.h" of its
sources; refuses "../" in an include, and another folder's *_priv.h. With --whole each library must
be linked whole by a unit test, too: only so is a call that was not declared an undefined reference."""
import re
import sys

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"#.*$", re.MULTILINE)
CALL = re.compile(r"\b(static_library|shared_library|executable|declare_dependency)\s*\(")
LIST = re.compile(r"^\s*(\w+)\s*\+?=\s*\[([^\]]*)\]", re.MULTILINE)
PUBLIC = {**{folder.split("/")[-1]: folder for folder in tree.TABLE}, **tree.PARTS}


def arguments(text, start):
    """The text between the parenthesis before start and the one that closes it."""
    depth = 1
    for i in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return text[start:i]
    return text[start:]


def declared(text):
    """The names under dependencies: in a meson.build, lists of the same file resolved."""
    text = COMMENT.sub("", text)
    lists = {}
    for name, body in LIST.findall(text):
        lists.setdefault(name, []).extend(re.findall(r"\b[a-z]\w*\b", body))
    names = []
    for call in CALL.finditer(text):
        found = re.search(r"\bdependencies\s*:\s*(\[[^\]]*\]|\w+)(?:\s*\+\s*(\[[^\]]*\]|\w+))*",
                          arguments(text, call.end()))
        if found:
            names += re.findall(r"\b[a-z]\w*\b", found.group(0).split(":", 1)[1])
    return sorted({n for name in names for n in lists.get(name, [name])})


def check_meson(folder, text):
    may_use, foreign = tree.TABLE[folder]
    problems = []
    for name in declared(text):
        owner = PUBLIC.get(name) or PUBLIC.get(name.removesuffix("_inc"))
        if owner == folder or owner in may_use or name in foreign or name in tree.EVERYBODYS:
            continue
        if name.startswith(folder.split("/")[-1] + "_"):
            continue  # a part of the folder's own
        problems.append(f"{folder}/meson.build: may not depend on '{name}' "
                        f"(may: {', '.join([*may_use, *foreign])})")
    return problems


def check_includes(path, text, owners):
    folder = tree.folder_of(path)
    problems = []
    for name in INCLUDE.findall(text):
        if "../" in name:
            problems.append(f'{path}: #include "{name}": "../" goes around the fences')
            continue
        owner = owners.get(name)
        if folder is None or owner is None or owner == folder:
            continue  # tests may see everything; a generated header has no owner here
        if name.endswith("_priv.h"):
            problems.append(f'{path}: #include "{name}" belongs to {owner} alone')
        elif owner not in tree.TABLE[folder][0]:
            problems.append(f'{path}: #include "{name}" is {owner}\'s; {folder} may use '
                            f"{', '.join(tree.TABLE[folder][0]) or 'nobody'}")
    return problems


def check_whole(folder, text, tests):
    """A library that no unit test links whole may hide a call that it has not declared."""
    libraries = re.findall(r"\b(\w+)\s*=\s*static_library\(", COMMENT.sub("", text))
    whole = " ".join(re.findall(r"link_whole\s*:\s*(\[[^\]]*\]|\w+)", tests))
    return [f"{folder}/meson.build: no unit test has link_whole: {library}"
            for library in libraries if not re.search(rf"\b{library}\b", whole)]


def planted(owners):
    owners = {**owners, "spu_x.h": "spu", "ike_x_priv.h": "re/ike"}
    return [
        ("a dependency that is not allowed",
         check_meson("re/ike", "l = static_library('ike', 'a.c', dependencies: [common, libuv])")),
        ("a dependency by a list",
         check_meson("common", "d = [lmdb]\nl = static_library('common', dependencies: d)")),
        ("a dependency added with +",
         check_meson("keeper", "executable('x', files('a.c'), dependencies: [common] + [store])")),
        ("a header of a folder above", check_includes("common/a.c", '#include "spu_x.h"', owners)),
        ("a private header", check_includes("re/vpn/a.c", '#include "ike_x_priv.h"', owners)),
        ("a library that no test links whole",
         check_whole("spu", "spu_lib = static_library('spu')", "link_whole: [x_lib]")),
        ("a path with ../", check_includes("tests/a.c", '#  include "../common/x.h"', owners)),
    ]


def main():
    owners = {p.name: tree.folder_of(p) for p in tree.walk(".h", ".def") if tree.folder_of(p)}
    problems = []
    builds = {p.parent.as_posix(): (tree.ROOT / p).read_text("utf-8")
              for p in tree.walk("meson.build")}
    tests = "".join(text for folder, text in builds.items() if folder.startswith("tests/"))
    for folder in tree.TABLE.keys() & builds.keys():
        problems += check_meson(folder, builds[folder])
        if "--whole" in sys.argv:
            problems += check_whole(folder, builds[folder], tests)
    for path in tree.walk(".c", ".h"):
        problems += check_includes(path, (tree.ROOT / path).read_text("utf-8"), owners)
    return tree.verdict("layers", problems, planted(owners))


if __name__ == "__main__":
    sys.exit(main())
