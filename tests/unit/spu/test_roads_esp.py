# SPDX-License-Identifier: BSD-2-Clause
"""ESP of every algorithm, byte for byte: what Hawser seals, scapy and the RFCs' own words open; what
they seal, Hawser opens. Outer and inner IPv4 and IPv6, bare and in UDP, with and without ESN."""
import itertools
import struct

import pytest
from roads_ah import sealed as ah_sealed
from roads_peer import (AEADS, CBCS, EPOCH, GMACS, HMACS, IMPLICIT, NO_INTEGRITY, NULL, Roads, Sa,
                        esp_of, inner_of, pattern, scapy_has, scapy_sa, seal, unseal, with_,
                        with_outer)
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw, raw

# Every cipher with one integrity algorithm, and every integrity algorithm with two ciphers.
SUITES = [(enc, NO_INTEGRITY) for enc in AEADS + IMPLICIT + GMACS]
SUITES += [(enc, HMACS[0]) for enc in CBCS]
SUITES += [(enc, integ) for enc in (CBCS[0], NULL) for integ in HMACS if (enc, integ) not in SUITES]
SUITES += [(CBCS[0], NO_INTEGRITY), (CBCS[3], NO_INTEGRITY)]
BAD = "drop:authentication_failed"
FORMS = list(itertools.product((4, 6), (4, 6), (False, True), (False, True)))
SIZES = (0, 1, 2, 3, 5, 13, 14, 15, 16, 64, 255, 600, 1300)


def name_of(suite):
    return f"{suite[0].name}/{suite[1].name}"


@pytest.fixture(scope="module", params=("software", "inline"))
def roads(request):
    roads = Roads(request.param)
    yield roads
    roads.close()


@pytest.fixture(scope="module")
def software():
    roads = Roads()
    yield roads
    roads.close()


def inner_packet(family, size, number=0):
    body = UDP(sport=4000 + number, dport=53) / Raw(pattern(size, number)) if number % 2 else \
        TCP(sport=33000, dport=443, seq=number, flags="PA") / Raw(pattern(size, number))
    if family == 4:
        return raw(IP(src="10.1.0.5", dst="10.2.0.9", ttl=63, id=number, flags="DF") / body)
    return raw(IPv6(src="fd00:1::5", dst="fd00:2::9", hlim=63, fl=0x12345) / body)


def sas_of(suite):
    for number, (outer, inner, udp, esn) in enumerate(FORMS):
        if esn and not suite[0].aead and suite[1] is NO_INTEGRITY:
            continue
        seq = (0x00000003_fffffff0 if esn else 0xfffff000) + number
        yield Sa(*suite, outer=outer, udp=udp, esn=esn, seq=seq), inner, SIZES[number % len(SIZES)]


def explicit_iv(sa, iv):
    """What Hawser's IVs have to be like: the epoch and the number, or a block of its own."""
    if sa.encryption.kind != "cbc":
        assert iv == (struct.pack("!Q", EPOCH << 48 | sa.seq) if sa.encryption.iv_len else b"")
    return iv


@pytest.mark.parametrize("suite", SUITES, ids=name_of)
def test_what_hawser_seals_is_opened(roads, suite):
    ivs = set()
    for sa, family, size in sas_of(suite):
        inner = inner_packet(family, size, size)
        [packet] = roads("out", sa, inner)
        esp = esp_of(sa, packet)
        payload, iv = unseal(sa, esp)
        assert inner_of(payload) == inner, sa.label
        ivs.add(explicit_iv(sa, iv))
        if sa.encryption.kind != "cbc":  # with its IV known, all of it is
            assert esp == seal(sa, inner, iv=iv), sa.label
        if not scapy_has(sa):
            continue
        other = IP(packet) if sa.outer == 4 else IPv6(packet)
        assert raw(scapy_sa(sa).decrypt(other)) == inner, sa.label
    if suite[0].iv_len:
        assert len(ivs) == len(list(sas_of(suite)))


@pytest.mark.parametrize("suite", SUITES, ids=name_of)
def test_what_the_peer_seals_is_opened_by_hawser(roads, suite):
    for sa, family, size in sas_of(suite):
        inner = inner_packet(family, size, size + 1)
        if scapy_has(sa) and not (sa.udp and sa.outer == 6):  # there scapy leaves the lengths wrong
            clear = IP(inner) if family == 4 else IPv6(inner)
            packet = raw(scapy_sa(sa).encrypt(clear, seq_num=sa.seq & 0xffffffff))
            if sa.udp:  # its length does not count what follows
                packet = packet[:24] + struct.pack("!H", len(packet) - 20) + packet[26:]
            assert roads("in", sa, packet) == [inner], f"scapy {sa.label}"
        packet = with_outer(sa, seal(sa, inner))
        assert roads("in", sa, packet) == [inner], sa.label


@pytest.mark.parametrize("suite", SUITES, ids=name_of)
def test_what_was_changed_on_the_way_is_refused(roads, suite):
    sa = Sa(*suite, seq=7)
    packet = with_outer(sa, seal(sa, inner_packet(4, 40)))
    # Of SPI the SA is another; the number is authenticated wherever anything is.
    places = [27, 28 + sa.encryption.iv_len, len(packet) - 1]
    places += [28] if sa.encryption.iv_len else []
    for at in places:
        spoilt = packet[:at] + bytes((packet[at] ^ 0x40,)) + packet[at + 1:]
        [got] = roads("in", sa, spoilt)
        if suite[1] is NO_INTEGRITY and not sa.encryption.aead:
            assert got != inner_packet(4, 40) or at == 27
        else:
            assert got == BAD, f"{sa.label} at {at}"
    if suite[1] is not NO_INTEGRITY or sa.encryption.aead:
        assert roads("in", sa, packet, packet)[1] == "drop:replayed_or_too_old"
        [got] = roads("in", with_(sa, esn=True, seq=(5 << 32) + 7), packet)
        assert got == BAD


@pytest.mark.parametrize("suite", SUITES, ids=name_of)
def test_padding_tfc_and_dummies(roads, suite):
    sa = Sa(*suite, seq=9)
    inner = inner_packet(6, 21)
    unit = max(sa.encryption.block, 4)

    def got(n=9, **how):
        return roads("in", with_(sa, seq=n), with_outer(sa, seal(with_(sa, seq=n), inner, **how)))[0]

    assert got(tfc=333) == inner                      # RFC 4303 2.7
    assert got(pad_more=240 // unit * unit) == inner  # RFC 4303 2.4
    assert got(next_header=59) == "consumed"          # RFC 4303 2.6
    assert got(next_header=4) == "drop:bad_inner_packet"
    assert got(next_header=17) == "drop:bad_inner_packet"
    esp = seal(sa, inner)
    cut = with_outer(sa, esp[:-sa.integrity.icv_len or None][:-1] + esp[-sa.integrity.icv_len:])
    assert roads("in", sa, cut) == ["drop:bad_ESP_or_AH_header"]
    short = esp[:8 + sa.encryption.iv_len] + esp[len(esp) - sa.integrity.icv_len:]
    assert roads("in", sa, with_outer(sa, short)) == ["drop:bad_ESP_or_AH_header"]


@pytest.mark.parametrize("outer", (4, 6))
def test_udp_checksums_say_nothing(software, outer):
    """RFC 3948 2.1: zero is usual, a receiver must take any."""
    sa = Sa(AEADS[0], outer=outer, udp=True, seq=3)
    inner = inner_packet(4, 30)
    zero, right = (with_outer(sa, seal(sa, inner), checksum=c) for c in (False, True))
    at = (20 if outer == 4 else 40) + 6
    wrong = right[:at] + bytes((right[at] ^ 1,)) + right[at + 1:]
    for packet in (zero, right, wrong):
        assert software("in", sa, packet) == [inner]


def test_a_cipher_alone_has_no_replay_check(software):
    """RFC 4303 2.2: where nothing is authentic, anybody could move the window."""
    sa = Sa(CBCS[0], NO_INTEGRITY, seq=50)
    packet = with_outer(sa, seal(sa, inner_packet(4, 10)))
    assert software("in", sa, packet, packet) == [inner_packet(4, 10)] * 2


def test_032_an_sa_is_named_by_spi_destination_and_protocol(software):
    """SAs with one SPI, keyed by hand: of two protocols, three destinations, two instances."""
    def by_hand(number, *suite, **how):
        more = {"manual": 1, "tunnel": 200 + number, **how.pop("more", {})}
        return Sa(*suite, seq=5, more=more, **how)

    sas = [by_hand(0, AEADS[0]), by_hand(1, None, HMACS[0]), by_hand(2, NULL, HMACS[0], outer=6),
           by_hand(3, AEADS[3], more={"local": "192.0.2.7"}),
           by_hand(4, AEADS[2], more={"instance": 3}), by_hand(5, None, HMACS[1], outer=6)]
    inner = inner_packet(4, 12)
    packets = [with_outer(sas[0], seal(sas[0], inner)), ah_sealed(sas[1], inner),
               with_outer(sas[2], seal(sas[2], inner)),
               raw(IP(src="198.51.100.2", dst="192.0.2.7", proto=50) / Raw(seal(sas[3], inner))),
               with_outer(sas[4], seal(sas[4], inner)), ah_sealed(sas[5], inner)]
    nobody = raw(IP(src="198.51.100.2", dst="192.0.2.8", proto=50) / Raw(seal(sas[3], inner)))
    for turn in range(len(sas)):  # whichever was put in last
        order = sas[turn:] + sas[:turn]
        got = software("in", order[-1], *packets, nobody, beside=order[:-1])
        # The frames' instance is 0: to the fifth SA's packet they are the first one's once more.
        want = [inner] * 4 + ["drop:replayed_or_too_old", inner, "drop:unknown_SPI"]
        assert got == want
