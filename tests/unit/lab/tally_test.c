// SPDX-License-Identifier: BSD-2-Clause
#include "tally.h"
#include "runner.h"

#define MS 1000000u

static struct tally of(const uint64_t *seqs, size_t n)
{
	struct tally t;

	ck_assert(tally_init(&t, 1000) == ERR_OK);
	for (size_t i = 0; i < n; i++)
		tally_add(&t, seqs[i], (i + 1) * MS, (i + 2) * MS);
	return t;
}

static const struct {
	const char *what;
	uint64_t seqs[8];
	size_t n;
	uint64_t received, duplicated, reordered, beyond, highest;
} orders[] = {
	{ "in order", { 0, 1, 2 }, 3, 3, 0, 0, 0, 2 },
	{ "one lost", { 0, 2, 3 }, 3, 3, 0, 0, 0, 3 },
	{ "one twice", { 0, 1, 1, 2 }, 4, 3, 1, 0, 0, 2 },
	{ "two swapped", { 0, 2, 1, 3 }, 4, 4, 0, 1, 0, 3 },
	{ "a late one twice", { 0, 3, 1, 1 }, 4, 3, 1, 1, 0, 3 },
	{ "zero late", { 1, 0 }, 2, 2, 0, 1, 0, 1 },
	{ "the last that fits, and one beyond", { 999, 1000, UINT64_MAX }, 3, 1, 0, 0, 2, 999 },
};

START_TEST(order_is_told)
{
	struct tally t = of(orders[_i].seqs, orders[_i].n);

	ck_assert_msg(t.received == orders[_i].received && t.duplicated == orders[_i].duplicated &&
	                      t.reordered == orders[_i].reordered &&
	                      t.beyond == orders[_i].beyond && t.highest == orders[_i].highest,
	              "%s: %lu received, %lu duplicated, %lu reordered, %lu beyond, highest %lu",
	              orders[_i].what, t.received, t.duplicated, t.reordered, t.beyond, t.highest);
	tally_done(&t);
}
END_TEST

START_TEST(missing_ranges_are_listed)
{
	static const uint64_t seqs[] = { 2, 3, 64, 66, 130 };
	static const struct tally_range want[] = { { 0, 1 }, { 4, 63 }, { 65, 65 }, { 67, 129 } };
	struct tally t = of(seqs, ARRAY_LEN(seqs));
	struct tally_range got;
	uint64_t from = 0;

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert(tally_missing(&t, 131, &from, &got));
		ck_assert_uint_eq(got.first, want[i].first);
		ck_assert_uint_eq(got.last, want[i].last);
	}
	ck_assert(!tally_missing(&t, 131, &from, &got));
	from = 0;
	ck_assert(!tally_missing(&t, 0, &from, &got));
	tally_done(&t);
}
END_TEST

START_TEST(the_longest_silence_is_told)
{
	struct tally t;

	ck_assert(tally_init(&t, 100) == ERR_OK);
	tally_add(&t, 0, 9 * MS, 10 * MS);
	tally_add(&t, 1, 10 * MS, 12 * MS);
	tally_add(&t, 5, 11 * MS, 20 * MS); /* 8 ms after number 1 */
	tally_add(&t, 6, 12 * MS, 15 * MS); /* a clock that was set back is no silence */
	ck_assert_uint_eq(t.gap_ns, 8 * MS);
	ck_assert_uint_eq(t.gap_at_ns, 12 * MS);
	ck_assert_uint_eq(t.gap_after, 1);
	ck_assert_uint_eq(t.delay_max_ns, 9 * MS);
	ck_assert_uint_eq(t.delay_sum_ns, (1 + 2 + 9 + 3) * MS);
	tally_done(&t);
}
END_TEST

TESTS_OF(tally)
{
	TCase *tc = tcase_create("tally");

	tcase_add_loop_test(tc, order_is_told, 0, (int)ARRAY_LEN(orders));
	tcase_add_test(tc, missing_ranges_are_listed);
	tcase_add_test(tc, the_longest_silence_is_told);
	return tc;
}
