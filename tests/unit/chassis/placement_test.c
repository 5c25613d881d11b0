// SPDX-License-Identifier: BSD-2-Clause
#include "placement.h"

#include "runner.h"

#include <string.h>

static struct placement place(const struct placement_spu *spu, size_t n)
{
	struct placement p;

	placement_init(&p);
	placement_compute(&p, spu, n);
	return p;
}

START_TEST(nobody_without_spus)
{
	struct placement p = place(NULL, 0);

	ck_assert_uint_eq(p.owner[0], ANCHOR_NOBODY);
	ck_assert_uint_eq(p.standin[255], ANCHOR_NOBODY);
}
END_TEST

START_TEST(shares_follow_the_weights)
{
	const struct placement_spu spu[] = { { 0, 1, true }, { 1, 1, true }, { 2, 2, true } };
	struct placement p = place(spu, 3);
	unsigned n[3] = { placement_count(&p, 0), placement_count(&p, 1), placement_count(&p, 2) };

	ck_assert_uint_eq(n[0] + n[1] + n[2], ANCHORS);
	ck_assert_msg(n[0] > 40 && n[0] < 90, "weight 1 of 4 got %u of 256", n[0]);
	ck_assert_msg(n[1] > 40 && n[1] < 90, "weight 1 of 4 got %u of 256", n[1]);
	ck_assert_msg(n[2] > 100 && n[2] < 156, "weight 2 of 4 got %u of 256", n[2]);
}
END_TEST

START_TEST(insertion_moves_only_to_the_new_one)
{
	const struct placement_spu spu[] = { { 0, 1, true }, { 1, 1, true }, { 7, 1, true } };
	struct placement two = place(spu, 2), three = place(spu, 3);

	for (unsigned a = 0; a < ANCHORS; a++)
		ck_assert_msg(three.owner[a] == two.owner[a] || three.owner[a] == 7,
		              "anchor %u moved from %u to %u", a, two.owner[a], three.owner[a]);
	ck_assert_uint_gt(placement_count(&three, 7), 50);
}
END_TEST

START_TEST(standin_is_another_one_in_service_and_spread)
{
	const struct placement_spu spu[] = {
		{ 0, 1, true }, { 1, 1, true }, { 2, 1, true }, { 3, 1, false }
	};
	struct placement p = place(spu, 4);
	unsigned served[4] = { 0 };

	for (unsigned a = 0; a < ANCHORS; a++) {
		ck_assert_uint_ne(p.standin[a], p.owner[a]);
		ck_assert_uint_ne(p.standin[a], 3);
		if (p.owner[a] == 0)
			served[p.standin[a]]++;
	}
	ck_assert_uint_gt(served[1], 10);
	ck_assert_uint_gt(served[2], 10);
}
END_TEST

START_TEST(pin_wins_while_its_spu_exists)
{
	const struct placement_spu spu[] = { { 0, 1, true }, { 1, 1, true } };
	struct placement p;

	placement_init(&p);
	memset(p.pinned, 1, 16);
	p.pinned[17] = 9;
	placement_compute(&p, spu, 2);
	for (unsigned a = 0; a < 16; a++)
		ck_assert_uint_eq(p.owner[a], 1);
	ck_assert_uint_lt(p.owner[17], 2);
	ck_assert_uint_eq(p.pinned[17], 9);
}
END_TEST

START_TEST(serving_falls_back_to_the_standin)
{
	struct placement_spu spu[] = { { 0, 1, true }, { 1, 1, true } };
	struct placement p = place(spu, 2);
	uint8_t owner = p.owner[5];

	ck_assert_uint_eq(placement_serving(&p, 5, spu, 2), owner);
	spu[owner].in_service = false;
	placement_compute(&p, spu, 2);
	ck_assert_uint_eq(p.owner[5], owner);
	ck_assert_uint_eq(placement_serving(&p, 5, spu, 2), 1 - owner);
	spu[1 - owner].in_service = false;
	ck_assert_uint_eq(placement_serving(&p, 5, spu, 2), ANCHOR_NOBODY);
}
END_TEST

/* From SPUs 0 and 1 in service to what the fleet is then; how many of the anchors of `of` move. */
static unsigned moved_from(uint8_t of, const struct placement_fleet *fleet)
{
	const struct placement_spu two[] = { { 0, 1, true }, { 1, 1, true } };
	const bool served[SPU_SLOTS] = { true, true };
	struct placement old = place(two, 2), now = old;
	uint8_t from[ANCHORS];
	unsigned n = 0, all;

	placement_compute(&now, fleet->spu, fleet->n);
	all = placement_moves(&old, served, &now, fleet, from);
	for (unsigned a = 0; a < ANCHORS; a++) {
		ck_assert(from[a] == ANCHOR_NOBODY || from[a] == old.owner[a]);
		all -= from[a] != ANCHOR_NOBODY;
		n += from[a] == of;
	}
	ck_assert_uint_eq(all, 0);
	return n;
}

START_TEST(one_that_comes_takes_its_share_from_those_that_serve)
{
	const struct placement_fleet three = {
		.spu = { { 0, 1, true }, { 1, 1, true }, { 2, 1, true } },
		.n = 3,
		.works = { true, true, true },
	};
	struct placement now = place(three.spu, 3);

	ck_assert_uint_eq(moved_from(0, &three) + moved_from(1, &three), placement_count(&now, 2));
}
END_TEST

START_TEST(a_dead_one_is_not_waited_for)
{
	const struct placement_fleet dead = { .spu = { { 0, 1, false }, { 1, 1, true } },
		                              .n = 2,
		                              .works = { false, true } };

	ck_assert_uint_eq(moved_from(0, &dead) + moved_from(1, &dead), 0);
}
END_TEST

START_TEST(one_that_is_to_leave_hands_over_all_that_it_has)
{
	const struct placement_spu two[] = { { 0, 1, true }, { 1, 1, true } };
	const struct placement_fleet left = { .spu = { { 1, 1, true } },
		                              .n = 1,
		                              .works = { true, true } };
	const struct placement_fleet nobody = { .works = { true, true } };
	struct placement p = place(two, 2);

	ck_assert_uint_eq(moved_from(0, &left), placement_count(&p, 0));
	ck_assert_uint_eq(moved_from(1, &left), 0);
	ck_assert_uint_eq(moved_from(0, &nobody), 0); /* to whom? */
}
END_TEST

TESTS_OF(placement)
{
	TCase *tc = tcase_create("placement");

	tcase_add_test(tc, nobody_without_spus);
	tcase_add_test(tc, shares_follow_the_weights);
	tcase_add_test(tc, insertion_moves_only_to_the_new_one);
	tcase_add_test(tc, standin_is_another_one_in_service_and_spread);
	tcase_add_test(tc, pin_wins_while_its_spu_exists);
	tcase_add_test(tc, serving_falls_back_to_the_standin);
	tcase_add_test(tc, one_that_comes_takes_its_share_from_those_that_serve);
	tcase_add_test(tc, a_dead_one_is_not_waited_for);
	tcase_add_test(tc, one_that_is_to_leave_hands_over_all_that_it_has);
	return tc;
}
