// SPDX-License-Identifier: BSD-2-Clause
/* Inbound: AH. Byte for byte, with options and extension headers of the sender's, it is compared in
 * test_roads_ah.py. */
#include "roads_table.h"

static size_t v4_ttl(uint8_t *p, size_t len)
{
	p[8] = 7;
	seal_checksum(p);
	return len;
}

static size_t v4_tos(uint8_t *p, size_t len)
{
	p[1] ^= 0xb8;
	seal_checksum(p);
	return len;
}

static size_t v4_ce(uint8_t *p, size_t len)
{
	p[1] |= 3;
	seal_checksum(p);
	return len;
}

static size_t v4_df(uint8_t *p, size_t len)
{
	p[6] ^= 0x40;
	seal_checksum(p);
	return len;
}

static size_t v4_id(uint8_t *p, size_t len)
{
	p[5] ^= 1;
	seal_checksum(p);
	return len;
}

static size_t v4_source(uint8_t *p, size_t len)
{
	p[15] ^= 1;
	seal_checksum(p);
	return len;
}

static size_t v6_hops(uint8_t *p, size_t len)
{
	p[7] = 7;
	return len;
}

static size_t v6_class(uint8_t *p, size_t len)
{
	p[0] ^= 4;
	return len;
}

static size_t v6_label(uint8_t *p, size_t len)
{
	p[3] ^= 0x55;
	return len;
}

static size_t v6_source(uint8_t *p, size_t len)
{
	p[23] ^= 1;
	return len;
}

static size_t next_header(uint8_t *p, size_t len)
{
	p[20] ^= 1;
	return len;
}

static size_t ah_length(uint8_t *p, size_t len)
{
	p[21] += 2;
	return len;
}

static size_t reserved(uint8_t *p, size_t len)
{
	p[22] ^= 1;
	return len;
}

static size_t other_spi(uint8_t *p, size_t len)
{
	p[24] ^= 0x80;
	return len;
}

static size_t ah_icv(uint8_t *p, size_t len)
{
	p[36] ^= 1; /* over IPv4, also behind GMAC's IV of 8 bytes */
	return len;
}

static size_t inner_byte(uint8_t *p, size_t len)
{
	p[len - 1] ^= 1;
	return len;
}

static size_t half_a_header(uint8_t *p, size_t len)
{
	(void)len;
	put_be16(p + 2, 28);
	seal_checksum(p);
	return 28;
}

static size_t with_options(uint8_t *p, size_t len, uint8_t option_len)
{
	const uint8_t options[8] = { 7, option_len, 4, 0, 0, 0, 0, 0 };

	memmove(p + 28, p + 20, len - 20);
	memcpy(p + 20, options, sizeof(options));
	p[0] = 0x47;
	put_be16(p + 2, (uint16_t)(len + 8));
	seal_checksum(p);
	return len + 8;
}

static size_t options_on_the_way(uint8_t *p, size_t len)
{
	return with_options(p, len, 7);
}

static size_t lying_options(uint8_t *p, size_t len)
{
	return with_options(p, len, 9);
}

const struct in_case ah_in_cases[] = {
	/* every algorithm */
	{ .rfc = "RFC 4868",
	  .what = "SHA-256",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 } },
	{ .rfc = "RFC 4868",
	  .what = "SHA-384",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_384_192 } },
	{ .rfc = "RFC 4868",
	  .what = "SHA-512",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_512_256 } },
	{ .rfc = "RFC 2404",
	  .what = "SHA-1",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA1_96 } },
	{ .rfc = "RFC 2403",
	  .what = "MD5",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_MD5_96 } },
	{ .rfc = "RFC 4543 4",
	  .what = "GMAC of 128",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_AES_128_GMAC } },
	{ .rfc = "RFC 4543 4",
	  .what = "GMAC of 192",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_AES_192_GMAC } },
	{ .rfc = "RFC 4543 4",
	  .what = "GMAC of 256",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_AES_256_GMAC } },
	/* headers around headers */
	{ .rfc = "RFC 4302 3.1.2",
	  .what = "IPv6 in IPv4",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { V6_INNER } },
	{ .rfc = "RFC 4302 3.1.2",
	  .what = "IPv4 in IPv6",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 } },
	{ .rfc = "RFC 4302 3.1.2",
	  .what = "IPv6 in IPv6",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { V6_INNER } },
	{ .rfc = "RFC 4302 2.2",
	  .what = "SHA-512 over IPv6, aligned to 8",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_512_256 },
	  .seal = { V6_INNER } },
	{ .rfc = "RFC 4302 2.2",
	  .what = "MD5 over IPv6, aligned to 8",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_MD5_96 } },
	{ .rfc = "RFC 4302 2.5.1",
	  .what = "ESN",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128, .esn = true },
	  .seal = { .seq = 0x300000001 },
	  .top = 0x300000000 },
	{ .rfc = "RFC 4302 2.5.1",
	  .what = "ESN with GMAC",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_AES_256_GMAC, .esn = true },
	  .seal = { .seq = 0x300000001 },
	  .top = 0x300000000 },
	/* what may change on the way */
	{ .rfc = "RFC 4302 3.3.3.1.1.1",
	  .what = "TTL changed on the way",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v4_ttl },
	{ .rfc = "RFC 4302 3.3.3.1.1.1",
	  .what = "TOS changed on the way",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v4_tos },
	{ .rfc = "RFC 4302 3.3.3.1.1.1",
	  .what = "DF changed on the way",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v4_df },
	{ .rfc = "RFC 4302 3.3.3.1.1.1",
	  .what = "identification changed on the way",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v4_id,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 3.3.3.1.1.1",
	  .what = "source changed on the way",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v4_source,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 3.3.3.1.1.2",
	  .what = "options put in on the way",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = options_on_the_way,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 3.3.3.1.1.2",
	  .what = "options that lie about their length",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = lying_options,
	  .drop = DROP_BAD_HEADER },
	{ .rfc = "RFC 4302 3.3.3.1.2.1",
	  .what = "hop limit changed on the way",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v6_hops },
	{ .rfc = "RFC 4302 3.3.3.1.2.1",
	  .what = "traffic class changed on the way",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v6_class },
	{ .rfc = "RFC 4302 3.3.3.1.2.1",
	  .what = "flow label changed on the way",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v6_label },
	{ .rfc = "RFC 4302 3.3.3.1.2.1",
	  .what = "source changed on the way, IPv6",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v6_source,
	  .drop = DROP_ICV },
	/* AH itself */
	{ .rfc = "RFC 4302 2.3",
	  .what = "the reserved field changed",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = reserved,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 2.1",
	  .what = "the next header changed",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = next_header,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 2.2",
	  .what = "another length",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = ah_length,
	  .drop = DROP_BAD_HEADER },
	{ .rfc = "RFC 4302 2",
	  .what = "AH header only in part",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = half_a_header,
	  .drop = DROP_BAD_HEADER },
	{ .rfc = "RFC 4302 2.4",
	  .what = "unknown SPI",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = other_spi,
	  .drop = DROP_UNKNOWN_SPI },
	{ .rfc = "RFC 4302 3.4.4",
	  .what = "ICV wrong",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = ah_icv,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 3.4.4",
	  .what = "ICV of GMAC wrong",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_AES_128_GMAC },
	  .spoil = ah_icv,
	  .drop = DROP_ICV },
	{ .rfc = "RFC 4302 3.4.4",
	  .what = "inner packet changed",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = inner_byte,
	  .drop = DROP_ICV },
	/* numbers, limits, selectors, ECN, fragments */
	{ .rfc = "RFC 4302 3.4.3",
	  .what = "the same once more",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .twice = true,
	  .drop = DROP_REPLAY },
	{ .rfc = "RFC 4302 3.4.3",
	  .what = "the oldest in a window of 64",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { .seq = 37 },
	  .top = 100 },
	{ .rfc = "RFC 4302 3.4.3",
	  .what = "one older than a window of 64",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { .seq = 36 },
	  .top = 100,
	  .drop = DROP_REPLAY },
	{ .rfc = "RFC 4301 4.4.2.1",
	  .what = "past its hard lifetime",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128, .hard_ms = RIG_NOW },
	  .drop = DROP_EXPIRED },
	{ .rfc = "RFC 4301 5.2",
	  .what = "inner source not the peer's",
	  .sa = { .protocol = IPPROTO_NO_AH,
	          .integ = INTEG_HMAC_SHA2_256_128,
	          .ts_remote = "10.3.0.0/16" },
	  .drop = DROP_SELECTOR },
	{ .rfc = "RFC 6040 4.2",
	  .what = "CE outside marks ECT(0)",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { .inner = { .tos = 2 } },
	  .spoil = v4_ce,
	  .tos = 3 },
	{ .rfc = "RFC 6040 4.2",
	  .what = "CE outside, not understood inside",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .spoil = v4_ce,
	  .drop = DROP_ECN },
	{ .rfc = "RFC 4302 3.4.1",
	  .what = "AH in fragments",
	  .sa = { .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { .inner = { .payload = 1300 } },
	  .fragments = 600 },
	{ .rfc = "RFC 4302 3.4.1",
	  .what = "AH in fragments of IPv6, the last one first",
	  .sa = { V6_OUTER, .protocol = IPPROTO_NO_AH, .integ = INTEG_HMAC_SHA2_256_128 },
	  .seal = { .inner = { .payload = 1300 } },
	  .fragments = 600,
	  .backwards = true },
};
const size_t ah_in_cases_n = ARRAY_LEN(ah_in_cases);
