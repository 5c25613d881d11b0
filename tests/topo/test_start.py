# SPDX-License-Identifier: BSD-2-Clause
"""A start that cannot be: one clear line, status 1, and nothing left behind.

    host -- gw
"""
import socket
from pathlib import Path

import pytest

from lab.topo import Lab


@pytest.fixture(scope="module")
def host():
    with Lab() as lab:
        yield lab.host("host")


@pytest.fixture
def gw(host):
    number = len(host.lab.nodes)
    one = host.lab.hawser(f"gw{number}")
    host.lab.link(host, one, f"10.{number}.0.0/24")
    one.config.write_text(one.text())
    yield one
    one.stop_processes()


def fails(gw, text, patience_s=10):
    """It ends with status 1 and says the text, once for a reader of the log and once at its end."""
    keeper = gw.start_keeper()
    assert keeper.wait(patience_s) == 1, gw.log()
    said = [line for line in gw.log().splitlines() if text in line]
    assert 1 <= len(said) <= 2, gw.log()
    assert gw.hawser_pids() == {}
    names = {line.split(":")[1].strip() for line in gw.run("ip", "-o", "link").stdout.splitlines()}
    assert {name.split("@")[0] for name in names} == {"lo", "eth0"}
    assert gw.run("sysctl", "-n", "net.ipv4.ip_forward").stdout.strip() == "0"


def test_no_configuration(gw):
    gw.config.unlink()
    fails(gw, f"{gw.config}: No such file or directory")


def test_a_configuration_with_an_error(gw):
    gw.config.write_text("set interfaces eth0 unit 0 family inet address 10.1.0.300/24\n")
    fails(gw, f'{gw.config}:1: error: interfaces eth0 unit 0 family inet address: "10.1.0.300/24"')


@pytest.mark.parametrize("port", [500, 4500])
def test_a_port_that_is_taken(gw, port):
    with gw.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("0.0.0.0", port))
        fails(gw, f"hawserd: UDP port {port} of IPv4: Address already in use")


def test_an_interface_with_a_program_of_others(gw):
    foreign = next(Path("/usr/lib").glob("*/bpf/xsk_def_xdp_prog_5.3.o"))  # libxdp's own
    gw.run("ip", "link", "set", "eth0", "xdpdrv", "obj", foreign, "section", "xdp")
    fails(gw, "eth0: another XDP program is attached; take it off first")
    assert "xsk_def_prog" in gw.run("ip", "-d", "link", "show", "eth0").stdout


def test_a_rundir_that_cannot_be_made(gw):
    gw.rundir = gw.dir / "no" / "where"
    fails(gw, f"hawserd: {gw.rundir}: No such file or directory")


def test_a_rundir_that_is_a_file(gw):
    gw.rundir.rmdir()
    gw.rundir.write_text("")
    fails(gw, f"hawserd: {gw.rundir}")


def test_a_name_of_ours_that_is_taken(gw):
    gw.run("ip", "link", "add", "wire-0-0", "type", "veth", "peer", "name", "other")
    keeper = gw.start_keeper()
    assert keeper.wait(10) == 1
    assert "interface wire-0-0: cannot make the veth: another interface has its name" in gw.log()
