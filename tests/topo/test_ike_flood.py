# SPDX-License-Identifier: BSD-2-Clause
"""A responder under a flood of first messages, and peers that are kept out.

    host-a -- gw == good (strongSwan, up before it begins) -- host-b
                 == late (strongSwan, comes while it lasts)
                 == flooder, which says that it is 65,534 others

The flooder's addresses are peers of a gateway that knows its peers by identity, so that each of its
messages passes everything but the cookie.
"""
import json
import subprocess

import pytest

from lab import programs
from lab.wait import wait_until

RATE, SECONDS = 20000, 4
BLOCK = r"""
set security ike blocklists kept-out rule late match id-type inet
set security ike blocklists kept-out rule late match id-pattern "192\.0\.2\.1[78]"
set security ike blocklists kept-out rule late then reject
set security ike blocklists kept-out rule late then backoff 60
set security ike policy late blocklist kept-out
"""


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.gw = lab.hawser("gw", offload=["software"])
        self.good, self.late = lab.strongswan("good"), lab.strongswan("late")
        self.a, self.b = lab.host("host-a"), lab.host("host-b")
        self.flooder = lab.host("flooder")
        lab.link(self.a, self.gw, "10.1.0.0/24")
        lab.link(self.gw, self.good, "192.0.2.0/28")
        lab.link(self.gw, self.late, "192.0.2.16/28")
        lab.link(self.gw, self.flooder, "192.0.2.32/28")
        lab.link(self.b, self.good, "10.2.0.0/24")
        lab.link(lab.host("host-c"), self.late, "10.3.0.0/24")
        self.a.default_routes()
        self.b.default_routes()
        lab.tunnel(self.gw, self.good, "good", inner=(4,))
        lab.tunnel(self.gw, self.late, "late", inner=(4,), establish="on-traffic")
        anyone = "security ike gateway anyone"
        self.gw.set(f"{anyone} ike-policy good", f"{anyone} external-interface eth3.0",
                    f"{anyone} dynamic hostname nobody.example",
                    "routing-options static route 198.18.0.0/16 next-hop 192.0.2.34")
        self.good.up()
        self.late.up()
        self.gw.up()
        self.gw.wait_tunnel("good")

    def flood(self):
        return self.flooder.start(programs.find("hawser-ike-flood"), "192.0.2.33", "198.18.0.0",
                                  RATE, SECONDS, stdout=subprocess.PIPE, text=True)

    def stats(self):
        return self.gw.show("security ike stats")


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


def test_079_a_peer_connects_under_a_flood(net):
    before = net.stats()
    with net.lab.flow(net.a, net.b) as there, net.lab.flow(net.b, net.a) as back:
        there.wait_arrived(20)
        flood = net.flood()
        wait_until("cookies are asked for", lambda: net.stats()["cookies-demanded"] > 0, 10,
                   seen=net.stats)
        net.late.initiate("late", timeout_s=30)
        assert flood.poll() is None, "the flood was over before the peer came"
        half_open = net.stats()["half-open"]
        sent = json.loads(flood.communicate(timeout=60)[0])["sent"]
        there.wait_arrived(100)
        back.wait_arrived(100)
    assert there.lost == [] and back.lost == [], f"{there}; {back}"
    after = net.stats()
    assert sent >= RATE * SECONDS // 2
    assert 150 <= half_open <= 300 and after["half-open"] <= 300  # scenario 63, 204
    assert after["security-associations"] <= 300 + 4
    assert after["cookies-returned"] >= before["cookies-returned"] + 1
    assert after["established"] == before["established"] + 1
    assert net.late.log(100000).count("retransmit 4 of request") == 0
    assert "IKE_COOKIE_DEMANDED" in net.gw.log(100000)


def test_080_commands_show_who_negotiates_and_who_is_connected(net):
    in_progress = net.gw.show("security ike peers in-progress")["peer"]
    assert in_progress and all(p["state"] == "in-progress" for p in in_progress)
    net.gw.clear("security ike peers in-progress")
    assert net.gw.show("security ike peers in-progress")["peer"] == []
    assert net.stats()["half-open"] == 0
    active = net.gw.show("security ike active-peer")["peer"]
    assert {(p["gateway"], p["remote-address"], p["peer-ike-id"]) for p in active} == \
        {("good", "192.0.2.2", "192.0.2.2"), ("late", "192.0.2.18", "192.0.2.18")}


def test_089_a_blocklist_is_for_whom_is_not_up_yet(net):
    spi = net.gw.sa("late")["inbound"]["spi"]
    net.gw.reload(net.gw.text() + BLOCK)
    assert net.gw.sa("late")["inbound"]["spi"] == spi  # what is up stays
    net.late.terminate("late")
    wait_until("the SA is gone", lambda: net.gw.sa("late") is None, 10)
    assert not net.late.initiate("late", check=False)[0]
    blocked = net.gw.show("security ike peers blocked")["peer"]
    assert [(p["peer-ike-id"], p["blocklist"], p["rule"], p["action"], p["state"])
            for p in blocked] == [("192.0.2.18", "kept-out", "late", "reject", "backoff")]
    log = net.gw.log(100000)
    assert "IKE_GATEWAY_PEER_BLOCKED" in log and "AUTHENTICATION_FAILED" in net.late.log(1000)

    net.gw.reload(net.gw.text())  # off the list, but it still has to wait
    assert not net.late.initiate("late", check=False, timeout_s=4)[0]
    assert net.stats()["backoff-refused"] >= 1
    net.gw.clear("security ike peers backoff")  # scenario 71
    net.late.initiate("late")
    assert net.gw.show("security ike peers")["peer"] == []
