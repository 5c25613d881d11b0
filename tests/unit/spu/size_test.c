// SPDX-License-Identifier: BSD-2-Clause
/* What is too big, what becomes of it, and what its sender is told: the rules as tables. */
#include "bytes.h"
#include "icmp_error.h"
#include "mss.h"
#include "oversize.h"
#include "runner.h"
#include "seal.h"
#include "sizes.h"

/* ---------------------------------------------------------------- arithmetic */

/* Outer headers, ESP or AH, IV; ICV; unit; trailer. The longest inner packet for 1,500 bytes is
 * reckoned by hand. */
static const struct {
	const char *what;
	struct sizes sizes;
	uint32_t inner_1500;
} forms[] = {
	{ "GCM over IPv4", { 20 + 8 + 8, 16, 4, 2 }, 1446 },
	{ "GCM in UDP over IPv4", { 28 + 8 + 8, 16, 4, 2 }, 1438 },
	{ "GCM over IPv6", { 40 + 8 + 8, 16, 4, 2 }, 1426 },
	{ "GCM in UDP over IPv6", { 48 + 8 + 8, 16, 4, 2 }, 1418 },
	{ "implicit IV over IPv4", { 20 + 8, 16, 4, 2 }, 1454 },
	{ "AES-CBC, SHA-1 over IPv4", { 20 + 8 + 16, 12, 16, 2 }, 1438 },
	{ "AES-CBC, SHA-256 over IPv4", { 20 + 8 + 16, 16, 16, 2 }, 1438 },
	{ "AES-CBC, SHA-384 in UDP over IPv4", { 28 + 8 + 16, 24, 16, 2 }, 1422 },
	{ "AES-CBC, SHA-512 in UDP over IPv6", { 48 + 8 + 16, 32, 16, 2 }, 1390 },
	{ "3DES, MD5 over IPv4", { 20 + 8 + 8, 12, 8, 2 }, 1446 },
	{ "NULL, SHA-256 over IPv4", { 20 + 8, 16, 4, 2 }, 1454 },
	{ "AH, SHA-256 over IPv4", { 20 + 28, 0, 1, 0 }, 1452 },
	{ "AH, SHA-256 over IPv6", { 40 + 32, 0, 1, 0 }, 1428 },
};

START_TEST(the_longest_inner_packet_is_the_longest)
{
	const struct sizes *s = &forms[_i].sizes;

	ck_assert_msg(sizes_inner_max(s, 1500) == forms[_i].inner_1500, "%s: %u", forms[_i].what,
	              sizes_inner_max(s, 1500));
	for (uint32_t outer = 0; outer <= 4000; outer++) {
		uint32_t max = sizes_inner_max(s, outer);

		if (max == 0)
			ck_assert_uint_gt(sizes_outer(s, 1), outer);
		else
			ck_assert_uint_le(sizes_outer(s, max), outer);
		ck_assert_uint_gt(sizes_outer(s, max + 1), outer);
	}
}
END_TEST

/* ---------------------------------------------------------------- one rule */

enum { V4 = 4, V6 = 6 };

static const struct {
	uint8_t family;
	bool df;
	uint16_t len;
	enum encap_df outer;
	bool post, by_port;
	enum oversize want;
} rules[] = {
	/* RFC 8200 5, RFC 4301 8.1 */
	{ V6, 1, 1400, ENCAP_DF_CLEAR, 0, 0, OVERSIZE_ANSWER },
	{ V6, 1, 1400, ENCAP_DF_SET, 0, 0, OVERSIZE_ANSWER },
	{ V6, 1, 1400, ENCAP_DF_COPY, 0, 0, OVERSIZE_ANSWER },
	{ V6, 1, 1400, ENCAP_DF_CLEAR, 1, 0, OVERSIZE_SPLIT_OUTER },
	{ V6, 1, 1400, ENCAP_DF_SET, 1, 0, OVERSIZE_ANSWER },
	{ V6, 1, 1400, ENCAP_DF_COPY, 1, 0, OVERSIZE_ANSWER },
	{ V6, 1, 1281, ENCAP_DF_CLEAR, 0, 1, OVERSIZE_ANSWER },
	/* RFC 2473 7.1 */
	{ V6, 1, 1280, ENCAP_DF_CLEAR, 0, 0, OVERSIZE_SPLIT_OUTER },
	{ V6, 1, 1280, ENCAP_DF_SET, 0, 0, OVERSIZE_SPLIT_OUTER },
	{ V6, 1, 1280, ENCAP_DF_COPY, 1, 1, OVERSIZE_SPLIT_OUTER },
	/* RFC 1191; behaviour with the outer DF clear */
	{ V4, 1, 1400, ENCAP_DF_CLEAR, 0, 0, OVERSIZE_SPLIT_OUTER },
	{ V4, 1, 1400, ENCAP_DF_SET, 0, 0, OVERSIZE_ANSWER },
	{ V4, 1, 1400, ENCAP_DF_COPY, 0, 0, OVERSIZE_ANSWER },
	{ V4, 1, 1400, ENCAP_DF_CLEAR, 1, 0, OVERSIZE_SPLIT_OUTER },
	{ V4, 1, 1400, ENCAP_DF_SET, 1, 1, OVERSIZE_ANSWER },
	{ V4, 1, 1400, ENCAP_DF_COPY, 1, 1, OVERSIZE_ANSWER },
	/* RFC 791 */
	{ V4, 0, 1400, ENCAP_DF_CLEAR, 0, 0, OVERSIZE_SPLIT_INNER },
	{ V4, 0, 1400, ENCAP_DF_SET, 0, 0, OVERSIZE_SPLIT_INNER },
	{ V4, 0, 1400, ENCAP_DF_COPY, 0, 0, OVERSIZE_SPLIT_INNER },
	{ V4, 0, 1400, ENCAP_DF_CLEAR, 1, 0, OVERSIZE_SPLIT_OUTER },
	{ V4, 0, 1400, ENCAP_DF_SET, 1, 0, OVERSIZE_SPLIT_INNER },
	{ V4, 0, 1400, ENCAP_DF_COPY, 1, 0, OVERSIZE_SPLIT_OUTER },
	/* RFC 4301 7: an SA for some ports takes no later fragments */
	{ V4, 0, 1400, ENCAP_DF_CLEAR, 0, 1, OVERSIZE_SPLIT_OUTER },
	{ V4, 0, 1400, ENCAP_DF_COPY, 0, 1, OVERSIZE_SPLIT_OUTER },
	{ V4, 0, 1400, ENCAP_DF_SET, 0, 1, OVERSIZE_DROP },
};

START_TEST(what_is_too_big_has_one_fate)
{
	struct oversize_rule rule = { rules[_i].outer, rules[_i].post, rules[_i].by_port };
	struct ip_info inner = { .flow.family = rules[_i].family,
		                 .len = rules[_i].len,
		                 .df = rules[_i].df };

	ck_assert_int_eq(oversize_what(&rule, &inner), rules[_i].want);
}
END_TEST

/* ---------------------------------------------------------------- ICMP */

static struct ip_info info_of(const uint8_t *p, size_t len)
{
	struct ip_info info;

	ck_assert_int_eq(ip_info_read((struct view){ p, len }, &info), ERR_OK);
	return info;
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), ERR_OK);
	return a;
}

START_TEST(fragmentation_needed_byte_for_byte)
{
	static const uint8_t head[28] = { 0x45, 0xc0, 0x02, 0x40, 0x12, 0x34, 0,    0,   64, 1,
		                          0,    0,    192,  168,  1,    1,    10,   2,   0,  9,
		                          3,    4,    0,    0,    0,    0,    0x05, 0x96 };
	struct plain_spec s = { .payload = 1400, .df = true };
	uint8_t p[SEAL_MAX], out[ICMP_V6_MAX];
	struct ip_info info = info_of(p, plain_make(&s, p));
	struct addr source = addr_of("192.168.1.1");

	ck_assert_uint_eq(
	        icmp_too_big(out, p, &info, &(struct icmp_answer){ &source, 1430, 0x1234 }),
	        ICMP_V4_MAX);
	ck_assert_uint_eq(csum_fold(csum_add(0, out, 20)), 0);
	ck_assert_uint_eq(csum_fold(csum_add(0, out + 20, ICMP_V4_MAX - 20)), 0);
	ck_assert_mem_eq(out + 28, p, ICMP_V4_MAX - 28);
	put_be16(out + 10, 0);
	put_be16(out + 22, 0);
	ck_assert_mem_eq(out, head, sizeof(head));
	/* A short one is quoted whole. */
	s.payload = 100;
	info = info_of(p, plain_make(&s, p));
	ck_assert_uint_eq(icmp_too_big(out, p, &info, &(struct icmp_answer){ &source, 68, 0 }),
	                  28 + 128);
}
END_TEST

START_TEST(packet_too_big_byte_for_byte)
{
	struct plain_spec s = { .payload = 1400, .family = 6 };
	uint8_t p[SEAL_MAX], out[ICMP_V6_MAX], want[48] = { 0x60, 0, 0, 0, 0x04, 0xd8, 58, 64 };
	struct ip_info info = info_of(p, plain_make(&s, p));
	struct addr source = addr_of("fd00:1::1"), to = addr_of("fd00:2::9");

	ck_assert_uint_eq(icmp_too_big(out, p, &info, &(struct icmp_answer){ &source, 1418, 0 }),
	                  ICMP_V6_MAX);
	uint64_t sum = csum_add(0, out + 8, 32) + (ICMP_V6_MAX - 40) + 58;
	ck_assert_uint_eq(csum_fold(csum_add(sum, out + 40, ICMP_V6_MAX - 40)), 0);
	ck_assert_mem_eq(out + 48, p, ICMP_V6_MAX - 48);
	memcpy(want + 8, source.b, 16);
	memcpy(want + 24, to.b, 16);
	want[40] = 2;
	put_be32(want + 44, 1418);
	put_be16(out + 42, 0);
	ck_assert_mem_eq(out, want, sizeof(want));
}
END_TEST

static const struct {
	const char *what;
	struct plain_spec plain;
	uint8_t type; /* of ICMP */
	bool answered;
} askers[] = {
	{ "UDP", { .family = 4 }, 0, true },
	{ "echo", { .proto = 1 }, 8, true },
	{ "an error", { .proto = 1 }, 3, false },
	{ "a redirect", { .proto = 1 }, 5, false },
	{ "time exceeded", { .proto = 1 }, 11, false },
	{ "a later fragment", { .frag = 7 }, 0, false },
	{ "from nowhere", { .src = "0.0.0.0" }, 0, false },
	{ "from this host", { .src = "127.0.0.1" }, 0, false },
	{ "from a group", { .src = "224.0.0.5" }, 0, false },
	{ "to a group", { .dst = "239.1.1.1" }, 0, false },
	{ "to all", { .dst = "255.255.255.255" }, 0, false },
	{ "IPv6 UDP", { .family = 6 }, 0, true },
	{ "IPv6 echo", { .family = 6, .proto = 58 }, 128, true },
	{ "IPv6 error", { .family = 6, .proto = 58 }, 1, false },
	{ "IPv6 redirect", { .family = 6, .proto = 58 }, 137, false },
	{ "IPv6 to a group", { .family = 6, .dst = "ff05::1" }, 0, true },
	{ "IPv6 from a group", { .family = 6, .src = "ff05::1" }, 0, false },
	{ "IPv6 from nowhere", { .family = 6, .src = "::" }, 0, false },
};

START_TEST(some_packets_are_not_answered)
{
	uint8_t p[SEAL_MAX];
	size_t len = plain_make(&askers[_i].plain, p);

	if (askers[_i].type)
		p[askers[_i].plain.family == 6 ? 40 : 20] = askers[_i].type;
	struct ip_info info = info_of(p, len);
	ck_assert_msg(icmp_may_answer(&info) == askers[_i].answered, "%s", askers[_i].what);
}
END_TEST

START_TEST(answers_have_a_rate)
{
	struct icmp_limit l = { 0 };
	uint64_t now = 5000;
	unsigned int n = 0;

	while (icmp_limit_take(&l, now))
		n++;
	ck_assert_uint_eq(n, ICMP_BURST);
	for (n = 0; now < 6000; now++)
		while (icmp_limit_take(&l, now))
			n++;
	ck_assert_uint_ge(n, ICMP_PER_S - 1);
	ck_assert_uint_le(n, ICMP_PER_S + 1);
	now += 1000000;
	for (n = 0; icmp_limit_take(&l, now); n++)
		;
	ck_assert_uint_eq(n, ICMP_BURST);
}
END_TEST

/* ---------------------------------------------------------------- MSS */

static const struct {
	const char *what;
	uint8_t family, flags;
	uint8_t options[12];
	size_t len;
	uint16_t frag;
	uint8_t at; /* of the value, behind the TCP header */
	uint16_t want;
} segments[] = {
	{ "SYN", 4, 0x02, { 2, 4, 0x05, 0xb4 }, 4, 0, 2, 1350 },
	{ "SYN and ACK", 4, 0x12, { 2, 4, 0x05, 0xb4 }, 4, 0, 2, 1350 },
	{ "IPv6 SYN", 6, 0x02, { 2, 4, 0x05, 0xa0 }, 4, 0, 2, 1350 },
	{ "only ACK", 4, 0x10, { 2, 4, 0x05, 0xb4 }, 4, 0, 2, 1460 },
	{ "smaller already", 4, 0x02, { 2, 4, 0x02, 0x18 }, 4, 0, 2, 536 },
	{ "the same already", 4, 0x02, { 2, 4, 0x05, 0x46 }, 4, 0, 2, 1350 },
	{ "at an odd place", 4, 0x02, { 1, 2, 4, 0x05, 0xb4, 0, 0, 0 }, 8, 0, 3, 1350 },
	{ "behind others", 6, 0x02, { 4, 2, 3, 3, 7, 2, 4, 0x05, 0xb4, 1, 1, 0 }, 12, 0, 7, 1350 },
	{ "option of another length", 4, 0x02, { 2, 3, 0x05, 0xb4 }, 4, 0, 2, 1460 },
	{ "option beyond the header", 4, 0x02, { 1, 1, 2, 4, 0x05, 0xb4, 1, 1 }, 4, 0, 4, 1460 },
	{ "option of no length", 4, 0x02, { 8, 0, 2, 4, 0x05, 0xb4, 1, 1 }, 8, 0, 4, 1460 },
	{ "behind the end of the list", 4, 0x02, { 0, 2, 4, 0x05, 0xb4, 0, 0, 0 }, 8, 0, 3, 1460 },
	{ "a later fragment", 4, 0x02, { 2, 4, 0x05, 0xb4 }, 4, 100, 2, 1460 },
};

static uint16_t tcp_sum(const uint8_t *ip, size_t head, size_t len)
{
	uint64_t sum =
	        csum_add(0, ip + (head == 20 ? 12 : 8), head == 20 ? 8 : 32) + 6 + len - head;

	return csum_fold(csum_add(sum, ip + head, len - head));
}

START_TEST(mss_is_lowered_and_nothing_else)
{
	size_t head = segments[_i].family == 6 ? 40 : 20;
	struct plain_spec s = {
		.family = segments[_i].family, .proto = 6, .frag = segments[_i].frag, .payload = 32
	};
	uint8_t p[SEAL_MAX], before[SEAL_MAX], *tcp = p + head;
	size_t len = plain_make(&s, p);

	memset(tcp + 4, 0, 36);
	tcp[12] = (uint8_t)((20 + segments[_i].len) / 4 << 4);
	tcp[13] = segments[_i].flags;
	memcpy(tcp + 20, segments[_i].options, sizeof(segments[_i].options));
	put_be16(tcp + 16, tcp_sum(p, head, len));
	memcpy(before, p, len);
	struct ip_info info = info_of(p, len);
	mss_clamp(p, &info, 1350);
	const char *what = segments[_i].what;
	ck_assert_msg(get_be16(tcp + 20 + segments[_i].at) == segments[_i].want, "%s: %u", what,
	              get_be16(tcp + 20 + segments[_i].at));
	if (segments[_i].frag == 0)
		ck_assert_msg(tcp_sum(p, head, len) == 0, "%s: wrong checksum", what);
	memcpy(p + head + 16, before + head + 16, 2);
	memcpy(tcp + 20 + segments[_i].at, before + head + 20 + segments[_i].at, 2);
	ck_assert_msg(memcmp(p, before, len) == 0, "%s: other bytes have changed", what);
}
END_TEST

TESTS_OF(size)
{
	TCase *tc = tcase_create("size");

	tcase_add_loop_test(tc, the_longest_inner_packet_is_the_longest, 0, ARRAY_LEN(forms));
	tcase_add_loop_test(tc, what_is_too_big_has_one_fate, 0, ARRAY_LEN(rules));
	tcase_add_test(tc, fragmentation_needed_byte_for_byte);
	tcase_add_test(tc, packet_too_big_byte_for_byte);
	tcase_add_loop_test(tc, some_packets_are_not_answered, 0, ARRAY_LEN(askers));
	tcase_add_test(tc, answers_have_a_rate);
	tcase_add_loop_test(tc, mss_is_lowered_and_nothing_else, 0, ARRAY_LEN(segments));
	return tc;
}
