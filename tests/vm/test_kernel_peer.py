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

    def tunnel(self, **options):
        if self.gw.keeper:
            self.gw.down()
        for name in list(self.gw.vpns):
            self.gw.forget_vpn(name)
        swan = options.pop("swan", {})
        self.lab.tunnel(self.gw, self.peer, "vpn", nets={self.peer: FAR_NETS, self.host: list(NEAR)},
                        establish="on-traffic", swan=swan, **options)
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


SUITES = {
    "gcm128": dict(esp="aes-128-gcm"),
    "gcm256": dict(esp="aes-256-gcm"),
}


@pytest.mark.parametrize("udp", [False, True], ids=["plain", "udp"])
@pytest.mark.parametrize("outer", [4, 6], ids=["over-v4", "over-v6"])
@pytest.mark.parametrize("suite", SUITES)
def test_esp_with_the_kernel(net, suite, outer, udp):
    net.tunnel(outer=outer, udp=udp, **SUITES[suite])
    with Capture(net.peer, "eth0") as capture:
        net.exchange()
    assert len(capture.esp()) > 40
    assert not [p for p in capture.esp() if (p.protocol == 17) != udp]
    assert net.peer.errors() == {}
