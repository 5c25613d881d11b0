# SPDX-License-Identifier: BSD-2-Clause
"""A node that runs a Hawser gateway, seen from outside: its configuration, its commands, its pids.

    gw = lab.hawser("gw", offload=["inline", "software"])     # two SPUs: 0/0 and 0/1
    lab.link(host, gw, "10.1.1.0/24"); lab.link(gw, peer, "192.0.2.0/24")
    lab.tunnel(gw, peer, "vpn")
    gw.up()
    gw.show("security ipsec security-associations")["sa"]
"""
import json
import os
import re
import signal
import subprocess

from . import programs
from .node import CommandFailed, Node, alive, kill, stop
from .wait import wait_until

PROGRAMS = ("hawserd", "hawser-re", "hawser-spu")
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")


class HawserError(CommandFailed):
    """A command was refused; error holds {"what", "path", "expected"} as far as they were given."""

    def __init__(self, command, error):
        super().__init__(f"{command}: {error}")
        self.error = error


class Hawser(Node):
    sets_own_addresses = True

    def __init__(self, lab, name, offload=("inline", "software"), profile=None):
        """offload: one word per SPU: "inline", "software", or "vdev" for a port without crypto."""
        super().__init__(lab, name)
        self.rundir = self.dir / "run"
        self.config = self.dir / "hawser.conf"
        self.vpns = []
        self.st0_addresses = []  # per VPN: {family: address}
        self._lines = []
        self._marks = []  # per VPN: how many lines there were before it
        self._log = self.dir / "hawserd.log"
        self.keeper = None  # the process
        self.rundir.mkdir()
        for number, engine in enumerate(offload):
            pic = f"chassis fpc {number // 4} pic {number % 4}"
            vdev = engine == "vdev"
            self.set(f"{pic} port {'vdev net_af_packet0' if vdev else 'emulated'}",
                     f"{pic} offload {'software' if vdev else engine}",
                     *([f"{pic} profile {profile}"] if profile else []))
        self.set("security policies default-policy permit-all")

    # ---- configuration ---------------------------------------------------------------------------

    def set(self, *lines):
        """Adds lines of configuration, each without its leading `set`."""
        self._lines += lines
        return self

    def without(self, *starts):
        """Takes away the lines that begin so."""
        self._lines = [line for line in self._lines if not line.startswith(starts)]
        return self

    def add_vpn(self, name, interface, peer, secret, remote_nets, st0_addresses, *,
                establish="immediately", ike="aes-256-gcm", prf="sha-256", group="group31",
                esp="aes-128-gcm", auth=None, protocol="esp", udp=False, ids=None, extra=()):
        """One route-based VPN on an st0 unit of its own; extra lines follow `vpn NAME`.

        esp and auth are the packets' cipher and integrity, None for none; ids our identity and the
        peer's, as host names.
        """
        unit = len(self.vpns)
        v, st0 = f"security ipsec vpn {name}", f"st0.{unit}"
        self.vpns.append(name)
        self._marks.append(len(self._lines))
        self.st0_addresses.append({6 if ":" in a else 4: a.split("/")[0] for a in st0_addresses})
        for address in st0_addresses:
            family = "inet6" if ":" in address else "inet"
            self.set(f"interfaces st0 unit {unit} family {family} address {address}")
        self.set(*[f"routing-options static route {net} next-hop {st0}" for net in remote_nets])
        self.set(f"security zones security-zone vpn interfaces {st0}",
                 f"security ike proposal {name} authentication-method pre-shared-keys",
                 f"security ike proposal {name} encryption-algorithm {ike}",
                 f"security ike proposal {name} authentication-algorithm {prf}",
                 f"security ike proposal {name} dh-group {group}",
                 f"security ike policy {name} proposals {name}",
                 f'security ike policy {name} pre-shared-key ascii-text "{secret}"',
                 f"security ike gateway {name} ike-policy {name}",
                 f"security ike gateway {name} address {peer}",
                 f"security ike gateway {name} external-interface {interface}.0",
                 f"security ike gateway {name} version v2-only",
                 *([f"security ike gateway {name} force-udp-encapsulation"] if udp else []),
                 *([f"security ike gateway {name} local-identity hostname {ids[0]}",
                    f"security ike gateway {name} remote-identity hostname {ids[1]}"]
                   if ids else []),
                 f"security ipsec proposal {name} protocol {protocol}",
                 *([f"security ipsec proposal {name} encryption-algorithm {esp}"] if esp else []),
                 *([f"security ipsec proposal {name} authentication-algorithm {auth}"]
                   if auth else []),
                 f"security ipsec policy {name} proposals {name}",
                 f"{v} bind-interface {st0}",
                 f"{v} ike gateway {name}",
                 f"{v} ike ipsec-policy {name}",
                 f"{v} establish-tunnels {establish}",
                 *[f"{v} {line}" for line in extra])
        return unit

    def forget_vpn(self, name):
        """Takes the latest VPN out of the configuration again."""
        assert self.vpns[-1] == name
        self.vpns.pop()
        self.st0_addresses.pop()
        self._lines = self._lines[:self._marks.pop()]

    def text(self):
        """The configuration, as set lines."""
        outside = {line.split()[-1].removesuffix(".0") for line in self._lines
                   if " external-interface " in line}
        lines = list(self._lines)
        for interface in self.interfaces:
            zone = "untrust" if interface.name in outside else "trust"
            for address in interface.addresses:
                family = "inet6" if address.version == 6 else "inet"
                lines.append(f"interfaces {interface.name} unit 0 family {family} "
                             f"address {address}")
            if not any(line.endswith(f" interfaces {interface.name}.0") for line in self._lines):
                lines.append(f"security zones security-zone {zone} interfaces {interface.name}.0")
        zones = {"trust": ["any-service"], "untrust": ["ike", "ping"], "vpn": ["any-service"]}
        used = "\n".join(lines)
        lines += [f"security zones security-zone {zone} host-inbound-traffic "
                  f"system-services {service}" for zone, services in zones.items()
                  if f"security-zone {zone} interfaces" in used for service in services]
        return "".join(f"set {line}\n" for line in lines)

    def checker(self):
        """The command that checks a configuration, without `-f FILE`."""
        return programs.find("hawser-re"), "--check"

    # ---- life --------------------------------------------------------------------------------------

    def up(self, timeout_s=30):
        """Starts hawserd and waits until its SPUs are in service."""
        self.config.write_text(self.text())
        self.start_keeper()
        self.wait_ready(timeout_s)
        return self

    def start_keeper(self):
        """Starts hawserd alone; after a SIGKILL, as systemd would."""
        with open(self._log, "ab") as log:
            self.keeper = self.start(*self.keeper_command(), stdout=log, stderr=subprocess.STDOUT,
                                     env=self.environment())
        return self.keeper

    def keeper_command(self):
        return programs.find("hawserd"), "-f", self.config, "-d", self.rundir

    def reload(self, text, timeout_s=20):
        """Puts another configuration into force."""
        path = self.dir / "changed.conf"
        path.write_text(text)
        return self.request(f"system configuration load {path}", timeout_s)

    def environment(self):
        """hawserd finds the others beside itself; a sanitizer's finding ends a program."""
        env = dict(os.environ)
        env.setdefault("ASAN_OPTIONS", "abort_on_error=0:exitcode=99")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        return env

    def wait_ready(self, timeout_s=30):
        def ready():
            if self.keeper.poll() is not None:
                raise CommandFailed(f"hawserd ended with status {self.keeper.returncode}")
            spus = self.spus()
            return spus and all(spu["state"].lower() in READY for spu in spus)
        wait_until(f"{self.name}: SPUs are in service", ready, timeout_s, seen=self.log)

    def down(self, timeout_s=15):
        """SIGTERM, as an administrator ends it; returns hawserd's exit status."""
        status = stop(self.keeper, timeout_s)
        wait_until(f"{self.name}: all processes are gone", lambda: not self.hawser_pids(), 10,
                   seen=self.log)
        return status

    def stop_processes(self):
        failures = self.sanitizer_findings()
        super().stop_processes()
        failures = failures or self.sanitizer_findings()
        if failures:
            raise AssertionError(f"{self.name}: a sanitizer found:\n{failures}")

    def sanitizer_findings(self):
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        found = SANITIZER.search(text)
        return text[max(0, found.start() - 200):found.start() + 4000] if found else ""

    # ---- commands ----------------------------------------------------------------------------------

    def cli(self, *words, check=True, timeout_s=20):
        """Runs `hawser -d RUNDIR WORDS`; returns what subprocess.run() does."""
        words = [part for word in words for part in str(word).split()]
        done = subprocess.run([programs.find("hawser"), "-d", str(self.rundir), *words],
                              capture_output=True, text=True, timeout=timeout_s, check=False)
        if check and done.returncode != 0:
            try:
                error = json.loads(done.stdout)["error"]
            except (ValueError, KeyError, TypeError):
                error = {"what": (done.stdout + done.stderr).strip()}
            raise HawserError(f"{self.name}: hawser {' '.join(words)}", error)
        return done

    def show(self, words):
        """The JSON document of `show WORDS`."""
        return json.loads(self.cli("show", words, "| display json").stdout)

    def request(self, words, timeout_s=20):
        """`request WORDS`; what it answers, as JSON where it answers at all."""
        return _maybe_json(self.cli("request", words, "| display json",
                                    timeout_s=timeout_s).stdout)

    def clear(self, words):
        return _maybe_json(self.cli("clear", words, "| display json").stdout)

    # ---- questions -----------------------------------------------------------------------------------

    def spus(self):
        return self.show("chassis spu")["spu"]

    def sas(self):
        """The IPsec SA pairs."""
        return self.show("security ipsec security-associations")["sa"]

    def sa(self, vpn):
        """The newest installed SA pair of a VPN, or None."""
        found = [sa for sa in self.sas() if sa["vpn-name"] == vpn and
                 sa["state"].lower() == "installed"]
        return found[-1] if found else None

    def established(self, vpn):
        return self.sa(vpn) is not None

    def wait_tunnel(self, vpn, timeout_s=15):
        """Waits until the VPN has an installed SA pair; returns it."""
        return wait_until(f"{self.name}: tunnel {vpn} is up", lambda: self.sa(vpn), timeout_s,
                          seen=lambda: self.log(60))

    def drops(self):
        """`show security flow drops`: in, out, held, ... and {(reason, where): packets}."""
        said = self.show("security flow drops")
        table = {(d["reason"], d["where"]): d["packets"] for d in said["drop"]}
        return said, table

    def dropped(self, reason):
        """How many packets were dropped for this reason (its text), anywhere."""
        return sum(n for (why, _where), n in self.drops()[1].items() if why == reason)

    def log(self, lines=40):
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return f"--- log of {self.name}\n" + "\n".join(text.splitlines()[-lines:]) + "\n"

    # ---- its processes ---------------------------------------------------------------------------------

    def hawser_pids(self, *programs_wanted):
        """{pid: command line} of Hawser's processes in this namespace."""
        wanted = programs_wanted or PROGRAMS
        found = {}
        for pid in self.pids():
            try:
                exe = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().decode(errors="replace").split("\0")[:-1]
            except OSError:
                continue
            if exe.removesuffix(" (deleted)") in wanted and alive(pid):
                found[pid] = words
        return found

    def re_pid(self):
        return next(iter(self.hawser_pids("hawser-re")), None)

    def spu_pid(self, fpc, pic):
        """The process of one SPU, or None; asks nobody, so it works without a routing engine."""
        for pid, words in self.hawser_pids("hawser-spu").items():
            if _slot_of(words) == fpc * 4 + pic:
                return pid
        return None

    def lose_run_time_table(self):
        """Takes the run-time table away, as a machine does that was switched off."""
        removed = [path for path in self.rundir.iterdir() if "runtime" in path.name]
        assert removed, f"no run-time table in {sorted(p.name for p in self.rundir.iterdir())}"
        for path in removed:
            path.unlink()

    def kill_all(self):
        """SIGKILL for hawserd, RE and SPUs, as near to at once as can be."""
        pids = list(self.hawser_pids())
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            kill(pid, signal.SIGKILL)
        self.keeper.wait(5)
        wait_until(f"{self.name}: all are dead", lambda: not self.hawser_pids())


# What `show chassis spu` calls an SPU that carries traffic.
READY = ("online", "active", "up")


def _slot_of(words):
    """The slot in an SPU's command line: `... --slot N`."""
    for option, value in zip(words, words[1:]):
        if option in ("--slot", "-s"):
            return int(value)
    return None


def _maybe_json(text):
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text
