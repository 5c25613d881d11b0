# SPDX-License-Identifier: BSD-2-Clause
"""What an operator does to a gateway that runs: clears, restarts, asks.

    a1 --+                                             +-- b1
          gw == now   (immediately, first link)  == far
    a2 --+   == later (on traffic, second link)  ==     +-- b2
"""
import json
import re
import signal
from pathlib import Path

import pytest

from lab.hawser import HawserError
from lab.node import kill
from lab.topo import Lab
from lab.wait import wait_until


def build(lab):
    a1, a2, b1, b2 = (lab.host(n) for n in ("a1", "a2", "b1", "b2"))
    gw, far = lab.hawser("gw"), lab.hawser("far", offload=["software"])
    lab.link(a1, gw, "10.1.1.0/24")
    lab.link(a2, gw, "10.1.2.0/24")
    lab.link(b1, far, "10.2.1.0/24")
    lab.link(b2, far, "10.2.2.0/24")
    for n, (vpn, when) in enumerate((("now", "immediately"), ("later", "on-traffic")), start=1):
        lab.link(gw, far, f"192.0.2.{n * 16}/28")
        lab.tunnel(gw, far, vpn, link=n - 1, inner=(4,), establish=when,
                   nets={gw: [f"10.1.{n}.0/24"], far: [f"10.2.{n}.0/24"]})
    for host in (a1, a2, b1, b2):
        host.default_routes()
    far.up()
    gw.up()
    gw.wait_tunnel("now")
    return gw


@pytest.fixture(scope="module")
def gw():
    with Lab() as lab:
        yield build(lab)


@pytest.fixture
def later(gw):
    """The tunnel `later` is up."""
    a2 = gw.lab.nodes["a2"]
    wait_until("later is up", lambda: a2.ping("10.2.2.1") == 1)
    return gw.wait_tunnel("later")


def ike(gw, gateway):
    return next((sa for sa in gw.show("security ike security-associations")["sa"]
                 if sa["gateway"] == gateway and sa["state"] == "UP"), None)


def dropped(gw, reason):
    return sum(n for (text, _where), n in gw.drops()[1].items() if reason in text)


# ---- clear ------------------------------------------------------------------------------------


def test_029_a_tunnel_on_traffic_waits_for_a_packet_and_drops_just_that(gw):
    a2 = gw.lab.nodes["a2"]
    gw.clear("security ike security-associations 192.0.2.34")
    wait_until("the peer was told", lambda: not gw.lab.nodes["far"].sa("later"))
    assert gw.sa("later") is None
    before = dropped(gw, "negotiation started")
    assert a2.ping("10.2.2.1") == 0
    gw.wait_tunnel("later", 5)
    assert a2.ping("10.2.2.1") == 1
    assert dropped(gw, "negotiation started") == before + 1


@pytest.mark.parametrize("what", ["ike", "ipsec"])
def test_clear_makes_a_tunnel_anew_under_its_old_index(gw, what):
    old, old_ike = gw.wait_tunnel("now"), ike(gw, "now")
    index = old_ike["index"] if what == "ike" else old["tunnel-index"]
    assert gw.clear(f"security {what} security-associations index {index}") == {"cleared": 1}
    new = wait_until("a new pair", lambda: (sa := gw.sa("now")) and
                     sa["inbound"]["spi"] != old["inbound"]["spi"] and sa, 10, seen=gw.log)
    assert new["tunnel-index"] == old["tunnel-index"]
    wait_until("its peer has but one", lambda: [sa["outbound"]["spi"] for sa in
                                               gw.lab.nodes["far"].sas()
                                               if sa["vpn-name"] == "now"] ==
               [new["inbound"]["spi"]], 15, seen=gw.lab.nodes["far"].log)
    assert gw.lab.nodes["a1"].ping("10.2.1.1") == 1


@pytest.mark.parametrize("words,cleared", [
    ("ike security-associations 192.0.2.34", "later"),
    ("ike security-associations 192.0.2.34 port 500", "later"),
    ("ike security-associations port 4711", None),
    ("ike security-associations family inet6", None),
    ("ipsec security-associations family inet6", None),
    ("ike security-associations 198.51.100.1", None),
])
def test_clear_takes_what_its_filters_name_and_nothing_else(gw, later, words, cleared):
    kept = gw.sa("now")["inbound"]["spi"]
    said = gw.clear(f"security {words}")
    assert said == {"cleared": 1 if cleared else 0}
    assert gw.sa("now")["inbound"]["spi"] == kept
    assert (gw.sa("later") is None) == bool(cleared)


def test_clear_by_spu_takes_what_that_spu_serves(gw, later):
    now = gw.sa("now")
    other = 1 - now["pic"]
    gw.request(f"chassis anchor {later['anchor']} fpc-slot 0 pic-slot {other}")
    wait_until("apart", lambda: gw.sa("later")["pic"] == other)
    said = gw.clear(f"security ipsec security-associations fpc 0 pic {other}")
    if now["anchor"] != later["anchor"]:
        assert said == {"cleared": 1} and gw.sa("now")["inbound"]["spi"] == now["inbound"]["spi"]
    with pytest.raises(HawserError, match="no such SPU"):
        gw.clear("security ipsec security-associations fpc 9")


# ---- the routing engine dies --------------------------------------------------------------------


def in_use(gw):
    """Run-time slots that are taken: byte 58 of each entry of 192, after a page of header."""
    table = (gw.rundir / "runtime").read_bytes()
    return sum(table[4096 + 192 * n + 58] for n in range(65536))


def test_a_routing_engine_goes_on_where_the_last_one_was_killed(gw, later):
    lab, pic = gw.lab, gw.sa("now")["pic"]
    a1, b1, far = lab.nodes["a1"], lab.nodes["b1"], lab.nodes["far"]
    index, anchor = gw.sa("now")["tunnel-index"], gw.sa("now")["anchor"]
    gw.request(f"security ipsec offload index {index} engine software")
    gw.request(f"chassis anchor {anchor} fpc-slot 0 pic-slot {1 - pic}")
    wait_until("moved", lambda: gw.sa("now")["pic"] == 1 - pic)
    before, cookies = gw.sa("now"), ike(gw, "now")["initiator-cookie"]
    slots = wait_until("settled", lambda: (n := in_use(gw)) == 4 and n)
    with lab.flow(a1, b1, pps=500) as there, lab.flow(b1, a1, pps=500) as back:
        there.wait_arrived(50)
        for _n in range(3):
            pid = gw.re_pid()
            kill(pid, signal.SIGKILL, 2)
            wait_until("another answers", lambda: gw.re_pid() not in (None, pid) and gw.spus(),
                       20, seen=gw.log)
        there.wait_arrived(50)
    assert there.lost == [] and back.lost == [], f"{there} {back}\n{gw.log(60)}"
    after = gw.sa("now")
    assert after["inbound"]["spi"] == before["inbound"]["spi"]
    assert (after["pic"], after["engine-choice"]) == (1 - pic, "software")
    assert ike(gw, "now")["initiator-cookie"] == cookies
    assert wait_until("no slot is lost", lambda: in_use(gw) == slots)
    assert all(spu["failures"] == 0 for spu in gw.spus())
    # The IKE SA is alive: it can say good-bye to the peer, and the peer answers.
    gw.clear("security ike security-associations 192.0.2.34")
    wait_until("the peer was told", lambda: not far.sa("later"), 5, seen=far.log)
    assert gw.request(f"security ipsec offload index {index} engine automatic")


# ---- what the commands say ------------------------------------------------------------------------

COMMANDS = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
REPLY_KEY = re.compile(r'"([a-z0-9-]+)"(\?)?: ')


def layout(command):
    """{key: whether it is always there} of a command's reply, as the reference prints it."""
    section = COMMANDS.read_text().split(f"\n## {command}\n")[1].split("\n## ")[0]
    reply = section.split("```")[1].replace("\n", " ")
    return {key: not optional for key, optional in REPLY_KEY.findall(reply)}


def keys(value):
    """All keys of a document, at every depth."""
    if isinstance(value, list):
        return set().union(*map(keys, value)) if value else set()
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set()


@pytest.mark.parametrize("command,more", [
    ("show security ike security-associations", ""),
    ("show security ike security-associations", "detail"),
    ("show security ipsec security-associations", ""),
    ("show security ipsec security-associations", "detail"),
    ("show security ipsec statistics", ""),
    ("show security ipsec statistics", "fpc 0 pic 0"),
    ("show chassis spu", ""),
    ("show security flow drops", ""),
    ("show security flow drops", "fpc 0"),
])
def test_a_reply_has_the_keys_that_its_reference_states(gw, later, command, more):
    said = keys(json.loads(gw.cli(command, more, "| display json").stdout))
    stated = layout(command)
    assert said <= set(stated), said - set(stated)
    always = {key for key, must in stated.items() if must}
    if not json.loads(gw.cli(command, more, "| display json").stdout).get("drop", True):
        always -= {"reason", "name", "where", "packets"}  # of an empty list
    assert always <= said, always - said
    table = gw.cli(command, more).stdout
    assert table.strip() and not table.lstrip().startswith("{"), table


def test_actions_answer_as_their_reference_states(gw, later):
    index, anchor, pic = later["tunnel-index"], later["anchor"], later["pic"]
    for command, words in (("request security ipsec offload", f"index {index} engine automatic"),
                           ("request chassis anchor", f"{anchor} fpc-slot 0 pic-slot {pic}")):
        assert set(gw.request(f"{command.removeprefix('request ')} {words}")) == \
            set(layout(command))


@pytest.mark.parametrize("command", [
    "show security ike security-associations", "show security ipsec security-associations",
    "show security ipsec statistics", "show chassis spu", "show security flow drops"])
def test_a_part_that_is_absent_is_an_error(gw, command):
    for words in ("fpc 9", "fpc 0 pic 3", "pic 3"):
        done = gw.cli(command, words, "| display json", check=False)
        assert done.returncode == 1
        assert json.loads(done.stdout)["error"]["what"] == "no such SPU"
    assert gw.cli(command, "fpc 0 pic 0", "| display json").returncode == 0


def received(node, name):
    said = json.loads(node.run("ip", "-j", "-s", "link", "show", "dev", name).stdout)
    return said[0]["stats64"]["rx"]["packets"], said[0]["stats64"]["rx"]["bytes"]


def test_the_numbers_are_those_of_the_wire(gw, later):
    a2, far = gw.lab.nodes["a2"], gw.lab.nodes["far"]
    untrust = next(i.other for i in gw.interfaces if i.ip() == "192.0.2.33")
    before = gw.show(f"security ipsec statistics index {later['tunnel-index']}")
    frames, octets = received(far, untrust.name)
    with gw.lab.flow(a2, gw.lab.nodes["b2"], count=300, size=200) as flow:
        flow.wait_sent()
    assert flow.lost == []
    after = gw.show(f"security ipsec statistics index {later['tunnel-index']}")
    more_frames, more_octets = (now - then for now, then in
                                zip(received(far, untrust.name), (frames, octets)))
    # Ethernet, IP, ESP, IV, the packet with two to five octets of trailer, ICV. Beside it ARP, IKE.
    assert 300 <= more_frames < 310
    assert 300 * (14 + 20 + 8 + 8 + 230 + 16) <= more_octets < 300 * 300 + 10000
    assert after["encrypted-packets"] - before["encrypted-packets"] == 300
    assert after["encrypted-bytes"] - before["encrypted-bytes"] == 300 * 228
    peer = far.sa("later")["inbound"]
    mine = gw.sa("later")["outbound"]
    assert mine["spi"] == peer["spi"]
    assert mine["sequence-number"] == peer["sequence-number"] == peer["packets"]
    assert mine["packets"] == peer["packets"] and mine["bytes"] == peer["bytes"]
