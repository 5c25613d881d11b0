// SPDX-License-Identifier: BSD-2-Clause
#include "errors.h"
#include "pace.h"
#include "runner.h"

static const struct {
	uint64_t elapsed_ns, pps, due;
} dues[] = {
	{ 0, 1, 1 },          { 999999999, 1, 1 },
	{ 1000000000, 1, 2 }, { 999999, 1000, 1 },
	{ 1000000, 1000, 2 }, { 3600ull * PACE_NS_PER_S, PACE_PPS_MAX, 36000000001 },
};

START_TEST(so_many_are_due)
{
	uint64_t got = pace_due(dues[_i].elapsed_ns, dues[_i].pps);

	ck_assert_msg(got == dues[_i].due, "%lu ns at %lu pps: %lu due", dues[_i].elapsed_ns,
	              dues[_i].pps, got);
}
END_TEST

START_TEST(a_packet_is_due_when_its_time_says_and_not_before)
{
	static const uint64_t rates[] = { 1, 3, 7, 1000, 999983, PACE_PPS_MAX };

	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		for (uint64_t n = 1; n < 100000; n += 77) {
			uint64_t when = pace_when_ns(n, rates[i]);

			ck_assert_uint_gt(pace_due(when, rates[i]), n);
			ck_assert_uint_le(pace_due(when - 1, rates[i]), n);
		}
	}
}
END_TEST

TESTS_OF(pace)
{
	TCase *tc = tcase_create("pace");

	tcase_add_loop_test(tc, so_many_are_due, 0, (int)ARRAY_LEN(dues));
	tcase_add_test(tc, a_packet_is_due_when_its_time_says_and_not_before);
	return tc;
}
