// SPDX-License-Identifier: BSD-2-Clause
/* Inbound: ESP, its outer headers, and the packets within. */
#include "roads_table.h"

static size_t cut_tail(uint8_t *p, size_t len)
{
	(void)p;
	return len - 5;
}

static size_t other_spi_of_v6(uint8_t *p, size_t len)
{
	p[40] ^= 0x80;
	return len;
}

static size_t flip_spi(uint8_t *p, size_t len)
{
	p[20] ^= 0x80;
	return len;
}

/* Puts an extension header of 8 bytes behind the IPv6 header. */
static size_t extend(uint8_t *p, size_t len, uint8_t type, uint8_t third)
{
	uint8_t header[8] = { p[6], 0, 0, third };

	memmove(p + 48, p + 40, len - 40);
	memcpy(p + 40, header, 8);
	p[6] = type;
	put_be16(p + 4, (uint16_t)(len - 32));
	return len + 8;
}

static size_t destination_options(uint8_t *p, size_t len)
{
	return extend(p, extend(p, len, 60, 0), 0, 0); /* behind hop-by-hop ones */
}

/* A destination option of 4 bytes. */
static size_t option(uint8_t *p, size_t len, uint8_t type)
{
	len = extend(p, len, 60, 2);
	p[42] = type; /* its length is the byte behind it */
	return len;
}

static size_t option_to_skip(uint8_t *p, size_t len)
{
	return option(p, len, 0x3e);
}

static size_t option_to_discard(uint8_t *p, size_t len)
{
	return option(p, len, 0x7e);
}

static size_t option_to_answer(uint8_t *p, size_t len)
{
	return option(p, len, 0xc9);
}

static size_t option_too_long(uint8_t *p, size_t len)
{
	len = option(p, len, 0x3e);
	p[43] = 5;
	return len;
}

static size_t option_hop_by_hop(uint8_t *p, size_t len)
{
	len = option(p, len, 0x83);
	p[6] = 0;
	return len;
}

static size_t atomic_fragment(uint8_t *p, size_t len)
{
	return extend(p, len, 44, 0);
}

static size_t segments_left(uint8_t *p, size_t len)
{
	return extend(p, len, 43, 1);
}

static size_t endless_extension(uint8_t *p, size_t len)
{
	len = extend(p, len, 60, 0);
	p[41] = 255;
	return len;
}

static size_t bad_checksum(uint8_t *p, size_t len)
{
	p[11] ^= 1;
	return len;
}

size_t spoil_short_header(uint8_t *p, size_t len)
{
	p[0] = 0x44;
	return len;
}

static size_t other_destination(uint8_t *p, size_t len)
{
	p[19]++;
	seal_checksum(p);
	return len;
}

static size_t other_protocol(uint8_t *p, size_t len)
{
	p[9] = 6;
	seal_checksum(p);
	return len;
}

static size_t only_esp_header(uint8_t *p, size_t len)
{
	(void)len;
	put_be16(p + 2, 28);
	seal_checksum(p);
	return 28;
}

static size_t half_esp_header(uint8_t *p, size_t len)
{
	(void)len;
	put_be16(p + 2, 25);
	seal_checksum(p);
	return 25;
}

static size_t odd_length(uint8_t *p, size_t len)
{
	put_be16(p + 2, (uint16_t)(len - 1));
	seal_checksum(p);
	return len - 1;
}

size_t spoil_link_padding(uint8_t *p, size_t len)
{
	memset(p + len, 0, 7);
	return len + 7;
}

static size_t lying_udp_length(uint8_t *p, size_t len)
{
	put_be16(p + 24, 4);
	return len;
}

size_t spoil_nothing_left(uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return 0;
}

/* Record route, nothing recorded yet: what is in front of ESP is not authenticated. */
static size_t options_on_the_way(uint8_t *p, size_t len)
{
	static const uint8_t options[8] = { 7, 7, 4, 0, 0, 0, 0, 0 };

	memmove(p + 28, p + 20, len - 20);
	memcpy(p + 20, options, sizeof(options));
	p[0] = 0x47;
	put_be16(p + 2, (uint16_t)(len + 8));
	seal_checksum(p);
	return len + 8;
}

static size_t any_udp_checksum(uint8_t *p, size_t len)
{
	p[26] ^= 0x55;
	return len;
}

static size_t spi_of_the_reserved(uint8_t *p, size_t len)
{
	put_be32(p + 20, 200);
	return len;
}

static size_t four_bytes_less(uint8_t *p, size_t len)
{
	put_be16(p + 2, (uint16_t)(len - 4));
	seal_checksum(p);
	return len - 4;
}

static size_t as_esp(uint8_t *p, size_t len)
{
	p[9] = 50;
	memmove(p + 20, p + 24, len - 24);
	seal_checksum(p);
	return len;
}

const struct in_case in_cases[] = {
	/* headers around headers */
	{ .rfc = "RFC 4303 3.1.2", .what = "IPv4 in IPv4" },
	{ .rfc = "RFC 4303 3.1.2", .what = "IPv6 in IPv4", .seal = { V6_INNER } },
	{ .rfc = "RFC 4303 3.1.2",
	  .what = "IPv4 in IPv6",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 } },
	{ .rfc = "RFC 4303 3.1.2",
	  .what = "IPv6 in IPv6",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6, V6_INNER } },
	{ .rfc = "RFC 3948 2.1", .what = "in UDP", .sa = { .udp = true }, .seal = { .udp = true } },
	{ .rfc = "RFC 3948 2.1",
	  .what = "IPv6 in UDP",
	  .sa = { .udp = true },
	  .seal = { .udp = true, V6_INNER } },
	{ .rfc = "RFC 3948 2.1",
	  .what = "in UDP over IPv6",
	  .sa = { V6_OUTER, .udp = true },
	  .seal = { .udp = true, .outer = 6 } },
	{ .rfc = "RFC 3948 2.1",
	  .what = "a checksum of UDP is not looked at",
	  .sa = { .udp = true },
	  .seal = { .udp = true },
	  .spoil = any_udp_checksum },
	{ .rfc = "RFC 4303 3.1.1",
	  .what = "outer options that were put in on the way",
	  .spoil = options_on_the_way },
	{ .rfc = "RFC 791 3.1",
	  .what = "the link's padding is cut off",
	  .spoil = spoil_link_padding },
	{ .rfc = "RFC 4303 2.3",
	  .what = "payload of 1400",
	  .seal = { .inner = { .payload = 1400 } } },
	{ .rfc = "RFC 8200 4",
	  .what = "IPv6 extension headers before ESP",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = destination_options },
	{ .rfc = "RFC 8200 4",
	  .what = "IPv6 extension headers before UDP",
	  .sa = { V6_OUTER, .udp = true },
	  .seal = { .udp = true, .outer = 6 },
	  .spoil = destination_options },
	{ .rfc = "RFC 6946 4",
	  .what = "IPv6 packet that is whole, with a fragment header",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = atomic_fragment },
	{ .rfc = "RFC 8200 4.4",
	  .what = "IPv6 routing header with segments left",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = segments_left,
	  .drop = DROP_ENCAPSULATION },
	{ .rfc = "RFC 8200 4.2",
	  .what = "IPv6 extension header longer than the packet",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = endless_extension,
	  .drop = DROP_MALFORMED },
	{ .rfc = "RFC 8200 4.2",
	  .what = "IPv6 option that may be skipped",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = option_to_skip },
	{ .rfc = "RFC 8200 4.2",
	  .what = "IPv6 option that says discard",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = option_to_discard,
	  .drop = DROP_OPTION },
	{ .rfc = "RFC 8200 4.2",
	  .what = "IPv6 option that says discard and answer, before UDP",
	  .sa = { V6_OUTER, .udp = true },
	  .seal = { .udp = true, .outer = 6 },
	  .spoil = option_to_answer,
	  .drop = DROP_OPTION },
	{ .rfc = "RFC 8200 4.2",
	  .what = "IPv6 hop-by-hop option that says discard",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = option_hop_by_hop,
	  .drop = DROP_OPTION },
	{ .rfc = "RFC 8200 4.2",
	  .what = "IPv6 option longer than its header",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = option_too_long,
	  .drop = DROP_MALFORMED },
	/* headers that lie */
	{ .rfc = "RFC 791 3.1",
	  .what = "no bytes at all",
	  .spoil = spoil_nothing_left,
	  .drop = DROP_MALFORMED },
	{ .rfc = "RFC 791 3.1", .what = "cut off", .spoil = cut_tail, .drop = DROP_MALFORMED },
	{ .rfc = "RFC 8200 3",
	  .what = "IPv6, cut off",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = cut_tail,
	  .drop = DROP_MALFORMED },
	{ .rfc = "RFC 791 3.1",
	  .what = "IPv4 header of 16 bytes",
	  .spoil = spoil_short_header,
	  .drop = DROP_MALFORMED },
	{ .rfc = "RFC 1812 5.2.2",
	  .what = "header checksum wrong",
	  .spoil = bad_checksum,
	  .drop = DROP_MALFORMED },
	{ .rfc = "RFC 768",
	  .what = "UDP length of 4",
	  .sa = { .udp = true },
	  .seal = { .udp = true },
	  .spoil = lying_udp_length,
	  .drop = DROP_MALFORMED },
	{ .rfc = "RFC 4301 5.2",
	  .what = "TCP",
	  .spoil = other_protocol,
	  .drop = DROP_ENCAPSULATION },
	{ .rfc = "RFC 4303 2",
	  .what = "half an ESP header",
	  .spoil = half_esp_header,
	  .drop = DROP_BAD_HEADER },
	{ .rfc = "RFC 4303 2",
	  .what = "ESP header only",
	  .spoil = only_esp_header,
	  .drop = DROP_BAD_HEADER },
	{ .rfc = "RFC 4303 2.4",
	  .what = "not a multiple of 4",
	  .spoil = odd_length,
	  .drop = DROP_BAD_HEADER },
	{ .rfc = "RFC 4303 2.4",
	  .what = "not a multiple of the cipher's block",
	  .sa = { .cipher = ENCR_AES_CBC, .bits = 128, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = four_bytes_less,
	  .drop = DROP_BAD_HEADER },
	/* which SA */
	{ .rfc = "RFC 4303 3.4.2",
	  .what = "unknown SPI",
	  .spoil = flip_spi,
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 4303 3.4.2",
	  .what = "unknown SPI over IPv6",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = other_spi_of_v6,
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 4303 2.1",
	  .what = "SPI of the reserved ones",
	  .spoil = spi_of_the_reserved,
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 4301 4.1",
	  .what = "not our address",
	  .spoil = other_destination,
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 4301 4.1",
	  .what = "SA of AH, packet of ESP",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = as_esp,
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 4301 4.1",
	  .what = "SA of another routing instance",
	  .sa = { .instance = 3 },
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 3948 3.1",
	  .what = "SA is in UDP, packet is not",
	  .sa = { .udp = true },
	  .drop = DROP_ENCAPSULATION },
	{ .rfc = "RFC 3948 3.1",
	  .what = "packet is in UDP, SA is not",
	  .seal = { .udp = true },
	  .drop = DROP_ENCAPSULATION },
	{ .rfc = "RFC 3948 2.1",
	  .what = "other UDP port of ours",
	  .sa = { .udp = true },
	  .seal = { .udp = true, .dport = 4501 },
	  .drop = DROP_ENCAPSULATION },
	{ .rfc = "RFC 7296 2.23",
	  .what = "other UDP port of the peer's",
	  .sa = { .udp = true },
	  .seal = { .udp = true, .sport = 1024 } },
	{ .rfc = "RFC 4301 4.4.2.1",
	  .what = "SA past its hard lifetime",
	  .sa = { .hard_ms = RIG_NOW },
	  .drop = DROP_EXPIRED },
	{ .rfc = "RFC 4301 4.4.2.1",
	  .what = "SA before its hard lifetime",
	  .sa = { .hard_ms = RIG_NOW + 1 } },
	{ .rfc = "RFC 4301 4.4.2.1",
	  .what = "the last byte of its volume",
	  .sa = { .hard_bytes = 28 } },
	{ .rfc = "RFC 4301 4.4.2.1",
	  .what = "one byte beyond its volume",
	  .sa = { .hard_bytes = 27 },
	  .drop = DROP_EXPIRED },
	{ .rfc = "RFC 4301 4.4.2.1",
	  .what = "one packet beyond its packets",
	  .sa = { .hard_packets = 1 },
	  .seal = { .seq = 2 },
	  .top = 1,
	  .counted = 1,
	  .drop = DROP_EXPIRED },
};
const size_t in_cases_n = ARRAY_LEN(in_cases);
