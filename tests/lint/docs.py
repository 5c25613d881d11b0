#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the documentation points at is there: relative links, and paths of the tree in `backticks`."""
import pathlib
import re
import sys

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)+/?)`")
PAIR = re.compile(r"\.\[ch\]")
EXAMPLE = re.compile(r"NAME|FOLDER|FILE|TARGET|NNNN")


def exists(path):
    return (tree.ROOT / path).exists()


def check(page, text, tops):
    problems = []
    folder = pathlib.PurePosixPath(page).parent
    for link in LINK.findall(text):
        if "://" not in link and not link.startswith("mailto:") and not exists(folder / link):
            problems.append(f"{page}: links to {link}, which is not there")
    for path in QUOTED.findall(text):
        if path.split("/")[0] in tops and not EXAMPLE.search(path) and not exists(path):
            problems.append(f"{page}: names {path}, which is not there")
    return problems


def main():
    tops = {p.parts[0] for p in tree.walk() if len(p.parts) > 1}
    problems = []
    for page in tree.walk(".md"):
        text = (tree.ROOT / page).read_text("utf-8")
        problems += check(page.as_posix(), PAIR.sub(".c", text), tops)
    planted = [
        ("a dead link", check("docs/a.md", "see [b](no-such-page.md)", tops)),
        ("a file that is gone", check("docs/a.md", "in `common/no_such_file.c`", tops)),
    ]
    return tree.verdict("docs", problems, planted)


if __name__ == "__main__":
    sys.exit(main())
