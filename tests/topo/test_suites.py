# SPDX-License-Identifier: BSD-2-Clause
"""Every algorithm, end to end: several tunnels side by side, each with a suite of its own.

                        == a tunnel each == east (Hawser)     -- host-e
    host -- west (1 SPU)
                        == a tunnel each == swan (strongSwan) -- host-s
"""
from collections import namedtuple

import pytest

from lab.wait import wait_until

SECRET = "a secret for the lab"
Suite = namedtuple("Suite", "name ike hash group protocol esp auth shown swan_ike swan_esp "
                            "west_initiates", defaults=(None, None, True))

# strongSwan's own ESP has no AH, no GMAC and no implicit IVs; its OpenSSL has no single DES.
SWAN = [
    Suite("cbc-128", "aes-128-cbc", "sha1", "group2", "esp", "aes-128-cbc", "hmac-sha-256-128",
          "ESP:aes-cbc-128/sha256", "aes128-sha1-modp1024", "aes128-sha256"),
    Suite("cbc-192", "aes-192-cbc", "sha-512", "group15", "esp", "aes-192-cbc", "hmac-sha-384",
          "ESP:aes-cbc-192/sha384", "aes192-sha512-modp3072", "aes192-sha384", False),
    Suite("cbc-256", "chacha20-poly1305", "sha-256", "group21", "esp", "aes-256-cbc",
          "hmac-sha-512", "ESP:aes-cbc-256/sha512", "chacha20poly1305-prfsha256-ecp521",
          "aes256-sha512"),
    Suite("3des", "3des-cbc", "md5", "group5", "esp", "3des-cbc", "hmac-sha1-96",
          "ESP:3des-cbc/sha1", "3des-md5-modp1536", "3des-sha1", False),
    Suite("chacha", "aes-192-gcm", "sha-512", "group32", "esp", "chacha20-poly1305", None,
          "ESP:chacha20-poly1305/none", "aes192gcm16-prfsha512-x448", "chacha20poly1305"),
    Suite("gcm-192", "aes-256-cbc", "sha-384", "group16", "esp", "aes-192-gcm", None,
          "ESP:aes-gcm-192/none", "aes256-sha384-modp4096", "aes192gcm16", False),
    Suite("null", "aes-128-gcm", "sha-256", "group24", "esp", None, "hmac-sha-256-128",
          "ESP:null/sha256", "aes128gcm16-prfsha256-modp2048s256", "null-sha256"),
]
EAST = [
    Suite("des", "des-cbc", "md5", "group1", "esp", "des-cbc", "hmac-md5-96", "ESP:des-cbc/md5"),
    Suite("ah-sha256", "aes-256-gcm", "sha-256", "group31", "ah", None, "hmac-sha-256-128",
          "AH:none/sha256"),
    Suite("ah-md5", "aes-256-gcm", "sha-256", "group31", "ah", None, "hmac-md5-96",
          "AH:none/md5"),
    Suite("ah-gmac", "aes-256-gcm", "sha-384", "group20", "ah", None, "aes-gmac-256",
          "AH:none/gmac-256"),
    Suite("gmac", "aes-256-gcm", "sha-384", "group19", "esp", "null-aes-192-gmac", None,
          "ESP:null-aes-gmac-192/none"),
    Suite("gcm-iiv", "aes-256-gcm", "sha-384", "group14", "esp", "aes-128-gcm-iiv", None,
          "ESP:aes-gcm-128-iiv/none"),
    Suite("chacha-iiv", "aes-256-gcm", "sha-384", "group31", "esp", "chacha20-poly1305-iiv", None,
          "ESP:chacha20-poly1305-iiv/none"),
    Suite("null-sha1", "aes-256-gcm", "sha-384", "group31", "esp", None, "hmac-sha1-96",
          "ESP:null/sha1"),
]
SUITES = EAST + SWAN


class Net:
    def __init__(self, lab):
        self.lab, self.number = lab, {suite.name: n for n, suite in enumerate(SUITES, start=1)}
        self.west, self.east = lab.hawser("west", offload=["software"]), lab.hawser("east")
        self.swan = lab.strongswan("swan")
        self.host, self.host_e, self.host_s = (lab.host(n) for n in ("host", "host-e", "host-s"))
        lab.link(self.host, self.west, *[self.net(s, 1) for s in SUITES])
        lab.link(self.host_e, self.east, *[self.net(s, 2) for s in EAST])
        lab.link(self.host_s, self.swan, *[self.net(s, 2) for s in SWAN])
        for host in (self.host, self.host_e, self.host_s):
            host.default_routes()
        lab.link(self.west, self.east, "192.0.2.0/28")
        lab.link(self.west, self.swan, "192.0.2.16/28")
        for suite in EAST:
            self.hawser(self.west, suite, "eth1", "192.0.2.2", 1)
            self.hawser(self.east, suite, "eth1", "192.0.2.1", 2)
        for suite in SWAN:
            self.hawser(self.west, suite, "eth2", "192.0.2.18", 1)
            self.swan.connection(
                suite.name, "192.0.2.18", "192.0.2.17", SECRET, [self.net(suite, 2)],
                [self.net(suite, 1)], ike=suite.swan_ike, esp=suite.swan_esp, encap=True,
                local_id=f"{suite.name}.2.example.net", remote_id=f"{suite.name}.1.example.net")
        self.east.up()
        self.swan.up()
        self.west.up()

    def net(self, suite, side):
        return f"10.{side}.{self.number[suite.name]}.0/24"

    def hawser(self, gateway, suite, interface, peer, side):
        n = self.number[suite.name]
        gateway.add_vpn(
            suite.name, interface, peer, SECRET, [self.net(suite, 3 - side)],
            [f"10.250.{n}.{side}/30"], ike=suite.ike, prf=suite.hash, group=suite.group,
            esp=suite.esp, auth=suite.auth, protocol=suite.protocol, udp=suite in SWAN,
            ids=[f"{suite.name}.{s}.example.net" for s in (side, 3 - side)],
            establish="immediately" if side == 1 and suite.west_initiates else "on-traffic",
            extra=[f"ike proxy-identity local {self.net(suite, side)}",
                   f"ike proxy-identity remote {self.net(suite, 3 - side)}"])

    def flows(self, suite):
        n, far = self.number[suite.name], self.host_s if suite in SWAN else self.host_e
        one, other = f"10.1.{n}.1", f"10.2.{n}.1"
        return [self.lab.flow(self.host, far, sender=one, to=other, pps=100, count=40),
                self.lab.flow(far, self.host, sender=other, to=one, pps=100, count=40)]


@pytest.fixture(scope="module")
def net(shared_lab):
    net = Net(shared_lab)
    for suite in SWAN:
        if not suite.west_initiates:
            net.swan.initiate(suite.name)
    for suite in SUITES:
        net.west.wait_tunnel(suite.name)
    return net


@pytest.fixture(scope="module")
def carried(net):
    """Numbered packets both ways through all tunnels at once."""
    flows = {suite.name: net.flows(suite) for suite in SUITES}
    for pair in flows.values():
        for flow in pair:
            flow.start()
    for pair in flows.values():
        for flow in pair:
            flow.wait_sent()
            flow.finish()
    return flows


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: s.name)
def test_a_suite_is_negotiated_and_carries(net, carried, suite):
    sa = net.west.sa(suite.name)
    assert sa["algorithm"] == suite.shown
    for flow in carried[suite.name]:
        assert flow.lost == [] and flow.duplicated == 0 and flow.corrupt == 0, str(flow)
