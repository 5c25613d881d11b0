# SPDX-License-Identifier: BSD-2-Clause
"""Outer IPv6 with duplicate address detection, several tunnels on one st0 unit, links that vanish.

                == ESP over IPv6 == left  -- host-l
    host -- hub   (both on st0.0)
                == ESP over IPv4 == right -- host-r
"""
import subprocess

import pytest

from lab.topo import Lab
from lab.wait import wait_until

HOPS = {"left": "10.250.0.2", "right": "10.250.0.3"}
NETS = {"left": "10.2.1.0/24", "right": "10.2.2.0/24"}


def wanted(hub, hops):
    """The hub's st0 unit, with a next hop for each tunnel."""
    hub.without("interfaces st0", "routing-options static")
    hub.set("interfaces st0 unit 0 multipoint",
            "interfaces st0 unit 0 family inet address 10.250.0.1/24",
            "interfaces st0 unit 0 family inet6 address fd00:250::1/64")
    for vpn, hop in hops.items():
        hub.set(f"interfaces st0 unit 0 family inet next-hop-tunnel {hop} ipsec-vpn {vpn}",
                f"routing-options static route {NETS[vpn]} next-hop {hop}")


@pytest.fixture(scope="module")
def hub():
    with Lab() as lab:
        host, left_host, right_host = (lab.host(n) for n in ("host", "host-l", "host-r"))
        hub = lab.hawser("hub")
        left, right = (lab.hawser(n, offload=["software"]) for n in HOPS)
        lab.link(host, hub, "10.1.0.0/24")
        lab.link(left_host, left, NETS["left"])
        lab.link(right_host, right, NETS["right"])
        lab.link(hub, left, "2001:db8:1::/64")
        lab.link(hub, right, "192.0.2.0/28")
        for node in (host, left_host, right_host):
            node.default_routes()
        for node in (hub, left):
            node.sysctl({f"net.ipv6.conf.{name}.accept_dad": "1" for name in
                         ("all", "default", *(i.name for i in node.interfaces))})
        lab.tunnel(hub, left, "left", outer=6, inner=(4,))
        lab.tunnel(hub, right, "right", inner=(4,))
        hub.without("security zones security-zone vpn interfaces st0.1",
                    "security ipsec vpn right bind-interface")
        hub.set("security ipsec vpn right bind-interface st0.0")
        wanted(hub, HOPS)
        left.up()
        right.up()
        hub.up()
        for vpn in HOPS:
            hub.wait_tunnel(vpn)
        yield hub


def reached(hub):
    host = hub.lab.nodes["host"]
    return [vpn for vpn, net in NETS.items() if host.ping(net.replace("0/24", "1")) == 1]


def carried(hub):
    return {sa["vpn-name"]: sa["outbound"]["packets"] for sa in hub.sas()}


def test_the_next_hop_picks_the_tunnel(hub):
    before = carried(hub)
    assert reached(hub) == ["left", "right"]
    after = carried(hub)
    assert {vpn: after[vpn] - before[vpn] for vpn in after} == {"left": 1, "right": 1}
    sa = hub.sa("left")
    assert (sa["local-gateway"], sa["remote-gateway"]) == ("2001:db8:1::1", "2001:db8:1::2")
    assert [sa["tunnel-index"] for sa in hub.show("security ipsec security-associations "
                                                  "family inet6")["sa"]] == [sa["tunnel-index"]]


def test_a_next_hop_that_moves_takes_its_tunnel_along(hub):
    spis = {sa["vpn-name"]: sa["inbound"]["spi"] for sa in hub.sas()}
    wanted(hub, {"left": HOPS["right"], "right": "10.250.0.4"})
    file = hub.dir / "new.conf"
    file.write_text(hub.text())
    hub.request(f"system configuration load {file}")
    assert reached(hub) == ["left", "right"]
    host = hub.lab.nodes["host"]
    hub.run("ip", "route", "add", "10.9.0.0/24", "via", HOPS["left"])
    before = carried(hub)
    assert host.ping("10.9.0.1") == 0
    assert carried(hub) == before, "the next hop of before still has a tunnel"
    assert {sa["vpn-name"]: sa["inbound"]["spi"] for sa in hub.sas()} == spis


def test_links_that_vanish_and_return_work_again(hub):
    right = hub.lab.nodes["right"]
    spi = hub.sa("right")["inbound"]["spi"]
    inner, outer = hub.interfaces[2].name, hub.interfaces[2].other.name
    hub.run("ip", "link", "del", inner)
    subprocess.run(["ip", "link", "add", inner, "netns", hub.netns, "type", "veth",
                    "peer", "name", outer, "netns", right.netns], check=True)
    for node, name in ((hub, inner), (right, outer)):
        node.run("ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "on")
    wait_until("the outer link carries again", lambda: "right" in reached(hub), 10, seen=hub.log)
    hub.run("ip", "link", "del", "st0.0")
    wait_until("st0 carries again", lambda: reached(hub) == ["left", "right"], 10, seen=hub.log)
    assert hub.sa("right")["inbound"]["spi"] == spi
