# SPDX-License-Identifier: BSD-2-Clause
"""Where Hawser's programs are: the build folder that HAWSER_BUILD names, `build` beside lab/, or
what is installed."""
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

IN_BUILD = {
    "hawserd": "keeper/hawserd",
    "hawser-re": "re/daemon/hawser-re",
    "hawser-spu": "spu/hawser-spu",
    "hawser": "re/cli/hawser",
    "hawser-traffic": "lab/traffic/hawser-traffic",
    "hawser-ike-flood": "lab/traffic/hawser-ike-flood",
    "ike-load": "tests/sim/ike-load",
    "ike-bare": "tests/sim/ike-bare",
}


class Missing(RuntimeError):
    """A program was not found; the text says where it was looked for."""


def build():
    return Path(os.environ.get("HAWSER_BUILD", ROOT / "build")).resolve()


def find(name):
    """The path of a program, as text."""
    built = build() / IN_BUILD[name]
    if built.exists():
        return str(built)
    if "HAWSER_BUILD" not in os.environ and (installed := shutil.which(name)):
        return installed
    raise Missing(f"{name}: not at {built}, and not installed; build it, or set HAWSER_BUILD")
