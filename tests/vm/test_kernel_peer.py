# SPDX-License-Identifier: BSD-2-Clause
"""The Linux kernel's own ESP and AH as the peer: every IP combination, plain and in UDP.

    host-a == gw (spu 0/0 inline, spu 0/1 software) == ESP or AH == peer (kernel 6.1 in a virtual machine)
"""
import pytest

import kernel_peer
from lab.capture import Capture
from lab.wait import wait_until

NEAR, FAR = ("10.1.0.0/24", "fd00:1::/64"), ("10.2.1.1/24", "fd00:2:1::1/64")
FAR_NETS = ["10.2.1.0/24", "fd00:2:1::/64"]
INNER = {4: "10.2.1.1", 6: "fd00:2:1::1"}


@pytest.fixture(scope="module")
def net(shared_lab):
    net = Net(shared_lab)
    net.peer.up()
    return net


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.gw = lab.hawser("gw")
        self.host = lab.host("host-a")
        self.peer = lab.add(kernel_peer.KernelPeer, "peer", FAR)
        lab.link(self.host, self.gw, *NEAR)
        lab.link(self.gw, self.peer, "192.0.2.16/28", "2001:db8:1::/64")
        self.host.default_routes()

    def tunnel(self, proposal, swan, **options):
        """A tunnel with this `security ipsec proposal` of ours and these options of strongSwan's."""
        if self.gw.keeper:
            self.gw.down()
        for name in list(self.gw.vpns):
            self.gw.forget_vpn(name)
        self.lab.tunnel(self.gw, self.peer, "vpn", nets={self.peer: FAR_NETS, self.host: list(NEAR)},
                        establish="on-traffic", swan=swan, **options)
        self.gw.without("security ipsec proposal vpn ")
        self.gw.set(*[f"security ipsec proposal vpn {line}" for line in proposal])
        self.gw.up()
        self.peer.initiate("vpn")
        self.gw.wait_tunnel("vpn", 30)

    def exchange(self, sizes=(0, 56, 500, 1200)):
        """Both families inside, both ways: the host's echo goes out encrypted and comes back so."""
        for address in INNER.values():
            for size in sizes:
                wait_until(f"{size} bytes to {address} and back",
                           lambda: self.host.run("ping", "-c", "3", "-i", "0.05", "-W", "2", "-s", size, address,
                                                 check=False).returncode == 0, 30,
                           seen=lambda: (self.peer.counters(), self.peer.errors(), self.gw.log(20)))


def esp(cipher, swan, integrity=None, esn=False):
    """What both ends are told of a suite of ESP."""
    lines = ["protocol esp", f"encryption-algorithm {cipher}"]
    lines += [f"authentication-algorithm {integrity}"] if integrity else []
    lines += ["extended-sequence-number"] if esn else []
    return lines, dict(esp=f"{swan}-esn" if esn else swan)


def ah(integrity, swan, esn=False):
    lines = ["protocol ah", f"authentication-algorithm {integrity}"] + (["extended-sequence-number"] if esn else [])
    return lines, dict(esp="aes128gcm16", ah=f"{swan}-esn" if esn else swan)


FULL = {  # in each IP combination, plain and in UDP
    "gcm128": esp("aes-128-gcm", "aes128gcm16"),
    "cbc256-sha512": esp("aes-256-cbc", "aes256-sha512", "hmac-sha-512"),
}
OTHERS = {
    "gcm192-esn": esp("aes-192-gcm", "aes192gcm16", esn=True),
    "gcm256": esp("aes-256-gcm", "aes256gcm16"),
    "chacha": esp("chacha20-poly1305", "chacha20poly1305"),
    "cbc128-sha256-esn": esp("aes-128-cbc", "aes128-sha256", "hmac-sha-256-128", esn=True),
    "cbc192-sha384": esp("aes-192-cbc", "aes192-sha384", "hmac-sha-384"),
    "3des-sha1": esp("3des-cbc", "3des-sha1", "hmac-sha1-96"),
    "null-md5": esp("null", "null-md5", "hmac-md5-96"),
    "null-gmac256": esp("null-aes-256-gmac", "aes256gmac"),
}
AH = {
    "sha256": ah("hmac-sha-256-128", "sha256"),
    "sha512-esn": ah("hmac-sha-512", "sha512", esn=True),
    "sha1": ah("hmac-sha1-96", "sha1"),
}


@pytest.mark.parametrize("udp", [False, True], ids=["plain", "udp"])
@pytest.mark.parametrize("outer", [4, 6], ids=["over-v4", "over-v6"])
@pytest.mark.parametrize("suite", FULL)
def test_esp_with_the_kernel(net, suite, outer, udp):
    proposal, swan = FULL[suite]
    net.tunnel(proposal, swan, outer=outer, udp=udp)
    check(net, protocol=17 if udp else 50)


@pytest.mark.parametrize("suite", OTHERS)
def test_another_suite_of_esp_with_the_kernel(net, suite):
    net.tunnel(*OTHERS[suite])
    check(net, protocol=50)


@pytest.mark.parametrize("outer", [4, 6], ids=["over-v4", "over-v6"])
@pytest.mark.parametrize("suite", AH)
def test_ah_with_the_kernel(net, suite, outer):
    proposal, swan = AH[suite]
    net.tunnel(proposal, swan, outer=outer)
    check(net, protocol=51)


def check(net, protocol):
    """Traffic flows, all of it by this protocol, and the kernel found nothing to complain of."""
    with Capture(net.peer, "eth0") as capture:
        net.exchange()
    secured = [p for p in capture.packets() if p.protocol in (17, 50, 51) and (p.protocol != 17 or p.esp)]
    assert len(secured) > 40
    assert {p.protocol for p in secured} == {protocol}
    assert net.peer.errors() == {}
