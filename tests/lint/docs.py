#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is pointed at is there: relative links and paths of the tree in `backticks` of the
documentation, and pages (*.md) that sources name."""
import pathlib
import re
import sys

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)+/?)`")
PAIR = re.compile(r"\.\[ch\]")
PAGE = re.compile(r"[\w./-]+\.md\b")
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


def check_source(path, text, pages):
    """A page that a comment names, with its path or without."""
    return [f"{path}: names {page}, which is not there" for page in sorted(set(PAGE.findall(text)))
            if not any(p == page or p.endswith("/" + page) for p in pages)]


def main():
    tops = {p.parts[0] for p in tree.walk() if len(p.parts) > 1}
    problems = []
    for page in tree.walk(".md"):
        text = (tree.ROOT / page).read_text("utf-8")
        problems += check(page.as_posix(), PAIR.sub(".c", text), tops)
    pages = [p.as_posix() for p in tree.walk(".md")]
    for source in tree.walk(".c", ".h", ".def", ".proto", "meson.build", "dev"):
        problems += check_source(source, (tree.ROOT / source).read_text("utf-8"), pages)
    planted = [
        ("a page that no one can read", check_source("a.c", "/* (no-such.md 3) */", pages)),
        ("a dead link", check("docs/a.md", "see [b](no-such-page.md)", tops)),
        ("a file that is gone", check("docs/a.md", "in `common/no_such_file.c`", tops)),
    ]
    return tree.verdict("docs", problems, planted)


if __name__ == "__main__":
    sys.exit(main())
