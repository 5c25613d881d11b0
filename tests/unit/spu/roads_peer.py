# SPDX-License-Identifier: BSD-2-Clause
"""The other end of a tunnel, in Python: scapy's IPsec where it has the algorithm, and beside it a
few lines from the RFCs over python3-cryptography for everything. And Hawser's two roads, as a
program that is asked by lines (roads_tool.c)."""
import hashlib
import hmac
import os
import struct
import subprocess
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from scapy.config import conf

conf.ipv6_enabled = True
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6, in6_chksum  # noqa: E402
from scapy.layers.ipsec import AH, ESP, SecurityAssociation  # noqa: E402
from scapy.packet import Raw, raw  # noqa: E402

US = {4: "192.0.2.1", 6: "2001:db8:1::1"}
PEER = {4: "198.51.100.2", 6: "2001:db8:2::2"}
EPOCH = 0x0102
SPI = 0x5a0001ff
PROTO = {4: 4, 6: 41}


@dataclass(frozen=True)
class Encryption:
    """A row of common/algorithms.c; scapy: its name there."""
    name: str
    number: int
    bits: int
    key_len: int  # without salt
    kind: str     # null, cbc, gcm, chacha, gmac
    block: int = 4
    iv_len: int = 8
    salt_len: int = 0
    scapy: str = ""

    @property
    def aead(self):
        return self.kind in ("gcm", "chacha", "gmac")


@dataclass(frozen=True)
class Integrity:
    name: str
    number: int
    key_len: int
    icv_len: int
    digest: str = ""  # none: GMAC
    scapy: str = ""

    @property
    def iv_len(self):
        return 0 if self.digest else 8


NO_INTEGRITY = Integrity("none", 0, 0, 0, "none")
AEADS = [Encryption(f"aes-{b}-gcm", 20, b, b // 8, "gcm", salt_len=4, scapy="AES-GCM")
         for b in (128, 192, 256)]
AEADS += [Encryption("chacha20-poly1305", 28, 0, 32, "chacha", salt_len=4,
                     scapy="CHACHA20-POLY1305")]
IMPLICIT = [Encryption(f"aes-{b}-gcm-iiv", 30, b, b // 8, "gcm", iv_len=0, salt_len=4)
            for b in (128, 256)]
IMPLICIT += [Encryption("chacha20-poly1305-iiv", 31, 0, 32, "chacha", iv_len=0, salt_len=4)]
GMACS = [Encryption(f"null-aes-{b}-gmac", 21, b, b // 8, "gmac", salt_len=4)
         for b in (128, 192, 256)]
CBCS = [Encryption(f"aes-{b}-cbc", 12, b, b // 8, "cbc", 16, 16, scapy="AES-CBC")
        for b in (128, 192, 256)]
CBCS += [Encryption("3des-cbc", 3, 0, 24, "cbc", 8, 8, scapy="3DES"),
         Encryption("des-cbc", 2, 0, 8, "cbc", 8, 8, scapy="DES")]
NULL = Encryption("null", 11, 0, 0, "null", iv_len=0, scapy="NULL")
HMACS = [Integrity("hmac-sha-256-128", 12, 32, 16, "sha256", "SHA2-256-128"),
         Integrity("hmac-sha-384", 13, 48, 24, "sha384", "SHA2-384-192"),
         Integrity("hmac-sha-512", 14, 64, 32, "sha512", "SHA2-512-256"),
         Integrity("hmac-sha1-96", 2, 20, 12, "sha1", "HMAC-SHA1-96"),
         Integrity("hmac-md5-96", 1, 16, 12, "md5", "HMAC-MD5-96")]
AH_GMACS = [Integrity(f"aes-gmac-{b}", n, b // 8 + 4, 16) for b, n in ((128, 9), (192, 10), (256, 11))]


def pattern(n, start):
    return bytes((start + 3 * i) & 0xff for i in range(n))


@dataclass(frozen=True)
class Sa:
    """One direction of an SA; outer: family. encryption None: AH."""
    encryption: Encryption = None
    integrity: Integrity = NO_INTEGRITY
    outer: int = 4
    udp: bool = False
    esn: bool = False
    seq: int = 1
    window: int = 64
    more: dict = field(default_factory=dict)

    @property
    def key(self):
        return pattern(self.encryption.key_len + self.encryption.salt_len, 5) \
            if self.encryption else b""

    @property
    def auth(self):
        return pattern(self.integrity.key_len, 9)

    @property
    def label(self):
        what = self.encryption.name if self.encryption else "ah"
        return f"{what} {self.integrity.name} v{self.outer}{' udp' if self.udp else ''}" \
               f"{' esn' if self.esn else ''} {self.seq:#x}"

    def words(self):
        number = self.encryption
        words = {"proto": 50 if number else 51, "cipher": number.number if number else 0,
                 "bits": number.bits if number else 0, "integ": self.integrity.number,
                 "esn": int(self.esn), "udp": int(self.udp), "seq": self.seq, "epoch": EPOCH,
                 "spi": SPI, "window": self.window, "local": US[self.outer],
                 "remote": PEER[self.outer]}
        if self.key:
            words["key"] = self.key.hex()
        if self.auth:
            words["auth"] = self.auth.hex()
        words.update(self.more)
        return " ".join(f"{k}={v}" for k, v in words.items())


class Roads:
    """roads-tool, as long as a test module lives."""

    def __init__(self, engine="software"):
        self.tool = subprocess.Popen([os.environ["ROADS_TOOL"], engine], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)

    def close(self):
        self.tool.stdin.close()
        assert self.tool.wait(60) == 0

    def __call__(self, road, sa, *packets, beside=()):
        """What came out for each packet: its bytes, or a word."""
        lines = [f"sa {other.words()}" for other in beside]
        lines.append(f"{road} {sa.words()} " + " ".join(f"pkt={p.hex()}" for p in packets))
        self.tool.stdin.write("\n".join(lines) + "\n")
        self.tool.stdin.flush()
        words = self.tool.stdout.readline().split()
        assert len(words) == len(packets), f"{sa.label}: {words}"
        return [w if ":" in w or w in ("consumed", "held") else bytes.fromhex(w) for w in words]


# ---------------------------------------------------------------- outer headers

def addresses(outer, to_us):
    return (PEER[outer], US[outer]) if to_us else (US[outer], PEER[outer])


def outer_header(sa, to_us=True, tos=0):
    src, dst = addresses(sa.outer, to_us)
    if sa.outer == 4:
        return IP(src=src, dst=dst, tos=tos, ttl=61, id=77)
    return IPv6(src=src, dst=dst, tc=tos, hlim=61, fl=0x54321)


def with_outer(sa, esp, to_us=True, tos=0, checksum=False):
    """ESP behind its outer headers."""
    head = outer_header(sa, to_us, tos)
    if not sa.udp:
        head = head.__class__(raw(head / Raw(b"")))
        if sa.outer == 4:
            return raw(IP(src=head.src, dst=head.dst, tos=tos, ttl=61, id=77, proto=50) / Raw(esp))
        return raw(IPv6(src=head.src, dst=head.dst, tc=tos, hlim=61, fl=0x54321, nh=50) / Raw(esp))
    udp = UDP(sport=4500, dport=4500, chksum=None if checksum else 0)
    return raw(head / udp / Raw(esp))


def esp_of(sa, packet):
    """The ESP packet behind outer headers that are checked here as far as they are the SA's."""
    ip = IP(packet) if sa.outer == 4 else IPv6(packet)
    head = 20 if sa.outer == 4 else 40
    assert (ip.src, ip.dst) == addresses(sa.outer, False)
    assert (ip.len if sa.outer == 4 else ip.plen + 40) == len(packet)
    if sa.outer == 4:
        assert IP(raw(ip.__class__(packet[:head]))).chksum == checksum_of(packet[:head])
    proto = ip.proto if sa.outer == 4 else ip.nh
    assert proto == (17 if sa.udp else 50)
    if not sa.udp:
        return packet[head:]
    sport, dport, length, checksum = struct.unpack("!4H", packet[head:head + 8])
    assert (sport, dport, length) == (4500, 4500, len(packet) - head)
    if sa.outer == 4:
        assert checksum == 0
    else:
        zeroed = packet[head:head + 6] + b"\0\0" + packet[head + 8:]
        assert checksum == (in6_chksum(17, IPv6(packet[:head]), zeroed) or 0xffff)
    return packet[head + 8:]


def checksum_of(header):
    zeroed = header[:10] + b"\0\0" + header[12:]
    total = sum(struct.unpack(f"!{len(zeroed) // 2}H", zeroed))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


# ---------------------------------------------------------------- ESP, from the RFCs

def mac(sa, octets):
    """HMAC, with the sequence number's high half behind (RFC 4303 2.2.1, RFC 4302 2.5.1)."""
    tail = struct.pack("!L", sa.seq >> 32) if sa.esn else b""
    digest = hmac.new(sa.auth, octets + tail, getattr(hashlib, sa.integrity.digest))
    return digest.digest()[:sa.integrity.icv_len]


def block_cipher(sa, iv):
    aes = sa.encryption.number == 12
    cipher = (algorithms.AES if aes else algorithms.TripleDES)(sa.key)
    return Cipher(cipher, modes.CBC(iv))


def aead_of(sa):
    key = sa.key[:sa.encryption.key_len]
    return ChaCha20Poly1305(key) if sa.encryption.kind == "chacha" else AESGCM(key)


def aead_input(sa, iv):
    """Nonce and associated data (RFC 4106 4, 5; RFC 8750 4)."""
    counter = iv or struct.pack("!Q", sa.seq)
    number = struct.pack("!Q", sa.seq) if sa.esn else struct.pack("!L", sa.seq & 0xffffffff)
    return sa.key[-sa.encryption.salt_len:] + counter, struct.pack("!L", SPI) + number


def payload_of(sa, inner, tfc=0, pad_more=0, next_header=None):
    if next_header is None:
        next_header = PROTO[inner[0] >> 4]
    inner += bytes(tfc)
    pad = -(len(inner) + 2) % max(sa.encryption.block, 4) + pad_more
    return inner + bytes(range(1, pad + 1)) + bytes((pad, next_header))


def seal(sa, inner, iv=None, **trailer):
    """Inner packet -> ESP."""
    enc = sa.encryption
    iv = iv if iv is not None else pattern(enc.iv_len, 0x40)
    payload = payload_of(sa, inner, **trailer)
    head = struct.pack("!LL", SPI, sa.seq & 0xffffffff)
    if enc.aead:
        nonce, aad = aead_input(sa, iv)
        if enc.kind == "gmac":
            return head + iv + payload + aead_of(sa).encrypt(nonce, b"", aad + iv + payload)
        return head + iv + aead_of(sa).encrypt(nonce, payload, aad)
    if enc.kind == "cbc":
        encryptor = block_cipher(sa, iv).encryptor()
        payload = encryptor.update(payload) + encryptor.finalize()
    esp = head + iv + payload
    return esp + (mac(sa, esp) if sa.integrity.icv_len else b"")


def unseal(sa, esp):
    """ESP -> (payload with trailer, IV). Raises where the ICV is wrong."""
    enc = sa.encryption
    assert struct.unpack("!LL", esp[:8]) == (SPI, sa.seq & 0xffffffff)
    iv, rest = esp[8:8 + enc.iv_len], esp[8 + enc.iv_len:]
    if enc.aead:
        nonce, aad = aead_input(sa, iv)
        if enc.kind == "gmac":
            aead_of(sa).decrypt(nonce, rest[-16:], aad + iv + rest[:-16])
            return rest[:-16], iv
        return aead_of(sa).decrypt(nonce, rest, aad), iv
    icv_len = sa.integrity.icv_len
    if icv_len:
        assert hmac.compare_digest(mac(sa, esp[:-icv_len]), esp[-icv_len:]), "ICV"
        rest = rest[:-icv_len]
    if enc.kind == "cbc":
        decryptor = block_cipher(sa, iv).decryptor()
        rest = decryptor.update(rest) + decryptor.finalize()
    return rest, iv


def inner_of(payload):
    """The inner packet of a payload whose trailer is as RFC 4303 2.4 wants it, with least padding."""
    pad, next_header = payload[-2], payload[-1]
    inner = payload[:-2 - pad]
    assert payload[len(inner):-2] == bytes(range(1, pad + 1))
    assert next_header == PROTO[inner[0] >> 4]
    return inner


# ---------------------------------------------------------------- AH, from the RFCs

def ah_field_len(sa):
    """IV, ICV and padding (RFC 4302 2.6; RFC 4543 4 with its erratum 3643)."""
    need = 12 + sa.integrity.iv_len + sa.integrity.icv_len
    return need + -need % (8 if sa.outer == 6 else 4) - 12


def ah_icv(sa, muted, iv):
    """muted: the packet without what may change, IV and ICV zero."""
    if sa.integrity.digest:
        return mac(sa, muted)
    tail = struct.pack("!L", sa.seq >> 32) if sa.esn else b""
    return AESGCM(sa.auth[:-4]).encrypt(sa.auth[-4:] + iv, b"", muted + tail)


def ah_make(sa, inner, header, muted_header, field_len=None, reserved=0):
    """header: outer headers up to AH, whole; muted_header: the same as the ICV sees it."""
    size = field_len or ah_field_len(sa)
    iv = pattern(sa.integrity.iv_len, 0x60)
    ah = struct.pack("!BBHLL", PROTO[inner[0] >> 4], (12 + size) // 4 - 2, reserved, SPI,
                     sa.seq & 0xffffffff)
    padding = pattern(size - len(iv) - sa.integrity.icv_len, 0xa5)
    blank = bytes(len(iv) + sa.integrity.icv_len)
    icv = ah_icv(sa, muted_header + ah + blank + padding + inner, iv)
    return header + ah + iv + icv + padding + inner


def scapy_sa(sa, to_us=True, tunnel_header=None):
    enc = sa.encryption
    nat = UDP(sport=4500, dport=4500) if sa.udp else None
    if tunnel_header is None:
        tunnel_header = outer_header(sa, to_us)
    if enc is None:
        return SecurityAssociation(AH, spi=SPI, auth_algo=sa.integrity.scapy, auth_key=sa.auth,
                                   tunnel_header=tunnel_header, esn_en=sa.esn, esn=sa.seq >> 32)
    # scapy makes 3DES of a key three times as long; of DES' 8 bytes cryptography does.
    return SecurityAssociation(ESP, spi=SPI, crypt_algo=enc.scapy, crypt_key=sa.key or None,
                               auth_algo=sa.integrity.scapy or None, auth_key=sa.auth or None,
                               tunnel_header=tunnel_header, nat_t_header=nat, esn_en=sa.esn,
                               esn=sa.seq >> 32)


def scapy_has(sa):
    """scapy 2.5 leaves the high half out of the ICV of a separate integrity algorithm in ESP."""
    if sa.encryption is None:
        return bool(sa.integrity.scapy)
    return bool(sa.encryption.scapy) and not (sa.esn and not sa.encryption.aead)


def with_(sa, **changes):
    return replace(sa, **changes)
