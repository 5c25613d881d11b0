# SPDX-License-Identifier: BSD-2-Clause
"""Plain ESP against an independent implementation (scapy), over IPv4 and IPv6, packet by packet.

    host-a -- gw (1 SPU) == ESP == test (a small IKE peer in Python; ESP by scapy)
"""
import ipaddress
import socket
import struct

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6

from lab.ikepeer import IkePeer
from lab.topo import Lab
from lab.wait import wait_until

SECRET = "a secret for the lab"
HERE = [ipaddress.ip_network(n) for n in ("10.1.0.0/24", "fd00:1::/64")]
# By the family of the outer packets: the gateway, the peer, and the networks behind the peer.
OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
THERE = {v: [ipaddress.ip_network(n) for n in (f"10.{v}.0.0/24", f"fd00:{v}::/64")] for v in (4, 6)}

REPLAY = "replayed or too old"


class Net:
    def __init__(self, lab, engine):
        self.lab = lab
        self.gw = lab.hawser("gw", offload=[engine])
        self.a, self.test = lab.host("host-a"), lab.host("test")
        lab.link(self.a, self.gw, *map(str, HERE))
        lab.link(self.gw, self.test, "192.0.2.0/28", "2001:db8::/64")
        self.a.default_routes()
        for version, (_gw, peer) in OUTER.items():
            self.gw.add_vpn(f"v{version}", "eth1", peer, SECRET, map(str, THERE[version]),
                            [f"10.250.{version}.1/30", f"fd00:250:{version}::1/126"],
                            establish="on-traffic")
        self.gw.up()


@pytest.fixture(scope="module", params=["inline", "software"])
def net(request):
    with Lab() as lab:
        yield Net(lab, request.param)


@pytest.fixture(params=[4, 6], ids=["outer-v4", "outer-v6"])
def peer(net, request):
    gw, test = OUTER[request.param]
    with IkePeer(net.test, test, gw, SECRET) as peer:
        peer.source, peer.source6 = (str(n[5]) for n in THERE[request.param])
        peer.init().auth(THERE[request.param], HERE)
        net.gw.wait_tunnel(f"v{request.param}")
        yield peer
        peer.delete()
        wait_until("the tunnel is deleted", lambda: net.gw.sa(f"v{request.param}") is None,
                   seen=net.gw.log)


def request4(peer, number):
    return IP(src=peer.source, dst="10.1.0.1") / ICMP(id=77, seq=number) / (b"n%d" % number)


def request6(peer, number):
    return (IPv6(src=peer.source6, dst="fd00:1::1") /
            ICMPv6EchoRequest(id=77, seq=number, data=b"n%d" % number))


def answer_to(peer, timeout_s=3.0):
    esp = peer.receive_esp(timeout_s)
    return None if esp is None else (esp, peer.opened_packet(esp))


def listener(net):
    s = net.a.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.1.0.1", 7777))
    s.settimeout(3)
    return s


def datagram(peer, data, source=None, target="10.1.0.1"):
    return IP(src=source or peer.source, dst=target) / UDP(sport=9, dport=7777) / data


def test_031_both_ways_byte_for_byte(net, peer):
    """Hawser opens what scapy sealed, and scapy opens what Hawser sealed; numbers count from 1."""
    numbers, ivs = [], set()
    for number in range(1, 6):
        peer.send_esp(peer.sealed_packet(request4(peer, number)))
        esp, answer = answer_to(peer)
        assert answer[ICMP].type == 0 and bytes(answer[ICMP].payload) == b"n%d" % number
        assert answer[IP].ttl == 63, "one hop: the gateway"
        spi, seq = struct.unpack_from(">II", esp)
        assert spi == int.from_bytes(peer.spi_in, "big")
        assert len(esp) % 4 == 0
        numbers.append(seq)
        ivs.add(esp[8:16])
    peer.send_esp(peer.sealed_packet(request6(peer, 9)))
    _esp, answer = answer_to(peer)
    assert ICMPv6EchoReply in answer and answer[ICMPv6EchoReply].data == b"n9"
    first = numbers[0]
    assert numbers == list(range(first, first + 5)) and len(ivs) == 5


def test_168_a_replayed_packet_is_dropped_and_counted(net, peer):
    with listener(net) as s:
        before = net.gw.dropped(REPLAY)
        esp = peer.sealed_packet(datagram(peer, b"once"))
        for _ in range(5):
            peer.send_esp(esp)
        peer.send_esp(peer.sealed_packet(datagram(peer, b"last")))
        assert s.recv(100) == b"once" and s.recv(100) == b"last"
        wait_until("4 replays are counted", lambda: net.gw.dropped(REPLAY) == before + 4,
                   seen=lambda: net.gw.drops()[1])


def test_168_the_window_takes_what_is_in_it_once_and_in_any_order(net, peer):
    with listener(net) as s:
        def send(number):
            peer.send_esp(peer.sealed_packet(datagram(peer, b"%d" % number), number=number))
        for number in (1000, 970, 999, 937, 1001):  # a window of 64 below the highest
            send(number)
        assert [int(s.recv(100)) for _ in range(5)] == [1000, 970, 999, 937, 1001]
        before = net.gw.dropped(REPLAY)
        for number in (970, 936, 1, 1001, 0):
            send(number)
        send(1002)
        assert int(s.recv(100)) == 1002
        wait_until("all 5 are counted", lambda: net.gw.dropped(REPLAY) == before + 5,
                   seen=lambda: net.gw.drops()[1])


@pytest.mark.parametrize("what, reason", [
    ("damaged ICV", "authentication failed"), ("damaged data", "authentication failed"),
    ("foreign source", "outside the traffic selectors"),
    ("foreign target", "outside the traffic selectors"), ("unknown SPI", "unknown SPI"),
    ("cut", "bad ESP or AH header"), ("not IP", "bad inner packet")])
def test_a_bad_packet_is_dropped_and_counted_by_its_reason(net, peer, what, reason):
    before = net.gw.dropped(reason)
    esp = bytearray(peer.sealed_packet(datagram(peer, b"x" * 40)))
    if what == "damaged ICV":
        esp[-1] ^= 1
    elif what == "damaged data":
        esp[20] ^= 0x80
    elif what == "foreign source":
        esp = peer.sealed_packet(datagram(peer, b"x", source="10.99.0.1"))
    elif what == "foreign target":
        esp = peer.sealed_packet(datagram(peer, b"x", target="10.99.0.1"))
    elif what == "unknown SPI":
        esp[0:3] = bytes(b ^ 0x55 for b in esp[0:3])
    elif what == "cut":
        esp = esp[:12]
    elif what == "not IP":
        esp = peer.sealed_raw(b"y" * 40, 200)
    with listener(net) as s:
        peer.send_esp(bytes(esp))
        peer.send_esp(peer.sealed_packet(datagram(peer, b"good")))
        assert s.recv(100) == b"good"
    wait_until(f"one more is counted: {reason}", lambda: net.gw.dropped(reason) == before + 1,
               seen=lambda: net.gw.drops()[1])


def test_a_dummy_packet_is_consumed(net, peer):
    """RFC 4303 2.6: next header 59; it counts as consumed, not as dropped."""
    before = net.gw.drops()[0]["consumed"]
    with listener(net) as s:
        peer.send_esp(peer.sealed_raw(b"y" * 40, 59))
        peer.send_esp(peer.sealed_packet(datagram(peer, b"good")))
        assert s.recv(100) == b"good"
    wait_until("it is counted as consumed", lambda: net.gw.drops()[0]["consumed"] == before + 1,
               seen=lambda: net.gw.drops())
