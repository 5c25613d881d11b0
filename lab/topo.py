# SPDX-License-Identifier: BSD-2-Clause
"""Lab: the nodes and links of one topology, made by name and removed as a whole.

    with Lab() as lab:
        a, b = lab.host("host-a"), lab.host("host-b")
        lab.link(a, b, "10.1.1.0/24", "fd00:1:1::/64")
        assert a.ping("10.1.1.2") == 1

Leaving the block removes everything, also after an exception, SIGTERM or SIGINT (which become
exceptions while a Lab is open); what an owner leaves that was killed, the next Lab sweeps.
"""
import ipaddress
import itertools
import signal
import subprocess
import threading

from . import names
from .flow import Flow, TcpStream
from .node import Interface, Node


class Stopped(BaseException):
    """A signal asked this process to end: unwinds like KeyboardInterrupt."""


_open_labs = []


def open_labs():
    """The labs of this process that are not closed yet."""
    return list(_open_labs)


class Lab:
    def __init__(self):
        names.sweep()
        self.claim = names.Claim()
        self.nodes = {}
        self._old_handlers = {}
        self._on_close = []
        self._ports = itertools.count(20000)
        self._tunnels = itertools.count(1)
        _open_labs.append(self)

    @property
    def tag(self):
        return self.claim.tag

    # ---- life ----------------------------------------------------------------------------------

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                self._old_handlers[number] = signal.signal(number, _raise_stopped)
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Stops and removes everything; goes on after a failure and then raises the first."""
        for number in self._old_handlers:  # no second signal may cut the cleaning short
            signal.signal(number, signal.SIG_IGN)
        failures = []
        for step in [*reversed(self._on_close), *[n.stop_processes for n in self.nodes.values()],
                     self.claim.release]:
            try:
                step()
            except Exception as e:  # noqa: BLE001: the rest must go all the same
                failures.append(e)
        self._on_close.clear()
        self.nodes.clear()
        if self in _open_labs:
            _open_labs.remove(self)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._old_handlers.clear()
        if failures:
            raise failures[0]

    def on_close(self, step):
        """Has step() called first thing when the lab closes, the latest given first."""
        self._on_close.append(step)

    def describe(self):
        """What every node has to say about itself, for a failure report."""
        return "\n".join(node.describe() for node in self.nodes.values())

    # ---- building ------------------------------------------------------------------------------

    def add(self, kind, name, *args, **options):
        if name in self.nodes:
            raise ValueError(f"{name}: there is one already")
        node = self.nodes[name] = kind(self, name, *args, **options)
        return node

    def host(self, name):
        """A plain namespace."""
        return self.add(Node, name)

    def router(self, name):
        """A plain namespace that forwards."""
        node = self.add(Node, name)
        node.forwarding()
        return node

    def strongswan(self, name, **options):
        from .strongswan import Strongswan
        return self.add(Strongswan, name, **options)

    def hawser(self, name, **options):
        from .hawser import Hawser
        return self.add(Hawser, name, **options)

    def link(self, a, b, *nets, mtu=1500):
        """A veth pair between two nodes; the first gets host 1 of each net, the second host 2.

        Returns the two interfaces, named eth0, eth1, ... in each node. A Hawser gateway sets its
        own addresses, from its configuration; all others get theirs here. Packets of a local stack
        have partial checksums, which XDP forwards as they are, and a redirect into a veth without
        GRO is dropped: so checksum and segmentation offload are off, and GRO is on, at both ends,
        before either comes up: newer kernels look at the other end's GRO only then.
        """
        made = []
        for place, node in enumerate((a, b), start=1):
            addresses = [_nth(net, place) for net in nets]
            made.append(Interface(node, f"eth{len(node.interfaces)}", addresses))
            node.interfaces.append(made[-1])
        first, second = made
        first.other, second.other = second, first
        subprocess.run(["ip", "link", "add", first.name, "netns", a.netns, "mtu", str(mtu),
                        "type", "veth", "peer", "name", second.name, "netns", b.netns,
                        "mtu", str(mtu)], check=True)
        for end in made:
            end.node.run("ethtool", "-K", end.name, "tx", "off", "tso", "off", "gso", "off",
                         "gro", "on")
        for end in made:
            end.node.run("ip", "link", "set", end.name, "up")
            if end.node.sets_own_addresses:
                continue
            end.node.address(end.name, *end.addresses)
        return first, second

    def next_tunnel(self):
        """A number that no other tunnel of this lab has, for its network of st0 addresses."""
        return next(self._tunnels)

    def tunnel(self, a, b, name="vpn", **options):
        """Configures a tunnel between two nodes that share a link; see tunnel.py."""
        from .tunnel import Tunnel
        return Tunnel(self, a, b, name, **options)

    # ---- traffic -------------------------------------------------------------------------------

    def next_port(self):
        """A UDP or TCP port that no other stream of this lab uses."""
        return next(self._ports)

    def node(self, node):
        return self.nodes[node] if isinstance(node, str) else node

    def flow(self, source, target, **options):
        """Numbered packets between two nodes (or their names); see flow.py."""
        return Flow(self.node(source), self.node(target), **options)

    def tcp(self, source, target, **options):
        return TcpStream(self.node(source), self.node(target), **options)


def _nth(net, n):
    net = ipaddress.ip_network(net)
    return f"{net[n]}/{net.prefixlen}"


def _raise_stopped(number, _frame):
    raise Stopped(f"stopped by {signal.Signals(number).name}")
