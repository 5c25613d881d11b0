// SPDX-License-Identifier: BSD-2-Clause
/* The RFCs' small rules: ECN, inner packets, selectors, outer headers. */
#include "bytes.h"
#include "ecn.h"
#include "encap.h"
#include "ip_info.h"
#include "runner.h"
#include "seal.h"
#include "selectors.h"

#include <stdlib.h>

/* ---------------------------------------------------------------- RFC 6040 */

enum { NOT = ECN_NOT_ECT, E0 = ECN_ECT0, E1 = ECN_ECT1, CE = ECN_CE, GONE = ECN_DROP };

/* Figure 4, row by row, columns Not-ECT ECT(0) ECT(1) CE. */
static const struct {
	uint8_t inner, out[4];
} figure_4[] = {
	{ NOT, { NOT, NOT, NOT, GONE } },
	{ E0, { E0, E0, E1, CE } },
	{ E1, { E1, E1, E1, CE } },
	{ CE, { CE, CE, CE, CE } },
};

START_TEST(ecn_tables)
{
	static const uint8_t columns[] = { NOT, E0, E1, CE };

	for (size_t row = 0; row < ARRAY_LEN(figure_4); row++)
		for (size_t col = 0; col < ARRAY_LEN(columns); col++) {
			uint8_t got = ecn_decapsulate(figure_4[row].inner, columns[col]);

			ck_assert_msg(got == figure_4[row].out[col], "inner %u, outer %u: %u",
			              figure_4[row].inner, columns[col], got);
		}
	for (uint8_t tos = 0; tos < 4; tos++) /* 4.1: normal mode copies */
		ck_assert_uint_eq(ecn_encapsulate((uint8_t)(0xb8 | tos)), tos);
}
END_TEST

/* ---------------------------------------------------------------- inner packets */

static const struct ip_case {
	const char *what;
	uint8_t bytes[64];
	size_t len;
	enum err want;
	uint8_t proto;
	bool ports;
	uint16_t src_port;
} ip_cases[] = {
	{ .what = "nothing", .want = ERR_TRUNCATED },
	{ .what = "version 5", .bytes = { 0x55 }, .len = 40, .want = ERR_VERSION },
	{ .what = "IPv4 of 19 bytes",
	  .bytes = { 0x45, 0, 0, 19 },
	  .len = 19,
	  .want = ERR_TRUNCATED },
	{ .what = "IPv4 header alone",
	  .bytes = { 0x45, 0, 0, 20, [9] = 17 },
	  .len = 20,
	  .proto = 17 },
	{ .what = "IPv4 longer than there is",
	  .bytes = { 0x45, 0, 0, 21 },
	  .len = 20,
	  .want = ERR_LENGTH },
	{ .what = "IPv4 shorter than its header",
	  .bytes = { 0x46, 0, 0, 20 },
	  .len = 24,
	  .want = ERR_LENGTH },
	{ .what = "IPv4 with options, TCP",
	  .bytes = { 0x46, 0, 0, 28, [9] = 6, [24] = 0x12, 0x34 },
	  .len = 28,
	  .proto = 6,
	  .ports = true,
	  .src_port = 0x1234 },
	{ .what = "IPv4 options cut off",
	  .bytes = { 0x4f, 0, 0, 40, [9] = 6 },
	  .len = 40,
	  .want = ERR_LENGTH },
	{ .what = "IPv4, three bytes of UDP",
	  .bytes = { 0x45, 0, 0, 23, [9] = 17 },
	  .len = 23,
	  .proto = 17 },
	{ .what = "IPv4, ICMP echo",
	  .bytes = { 0x45, 0, 0, 28, [9] = 1, [20] = 8, 0 },
	  .len = 28,
	  .proto = 1,
	  .ports = true,
	  .src_port = 0x0800 },
	{ .what = "IPv4, later fragment",
	  .bytes = { 0x45, 0, 0, 28, 0, 0, 0, 1, [9] = 17 },
	  .len = 28,
	  .proto = 17 },
	{ .what = "IPv4, first fragment",
	  .bytes = { 0x45, 0, 0, 28, 0, 0, 0x20, 0, [9] = 17, [21] = 5 },
	  .len = 28,
	  .proto = 17,
	  .ports = true,
	  .src_port = 5 },
	{ .what = "IPv6 of 39 bytes", .bytes = { 0x60 }, .len = 39, .want = ERR_TRUNCATED },
	{ .what = "IPv6 longer than there is",
	  .bytes = { 0x60, 0, 0, 0, 0, 1 },
	  .len = 40,
	  .want = ERR_LENGTH },
	{ .what = "IPv6, UDP",
	  .bytes = { 0x60, 0, 0, 0, 0, 8, 17, [41] = 7 },
	  .len = 48,
	  .proto = 17,
	  .ports = true,
	  .src_port = 7 },
	{ .what = "IPv6, hop-by-hop, then UDP",
	  .bytes = { 0x60, 0, 0, 0, 0, 16, 0, [40] = 17, 0, [49] = 9 },
	  .len = 56,
	  .proto = 17,
	  .ports = true,
	  .src_port = 9 },
	{ .what = "IPv6, AH of 12 bytes, then UDP",
	  .bytes = { 0x60, 0, 0, 0, 0, 20, 51, [40] = 17, 1, [53] = 9 },
	  .len = 60,
	  .proto = 17,
	  .ports = true,
	  .src_port = 9 },
	{ .what = "IPv6, extension header beyond the packet",
	  .bytes = { 0x60, 0, 0, 0, 0, 8, 0, [40] = 17, 1 },
	  .len = 48,
	  .want = ERR_TRUNCATED },
	{ .what = "IPv6, half an extension header",
	  .bytes = { 0x60, 0, 0, 0, 0, 4, 60 },
	  .len = 44,
	  .want = ERR_TRUNCATED },
	{ .what = "IPv6, later fragment",
	  .bytes = { 0x60, 0, 0, 0, 0, 16, 44, [40] = 17, 0, 0, 8 },
	  .len = 56,
	  .proto = 17 },
	{ .what = "IPv6, first fragment",
	  .bytes = { 0x60, 0, 0, 0, 0, 16, 44, [40] = 17, 0, 0, 1, [49] = 3 },
	  .len = 56,
	  .proto = 17,
	  .ports = true,
	  .src_port = 3 },
};

START_TEST(what_an_inner_packet_says)
{
	const struct ip_case *c = &ip_cases[_i];
	struct ip_info got = { 0 };
	uint8_t *copy =
	        malloc(c->len ? c->len : 1); /* of its size, so that ASan sees a read behind */

	memcpy(copy, c->bytes, c->len);
	enum err e = ip_info_read((struct view){ copy, c->len }, &got);
	free(copy);
	ck_assert_msg(e == c->want, "%s: \"%s\"", c->what, err_text(e));
	if (e != ERR_OK)
		return;
	ck_assert_msg(got.len == c->len, "%s: %u bytes", c->what, got.len);
	ck_assert_msg(got.flow.proto == c->proto, "%s: protocol %u", c->what, got.flow.proto);
	ck_assert_msg(got.flow.ports == c->ports, "%s: ports seen: %d", c->what, got.flow.ports);
	ck_assert_msg(got.flow.src_port == c->src_port, "%s: port %u", c->what, got.flow.src_port);
}
END_TEST

START_TEST(a_chain_of_extension_headers_ends)
{
	uint8_t packet[40 + 8 * 9] = { 0x60, 0, 0, 0, 0, 8 * 9, 60 };
	struct ip_info got;

	for (size_t at = 40; at < sizeof(packet); at += 8)
		packet[at] = 60;
	ck_assert_int_eq(ip_info_read((struct view){ packet, sizeof(packet) }, &got), ERR_LENGTH);
}
END_TEST

/* ---------------------------------------------------------------- selectors */

static const struct ts_case {
	const char *what, *local, *remote; /* prefixes */
	uint8_t proto;
	uint16_t local_first, local_last, remote_first, remote_last; /* 0, 0: all */
	struct plain_spec plain;                                     /* outbound: local -> remote */
	bool match;
} ts_cases[] = {
	{ "all", "0.0.0.0/0", "0.0.0.0/0", 0, 0, 0, 0, 0, { 0 }, true },
	{ "first address of the range", "10.2.0.9/32", "10.1.0.5/32", 0, 0, 0, 0, 0, { 0 }, true },
	{ "one below", "10.2.0.10/31", "0.0.0.0/0", 0, 0, 0, 0, 0, { 0 }, false },
	{ "one above", "10.2.0.8/32", "0.0.0.0/0", 0, 0, 0, 0, 0, { 0 }, false },
	{ "turned round", "10.1.0.0/16", "10.2.0.0/16", 0, 0, 0, 0, 0, { 0 }, false },
	{ "other family", "::/0", "::/0", 0, 0, 0, 0, 0, { 0 }, false },
	{ "IPv6", "fd00:2::/64", "fd00:1::/64", 0, 0, 0, 0, 0, { .family = 6 }, true },
	{ "IPv6, other high half", "fd00:3::/64", "::/0", 0, 0, 0, 0, 0, { .family = 6 }, false },
	{ "UDP", "0.0.0.0/0", "0.0.0.0/0", 17, 0, 0, 0, 0, { 0 }, true },
	{ "TCP wanted", "0.0.0.0/0", "0.0.0.0/0", 6, 0, 0, 0, 0, { 0 }, false },
	{ "both ports", "0.0.0.0/0", "0.0.0.0/0", 17, 1000, 1000, 2000, 2000, { 0 }, true },
	{ "remote port", "0.0.0.0/0", "0.0.0.0/0", 17, 0, 0, 2001, 2010, { 0 }, false },
	{ "local port", "0.0.0.0/0", "0.0.0.0/0", 17, 1, 999, 0, 0, { 0 }, false },
	{ "later fragment, ports wanted",
	  "0.0.0.0/0",
	  "0.0.0.0/0",
	  17,
	  0,
	  0,
	  2000,
	  2000,
	  { .frag = 1 },
	  false },
	{ "later fragment, any port",
	  "0.0.0.0/0",
	  "0.0.0.0/0",
	  17,
	  0,
	  0,
	  0,
	  0,
	  { .frag = 1 },
	  true },
	{ "ICMP type of the sender",
	  "0.0.0.0/0",
	  "0.0.0.0/0",
	  1,
	  1000,
	  1000,
	  7,
	  7,
	  { .proto = 1 },
	  true },
	{ "ICMP, other type", "0.0.0.0/0", "0.0.0.0/0", 1, 8, 8, 0, 0, { .proto = 1 }, false },
};

static void side(struct selector *s, const char *prefix, uint8_t proto, uint16_t first,
                 uint16_t last)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(prefix, &p), ERR_OK);
	struct addr a = prefix_first(&p), b = prefix_last(&p);
	ck_assert_int_eq(selector_make(s, &a, &b), ERR_OK);
	s->proto = proto;
	if (last == 0)
		return;
	s->port_first = first;
	s->port_last = last;
}

START_TEST(selectors_take_what_they_name)
{
	const struct ts_case *c = &ts_cases[_i];
	struct selectors *s = calloc(1, sizeof(*s) + 2 * sizeof(s->at[0]));
	uint8_t packet[SEAL_MAX];
	struct ip_info info;

	ck_assert_ptr_nonnull(s);
	s->n_local = s->n_remote = 1;
	side(&s->at[0], c->local, c->proto, c->local_first, c->local_last);
	side(&s->at[1], c->remote, c->proto, c->remote_first, c->remote_last);
	size_t len = plain_make(&c->plain, packet);
	ck_assert_int_eq(ip_info_read((struct view){ packet, len }, &info), ERR_OK);
	ck_assert_msg(selectors_match(s, &info.flow, false) == c->match, "%s", c->what);
	/* Inbound it is the same with the sides exchanged. */
	side(&s->at[1], c->local, c->proto, c->local_first, c->local_last);
	side(&s->at[0], c->remote, c->proto, c->remote_first, c->remote_last);
	ck_assert_msg(selectors_match(s, &info.flow, true) == c->match, "%s, inbound", c->what);
	free(s);
}
END_TEST

/* ---------------------------------------------------------------- outer headers */

START_TEST(df_is_cleared_set_or_copied)
{
	static const struct {
		enum encap_df df;
		bool inner, want;
	} cases[] = { { ENCAP_DF_CLEAR, true, false },
		      { ENCAP_DF_SET, false, true },
		      { ENCAP_DF_COPY, true, true },
		      { ENCAP_DF_COPY, false, false } };
	struct encap_spec spec = { .local = addr_v4(0x01020304), .remote = addr_v4(0xfffefdfc) };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct encap e;
		uint8_t p[ENCAP_MAX];

		spec.df = cases[i].df;
		ck_assert_int_eq(encap_make(&e, &spec), ERR_OK);
		encap_write(&e, p, 1400,
		            (struct encap_inner){ 0xff, cases[i].inner, 0xfeed, 0xabcde });
		ck_assert_uint_eq(get_be16(p + 6), cases[i].want ? 0x4000 : 0);
		ck_assert_uint_eq(csum_fold(csum_add(0, p, 20)), 0);
		ck_assert_uint_eq(get_be16(p + 2), 1420);
		ck_assert_uint_eq(p[8], ENCAP_TTL);
	}
	spec.remote.family = ADDR_V6;
	struct encap unused;
	ck_assert_int_eq(encap_make(&unused, &spec), ERR_VALUE);
}
END_TEST

TESTS_OF(pure)
{
	TCase *tc = tcase_create("pure");

	tcase_add_test(tc, ecn_tables);
	tcase_add_loop_test(tc, what_an_inner_packet_says, 0, ARRAY_LEN(ip_cases));
	tcase_add_test(tc, a_chain_of_extension_headers_ends);
	tcase_add_loop_test(tc, selectors_take_what_they_name, 0, ARRAY_LEN(ts_cases));
	tcase_add_test(tc, df_is_cleared_set_or_copied);
	return tc;
}
