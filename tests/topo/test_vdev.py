# SPDX-License-Identifier: BSD-2-Clause
"""An SPU whose port is one of DPDK's own drivers, without crypto: nothing above the port is another.

                                            == ESP in UDP == peer-1 (strongSwan) -- host-b
    host-a -- gw (spu 0/0 net_af_packet,    /
                  spu 0/1 emulated NIC)    <
                                           \\
                                            == ESP in UDP == peer-2 (strongSwan) -- host-c
"""
from contextlib import ExitStack

import pytest

from lab.demo import balance
from lab.first_tunnel import VPNS, FirstTunnel
from lab.hawser import HawserError
from lab.node import kill
from lab.wait import wait_until

PORT = "chassis fpc 0 pic 0 port"


@pytest.fixture(scope="module")
def net(shared_lab):
    net = FirstTunnel(shared_lab, offload=("vdev", "software")).up()
    net.one_tunnel_per_spu()
    return net


def spu(net):
    return net.gw.spus()[0]


def carry(net, host, version=4):
    flows = [net.lab.flow(*ends, version=version, pps=500, count=300)
             for ends in ((net.host_a, host), (host, net.host_a))]
    with ExitStack() as stack:
        for flow in flows:
            stack.enter_context(flow)
        for flow in flows:
            flow.wait_sent()
    for flow in flows:
        assert flow.lost == [] and flow.duplicated == 0 and flow.corrupt == 0, \
            f"{flow}, {net.gw.drops()}"


def assert_balance(net):
    def equal():
        said, _drops = net.gw.drops()
        left, right = balance(said)
        return left == right and said["held"] == 0
    wait_until("in + made = out + drops + merged + consumed", equal, 10, seen=net.gw.drops)


@pytest.mark.parametrize("version", [4, 6])
def test_traffic_flows_both_ways_and_is_counted_once(net, version):
    before = spu(net)
    assert before["port"] == "vdev" and before["vdev"] == "net_af_packet0"
    assert before["offload"] == "software" and before["profile"] == "none"
    carry(net, net.host_b, version)
    after = spu(net)
    assert after["decrypted"] - before["decrypted"] >= 300
    assert after["encrypted"] - before["encrypted"] >= 300
    assert after["sas-inline"] == 0 and net.engines(VPNS[0]) == ("software", "software")
    assert_balance(net)


def test_an_idle_spu_sleeps(net):
    wait_until("it is idle", lambda: spu(net)["cpu-percent"] < 5, 10, seen=lambda: spu(net))


def test_after_a_kill_it_serves_again(net):
    with net.lab.flow(net.host_a, net.host_b) as there, net.lab.flow(net.host_b, net.host_a) as back:
        there.wait_arrived(200)
        old = net.gw.spu_pid(0, 0)
        kill(old)
        there.wait_arrived(200)
        wait_until("the SPU is back", lambda: net.gw.spu_pid(0, 0) not in (None, 0, old), 20,
                   seen=net.gw.log)
        net.gw.wait_ready()
        there.wait_arrived(200)
        back.wait_arrived(200)
    assert there.duplicated == 0 and back.duplicated == 0
    net.one_tunnel_per_spu()
    carry(net, net.host_b)
    assert_balance(net)


@pytest.mark.parametrize("lines,says", [
    (["vdev net_tap0"], "expected one of: net_af_packetN"),
    (["vdev net_af_packet0,iface=eth0"], "expected iface=wire-0-0p"),
    (["vdev net_af_packet0", "offload inline"], "port vdev has no crypto"),
    (["vdev net_af_packet0", "profile 82599"], "has no profile"),
])
def test_what_cannot_be_is_refused(net, lines, says):
    text = net.gw.text().replace(f"set {PORT} vdev net_af_packet0\n", f"set {PORT} {lines[0]}\n")
    for line in lines[1:]:
        text += f"set chassis fpc 0 pic 0 {line}\n"
    with pytest.raises(HawserError, match=says):
        net.gw.reload(text)
    assert spu(net)["vdev"] == "net_af_packet0"


def test_the_port_changes_under_way_and_back(net):
    text, old = net.gw.text(), net.gw.spu_pid(0, 0)
    for other, port in ((text.replace("vdev net_af_packet0", "emulated"), "emulated"),
                        (text.replace("net_af_packet0", "net_af_packet0,iface=wire-0-0p"), "vdev")):
        with net.lab.flow(net.host_a, net.host_b, pps=200) as flow:
            flow.wait_arrived(20)
            net.gw.reload(other)
            wait_until(f"a port {port} serves", lambda: net.gw.spu_pid(0, 0) not in (None, 0, old)
                       and spu(net)["state"] == "active", 30, seen=net.gw.log)
            old = net.gw.spu_pid(0, 0)
            assert spu(net)["port"] == port
            net.one_tunnel_per_spu()
            flow.wait_arrived(20)
        assert flow.lost == [] and flow.duplicated == 0, f"{flow}, {net.gw.drops()}"
        carry(net, net.host_b)
    assert_balance(net)
