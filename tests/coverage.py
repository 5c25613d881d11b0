#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints which share of each folder's lines a build with -Db_coverage=true has run. Shown, not
enforced.

usage: coverage.py BUILD-DIRECTORY"""
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def lines_run(build):
    """{source: {line: was it run}} of all of the build's .gcda files."""
    seen = collections.defaultdict(dict)
    data = sorted(str(p) for p in build.rglob("*.gcda"))
    for start in range(0, len(data), 50):
        out = subprocess.run(["gcov", "--json-format", "--stdout", *data[start:start + 50]],
                             cwd=build, capture_output=True, text=True, check=True).stdout
        for document in out.splitlines():
            for source in json.loads(document)["files"]:
                path = (build / source["file"]).resolve()
                for line in source["lines"]:
                    number = line["line_number"]
                    seen[path][number] = seen[path].get(number, False) or line["count"] > 0
    return seen


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folders = collections.defaultdict(lambda: [0, 0])
    for path, lines in lines_run(build).items():
        if not path.is_relative_to(ROOT) or path.is_relative_to(build):
            continue
        folder = path.relative_to(ROOT).parent.as_posix()
        if not folder.startswith("tests"):
            folders[folder][0] += sum(lines.values())
            folders[folder][1] += len(lines)
    for folder, (run, there) in sorted(folders.items()):
        print(f"{folder:16} {run:6} of {there:6} lines  {100 * run // max(there, 1):3} %")
    return 0 if folders else 1


if __name__ == "__main__":
    sys.exit(main())
