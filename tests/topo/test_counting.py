# SPDX-License-Identifier: BSD-2-Clause
"""Every packet is accounted for: in + made = out + drops by reason + merged + consumed + held.

                                            == ESP in UDP == peer-1 (strongSwan) -- host-b
    host-a -- gw (spu 0/0, spu 0/1)       <
                                            == ESP in UDP == peer-2 (strongSwan) -- host-c
"""
import pytest

from lab.demo import balance
from lab.first_tunnel import VPNS, FirstTunnel
from lab.node import kill
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
