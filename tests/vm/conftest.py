# SPDX-License-Identifier: BSD-2-Clause
"""The fixtures are those of tests/conftest.py; this puts the machine's parts on the path."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
