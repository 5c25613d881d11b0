#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ESP packets made by scapy (its own ESP code, AES-GCM by python3-cryptography), as a C header.

    make_esp_vectors.py > esp_vectors.h          makes the fixture
    make_esp_vectors.py --check esp_vectors.h    fails unless scapy still says the same

Each vector is one inner packet and the ESP packet that a gateway must make of it: outer IPv4 or
IPv6, inner IPv4 or IPv6, bare or in UDP, with and without ESN, AES-128 and AES-256, lengths that
need every amount of padding. Nothing is random."""
import itertools
import struct
import sys

from scapy.config import conf

conf.ipv6_enabled = True
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, in6_chksum  # noqa: E402
from scapy.layers.ipsec import ESP, SecurityAssociation  # noqa: E402
from scapy.packet import Raw, raw  # noqa: E402

OUTER = {4: ("192.0.2.1", "198.51.100.2"), 6: ("2001:db8:1::1", "2001:db8:2::2")}
INNER = {4: ("10.1.0.5", "10.2.0.9"), 6: ("fd00:1::5", "fd00:2::9")}
EPOCH = 0x0102
LABEL = 0x12345  # a flow label has to show outside, too
TOS = (0x00, 0xb9, 0x02, 0x2b)  # DSCP and ECN that have to show outside


def payload(n):
    return bytes((7 * i + n) & 0xff for i in range(n))


def upper(number, family, n):
    if number % 3 == 0:
        return UDP(sport=4000 + number, dport=53) / Raw(payload(n))
    if number % 3 == 1:
        return TCP(sport=33000, dport=443, seq=number, flags="PA") / Raw(payload(n))
    if family == 4:
        return ICMP(id=number, seq=1) / Raw(payload(n))
    return ICMPv6EchoRequest(id=number, seq=1, data=payload(n))


def inner_packet(number, family, n):
    src, dst = INNER[family]
    tos = TOS[number % len(TOS)]
    if family == 4:
        head = IP(src=src, dst=dst, tos=tos, ttl=63, id=number, flags="DF")
    else:
        head = IPv6(src=src, dst=dst, tc=tos, hlim=63, fl=LABEL)
    return head / upper(number, family, n), tos


def outer_header(family, inner, tos, seq):
    src, dst = OUTER[family]
    if family == 4:
        return IP(src=src, dst=dst, tos=tos, ttl=64, id=seq & 0xffff, flags="DF")
    return IPv6(src=src, dst=dst, tc=tos, hlim=64, fl=LABEL if inner == 6 else 0)


def with_udp(packet, family):
    """Two fields of the UDP header that scapy's ESP leaves wrong: the length does not count what
    follows, and over IPv6 there is no checksum (RFC 8200 8.1)."""
    octets = bytearray(raw(packet))
    udp = 20 if family == 4 else 40
    octets[udp + 4:udp + 6] = struct.pack("!H", len(octets) - udp)
    if family == 6:
        checksum = in6_chksum(17, IPv6(bytes(octets[:40])), bytes(octets[40:]))
        octets[46:48] = struct.pack("!H", checksum or 0xffff)
    return bytes(octets)


def vector(number, outer, inner, udp, esn, bits, size):
    key = bytes((number + 3 * i) & 0xff for i in range(bits // 8 + 4))
    seq = (0x00000003_fffffff0 if esn else 0xfffff000) + number
    spi = 0x5a000100 + number
    packet, tos = inner_packet(number, inner, size)
    sa = SecurityAssociation(
        ESP, spi=spi, crypt_algo="AES-GCM", crypt_key=key,
        tunnel_header=outer_header(outer, inner, tos, seq),
        nat_t_header=UDP(sport=4500, dport=4500) if udp else None)
    plain = raw(packet)
    iv = struct.pack("!Q", EPOCH << 48 | seq)
    esp = sa.encrypt(packet.__class__(plain), seq_num=seq & 0xffffffff, iv=iv, esn_en=esn,
                     esn=seq >> 32 if esn else 0)
    octets = with_udp(esp, outer) if udp else raw(esp)
    name = f"v{inner} in v{outer}{' udp' if udp else ''}{' esn' if esn else ''} {bits} +{size}"
    return {"name": name, "outer": outer, "inner": inner, "udp": udp, "esn": esn, "bits": bits,
            "key": key, "spi": spi, "seq": seq, "plain": plain, "esp": octets}


def vectors():
    sizes = itertools.cycle((0, 1, 2, 3, 17, 64, 255, 1300))
    combinations = itertools.product((4, 6), (4, 6), (False, True), (False, True), (128, 256))
    return [vector(number, *combination, next(sizes))
            for number, combination in enumerate(combinations)]


def c_bytes(name, octets):
    lines = [", ".join(f"0x{b:02x}" for b in octets[i:i + 16]) for i in range(0, len(octets), 16)]
    return f"static const uint8_t {name}[] = {{\n\t" + ",\n\t".join(lines) + ",\n};\n"


def header():
    out = ["/* SPDX-License-Identifier: BSD-2-Clause */\n"
           "/* Made by make_esp_vectors.py with scapy; see there. Not edited by hand. */\n"
           "#ifndef ESP_VECTORS_H\n#define ESP_VECTORS_H\n"
           "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n"
           "/* clang-format off */\n"
           f"enum {{ ESP_VECTORS_EPOCH = 0x{EPOCH:04x} }};\n"
           "#define ESP_VECTORS_LOCAL4 \"192.0.2.1\"\n#define ESP_VECTORS_REMOTE4 \"198.51.100.2\"\n"
           "#define ESP_VECTORS_LOCAL6 \"2001:db8:1::1\"\n"
           "#define ESP_VECTORS_REMOTE6 \"2001:db8:2::2\"\n\n"
           "struct esp_vector {\n\tconst char *name;\n\tuint8_t outer, inner; /* 4 or 6 */\n"
           "\tbool udp, esn;\n\tuint16_t bits;\n\tuint32_t spi;\n\tuint64_t seq;\n"
           "\tconst uint8_t *key, *plain, *esp; /* key: with the salt */\n"
           "\tsize_t key_len, plain_len, esp_len;\n};\n\n"]
    rows = []
    for i, v in enumerate(vectors()):
        out += [c_bytes(f"esp_key_{i}", v["key"]), c_bytes(f"esp_plain_{i}", v["plain"]),
                c_bytes(f"esp_esp_{i}", v["esp"])]
        rows.append(f"\t{{ \"{v['name']}\", {v['outer']}, {v['inner']}, {int(v['udp'])}, "
                    f"{int(v['esn'])}, {v['bits']}, 0x{v['spi']:08x}, 0x{v['seq']:016x},\n"
                    f"\t  esp_key_{i}, esp_plain_{i}, esp_esp_{i}, sizeof(esp_key_{i}), "
                    f"sizeof(esp_plain_{i}), sizeof(esp_esp_{i}) }},\n")
    out += ["\nstatic const struct esp_vector esp_vectors[] = {\n", *rows, "};\n",
            "/* clang-format on */\n\n#endif\n"]
    return "".join(out)


def main():
    text = header()
    if len(sys.argv) != 3 or sys.argv[1] != "--check":
        sys.stdout.write(text)
        return 0
    with open(sys.argv[2], encoding="ascii") as f:
        if f.read() == text:
            print(f"{len(vectors())} vectors are as scapy makes them")
            return 0
    print(f"{sys.argv[2]}: scapy makes other packets; run make_esp_vectors.py again and look why")
    return 1


if __name__ == "__main__":
    sys.exit(main())
