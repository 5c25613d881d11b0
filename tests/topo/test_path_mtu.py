# SPDX-License-Identifier: BSD-2-Clause
"""Packets that are too big for a router between the gateways.

    host-a -- west (2 SPUs) -- r1 -- 1,400 bytes -- r2 -- east (2 SPUs) -- host-b
                        tunnel "v4" over IPv4, tunnel "v6" over IPv6

West copies the DF bit and learns the path MTU. East clears it: over IPv4 r2 fragments its ESP; over
IPv6 east learns the path MTU, and fragments itself.
"""
import socket
import struct

import pytest

from lab.capture import Capture
from lab.wait import wait_until

NARROW, MSS = 1400, 1200
TUNNELS = {"v4": 1, "v6": 2}
# 1,400 less outer header, ESP header, IV, ICV: a multiple of 4, less the trailer
FITS = {"v4": NARROW - 20 - 32 - 2, "v6": NARROW - 40 - 32 - 2}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.west, self.east = lab.hawser("west"), lab.hawser("east")
        self.r1, self.r2 = lab.router("r1"), lab.router("r2")
        self.a, self.b = {}, {}
        for name, number in TUNNELS.items():
            for hosts, gateway, side in ((self.a, self.west, 1), (self.b, self.east, 2)):
                host = hosts[name] = lab.host(f"{'ab'[side - 1]}{name}")
                lab.link(host, gateway, f"10.{side}.{number}.0/24", f"fd00:{side}:{number}::/64")
                host.default_routes()
        lab.link(self.west, self.r1, "192.0.2.0/28", "2001:db8:1::/64")
        lab.link(self.east, self.r2, "192.0.2.16/28", "2001:db8:2::/64")
        lab.link(self.r1, self.r2, "192.0.2.32/28", "2001:db8:3::/64", mtu=NARROW)
        self.r1.route("192.0.2.16/28", via="192.0.2.34")
        self.r1.route("2001:db8:2::/64", via="2001:db8:3::2")
        self.r2.route("192.0.2.0/28", via="192.0.2.33")
        self.r2.route("2001:db8:1::/64", via="2001:db8:3::1")
        self.west.set("routing-options static route 192.0.2.16/28 next-hop 192.0.2.2",
                      "routing-options static route 2001:db8:2::/64 next-hop 2001:db8:1::2",
                      f"security flow tcp-mss ipsec-vpn mss {MSS}")
        self.east.set("routing-options static route 192.0.2.0/28 next-hop 192.0.2.18",
                      "routing-options static route 2001:db8:1::/64 next-hop 2001:db8:2::2")
        for name, number in TUNNELS.items():
            for gateway, side in ((self.west, 1), (self.east, 2)):
                peer = {"v4": ("192.0.2.17", "192.0.2.1"),
                        "v6": ("2001:db8:2::1", "2001:db8:1::1")}[name][side - 1]
                gateway.add_vpn(
                    name, "eth2", peer, "a secret for the lab",
                    [f"10.{3 - side}.{number}.0/24", f"fd00:{3 - side}:{number}::/64"],
                    [f"10.250.{number}.{side}/30", f"fd00:250:{number}::{side}/126"],
                    establish="immediately" if side == 1 else "on-traffic",
                    extra=["df-bit copy"] if side == 1 else [])
        self.east.up()
        self.west.up()
        for name in TUNNELS:
            self.west.wait_tunnel(name)
            self.east.wait_tunnel(name)


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


def ping_says(node, address, size, version=4):
    size -= 28 if version == 4 else 48
    done = node.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", str(size), address,
                    check=False)
    return done.stdout + done.stderr


def drops(gateway):
    return gateway.show("security flow drops")


def whole(flow):
    return flow.lost == [] and flow.corrupt == 0 and flow.duplicated == 0


@pytest.mark.parametrize("version", [4, 6])
def test_each_gateway_takes_one_hop(net, version):
    """64 less one at west, when it is encrypted, less one at east, when it is forwarded."""
    with Capture(net.b["v4"], "eth0", "icmp or icmp6") as capture:
        assert net.a["v4"].ping(net.b["v4"].interfaces[0].ip(version), timeout_s=3) == 1
    at, kind = (22, (23, 1)) if version == 4 else (21, (20, 58))
    seen = {f[at] for _, f in capture.frames()
            if f[12:14] == (b"\x08\x00" if version == 4 else b"\x86\xdd") and f[kind[0]] == kind[1]}
    assert 62 in seen, seen


@pytest.mark.parametrize("name", TUNNELS)
def test_the_path_mtu_is_learned_and_told_to_the_sender(net, name):
    a, to = net.a[name], net.b[name].interfaces[0].ip()
    said = []

    def told():
        said.append(ping_says(a, to, 1410))
        return f"mtu = {FITS[name]}" in said[-1] or f"mtu={FITS[name]}" in said[-1]

    wait_until("the sender is told what fits", told, seen=lambda: said[-1:])
    assert "1 received" in ping_says(a, to, FITS[name]), "what the gateway said does not fit"
    assert drops(net.west)["made"] > 0


@pytest.mark.parametrize("name", TUNNELS)
def test_datagrams_are_fragmented_before_encryption(net, name):
    net.a[name].run("ip", "route", "flush", "cache")  # the sender was told, and would fragment
    before = drops(net.west)["made"]
    with Capture(net.r1, "eth1", "ip or ip6") as capture, \
            net.lab.flow(net.a[name], net.b[name], size=1400, pps=200, count=50) as flow:
        flow.wait_sent()
    assert whole(flow), str(flow)
    assert drops(net.west)["made"] >= before + 50
    assert all(len(f) - 14 <= NARROW for _, f in capture.frames())


@pytest.mark.parametrize("name", TUNNELS)
def test_outer_fragments_are_reassembled(net, name):
    """1,408 bytes that must not be fragmented inside, from where the outer DF bit is clear."""
    a, b = net.a[name], net.b[name]
    wait_until("east knows the path", lambda: "1 received" in ping_says(
        b, a.interfaces[0].ip(), 1408))
    before = drops(net.west)["merged"]
    with net.lab.flow(b, a, size=1380, pps=200, count=50, df=1) as flow:
        flow.wait_sent()
    assert whole(flow), str(flow)
    assert drops(net.west)["merged"] >= before + 50


def test_outer_fragments_are_reassembled_out_of_order(net):
    """r1 holds a packet's fragments back, and sends the last one first."""
    a, b, r1 = net.a["v4"], net.b["v4"], net.r1
    mac = bytes.fromhex(net.west.mac("eth2").replace(":", "") + r1.mac("eth0").replace(":", ""))
    r1.run("nft", "add table ip t; add chain ip t f { type filter hook forward priority 0; }; "
           "add rule ip t f ip frag-off & 0x3fff != 0 drop")
    try:
        with Capture(r1, "eth1", "ip proto 50 and ip[6:2] & 0x3fff != 0") as held:
            ping_says(b, a.interfaces[0].ip(), 1428)
            wait_until("r1 holds both", lambda: len(list(held.frames())) >= 2)
        before = drops(net.west)["merged"]
        with Capture(a, "eth0", "icmp") as arrived, r1.socket(
                socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("eth0", 0))
            for _, frame in reversed(list(held.frames())):
                out.send(mac + frame[12:])
            wait_until("the packet arrives", lambda: any(
                len(f) == 14 + 1428 for _, f in arrived.frames()), seen=lambda: drops(net.west))
    finally:
        r1.run("nft", "delete table ip t")
    assert drops(net.west)["merged"] == before + 1


def mss_of(frames):
    """The MSS options of SYN segments."""
    found = set()
    for _, frame in frames:
        v4 = frame[12:14] == b"\x08\x00"
        tcp = frame[14 + (20 if v4 else 40):]
        if frame[23 if v4 else 20] != 6 or not tcp[13] & 2:
            continue
        options = tcp[20:(tcp[12] >> 4) * 4]
        at = options.find(b"\x02\x04")
        found.add(struct.unpack("!H", options[at + 2:at + 4])[0])
    return found


@pytest.mark.parametrize("version", [4, 6])
def test_mss_is_clamped_in_both_directions(net, version):
    a, b = net.a["v4"], net.b["v4"]
    with Capture(b, "eth0", "tcp") as at_b, Capture(a, "eth0", "tcp") as at_a, \
            net.lab.tcp(a, b, version=version, duration=1) as stream:
        pass
    assert stream.whole, str(stream)
    assert mss_of(at_b.frames()) >= {MSS}, "the SYN as it left the far tunnel's end"
    assert MSS in mss_of(at_a.frames()), "the SYN/ACK as it left ours"


def test_each_packet_is_accounted_for(net):
    for gateway in (net.west, net.east):
        wait_until(f"{gateway.name} holds nothing", lambda: drops(gateway)["held"] == 0,
                   timeout_s=20, seen=lambda: drops(gateway))
