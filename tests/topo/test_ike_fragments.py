# SPDX-License-Identifier: BSD-2-Clause
"""IKE messages in fragments (RFC 7383) with strongSwan, both ways, over both families.

    host-a -- gw == small (IPv4, Hawser initiates, default size)    == peer-1 (strongSwan, 400) -- host-b
                 == six   (IPv6, strongSwan initiates, size is 500) == peer-2 (strongSwan, 600) -- host-c

Identities of 250 octets make IKE_AUTH too long for one packet, request and answer.
"""
import pytest

from lab.capture import Capture
from lab.wait import wait_until

SA_INIT, AUTH, SKF = 34, 35, 53
LIMIT = {"small": (576, 400), "six": (500, 600)}  # of the gateway's packets, of the peer's


def name(letter):
    return ".".join([letter * 62] * 4)


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.gw, self.host = lab.hawser("gw", offload=["software"]), lab.host("host-a")
        lab.link(self.host, self.gw, "10.1.0.0/24")
        self.peers, self.far = {}, {}
        for n, vpn in enumerate(LIMIT, start=1):
            peer = lab.strongswan(f"peer-{n}", extra=f"fragment_size = {LIMIT[vpn][1]}")
            self.peers[vpn], self.far[vpn] = peer, lab.host(f"host-{'abc'[n]}")
            lab.link(self.gw, peer, f"192.0.2.{n * 16}/28", f"2001:db8:{n}::/64")
            lab.link(self.far[vpn], peer, f"10.2.{n}.0/24")
            self.far[vpn].default_routes()
            lab.tunnel(self.gw, peer, vpn, inner=(4,), outer=6 if vpn == "six" else 4, udp=True,
                       establish="immediately" if vpn == "small" else "on-traffic",
                       swan=self.identities(n))
            self.gw.set(f"security ike gateway {vpn} local-identity hostname {name('g')}",
                        f"security ike gateway {vpn} remote-identity hostname {name(str(n))}")
        self.gw.set("security ike gateway six fragmentation size 500")
        self.host.default_routes()
        for peer in self.peers.values():
            peer.up()

    @staticmethod
    def identities(n):
        return dict(local_id=name(str(n)), remote_id=name("g"))

    def capture(self, vpn):
        peer = self.peers[vpn]
        side = next(i for i in peer.interfaces if i.other.node is self.gw)
        return Capture(peer, side.name, "udp port 500 or udp port 4500 or ip6[6] = 44")


def messages(capture, exchange):
    """(packet, whether it is a fragment), by who sent it: the gateway has the lower address."""
    found = {True: [], False: []}
    for packet in capture.packets():
        if packet.ike and packet.ike[18] == exchange:
            found[packet.source < packet.target].append((packet, packet.ike[16] == SKF))
    return found[True], found[False]


def assert_whole_init(capture):
    for sent in messages(capture, SA_INIT):
        assert sent and not any(fragment for _packet, fragment in sent)


def assert_fragments(capture, limits):
    assert_whole_init(capture)
    for sent, limit in zip(messages(capture, AUTH), limits):
        assert len(sent) > 1 and all(fragment for _packet, fragment in sent), sent
        assert max(packet.length for packet, _fragment in sent) <= limit
    assert all(p.length <= max(limits) for p in capture.packets() if p.ike)


@pytest.fixture(scope="module")
def net(shared_lab):
    net = Net(shared_lab)
    net.captures = {vpn: net.capture(vpn).start() for vpn in LIMIT}
    net.gw.up()
    net.peers["six"].initiate("six")
    for vpn in LIMIT:
        net.gw.wait_tunnel(vpn)
        net.captures[vpn].stop()
    return net


def ike_sa(net, vpn):
    return next(sa for sa in net.gw.show("security ike security-associations detail")["sa"]
                if sa["gateway"] == vpn and sa["state"] == "UP")


@pytest.mark.parametrize("vpn", LIMIT)
def test_053_no_packet_is_larger_than_its_sender_s_size(net, vpn):
    assert_fragments(net.captures[vpn], LIMIT[vpn])
    sa = ike_sa(net, vpn)
    assert sa["fragmentation"] and sa["fragment-size-bytes"] == LIMIT[vpn][0]
    assert sa["input-fragments"] > 1 and sa["output-fragments"] > 1
    assert sa["reassembled-messages"] >= 1
    assert net.host.ping(f"10.2.{list(LIMIT).index(vpn) + 1}.1") == 1


def test_054_a_peer_that_does_not_fragment_gets_no_fragments(net):
    peer = net.peers["small"]
    old = net.gw.sa("small")["inbound"]["spi"]
    mine = next(i for i in peer.interfaces if i.other.node is net.gw)
    with net.capture("small") as capture:
        peer.connection("small", mine.ip(4), mine.other.ip(4), "a secret for the lab",
                        ["10.2.1.0/24"], ["10.1.0.0/24", "10.250.1.0/30"], encap=True,
                        ike="aes256gcm16-prfsha256-x25519", fragmentation="no",
                        **net.identities(1))
        peer.terminate("small")
        wait_until("the tunnel is new", lambda: (sa := net.gw.sa("small")) and
                   sa["inbound"]["spi"] != old, 20, seen=net.gw.log)
    assert_whole_init(capture)
    for sent in messages(capture, AUTH):
        assert sent and not any(fragment for _packet, fragment in sent)
    assert not ike_sa(net, "small")["fragmentation"]
    assert net.host.ping("10.2.1.1") == 1
