# SPDX-License-Identifier: BSD-2-Clause
"""A gateway behind a NAT: it finds out, moves to port 4500, and its ESP goes in UDP.

    host-a -- west (2 SPUs) -- nat (masquerades) == ESP in UDP == east (2 SPUs) -- host-b
"""
import pytest

from lab.capture import Capture

PSK, IDS = "a secret for the lab", {"west": "west.example", "east": "east.example"}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.west, self.east, self.nat = lab.hawser("west"), lab.hawser("east"), lab.router("nat")
        self.a, self.b = lab.host("host-a"), lab.host("host-b")
        lab.link(self.a, self.west, "10.1.0.0/24", "fd00:1::/64")
        lab.link(self.b, self.east, "10.2.0.0/24", "fd00:2::/64")
        lab.link(self.west, self.nat, "192.168.1.0/24")
        lab.link(self.nat, self.east, "192.0.2.0/24")
        self.a.default_routes()
        self.b.default_routes()
        self.nat.run("nft", "add table ip nat; add chain ip nat post "
                     "{ type nat hook postrouting priority 100; }; "
                     "add rule ip nat post oifname eth1 masquerade")
        self.west.set("routing-options static route 192.0.2.0/24 next-hop 192.168.1.2")
        self.vpn(self.west, "192.0.2.2", ["10.2.0.0/24", "fd00:2::/64"], 1, "east")
        self.vpn(self.east, "192.0.2.1", ["10.1.0.0/24", "fd00:1::/64"], 2, "west")
        self.east.up()
        self.west.up()
        self.west.wait_tunnel("vpn")
        self.east.wait_tunnel("vpn")

    def vpn(self, gateway, peer, nets, place, other):
        gateway.add_vpn("vpn", "eth1", peer, PSK, nets,
                        [f"10.250.1.{place}/30", f"fd00:250:1::{place}/126"],
                        establish="immediately" if gateway is self.west else "on-traffic")
        gateway.set(f"security ike gateway vpn local-identity hostname {IDS[gateway.name]}",
                    f"security ike gateway vpn remote-identity hostname {IDS[other]}")


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


@pytest.mark.parametrize("version", [4, 6])
def test_traffic_passes_the_nat_both_ways_in_udp(net, version):
    with Capture(net.nat, "eth1", "not ip6") as capture:
        with net.lab.flow(net.a, net.b, version=version) as there, \
                net.lab.flow(net.b, net.a, version=version) as back:
            there.wait_arrived(200)
            back.wait_arrived(200)
        with net.lab.tcp(net.b, net.a, version=version, duration=1) as stream:
            pass
    for flow in (there, back):
        assert flow.lost == [] and flow.duplicated == 0 and flow.corrupt == 0, str(flow)
    assert stream.whole, str(stream)
    assert {p.protocol for p in capture.esp()} == {17}, "ESP that is not in UDP"
    assert capture.in_the_clear(there) == [] and capture.in_the_clear(back) == []


def test_each_side_knows_where_the_nat_is(net):
    for gateway in (net.west, net.east):
        sa = gateway.show("security ike security-associations")["sa"][0]
        assert sa["local"].endswith(":4500") and sa["remote"].endswith(":4500"), sa
    assert net.east.show("security ike security-associations")["sa"][0]["peer-ike-id"] == \
        IDS["west"]
