# SPDX-License-Identifier: BSD-2-Clause
"""Keys by hand, between two Hawser gateways: no IKE, no lifetime, no end.

    host-a -- west (2 SPUs) == ESP over IPv4, ESP over IPv6, AH over both == east (1 SPU) -- host-b
"""
import ipaddress

import pytest

from lab.hawser import HawserError
from lab.wait import wait_until

CIPHER = ("aes-256-cbc", "0123456789abcdef0123456789abcdef")
WEAK = ("3des-cbc", "EXAMPLE-KEY-000000000024")
AUTH = ("hmac-sha-256-128", "fedcba9876543210fedcba9876543210")
OLD = ("hmac-sha1-96", "EXAMPLE-KEY-00000020")
# name: outer family, protocol, SPI, encryption, authentication
VPNS = {"esp4": (4, "esp", 256, CIPHER, AUTH), "esp6": (6, "esp", 16639, WEAK, OLD),
        "ah4": (4, "ah", 256, None, AUTH), "ah6": (6, "ah", 4711, None, OLD),
        "null4": (4, "esp", 257, None, OLD)}


def manual(gw, number, name, outer, peer, interface):
    _family, protocol, spi, cipher, auth = VPNS[name]
    v = f"security ipsec vpn {name} manual"
    gw.vpns.append(name)
    gw.set(f"interfaces st0 unit {number} family inet address 10.250.{number}.{gw.place}/30",
           f"interfaces st0 unit {number} family inet6 address fd00:250:{number}::{gw.place}/126",
           f"security zones security-zone vpn interfaces st0.{number}",
           f"security ipsec vpn {name} bind-interface st0.{number}",
           f"{v} gateway {peer.ip(outer)}", f"{v} external-interface {interface.name}.0",
           f"{v} protocol {protocol} spi {spi}",
           f"{v} authentication algorithm {auth[0]} key ascii-text {auth[1]}",
           *([f"{v} encryption algorithm {cipher[0]} key hexadecimal {cipher[1].encode().hex()}"]
             if cipher else []))
    for version, net in ((4, f"10.{3 - gw.place}.{number}.0/24"),
                         (6, f"fd00:{3 - gw.place}:{number}::/64")):
        assert ipaddress.ip_network(net).version == version
        gw.set(f"routing-options static route {net} next-hop st0.{number}")


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.west, self.east = lab.hawser("west"), lab.hawser("east", offload=["software"])
        self.west.place, self.east.place = 1, 2
        self.host = {}
        for number, name in enumerate(VPNS):
            for gw in (self.west, self.east):
                host = self.host[gw, name] = lab.host(f"{gw.name}-{name}")
                lab.link(host, gw, f"10.{gw.place}.{number}.0/24",
                         f"fd00:{gw.place}:{number}::/64")
                host.default_routes()
        lab.link(self.west, self.east, "192.0.2.0/28", "2001:db8::/64")
        self.outside = {gw: gw.interfaces[-1] for gw in (self.west, self.east)}
        for number, (name, spec) in enumerate(VPNS.items()):
            for here, there in ((self.west, self.east), (self.east, self.west)):
                manual(here, number, name, spec[0], self.outside[there], self.outside[here])
        self.east.up()
        self.west.up()

    def carries(self, name, version=4):
        return self.host[self.west, name].ping(
            self.host[self.east, name].interfaces[0].ip(version)) == 1

    def flow(self, name, version=4):
        a, b = self.host[self.west, name], self.host[self.east, name]
        return self.lab.flow(a, b, version=version), self.lab.flow(b, a, version=version)


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


@pytest.mark.parametrize("version", [4, 6], ids=["inner-v4", "inner-v6"])
@pytest.mark.parametrize("name", VPNS)
def test_173_traffic_flows_without_ike(net, name, version):
    wait_until("it carries", lambda: net.carries(name, version), 20, seen=net.west.log)
    there, back = net.flow(name, version)
    with there, back:
        there.wait_arrived(40)
        back.wait_arrived(40)
    for flow in (there, back):
        assert flow.lost == [] and flow.duplicated == 0 and flow.corrupt == 0, \
            f"{flow}, west {net.west.drops()}, east {net.east.drops()}"
    sa = net.west.sa(name)
    assert sa["type"] == "manual" and sa["protocol"] == VPNS[name][1].upper()
    assert "version" not in sa and "hard-expires-in-s" not in sa["outbound"]
    assert sa["anti-replay-window"] == 0 and sa["anti-replay-service"] == "disabled"
    assert sa["inbound"]["spi"] == sa["outbound"]["spi"] == f"0x{VPNS[name][2]:08x}"
    assert net.west.show("security ike security-associations")["sa"] == []


def test_the_steering_asks_for_the_spi_that_the_user_picked(net):
    """Each SA is worked on by the SPU that serves its anchor, which its SPI does not name."""
    served = {}
    for name in VPNS:
        sa = net.west.sa(name)
        before = net.west.spus()[sa["pic"]]["decrypted"]
        net.carries(name)
        wait_until("its SPU decrypts it", lambda: net.west.spus()[sa["pic"]]["decrypted"] > before)
        served[name] = sa["anchor"]
    assert served["esp4"] == served["ah4"] == served["null4"], "the anchor is of the addresses"


def test_032_keys_are_never_shown(net):
    for words in ("show configuration", "show configuration | display json",
                  "show security ipsec security-associations detail"):
        said = net.west.cli(words).stdout
        for key in (CIPHER[1], CIPHER[1].encode().hex(), AUTH[1], WEAK[1], OLD[1]):
            assert key not in said
    assert "$9$" in net.west.cli("show configuration").stdout
    assert CIPHER[1] not in net.west.log(10000)


def test_177_manual_vpns_are_findings(net):
    vpns = net.west.show("security ipsec compliance stig")["vpn"]
    assert [v["vpn-name"] for v in vpns] == list(VPNS)
    assert all(v["keying"] == "manual" and v["finding"] for v in vpns)
    said = net.west.cli("show security ipsec security-associations").stdout
    assert "warning: vpn esp4 is keyed by hand" in said


def test_another_key_is_in_force_at_once(net):
    text, other = net.west.text(), AUTH[1][::-1]
    net.west.reload(text.replace(AUTH[1], other))
    assert not net.carries("esp4") and net.carries("esp6")
    assert net.east.dropped("authentication failed") > 0
    net.west.reload(text)
    wait_until("it carries", lambda: net.carries("esp4"), 10, seen=net.west.log)
    with pytest.raises(HawserError):
        net.west.reload(text.replace(AUTH[1], "too short"))
    assert net.carries("esp4")


def test_178_traffic_goes_on_after_everything_was_killed(net):
    net.west.kill_all()
    net.west.start_keeper()
    net.west.wait_ready()
    for name in VPNS:
        wait_until(f"{name} carries", lambda: net.carries(name), 20, seen=net.west.log)
    net.west.kill_all()
    net.west.lose_run_time_table()
    net.west.start_keeper()
    net.west.wait_ready()
    for name in VPNS:
        wait_until(f"{name} carries, with young numbers", lambda: net.carries(name), 20,
                   seen=net.west.log)
    assert net.west.sa("esp4")["outbound"]["sequence-number"] < 50
