// SPDX-License-Identifier: BSD-2-Clause
#include "promote.h"
#include "runner.h"

#include <string.h>

/* Tries once, at `now`, with that answer. */
static void try(struct promote *p, enum err answer, uint64_t now)
{
	ck_assert_int_eq(promote_next(p, now), PROMOTE_TRY);
	promote_tried(p, answer, now);
}

START_TEST(an_sa_starts_in_software_and_is_promoted_at_once)
{
	struct promote p;

	promote_init(&p, PROMOTE_AUTOMATIC, 5000);
	ck_assert_int_eq(p.state, PROMOTE_IN_SOFT);
	ck_assert_uint_eq(promote_due(&p), 5000);
	try(&p, ERR_OK, 5000);
	ck_assert_int_eq(p.state, PROMOTE_IN_NIC);
	ck_assert_int_eq(promote_next(&p, 99999), PROMOTE_STAY);
	ck_assert_uint_eq(promote_due(&p), UINT64_MAX);
}
END_TEST

START_TEST(software_by_policy_is_never_tried)
{
	struct promote p;

	promote_init(&p, PROMOTE_SOFTWARE, 0);
	ck_assert_int_eq(promote_next(&p, 1u << 30), PROMOTE_STAY);
	ck_assert_uint_eq(promote_due(&p), UINT64_MAX);
	ck_assert_str_eq(promote_reason_text(p.reason), "software is configured");
}
END_TEST

START_TEST(the_user_moves_it_there_and_back)
{
	struct promote p;

	promote_init(&p, PROMOTE_AUTOMATIC, 0);
	try(&p, ERR_OK, 0);
	promote_set_policy(&p, PROMOTE_SOFTWARE, 10);
	ck_assert_uint_eq(promote_due(&p), 0);
	ck_assert_int_eq(promote_next(&p, 10), PROMOTE_LEAVE);
	promote_left(&p, 10);
	ck_assert_int_eq(promote_next(&p, 20), PROMOTE_STAY);
	promote_set_policy(&p, PROMOTE_INLINE, 20);
	try(&p, ERR_OK, 20);
	ck_assert_uint_eq(p.promoted, 2);
	ck_assert_uint_eq(p.lost, 0);
}
END_TEST

static const struct {
	const char *what;
	enum promote_policy policy;
	uint64_t last; /* pause */
} policies[] = {
	{ "automatic", PROMOTE_AUTOMATIC, 60000 },
	{ "inline", PROMOTE_INLINE, 8000 },
};

START_TEST(a_full_nic_is_asked_again_at_growing_distances)
{
	struct promote p;
	uint64_t now = 0, pause = 1000;

	promote_init(&p, policies[_i].policy, 0);
	for (int i = 0; i < 12; i++) {
		try(&p, ERR_FULL, now);
		ck_assert_msg(promote_due(&p) == now + pause, "%s, try %d", policies[_i].what, i);
		ck_assert_int_eq(promote_next(&p, now + pause - 1), PROMOTE_STAY);
		now += pause;
		pause = pause * 2 < policies[_i].last ? pause * 2 : policies[_i].last;
	}
	ck_assert_uint_eq(pause, policies[_i].last);
	ck_assert_uint_eq(p.refused, 12);
	ck_assert_str_eq(promote_reason_text(p.reason), "the NIC's SA table is full");
	try(&p, ERR_OK, now);
}
END_TEST

START_TEST(what_the_nic_cannot_do_is_not_tried_again_until_asked)
{
	struct promote p;

	promote_init(&p, PROMOTE_AUTOMATIC, 0);
	try(&p, ERR_UNSUPPORTED, 0);
	ck_assert_int_eq(promote_next(&p, 1u << 30), PROMOTE_STAY);
	ck_assert_uint_eq(promote_due(&p), UINT64_MAX);
	promote_set_policy(&p, PROMOTE_INLINE, 100);
	try(&p, ERR_OK, 100);
}
END_TEST

START_TEST(a_packet_handed_up_undecrypted_means_software_at_once)
{
	struct promote p;

	promote_init(&p, PROMOTE_AUTOMATIC, 0);
	ck_assert(!promote_missed(&p, 0));
	try(&p, ERR_OK, 1000);
	ck_assert(!promote_missed(&p, 1000 + PROMOTE_GRACE_MS - 1)); /* was in the ring */
	ck_assert_int_eq(p.state, PROMOTE_IN_NIC);
	ck_assert(promote_missed(&p, 1000 + PROMOTE_GRACE_MS));
	ck_assert_int_eq(p.state, PROMOTE_IN_SOFT);
	ck_assert(!promote_missed(&p, 1000 + PROMOTE_GRACE_MS)); /* once is enough */
	ck_assert_uint_eq(promote_due(&p), 1000 + PROMOTE_GRACE_MS + 1000);
	ck_assert_uint_eq(p.lost, 1);
}
END_TEST

START_TEST(a_nic_that_keeps_losing_it_is_asked_less_and_less)
{
	struct promote p;
	uint64_t now = 0;

	promote_init(&p, PROMOTE_AUTOMATIC, 0);
	for (int i = 0; i < 4; i++) {
		try(&p, ERR_OK, now);
		now += 10;
		ck_assert(promote_lost(&p, now)); /* no grace for a reset */
		ck_assert_uint_eq(promote_due(&p) - now, 1000u << i);
		now = promote_due(&p);
	}
	try(&p, ERR_OK, now);
	now += 30000; /* proven: the pauses start anew */
	ck_assert(promote_lost(&p, now));
	ck_assert_uint_eq(promote_due(&p) - now, 1000);
}
END_TEST

START_TEST(each_reason_has_a_text_of_its_own)
{
	for (enum promote_reason a = 0; a < PROMOTE_REASONS; a++)
		for (enum promote_reason b = 0; b < a; b++)
			ck_assert_str_ne(promote_reason_text(a), promote_reason_text(b));
	ck_assert_str_eq(promote_reason_text(PROMOTE_REASONS), "unknown");
}
END_TEST

TESTS_OF(promote)
{
	TCase *tc = tcase_create("promote");

	tcase_add_test(tc, an_sa_starts_in_software_and_is_promoted_at_once);
	tcase_add_test(tc, software_by_policy_is_never_tried);
	tcase_add_test(tc, the_user_moves_it_there_and_back);
	tcase_add_loop_test(tc, a_full_nic_is_asked_again_at_growing_distances, 0,
	                    (int)ARRAY_LEN(policies));
	tcase_add_test(tc, what_the_nic_cannot_do_is_not_tried_again_until_asked);
	tcase_add_test(tc, a_packet_handed_up_undecrypted_means_software_at_once);
	tcase_add_test(tc, a_nic_that_keeps_losing_it_is_asked_less_and_less);
	tcase_add_test(tc, each_reason_has_a_text_of_its_own);
	return tc;
}
