# SPDX-License-Identifier: BSD-2-Clause
"""Numbered packets and TCP streams between two nodes, by the generator in lab/traffic.

    with lab.flow(a, b, pps=2000) as flow:
        ...                          # what is done to the network meanwhile
    assert flow.lost == [] and flow.duplicated == 0

While the block runs, flow.arrived says how many came so far. Leaving it stops the sender, lets what
is under way arrive, and reads both reports.
"""
import json
import secrets
import signal
import subprocess
import threading

from . import programs
from .node import stop
from .wait import wait_until

PROGRESS_MS = 50
SETTLE_S = 0.6  # nothing new for so long: nothing is under way any more


class GeneratorFailed(RuntimeError):
    """hawser-traffic ended with an error; the text is what it said."""


class Generator:
    """One running hawser-traffic and its report."""

    def __init__(self, node, mode, **options):
        words = [word for key, value in options.items() if value is not None
                 for word in (f"--{key.replace('_', '-')}", value)]
        self.what = f"{node.name}: hawser-traffic {mode}"
        self.ready, self.progress, self.report = threading.Event(), 0, None
        self._process = node.start(programs.find("hawser-traffic"), mode, *words, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            said = json.loads(line)
            if "ready" in said:
                self.ready.set()
            elif "progress" in said:
                self.progress = said["progress"]
            else:
                self.report = said
        self.ready.set()

    def wait_ready(self, timeout_s=10):
        if not self.ready.wait(timeout_s) or self._process.poll() is not None:
            self._fail()

    def running(self):
        return self._process.poll() is None

    def end(self):
        """Asks it to end; returns its report."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
        return self.result(15)

    def result(self, timeout_s):
        """Waits for its own end; returns its report."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        self._reader.join(5)
        if self.report is None or self._process.returncode != 0:
            self._fail()
        return self.report

    def _fail(self):
        stop(self._process)
        raise GeneratorFailed(f"{self.what}: exit status {self._process.returncode}: "
                              f"{self._process.stderr.read().strip()}")


class Flow:
    """A stream of numbered UDP packets; a context manager, or start() and finish()."""

    def __init__(self, source, target, version=4, to=None, sender=None, **options):
        options.setdefault("pps", 1000)
        options.setdefault("duration", 300)
        options.setdefault("port", target.lab.next_port())
        options.setdefault("run", secrets.randbits(63))
        options.setdefault("size", 200)
        self.run, self.size = options["run"], options["size"]
        self.source, self.target = source, target
        self.to = to or target.interfaces[0].ip(version)
        self._options, self._sender_address = options, sender
        self._send = self._receive = None

    def start(self):
        shared = {key: self._options.get(key) for key in ("port", "run", "flows", "count")}
        self._receive = Generator(self.target, "receive", bind=self.to, progress=PROGRESS_MS,
                                  duration=self._options["duration"] + 30, **shared)
        self._receive.wait_ready()
        self._send = Generator(self.source, "send", to=self.to, **{"from": self._sender_address},
                               **self._options)
        return self

    @property
    def arrived(self):
        """How many packets (distinct numbers) came so far."""
        if self._receive.report:
            return self._receive.report["received"]
        return self._receive.progress

    def wait_arrived(self, more, timeout_s=15):
        """Waits until so many more packets arrived."""
        goal = self.arrived + more
        wait_until(f"{more} more packets from {self.source.name} to {self.target.name}",
                   lambda: self.arrived >= goal, timeout_s, seen=lambda: f"{self.arrived} arrived")

    def wait_sent(self, timeout_s=60):
        """Waits until the sender has sent its count."""
        self._send.result(timeout_s)

    def finish(self):
        """Stops the sender, lets the rest arrive, reads the reports."""
        self.sent_report = self._send.end()
        self._settle()
        self.received_report = self._receive.end()
        return self

    def _settle(self):
        last, quiet_s, step_s = -1, 0.0, 0.05
        while self._receive.running() and self.arrived < self.sent and quiet_s < SETTLE_S:
            quiet_s = quiet_s + step_s if self.arrived == last else 0.0
            last = self.arrived
            threading.Event().wait(step_s)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *rest):
        try:
            self.finish()
        except GeneratorFailed:
            if kind is None:  # else the first failure is the one to see
                raise

    # ---- what came of it, after finish() -------------------------------------------------------

    @property
    def sent(self):
        return self.sent_report["sent"]

    @property
    def refused(self):
        """What the sender's own kernel refused, by errno; each was sent again."""
        return self.sent_report["refused"]

    @property
    def received(self):
        return self.received_report["received"]

    @property
    def lost_count(self):
        return self.sent - self.received

    @property
    def lost(self):
        """The numbers that never came; with several flows, (flow, number)."""
        lost, several = [], len(self.sent_report["flow"]) > 1
        for sent, got in zip(self.sent_report["flow"], self.received_report["flow"]):
            ranges = list(got["missing"])
            ranges.append([got.get("highest", -1) + 1, sent["sent"] - 1])
            for first, last in ranges:
                lost += [(sent["flow"], n) if several else n for n in range(first, last + 1)]
        return lost

    def _sum(self, key):
        return sum(flow[key] for flow in self.received_report["flow"])

    @property
    def duplicated(self):
        return self._sum("duplicated")

    @property
    def reordered(self):
        return self._sum("reordered")

    @property
    def corrupt(self):
        return self.received_report["corrupt"]

    @property
    def longest_gap_ms(self):
        """The longest silence in any one flow."""
        return max(f.get("longest-gap-ns", 0) for f in self.received_report["flow"]) / 1e6

    @property
    def delay_mean_us(self):
        got = [f for f in self.received_report["flow"] if f["received"]]
        total = sum(f["delay-mean-ns"] * f["received"] for f in got)
        return total / sum(f["received"] for f in got) / 1e3 if got else float("nan")

    def __str__(self):
        return (f"{self.source.name} -> {self.target.name} ({self.to}): {self.sent} sent, "
                f"{self.received} received, {self.lost_count} lost, {self.duplicated} duplicated, "
                f"{self.reordered} out of order, longest gap {self.longest_gap_ms:.1f} ms")


class TcpStream:
    """One TCP connection whose bytes are checked; a context manager, or start() and finish()."""

    def __init__(self, source, target, version=4, to=None, sender=None, duration=3, **options):
        self.source, self.target = source, target
        self.to = to or target.interfaces[0].ip(version)
        self._options = dict(options, port=target.lab.next_port(), run=secrets.randbits(63))
        self._duration, self._sender_address = duration, sender

    def start(self):
        self._receive = Generator(self.target, "tcp-receive", bind=self.to,
                                  duration=self._duration + 30, port=self._options["port"],
                                  run=self._options["run"])
        self._receive.wait_ready()
        self._send = Generator(self.source, "tcp-send", to=self.to, duration=self._duration,
                               **{"from": self._sender_address}, **self._options)
        return self

    def finish(self):
        """Waits for the end of the stream; reads the reports."""
        self.sent_report = self._send.result(self._duration + 40)
        self.received_report = self._receive.result(15)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *rest):
        if kind is None:
            self.finish()

    @property
    def whole(self):
        """Every byte that was sent arrived, and was right."""
        return (self.bytes > 0 and not self.received_report["corrupt"] and
                self.sent_report["bytes"] == self.bytes == self.sent_report["confirmed"])

    @property
    def bytes(self):
        return self.received_report["bytes"]

    @property
    def mbit_per_s(self):
        return self.received_report["mbit-per-s"]

    @property
    def longest_gap_ms(self):
        return self.received_report["longest-gap-ns"] / 1e6

    def __str__(self):
        return (f"TCP {self.source.name} -> {self.target.name} ({self.to}): {self.bytes} bytes, "
                f"{self.mbit_per_s:.0f} Mbit/s, {'all right' if self.whole else 'NOT whole'}")
