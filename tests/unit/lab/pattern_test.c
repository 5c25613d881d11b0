// SPDX-License-Identifier: BSD-2-Clause
#include "errors.h"
#include "pattern.h"
#include "runner.h"

START_TEST(pieces_make_the_same_stream)
{
	uint8_t whole[1000], pieces[1000];

	pattern_fill(whole, sizeof(whole), 42, 5);
	for (size_t at = 0, n = 1; at < sizeof(pieces); at += n, n = n % 23 + 1) {
		if (n > sizeof(pieces) - at)
			n = sizeof(pieces) - at;
		pattern_fill(pieces + at, n, 42, 5 + at);
	}
	ck_assert_mem_eq(whole, pieces, sizeof(whole));
}
END_TEST

START_TEST(the_first_wrong_byte_is_found)
{
	uint8_t buf[1300];

	for (size_t wrong = 0; wrong < sizeof(buf); wrong += 13) {
		pattern_fill(buf, sizeof(buf), 7, 3);
		buf[wrong] ^= 0x80;
		ck_assert_uint_eq(pattern_check((struct view){ buf, sizeof(buf) }, 7, 3), wrong);
	}
	pattern_fill(buf, sizeof(buf), 7, 3);
	ck_assert_uint_eq(pattern_check((struct view){ buf, sizeof(buf) }, 7, 3), sizeof(buf));
}
END_TEST

START_TEST(another_seed_or_place_is_another_stream)
{
	uint8_t buf[64];

	pattern_fill(buf, sizeof(buf), 7, 0);
	ck_assert_uint_lt(pattern_check((struct view){ buf, sizeof(buf) }, 8, 0), 4);
	ck_assert_uint_lt(pattern_check((struct view){ buf, sizeof(buf) }, 7, 8), 4);
}
END_TEST

TESTS_OF(pattern)
{
	TCase *tc = tcase_create("pattern");

	tcase_add_test(tc, pieces_make_the_same_stream);
	tcase_add_test(tc, the_first_wrong_byte_is_found);
	tcase_add_test(tc, another_seed_or_place_is_another_stream);
	return tc;
}
