// SPDX-License-Identifier: BSD-2-Clause
/* Requests of one end that overtake its answer to the other (RFC 7296 2.25): each end has its own
 * window, so a child may be rekeyed or deleted before the one who asked for it knows that it is
 * there. And SAs that are to make way, and are rekeyed first. */
#include "ladder.h"
#include "ex_child.h"
#include "runner.h"

enum { TUNNEL = 131073 };

/* Throws away, or delivers, the oldest message to this node. */
static void next_to(struct node *n, uint8_t exchange, bool response, bool lost)
{
	for (size_t i = 0; i < w.packets; i++) {
		const struct packet *p = &w.packet[i];

		if (!addr_equal(&p->to.addr, &n->addr) || p->bytes[18] != exchange ||
		    (p->bytes[19] & IKE_FLAG_RESPONSE) / IKE_FLAG_RESPONSE != response)
			continue;
		if (lost)
			world_lose(&w, i);
		else
			world_deliver(&w, i);
		return;
	}
	ck_abort_msg("nothing is on its way to node %d", n->id);
}

static void pass_everything(void)
{
	while (w.packets)
		world_deliver(&w, 0);
}

static void settle(void)
{
	for (int i = 0; i < 1000; i++) {
		world_run(&w, 100);
		pass_everything();
	}
	ck_assert_ptr_null(world_disagree(&w));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(node_children(&w.node[i]), 1);
		ck_assert_uint_eq(node_ike_sas(&w.node[i]), 1);
	}
}

static void restart(struct node *n)
{
	node_die(n);
	node_start(n, &c[n->id].conf);
	world_jobs(&w);
}

static void rekey_child(struct node *n)
{
	struct effects fx = { 0 };

	ck_assert_int_eq(ike_rekey_child(n->ike, TUNNEL, &fx), ERR_OK);
	node_run(n, &fx);
	world_jobs(&w);
}

static void clear_child(struct node *n)
{
	struct effects fx = { 0 };

	ck_assert_int_eq(ike_clear_child(n->ike, TUNNEL, &fx), ERR_OK);
	node_run(n, &fx);
	world_jobs(&w);
}

/* I asks for a child, R has made it, and the answer is lost. */
static void answer_is_lost(void)
{
	pass_all();
	clear_child(I);
	next_to(R, EX_INFORMATIONAL, false, false);
	next_to(I, EX_INFORMATIONAL, true, false);
	ck_assert_uint_eq(node_children(I), 0);
	world_step(&w, w.now_ms + 10); /* the tunnel's own wish for a new one */
	next_to(R, EX_CREATE_CHILD_SA, false, false);
	next_to(I, EX_CREATE_CHILD_SA, true, true);
	ck_assert_uint_eq(node_children(R), 1);
}

/* The Delete of what I has not yet: when the answer comes, the child is no more. Both with a
 * restart of I between the two and without. */
START_TEST(a_delete_overtakes_the_answer)
{
	answer_is_lost();
	uint32_t dead = child_of(R)->spi_in;
	clear_child(R);
	next_to(I, EX_INFORMATIONAL, false, false);
	next_to(R, EX_INFORMATIONAL, true, false);
	ck_assert_uint_eq(node_children(R), 0);
	if (_i)
		restart(I);
	settle();
	ck_assert_uint_ne(child_of(I)->spi_out, dead);
}
END_TEST

/* The rekey of what I has not yet is put off, and R keeps it. */
START_TEST(a_rekey_overtakes_the_answer)
{
	answer_is_lost();
	child_of(R)->next_ms = 0; /* it is in use: the peer was heard on it */
	w.node[1].usage[child_of(R)->slot_in].last_use_ms = w.now_ms;
	world_step(&w, w.now_ms + 1);
	uint32_t there = child_of(R)->spi_in;
	rekey_child(R);
	next_to(I, EX_CREATE_CHILD_SA, false, false);
	next_to(R, EX_CREATE_CHILD_SA, true, false);
	ck_assert_uint_eq(child_of(R)->spi_in, there);
	ck_assert_uint_eq(R->events[EVENT_IKE_REKEY_FAILED], 1);
	settle();
}
END_TEST

TESTS_OF(overtaken)
{
	TCase *tc = tcase_create("overtaken");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_loop_test(tc, a_delete_overtakes_the_answer, 0, 2);
	tcase_add_test(tc, a_rekey_overtakes_the_answer);
	return tc;
}
