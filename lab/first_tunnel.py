# SPDX-License-Identifier: BSD-2-Clause
"""The topology of the demo, the bench and the first tests: one gateway, two peers, two tunnels.

                                            == ESP in UDP == peer-1 (strongSwan) -- host-b
    host-a -- gw (spu 0/0 inline,          /
                  spu 0/1 software)       <
                                           \\
                                            == ESP in UDP == peer-2 (strongSwan) -- host-c

Hawser initiates the first tunnel, strongSwan the second.
"""
from .wait import wait_until

VPNS = ("vpn-1", "vpn-2")


class FirstTunnel:
    def __init__(self, lab, offload=("inline", "software")):
        self.lab = lab
        self.gw = gw = lab.hawser("gw", offload=offload)
        self.host_a, self.host_b, self.host_c = (lab.host(f"host-{x}") for x in "abc")
        self.peers = [lab.strongswan("peer-1"), lab.strongswan("peer-2")]
        self.far_hosts = [self.host_b, self.host_c]
        lab.link(self.host_a, gw, "10.1.0.0/24", "fd00:1::/64")
        for n, (peer, host) in enumerate(zip(self.peers, self.far_hosts), start=1):
            lab.link(gw, peer, f"192.0.2.{n * 16}/28", f"2001:db8:{n}::/64")
            lab.link(host, peer, f"10.2.{n}.0/24", f"fd00:2:{n}::/64")
            host.default_routes()
        self.host_a.default_routes()
        lab.tunnel(gw, self.peers[0], VPNS[0])
        lab.tunnel(gw, self.peers[1], VPNS[1], establish="on-traffic")
        gw.set(*[f"security ike gateway {VPNS[1]} dead-peer-detection {line}"
                 for line in ("always-send", "interval 2")])

    def start_peers(self):
        for peer in self.peers:
            peer.up()

    def start_tunnels(self):
        """Waits for the first tunnel, initiates the second from its peer.

        An anchor is a hash under a key that the gateway draws when it starts: where both tunnels
        have the same one (once in 256), they cannot be on different SPUs, and it starts again.
        """
        while True:
            self.peers[1].initiate(VPNS[1])
            anchors = {self.gw.wait_tunnel(vpn, 30)["anchor"] for vpn in VPNS}
            if len(anchors) == 2:
                return
            self.gw.down()
            self.gw.up()

    def up(self):
        self.start_peers()
        self.gw.up()
        self.start_tunnels()
        return self

    def one_tunnel_per_spu(self):
        """Moves anchors until the first tunnel is on SPU 0/0 and the second on 0/1."""
        moved = []
        for pic, vpn in enumerate(VPNS):
            sa = self.gw.sa(vpn)
            if (sa["fpc"], sa["pic"]) != (0, pic):
                self.gw.request(f"chassis anchor {sa['anchor']} fpc-slot 0 pic-slot {pic}")
                moved.append((vpn, sa["anchor"], pic))
        for pic, vpn in enumerate(VPNS):
            wait_until(f"{vpn} is on SPU 0/{pic}", lambda: self.gw.sa(vpn)["pic"] == pic)
        return moved

    def spis(self):
        """The SPIs of both tunnels: [(inbound, outbound), ...]; (None, None) where one is down."""
        return [(sa["inbound"]["spi"], sa["outbound"]["spi"]) if (sa := self.gw.sa(vpn))
                else (None, None) for vpn in VPNS]

    def st0_address(self, number, version=4):
        """The gateway's address inside a tunnel."""
        return self.gw.st0_addresses[number][version]

    def engines(self, vpn):
        """(inbound, outbound) engine of a VPN's newest pair."""
        sa = self.gw.sa(vpn)
        return sa["inbound"]["engine"], sa["outbound"]["engine"]
