# SPDX-License-Identifier: BSD-2-Clause
"""What XDP cannot forward, the kernel answers as a router would.

    host-a -- gw (2 SPUs) == ESP in UDP == peer-1 (strongSwan) -- host-b
                          == ESP in UDP == peer-2 (strongSwan) -- host-c
"""
import pytest

from lab.first_tunnel import FirstTunnel
from lab.wait import wait_until

NOT_ALLOWED = "host-inbound service not allowed"


@pytest.fixture(scope="module")
def net(shared_lab):
    return FirstTunnel(shared_lab).up()


def ping_says(node, address, *options):
    done = node.run("ping", "-n", "-c", "1", "-W", "2", *options, address, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", [4, 6])
def test_ttl_1_is_answered_in_both_directions(net, version):
    host_a, host_b = (h.interfaces[0].ip(version) for h in (net.host_a, net.host_b))
    word = "Time to live exceeded" if version == 4 else "Time exceeded"
    said = ping_says(net.host_a, host_b, "-t", "1")  # before it is encrypted
    assert word in said and net.gw.interfaces[0].ip(version) in said, said
    said = ping_says(net.host_b, host_a, "-t", "2")  # after it was decrypted
    assert word in said, said


@pytest.mark.parametrize("version", [4, 6])
def test_too_big_is_answered_with_the_tunnels_mtu(net, version):
    size = 1472 if version == 4 else 1452
    said = ping_says(net.host_a, net.host_b.interfaces[0].ip(version), "-M", "do", "-s", str(size))
    assert "mtu" in said.lower(), said
    mtu = int(said.lower().split("mtu")[1].strip(" =:").split()[0].rstrip(")"))
    assert 1280 <= mtu < 1500, said
    head = 28 if version == 4 else 48
    said = ping_says(net.host_a, net.host_b.interfaces[0].ip(version), "-M", "do",
                     "-s", str(min(mtu, 1400) - head))
    assert "1 received" in said, f"what the gateway said does not fit: {said}"


def forget_neighbours(node):
    for family in ("-4", "-6"):
        node.run("ip", family, "neigh", "flush", "all", check=False)


@pytest.mark.parametrize("version", [4, 6])
def test_the_first_ping_to_an_unresolved_neighbour_gets_through_within_a_second(net, version):
    host_a, host_b = (h.interfaces[0].ip(version) for h in (net.host_a, net.host_b))
    forget_neighbours(net.gw)  # the peer, to which an encrypted packet must go
    assert net.host_a.ping(host_b, timeout_s=1) == 1, "encrypted"
    forget_neighbours(net.gw)  # host-a, to which a decrypted packet must go
    forget_neighbours(net.host_a)
    assert net.host_b.ping(host_a, timeout_s=1) == 1, "decrypted"


def test_a_next_hop_that_changes_its_mac_silently_is_found_again(net):
    for node, interface in ((net.host_a, "eth0"), (net.peers[0], "eth0")):
        with net.lab.flow(net.host_b, net.host_a, pps=200) as back, \
                net.lab.flow(net.host_a, net.host_b, pps=200) as there:
            back.wait_arrived(50)
            there.wait_arrived(50)
            mac = node.mac(interface)
            node.run("ip", "link", "set", interface, "address", other_mac(mac))
            # No peer confirms a neighbour faster than its own timers do: seconds, not minutes.
            back.wait_arrived(50, timeout_s=60)
            there.wait_arrived(50, timeout_s=60)


def other_mac(mac):
    last = int(mac[-2:], 16) ^ 0x55
    return f"{mac[:-2]}{last:02x}"


def test_a_service_that_the_zone_does_not_allow_is_dropped_and_counted(net):
    """untrust allows ike and ping only."""
    assert net.peers[0].ping(net.gw.interfaces[1].ip()) == 1
    before = net.gw.dropped(NOT_ALLOWED)
    with net.lab.flow(net.peers[0], net.gw, to=net.gw.interfaces[1].ip(), count=20) as flow:
        flow.wait_sent()
    assert flow.received == 0
    wait_until("20 drops are counted", lambda: net.gw.dropped(NOT_ALLOWED) == before + 20,
               seen=lambda: net.gw.drops()[1])
