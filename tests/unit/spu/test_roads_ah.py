# SPDX-License-Identifier: BSD-2-Clause
"""AH of every algorithm, byte for byte, in both directions: scapy for HMAC, a few lines from RFC
4302 and 4543 for everything. Outer headers that arrive with IPv4 options and IPv6 extension headers
are here too: what of them counts is RFC 4302 appendix A."""
import itertools
import struct

import pytest
from roads_ah import sealed, v4_header, v6_header
from roads_peer import (AH_GMACS, EPOCH, HMACS, Roads, Sa, addresses, ah_field_len, ah_icv, ah_make,
                        checksum_of, outer_header, pattern, scapy_has, scapy_sa, with_)
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw, raw

ALGORITHMS = HMACS + AH_GMACS
FORMS = list(itertools.product((4, 6), (4, 6), (False, True)))
SIZES = (0, 1, 2, 3, 17, 64, 255, 1300)
BAD = "drop:authentication_failed"


@pytest.fixture(scope="module")
def roads():
    roads = Roads()
    yield roads
    roads.close()


def inner_packet(family, size):
    body = UDP(sport=4000, dport=53) / Raw(pattern(size, size))
    if family == 4:
        return raw(IP(src="10.1.0.5", dst="10.2.0.9", tos=0xb8, ttl=63, id=9, flags="DF") / body)
    return raw(IPv6(src="fd00:1::5", dst="fd00:2::9", tc=0xb8, hlim=63, fl=0x12345) / body)


def sas_of(integrity):
    for number, (outer, inner, esn) in enumerate(FORMS):
        seq = (0x00000003_fffffff0 if esn else 0xfffff000) + number
        yield Sa(None, integrity, outer=outer, esn=esn, seq=seq), inner, SIZES[number]


# ---------------------------------------------------------------- both directions

@pytest.mark.parametrize("integrity", ALGORITHMS, ids=lambda i: i.name)
def test_160_what_hawser_authenticates_is_taken(roads, integrity):
    for sa, family, size in sas_of(integrity):
        inner = inner_packet(family, size)
        [packet] = roads("out", sa, inner)
        head = 20 if sa.outer == 4 else 40
        # The header as it is, and as it counts; addresses, protocol and lengths are looked at by it.
        want_head = bytearray(packet[:head])
        muted = bytearray(want_head)
        if sa.outer == 4:
            muted[1] = muted[8] = 0
            muted[6:8] = muted[10:12] = b"\0\0"
            assert struct.unpack("!H", packet[10:12])[0] == checksum_of(packet[:20])
            assert packet[8] == 64 and packet[1] == 0xb8 and packet[9] == 51
        else:
            muted[0:4] = b"\x60\0\0\0"
            muted[7] = 0
            assert packet[7] == 64 and packet[6] == 51
            assert (struct.unpack("!H", packet[:2])[0] >> 4 & 0xff) == 0xb8
        field = packet[head + 12:head + 12 + ah_field_len(sa)]
        assert packet[head + 12 + ah_field_len(sa):] == inner, sa.label
        iv, padding = field[:integrity.iv_len], field[integrity.iv_len + integrity.icv_len:]
        assert iv == (struct.pack("!Q", EPOCH << 48 | sa.seq) if iv else b"")
        assert padding == bytes(len(padding))
        want = rebuilt(sa, inner, bytes(want_head), bytes(muted), iv, padding)
        assert packet == want, sa.label
        if scapy_has(sa):
            other = IP(packet) if sa.outer == 4 else IPv6(packet)
            assert raw(scapy_sa(sa).decrypt(other)) == inner, sa.label


def rebuilt(sa, inner, head, muted, iv, padding):
    """ah_make() with the IV and the padding that Hawser took."""
    from roads_peer import ah_icv, PROTO, SPI
    size = ah_field_len(sa)
    ah = struct.pack("!BBHLL", PROTO[inner[0] >> 4], (12 + size) // 4 - 2, 0, SPI,
                     sa.seq & 0xffffffff)
    blank = bytes(len(iv) + sa.integrity.icv_len)
    icv = ah_icv(sa, muted + ah + blank + padding + inner, iv)
    return head + ah + iv + icv + padding + inner


@pytest.mark.parametrize("integrity", ALGORITHMS, ids=lambda i: i.name)
def test_160_what_the_peer_authenticates_is_taken_by_hawser(roads, integrity):
    for sa, family, size in sas_of(integrity):
        inner = inner_packet(family, size)
        if scapy_has(sa):
            clear = IP(inner) if family == 4 else IPv6(inner)
            packet = raw(scapy_sa(sa).encrypt(clear, seq_num=sa.seq & 0xffffffff, esn_en=sa.esn,
                                              esn=sa.seq >> 32))
            assert roads("in", sa, packet) == [inner], f"scapy {sa.label}"
        packet = sealed(sa, inner)
        assert roads("in", sa, packet, packet) == [inner, "drop:replayed_or_too_old"], sa.label
        [got] = roads("in", with_(sa, esn=not sa.esn, seq=sa.seq & 0xffffffff), packet)
        assert got == BAD, sa.label


@pytest.mark.parametrize("outer", (4, 6))
@pytest.mark.parametrize("integrity", (HMACS[0], HMACS[3], AH_GMACS[0]), ids=lambda i: i.name)
def test_160_each_byte_counts_or_may_change(roads, integrity, outer):
    """Every byte of a packet, spoilt: dropped, but for those that routers may change."""
    sa = Sa(None, integrity, outer=outer, seq=7)
    inner = inner_packet(4, 5)
    packet = sealed(sa, inner)
    head = 20 if outer == 4 else 40
    may_change = {1: 0x40, 6: 0x40, 8: 0x40} if outer == 4 else {1: 0x40, 2: 0x40, 3: 0x40, 7: 0x40}
    for at in range(len(packet)):
        flip = 0x40 if at != 0 or outer == 4 else 0x08  # IPv6: byte 0 has the class's upper half
        spoilt = bytearray(packet)
        spoilt[at] ^= flip
        if outer == 4 and at < 20 and at not in (10, 11):
            spoilt[10:12] = struct.pack("!H", checksum_of(bytes(spoilt[:20])))
        [got] = roads("in", sa, bytes(spoilt))
        if at in may_change or (outer == 6 and at == 0):
            assert got == inner, at
        else:
            assert got != inner, at
            if at >= head + 12:
                assert got == BAD, at


# ---------------------------------------------------------------- header and lengths

@pytest.mark.parametrize("outer", (4, 6))
def test_length_reserved_and_padding(roads, outer):
    """RFC 4302 2.2, 2.3, 2.6"""
    inner = inner_packet(4, 11)
    for integrity in ALGORITHMS:
        sa = Sa(None, integrity, outer=outer, seq=7)
        size = ah_field_len(sa)
        assert roads("in", sa, sealed(sa, inner, reserved=0xbeef)) == [inner]
        to_8 = size + -(12 + size) % 8  # some senders, over IPv4
        assert roads("in", sa, sealed(sa, inner, field_len=to_8)) == [inner]
        for wrong in (size - 4, to_8 + 4, to_8 + 8, 0xff * 4 + 8 - 12):
            packet = bytearray(sealed(sa, inner))
            packet[(20 if outer == 4 else 40) + 1] = (12 + wrong) // 4 - 2
            assert roads("in", sa, bytes(packet)) == ["drop:bad_ESP_or_AH_header"], wrong
    for length in (0, 4, 11):
        rest = bytes(length)
        head, _ = (v4_header if outer == 4 else v6_header)(sa, length)
        assert roads("in", sa, head + rest) == ["drop:bad_ESP_or_AH_header"]


def test_what_is_inside(roads):
    sa = Sa(None, HMACS[0], seq=7)
    assert roads("in", sa, sealed(sa, b"\x45")) == ["drop:bad_inner_packet"]
    inner = inner_packet(4, 30)
    assert roads("in", sa, sealed(sa, inner + bytes(9))) == [inner]
    assert roads("in", sa, sealed(sa, inner[:-1])) == ["drop:bad_inner_packet"]
    # A transport mode packet, and a dummy, which only ESP has.
    for number in (17, 59, 41):
        head, muted = v4_header(sa, 12 + ah_field_len(sa) + len(inner))
        packet = ah_make(sa, bytes((0x40,)) + inner, head, muted)  # for its form
        assert packet[20] == 4
        assert roads("in", sa, with_next(sa, inner, number)) == ["drop:bad_inner_packet"]


def with_next(sa, inner, number):
    from roads_peer import ah_icv, SPI
    size = ah_field_len(sa)
    head, muted = v4_header(sa, 12 + size + len(inner))
    ah = struct.pack("!BBHLL", number, (12 + size) // 4 - 2, 0, SPI, sa.seq)
    return head + ah + ah_icv(sa, muted + ah + bytes(size) + inner, b"") + inner


def test_163_ah_is_never_in_udp(roads):
    sa = Sa(None, HMACS[0], seq=7)
    packet = sealed(sa, inner_packet(4, 30))
    in_udp = raw(outer_header(sa) / UDP(sport=4500, dport=4500, chksum=0) / Raw(packet[20:]))
    [got] = roads("in", sa, in_udp)
    assert got == "drop:unknown_SPI"  # there its first word is one


def test_selectors_hold_for_ah(roads):
    sa = Sa(None, HMACS[0], seq=7, more={"ts_local": "10.2.0.0/16", "ts_remote": "10.9.0.0/16"})
    assert roads("in", sa, sealed(sa, inner_packet(4, 30))) == ["drop:outside_the_traffic_selectors"]


# ---------------------------------------------------------------- IPv4 options

def option(kind, size=4):
    return bytes((kind,)) if kind < 2 else bytes((kind, size)) + pattern(size - 2, kind)


IMMUTABLE = {"no-operation": 1, "security": 130, "extended security": 133,
             "commercial security": 134, "router alert": 148,
             "sender directed multi-destination": 149}
MUTABLE = {"loose source route": 131, "timestamp": 68, "record route": 7,
           "strict source route": 137, "traceroute": 82, "stream id": 136, "MTU probe": 11,
           "MTU reply": 12, "extended internet protocol": 145, "experimental measurement": 10,
           "experimental flow control": 205, "experimental access control": 142, "VISA": 15,
           "IMI traffic descriptor": 144, "address extension": 147, "nobody knows": 94}


@pytest.mark.parametrize("integrity", (HMACS[0], AH_GMACS[0]), ids=lambda i: i.name)
def test_ipv4_options(roads, integrity):
    """RFC 4302 appendix A1: each option of the table, first and behind others."""
    sa = Sa(None, integrity, seq=7)
    inner = inner_packet(4, 21)
    for name, kind in {**IMMUTABLE, **MUTABLE}.items():
        one = option(kind, 4) if kind > 1 else option(kind)
        one += bytes(-len(one) % 4)
        seen = one if name in IMMUTABLE else bytes(len(one))
        alert = option(148)
        for before in (b"", b"\1\1" + option(130, 6), alert):
            packet = sealed(sa, inner, options=before + one, options_muted=before + seen)
            assert roads("in", sa, packet) == [inner], name
            if name not in IMMUTABLE:  # a router that did its part on the way
                changed = bytearray(packet)
                changed[20 + len(before) + 2] ^= 0xff
                head = 20 + len(before + one)
                changed[10:12] = struct.pack("!H", checksum_of(bytes(changed[:head])))
                assert roads("in", sa, bytes(changed)) == [inner], name
            other = before + (bytes(len(one)) if name in IMMUTABLE else one)
            assert roads("in", sa, sealed(sa, inner, options=before + one,
                                          options_muted=other)) == [BAD], name
    end = b"\0\xaa\xbb\xcc"  # what follows the end of the list counts as it is
    assert roads("in", sa, sealed(sa, inner, options=end)) == [inner]
    longest = option(7, 37) + b"\1\1\1"
    assert roads("in", sa, sealed(sa, inner, options=longest,
                                  options_muted=bytes(37) + b"\1\1\1")) == [inner]


def test_ipv4_options_against_scapy(roads):
    from scapy.layers.inet import IPOption_LSRR, IPOption_RR, IPOption_Router_Alert, IPOption_Security
    sa = Sa(None, HMACS[0], seq=7)
    inner = inner_packet(4, 21)
    src, dst = addresses(4, True)
    for options in ([IPOption_RR(length=7, pointer=8, routers=["10.0.0.1"]), IPOption_Router_Alert()],
                    [IPOption_Security(), IPOption_Router_Alert()],
                    [IPOption_LSRR(pointer=8, routers=["10.0.0.1"])]):
        header = IP(src=src, dst=dst, ttl=61, id=77, options=options)
        packet = raw(scapy_sa(sa, tunnel_header=header).encrypt(IP(inner), seq_num=7))
        assert roads("in", sa, packet) == [inner], options


def test_ipv4_options_that_lie(roads):
    sa = Sa(None, HMACS[0], seq=7)
    for options in (b"\x82\0\0\0", b"\x82\1\0\0", b"\x44\5\0\0", b"\1\1\1\x82", b"\7\xff\0\0"):
        packet = sealed(sa, inner_packet(4, 9), options=options)
        assert roads("in", sa, packet) == ["drop:bad_ESP_or_AH_header"], options


def test_flags_that_changed_on_the_way(roads):
    """RFC 4302 3.3.3.1.1.1: a router may set DF."""
    sa = Sa(None, HMACS[0], seq=7)
    inner = inner_packet(4, 9)
    assert roads("in", sa, sealed(sa, inner, flags="DF", ttl=1, tos=0)) == [inner]


# ---------------------------------------------------------------- IPv6 extension headers

def options_header(kind, *options):
    """(type, octets, muted octets) of a hop-by-hop (0) or destination options (60) header."""
    def size(octets):
        body = b"\0\0" + octets
        pad = -len(body) % 8
        body += b"" if pad == 0 else b"\0" if pad == 1 else bytes((1, pad - 2)) + bytes(pad - 2)
        return body[:1] + bytes((len(body) // 8 - 1,)) + body[2:]

    def muted(o):
        return o[:2] + bytes(len(o) - 2) if o[0] & 0x20 else o

    return (kind, size(b"".join(options)), size(b"".join(muted(o) for o in options)))


def v6_option(kind, size=4):
    return bytes((kind, size)) + pattern(size, kind)


ROUTING = (43, b"\0\2\0\0" + bytes(4) + pattern(16, 1), b"\0\2\0\0" + bytes(4) + pattern(16, 1))
FRAGMENT = (44, b"\0\0\0\0" + pattern(4, 1), None)
HOP = options_header(0, b"\5\2\0\0", v6_option(0x3e, 6), v6_option(0x1e, 3))
DEST = options_header(60, v6_option(0x3e, 8), v6_option(0x1e, 1), v6_option(0x22, 0))
CHAINS = {
    "hop-by-hop": [HOP],
    "destination options": [DEST],
    "routing": [ROUTING],
    "all of them": [HOP, DEST, ROUTING, DEST],
    "pads only": [options_header(0), options_header(60, b"\0", b"\0", b"\1\0")],
    "a fragment header of a whole packet": [FRAGMENT],
    "a fragment header among others": [HOP, ROUTING, FRAGMENT, DEST],
    "a fragment header in front": [FRAGMENT, DEST],
    "a long one": [options_header(60, *[v6_option(0x3e, 100)] * 4)],
}


@pytest.mark.parametrize("integrity", (HMACS[0], HMACS[4], AH_GMACS[2]), ids=lambda i: i.name)
def test_ipv6_extension_headers(roads, integrity):
    """RFC 4302 appendix A2, 3.3.3.1.2"""
    sa = Sa(None, integrity, outer=6, seq=7)
    inner = inner_packet(6, 33)
    for name, chain in CHAINS.items():
        packet = sealed(sa, inner, chain=chain)
        assert roads("in", sa, packet) == [inner], name
        # The same, counted as if nothing could change: refused wherever something can.
        plain = [(t, o, o) for t, o, _ in chain]
        want = [inner] if plain == chain else [BAD]
        assert roads("in", sa, sealed(sa, inner, chain=plain)) == want, name


def test_ipv6_extension_headers_against_scapy(roads):
    from scapy.layers.inet6 import (HBHOptUnknown, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop,
                                    IPv6ExtHdrRouting, PadN)
    sa = Sa(None, HMACS[0], outer=6, seq=7)
    inner = inner_packet(6, 33)
    src, dst = addresses(6, True)
    changes = HBHOptUnknown(otype=0x3e, optlen=4, optdata=b"abcd")
    stays = HBHOptUnknown(otype=0x1e, optlen=4, optdata=b"efgh")
    for header in (IPv6(src=src, dst=dst) / IPv6ExtHdrHopByHop(options=[changes, stays]),
                   IPv6(src=src, dst=dst) / IPv6ExtHdrDestOpt(options=[stays, changes, PadN()]),
                   IPv6(src=src, dst=dst) / IPv6ExtHdrHopByHop(options=[stays]) /
                   IPv6ExtHdrDestOpt(options=[changes])):
        packet = raw(scapy_sa(sa, tunnel_header=header).encrypt(IPv6(inner), seq_num=7))
        assert roads("in", sa, packet) == [inner], header.summary()
    # A routing header: signed as it will arrive, then sent on by the router that it names.
    via = "2001:db8:9::9"
    header = IPv6(src=src, dst=via) / IPv6ExtHdrRouting(addresses=[dst], segleft=1)
    sent = bytearray(raw(scapy_sa(sa, tunnel_header=header).encrypt(IPv6(inner), seq_num=7)))
    assert roads("in", sa, bytes(sent))[0] != inner
    sent[24:40], sent[48:64] = sent[48:64], sent[24:40]
    sent[43] = 0
    assert roads("in", sa, bytes(sent)) == [inner]


def test_ipv6_extension_headers_that_lie(roads):
    sa = Sa(None, HMACS[0], outer=6, seq=7)
    bad = "drop:bad_ESP_or_AH_header"
    for octets in (b"\0\0\5\5\0\0\0\0", b"\0\0\1\5\0\0\0\x3e", b"\0\0\0\0\0\0\0\x3e"):
        for kind in (0, 60):
            packet = sealed(sa, inner_packet(6, 9), chain=[(kind, octets, octets)])
            assert roads("in", sa, packet) == ["drop:malformed_packet"], octets
    assert roads("in", sa, sealed(sa, inner_packet(6, 9), chain=[FRAGMENT, FRAGMENT])) == [bad]
    longer = (60, b"\0\xff" + bytes(6), b"\0\xff" + bytes(6))
    assert roads("in", sa, sealed(sa, inner_packet(6, 9), chain=[longer])) == ["drop:malformed_packet"]
    left = (43, b"\0\0\0\1" + bytes(4), b"\0\0\0\1" + bytes(4))
    [got] = roads("in", sa, sealed(sa, inner_packet(6, 9), chain=[left]))
    assert got == "drop:encapsulation_does_not_match_the_SA"
