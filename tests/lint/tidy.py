#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy over what a build directory compiles, tests and generated files left out.

usage: tidy.py BUILD-DIRECTORY"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import tree


def sources(build):
    for entry in json.loads((build / "compile_commands.json").read_text("utf-8")):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(build) or not path.is_relative_to(tree.ROOT):
            continue
        relative = path.relative_to(tree.ROOT)
        if relative.parts[0] != "tests" and relative.suffix == ".c":
            yield relative.as_posix()


def tidy(build, path):
    # GCC's options that clang does not know are no fault of the source.
    done = subprocess.run(["clang-tidy-14", "--quiet", f"-p={build}",
                           "--extra-arg=-Wno-unknown-warning-option", path],
                          cwd=tree.ROOT, capture_output=True, text=True, check=False)
    return path, done.returncode, done.stdout


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    bad = 0
    paths = sorted(set(sources(build)))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, status, text in pool.map(lambda p: tidy(build, p), paths):
            if status:
                bad += 1
                print(f"{path}:\n{text}")
    print(f"clang-tidy: {len(paths)} files, {bad} with findings")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
