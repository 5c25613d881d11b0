# SPDX-License-Identifier: BSD-2-Clause
"""Rekeying with strongSwan under traffic, both roles, children and IKE SAs.

    host-a -- gw (Hawser) == ESP in UDP == peer-1, peer-2 (strongSwan) -- host-b, host-c

Hawser initiated vpn-1, peer-2 initiated vpn-2.
"""
import pytest

from lab.first_tunnel import VPNS, FirstTunnel
from lab.wait import wait_until


@pytest.fixture(scope="module")
def net(shared_lab):
    net = FirstTunnel(shared_lab).up()
    net.one_tunnel_per_spu()
    return net


def entries(net, number):
    return [sa for sa in net.gw.sas() if sa["vpn-name"] == VPNS[number]]


def spis(net, number):
    return {sa["inbound"]["spi"] for sa in entries(net, number) if sa["state"] == "installed"}


def ike_index(net, number):
    return next(sa["ike-index"] for sa in entries(net, number) if sa["state"] == "installed")


def ours_child(net, number):
    index = entries(net, number)[0]["tunnel-index"]
    net.gw.request(f"security ipsec rekey index {index}")


def ours_ike(net, number):
    net.gw.request(f"security ike rekey index {ike_index(net, number)}")


def theirs_child(net, number):
    net.peers[number].rekey(VPNS[number])


def theirs_ike(net, number):
    net.peers[number].rekey_ike(VPNS[number])


def both_children(net, number):
    ours_child(net, number)
    theirs_child(net, number)


@pytest.mark.parametrize("number", [0, 1], ids=["initiator", "responder"])
def test_035_043_rekeys_lose_no_packet(net, number):
    """Each side rekeys the child, then the IKE SA; then both rekey the child."""
    host = net.far_hosts[number]
    with net.lab.flow(net.host_a, host, pps=500) as there, \
            net.lab.flow(host, net.host_a, pps=500) as back:
        for rekey in (ours_child, theirs_child, ours_ike, theirs_ike, both_children):
            before, ike_before = spis(net, number), ike_index(net, number)
            rekey(net, number)
            if rekey in (ours_ike, theirs_ike):
                wait_until("another IKE SA has the child",
                           lambda: ike_index(net, number) != ike_before)
                assert spis(net, number) == before
            else:
                wait_until("one new pair is left",
                           lambda: len(entries(net, number)) == 1 and
                           not spis(net, number) & before)
            there.wait_arrived(200)
            back.wait_arrived(200)
    for stream in (there, back):
        assert stream.lost == [] and stream.duplicated == 0 and stream.corrupt == 0, str(stream)
    wait_until("one IKE SA is left at the peer",
               lambda: len([sa for sa in net.peers[number].sas()
                            if sa["state"] == "ESTABLISHED"]) == 1)
