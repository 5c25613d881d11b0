# SPDX-License-Identifier: BSD-2-Clause
"""A configuration that changes under traffic: what is not named goes on, what is gone is gone.

    a1 --+                                           +-- b1
          gw == keep   (ESP, first link)  == far
    a2 --+   == change (ESP, second link) ==         +-- b2
"""
import json
import os
import signal
from pathlib import Path

import pytest

from lab.demo import balance
from lab.hawser import HawserError
from lab.node import kill
from lab.topo import Lab
from lab.wait import wait_until

PACKETS = dict(pps=200)


def build(lab):
    a1, a2, b1, b2 = (lab.host(n) for n in ("a1", "a2", "b1", "b2"))
    gw, far = lab.hawser("gw"), lab.hawser("far", offload=["software"])
    lab.link(a1, gw, "10.1.1.0/24")
    lab.link(a2, gw, "10.1.2.0/24")
    lab.link(b1, far, "10.2.1.0/24")
    lab.link(b2, far, "10.2.2.0/24")
    for n in (1, 2):
        lab.link(gw, far, f"192.0.2.{n * 16}/28", f"2001:db8:{n}::/64")
        lab.tunnel(gw, far, ("keep", "change")[n - 1], link=n - 1, inner=(4,),
                   nets={gw: [f"10.1.{n}.0/24"], far: [f"10.2.{n}.0/24"]})
    for host in (a1, a2, b1, b2):
        host.default_routes()
    far.up()
    gw.up()
    for vpn in ("keep", "change"):
        gw.wait_tunnel(vpn)
    assert a1.ping("10.2.1.1") == 1 and a2.ping("10.2.2.1") == 1
    return gw


@pytest.fixture(scope="module")
def gw():
    with Lab() as lab:
        yield build(lab)


@pytest.fixture
def undisturbed(gw):
    """Numbered packets through the tunnel `keep` all the while: none is lost, no SA changes."""
    a1, b1 = gw.lab.nodes["a1"], gw.lab.nodes["b1"]
    before = [gw.sa("keep")[way]["spi"] for way in ("inbound", "outbound")]
    with gw.lab.flow(a1, b1, **PACKETS) as there, gw.lab.flow(b1, a1, **PACKETS) as back:
        there.wait_arrived(20)
        yield
        there.wait_arrived(20)
    assert there.lost == [] and back.lost == [], f"{there} {back}\n{gw.log(40)}"
    assert before == [gw.sa("keep")[way]["spi"] for way in ("inbound", "outbound")]


def load(gw, text=None):
    file = gw.dir / "new.conf"
    file.write_text(text if text is not None else gw.text())
    return gw.request(f"system configuration load {file}")


def links(gw):
    return {link["ifname"]: link for link in json.loads(gw.run("ip", "-j", "link").stdout)}


def xdp_on(gw, name):
    return "xdp" in links(gw)[name]


def routes(gw):
    return {r["dst"] for r in json.loads(gw.run("ip", "-j", "-4", "route").stdout)}


def addresses(gw, name):
    said = json.loads(gw.run("ip", "-j", "address", "show", "dev", name).stdout)
    return {a["local"] for a in said[0]["addr_info"] if a["scope"] == "global"}


@pytest.fixture
def back(gw):
    """What a test adds to the configuration, or takes away, comes back afterwards."""
    lines = list(gw._lines)
    yield
    gw._lines = lines
    load(gw)
    gw.wait_tunnel("change")


def test_the_same_file_again_disturbs_nothing(gw, undisturbed):
    other = gw.sa("change")["inbound"]["spi"]
    load(gw)  # writes down which anchors the tunnels came to have
    revision = gw.show("chassis spu")["store-revision"]
    pids = gw.hawser_pids()
    load(gw)
    os.kill(gw.keeper.pid, signal.SIGHUP)
    wait_until("SIGHUP is heard", lambda: gw.log(200).count("CONFIG_COMMIT") >= 4)
    assert gw.sa("change")["inbound"]["spi"] == other
    assert gw.hawser_pids() == pids
    assert gw.show("chassis spu")["store-revision"] == revision


def test_a_file_with_an_error_changes_nothing_and_says_why(gw, undisturbed):
    before = gw.show("configuration")
    file = gw.dir / "new.conf"
    file.write_text(gw.text() + "set security ike gateway change address 192.0.2.300\n")
    with pytest.raises(HawserError) as refused:
        gw.request(f"system configuration load {file}")
    number = len(file.read_text().splitlines())
    said = refused.value.error["message"][0]
    assert f"{file}:{number}: error: " in said and "security ike gateway change address" in said
    assert gw.show("configuration") == before
    with pytest.raises(HawserError, match="No such file"):
        gw.request(f"system configuration load {gw.dir}/nowhere.conf")
    os.mkfifo(gw.dir / "fifo")
    with pytest.raises(HawserError, match="not a regular file"):
        gw.request(f"system configuration load {gw.dir}/fifo")


def test_a_vpn_goes_with_all_that_it_had_and_comes_back(gw, undisturbed, back):
    far = gw.lab.nodes["far"]
    index = gw.sa("change")["tunnel-index"]
    lines = list(gw._lines)
    gw.without("security ipsec vpn change", "security ike gateway change", "interfaces st0 unit 1",
               "security zones security-zone vpn interfaces st0.1",
               "routing-options static route 10.2.2.0/24")
    load(gw)
    assert "st0.1" not in links(gw) and "st0far.1" not in links(gw)
    assert "10.2.2.0/24" not in routes(gw) and "10.2.1.0/24" in routes(gw)
    wait_until("the peer was told", lambda: not far.sa("change"), 5, seen=far.log)
    assert gw.sa("change") is None
    assert {sa["tunnel-index"] for sa in gw.sas()} == {gw.sa("keep")["tunnel-index"]}
    with pytest.raises(HawserError, match="no such tunnel"):
        gw.show(f"security ipsec statistics index {index}")
    gw._lines = lines
    load(gw)
    assert gw.wait_tunnel("change")["tunnel-index"] == index
    assert gw.show(f"security ipsec statistics index {index}")["encrypted-packets"] == 0
    assert gw.lab.nodes["a2"].ping("10.2.2.1") == 1


def test_a_gateway_that_changes_is_negotiated_anew(gw, undisturbed, back):
    old = gw.sa("change")
    gw.set("security ike gateway change force-udp-encapsulation")
    load(gw)
    new = wait_until("a new SA", lambda: (sa := gw.sa("change")) and sa["udp-encapsulation"] and sa)
    assert new["tunnel-index"] == old["tunnel-index"]
    assert new["inbound"]["spi"] != old["inbound"]["spi"]
    assert gw.lab.nodes["a2"].ping("10.2.2.1") == 1


def test_059_a_new_size_of_fragments_takes_down_the_tunnels_of_its_gateway_alone(gw, undisturbed,
                                                                                back):
    old = gw.sa("change")
    gw.set("security ike gateway change fragmentation size 800")
    load(gw)
    new = wait_until("a new SA", lambda: (sa := gw.sa("change")) and
                     sa["inbound"]["spi"] != old["inbound"]["spi"] and sa)
    ike = next(sa for sa in gw.show("security ike security-associations detail")["sa"]
               if sa["gateway"] == "change")
    assert ike["fragmentation"] and ike["fragment-size-bytes"] == 800
    assert new["tunnel-index"] == old["tunnel-index"]
    assert gw.lab.nodes["a2"].ping("10.2.2.1") == 1


def test_addresses_and_zones_change(gw, undisturbed, back):
    a2 = gw.lab.nodes["a2"]
    trust = next(i.name for i in gw.interfaces if i.other.node is a2)
    a2.address("eth0", "10.1.9.1/24")
    gw.set(f"interfaces {trust} unit 0 family inet address 10.1.9.2/24",
           f"security zones security-zone quiet interfaces {trust}.0")
    load(gw)
    assert addresses(gw, trust) == {"10.1.2.2", "10.1.9.2"}
    assert a2.ping("10.1.9.2") == 0, "no service is allowed in this zone"
    assert a2.ping("10.2.2.1") == 1, "the default policy permits all"
    gw.set("security zones security-zone quiet host-inbound-traffic system-services ping")
    load(gw)
    assert a2.ping("10.1.9.2") == 1
    # The first of two addresses goes: the kernel takes the second of a subnet with it.
    text = gw.text().replace(f"interfaces {trust} unit 0 family inet address 10.1.2.2/24",
                             f"interfaces {trust} unit 0 family inet address 10.1.2.3/24")
    load(gw, text)
    assert addresses(gw, trust) == {"10.1.2.3", "10.1.9.2"}
    assert a2.ping("10.1.2.3") == 1 and a2.ping("10.1.9.2") == 1


def test_an_interface_leaves_the_configuration_and_comes_back(gw, undisturbed, back):
    a2 = gw.lab.nodes["a2"]
    trust = next(i for i in gw.interfaces if i.other.node is a2)
    gw.interfaces.remove(trust)
    try:
        load(gw)
        assert not xdp_on(gw, trust.name) and addresses(gw, trust.name) == set()
        assert a2.ping("10.2.2.1") == 0
    finally:
        gw.interfaces.append(trust)
    load(gw)
    assert xdp_on(gw, trust.name)
    wait_until("forwarded again", lambda: a2.ping("10.2.2.1") == 1, 3)


def test_static_routes_change(gw, undisturbed, back):
    gw.set("routing-options static route 198.51.100.0/24 next-hop 10.1.2.1")
    load(gw)
    assert "198.51.100.0/24" in routes(gw)
    gw.without("routing-options static route 198.51.100.0/24")
    load(gw)
    assert "198.51.100.0/24" not in routes(gw)


def test_an_interface_that_is_not_there_is_used_when_it_appears(gw, undisturbed, back):
    gw.set("interfaces late unit 0 family inet address 10.7.0.1/24",
           "security zones security-zone trust interfaces late.0",
           "routing-options static route 198.51.100.0/24 next-hop 10.7.0.2")
    load(gw)
    wait_until("it is said", lambda: "INTERFACE_MISSING" in gw.log(200) and "late" in gw.log(200))
    for _again in range(2):
        gw.run("ip", "link", "add", "late", "type", "veth", "peer", "name", "later")
        wait_until("it has its address", lambda: addresses(gw, "late") == {"10.7.0.1"}, 3)
        gw.run("ip", "link", "set", "later", "up")
        wait_until("its route is there", lambda: "198.51.100.0/24" in routes(gw), 3)
        assert xdp_on(gw, "late")
        gw.run("ip", "link", "del", "late")


def test_an_interface_with_a_program_of_others_is_refused_whole(gw, undisturbed, back):
    gw.run("ip", "link", "add", "taken", "type", "veth", "peer", "name", "taken-p")
    foreign = next(Path("/usr/lib").glob("*/bpf/xsk_def_xdp_prog_5.3.o"))  # libxdp's own
    gw.run("ip", "link", "set", "taken", "xdpdrv", "obj", foreign, "section", "xdp")
    try:
        before = gw.show("configuration")
        gw.without("routing-options static route 10.2.2.0/24")
        gw.set("interfaces taken unit 0 family inet address 10.7.1.1/24",
               "security zones security-zone trust interfaces taken.0")
        with pytest.raises(HawserError, match="another XDP program"):
            load(gw)
        assert gw.show("configuration") == before
        assert "10.2.2.0/24" in routes(gw) and gw.lab.nodes["a2"].ping("10.2.2.1") == 1
        assert addresses(gw, "taken") == set()
    finally:
        gw.run("ip", "link", "del", "taken")


def test_an_spu_is_added_and_removed_without_a_loss(gw, undisturbed, back):
    gw.set("chassis fpc 1 pic 0 port emulated", "chassis fpc 1 pic 0 offload software")
    load(gw)
    spu = wait_until("the third SPU serves", lambda: next(
        (s for s in gw.spus() if s["fpc"] == 1 and s["state"] == "active"), None))
    assert spu["anchors"] > 0
    sa = gw.sa("keep")
    gw.request(f"chassis anchor {sa['anchor']} fpc-slot 1 pic-slot 0")
    wait_until("it has the tunnel", lambda: gw.sa("keep")["fpc"] == 1)
    wait_until("it worked", lambda: gw.spus()[2]["encrypted"] > 20)
    gw.without("chassis fpc 1")
    load(gw)
    wait_until("its links are gone", lambda: "wire-1-0" not in links(gw))
    assert len(gw.spus()) == 2 and gw.sa("keep")["fpc"] == 0
    assert gw.spu_pid(1, 0) is None


def test_what_a_removed_spu_counted_still_counts(gw, back):
    """Also after the next routing engine, and when it is there again."""
    def all_counted():
        said, _drops = gw.drops()
        left, right = balance(said)
        return left == right and said["held"] == 0
    for again in range(2):
        gw.set("chassis fpc 1 pic 0 port emulated", "chassis fpc 1 pic 0 offload software")
        load(gw)
        wait_until("it serves", lambda: any(
            s["fpc"] == 1 and s["state"] == "active" for s in gw.spus()), 20, seen=gw.log)
        if again:  # what it reckons after a death knows of its links that are gone
            old = gw.spu_pid(1, 0)
            kill(old, signal.SIGKILL, 2)
            wait_until("it is back", lambda: gw.spu_pid(1, 0) not in (None, 0, old), 20)
            gw.wait_ready()
        wait_until("each packet is counted", all_counted, 10, seen=gw.drops)
        gw.without("chassis fpc 1")
        load(gw)
        wait_until("its links are gone", lambda: "wire-1-0" not in links(gw))
        wait_until("each packet is counted still", all_counted, 10, seen=gw.drops)
    kill(gw.re_pid(), signal.SIGKILL, 2)
    wait_until("a new RE answers", lambda: len(gw.spus()) == 2, 20, seen=gw.log)
    wait_until("the record says so, too", all_counted, 10, seen=gw.drops)


def test_offload_changes_without_a_new_process(gw, undisturbed, back):
    pid = gw.spu_pid(0, 0)
    for pic in (0, 1):
        gw.request(f"chassis anchor {gw.sa('keep')['anchor']} fpc-slot 0 pic-slot 0")
    wait_until("inline", lambda: gw.sa("keep")["outbound"]["engine"] == "inline")
    gw.without("chassis fpc 0 pic 0 offload")
    gw.set("chassis fpc 0 pic 0 offload software")
    load(gw)
    wait_until("software", lambda: gw.sa("keep")["outbound"]["engine"] == "software")
    assert gw.spu_pid(0, 0) == pid


def test_what_changed_while_the_routing_engine_was_dead(gw, undisturbed, back):
    """The file changes, the RE is killed: its successor takes away what the old file had."""
    gw.set("interfaces late unit 0 family inet address 10.7.0.1/24",
           "security zones security-zone trust interfaces late.0",
           "chassis fpc 1 pic 0 port emulated",
           "routing-options static route 198.51.100.0/24 next-hop 10.1.2.1")
    gw.run("ip", "link", "add", "late", "type", "veth", "peer", "name", "later")
    try:
        load(gw)
        wait_until("three SPUs", lambda: len([s for s in gw.spus() if s["state"] == "active"]) == 3)
        gw.without("interfaces late", "security zones security-zone trust interfaces late.0",
                   "chassis fpc 1", "routing-options static route 198.51.100.0/24")
        gw.config.write_text(gw.text())
        kill(gw.re_pid(), signal.SIGKILL, 2)
        wait_until("a new RE answers", lambda: len(gw.spus()) == 2, 20, seen=gw.log)
        wait_until("the SPU's links are gone", lambda: "wire-1-0" not in links(gw))
        assert "198.51.100.0/24" not in routes(gw)
        assert not xdp_on(gw, "late") and addresses(gw, "late") == set()
    finally:
        gw.run("ip", "link", "del", "late")
