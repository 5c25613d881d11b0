// SPDX-License-Identifier: BSD-2-Clause
/* Planned moves: who waits for whom, how long, and in which order it goes on. */
#include "hold.h"
#include "runner.h"
#include "tell.h"

#include <stdlib.h>

static struct hold h;
static struct node_shm *node;

static void up(void)
{
	h = (struct hold){ 0 };
	node = aligned_alloc(4096, sizeof(*node));
	ck_assert_ptr_nonnull(node);
	memset((void *)node, 0, sizeof(*node));
}

static void down(void)
{
	free(node);
}

static struct rte_mbuf *packet(uintptr_t n)
{
	return (struct rte_mbuf *)n;
}

START_TEST(nothing_waits_without_a_move)
{
	ck_assert(!hold_wants(&h, 3));
	hold_begin(&h, 3, 1, 10);
	ck_assert(hold_wants(&h, 3));
	ck_assert(!hold_wants(&h, 4));
	hold_cancel(&h, 3);
	ck_assert(!hold_wants(&h, 3));
}
END_TEST

START_TEST(the_marker_lets_go_in_order)
{
	struct rte_mbuf *got[8];

	hold_begin(&h, 3, 1, 10);
	hold_begin(&h, 4, 2, 10);
	for (uintptr_t i = 1; i <= 6; i++)
		ck_assert(hold_push(&h, i % 2 ? 3 : 4, packet(i), 100));
	atomic_store(&node->spu[1].moved_marker, 9);
	ck_assert_uint_eq(hold_poll(&h, node, 101), 0);
	ck_assert_uint_eq(hold_pop(&h, got, 8), 0);
	atomic_store(&node->spu[1].moved_marker, 10);
	ck_assert_uint_eq(hold_poll(&h, node, 101), 0);
	ck_assert_msg(hold_wants(&h, 3), "a new packet would overtake those that were held");
	ck_assert_uint_eq(hold_pop(&h, got, 2), 2);
	ck_assert_ptr_eq(got[0], packet(1));
	ck_assert_ptr_eq(got[1], packet(3));
	ck_assert_uint_eq(hold_pop(&h, got, 8), 1);
	ck_assert_ptr_eq(got[0], packet(5));
	ck_assert(!hold_wants(&h, 3));
	ck_assert(hold_wants(&h, 4));
	ck_assert_uint_eq(h.n, 3);
}
END_TEST

START_TEST(the_clock_starts_with_the_first_packet)
{
	struct rte_mbuf *got[8];

	hold_begin(&h, 3, 1, 10);
	ck_assert_uint_eq(hold_poll(&h, node, 100000), 0);
	ck_assert(hold_push(&h, 3, packet(1), 100000));
	ck_assert_uint_eq(hold_poll(&h, node, 100000 + HOLD_MS - 1), 0);
	ck_assert_uint_eq(hold_poll(&h, node, 100000 + HOLD_MS), 1);
	ck_assert_uint_eq(hold_pop(&h, got, 8), 1);
}
END_TEST

START_TEST(the_same_move_heard_twice_is_one)
{
	hold_begin(&h, 3, 1, 10);
	atomic_store(&node->spu[1].moved_marker, 10);
	(void)hold_poll(&h, node, 100);
	hold_begin(&h, 3, 1, 10);
	ck_assert(!hold_wants(&h, 3));
	hold_begin(&h, 3, 2, 11);
	ck_assert(hold_wants(&h, 3));
}
END_TEST

START_TEST(the_queue_has_an_end)
{
	hold_begin(&h, 3, 1, 10);
	for (uintptr_t i = 0; i < HOLD_MAX; i++)
		ck_assert(hold_push(&h, 3, packet(i + 1), 100));
	ck_assert(!hold_push(&h, 3, packet(1), 100));
}
END_TEST

START_TEST(scenario_213_a_flood_of_unknown_spis_is_told_of_sixteen_times_a_second)
{
	struct tell t = { 0 };
	struct spu_event e;
	unsigned int told = 0;

	for (uint32_t i = 0; i < 10000; i++)
		tell_bad_spi(&t, &node->spu[0], i, 5000 + i / 10);
	while (spu_event_pop(&node->spu[0].events, &e))
		told++;
	ck_assert_uint_eq(told, TELL_PER_S);
}
END_TEST

TESTS_OF(hold)
{
	TCase *tc = tcase_create("hold");

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_test(tc, nothing_waits_without_a_move);
	tcase_add_test(tc, the_marker_lets_go_in_order);
	tcase_add_test(tc, the_clock_starts_with_the_first_packet);
	tcase_add_test(tc, the_same_move_heard_twice_is_one);
	tcase_add_test(tc, the_queue_has_an_end);
	tcase_add_test(tc, scenario_213_a_flood_of_unknown_spis_is_told_of_sixteen_times_a_second);
	return tc;
}
