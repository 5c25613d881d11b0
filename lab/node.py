# SPDX-License-Identifier: BSD-2-Clause
"""A node: one network namespace, and what is done in it."""
import ctypes
import ipaddress
import os
import shlex
import signal
import socket
import subprocess
import time

from . import names

CLONE_NEWNET = 0x40000000

SYSCTLS = {
    # A new namespace inherits some of these from the machine: set every one that matters here.
    "net.ipv4.ip_forward": "0",
    "net.ipv6.conf.all.forwarding": "0",
    "net.ipv6.conf.all.accept_dad": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.router_solicitations": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
}


class CommandFailed(RuntimeError):
    """A command in a namespace ended with an error; the text holds all it said."""


class Node:
    """A namespace `<tag>.<name>`. Commands run in it by nsenter, which leaves /sys alone."""

    sets_own_addresses = False  # a gateway does, from its configuration

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.netns = lab.claim.netns(name)
        self.path = names.NETNS / self.netns
        self.dir = lab.claim.dir / name
        self.dir.mkdir()
        self.interfaces = []  # Interface, in the order they were made
        self._processes = []
        subprocess.run(["ip", "netns", "add", self.netns], check=True)
        self.run("ip", "link", "set", "lo", "up")
        self.sysctl(SYSCTLS)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}>"

    # ---- commands ----------------------------------------------------------------------------

    def command(self, *words):
        return ["nsenter", f"--net={self.path}", "--", *[str(w) for w in words]]

    def run(self, *words, check=True, timeout_s=30, stdin=None):
        """Runs a command to its end; returns what subprocess.run() does, as text."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, input=stdin,
                              timeout=timeout_s, errors="replace", check=False)
        if check and done.returncode != 0:
            raise CommandFailed(f"{self.name}: {shlex.join(map(str, words))}: exit status "
                                f"{done.returncode}\n{done.stdout}{done.stderr}".rstrip())
        return done

    def start(self, *words, **options):
        """Starts a command and leaves it running; it dies with the lab at the latest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.command(*words), **options)
        self._processes.append(process)
        return process

    def stop_processes(self):
        """Ends what start() started: asks, waits, insists."""
        for process in self._processes:
            stop(process)
        self._processes.clear()

    def socket(self, family, kind, protocol=0):
        """A socket of this process that lives in the node's namespace."""
        with open("/proc/self/ns/net", "rb") as ours, open(self.path, "rb") as theirs:
            _setns(theirs.fileno())
            try:
                return socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
            finally:
                _setns(ours.fileno())

    # ---- interfaces, addresses, routes ---------------------------------------------------------

    def sysctl(self, settings):
        script = "".join(f'echo {value} >/proc/sys/{key.replace(".", "/")}\n'
                         for key, value in settings.items())
        self.run("sh", "-e", "-c", script)

    def forwarding(self, on=True):
        value = "1" if on else "0"
        self.sysctl({"net.ipv4.ip_forward": value, "net.ipv6.conf.all.forwarding": value})

    def address(self, interface, *addresses):
        for address in addresses:
            nodad = ["nodad"] if ":" in str(address) else []
            self.run("ip", "address", "add", str(address), "dev", interface, *nodad)

    def route(self, prefix, via=None, dev=None):
        words = ["ip", "-6" if ":" in str(prefix) else "-4", "route", "replace", str(prefix)]
        words += ["via", str(via)] if via else []
        words += ["dev", dev] if dev else []
        self.run(*words)

    def default_routes(self):
        """Default routes of both families by the node at the other end of its first link."""
        other = self.interfaces[0].other
        for address in other.addresses:
            self.route("0.0.0.0/0" if address.version == 4 else "::/0", via=address.ip)

    def mac(self, interface):
        """Its MAC address, as text."""
        return self.run("ip", "-br", "link", "show", "dev", interface).stdout.split()[2]

    # ---- questions -----------------------------------------------------------------------------

    def ping(self, address, count=1, timeout_s=1.0, size=None, options=()):
        """Pings; returns how many answers came."""
        words = ["ping", "-n", "-q", "-c", count, "-W", timeout_s, "-i", "0.01", *options]
        words += ["-s", size] if size is not None else []
        done = self.run(*words, address, check=False, timeout_s=timeout_s * count + 10)
        for line in done.stdout.splitlines():
            if "packets transmitted" in line:
                return int(line.split(",")[1].split()[0])
        raise CommandFailed(f"{self.name}: ping {address}: {done.stdout}{done.stderr}")

    def log(self, lines=30):
        """The last lines of what its programs said; empty for a plain node."""
        return ""

    def describe(self):
        """Addresses, routes and logs, for a failure report."""
        text = "".join(self.run(*words.split(), check=False).stdout for words in (
            "ip -br address", "ip rule", "ip route", "ip -6 route"))
        return f"=== {self.name} ({self.netns})\n{text}{self.log()}"

    def pids(self):
        return names.pids_in_netns(self.netns)


def _setns(fd):
    """Moves the calling thread alone."""
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Interface:
    """One end of a link: node, device name, and the addresses that are planned for it."""

    def __init__(self, node, name, addresses):
        self.node, self.name = node, name
        self.other = None  # the other end of the link
        self.addresses = [ipaddress.ip_interface(a) for a in addresses]

    def ip(self, version=4):
        """The first address of this family, without its length, as text."""
        return next(str(a.ip) for a in self.addresses if a.version == version)

    def __repr__(self):
        return f"<{self.node.name} {self.name}>"


def stop(process, patience_s=5.0):
    """SIGTERM, wait, SIGKILL. Returns the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(patience_s)
    return process.returncode


def kill(pid, sig=signal.SIGKILL, wait_s=0.0):
    """Sends a signal to a process of ours; with wait_s, returns when it is gone."""
    os.kill(pid, sig)
    end = time.monotonic() + wait_s
    while time.monotonic() < end and alive(pid):
        time.sleep(0.001)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
