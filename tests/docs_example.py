# SPDX-License-Identifier: BSD-2-Clause
"""The configuration that docs/gateway.md shows is one: hawser-re --check takes it without a message.

usage: docs_example.py HAWSER_RE GATEWAY_MD
"""
import subprocess
import sys
import tempfile
from pathlib import Path


def example(page):
    """The first indented block that begins with the chassis."""
    lines = Path(page).read_text().splitlines()
    first = lines.index("    chassis {")
    block = []
    for line in lines[first:]:
        if line and not line.startswith("    "):
            break
        block.append(line[4:])
    text = "\n".join(block)
    return text[:text.index("hawser-re --check")]


def main():
    program, page = sys.argv[1:]
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(example(page))
        file.flush()
        ran = subprocess.run([program, "--check", "-f", file.name], capture_output=True, text=True)
    print(ran.stdout + ran.stderr)
    return ran.returncode or bool(ran.stderr)


sys.exit(main())
