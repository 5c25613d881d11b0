# SPDX-License-Identifier: BSD-2-Clause
"""`hawser-lab demo`: a gateway, two tunnels, both engines at work; a readable report as it goes."""
from . import names
from .first_tunnel import VPNS, FirstTunnel
from .report import Report, StepFailed, table
from .topo import Lab
from .wait import wait_until

PPS, COUNT = 1000, 1000


def run():
    """Runs the demo; returns the exit status."""
    report = Report("Hawser: the first tunnel")
    tag, failed = None, None
    try:
        with Lab() as lab:
            tag = lab.tag
            try:
                demo(lab, report)
            except StepFailed as e:
                failed = e
                print(lab.describe())
        if failed is None:
            with report.step("Nothing is left behind") as say:
                say(f"namespaces, processes and files of {tag}")
                report.check(not names.leftovers(tag), "are all gone")
    except StepFailed:
        pass
    return report.end()


def demo(lab, report):
    topology = build(lab, report)
    start(topology, report)
    carry(lab, topology, report)
    own_traffic(lab, topology, report)
    show(topology, report)
    switch(lab, topology, report)
    account(topology, report)
    end(topology, report)


def build(lab, report):
    with report.step("Namespaces, links and configuration") as say:
        topology = FirstTunnel(lab)
        say("                                  == ESP == peer-1 (strongSwan) -- host-b")
        say("host-a -- gw (0/0 inline,        <")
        say("              0/1 software)       == ESP == peer-2 (strongSwan) -- host-c")
        say(f"each name in /run/netns begins with {lab.tag}.")
    return topology


def start(topology, report):
    gw = topology.gw
    with report.step("The gateway starts, its two SPUs come into service") as say:
        topology.start_peers()
        gw.up()
        say(gw.cli("show chassis spu").stdout)
    with report.step("Two IKEv2 tunnels: Hawser initiates one, strongSwan the other") as say:
        topology.start_tunnels()
        say(gw.cli("show security ike security-associations").stdout)
    with report.step("One tunnel is anchored on each SPU") as say:
        for vpn, anchor, pic in topology.one_tunnel_per_spu():
            say(f"{vpn}: anchor {anchor} moved to SPU 0/{pic}")
        wait_until(f"{VPNS[0]} is inline", lambda: topology.engines(VPNS[0]) == ("inline",) * 2)
        wait_until(f"{VPNS[1]} is software",
                   lambda: topology.engines(VPNS[1]) == ("software",) * 2)
        for vpn in VPNS:
            sa = gw.sa(vpn)
            say(f"{vpn}: anchor {sa['anchor']} on SPU {sa['fpc']}/{sa['pic']}, "
                f"inbound {sa['inbound']['engine']}, outbound {sa['outbound']['engine']}")


def carry(lab, topology, report):
    with report.step("Numbered packets both ways, IPv4 and IPv6, through both tunnels"):
        for host in topology.far_hosts:
            for version in (4, 6):
                flows = [lab.flow(*ends, version=version, pps=PPS, count=COUNT)
                         for ends in ((topology.host_a, host), (host, topology.host_a))]
                with flows[0], flows[1]:
                    for flow in flows:
                        flow.wait_sent()
                for flow in flows:
                    whole = not flow.lost and not flow.duplicated and not flow.corrupt
                    report.check(whole, str(flow))
    with report.step("A TCP stream both ways, IPv4 and IPv6, every byte checked"):
        for host in topology.far_hosts:
            for version, ends in ((4, (topology.host_a, host)), (6, (host, topology.host_a))):
                with lab.tcp(*ends, version=version, duration=1) as stream:
                    pass
                report.check(stream.whole, str(stream))


def own_traffic(lab, topology, report):
    with report.step("TCP from the gateway itself, out of its tunnel interface"):
        with lab.tcp(topology.gw, topology.host_b, duration=1) as stream:
            pass
        report.check(stream.whole, str(stream))


def show(topology, report):
    gw = topology.gw
    with report.step("Which SPU and which engine carried what") as say:
        say(gw.cli("show security ipsec security-associations").stdout)
        rows = []
        for sa in gw.sas():
            for way in ("inbound", "outbound"):
                half = sa[way]
                rows.append((sa["vpn-name"], way, half["spi"], f"{sa['fpc']}/{sa['pic']}",
                             half["engine"], half["packets"], half["bytes"]))
        say(table(rows, ("VPN", "direction", "SPI", "SPU", "engine", "packets", "bytes")))
        say()
        say(gw.cli("show chassis spu").stdout)
        for pic, (vpn, engine) in enumerate(zip(VPNS, ("inline", "software"))):
            sa = gw.sa(vpn)
            for way in ("inbound", "outbound"):
                report.check(sa["pic"] == pic and sa[way]["engine"] == engine
                             and sa[way]["packets"] > COUNT,
                             f"{vpn} {way}: {sa[way]['packets']} packets, "
                             f"{sa[way]['engine']}, SPU 0/{sa['pic']}")


def switch(lab, topology, report):
    gw, host_a, host_b = topology.gw, topology.host_a, topology.host_b
    with report.step("The inline SA moves to software and back under traffic") as say:
        index = gw.sa(VPNS[0])["tunnel-index"]
        with lab.flow(host_a, host_b, pps=PPS) as there, lab.flow(host_b, host_a, pps=PPS) as back:
            there.wait_arrived(300)
            for engine in ("software", "inline", "software", "automatic"):
                gw.request(f"security ipsec offload index {index} engine {engine}")
                wanted = ("inline" if engine == "automatic" else engine,) * 2
                wait_until(f"{VPNS[0]} is {wanted}", lambda: topology.engines(VPNS[0]) == wanted)
                there.wait_arrived(300)
                back.wait_arrived(300)
                say(f"engine {engine}: inbound and outbound are {wanted[0]}, traffic goes on")
        for flow in (there, back):
            report.check(not flow.lost and not flow.duplicated and not flow.corrupt, str(flow))


def account(topology, report):
    with report.step("Every packet is accounted for") as say:
        say(topology.gw.cli("show security flow drops").stdout)
        wait_until("nothing is under way", lambda: topology.gw.drops()[0]["held"] == 0, 10,
                   seen=topology.gw.drops)
        said, _table = topology.gw.drops()
        left, right = balance(said)
        report.check(left == right, f"in + made = {left}; out + drops + merged + consumed + held "
                                    f"= {right}")


def balance(said):
    """Both sides of in + made = out + dropped + merged + consumed + held."""
    left = said["in"] + said.get("made", 0)
    right = said["out"] + said.get("merged", 0) + said.get("consumed", 0) + said.get("held", 0)
    return left, right + sum(d["packets"] for d in said["drop"])


def end(topology, report):
    gw = topology.gw
    with report.step("SIGTERM ends the gateway and removes its data plane") as say:
        report.check(gw.down() == 0, "hawserd ended with status 0")
        report.check(not gw.hawser_pids(), "no process of Hawser is left in its namespace")
        links = gw.run("ip", "-br", "link").stdout
        report.check("st0" not in links and "xdp" not in gw.run("ip", "link").stdout,
                     "no st0 unit and no XDP program is left")
        say(links)
