// SPDX-License-Identifier: BSD-2-Clause
#include "anchor.h"
#include "runner.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

/* Random bytes are whatever the test says. */
struct fixed {
	struct env env;
	uint8_t byte;
};

static void fixed_random(struct env *env, void *p, size_t len)
{
	memset(p, ((struct fixed *)env)->byte, len);
}

static const struct {
	uint8_t byte, node, anchor;
	uint32_t want;
} spis[] = {
	{ 0x00, 0, 0x00, 0x80000000 }, /* nothing but the anchor would be 0 to 255 */
	{ 0x00, 0, 0xff, 0x800000ff }, { 0x00, 1, 0x07, 0x00000107 },
	{ 0xff, 0, 0x2a, 0xfffffe2a }, { 0xff, 1, 0x2a, 0xffffff2a },
};

START_TEST(an_spi_has_anchor_and_node)
{
	struct fixed f = { { .random = fixed_random, .node_id = spis[_i].node }, spis[_i].byte };
	uint32_t spi = anchor_new_spi(&f.env, spis[_i].anchor);

	ck_assert_msg(spi == spis[_i].want, "row %d: %08x", _i, spi);
	ck_assert_uint_eq(anchor_of_spi(spi), spis[_i].anchor);
	ck_assert_uint_eq(anchor_node_of_spi(spi), spis[_i].node);
	ck_assert_uint_gt(spi, 255);
}
END_TEST

struct varied {
	struct env env;
	uint64_t state;
};

static void varied_random(struct env *env, void *p, size_t len)
{
	struct varied *v = (struct varied *)env;

	for (size_t i = 0; i < len; i++) {
		v->state = v->state * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)p)[i] = (uint8_t)(v->state >> 56);
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

START_TEST(scenario_033_ten_thousand_spis)
{
	enum { SPIS = 10000, BITS = 32, RANDOM_FROM = 9 };
	static uint32_t spi[SPIS];
	struct varied v = { { .random = varied_random }, 33 };
	unsigned int ones[BITS] = { 0 };

	for (uint32_t i = 0; i < SPIS; i++) {
		spi[i] = anchor_new_spi(&v.env, (uint8_t)i);
		ck_assert_uint_gt(spi[i], 255);
		for (int b = 0; b < BITS; b++)
			ones[b] += spi[i] >> b & 1;
	}
	for (int b = RANDOM_FROM; b < BITS; b++) /* below are the node's bit and the anchor */
		ck_assert_msg(ones[b] > SPIS * 45 / 100 && ones[b] < SPIS * 55 / 100, "bit %d: %u",
		              b, ones[b]);
	qsort(spi, SPIS, sizeof(spi[0]), by_number);
	for (uint32_t i = 1; i < SPIS; i++)
		ck_assert_uint_ne(spi[i - 1], spi[i]);
}
END_TEST

START_TEST(an_ike_spi_has_anchor_and_node_and_is_never_zero)
{
	struct fixed f = { { .random = fixed_random, .node_id = spis[_i].node }, spis[_i].byte };
	uint8_t spi[8];

	anchor_new_ike_spi(&f.env, spis[_i].anchor, spi);
	ck_assert_uint_eq(anchor_of_ike_spi(spi), spis[_i].anchor);
	ck_assert_uint_eq(spi[6] & 1, spis[_i].node);
	ck_assert_uint_ne(spi[0] | spi[1] | spi[2] | spi[3] | spi[4] | spi[5] | spi[6], 0);
}
END_TEST

START_TEST(an_anchor_depends_on_addresses_ports_and_key)
{
	struct env env = { .anchor_key = { 1, 2, 3 } }, other = { .anchor_key = { 1, 2, 4 } };
	struct endpoint a = { addr_v4(0x0a000001), 500 };
	unsigned same_port = 0, same_key = 0, used[256] = { 0 }, most = 0;

	for (uint32_t i = 0; i < 4096; i++) {
		struct endpoint b = { addr_v4(0x0a010000 + i), 500 }, c = { b.addr, 4500 };
		uint8_t anchor = anchor_of_endpoints(&env, &a, &b);

		used[anchor]++;
		same_port += anchor == anchor_of_endpoints(&env, &a, &c);
		same_key += anchor == anchor_of_endpoints(&other, &a, &b);
		HOLDS(anchor == anchor_of_endpoints(&env, &a, &b));
	}
	for (size_t i = 0; i < 256; i++)
		most = used[i] > most ? used[i] : most;
	ck_assert_uint_lt(same_port, 64); /* 16 by chance */
	ck_assert_uint_lt(same_key, 64);
	ck_assert_uint_lt(most, 64);
}
END_TEST

/* An interface: both nodes of a cluster, of any version, must agree. */
START_TEST(version_1_of_the_function_stays)
{
	struct env env = { .anchor_key = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };
	struct endpoint a = { addr_v4(0xc0000201), 500 }, b = { addr_v4(0xc6336402), 4500 };

	ck_assert_uint_eq(anchor_of_endpoints(&env, &a, &b), 0x56);
}
END_TEST

TESTS_OF(anchor)
{
	TCase *tc = tcase_create("anchor");

	tcase_add_loop_test(tc, an_spi_has_anchor_and_node, 0, ARRAY_LEN(spis));
	tcase_add_test(tc, scenario_033_ten_thousand_spis);
	tcase_add_loop_test(tc, an_ike_spi_has_anchor_and_node_and_is_never_zero, 0,
	                    ARRAY_LEN(spis));
	tcase_add_test(tc, an_anchor_depends_on_addresses_ports_and_key);
	tcase_add_test(tc, version_1_of_the_function_stays);
	return tc;
}
