# SPDX-License-Identifier: BSD-2-Clause
"""Eighty tunnels spread over two SPUs; each carries its own ping, whoever is killed.

    host-a -- gw (2 SPUs) == plain ESP == test (80 small IKE peers in Python; ESP by scapy)
"""
import ipaddress

import pytest
from scapy.layers.inet import ICMP, IP

from lab.ikepeer import IkePeer
from lab.node import kill
from lab.wait import wait_until

N, SECRET = 80, "a secret for the lab"
HERE = [ipaddress.ip_network("10.1.0.0/24")]


class Net:
    def __init__(self, lab):
        self.gw, self.a, self.test = lab.hawser("gw"), lab.host("host-a"), lab.host("test")
        lab.link(self.a, self.gw, "10.1.0.0/24")
        lab.link(self.gw, self.test, "172.16.0.0/16")
        self.a.default_routes()
        for i in range(N):
            self.test.address("eth0", f"{address(i)}/16")
            self.gw.add_vpn(f"v{i}", "eth1", address(i), SECRET, [f"10.100.{i}.0/24"],
                            [f"10.250.{i}.1/30"], establish="on-traffic")
        self.gw.up(60)
        self.peers = [IkePeer(self.test, address(i), "172.16.0.1", SECRET) for i in range(N)]
        for i, peer in enumerate(self.peers):
            peer.init().auth([ipaddress.ip_network(f"10.100.{i}.0/24")], HERE)

    def answered(self):
        """The tunnels through which a ping is answered; each packet comes back in its own."""
        for i, peer in enumerate(self.peers):
            peer.send_esp(peer.sealed_packet(IP(src=f"10.100.{i}.5", dst="10.1.0.1") /
                                             ICMP(seq=i) / b"ping"))
        found = set()
        for i, peer in enumerate(self.peers):
            esp = peer.receive_esp(2)
            if esp is not None and peer.opened_packet(esp)[ICMP].seq == i:
                found.add(i)
        return found

    def spis(self):
        return {sa["vpn-name"]: sa["inbound"]["spi"] for sa in self.gw.sas()}


def address(i):
    return f"172.16.1.{i + 1}"


@pytest.fixture(scope="module")
def net(shared_lab):
    net = Net(shared_lab)
    yield net
    for peer in net.peers:
        peer.close()


def test_each_tunnel_carries_its_own(net):
    assert len(net.spis()) == N
    assert net.answered() == set(range(N))


def test_both_spus_have_their_share(net):
    held = {(0, 0): 0, (0, 1): 0}
    for sa in net.gw.sas():
        held[sa["fpc"], sa["pic"]] += 1
    assert min(held.values()) > N // 5, held


@pytest.mark.parametrize("pic", [0, 1])
def test_a_killed_spu_costs_no_tunnel(net, pic):
    spis, old = net.spis(), net.gw.spu_pid(0, pic)
    kill(old, wait_s=5)
    wait_until("each tunnel carries", lambda: net.answered() == set(range(N)), 20,
               seen=net.gw.log)
    wait_until("the SPU is back", lambda: net.gw.spu_pid(0, pic) not in (None, old), 20)
    net.gw.wait_ready()
    assert net.answered() == set(range(N))
    assert net.spis() == spis


def test_a_killed_routing_engine_knows_them_all_again(net):
    spis, old = net.spis(), net.gw.re_pid()
    kill(old, wait_s=5)
    assert net.answered() == set(range(N)), "traffic noticed"
    wait_until("all are there again", lambda: net.gw.re_pid() not in (None, old) and
               net.spis() == spis, 30, seen=net.gw.log)
    assert net.answered() == set(range(N))
