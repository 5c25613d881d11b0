// SPDX-License-Identifier: BSD-2-Clause
#include "timers.h"
#include "errors.h"
#include "runner.h"
#include "scratch.h"

START_TEST(they_come_out_by_time_then_by_age)
{
	struct timers t = { 0 };
	struct timer a = { 0 }, b = { 0 }, c = { 0 };

	ck_assert(timers_next_due(&t) == UINT64_MAX);
	timers_add(&t, &a, 20);
	timers_add(&t, &b, 10);
	timers_add(&t, &c, 20);
	ck_assert_uint_eq(timers_next_due(&t), 10);
	ck_assert_ptr_null(timers_pop_due(&t, 9));
	ck_assert_ptr_eq(timers_pop_due(&t, 10), &b);
	ck_assert(!b.armed);
	timers_add(&t, &a, 20); /* anew: now it is younger than c */
	ck_assert_ptr_eq(timers_pop_due(&t, 20), &c);
	timers_cancel(&t, &a);
	timers_cancel(&t, &a);
	ck_assert_ptr_null(timers_pop_due(&t, UINT64_MAX));
}
END_TEST

/* Against the slowest of all models: an array that is searched. */
enum { N = 200, STEPS = 20000 };

static size_t first_of(const uint64_t *due, const uint64_t *age)
{
	size_t best = N;

	for (size_t i = 0; i < N; i++)
		if (due[i] && (best == N || due[i] < due[best] ||
		               (due[i] == due[best] && age[i] < age[best])))
			best = i;
	return best;
}

START_TEST(as_a_plain_search_would_have_it)
{
	uint32_t seed = scratch_seed("timers");
	struct timers t = { 0 };
	static struct timer timer[N];
	static uint64_t due[N], age[N]; /* due 0: not armed */

	for (uint64_t step = 1; step < STEPS; step++) {
		size_t i = scratch_draw(&seed, N), first = first_of(due, age);
		uint32_t what = scratch_draw(&seed, 4);

		if (what < 2) {
			due[i] = 1 + scratch_draw(&seed, 50);
			age[i] = step;
			timers_add(&t, &timer[i], due[i]);
		} else if (what == 2) {
			due[i] = 0;
			timers_cancel(&t, &timer[i]);
		} else {
			struct timer *got = timers_pop_due(&t, UINT64_MAX);

			HOLDS(got == (first == N ? NULL : &timer[first]));
			if (first < N)
				due[first] = 0;
		}
		first = first_of(due, age);
		HOLDS(timers_next_due(&t) == (first == N ? UINT64_MAX : due[first]));
	}
}
END_TEST

TESTS_OF(timers)
{
	TCase *tc = tcase_create("timers");

	tcase_add_test(tc, they_come_out_by_time_then_by_age);
	tcase_add_test(tc, as_a_plain_search_would_have_it);
	return tc;
}
