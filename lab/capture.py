# SPDX-License-Identifier: BSD-2-Clause
"""Packet captures, and what may never be found in one.

Capture at a neighbour's end of a link: what XDP redirects never reaches the taps of the gateway's
own device.
"""
import ipaddress
import signal
import struct
import subprocess

from .wait import NotReached, wait_until

ETHERTYPES = {0x0800: 4, 0x86dd: 6}


class Capture:
    """tcpdump on one interface; a context manager. Afterwards: packets(), esp(), find()."""

    def __init__(self, node, interface, filter_words=""):
        self.node, self.interface = node, interface
        self.path = node.dir / f"{interface}-{node.lab.next_port()}.pcap"
        self._said = self.path.with_suffix(".txt")
        self._filter = filter_words.split()

    def start(self):
        with open(self._said, "wb") as said:
            self._process = self.node.start(
                "tcpdump", "-n", "-U", "--immediate-mode", "-i", self.interface, "-s", "0", "-B", "65536", "-Z", "root",
                "-w", self.path, *self._filter, stdout=said, stderr=said)
        wait_until(f"tcpdump listens at {self.node.name} {self.interface}",
                   lambda: "listening on" in self._said.read_text(errors="replace"),
                   seen=lambda: self._said.read_text(errors="replace"))
        return self

    def stop(self):
        self._wait_quiet()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        return self

    def _wait_quiet(self):
        """Lets tcpdump write what it is behind with."""
        sizes = [-1]

        def still():
            sizes.append(self.path.stat().st_size if self.path.exists() else 0)
            return sizes[-1] == sizes[-2]
        try:
            wait_until("the capture is quiet", still, 5, every_s=0.1)
        except NotReached:
            pass  # there is always somebody talking; dropped tells whether it matters

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    @property
    def dropped(self):
        """Packets that tcpdump itself lost: a search that found nothing proves nothing then."""
        for line in self._said.read_text(errors="replace").splitlines():
            if "dropped by kernel" in line:
                return int(line.split()[0])
        return None

    def frames(self):
        """Each frame as (time in s, bytes)."""
        with open(self.path, "rb") as f:
            head = f.read(24)
            order = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
            unit = 1e9 if head[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
            while len(record := f.read(16)) == 16:
                s, fraction, length, _ = struct.unpack(order + "IIII", record)
                yield s + fraction / unit, f.read(length)

    def packets(self):
        """Each IP packet as a Packet."""
        for at, frame in self.frames():
            packet = Packet.of(at, frame)
            if packet is not None:
                yield packet

    def esp(self):
        return [p for p in self.packets() if p.esp is not None]

    def find(self, needle):
        """The frames that contain these bytes."""
        return [frame for _at, frame in self.frames() if needle in frame]

    def in_the_clear(self, flow):
        """The frames that carry a flow's packets unencrypted."""
        return self.find(b"HwLb" + struct.pack(">HH", 0, flow.size) +
                         struct.pack(">Q", flow.run))


class Packet:
    """An IP packet of a capture, as far as the lab looks at it."""

    def __init__(self, at, version, source, target, protocol, payload):
        self.at, self.version = at, version
        self.source, self.target = source, target
        self.protocol, self.payload = protocol, payload
        self.esp = self._esp()
        self.ike = self._ike()

    @property
    def length(self):
        """Of the whole IP packet."""
        return len(self.payload) + (20 if self.version == 4 else 40)

    @classmethod
    def of(cls, at, frame):
        if len(frame) < 34:
            return None
        version = ETHERTYPES.get(struct.unpack_from(">H", frame, 12)[0])
        ip = frame[14:]
        if version == 4:
            head, total = (ip[0] & 15) * 4, struct.unpack_from(">H", ip, 2)[0]
            return cls(at, 4, ip[12:16], ip[16:20], ip[9], ip[head:total])
        if version == 6 and len(ip) >= 40:
            return cls(at, 6, ip[8:24], ip[24:40], ip[6],
                       ip[40:40 + struct.unpack_from(">H", ip, 4)[0]])
        return None

    def _ike(self):
        """An IKE message on port 500 or 4500, from its header on, or None."""
        if self.protocol != 17 or len(self.payload) < 8:
            return None
        ports, message = struct.unpack_from(">HH", self.payload), self.payload[8:]
        if 4500 in ports and message[:4] == bytes(4):
            message = message[4:]
        elif 500 not in ports:
            return None
        return message if len(message) >= 28 else None

    def _esp(self):
        """(SPI, sequence number, IV of AES-GCM) of ESP, plain or in UDP, or None."""
        esp = self.payload if self.protocol == 50 else None
        if self.protocol == 17 and len(self.payload) >= 16 and \
                4500 in struct.unpack_from(">HH", self.payload) and self.payload[8:12] != bytes(4):
            esp = self.payload[8:]
        if esp is None or len(esp) < 16:
            return None
        spi, number = struct.unpack_from(">II", esp)
        return spi, number, esp[8:16]


def repeated_ivs(*captures, source=None):
    """The (SPI, IV) that more than one packet of these captures has; must be empty, always.

    The key belongs to the SPI. Captures of one link each: a packet is in one of them only. source:
    look only at what these addresses sent.
    """
    sources = source and {ipaddress.ip_address(a).packed for a in source}
    seen, repeated = set(), []
    for capture in captures:
        for packet in capture.esp():
            if sources and packet.source not in sources:
                continue
            spi, _number, iv = packet.esp
            if (packet.target, spi, iv) in seen:
                repeated.append((hex(spi), iv.hex()))
            seen.add((packet.target, spi, iv))
    return repeated
