# SPDX-License-Identifier: BSD-2-Clause
"""Topology tests: namespaces, real peers and numbered traffic, by the package in lab/.

Those in tests/vm have a virtual machine as peer. Each file draws its topology in its head. A test gets `lab` (a topology of its own) or `shared_lab`
(one for the whole file, for tests that leave it as they found it). A test waits for conditions
(wait_until) and never sleeps; a failure prints what was last seen, and every node's logs.
"""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

from lab import topo  # noqa: E402


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("topology tests make network namespaces: run them as root", 2)


@pytest.fixture
def lab():
    with topo.Lab() as one:
        yield one


@pytest.fixture(scope="module")
def shared_lab():
    with topo.Lab() as one:
        yield one


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed and report.when != "teardown":
        for one in topo.open_labs():
            report.sections.append((f"lab {one.tag}", one.describe()))
