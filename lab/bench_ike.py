# SPDX-License-Identifier: BSD-2-Clause
"""`hawser-lab bench ike`: what a handshake costs, beside the bare arithmetic and strongSwan.

    gateway (Hawser or charon) == ike-load (one process that is as many peers as are wanted)

The peers' addresses are all local at ike-load's end. CPU is that of the measured daemon alone, of
all its threads, from the kernel's own account in nanoseconds.
"""
import json
import os
import re
import subprocess

from . import programs
from .report import Report, StepFailed, table
from .strongswan import PLUGINS
from .topo import Lab
from .wait import wait_until

SECRET = "a secret for the lab"
LOCAL, PEER, NET, FIRST = "192.0.2.1", "192.0.2.2", "172.16.0.0/12", "172.16.0.1"
GROUPS = {14: ("group14", "modp2048", "ffdh2048"), 19: ("group19", "ecp256", "ecdhp256"),
          31: ("group31", "x25519", "ecdhx25519")}
KEYS = ("role", "auth", "group", "cores", "handshakes_per_s", "cpu_us", "bare_us", "share",
        "strongswan_cpu_us", "bytes_per_sa", "tunnels", "spus", "last_over_first")
HEADS = ("role", "group", "cores", "SPUs", "tunnels", "per s", "CPU us", "bare us", "share",
         "strongSwan us", "bytes per SA", "last/first")


def run(json_path=None, quick=False, tunnels=None):
    """Measures; returns the exit status."""
    report, rows = Report("Hawser: IKE handshakes, measured"), []
    count = tunnels or (50 if quick else 1000)
    cores = [1] if quick or os.cpu_count() < 2 else [1, 2]
    groups = [31] if quick else list(GROUPS)
    try:
        for group in groups:
            with report.step(f"Bare arithmetic, group {group}"):
                bare_us = bare(group, 1, report)
            with report.step(f"strongSwan as responder, group {group}, {count} tunnels"):
                swan = strongswan(group, count)
                report.say(f"{swan['cpu_us']:.0f} us each, {swan['per_s']:.0f} per second")
            for role, n_cores, spus in [*[("responder", n, 0) for n in cores],
                                        *[("initiator", n, 0) for n in cores],
                                        *([] if quick or group != 31 else [("responder", 2, 1)])]:
                with report.step(f"Hawser as {role}, group {group}, {n_cores} cores, "
                                 f"{spus or 'no'} SPU, {count} tunnels"):
                    row = hawser(role, group, n_cores, spus, count)
                    row.update(bare_us=bare_us, share=round(bare_us / row["cpu_us"], 3),
                               strongswan_cpu_us=swan["cpu_us"])
                    rows.append({key: row[key] for key in KEYS})
                    report.say(f"{row['cpu_us']:.0f} us each, {row['handshakes_per_s']:.0f} per "
                               "second")
    except StepFailed:
        pass
    if rows:
        print("\n" + table([cells(row) for row in rows], HEADS))
    if json_path and not report.failed:
        with open(json_path, "w", encoding="ascii") as f:
            json.dump(rows, f, indent=2)
            f.write("\n")
    return report.end()


def cells(row):
    return [row["role"], row["group"], row["cores"], row["spus"], row["tunnels"],
            f"{row['handshakes_per_s']:.0f}", f"{row['cpu_us']:.0f}", f"{row['bare_us']:.0f}",
            f"{row['share']:.2f}", f"{row['strongswan_cpu_us']:.0f}", row["bytes_per_sa"],
            f"{row['last_over_first']:.2f}"]


# ---- what is measured ----------------------------------------------------------------------------

def bare(group, seconds, report):
    """A key pair and a secret, in CPU time; the secret alone must agree with `openssl speed`."""
    said = subprocess.run([programs.find("ike-bare"), str(group), str(seconds)], check=True,
                          capture_output=True, text=True)
    ours = json.loads(said.stdout)
    speed = subprocess.run(["openssl", "speed", "-seconds", str(seconds), GROUPS[group][2]],
                           check=True, capture_output=True, text=True).stdout
    theirs_us = 1e6 / float(re.findall(r"([0-9.]+)$", speed.strip())[-1])
    report.say(f"{ours['bare_us']} us; the secret alone {ours['derive_us']} us, by openssl speed "
               f"{theirs_us:.1f} us")
    return ours["bare_us"]


def hawser(role, group, cores, spus, count):
    with Lab() as lab:
        gw = lab.hawser("gw", offload=["software"] * spus)
        load = load_node(lab, gw)
        configure(gw, role, group, count)
        gw.config.write_text(gw.text())
        gw.start_keeper()
        if spus:
            gw.wait_ready(120)
        wait_until("the routing engine answers", lambda: gw.show("security ike stats"), 120,
                   seen=gw.log)
        pid = gw.re_pid()
        pin(pid, cores)
        reload_us = 0
        if role == "initiator":  # what taking the configuration costs is not the handshakes'
            reload_us = -cpu_us(pid)
            gw.reload(gw.text(), 300)
            reload_us += cpu_us(pid)
        start_us, start_bytes = cpu_us(pid) + reload_us, resident(pid)
        if role == "responder":
            said = bring_up(load, "initiate", LOCAL, group, count)
        else:
            said = bring_up(load, "answer", LOCAL, group, count,
                            begin=lambda: gw.reload(wanted(gw), 300))
        return {"role": role, "auth": "psk", "group": group, "cores": cores, "spus": spus,
                "tunnels": count, "handshakes_per_s": round(count / said["seconds"], 1),
                "cpu_us": round((cpu_us(pid) - start_us) / count, 1),
                "bytes_per_sa": round((resident(pid) - start_bytes) / count),
                "last_over_first": round(said["last_per_s"] / said["first_per_s"], 3)}


def strongswan(group, count):
    with Lab() as lab:
        peer = lab.strongswan("peer", quiet=True, plugins=PLUGINS.replace("kernel-libipsec ", ""))
        load = load_node(lab, peer)
        peer.connection("any", "%any", "%any", SECRET, "0.0.0.0/0", "0.0.0.0/0",
                        ike=f"aes256gcm16-prfsha256-{GROUPS[group][1]}", local_id="%any",
                        remote_id="%any")
        peer.up()
        pid = peer.charon_pid()
        start_us = cpu_us(pid)
        said = bring_up(load, "initiate", LOCAL, group, count)
        return {"cpu_us": round((cpu_us(pid) - start_us) / count, 1),
                "per_s": count / said["seconds"]}


def load_node(lab, measured):
    """The namespace that is all the peers."""
    load = lab.host("load")
    lab.link(measured, load, "192.0.2.0/24")
    load.run("ip", "route", "add", "local", NET, "dev", "lo")
    if measured.sets_own_addresses:
        measured.set(f"routing-options static route {NET} next-hop {PEER}")
    else:
        measured.route(NET, via=PEER)
    return load


def bring_up(load, how, to, group, count, begin=None):
    """Runs ike-load until all are up; what it says of them. The peers go with the lab."""
    process = load.start(programs.find("ike-load"), how, to, FIRST, count, group,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if begin:
        begin()
    line = process.stdout.readline()
    if not line:
        raise AssertionError("ike-load ended early")
    return json.loads(line)


# ---- configuration -------------------------------------------------------------------------------

def configure(gw, role, group, count):
    """As many gateways and VPNs, all on one multipoint unit: no packet will choose among them."""
    gw.set("interfaces st0 unit 0 multipoint",
           "interfaces st0 unit 0 family inet address 10.250.0.1/16",
           "security zones security-zone vpn interfaces st0.0",
           "security ike proposal p authentication-method pre-shared-keys",
           "security ike proposal p encryption-algorithm aes-256-gcm",
           "security ike proposal p authentication-algorithm sha-256",
           f"security ike proposal p dh-group {GROUPS[group][0]}",
           "security ike policy p proposals p",
           f'security ike policy p pre-shared-key ascii-text "{SECRET}"',
           "security ipsec proposal p protocol esp",
           "security ipsec proposal p encryption-algorithm aes-128-gcm",
           "security ipsec policy p proposals p")
    for i in range(count):
        gateway, vpn = f"security ike gateway g{i}", f"security ipsec vpn v{i}"
        number = i + 1
        gw.set(f"{gateway} ike-policy p",
               f"{gateway} address 172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}",
               f"{gateway} external-interface eth0.0",
               f"{vpn} bind-interface st0.0",
               f"{vpn} ike gateway g{i}",
               f"{vpn} ike ipsec-policy p")
    assert role in ("responder", "initiator")


def wanted(gw):
    """The same configuration, with each tunnel to be up at once."""
    return gw.text() + "".join(f"set security ipsec vpn {v} establish-tunnels immediately\n"
                               for v in re.findall(r"security ipsec vpn (\S+) bind", gw.text()))


# ---- what the kernel says of a process -----------------------------------------------------------

def cpu_us(pid):
    """CPU time of all its threads that there are."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1000


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Anonymous:\s+(\d+) kB", f.read(), re.M).group(1)) * 1024


def pin(pid, cores):
    """To the first cores of the machine, with all its threads."""
    wanted_cores = sorted(os.sched_getaffinity(0))[:cores]
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), wanted_cores)
