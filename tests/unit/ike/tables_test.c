// SPDX-License-Identifier: BSD-2-Clause
/* The tables that SAs are found in, and the heap of deadlines: as an owner of the loop sees them.
 */
#include "ladder.h"
#include "runner.h"

static uint32_t initiate_another(void)
{
	struct effects fx = { 0 };

	ck_assert_int_eq(
	        ike_tunnel_initiate(I->ike, I->ike->tunnel[0], ike_sa_at(I->ike->sas.prev), &fx),
	        ERR_OK);
	node_run(I, &fx);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	return ike_sa_at(I->ike->sas.prev)->index;
}

static void clear(struct node *n, uint32_t index)
{
	struct effects fx = { 0 };

	ck_assert_int_eq(ike_clear_ike(n->ike, index, &fx), ERR_OK);
	node_run(n, &fx);
	pass(EX_INFORMATIONAL, false);
	pass(EX_INFORMATIONAL, true);
}

/* The first of a ring is the one that the table has: the others are found when it is gone. */
START_TEST(who_has_one_identity_is_found_when_the_first_is_gone)
{
	size_t n = 0;
	struct list *at;

	pass_all();
	uint32_t first = only(I)->index;
	for (int i = 0; i < 3; i++)
		(void)initiate_another();
	clear(I, first);
	world_run(&w, 40000); /* the responder has forgotten it too; the older ones made way */
	while (w.packets)
		pass(EX_INFORMATIONAL, w.packet[0].from.addr.b[3] == 2);
	ck_assert_uint_eq(R->ike->by_id.n, 1);
	struct ike_sa *sa = ike_sa_at(R->ike->sas.prev);
	list_each (at, &sa->same_id)
		n++;
	ck_assert_uint_eq(n + 1, R->ike->stats.sas);
}
END_TEST

START_TEST(all_tables_are_empty_when_all_sas_are_gone)
{
	pass_all();
	(void)initiate_another();
	world_run(&w, 1000000);
	for (int k = 0; k < 2; k++) {
		struct effects fx = { 0 };
		struct ike *ike = w.node[k].ike;

		ck_assert_uint_ne(ike->by_spi.n, 0);
		ck_assert_uint_eq(ike->by_child.n, ike->stats.children);
		ike_delete_all(ike, &fx);
		ck_assert_uint_eq(ike->by_spi.n + ike->by_peer.n + ike->by_id.n, 0);
		ck_assert_uint_eq(ike->by_child.n + ike->by_offer.n, 0);
		ck_assert(list_empty(&ike->tunnel[0]->children));
		ck_assert(list_empty(&ike->tunnel[0]->sas));
		effects_done(&fx);
	}
}
END_TEST

/* What is due next is said exactly, however often deadlines moved, and nothing is due too early. */
START_TEST(the_heap_says_when)
{
	struct effects fx = { 0 };

	c[0].gateway.dpd = true;
	c[0].gateway.dpd_mode = IKE_DPD_ALWAYS;
	c[0].gateway.dpd_interval_s = 10;
	pass_all();
	uint64_t due = ike_next_due_ms(I->ike);
	ck_assert_uint_eq(due, only(I)->dpd_ms);
	w.now_ms = due - 1;
	ike_timeout(I->ike, &fx);
	ck_assert_uint_eq(fx.n, 0);
	ck_assert_uint_eq(ike_next_due_ms(I->ike), due);
	w.now_ms = due;
	ike_timeout(I->ike, &fx);
	ck_assert_uint_eq(fx.n, 2); /* its record, the probe */
	ck_assert_uint_gt(ike_next_due_ms(I->ike), due);
	node_run(I, &fx);
}
END_TEST

/* A tunnel leaves the configuration while its SA lives, and comes back before that is gone. */
START_TEST(a_tunnel_goes_and_comes_back)
{
	struct effects fx = { 0 };
	struct why why = { 0 };

	pass_all();
	c[0].conf.tunnels = 0;
	ck_assert_int_eq(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	node_run(I, &fx); /* SK{D} waits */
	c[0].conf.tunnels = 1;
	ck_assert_int_eq(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	node_run(I, &fx);
	world_jobs(&w);
	w.manual = false;
	world_run(&w, 60000);
	tunnel_is_up();
	ck_assert(!list_empty(&I->ike->tunnel[0]->children));
}
END_TEST

TESTS_OF(tables)
{
	TCase *tc = tcase_create("tables");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, who_has_one_identity_is_found_when_the_first_is_gone);
	tcase_add_test(tc, all_tables_are_empty_when_all_sas_are_gone);
	tcase_add_test(tc, the_heap_says_when);
	tcase_add_test(tc, a_tunnel_goes_and_comes_back);
	return tc;
}
