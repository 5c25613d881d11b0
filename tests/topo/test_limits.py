# SPDX-License-Identifier: BSD-2-Clause
"""Where an SA ends: volumes, sequence numbers; and what is counted of it.

    host-a -- west (2 SPUs) == ESP == east (1 SPU) -- host-b     tunnel "kb": ends after 256 kilobytes
"""
import mmap
import os
import signal
import struct

import pytest

from lab.wait import wait_until

KILOBYTES = 256
ENTRY, HEADER, SLOTS = 192, 4096, 65536


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.west, self.east = lab.hawser("west"), lab.hawser("east", offload=["software"])
        self.a, self.b = lab.host("host-a"), lab.host("host-b")
        lab.link(self.a, self.west, "10.1.0.0/24")
        lab.link(self.b, self.east, "10.2.0.0/24")
        lab.link(self.west, self.east, "192.0.2.0/28")
        for host in (self.a, self.b):
            host.default_routes()
        lab.tunnel(self.west, self.east, "kb", inner=(4,))
        self.west.set(f"security ipsec proposal kb lifetime-kilobytes {KILOBYTES}")
        self.east.up()
        self.west.up()
        self.fresh()

    def fresh(self):
        """A pair that has carried nothing yet."""
        old = self.west.sa("kb")
        if old:
            self.west.clear("security ike security-associations")
        wait_until("a fresh pair", lambda: (sa := self.west.sa("kb")) and
                   (old is None or sa["inbound"]["spi"] != old["inbound"]["spi"]) and sa, 20,
                   seen=self.west.log)
        wait_until("it carries", lambda: self.a.ping(self.b.interfaces[0].ip()) == 1, 20,
                   seen=self.west.log)
        return self.west.sa("kb")

    def send(self, count, pps=400):
        """Packets of about 1,000 bytes."""
        with self.lab.flow(self.a, self.b, size=972, pps=pps, count=count) as flow:
            flow.wait_sent()
        return flow

    def east_is_deaf(self):
        return Stopped(self.east.re_pid())


class Stopped:
    """A process that does not run for a while."""
    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


def test_212_what_is_left_of_the_volume_is_shown(net):
    sa = net.fresh()
    before = sa["outbound"]["life-size-kb"]
    assert before <= KILOBYTES and "life-size" not in sa["outbound"]
    assert net.east.sa("kb")["outbound"]["life-size"] == "unlimited"
    net.send(50)
    after = net.west.sa("kb")["outbound"]["life-size-kb"]
    assert 48 <= before - after <= 51
    text = net.west.cli("show security ipsec security-associations detail").stdout
    assert f"Lifesize Remaining: Expires in {after} kilobytes" in text
    assert "Soft lifetime: Expires in" in text and "Hard lifetime: Expires in" in text


def test_151_a_successor_is_made_before_the_volume_ends_and_nothing_is_lost(net):
    old = net.fresh()
    assert net.send(215).lost == []
    with net.lab.flow(net.a, net.b, size=972, pps=20) as flow:  # 26 kilobytes between soft and hard
        wait_until("a new pair", lambda: net.west.sa("kb")["inbound"]["spi"] !=
                   old["inbound"]["spi"], 20, seen=net.west.log)
        flow.wait_arrived(50)
    assert flow.lost == [] and flow.duplicated == 0, str(flow)
    assert net.west.dropped("SA beyond its hard limit") == 0
    assert "IPSEC_SOFT_LIMIT" in net.west.log(1000)


def test_151_the_volume_ends_the_sa_where_no_successor_can_be_made(net):
    net.fresh()
    with net.east_is_deaf():
        net.send(400)
        spent = net.west.sa("kb")["outbound"]
        assert spent["bytes"] <= KILOBYTES * 1024 < spent["bytes"] + 1000
        assert net.west.dropped("SA beyond its hard limit") >= 130
        wait_until("it is said", lambda: "IPSEC_VOLUME_LIMIT" in net.west.log(1000),
                   seen=net.west.log)
    wait_until("a successor carries", lambda: net.a.ping(net.b.interfaces[0].ip()) == 1, 30,
               seen=net.west.log)


def set_sequence_number(gw, was, to):
    """In the run-time table: of the only outbound entry whose last number is `was`."""
    with open(gw.rundir / "runtime", "r+b") as f, mmap.mmap(f.fileno(), 0) as table:
        at = [HEADER + ENTRY * n for n in range(SLOTS)]
        found = [p for p in at if table[p + 58] and not table[p + 53] and
                 struct.unpack_from("Q", table, p)[0] == was]
        assert len(found) == 1, (was, [struct.unpack_from("Q", table, p)[0] for p in at
                                       if table[p + 58]])
        struct.pack_into("Q", table, found[0], to)


def test_an_sa_whose_numbers_end_stops_and_is_renewed(net):
    net.fresh()
    net.send(37)
    old = net.west.sa("kb")
    set_sequence_number(net.west, old["outbound"]["sequence-number"], 2**32 - 1 - 20)
    with net.east_is_deaf():
        flow = net.send(40)
        assert flow.received == 20, str(flow)
        assert net.west.sa("kb")["outbound"]["sequence-number"] == 2**32 - 1
        assert net.west.dropped("sequence numbers exhausted") == 20
        wait_until("it is said", lambda: "IPSEC_SEQ_EXHAUSTED" in net.west.log(1000),
                   seen=net.west.log)
    wait_until("a new pair", lambda: (sa := net.west.sa("kb")) and
               sa["outbound"]["spi"] != old["outbound"]["spi"] and
               net.a.ping(net.b.interfaces[0].ip()) == 1, 30, seen=net.west.log)


# ---- what is counted -------------------------------------------------------------------------------


def statistics(gw, words=""):
    return gw.show(f"security ipsec statistics {words}")


def test_totals_outlive_their_sas_and_the_routing_engine(net):
    """Killed while SAs are deleted: what they counted is neither lost nor counted twice."""
    net.fresh()
    net.west.clear("security ipsec statistics")
    index = net.west.sa("kb")["tunnel-index"]
    assert statistics(net.west, f"index {index}")["encrypted-packets"] == 0
    sent = 0
    for killed in (False, True, True):
        net.send(30)
        sent += 30
        old, pid = net.west.sa("kb")["inbound"]["spi"], net.west.re_pid()
        net.west.clear("security ike security-associations")
        if killed:
            os.kill(pid, signal.SIGKILL)
            wait_until("another routing engine", lambda: net.west.re_pid() not in (None, pid) and
                       net.west.cli("show chassis spu", check=False).returncode == 0, 20)
        wait_until("a new pair", lambda: (sa := net.west.sa("kb")) and
                   sa["inbound"]["spi"] != old, 30, seen=net.west.log)
        wait_until("each packet is counted once",
                   lambda: statistics(net.west, f"index {index}")["encrypted-packets"] == sent,
                   seen=lambda: statistics(net.west, f"index {index}"))
    assert statistics(net.west)["encrypted-packets"] == sent


def test_statistics_of_an_spu_are_cleared_by_themselves(net):
    net.send(10)
    index = net.west.sa("kb")["tunnel-index"]
    of_tunnel = statistics(net.west, f"index {index}")["encrypted-packets"]
    assert sum(statistics(net.west, f"fpc 0 pic {pic}")["encrypted-packets"] for pic in (0, 1)) >= 10
    net.west.clear("security ipsec statistics fpc 0")
    assert statistics(net.west, "fpc 0")["encrypted-packets"] == 0
    assert statistics(net.west, f"index {index}")["encrypted-packets"] == of_tunnel
    net.west.clear(f"security ipsec statistics index {index}")
    assert statistics(net.west, f"index {index}")["encrypted-packets"] == 0
