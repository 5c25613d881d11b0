// SPDX-License-Identifier: BSD-2-Clause
/* One table for each road: (packet in, SA) -> (packet out, or the reason why not), both engines. */
#include "rig.h"
#include "seal.h"

#include <arpa/inet.h>

#define V6_OUTER .local = "2001:db8:1::1", .remote = "2001:db8:2::2"

/* ---------------------------------------------------------------- inbound */

static size_t cut_tail(uint8_t *p, size_t len)
{
	(void)p;
	return len - 5;
}

static size_t flip_icv(uint8_t *p, size_t len)
{
	p[len - 1] ^= 1;
	return len;
}

static size_t flip_ciphertext(uint8_t *p, size_t len)
{
	p[40] ^= 0x80;
	return len;
}

static size_t flip_spi(uint8_t *p, size_t len)
{
	p[20] ^= 0x80;
	return len;
}

static size_t flip_seq(uint8_t *p, size_t len)
{
	p[27] ^= 0x40;
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

static size_t short_header(uint8_t *p, size_t len)
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

static size_t link_padding(uint8_t *p, size_t len)
{
	memset(p + len, 0, 7);
	return len + 7;
}

static size_t lying_udp_length(uint8_t *p, size_t len)
{
	put_be16(p + 24, 4);
	return len;
}

static size_t nothing(uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return 0;
}

static const struct in_case {
	const char *what;
	struct rig_sa sa;
	struct seal_spec seal;
	size_t (*spoil)(uint8_t *p, size_t len);
	uint8_t drop;
	bool consumed;
	uint8_t tos; /* of what comes out, where that is looked at */
} in_cases[] = {
	{ .what = "IPv4 in IPv4" },
	{ .what = "IPv6 in IPv4", .seal = { .inner = { .family = 6 } } },
	{ .what = "IPv4 in IPv6", .sa = { V6_OUTER }, .seal = { .outer = 6 } },
	{ .what = "IPv6 in IPv6",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6, .inner = { .family = 6 } } },
	{ .what = "in UDP", .sa = { .udp = true }, .seal = { .udp = true } },
	{ .what = "in UDP over IPv6",
	  .sa = { V6_OUTER, .udp = true },
	  .seal = { .udp = true, .outer = 6 } },
	{ .what = "ESN", .sa = { .esn = true }, .seal = { .esn = true, .seq = 5 } },
	{ .what = "payload of 1400", .seal = { .inner = { .payload = 1400 } } },
	{ .what = "long padding", .seal = { .more_pad = 200 } },
	{ .what = "TFC padding is cut off", .seal = { .tfc = 90 } },
	{ .what = "the link's padding is cut off", .spoil = link_padding },
	{ .what = "DSCP is the inner one",
	  .seal = { .tos = 0xb8, .inner = { .tos = 0x28 } },
	  .tos = 0x28 },
	{ .what = "CE outside marks ECT(0)",
	  .seal = { .tos = 3, .inner = { .tos = 0x2a } },
	  .tos = 0x2b },
	{ .what = "CE outside marks ECT(1) of IPv6",
	  .seal = { .tos = 3, .inner = { .family = 6, .tos = 0x29 } },
	  .tos = 0x2b },
	{ .what = "CE outside, not ECN-capable inside", .seal = { .tos = 3 }, .drop = DROP_ECN },
	{ .what = "dummy", .seal = { .dummy = true, .tfc = 40 }, .consumed = true },
	{ .what = "no bytes at all", .spoil = nothing, .drop = DROP_MALFORMED },
	{ .what = "cut off", .spoil = cut_tail, .drop = DROP_MALFORMED },
	{ .what = "IPv4 header of 16 bytes", .spoil = short_header, .drop = DROP_MALFORMED },
	{ .what = "header checksum wrong", .spoil = bad_checksum, .drop = DROP_MALFORMED },
	{ .what = "UDP length of 4",
	  .sa = { .udp = true },
	  .seal = { .udp = true },
	  .spoil = lying_udp_length,
	  .drop = DROP_MALFORMED },
	{ .what = "IPv6 packet that is whole, with a fragment header",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = atomic_fragment },
	{ .what = "IPv6 extension headers before ESP",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = destination_options },
	{ .what = "IPv6 extension headers before UDP",
	  .sa = { V6_OUTER, .udp = true },
	  .seal = { .udp = true, .outer = 6 },
	  .spoil = destination_options },
	{ .what = "IPv6 routing header with segments left",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = segments_left,
	  .drop = DROP_ENCAPSULATION },
	{ .what = "IPv6 extension header longer than the packet",
	  .sa = { V6_OUTER },
	  .seal = { .outer = 6 },
	  .spoil = endless_extension,
	  .drop = DROP_MALFORMED },
	{ .what = "TCP", .spoil = other_protocol, .drop = DROP_ENCAPSULATION },
	{ .what = "half an ESP header", .spoil = half_esp_header, .drop = DROP_BAD_HEADER },
	{ .what = "ESP header only", .spoil = only_esp_header, .drop = DROP_BAD_HEADER },
	{ .what = "not a multiple of 4", .spoil = odd_length, .drop = DROP_BAD_HEADER },
	{ .what = "unknown SPI", .spoil = flip_spi, .drop = DROP_UNKNOWN_SPI },
	{ .what = "not our address", .spoil = other_destination, .drop = DROP_UNKNOWN_SPI },
	{ .what = "SA of another routing instance",
	  .sa = { .instance = 3 },
	  .drop = DROP_UNKNOWN_SPI },
	{ .what = "SA is in UDP, packet is not",
	  .sa = { .udp = true },
	  .drop = DROP_ENCAPSULATION },
	{ .what = "packet is in UDP, SA is not",
	  .seal = { .udp = true },
	  .drop = DROP_ENCAPSULATION },
	{ .what = "other UDP port of ours",
	  .sa = { .udp = true },
	  .seal = { .udp = true, .dport = 4501 },
	  .drop = DROP_ENCAPSULATION },
	{ .what = "SA past its hard lifetime", .sa = { .hard_ms = RIG_NOW }, .drop = DROP_EXPIRED },
	{ .what = "ICV wrong", .spoil = flip_icv, .drop = DROP_ICV },
	{ .what = "ciphertext wrong", .spoil = flip_ciphertext, .drop = DROP_ICV },
	{ .what = "sequence number wrong", .spoil = flip_seq, .drop = DROP_ICV },
	{ .what = "ESN guessed for one without", .sa = { .esn = true }, .drop = DROP_ICV },
	{ .what = "padding wrong",
	  .seal = { .more_pad = 4, .bad_pad = true },
	  .drop = DROP_BAD_TRAILER },
	{ .what = "padding beyond the payload",
	  .seal = { .long_pad = true },
	  .drop = DROP_BAD_TRAILER },
	{ .what = "padding that begins in the IV",
	  .seal = { .sly_pad = true },
	  .drop = DROP_BAD_TRAILER },
	{ .what = "transport mode", .seal = { .next = 6 }, .drop = DROP_BAD_INNER },
	{ .what = "IPv6 announced, IPv4 inside", .seal = { .next = 41 }, .drop = DROP_BAD_INNER },
	{ .what = "inside the selectors",
	  .sa = { .ts_local = "10.1.0.0/24", .ts_remote = "10.2.0.0/16" } },
	{ .what = "inner source not the peer's",
	  .sa = { .ts_local = "10.1.0.0/24", .ts_remote = "10.3.0.0/16" },
	  .drop = DROP_SELECTOR },
	{ .what = "inner destination not ours",
	  .sa = { .ts_local = "10.1.1.0/24", .ts_remote = "10.2.0.0/16" },
	  .drop = DROP_SELECTOR },
	{ .what = "other family than the selectors",
	  .sa = { .ts_local = "10.1.0.0/16", .ts_remote = "10.2.0.0/16" },
	  .seal = { .inner = { .family = 6 } },
	  .drop = DROP_SELECTOR },
	{ .what = "protocol of the selectors", .sa = { .ts_proto = 17 } },
	{ .what = "other protocol", .sa = { .ts_proto = 6 }, .drop = DROP_SELECTOR },
	{ .what = "port of the selectors",
	  .sa = { .ts_proto = 17, .ts_port_first = 1000, .ts_port_last = 1000 } },
	{ .what = "other port",
	  .sa = { .ts_proto = 17, .ts_port_first = 1001, .ts_port_last = 1010 },
	  .drop = DROP_SELECTOR },
	{ .what = "later fragment of a flow with ports",
	  .sa = { .ts_proto = 17, .ts_port_first = 1000, .ts_port_last = 1000 },
	  .seal = { .inner = { .frag = 100 } },
	  .drop = DROP_FRAGMENT },
	{ .what = "later fragment, any port", .seal = { .inner = { .frag = 100 } } },
	{ .what = "tunnel without a record", .sa = { .tunnel = 200000 }, .drop = DROP_NO_TUNNEL },
};

static void check_inner(const struct in_case *c, const struct rig_result *got)
{
	uint8_t want[SEAL_MAX];
	size_t len = plain_make(&c->seal.inner, want);

	if (c->tos && c->seal.inner.family == 6) {
		want[1] = (uint8_t)(c->tos << 4);
		want[0] = (uint8_t)(0x60 | c->tos >> 4);
	} else if (c->tos) {
		want[1] = c->tos;
		seal_checksum(want);
	}
	ck_assert_msg(got->len == len, "%s: %zu bytes, not %zu", c->what, got->len, len);
	ck_assert_msg(memcmp(got->ip, want, len) == 0, "%s: other bytes", c->what);
	ck_assert_uint_eq(got->meta.kind, FABRIC_PLAIN_IN);
	ck_assert_uint_eq(got->meta.anchor, RIG_ANCHOR);
	ck_assert_uint_eq(ntohl(got->meta.tunnel), RIG_TUNNEL);
	ck_assert_uint_eq(ntohl(got->meta.ifindex), RIG_ST0);
}

static void run_in(const struct in_case *c, enum rig_engine engine)
{
	struct rig *rig = rig_new(engine);
	const char *name = rig_engine_name(engine);
	uint8_t p[SEAL_MAX];

	(void)rig_sa(rig, &c->sa);
	size_t len = seal_make(&c->seal, p);
	if (c->spoil)
		len = c->spoil(p, len);
	struct rig_result got = rig_run(rig, RIG_IN, p, len);
	ck_assert_msg(got.drop == c->drop, "%s (%s): \"%s\", not \"%s\"", c->what, name,
	              drop_text(got.drop), drop_text(c->drop));
	ck_assert_msg(got.consumed == c->consumed, "%s (%s): consumed %d", c->what, name,
	              got.consumed);
	if (c->drop == DROP_NONE && !c->consumed)
		check_inner(c, &got);
	else
		ck_assert_msg(got.len == 0, "%s (%s): passed on", c->what, name);
	ck_assert_uint_eq(rig_drops(rig), c->drop != DROP_NONE);
	rig_free(rig);
}

START_TEST(inbound_road)
{
	for (size_t i = 0; i < ARRAY_LEN(in_cases); i++)
		run_in(&in_cases[i], (enum rig_engine)_i);
}
END_TEST

/* ---------------------------------------------------------------- outbound */

static size_t longer_than_it_is(uint8_t *p, size_t len)
{
	put_be16(p + 2, (uint16_t)(len + 1));
	seal_checksum(p);
	return len;
}

static const struct out_case {
	const char *what;
	struct rig_sa sa;
	struct plain_spec plain;
	size_t (*spoil)(uint8_t *p, size_t len);
	uint64_t seq; /* next one to be taken */
	uint16_t path_mtu;
	uint8_t drop;
	uint8_t tos; /* outer, where looked at */
} out_cases[] = {
	{ .what = "IPv4 in IPv4" },
	{ .what = "IPv6 in IPv4", .plain = { .family = 6 } },
	{ .what = "IPv4 in IPv6", .sa = { V6_OUTER } },
	{ .what = "in UDP", .sa = { .udp = true } },
	{ .what = "in UDP over IPv6", .sa = { V6_OUTER, .udp = true } },
	{ .what = "ESN", .sa = { .esn = true }, .seq = 0x300000001 },
	{ .what = "DSCP and ECN show outside", .plain = { .tos = 0xbb }, .tos = 0xbb },
	{ .what = "the link's padding is cut off", .spoil = link_padding },
	{ .what = "packet longer than the frame",
	  .spoil = longer_than_it_is,
	  .drop = DROP_MALFORMED },
	{ .what = "no bytes at all", .spoil = nothing, .drop = DROP_MALFORMED },
	{ .what = "IPv4 header of 16 bytes", .spoil = short_header, .drop = DROP_MALFORMED },
	{ .what = "SA not in use yet", .sa = { .not_sending = true }, .drop = DROP_NO_SA },
	{ .what = "tunnel that nobody knows", .sa = { .tunnel = 5 }, .drop = DROP_NO_SA },
	{ .what = "outside the selectors",
	  .sa = { .ts_local = "10.9.0.0/16", .ts_remote = "10.1.0.0/16" },
	  .drop = DROP_NO_SA },
	{ .what = "SA past its hard lifetime", .sa = { .hard_ms = RIG_NOW }, .drop = DROP_EXPIRED },
	{ .what = "last sequence number", .seq = UINT32_MAX },
	{ .what = "sequence numbers used up",
	  .seq = (uint64_t)UINT32_MAX + 1,
	  .drop = DROP_SEQ_EXHAUSTED },
	{ .what = "as large as the path takes", .plain = { .payload = 174 }, .path_mtu = 256 },
	{ .what = "larger than the path takes",
	  .plain = { .payload = 175, .df = true },
	  .path_mtu = 256,
	  .drop = DROP_TOO_BIG },
};

/* What goes out must come in again: the same SA, turned round. */
static void check_sealed(const struct out_case *c, const struct rig_result *got)
{
	struct rig *peer = rig_new(RIG_SOFT);
	static const uint8_t key[20] = { [0 ... 19] = 0x22 };
	struct rig_sa turned = c->sa;
	uint8_t want[SEAL_MAX];
	size_t len = plain_make(&c->plain, want);

	turned.local = c->sa.remote ? c->sa.remote : "198.51.100.2";
	turned.remote = c->sa.local ? c->sa.local : "192.0.2.1";
	turned.spi_in = 0x2000;
	turned.key_in = key;
	struct sa *sa = rig_sa(peer, &turned);
	if (c->seq)
		rig_seq(peer, sa, c->seq);
	struct rig_result back = rig_run(peer, RIG_IN, got->ip, got->len);
	ck_assert_msg(back.drop == DROP_NONE, "%s: the peer says \"%s\"", c->what,
	              drop_text(back.drop));
	ck_assert_msg(back.len == len && memcmp(back.ip, want, len) == 0, "%s: other bytes",
	              c->what);
	rig_free(peer);
}

static void run_out(const struct out_case *c, enum rig_engine engine)
{
	struct rig *rig = rig_new(engine);
	const char *name = rig_engine_name(engine);
	struct sa *sa = rig_sa(rig, &c->sa);
	uint8_t p[SEAL_MAX];
	size_t len = plain_make(&c->plain, p);

	if (c->seq)
		rig_seq(rig, sa, c->seq);
	if (c->path_mtu)
		sa_runtime_learn_mtu(sa->out.runtime, c->path_mtu, UINT64_MAX);
	if (c->spoil)
		len = c->spoil(p, len);
	struct rig_result got = rig_run(rig, RIG_OUT, p, len);
	ck_assert_msg(got.drop == c->drop, "%s (%s): \"%s\", not \"%s\"", c->what, name,
	              drop_text(got.drop), drop_text(c->drop));
	if (c->drop == DROP_NONE) {
		check_sealed(c, &got);
		if (c->tos)
			ck_assert_uint_eq(got.ip[1], c->tos);
		ck_assert_uint_eq(got.meta.kind, FABRIC_WIRE_OUT);
		ck_assert_uint_eq(got.meta.ifindex, 0);
	}
	ck_assert_uint_eq(rig_drops(rig), c->drop != DROP_NONE);
	rig_free(rig);
}

START_TEST(outbound_road)
{
	for (size_t i = 0; i < ARRAY_LEN(out_cases); i++)
		run_out(&out_cases[i], (enum rig_engine)_i);
}
END_TEST

TESTS_OF(roads)
{
	TCase *tc = tcase_create("roads");

	eal_for(tc);
	tcase_add_loop_test(tc, inbound_road, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, outbound_road, 0, RIG_ENGINES);
	return tc;
}
