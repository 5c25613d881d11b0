# SPDX-License-Identifier: BSD-2-Clause
"""`hawser-lab bench first-tunnel`: the figures of docs/benchmarks.md, each beside what to compare
it with in the same run."""
import json
import os
import re
import statistics
import time

from .first_tunnel import VPNS, FirstTunnel
from .node import kill
from .report import Report, StepFailed
from .topo import Lab

IDLE_S = 5.0
KILLS = 5
TICK = os.sysconf("SC_CLK_TCK")


def run(json_path=None):
    """Measures; returns the exit status."""
    report, figures = Report("Hawser: first tunnel, measured"), {}
    try:
        for part in (with_strongswan, between_gateways, without_ipsec):
            with Lab() as lab:
                try:
                    part(lab, report, figures)
                except StepFailed:
                    print(lab.describe())
                    raise
    except StepFailed:
        pass
    if json_path and not report.failed:
        with open(json_path, "w", encoding="ascii") as f:
            json.dump(figures, f, indent=2)
            f.write("\n")
    return report.end()


def with_strongswan(lab, report, figures):
    with report.step("Topology, gateway, tunnels"):
        topology = FirstTunnel(lab)
        start = time.monotonic()
        topology.start_peers()
        peers_s = time.monotonic() - start
        topology.up()
        topology.one_tunnel_per_spu()
        report.say(f"up after {time.monotonic() - start - peers_s:.2f} s without the peers' start")
    with report.step("CPU of the idle gateway"):
        figures["idle-cpu-percent"] = idle_cpu(topology, report)
    for host, vpn in zip(topology.far_hosts, VPNS):
        with report.step(f"Round trips and TCP through {vpn}"):
            figures[vpn] = path(lab, topology.host_a, host, report)
    with report.step("From SIGKILL of an SPU to the stand-in's first packet"):
        figures["spu-kill-gap-ms"] = kills(lab, topology, report)


def idle_cpu(topology, report):
    gw = topology.gw
    pids = gw.hawser_pids()
    before = {pid: cpu_ticks(pid) for pid in pids}
    start = time.monotonic()
    time.sleep(IDLE_S)  # what is measured is that nothing happens for so long
    seconds = time.monotonic() - start
    figures = {}
    for pid, words in pids.items():
        percent = (cpu_ticks(pid) - before[pid]) / TICK / seconds * 100
        name = f"{os.path.basename(words[0])} ({pid})"
        figures[name] = round(percent, 2)
        report.say(f"{name}: {percent:.2f}% of a core over {seconds:.1f} s")
    return figures


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def between_gateways(lab, report, figures):
    """host-a -- gateway == plain ESP == gateway -- host-b: no other implementation in between."""
    with report.step("Hawser to Hawser, plain ESP, both inline"):
        a, b, (west, east) = line(lab, lambda name: lab.hawser(name, offload=["inline"]))
        lab.tunnel(west, east)
        east.up()
        west.up()
        west.wait_tunnel("vpn")
        east.wait_tunnel("vpn")
        figures["hawser-hawser"] = path(lab, a, b, report)


def without_ipsec(lab, report, figures):
    """The same line with kernel routers: what namespaces and generator cost by themselves."""
    with report.step("The same without IPsec: two kernel routers"):
        a, b, (west, east) = line(lab, lab.router)
        west.route("10.2.0.0/24", via="192.0.2.2")
        west.route("fd00:2::/64", via="2001:db8::2")
        east.route("10.1.0.0/24", via="192.0.2.1")
        east.route("fd00:1::/64", via="2001:db8::1")
        figures["without-ipsec"] = path(lab, a, b, report)


def line(lab, make):
    """host-a -- west -- east -- host-b; make(name) makes the two in the middle."""
    a, b, west, east = lab.host("host-a"), lab.host("host-b"), make("west"), make("east")
    lab.link(a, west, "10.1.0.0/24", "fd00:1::/64")
    lab.link(west, east, "192.0.2.0/28", "2001:db8::/64")
    lab.link(b, east, "10.2.0.0/24", "fd00:2::/64")
    a.default_routes()
    b.default_routes()
    return a, b, (west, east)


def path(lab, here, there, report):
    figures = {}
    for version in (4, 6):
        figures[f"ping-us-ipv{version}"] = ping_us(here, there.interfaces[0].ip(version))
        report.say(f"ping, IPv{version}: median {figures[f'ping-us-ipv{version}']:.0f} us")
    for name, ends in (("there", (here, there)), ("back", (there, here))):
        with lab.tcp(*ends, duration=3) as stream:
            pass
        report.check(stream.whole, str(stream))
        figures[f"tcp-mbit-per-s-{name}"] = round(stream.mbit_per_s, 1)
    return figures


def ping_us(node, address, count=200):
    said = node.run("ping", "-n", "-c", count, "-i", "0.01", address, timeout_s=60).stdout
    times = [float(ms) * 1000 for ms in re.findall(r"time=([0-9.]+) ms", said)]
    return statistics.median(times)


def kills(lab, topology, report):
    """Kills the SPU that carries the first tunnel, several times; the gaps in ms."""
    gaps = []
    for number in range(KILLS):
        topology.gw.wait_ready()
        topology.one_tunnel_per_spu()
        pid = topology.gw.spu_pid(0, 0)
        with lab.flow(topology.host_a, topology.host_b, pps=4000) as flow:
            flow.wait_arrived(2000)
            kill(pid)
            flow.wait_arrived(4000)
        gaps.append(round(flow.longest_gap_ms, 2))
        report.say(f"kill {number + 1}: {flow}")
    report.say(f"longest gap: median {statistics.median(gaps):.1f} ms, worst {max(gaps):.1f} ms")
    return gaps
