# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 of every program under traffic: tunnels go on, no IV comes twice, nothing is in the clear.

                                            == ESP in UDP == peer-1 (strongSwan) -- host-b
    host-a -- gw (spu 0/0 inline,          /
                  spu 0/1 software)       <
                                           \\
                                            == ESP in UDP == peer-2 (strongSwan) -- host-c
"""
import random
import signal
import socket
from contextlib import ExitStack

import pytest

from lab.capture import Capture, Packet, repeated_ivs
from lab.first_tunnel import FirstTunnel
from lab.node import alive, kill
from lab.wait import wait_until

# Longest silence that a kill may cause: far below what a renegotiation or a dead peer's detection
# takes, far above what sanitizers and a busy machine of two cores make of it. The bench measures.
GAP_MS = {"spu": 2000, "nothing": 1000}


@pytest.fixture(scope="module")
def net(shared_lab):
    return FirstTunnel(shared_lab).up()


class Traffic:
    """Flows both ways through both tunnels, with captures at the peers' ends of their links."""

    def __init__(self, net, pps=500):
        self.net = net
        self.captures = [Capture(peer, "eth0") for peer in net.peers]
        self.flows = [net.lab.flow(*ends, pps=pps) for host in net.far_hosts
                      for ends in ((net.host_a, host), (host, net.host_a))]

    def __enter__(self):
        self._stack = ExitStack()
        for thing in [*self.captures, *self.flows]:
            self._stack.enter_context(thing)
        self.go_on(100)
        return self

    def __exit__(self, *exc):
        self._stack.__exit__(*exc)

    def go_on(self, packets, timeout_s=20):
        """Waits until each flow has carried so many more."""
        for flow in self.flows:
            flow.wait_arrived(packets, timeout_s)

    def check(self, lost=None, gap_ms=None, sent_again=False):
        """What holds after every kill; lost: at most so many per flow."""
        said = "\n".join(map(str, self.flows))
        for flow in self.flows:
            assert flow.duplicated == 0 and flow.corrupt == 0, said
            if lost is not None:
                assert flow.lost_count <= lost, said
            if gap_ms is not None:
                assert flow.longest_gap_ms <= gap_ms, said
        for capture in self.captures:
            assert capture.dropped == 0
            assert len(capture.esp()) > 200, "the capture saw no ESP: it proves nothing"
            for flow in self.flows:
                assert capture.in_the_clear(flow) == []
        by_gateway = {self.net.gw.interfaces[n].ip() for n in (1, 2)}
        assert repeated_ivs(*self.captures, source=by_gateway if sent_again else None) == []


def send_again(net, capture):
    """Everything that a peer sent, once more, from where it was sent; how many frames."""
    peer, gateway = capture.node, capture.node.interfaces[0].other
    mac = bytes.fromhex(gateway.node.mac(gateway.name).replace(":", ""))
    frames = [frame for _at, frame in capture.frames()
              if frame[:6] == mac and (p := Packet.of(0, frame)) and p.esp]
    with peer.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((capture.interface, 0))
        for frame in frames:
            raw.send(frame)
    return len(frames)


def spu_slots(net):
    return {(spu["fpc"], spu["pic"]) for spu in net.gw.spus()
            if spu["state"].lower() in ("online", "active", "up")}


def test_the_routing_engine_is_killed_and_traffic_does_not_notice(net):
    spis, old, spus = net.spis(), net.gw.re_pid(), set(net.gw.hawser_pids("hawser-spu"))
    with Traffic(net) as traffic:
        kill(old, wait_s=5)
        wait_until("another routing engine answers",
                   lambda: net.gw.re_pid() not in (None, old) and net.spis() == spis,
                   20, seen=net.gw.log)
        traffic.go_on(200)
    traffic.check(lost=0, gap_ms=GAP_MS["nothing"])
    assert set(net.gw.hawser_pids("hawser-spu")) == spus, "the SPUs were restarted"

    # The new one knows the IKE SAs: a peer's delete is understood and answered.
    assert len(net.gw.show("security ike security-associations")["sa"]) == 2
    net.peers[1].terminate("vpn-2")
    wait_until("vpn-2 is gone", lambda: net.gw.sa("vpn-2") is None, seen=net.gw.log)
    net.peers[1].initiate("vpn-2")
    net.gw.wait_tunnel("vpn-2")


@pytest.mark.parametrize("pic", [0, 1], ids=["inline", "software"])
def test_an_spu_is_killed_and_its_stand_in_goes_on(net, pic):
    net.gw.wait_ready()
    net.one_tunnel_per_spu()
    spis, old = net.spis(), net.gw.spu_pid(0, pic)
    with Traffic(net) as traffic:
        kill(old)
        traffic.go_on(200)
        wait_until("the SPU is back", lambda: net.gw.spu_pid(0, pic) not in (None, 0, old)
                   and (0, pic) in spu_slots(net), 20, seen=net.gw.log)
        traffic.go_on(200)
        before = net.gw.dropped("replayed or too old")
        again = sum(send_again(net, capture) for capture in traffic.captures)
        traffic.go_on(200)
        assert again > 200
        wait_until("everything that was sent again is dropped as replayed",
                   lambda: net.gw.dropped("replayed or too old") >= before + again,
                   seen=lambda: (again, before, net.gw.drops()[1]))
    traffic.check(gap_ms=GAP_MS["spu"], sent_again=True)
    assert net.spis() == spis, "a tunnel was renegotiated"


def test_the_keeper_is_killed_and_everything_goes_on_without_it(net):
    spis = net.spis()
    others = set(net.gw.hawser_pids("hawser-re", "hawser-spu"))
    with Traffic(net) as traffic:
        net.gw.keeper.kill()
        net.gw.keeper.wait(5)
        traffic.go_on(200)
        assert set(net.gw.hawser_pids("hawser-re", "hawser-spu")) == others
        net.gw.start_keeper()
        net.gw.wait_ready()
        traffic.go_on(200)
    traffic.check(lost=0, gap_ms=GAP_MS["nothing"])
    assert net.spis() == spis
    assert set(net.gw.hawser_pids("hawser-re", "hawser-spu")) == others

    # The new keeper watches what the old one started.
    old = net.gw.spu_pid(0, 1)
    kill(old, wait_s=5)
    wait_until("the SPU is started again", lambda: net.gw.spu_pid(0, 1) not in (None, 0, old)
               and len(spu_slots(net)) == 2, 20, seen=net.gw.log)


def test_the_keeper_goes_alone_when_asked(net):
    spis, others = net.spis(), set(net.gw.hawser_pids("hawser-re", "hawser-spu"))
    with Traffic(net) as traffic:
        net.gw.keeper.send_signal(signal.SIGUSR2)
        assert net.gw.keeper.wait(10) == 0
        traffic.go_on(100)
        net.gw.start_keeper()
        net.gw.wait_ready()
        traffic.go_on(100)
    traffic.check(lost=0, gap_ms=GAP_MS["nothing"])
    assert net.spis() == spis
    assert set(net.gw.hawser_pids("hawser-re", "hawser-spu")) == others


def test_all_are_killed_at_once_and_the_tunnels_come_back_by_themselves(net):
    spis, old = net.spis(), set(net.gw.hawser_pids())
    with Traffic(net) as traffic:
        net.gw.kill_all()
        net.gw.start_keeper()
        net.gw.wait_ready(40)
        traffic.go_on(200, timeout_s=40)
    assert not any(alive(pid) for pid in old)
    traffic.check()
    assert net.spis() == spis, "a tunnel was renegotiated although the run-time table was there"


def test_a_lost_run_time_table_means_new_tunnels_and_never_an_old_iv(net):
    with Traffic(net) as traffic:
        net.gw.kill_all()
        net.gw.lose_run_time_table()
        net.gw.start_keeper()
        net.gw.wait_ready(40)
        net.gw.wait_tunnel("vpn-1", 40)
        net.peers[1].initiate("vpn-2", check=False)
        net.gw.wait_tunnel("vpn-2", 40)
        traffic.go_on(100, timeout_s=40)
    traffic.check()


def test_twenty_kills_at_random(net):
    """Whatever is killed, in any order: the tunnels stay, and the rules hold."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    spis = net.spis()
    with Traffic(net) as traffic:
        for _ in range(20):
            what = dice.choice(["hawserd", "hawser-re", "hawser-spu", "hawser-spu"])
            if what == "hawserd":
                # By its handle: one that was just started may not be the program yet.
                net.gw.keeper.kill()
                net.gw.keeper.wait(5)
                net.gw.start_keeper()
            elif pids := net.gw.hawser_pids(what):
                kill(dice.choice(list(pids)))
            if dice.random() < 0.5:
                traffic.go_on(dice.randrange(1, 100), timeout_s=60)
        net.gw.wait_ready(60)
        wait_until("both tunnels are there", lambda: net.spis() == spis, 30,
                   seen=lambda: (spis, net.spis(), net.gw.log(60)))
        traffic.go_on(200, timeout_s=60)
    traffic.check()


def test_nothing_leaves_in_the_clear_while_the_gateway_ends(net):
    with Traffic(net) as traffic:
        assert net.gw.down() == 0
        assert "st0" not in net.gw.run("ip", "-br", "link").stdout
    traffic.check()
    assert net.host_a.ping(net.host_b.interfaces[0].ip()) == 0
    for peer in net.peers:
        assert peer.sas() == [], f"{peer.name} was not told"
