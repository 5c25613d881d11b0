# SPDX-License-Identifier: BSD-2-Clause
"""AH packets with the outer headers that may stand before AH, and what of them counts."""
import struct

from roads_peer import addresses, ah_field_len, ah_make, checksum_of
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.packet import raw

def v4_header(sa, rest_len, to_us=True, options=b"", options_muted=None, **how):
    """(the header, the same as the ICV sees it)"""
    src, dst = addresses(4, to_us)
    head_len = 20 + len(options)
    head = bytearray(raw(IP(src=src, dst=dst, ttl=how.get("ttl", 61), tos=how.get("tos", 0xb8),
                            id=77, proto=51, flags=how.get("flags", 0)))[:20])
    head[0] = 0x40 | head_len // 4
    head[2:4] = struct.pack("!H", head_len + rest_len)
    muted = bytearray(head)
    muted[1] = muted[8] = 0
    muted[6:8] = muted[10:12] = b"\0\0"
    head += options
    head[10:12] = struct.pack("!H", checksum_of(bytes(head)))
    return bytes(head), bytes(muted) + (options if options_muted is None else options_muted)


def v6_header(sa, rest_len, to_us=True, chain=()):
    """chain: (type, octets, the same as the ICV sees them) of extension headers; the first byte of
    each, and that of the fixed header, is filled in here. Octets None in the third place: the ICV
    does not see that header."""
    src, dst = addresses(6, to_us)
    types = [t for t, _, _ in chain] + [51]
    seen = [t for t, _, m in chain if m is not None] + [51]
    body = b"".join(bytes((types[i + 1],)) + o[1:] for i, (_, o, _) in enumerate(chain))
    counted = [m for _, _, m in chain if m is not None]
    muted_body = b"".join(bytes((seen[i + 1],)) + m[1:] for i, m in enumerate(counted))
    head = bytearray(raw(IPv6(src=src, dst=dst, tc=0xb8, fl=0x54321, hlim=61, nh=types[0])))
    head[4:6] = struct.pack("!H", len(body) + rest_len)
    muted = bytearray(raw(IPv6(src=src, dst=dst, tc=0, fl=0, hlim=0, nh=seen[0])))
    muted[4:6] = struct.pack("!H", len(muted_body) + rest_len)
    return bytes(head) + body, bytes(muted) + muted_body


def sealed(sa, inner, field_len=None, reserved=0, **how):
    rest = 12 + (field_len or ah_field_len(sa)) + len(inner)
    head, muted = (v4_header if sa.outer == 4 else v6_header)(sa, rest, **how)
    return ah_make(sa, inner, head, muted, field_len, reserved)
