# SPDX-License-Identifier: BSD-2-Clause
"""Hawser against Hawser, two gateways side by side on one machine: plain ESP in every family.

    av4 --\\                                     /-- bv4     tunnel "v4": outer IPv4
           west (2 SPUs) == ESP == east (2 SPUs)
    av6 --/                                     \\-- bv6     tunnel "v6": outer IPv6
    audp -- west == a second link, encapsulated in UDP by force == east -- budp     tunnel "udp"
"""
import pytest

from lab.wait import wait_until

TUNNELS = ("v4", "v6", "udp")


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.west, self.east = lab.hawser("west"), lab.hawser("east")
        self.hosts = {}
        for number, name in enumerate(TUNNELS, start=1):
            for letter, gateway, side in (("a", self.west, 1), ("b", self.east, 2)):
                host = self.hosts[letter + name] = lab.host(letter + name)
                lab.link(host, gateway, f"10.{side}.{number}.0/24", f"fd00:{side}:{number}::/64")
                host.default_routes()
        self.links = [lab.link(self.west, self.east, "192.0.2.0/28", "2001:db8:1::/64"),
                      lab.link(self.west, self.east, "192.0.2.16/28", "2001:db8:2::/64")]
        for number, name in enumerate(TUNNELS, start=1):
            nets = {g: [f"10.{side}.{number}.0/24", f"fd00:{side}:{number}::/64"]
                    for g, side in ((self.west, 1), (self.east, 2))}
            lab.tunnel(self.west, self.east, name, outer=6 if name == "v6" else 4, nets=nets,
                       udp=name == "udp", link=1 if name == "udp" else 0,
                       esp="aes-256-gcm" if name == "v6" else "aes-128-gcm",
                       ike={"v4": "aes-256-gcm", "v6": "aes-128-cbc", "udp": "aes-256-cbc"}[name],
                       group={"v4": "group31", "v6": "group14", "udp": "group20"}[name],
                       prf="sha-384" if name == "udp" else "sha-256")
        self.east.up()
        self.west.up()
        for name in TUNNELS:
            self.west.wait_tunnel(name)
            self.east.wait_tunnel(name)


@pytest.fixture(scope="module")
def net(shared_lab):
    return Net(shared_lab)


@pytest.mark.parametrize("inner", [4, 6], ids=["inner-v4", "inner-v6"])
@pytest.mark.parametrize("name", TUNNELS)
def test_numbers_and_streams_arrive_whole(net, name, inner):
    a, b = net.hosts["a" + name], net.hosts["b" + name]
    before = net.west.sa(name)
    with net.lab.flow(a, b, version=inner) as there, net.lab.flow(b, a, version=inner) as back:
        there.wait_arrived(300)
        back.wait_arrived(300)
    for flow in (there, back):
        assert flow.lost == [] and flow.duplicated == 0 and flow.corrupt == 0, str(flow)
    with net.lab.tcp(a, b, version=inner, duration=1) as stream:
        pass
    assert stream.whole, str(stream)
    after = net.west.sa(name)
    assert after["outbound"]["packets"] - before["outbound"]["packets"] > 300


def test_both_ends_agree_on_every_sa(net):
    for name in TUNNELS:
        west, east = net.west.sa(name), net.east.sa(name)
        assert west["inbound"]["spi"] == east["outbound"]["spi"]
        assert west["outbound"]["spi"] == east["inbound"]["spi"]
        for gateway, sa in ((net.west, west), (net.east, east)):
            anchor = int(sa["inbound"]["spi"], 16) & 0xff
            assert anchor == sa["anchor"], f"{gateway.name}: the SPI does not carry the anchor"


@pytest.mark.parametrize("size, fits", [(32, True), (1300, True), (1472, False)])
def test_sizes_up_to_what_the_path_takes(net, size, fits):
    """Do not fragment: 1472 bytes of UDP fill 1500 without ESP's own bytes."""
    with net.lab.flow(net.hosts["av4"], net.hosts["bv4"], size=size, count=20, df=1) as flow:
        flow.wait_sent()
    assert (flow.lost == []) == fits, str(flow)
    assert fits or flow.received == 0, str(flow)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("size", [1420, 1472, 3000, 8000])
def test_datagrams_that_do_not_fit_arrive_in_fragments(net, version, size):
    """May be fragmented: by the sender, by the gateway in front of the tunnel, or by both."""
    a, b = net.hosts["av4"], net.hosts["bv4"]
    a.ping(b.interfaces[0].ip(version), size=1400)  # an IPv6 sender has to be told once
    with net.lab.flow(a, b, version=version, size=size, pps=200, count=50) as flow:
        flow.wait_sent()
    told = flow.lost if version == 4 else [n for n in flow.lost if n > 5]
    assert told == [] and flow.corrupt == 0 and flow.duplicated == 0, str(flow)


def test_a_second_hawserd_in_the_same_folder_is_refused(net):
    done = net.west.run(*net.west.keeper_command(), check=False)
    assert done.returncode == 1
    assert "another hawserd runs there" in done.stdout + done.stderr
    assert len(net.west.spus()) == 2


def test_a_tunnel_is_added_and_taken_away_and_the_others_do_not_notice(net):
    """A fourth VPN, between the same gateways, over the second link's IPv6 addresses."""
    a, b = net.hosts["av4"], net.hosts["bv4"]
    before = {name: net.west.sa(name)["inbound"]["spi"] for name in TUNNELS}
    old = {gateway: gateway.text() for gateway in (net.west, net.east)}
    net.lab.tunnel(net.west, net.east, "more", outer=6, link=1,
                   nets={net.west: ["10.1.77.0/24"], net.east: ["10.2.77.0/24"]}, inner=(4,))
    with net.lab.flow(a, b) as flow:
        flow.wait_arrived(100)
        for gateway in (net.east, net.west):
            gateway.reload(gateway.text())
        net.west.wait_tunnel("more")
        net.east.wait_tunnel("more")
        assert net.west.ping(net.east.st0_addresses[-1][4]) == 1
        for gateway, text in old.items():
            gateway.reload(text)
        wait_until("the tunnel is gone", lambda: net.west.sa("more") is None and
                   net.east.sa("more") is None, seen=net.west.log)
        wait_until("its st0 unit is gone",
                   lambda: "st0.3" not in net.west.run("ip", "-br", "link").stdout)
        flow.wait_arrived(100)
    assert flow.lost == [] and flow.duplicated == 0, str(flow)
    assert {name: net.west.sa(name)["inbound"]["spi"] for name in TUNNELS} == before
    for gateway in old:
        gateway.forget_vpn("more")


def test_one_gateway_ends_and_the_other_does_not_notice(net):
    """Nothing that they share on the machine is taken away with one of them."""
    pids = set(net.east.hawser_pids())
    assert net.west.down() == 0
    assert set(net.east.hawser_pids()) == pids
    assert len(net.east.spus()) == 2
    net.west.up()
    for name in TUNNELS:
        net.west.wait_tunnel(name, 30)
        wait_until(f"{name} carries again", lambda: net.hosts["a" + name].ping(
            net.hosts["b" + name].interfaces[0].ip()) == 1, 20, seen=net.west.log)
