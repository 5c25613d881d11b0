# SPDX-License-Identifier: BSD-2-Clause
"""Every packet is accounted for: in + made = out + drops by reason + merged + consumed + held.

The first tests look at one gateway's own sum; the last compare with numbered packets outside.

                                            == ESP in UDP == peer-1 (strongSwan) -- host-b
    host-a -- gw (spu 0/0, spu 0/1)       <
                                            == ESP in UDP == peer-2 (strongSwan) -- host-c

    host-a -- west (2 SPUs) == plain ESP == east (2 SPUs) -- host-b
"""
import pytest

from lab.bench import line
from lab.demo import balance
from lab.first_tunnel import VPNS, FirstTunnel
from lab.node import kill
from lab.topo import Lab
from lab.wait import wait_until


@pytest.fixture(scope="module")
def net(shared_lab):
    net = FirstTunnel(shared_lab).up()
    net.one_tunnel_per_spu()
    return net


def assert_balance(net, held=0):
    """Once nothing is under way any more, both sides are equal, and nothing is held but what a
    killed SPU had."""
    def equal():
        said, _drops = net.gw.drops()
        left, right = balance(said)
        return left == right and said["held"] == held
    wait_until(f"in + made = out + drops + merged + consumed + held, held = {held}", equal, 10,
               seen=lambda: net.gw.drops())


def carried(net, before):
    """What the gateway counted more than before: in, out, and drops by reason."""
    said, drops = net.gw.drops()
    return (said["in"] - before[0]["in"], said["out"] - before[0]["out"],
            {why: n - before[1].get(why, 0) for why, n in drops.items()
             if n != before[1].get(why, 0)})


def test_what_went_through_is_counted_once(net):
    before = net.gw.drops()
    with net.lab.flow(net.host_a, net.host_b, count=1000) as flow:
        flow.wait_sent()
    assert flow.lost == [], f"{flow}; {carried(net, before)}"
    assert_balance(net)
    came, went, _drops = carried(net, before)
    assert came >= 1000 and went >= 1000, (came, went)


def test_overload_is_accounted_for_by_named_reasons(net):
    before = net.gw.drops()
    with net.lab.flow(net.host_a, net.host_b, pps=400000, size=64, flows=4, duration=2) as flow, \
            net.lab.flow(net.host_b, net.host_a, pps=50000, size=64, duration=2) as back:
        flow.wait_sent()
        back.wait_sent()
    assert_balance(net)
    came, _went, drops = carried(net, before)
    print(flow, back, drops, sep="\n")
    assert came >= flow.sent, f"{flow}; the gateway counted {came}"
    if flow.lost_count > 1000:  # what strongSwan lost is not ours; what we lost has a name
        assert all(why != "none" for why, _where in drops), drops


def test_what_the_kernel_answers_is_counted_too(net):
    """No route: the kernel says so, and the sum is right all the same."""
    said = net.host_a.run("ping", "-n", "-c", "1", "-W", "1", "203.0.113.9", check=False).stdout
    assert "Unreachable" in said, said
    assert_balance(net)


@pytest.mark.parametrize("pic", [0, 1])
def test_what_a_killed_spu_held_is_counted(net, pic):
    net.gw.wait_ready()
    net.one_tunnel_per_spu()
    host, old = net.far_hosts[pic], net.gw.spu_pid(0, pic)
    with net.lab.flow(net.host_a, host, pps=20000, flows=2) as flow:
        flow.wait_arrived(2000)
        kill(old)
        flow.wait_arrived(2000)
        wait_until("the SPU is back", lambda: net.gw.spu_pid(0, pic) not in (None, 0, old), 20,
                   seen=net.gw.log)
        net.gw.wait_ready()
    assert_balance(net)
    assert flow.duplicated == 0, str(flow)
    assert net.gw.sa(VPNS[pic]) is not None


# What the kernels say among themselves meanwhile, and nobody sent through the tunnel.
NOISE = ("bad fabric header", "host-inbound service not allowed", "no route")


class Pair:
    """Two gateways, so that nobody else can lose a packet; what each dropped, by reason."""

    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.gateways = line(lab, lab.hawser)
        lab.tunnel(*self.gateways)
        for gateway in reversed(self.gateways):
            gateway.up()
        for gateway in self.gateways:
            gateway.wait_tunnel("vpn")

    def wait_quiet(self):
        """Nothing is inside, and the sums do not move."""
        last = [None]

        def quiet():
            before, last[0] = last[0], [gateway.drops() for gateway in self.gateways]
            return before == last[0] and all(said["held"] == 0 for said, _drops in last[0])
        wait_until("both gateways are empty", quiet, 10, every_s=0.3, seen=lambda: last)

    def dropped(self):
        return {(gateway.name, *key): n for gateway in self.gateways
                for key, n in gateway.drops()[1].items() if key[0] not in NOISE}


@pytest.fixture(scope="module")
def pair():
    with Lab() as lab:
        yield Pair(lab)


def dropped_since(pair, before):
    pair.wait_quiet()
    return {key: n - before.get(key, 0) for key, n in pair.dropped().items()
            if n != before.get(key, 0)}


@pytest.mark.parametrize("pps", [20000, 100000, 400000])
def test_each_lost_packet_is_counted_under_a_reason_and_nothing_else_is(pair, pps):
    before = pair.dropped()
    with pair.lab.flow(pair.a, pair.b, pps=pps, size=64, flows=4, duration=2) as flow:
        flow.wait_sent()
    drops = dropped_since(pair, before)
    lost = flow.lost_count - flow.received_report["queue-drops"]
    assert lost == sum(drops.values()), f"{flow}; {drops}"


@pytest.mark.parametrize("number", [0, 1], ids=["encrypting", "decrypting"])
def test_each_packet_that_a_killed_spu_costs_is_counted(pair, number):
    gateway, before = pair.gateways[number], pair.dropped()
    with pair.lab.flow(pair.a, pair.b, pps=20000, flows=2) as flow:
        flow.wait_arrived(4000)
        sa = gateway.sa("vpn")
        old = gateway.spu_pid(sa["fpc"], sa["pic"])
        kill(old)
        flow.wait_arrived(4000)
        wait_until("the SPU is back", lambda: gateway.spu_pid(sa["fpc"], sa["pic"]) not in
                   (None, old), 20, seen=gateway.log)
        gateway.wait_ready()
        flow.wait_arrived(1000)
    drops = dropped_since(pair, before)
    lost = flow.lost_count - flow.received_report["queue-drops"]
    assert lost == sum(drops.values()), f"{flow}; {drops}"
    assert flow.duplicated == 0, str(flow)
