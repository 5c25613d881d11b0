# SPDX-License-Identifier: BSD-2-Clause
"""What is refused, how clearly, and that nothing else is disturbed meanwhile.

    host-a -- gw (2 SPUs) == peer-1 (strongSwan, good) -- host-b
                          == test (a small IKE peer in Python), which the gateway knows by address
                          == stranger, which it does not know
"""
import ipaddress
import struct

import pytest

from lab.ikepeer import KE, NONCE, SA, IkePeer, Refused, chain, payload, proposal
from lab.wait import wait_until

SECRET = "a secret for the lab"
NET_HERE, NET_THERE = ipaddress.ip_network("10.1.0.0/24"), ipaddress.ip_network("10.3.0.0/24")


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.gw, self.good = lab.hawser("gw"), lab.strongswan("peer-1")
        self.a, self.b = lab.host("host-a"), lab.host("host-b")
        self.test, self.stranger = lab.host("test"), lab.host("stranger")
        lab.link(self.a, self.gw, "10.1.0.0/24")
        lab.link(self.gw, self.good, "192.0.2.0/28")
        lab.link(self.b, self.good, "10.2.0.0/24")
        lab.link(self.gw, self.test, "192.0.2.16/28")
        lab.link(self.gw, self.stranger, "192.0.2.32/28")
        self.a.default_routes()
        self.b.default_routes()
        lab.tunnel(self.gw, self.good, "good", inner=(4,))
        self.gw.add_vpn("test", "eth2", "192.0.2.18", SECRET, ["10.3.0.0/24"], ["10.250.9.1/30"],
                        establish="on-traffic")
        self.gw.set("security zones security-zone untrust interfaces eth3.0")
        self.good.up()
        self.gw.up()
        self.gw.wait_tunnel("good")

    def peer(self, secret=SECRET):
        return IkePeer(self.test, "192.0.2.18", "192.0.2.17", secret)


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


@pytest.fixture(autouse=True)
def undisturbed(net):
    """Every test here: the good tunnel loses nothing, keeps its SPIs, and no process died."""
    before, pids = net.gw.sa("good"), set(net.gw.hawser_pids())
    with net.lab.flow(net.a, net.b) as there, net.lab.flow(net.b, net.a) as back:
        there.wait_arrived(50)
        yield
        there.wait_arrived(100)
        back.wait_arrived(100)
    assert there.lost == [] and back.lost == [], f"{there}; {back}"
    after = net.gw.sa("good")
    assert [after[w]["spi"] for w in ("inbound", "outbound")] == \
        [before[w]["spi"] for w in ("inbound", "outbound")]
    assert set(net.gw.hawser_pids()) == pids


def logged(net, event, since):
    """Waits for an event in the gateway's log that was not there before."""
    return wait_until(f"{event} is logged",
                      lambda: net.gw.log(100000).count(event) > since.count(event), 5,
                      seen=net.gw.log)


def test_a_wrong_pre_shared_key(net):
    log = net.gw.log(100000)
    with net.peer("another secret") as peer:
        with pytest.raises(Refused, match="AUTHENTICATION_FAILED"):
            peer.init().auth([NET_THERE], [NET_HERE])
    logged(net, "IKE_AUTH_FAILED", log)
    assert net.gw.sa("test") is None
    assert SECRET not in net.gw.log(100000)


def test_no_common_proposal(net):
    log = net.gw.log(100000)
    with net.peer() as peer:
        with pytest.raises(Refused, match="NO_PROPOSAL_CHOSEN"):
            peer.init(transforms=((1, 12, 128), (2, 5), (3, 12), (4, 31)))
    logged(net, "IKE_NO_PROPOSAL_CHOSEN", log)


def test_no_common_selector(net):
    log = net.gw.log(100000)
    elsewhere = ipaddress.ip_network("fd00:9::/64")
    with net.peer() as peer:
        try:
            peer.init().auth([elsewhere], [ipaddress.ip_network("10.77.0.0/16")])
        except Refused as e:
            assert e.notify in ("TS_UNACCEPTABLE", "INVALID_SYNTAX")
            logged(net, "IKE_", log)


def test_an_unknown_peer_is_ignored_or_refused_and_named(net):
    log = net.gw.log(100000)
    with IkePeer(net.stranger, "192.0.2.34", "192.0.2.33", SECRET) as peer:
        with pytest.raises((TimeoutError, Refused)):
            peer.init()
    logged(net, "IKE_UNKNOWN_PEER", log)
    assert "192.0.2.34" in net.gw.log(100000)[len(log):] or "192.0.2.34" in net.gw.log(100000)


def lies(peer):
    """Damaged IKE_SA_INIT requests, each with what is wrong with it."""
    good = peer.init_request()
    for length in [0, 1, 27, 28, 29, 31, 32, len(good) // 2, len(good) - 1]:
        yield f"cut to {length} bytes", good[:length]
    yield "one byte too long", good + b"\0"
    for value in (0, 27, len(good) - 1, len(good) + 1, 0xffffffff):
        yield f"header says {value} bytes", good[:24] + struct.pack(">I", value) + good[28:]
    for value in (0, 3, 4, 0xffff):
        yield f"first payload says {value} bytes", good[:30] + struct.pack(">H", value) + good[32:]
    yield "unknown critical payload", good[:16] + b"\xc8" + good[17:28] + b"\x21\x80" + good[30:]
    yield "major version 9", good[:17] + b"\x90" + good[18:]
    yield "exchange type 99", good[:18] + b"\x63" + good[19:]
    yield "responder SPI without an SA", good[:8] + b"\x11" * 8 + good[16:]
    yield "SA whose proposal says 255 transforms", good.replace(
        proposal(1, b"", ((1, 20, 256), (2, 5), (4, 31))),
        bytes(bytearray(proposal(1, b"", ((1, 20, 256), (2, 5), (4, 31))))[:7]) + b"\xff" +
        proposal(1, b"", ((1, 20, 256), (2, 5), (4, 31)))[8:])
    head = good[:16]
    body = chain([payload(SA, proposal(1, b"", ((1, 20, 256), (2, 5), (4, 31)))),
                  payload(KE, struct.pack(">HH", 31, 0) + b"\0" * 31), payload(NONCE, b"n" * 32)])
    yield "a short public value", head + bytes([SA, 0x20, 34, 8]) + struct.pack(
        ">II", 0, 28 + len(body)) + body
    body = chain([payload(NONCE, b"n" * 300)] * 40)
    yield "40 nonces", head + bytes([NONCE, 0x20, 34, 8]) + struct.pack(
        ">II", 0, 28 + len(body)) + body


def test_truncated_and_lying_packets_change_nothing(net):
    log = net.gw.log(100000)
    with net.peer() as peer:
        for what, message in lies(peer):
            if len(message) > 0:
                peer.spi_i = message[:8].ljust(8, b"\0")
            peer.send(message)
            wait_until(f"the gateway lives after: {what}", lambda: net.gw.re_pid(), 5)
        while peer.receive(0.2) is not None:  # refusals, at most one for each
            pass
    logged(net, "IKE_MESSAGE_INVALID", log)

    with net.peer() as peer:  # and a decent handshake works as before
        peer.init().auth([NET_THERE], [NET_HERE])
        net.gw.wait_tunnel("test")
        peer.delete()
        wait_until("the tunnel is deleted", lambda: net.gw.sa("test") is None, seen=net.gw.log)


def test_lies_inside_an_encrypted_message_end_at_most_their_own_sa(net):
    with net.peer() as peer:
        peer.init()
        message = bytearray(peer.auth_request([NET_THERE], [NET_HERE]))
        message[-1] ^= 1  # the integrity check fails: dropped, and the SA still waits
        peer.send(bytes(message))
        assert peer.receive(0.3) is None
        peer.auth([NET_THERE], [NET_HERE])
        net.gw.wait_tunnel("test")
        inside = peer.sealed_message(37, [payload(42, b"\x01\x00\xff\xff")])  # 65535 SPIs, none there
        peer.send(inside)
        peer.receive(0.5)
    with net.peer() as peer:
        peer.init().auth([NET_THERE], [NET_HERE])
        net.gw.wait_tunnel("test")
        peer.delete()
        wait_until("the tunnel is deleted", lambda: net.gw.sa("test") is None, seen=net.gw.log)


@pytest.mark.parametrize("line, parts", [
    ("security ike gateway test address 300.1.1.1", ("300.1.1.1",)),
    ("security ike proposal test dh-group group99", ("group99", "group19")),
    ("security ipsec vpn test ike gateway nobody", ("nobody",)),
    ("security ipsec vpn test bind-interface st0", ("st0",)),
    ("security zones security-zone trust host-inbound-traffic system-services telepathy",
     ("telepathy",)),
    ("no such statement", ("no",)),
])
def test_an_error_in_a_configuration_is_told_with_file_line_and_remedy(net, line, parts):
    path = net.gw.dir / "error.conf"
    text = net.gw.text() + f"set {line}\n"
    path.write_text(text)
    done = net.gw.run(*net.gw.checker(), "-f", path, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    for part in ("error.conf", *parts):
        assert part in said, said
    loaded = net.gw.cli("request system configuration load", path, check=False)
    assert loaded.returncode == 1, loaded.stdout
