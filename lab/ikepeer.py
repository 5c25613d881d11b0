# SPDX-License-Identifier: BSD-2-Clause
"""A small IKEv2 initiator in Python: the peer that does what no decent peer does.

It does one handshake (AES-256-GCM, HMAC-SHA2-256, X25519, a pre-shared key), and then speaks ESP by
scapy, plain or in UDP, so that a test may number, damage, repeat and aim packets as it likes. Its
keys are in the test's hands: Hawser's ESP is checked against scapy's. Only for tests: it does not
retransmit, and it believes what it is told.
"""
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SA, KE, IDI, IDR, AUTH, NONCE, NOTIFY, DELETE, TSI, TSR, SK = 33, 34, 35, 36, 39, 40, 41, 42, 44, 45, 46
INIT, AUTHENTICATE, CREATE_CHILD, INFORMATIONAL = 34, 35, 36, 37
NATD_SOURCE, NATD_DESTINATION = 16388, 16389
NOTIFIES = {7: "INVALID_SYNTAX", 14: "NO_PROPOSAL_CHOSEN", 17: "INVALID_KE_PAYLOAD",
            24: "AUTHENTICATION_FAILED", 38: "TS_UNACCEPTABLE"}


class Refused(Exception):
    """The responder sent an error notification; .notify is its name or number."""

    def __init__(self, number):
        self.notify = NOTIFIES.get(number, number)
        super().__init__(f"refused: {self.notify}")


def payload(kind, body):
    return kind, body


def chain(payloads):
    """The bytes of a payload chain; the first type is the caller's to place."""
    out = b""
    for n, (_kind, body) in enumerate(payloads):
        following = payloads[n + 1][0] if n + 1 < len(payloads) else 0
        out += struct.pack(">BBH", following, 0, len(body) + 4) + body
    return out


def unchain(first, data):
    """[(type, body)] of a payload chain."""
    found = []
    while first:
        following, _flags, length = struct.unpack_from(">BBH", data)
        found.append((first, data[4:length]))
        if first == SK:  # its next-payload field belongs to what is inside
            found.append((0, bytes([following])))
            break
        first, data = following, data[length:]
    return found


def transform(kind, number, key_bits=None, last=False):
    attribute = struct.pack(">HH", 0x800e, key_bits) if key_bits else b""
    return struct.pack(">BBHBBH", 0 if last else 3, 0, 8 + len(attribute), kind, 0,
                       number) + attribute


def proposal(protocol, spi, transforms):
    body = b"".join(transform(*t, last=n + 1 == len(transforms)) for n, t in enumerate(transforms))
    return struct.pack(">BBHBBBB", 0, 0, 8 + len(spi) + len(body), 1, protocol, len(spi),
                       len(transforms)) + spi + body


def selector(net):
    """A traffic selector over a whole ipaddress network, any protocol, any port."""
    kind, size = (7, 16) if net.version == 4 else (8, 40)
    return struct.pack(">BBHHH", kind, 0, size, 0, 65535) + net[0].packed + net[-1].packed


def selectors(nets):
    return struct.pack(">BBH", len(nets), 0, 0) + b"".join(map(selector, nets))


def prf(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def prf_plus(key, seed, length):
    out, last, n = b"", b"", 1
    while len(out) < length:
        last = prf(key, last + seed + bytes([n]))
        out, n = out + last, n + 1
    return out[:length]


class IkePeer:
    """One IKE SA and one pair of ESP SAs, from `local` in a node to `remote`."""

    def __init__(self, node, local, remote, secret, port=500, udp=False):
        """udp: moves to port 4500 after IKE_SA_INIT, and speaks ESP in UDP."""
        self.family = socket.AF_INET6 if ":" in local else socket.AF_INET
        self.node, self.local, self.remote, self.secret = node, local, remote, secret.encode()
        self.port, self.udp = port, udp
        self.sockets = [self._udp_socket(port)]
        self.spi_i, self.spi_r = os.urandom(8), bytes(8)
        self.message_id = 0

    # ---- sockets -------------------------------------------------------------------------------

    def _udp_socket(self, port):
        s = self.node.socket(self.family, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.local, port))
        s.settimeout(3)
        return s

    def close(self):
        for s in self.sockets:
            s.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send(self, message):
        """Sends an IKE message as it is."""
        floated = self.udp and len(self.sockets) > 1
        target = (self.remote, 4500 if floated else 500)
        self.sockets[-1 if floated else 0].sendto((bytes(4) if floated else b"") + message, target)

    def receive(self, timeout_s=3.0):
        """The next IKE message, or None."""
        floated = self.udp and len(self.sockets) > 1
        s = self.sockets[-1 if floated else 0]
        s.settimeout(timeout_s)
        try:
            data = s.recv(65536)
        except socket.timeout:
            return None
        return data[4:] if floated else data

    # ---- messages --------------------------------------------------------------------------------

    def header(self, first, exchange, length, message_id=None):
        number = self.message_id if message_id is None else message_id
        return self.spi_i + self.spi_r + struct.pack(">BBBBII", first, 0x20, exchange, 0x08, number,
                                                     length)

    def clear_message(self, exchange, payloads):
        body = chain(payloads)
        return self.header(payloads[0][0], exchange, 28 + len(body)) + body

    def sealed_message(self, exchange, payloads, message_id=None):
        """An encrypted message with these payloads inside."""
        inside = chain(payloads) + b"\0"
        iv = os.urandom(8)
        size = 4 + 8 + len(inside) + 16
        head = self.header(SK, exchange, 28 + size, message_id)
        head += struct.pack(">BBH", payloads[0][0] if payloads else 0, 0, size)
        return head + iv + AESGCM(self.sk_ei[:32]).encrypt(self.sk_ei[32:] + iv, inside, head)

    def open_message(self, message):
        """[(type, body)] inside an encrypted message."""
        (kind, body), (_, first) = unchain(message[16], message[28:])
        assert kind == SK, f"payload {kind} instead of SK"
        inside = AESGCM(self.sk_er[:32]).decrypt(self.sk_er[32:] + body[:8], body[8:], message[:32])
        return unchain(first[0], inside[:len(inside) - 1 - inside[-1]])

    # ---- the handshake ---------------------------------------------------------------------------

    def natd(self, address, port):
        packed = socket.inet_pton(self.family, address)
        return hashlib.sha1(self.spi_i + self.spi_r + packed + struct.pack(">H", port)).digest()

    def init_request(self, transforms=((1, 20, 256), (2, 5), (4, 31))):
        self.private = X25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.nonce_i = os.urandom(32)
        notify = [payload(NOTIFY, struct.pack(">BBH", 0, 0, kind) + self.natd(address, port))
                  for kind, address, port in ((NATD_SOURCE, self.local, self.port),
                                              (NATD_DESTINATION, self.remote, 500))]
        self.message_1 = self.clear_message(INIT, [
            payload(SA, proposal(1, b"", transforms)),
            payload(KE, struct.pack(">HH", 31, 0) + public),
            payload(NONCE, self.nonce_i), *notify])
        return self.message_1

    def init(self, **options):
        """IKE_SA_INIT, both ways; then there are keys."""
        self.send(self.init_request(**options))
        self.message_2 = self.receive()
        if self.message_2 is None:
            raise TimeoutError("no answer to IKE_SA_INIT")
        self.spi_r = self.message_2[8:16]
        said = unchain(self.message_2[16], self.message_2[28:])
        _raise_errors(said)
        parts = dict(said)
        self.nonce_r = parts[NONCE]
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(parts[KE][4:]))
        nonces = self.nonce_i + self.nonce_r
        keys = prf_plus(prf(nonces, shared), nonces + self.spi_i + self.spi_r, 32 + 72 + 64)
        self.sk_d, self.sk_ei, self.sk_er = keys[:32], keys[32:68], keys[68:104]
        self.sk_pi, self.sk_pr = keys[104:136], keys[136:168]
        if self.udp:
            self.sockets.append(self._udp_socket(4500))
        self.message_id = 1
        return self

    def identity(self):
        kind = 1 if self.family == socket.AF_INET else 5
        return struct.pack(">B3x", kind) + socket.inet_pton(self.family, self.local)

    def auth_request(self, local_nets, remote_nets):
        self.spi_in = os.urandom(3) + b"\x01"
        padded = prf(self.secret, b"Key Pad for IKEv2")
        proof = prf(padded, self.message_1 + self.nonce_r + prf(self.sk_pi, self.identity()))
        return self.sealed_message(AUTHENTICATE, [
            payload(IDI, self.identity()), payload(AUTH, struct.pack(">B3x", 2) + proof),
            payload(SA, proposal(3, self.spi_in, ((1, 20, 128), (5, 0)))),
            payload(TSI, selectors(local_nets)), payload(TSR, selectors(remote_nets))])

    def auth(self, local_nets, remote_nets):
        """IKE_AUTH, both ways; then there is a pair of ESP SAs."""
        self.send(self.auth_request(local_nets, remote_nets))
        answer = self.receive()
        if answer is None:
            raise TimeoutError("no answer to IKE_AUTH")
        said = self.open_message(answer)
        _raise_errors(said)
        parts = dict(said)
        padded = prf(self.secret, b"Key Pad for IKEv2")
        proof = prf(padded, self.message_2 + self.nonce_i + prf(self.sk_pr, parts[IDR]))
        assert parts[AUTH][4:] == proof, "the responder's AUTH is wrong"
        self.spi_out = parts[SA][8:12]
        keys = prf_plus(self.sk_d, self.nonce_i + self.nonce_r, 40)
        self.key_out, self.key_in = keys[:20], keys[20:]
        self.message_id = 2
        self._open_esp()
        return self

    # ---- ESP, by scapy ---------------------------------------------------------------------------

    def _open_esp(self):
        from scapy.layers.inet import IP
        from scapy.layers.inet6 import IPv6
        from scapy.layers.ipsec import ESP, SecurityAssociation
        outer = IP if self.family == socket.AF_INET else IPv6

        def sa(spi, key, source, target):
            return SecurityAssociation(ESP, spi=int.from_bytes(spi, "big"), crypt_algo="AES-GCM",
                                       crypt_key=key, tunnel_header=outer(src=source, dst=target))
        self.sa_out = sa(self.spi_out, self.key_out, self.local, self.remote)
        self.sa_in = sa(self.spi_in, self.key_in, self.remote, self.local)
        self._outer = outer
        self.number = 0
        if not self.udp:
            self.sockets.append(self.node.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_ESP))
            self.sockets[-1].bind((self.local, 0))

    def sealed_packet(self, inner, number=None):
        """The ESP packet (without outer header) around a scapy packet; counts up by itself."""
        if number is None:
            self.number += 1
            number = self.number
        whole = bytes(self.sa_out.encrypt(inner, seq_num=number, iv=struct.pack(">Q", number)))
        return whole[20:] if self.family == socket.AF_INET else whole[40:]

    def sealed_raw(self, inside, next_header, number=None):
        """An ESP packet around any bytes with any next header; not by scapy, which is too decent."""
        if number is None:
            self.number += 1
            number = self.number
        pad = -(len(inside) + 2) % 4
        plain = inside + bytes(range(1, pad + 1)) + bytes([pad, next_header])
        head, iv = self.spi_out + struct.pack(">I", number), struct.pack(">Q", number)
        return head + iv + AESGCM(self.key_out[:16]).encrypt(self.key_out[16:] + iv, plain, head)

    def send_esp(self, esp):
        """Sends ESP bytes as they are."""
        self.sockets[-1].sendto(esp, (self.remote, 4500 if self.udp else 0))

    def receive_esp(self, timeout_s=3.0):
        """The next ESP packet (bytes without outer header), or None."""
        s = self.sockets[-1]
        s.settimeout(timeout_s)
        try:
            data = s.recv(65536)
        except socket.timeout:
            return None
        if not self.udp and self.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        return data

    def opened_packet(self, esp):
        """The inner packet of a received ESP packet, by scapy; raises when it is not right."""
        from scapy.layers.ipsec import ESP
        head = self._outer(src=self.remote, dst=self.local)
        head = head.__class__(bytes(head / ESP(esp)))
        return self.sa_in.decrypt(head)

    def delete(self):
        """Deletes the IKE SA, without waiting for the answer."""
        self.send(self.sealed_message(INFORMATIONAL, [payload(DELETE, struct.pack(">BBH", 1, 0, 0))]))


def _raise_errors(payloads):
    for kind, body in payloads:
        if kind == NOTIFY and (number := struct.unpack_from(">H", body, 2)[0]) < 16384:
            raise Refused(number)

