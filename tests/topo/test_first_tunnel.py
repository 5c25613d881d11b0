# SPDX-License-Identifier: BSD-2-Clause
"""The first tunnel: strongSwan as responder and as initiator, both engines, both families.

                                            == ESP in UDP == peer-1 (strongSwan) -- host-b
    host-a -- gw (spu 0/0 inline,          /
                  spu 0/1 software)       <
                                           \\
                                            == ESP in UDP == peer-2 (strongSwan) -- host-c

Hawser initiates vpn-1, peer-2 initiates vpn-2; vpn-1 is anchored on SPU 0/0, vpn-2 on 0/1.
"""
import pytest

from lab.bench import TICK, cpu_ticks
from lab.first_tunnel import VPNS, FirstTunnel
from lab.hawser import HawserError
from lab.wait import wait_until


@pytest.fixture(scope="module")
def net(shared_lab):
    net = FirstTunnel(shared_lab).up()
    net.one_tunnel_per_spu()
    return net


def assert_whole(*streams):
    for stream in streams:
        assert stream.lost == [] and stream.duplicated == 0 and stream.corrupt == 0, str(stream)


@pytest.mark.parametrize("number", [0, 1], ids=["responder", "initiator"])
def test_strongswan_as(net, number):
    """As responder (Hawser initiated vpn-1) and as initiator (of vpn-2)."""
    sa = next(sa for sa in net.peers[number].sas() if sa["state"] == "ESTABLISHED")
    assert (sa.get("initiator") == "yes") == (number == 1)

    host = net.far_hosts[number]
    for version in (4, 6):
        with net.lab.flow(net.host_a, host, version=version) as there, \
                net.lab.flow(host, net.host_a, version=version) as back:
            there.wait_arrived(300)
            back.wait_arrived(300)
        assert_whole(there, back)


def test_each_spu_and_each_engine_carried_its_tunnel(net):
    for pic, (vpn, engine) in enumerate(zip(VPNS, ("inline", "software"))):
        host = net.far_hosts[pic]
        wait_until(f"{vpn} is {engine}", lambda: net.engines(vpn) == (engine,) * 2)
        before, spu_before = net.gw.sa(vpn), net.gw.spus()[pic]
        with net.lab.flow(net.host_a, host, count=500) as there, \
                net.lab.flow(host, net.host_a, count=500) as back:
            there.wait_sent()
            back.wait_sent()
        assert_whole(there, back)
        after, spu_after = net.gw.sa(vpn), net.gw.spus()[pic]
        for way in ("inbound", "outbound"):
            assert after[way]["packets"] - before[way]["packets"] >= 500, (before, after)
            assert after[way]["engine"] == engine
        for counter in ("packets-in", "packets-out"):
            assert spu_after[counter] - spu_before[counter] >= 500, (spu_before, spu_after)


@pytest.mark.parametrize("version", [4, 6])
def test_a_tcp_stream_arrives_whole_both_ways(net, version):
    for host in net.far_hosts:
        for ends in ((net.host_a, host), (host, net.host_a)):
            with net.lab.tcp(*ends, version=version, duration=1) as stream:
                pass
            assert stream.whole, str(stream)


def test_the_gateway_itself_talks_tcp_through_its_tunnel(net):
    with net.lab.tcp(net.gw, net.host_b, duration=1) as stream:
        pass
    assert stream.whole, str(stream)
    with net.lab.tcp(net.host_b, net.gw, to=net.st0_address(0), duration=1) as stream:
        pass
    assert stream.whole, str(stream)


def test_an_sa_moves_between_engines_and_loses_nothing(net):
    index = net.gw.sa(VPNS[0])["tunnel-index"]
    with net.lab.flow(net.host_a, net.host_b, pps=1000) as there, \
            net.lab.flow(net.host_b, net.host_a, pps=1000) as back:
        for engine in ("software", "inline", "software", "automatic"):
            net.gw.request(f"security ipsec offload index {index} engine {engine}")
            wanted = ("inline" if engine == "automatic" else engine,) * 2
            wait_until(f"the SA is {wanted}", lambda: net.engines(VPNS[0]) == wanted)
            there.wait_arrived(400)
            back.wait_arrived(400)
    assert_whole(there, back)


def test_an_anchor_moves_between_spus_and_loses_nothing_and_keeps_order(net):
    anchor = net.gw.sa(VPNS[0])["anchor"]
    with net.lab.flow(net.host_a, net.host_b, pps=1000) as there, \
            net.lab.flow(net.host_b, net.host_a, pps=1000) as back:
        for pic in (1, 0, 1, 0):
            net.gw.request(f"chassis anchor {anchor} fpc-slot 0 pic-slot {pic}")
            wait_until(f"vpn-1 is on SPU 0/{pic}", lambda: net.gw.sa(VPNS[0])["pic"] == pic)
            there.wait_arrived(400)
            back.wait_arrived(400)
    assert_whole(there, back)


def test_an_idle_gateway_sleeps(net):
    """Also after a change at an interface, which the routing engine looks at."""
    net.gw.run("ip", "link", "set", "eth0", "promisc", "on")
    net.gw.run("ip", "link", "set", "eth0", "promisc", "off")
    pids = {pid: words[0].split("/")[-1] for pid, words in net.gw.hawser_pids().items()}
    assert len(pids) == 4
    with net.lab.flow(net.host_a, net.host_b, pps=1, duration=6) as clock:  # measures the time
        clock.wait_arrived(3)
        before = {pid: cpu_ticks(pid) for pid in pids}
        clock.wait_sent()
    percent = {f"{name} {pid}": (cpu_ticks(pid) - before[pid]) / TICK / 3 * 100
               for pid, name in pids.items()}
    assert max(percent.values()) < 3, percent


def test_a_configuration_with_an_error_changes_nothing(net):
    bad = net.gw.dir / "bad.conf"
    bad.write_text(net.gw.text() + "set security ike gateway vpn-1 dead-peer-detection "
                   "interval 70000\n")
    spis = net.spis()
    with net.lab.flow(net.host_a, net.host_b) as flow:
        flow.wait_arrived(100)
        with pytest.raises(HawserError) as refusal:
            net.gw.request(f"system configuration load {bad}")
        flow.wait_arrived(100)
    said = str(refusal.value)
    for part in ("bad.conf", "dead-peer-detection interval", "70000"):
        assert part in said, said
    assert_whole(flow)
    assert net.spis() == spis


def test_the_same_configuration_again_disturbs_nothing(net):
    spis = net.spis()
    with net.lab.flow(net.host_a, net.host_b) as flow:
        flow.wait_arrived(100)
        net.gw.request(f"system configuration load {net.gw.config}")
        flow.wait_arrived(300)
    assert_whole(flow)
    assert net.spis() == spis


def test_commands_answer_in_tables_and_in_json(net):
    for words, key in (("security ike security-associations", "sa"),
                       ("security ipsec security-associations", "sa"),
                       ("chassis spu", "spu"), ("security flow drops", "drop")):
        assert isinstance(net.gw.show(words)[key], list)
        assert net.gw.cli("show", words).stdout.strip()
    assert net.gw.cli("show security ike security-associations detail").stdout.count("UP") == 2
    assert "vpn-1" in net.gw.cli("show configuration | display set").stdout
    assert "a secret for the lab" not in net.gw.cli("show configuration").stdout
    assert net.gw.cli("show securty", check=False).returncode == 2


def test_a_cleared_tunnel_is_gone_at_the_peer_and_comes_up_again(net):
    spis = net.spis()
    net.gw.clear("security ike security-associations")
    wait_until("vpn-1 is up with other SPIs",
               lambda: net.gw.sa(VPNS[0]) and net.spis()[0] != spis[0], 20, seen=net.gw.log)
    assert len(net.peers[0].sas()) == 1, "the peer keeps the old IKE SA"
    net.peers[1].initiate(VPNS[1], check=False)
    net.gw.wait_tunnel(VPNS[1])
    for host in net.far_hosts:
        assert net.host_a.ping(host.interfaces[0].ip()) == 1


def test_a_tunnel_that_the_peer_deletes_is_gone_here(net):
    net.peers[1].terminate(VPNS[1])
    wait_until("vpn-2 has no SA", lambda: net.gw.sa(VPNS[1]) is None, seen=net.gw.log)
    assert net.host_a.ping(net.host_b.interfaces[0].ip()) == 1, "vpn-1 was disturbed"
    net.peers[1].initiate(VPNS[1])
    net.gw.wait_tunnel(VPNS[1])
    assert net.host_a.ping(net.host_c.interfaces[0].ip()) == 1


def test_traffic_brings_a_tunnel_up(net):
    """vpn-2 is established on traffic: the first packet is dropped, and starts the negotiation."""
    net.peers[1].terminate(VPNS[1])
    wait_until("vpn-2 has no SA", lambda: net.gw.sa(VPNS[1]) is None, seen=net.gw.log)
    address = net.host_c.interfaces[0].ip()
    wait_until("a ping gets through", lambda: net.host_a.ping(address) == 1, seen=net.gw.log)
    assert [sa["initiator-spi"] for sa in net.peers[1].sas() if "initiator" not in sa], \
        "it was not Hawser who initiated"


def test_a_peer_that_is_dead_is_noticed(net):
    """vpn-2 has dead peer detection; the peer is killed without a word, and comes back."""
    net.peers[1].kill()
    wait_until("vpn-2 has no SA", lambda: net.gw.sa(VPNS[1]) is None, 90, seen=net.gw.log)
    assert "IKE_PEER_DEAD" in net.gw.log(100000)
    assert net.host_a.ping(net.host_b.interfaces[0].ip()) == 1, "vpn-1 was disturbed"
    net.peers[1].up()
    net.peers[1].initiate(VPNS[1])
    net.gw.wait_tunnel(VPNS[1])
    assert net.host_a.ping(net.host_c.interfaces[0].ip()) == 1
