# SPDX-License-Identifier: BSD-2-Clause
"""The laboratory itself: what the other tests stand on, proven without Hawser.

    host-a -- left (strongSwan) == ESP in UDP == right (strongSwan) -- host-b
"""
import ipaddress
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP

from lab import names
from lab.capture import Capture, Packet, repeated_ivs
from lab.ikepeer import IkePeer, Refused
from lab.wait import NotReached, wait_until

ROOT = Path(__file__).resolve().parents[2]
NET_A, NET_B = ["10.1.1.0/24", "fd00:1::/64"], ["10.1.2.0/24", "fd00:2::/64"]

NETWORK_A, NETWORK_B = [ipaddress.ip_network(NET_A[0])], [ipaddress.ip_network(NET_B[0])]


def build(lab):
    a, b = lab.host("host-a"), lab.host("host-b")
    left, right = lab.strongswan("left"), lab.strongswan("right")
    lab.link(a, left, *NET_A)
    lab.link(b, right, *NET_B)
    lab.link(left, right, "192.0.2.0/24")
    a.default_routes()
    b.default_routes()
    left.connection("vpn", "192.0.2.1", "192.0.2.2", "a secret", NET_A, NET_B)
    right.connection("vpn", "192.0.2.2", "192.0.2.1", "a secret", NET_B, NET_A)
    left.up()
    right.up()
    return a, b, left, right


def test_a_tunnel_between_two_peers_carries_numbers_and_streams(lab):
    a, b, left, right = build(lab)
    left.initiate("vpn")
    assert right.established("vpn")

    for version in (4, 6):
        assert a.ping(b.interfaces[0].ip(version)) == 1
        # Few at a time: two user-space ESPs on a busy machine lose packets of their own.
        with lab.flow(a, b, version=version, pps=200) as there, \
                lab.flow(b, a, version=version, pps=200) as back:
            there.wait_arrived(200)
        for flow in (there, back):
            assert flow.lost == [] and flow.duplicated == 0 and flow.corrupt == 0, str(flow)
    with lab.tcp(a, b, duration=1) as stream:
        pass
    assert stream.whole, str(stream)
    carried = int(left.child("vpn")["packets-out"])
    assert carried > 400, "the tunnel was not what carried them"


def test_a_wrong_secret_and_a_dead_peer_are_told(lab):
    a, _b, left, right = build(lab)
    left.connection("vpn", "192.0.2.1", "192.0.2.2", "another secret", NET_A, NET_B)
    worked, said = left.initiate("vpn", check=False)
    assert not worked and "AUTH_FAILED" in said

    right.kill()
    worked, said = left.initiate("vpn", check=False, timeout_s=2)
    assert not worked
    assert a.ping("10.1.2.1") == 0


def test_a_loss_on_the_way_is_told_number_by_number(lab):
    a, r, b = lab.host("host-a"), lab.router("router"), lab.host("host-b")
    lab.link(a, r, *NET_A)
    lab.link(b, r, *NET_B)
    a.default_routes()
    b.default_routes()
    r.run("nft", "add table inet lossy; add chain inet lossy f "
          "{ type filter hook forward priority 0; }; "
          "add rule inet lossy f udp length > 400 numgen inc mod 4 == 3 drop")
    with lab.flow(a, b, count=40, size=500) as flow:
        flow.wait_sent()
    assert flow.lost == list(range(3, 40, 4)), str(flow)
    assert flow.received == 30 and flow.lost_count == 10


def test_waiting_says_what_was_last_seen():
    with pytest.raises(NotReached, match="not within 0.01 s: the answer; last seen: 0"):
        wait_until("the answer", lambda: 0, timeout_s=0.01)
    with pytest.raises(NotReached, match="ZeroDivisionError"):
        wait_until("the answer", lambda: 1 / 0, timeout_s=0.01)


OWNER = """
import sys
sys.path.insert(0, {root!r})
from lab.topo import Lab
with Lab() as lab:
    a, b = lab.host("a"), lab.host("b")
    lab.link(a, b, "10.0.0.0/24")
    a.start("sleep", "1000")
    print(lab.tag, flush=True)
    {then}
"""


def owner(then):
    script = OWNER.format(root=str(ROOT), then=then)
    process = subprocess.Popen([sys.executable, "-B", "-c", script], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(number):
    process, tag = owner("import time; time.sleep(1000)")
    assert names.leftovers(tag)
    process.send_signal(number)
    assert process.wait(20) != 0
    assert names.leftovers(tag) == []


def test_an_exception_leaves_nothing_behind():
    process, tag = owner("raise RuntimeError('on purpose')")
    assert process.wait(20) == 1 and "on purpose" in process.stderr.read()
    assert names.leftovers(tag) == []


def test_what_a_killed_owner_left_is_swept_and_what_a_living_one_has_is_not(lab):
    process, tag = owner("import time; time.sleep(1000)")
    node = f"{tag}.a"
    sleepers = wait_until("the sleeper is in its namespace", lambda: names.pids_in_netns(node))
    names.sweep()
    assert names.leftovers(tag), "swept although its owner lives"

    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    assert names.leftovers(tag)
    names.sweep()
    assert names.leftovers(tag) == []
    wait_until("the sleeper is gone", lambda: not any(os.path.exists(f"/proc/{p}/exe")
                                                      for p in sleepers))
    assert names.leftovers(lab.tag), "a sweep took what belongs to a living owner"


def test_the_peer_in_python_agrees_with_strongswan(lab):
    """test -- right (strongSwan) -- host-b; ESP by scapy, in UDP"""
    b, left, right = lab.host("host-b"), lab.host("left"), lab.strongswan("right")
    lab.link(left, right, "192.0.2.0/24")
    lab.link(b, right, "10.1.2.0/24")
    b.default_routes()
    right.connection("vpn", "192.0.2.2", "192.0.2.1", "a secret", "10.1.2.0/24", "10.1.1.0/24",
                     ike="aes256gcm16-prfsha256-x25519")
    right.up()

    with IkePeer(left, "192.0.2.1", "192.0.2.2", "a secret", udp=True) as peer:
        peer.init().auth(NETWORK_A, NETWORK_B)
        assert right.established("vpn")
        peer.send_esp(peer.sealed_packet(IP(src="10.1.1.5", dst="10.1.2.1") / ICMP() / b"hello"))
        answer = peer.opened_packet(peer.receive_esp())
    assert answer[ICMP].type == 0 and bytes(answer[ICMP].payload) == b"hello"

    with IkePeer(left, "192.0.2.1", "192.0.2.2", "another secret", udp=True) as peer:
        with pytest.raises(Refused, match="AUTHENTICATION_FAILED"):
            peer.init().auth(NETWORK_A, NETWORK_B)


def test_a_capture_finds_what_is_in_the_clear_and_an_iv_that_comes_twice(lab):
    a, b, left, right = build(lab)
    left.initiate("vpn")
    with Capture(a, "eth0") as inside, Capture(right, "eth1") as outside:
        with lab.flow(a, b, count=100) as flow:
            flow.wait_sent()
    assert flow.lost == []
    assert len(inside.in_the_clear(flow)) == 100
    assert outside.in_the_clear(flow) == []
    assert len(outside.esp()) == 100 and outside.dropped == inside.dropped == 0
    assert repeated_ivs(outside) == []

    frame = next(frame for _at, frame in outside.frames() if Packet.of(0, frame).esp)
    with Capture(right, "eth1") as again:
        raw = left.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with raw:
            raw.bind(("eth1", 0))
            raw.send(frame)
            wait_until("the frame is captured", lambda: again.find(frame))
    assert len(repeated_ivs(outside, again)) == 1
