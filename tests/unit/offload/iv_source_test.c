// SPDX-License-Identifier: BSD-2-Clause
#include "iv_source.h"
#include "runner.h"

#include <stdlib.h>
#include <string.h>

#define IVS 65536

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

/* No two of 65,536 blocks of 8 bytes are alike, over many refills and odd lengths: one in 2^33 runs
 * would fail by chance. */
START_TEST(no_iv_comes_twice)
{
	struct iv_source *one = NULL;
	struct why why = { 0 };
	static uint8_t iv[IVS][8];
	uint8_t *at = iv[0];

	ck_assert_msg(iv_source_open(&one, &why) == ERR_OK, "%s", why.text);
	for (size_t n = 1, left = sizeof(iv); left > 0; n = n * 5 % 8191) {
		size_t part = n < left ? n : left;

		ck_assert(iv_source_fill(one, at, part));
		at += part;
		left -= part;
	}
	iv_source_close(one);
	qsort(iv, IVS, sizeof(iv[0]), compare);
	for (size_t i = 1; i < IVS; i++)
		ck_assert_int_ne(memcmp(iv[i - 1], iv[i], 8), 0);
}
END_TEST

START_TEST(two_sources_differ)
{
	struct iv_source *one = NULL, *two = NULL;
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	struct why why = { 0 };

	ck_assert_int_eq(iv_source_open(&one, &why), ERR_OK);
	ck_assert_int_eq(iv_source_open(&two, &why), ERR_OK);
	ck_assert(iv_source_fill(one, a, sizeof(a)));
	ck_assert(iv_source_fill(two, b, sizeof(b)));
	ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
	iv_source_close(one);
	iv_source_close(two);
	iv_source_close(NULL);
}
END_TEST

/* Each bit is set in half of the bytes, give or take six standard deviations. */
START_TEST(every_bit_is_set_half_the_time)
{
	enum { BYTES = 20 * 1024 * 1024 }; /* past the point where the kernel's bytes come in */
	static uint8_t part[4096];
	struct iv_source *src = NULL;
	int set[8] = { 0 };
	struct why why = { 0 };

	ck_assert_int_eq(iv_source_open(&src, &why), ERR_OK);
	for (size_t done = 0; done < BYTES; done += sizeof(part)) {
		ck_assert(iv_source_fill(src, part, sizeof(part)));
		for (size_t i = 0; i < sizeof(part); i += 16)
			for (int bit = 0; bit < 8; bit++)
				set[bit] += part[i] >> bit & 1;
	}
	iv_source_close(src);
	for (int bit = 0; bit < 8; bit++)
		ck_assert_msg(abs(set[bit] - BYTES / 32) < 6 * 573, "bit %d: %d of %d", bit,
		              set[bit], BYTES / 16);
}
END_TEST

TESTS_OF(iv_source)
{
	TCase *tc = tcase_create("iv_source");

	tcase_add_test(tc, no_iv_comes_twice);
	tcase_add_test(tc, two_sources_differ);
	tcase_add_test(tc, every_bit_is_set_half_the_time);
	return tc;
}
