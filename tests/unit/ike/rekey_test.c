// SPDX-License-Identifier: BSD-2-Clause
/* CREATE_CHILD_SA message by message: rekeying of children and of IKE SAs, with and without a
 * Diffie-Hellman, and what RFC 7296 2.25 says about requests that cross. */
#include "ladder.h"
#include "anchor.h"
#include "ex_child.h"
#include "records.pb-c.h"
#include "runner.h"

enum { TUNNEL = 131073 };

static void rekey_child(struct node *n)
{
	struct effects fx = { 0 };

	ck_assert_int_eq(ike_rekey_child(n->ike, TUNNEL, &fx), ERR_OK);
	node_run(n, &fx);
	world_jobs(&w);
}

static struct ike_sa *newest_sa(struct node *n)
{
	return ike_sa_at(n->ike->sas.prev);
}

static void rekey_ike(struct node *n)
{
	struct effects fx = { 0 };

	ck_assert_int_eq(ike_rekey_ike(n->ike, newest_sa(n)->index, &fx), ERR_OK);
	node_run(n, &fx);
	world_jobs(&w);
}

/* Delivers the oldest message that goes to this node. */
static void pass_to(struct node *n, uint8_t exchange, bool response)
{
	for (size_t i = 0; i < w.packets; i++) {
		const struct packet *p = &w.packet[i];

		if (!addr_equal(&p->to.addr, &n->addr))
			continue;
		ck_assert_uint_eq(p->bytes[18], exchange);
		ck_assert_int_eq((p->bytes[19] & IKE_FLAG_RESPONSE) != 0, response);
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

/* Time enough for what is replaced to be deleted, and for the last packets to arrive. */
static void settle(void)
{
	for (int i = 0; i < 60; i++) {
		world_run(&w, 100);
		pass_everything();
	}
}

static struct child_sa *child_by_state(struct node *n, enum child_state state)
{
	struct list *at, *in;

	list_each (at, &n->ike->sas)
		list_each (in, &ike_sa_at(at)->children)
			if (child_sa_at(in)->state == state)
				return child_sa_at(in);
	return NULL;
}

static uint32_t spi_of(struct node *n, enum child_state state)
{
	const struct child_sa *found = child_by_state(n, state);

	return found ? found->spi_in : 0;
}

/* ---- a child --------------------------------------------------------------------------------- */

static void with_pfs(int on)
{
	if (on)
		c[0].tunnel.pfs = c[1].tunnel.pfs = alg_ke_by_id(KE_MODP_2048);
}

/* Both roles, with and without PFS: the new inbound SA is there before the peer can use it; who
 * asked sends on it at once, who answered when it has seen that; the old one goes last. */
START_TEST(scenario_170_a_child_is_rekeyed)
{
	struct node *asks = &w.node[_i & 1], *answers = &w.node[1 - (_i & 1)];

	with_pfs(_i & 2);
	pass_all();
	uint32_t old = spi_of(asks, CHILD_UP), old_there = spi_of(answers, CHILD_UP);
	rekey_child(asks);
	pass(EX_CREATE_CHILD_SA, false); /* SK{N(REKEY_SA) SA Ni [KE] TSi TSr} ---> */
	ck_assert_uint_eq(spi_of(answers, CHILD_REPLACED), old_there);
	ck_assert(child_by_state(answers, CHILD_REPLACED)->sending);
	ck_assert(!child_by_state(answers, CHILD_WAITING)->sending);
	ck_assert_int_eq(answers->last_after_anchor, newest_sa(answers)->anchor);
	pass(EX_CREATE_CHILD_SA, true); /* <--- SK{SA Nr [KE] TSi TSr} */
	ck_assert(child_by_state(asks, CHILD_UP)->sending);
	ck_assert_uint_eq(spi_of(asks, CHILD_REPLACED), old);
	ck_assert_uint_eq(anchor_of_spi(spi_of(asks, CHILD_UP)), anchor_of_spi(old));
	/* The first packet on the new SA arrives. */
	answers->usage[child_by_state(answers, CHILD_WAITING)->slot_in].last_use_ms = w.now_ms;
	world_run(&w, 150);
	ck_assert(child_by_state(answers, CHILD_UP)->sending);
	world_run(&w, 1000);
	ck_assert_int_eq(asks->last_after_anchor, newest_sa(asks)->anchor);
	pass(EX_INFORMATIONAL, false); /* SK{D(ESP, old)} ---> */
	ck_assert_uint_eq(spi_of(answers, CHILD_LINGERING), old_there);
	pass(EX_INFORMATIONAL, true); /* <--- SK{D(ESP, old)} */
	ck_assert_uint_eq(spi_of(asks, CHILD_LINGERING), old);
	world_run(&w, 3000);
	ck_assert_uint_eq(w.packets, 0);
	tunnel_is_up();
	ck_assert_uint_ne(spi_of(asks, CHILD_UP), old);
	ck_assert_int_eq(child_by_state(asks, CHILD_UP)->initiator, true); /* LT-03 */
	ck_assert_uint_eq(asks->events[EVENT_IKE_CHILD_REKEYED], 1);
	ck_assert_uint_eq(asks->events[EVENT_IKE_CHILD_DOWN], 0);
}
END_TEST

/* The answer is lost: the responder must not send on what the peer does not have. */
START_TEST(a_lost_answer_and_nobody_sends_on_the_new_one)
{
	pass_all();
	rekey_child(I);
	pass(EX_CREATE_CHILD_SA, false);
	world_lose(&w, 0);
	world_run(&w, 400);
	ck_assert(!child_by_state(R, CHILD_WAITING)->sending);
	ck_assert(child_by_state(R, CHILD_REPLACED)->sending);
	world_run(&w, 300); /* the request goes out again */
	pass(EX_CREATE_CHILD_SA, false);
	pass(EX_CREATE_CHILD_SA, true);
	settle();
	tunnel_is_up();
}
END_TEST

/* Without any traffic it is the old one's Delete that says that the peer has the new one. */
START_TEST(the_delete_of_the_old_one_confirms_the_new_one)
{
	pass_all();
	rekey_child(I);
	pass(EX_CREATE_CHILD_SA, false);
	pass(EX_CREATE_CHILD_SA, true);
	world_run(&w, 900);
	ck_assert_ptr_nonnull(child_by_state(R, CHILD_WAITING));
	world_run(&w, 300);
	pass(EX_INFORMATIONAL, false);
	ck_assert_ptr_null(child_by_state(R, CHILD_WAITING));
	ck_assert(child_by_state(R, CHILD_UP)->sending);
	settle();
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_171_m28_pfs_at_one_end_only)
{
	c[_i].tunnel.pfs = alg_ke_by_id(KE_MODP_2048);
	pass_all(); /* the first child has no Diffie-Hellman of its own */
	ck_assert_uint_eq(w.node[_i].events[EVENT_IKE_PFS_UNTRIED], 1);
	uint32_t old = spi_of(I, CHILD_UP);
	rekey_child(I);
	pass(EX_CREATE_CHILD_SA, false);
	ck_assert_uint_eq(R->events[EVENT_IKE_PFS_MISMATCH], 1);
	ck_assert_ptr_nonnull(strstr(R->last_text[EVENT_IKE_PFS_MISMATCH], "none"));
	pass(EX_CREATE_CHILD_SA, true); /* <--- SK{N(NO_PROPOSAL_CHOSEN)} */
	ck_assert_uint_eq(I->events[EVENT_IKE_REKEY_FAILED], 1);
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_REKEY_FAILED], "NO_PROPOSAL_CHOSEN"));
	tunnel_is_up(); /* the old one lives */
	ck_assert_uint_eq(spi_of(I, CHILD_UP), old);
}
END_TEST

START_TEST(scenario_171_m29_pfs_with_different_groups)
{
	c[0].tunnel.pfs = alg_ke_by_id(KE_MODP_2048);
	c[1].tunnel.pfs = alg_ke_by_id(KE_ECP_256);
	pass_all();
	rekey_child(I);
	pass(EX_CREATE_CHILD_SA, false);
	ck_assert_str_eq(R->last_text[EVENT_IKE_PFS_MISMATCH],
	                 "vpn vpn: ours is group19, the peer's group14");
	pass(EX_CREATE_CHILD_SA, true);
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_REKEY_FAILED], "NO_PROPOSAL_CHOSEN"));
	tunnel_is_up();
}
END_TEST

/* LT-06, CHG-02: a rekey that never works leaves the old SA to its hard end; then all is new. */
START_TEST(scenario_154_a_rekey_that_fails_until_the_hard_end)
{
	c[0].tunnel.pfs = alg_ke_by_id(KE_ECP_256);
	c[0].tunnel.proposal[0].lifetime_s = 180;
	w.manual = false;
	start();
	world_run(&w, 5000);
	tunnel_is_up();
	uint32_t old = spi_of(I, CHILD_UP);
	world_run(&w, 170000);
	ck_assert_uint_eq(spi_of(I, CHILD_UP), old);
	ck_assert_uint_ge(I->events[EVENT_IKE_REKEY_FAILED], 3);
	ck_assert_uint_le(I->events[EVENT_IKE_REKEY_FAILED], 8); /* each later than the last */
	world_run(&w, 6000);
	ck_assert_uint_eq(I->events[EVENT_IPSEC_HARD_LIMIT], 1);
	ck_assert_uint_eq(spi_of(R, CHILD_UP), 0);
}
END_TEST

START_TEST(the_peer_has_not_the_child_that_is_to_be_rekeyed)
{
	struct effects fx = { 0 };

	pass_all();
	(void)child_step(child_by_state(R, CHILD_UP), CHILD_EV_END, &fx);
	node_run(R, &fx);
	rekey_child(I);
	pass(EX_CREATE_CHILD_SA, false);
	pass(EX_CREATE_CHILD_SA, true); /* <--- SK{N(CHILD_SA_NOT_FOUND)} */
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_PEER_REFUSED], "CHILD_SA_NOT_FOUND"));
	ck_assert_uint_eq(spi_of(I, CHILD_UP), 0);
	settle(); /* and asks for a new one */
	tunnel_is_up();
	ck_assert_uint_eq(I->ike->stats.initiated, 1);
}
END_TEST

/* ---- children that cross (RFC 7296 2.8.1, 2.25.1) -------------------------------------------- */

static struct child_sa *only_up(struct node *n)
{
	ck_assert_uint_eq(node_children(n), 1);
	return child_by_state(n, CHILD_UP);
}

/* Each interleaving of two rekeys of one child, with and without PFS: a bit of _i says who of the
 * two gets the next message. Whatever the order, one pair is left, the same at both ends. */
START_TEST(scenario_043_both_rekey_the_same_child)
{
	unsigned order = (unsigned)_i >> 1;

	with_pfs(_i & 1);
	pass_all();
	rekey_child(I);
	rekey_child(R);
	for (int n = 0; n < 8 && w.packets; n++, order >>= 1) {
		struct node *next = order & 1 ? R : I;
		size_t i = 0;

		while (i < w.packets && !addr_equal(&w.packet[i].to.addr, &next->addr))
			i++;
		world_deliver(&w, i < w.packets ? i : 0);
		ck_assert(child_by_state(I, CHILD_UP) || child_by_state(I, CHILD_REPLACED));
	}
	settle();
	ck_assert_uint_eq(only_up(I)->spi_out, only_up(R)->spi_in);
	tunnel_is_up();
	ck_assert_uint_eq(I->events[EVENT_IKE_REKEY_FAILED] + R->events[EVENT_IKE_REKEY_FAILED], 0);
}
END_TEST

/* The peer's rekey comes when ours has been answered and the old one is being deleted. */
START_TEST(a_rekey_that_comes_late_is_put_off)
{
	pass_all();
	rekey_child(R);
	struct packet late = w.packet[0]; /* on a slow road */
	w.packet[0].bytes = NULL;
	w.packets = 0;
	rekey_child(I);
	pass(EX_CREATE_CHILD_SA, false); /* ---> */
	pass(EX_CREATE_CHILD_SA, true);  /* <--- */
	hand_over(I, &late, late.bytes, late.len);
	free(late.bytes);
	pass(EX_CREATE_CHILD_SA, true);                          /* ---> SK{N(TEMPORARY_FAILURE)} */
	ck_assert_uint_eq(R->events[EVENT_IKE_REKEY_FAILED], 0); /* ours took over there */
	settle();
	tunnel_is_up();
}
END_TEST

START_TEST(a_rekey_and_a_delete_of_one_child_cross)
{
	struct node *deletes = &w.node[_i], *rekeys = &w.node[1 - _i];
	struct effects fx = { 0 };

	c[0].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC; /* nothing is made anew */
	start();
	ike_acquire(I->ike, TUNNEL, &fx);
	node_run(I, &fx);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	rekey_child(rekeys);
	ck_assert_int_eq(ike_clear_child(deletes->ike, TUNNEL, &fx), ERR_OK);
	node_run(deletes, &fx);
	pass_to(deletes, EX_CREATE_CHILD_SA, false); /* 2.25.1: it is being closed */
	pass_to(rekeys, EX_INFORMATIONAL, false);    /* answered as usual */
	pass_to(rekeys, EX_CREATE_CHILD_SA, true);   /* SK{N(TEMPORARY_FAILURE)} */
	pass_everything();
	settle();
	ck_assert_uint_eq(node_children(I) + node_children(R), 0);
	ck_assert_uint_eq(node_ike_sas(I) + node_ike_sas(R), 2);
}
END_TEST

START_TEST(both_delete_the_same_child)
{
	struct effects fx = { 0 };

	pass_all();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ike_clear_child(w.node[i].ike, TUNNEL, &fx), ERR_OK);
		node_run(&w.node[i], &fx);
	}
	pass_to(R, EX_INFORMATIONAL, false);
	pass_to(I, EX_INFORMATIONAL, false);
	pass_to(R, EX_INFORMATIONAL, true); /* SK{}: ours says it already */
	pass_to(I, EX_INFORMATIONAL, true);
	settle();
	tunnel_is_up(); /* node 0 has asked for a new one */
}
END_TEST

/* ---- an IKE SA ------------------------------------------------------------------------------- */

START_TEST(scenario_035_five_rekeys_of_the_ike_sa)
{
	struct node *asks = &w.node[_i];

	pass_all();
	uint32_t child = spi_of(I, CHILD_UP);
	for (int i = 0; i < 5; i++) {
		struct ike_sa *old = newest_sa(asks);
		uint8_t anchor = old->anchor;

		rekey_ike(asks);
		pass(EX_CREATE_CHILD_SA, false); /* SK{SA Ni KEi} */
		pass(EX_CREATE_CHILD_SA, true);  /* SK{SA Nr KEr} */
		ck_assert_int_eq(old->state, IKE_REPLACED);
		ck_assert_uint_eq(newest_sa(asks)->win.next_request, 0);
		ck_assert_uint_eq(newest_sa(asks)->win.next_expected, 0);
		ck_assert_int_eq(newest_sa(asks)->initiator, true);
		ck_assert_uint_eq(newest_sa(asks)->anchor, anchor);
		ck_assert_uint_eq(anchor_of_ike_spi(ike_sa_our_spi(newest_sa(asks))), anchor);
		world_run(&w, 1);
		pass(EX_INFORMATIONAL, false); /* SK{D} of the old one, at once */
		pass(EX_INFORMATIONAL, true);
		world_run(&w, 31000);
		tunnel_is_up();
		ck_assert_uint_eq(spi_of(I, CHILD_UP), child); /* it survives */
		ck_assert_ptr_eq(child_of(I)->sa, only(I));
		ck_assert_uint_eq(only(I)->anchor,
		                  anchor_of_ike_spi(only(R)->spi_i) *
		                                  (unsigned)(only(R)->initiator == 0) +
		                          anchor_of_ike_spi(only(R)->spi_r) *
		                                  (unsigned)(only(R)->initiator != 0));
	}
	ck_assert_uint_eq(I->ike->stats.initiated, 1); /* no IKE_AUTH after the first */
	ck_assert_uint_eq(asks->events[EVENT_IKE_SA_REKEYED], 5);
	ck_assert_uint_eq(I->events[EVENT_IKE_SA_DOWN] + R->events[EVENT_IKE_SA_DOWN], 0);
	rekey_child(asks); /* and the new one works */
	pass_everything();
	settle();
	tunnel_is_up();
}
END_TEST

START_TEST(the_peer_names_another_group)
{
	for (int i = 0; i < 2; i++) {
		c[i].gateway.proposal[0].ke[1] = alg_ke_by_id(KE_ECP_256);
		c[i].gateway.proposal[0].kes = 2;
	}
	pass_all();
	/* The responder has had enough of Curve25519. */
	only(R)->gw->conf.proposal[0].ke[0] = alg_ke_by_id(KE_ECP_256);
	only(R)->gw->conf.proposal[0].kes = 1;
	rekey_ike(I);
	pass(EX_CREATE_CHILD_SA, false); /* SK{SA Ni KEi(31)} ---> */
	pass(EX_CREATE_CHILD_SA, true);  /* <--- SK{N(INVALID_KE_PAYLOAD, 19)} */
	pass(EX_CREATE_CHILD_SA, false); /* SK{SA Ni KEi(19)} ---> */
	pass(EX_CREATE_CHILD_SA, true);
	settle();
	world_run(&w, 31000);
	tunnel_is_up();
	ck_assert_uint_eq(only(I)->ke->v2_id, KE_ECP_256);
}
END_TEST

/* Each interleaving of two rekeys of one IKE SA: one is left, with the child, the same at both. */
START_TEST(both_rekey_the_ike_sa)
{
	unsigned order = (unsigned)_i;

	pass_all();
	uint32_t child = spi_of(I, CHILD_UP);
	rekey_ike(I);
	rekey_ike(R);
	for (int n = 0; n < 8 && w.packets; n++, order >>= 1) {
		struct node *next = order & 1 ? R : I;
		size_t i = 0;

		while (i < w.packets && !addr_equal(&w.packet[i].to.addr, &next->addr))
			i++;
		world_deliver(&w, i < w.packets ? i : 0);
	}
	settle();
	world_run(&w, 31000);
	pass_everything();
	tunnel_is_up();
	ck_assert_uint_eq(spi_of(I, CHILD_UP), child);
	ck_assert_mem_eq(only(I)->spi_i, only(R)->spi_i, 8);
	ck_assert_mem_eq(only(I)->keys.d, only(R)->keys.d, 32);
	ck_assert_uint_eq(I->events[EVENT_IKE_REKEY_FAILED] + R->events[EVENT_IKE_REKEY_FAILED], 0);
}
END_TEST

/* 2.25.2: what one end does to a child while the other rekeys the IKE SA is put off, and done. */
START_TEST(the_ike_sa_and_a_child_are_rekeyed_at_once)
{
	struct node *ike = &w.node[_i & 1], *child = &w.node[1 - (_i & 1)];

	pass_all();
	uint32_t old = spi_of(I, CHILD_UP);
	rekey_ike(ike);
	rekey_child(child);
	if (_i & 2) {
		pass_to(child, EX_CREATE_CHILD_SA, false);
		pass_to(ike, EX_CREATE_CHILD_SA, false);
	} else {
		pass_to(ike, EX_CREATE_CHILD_SA, false);
		pass_to(child, EX_CREATE_CHILD_SA, false);
	}
	pass_everything();
	ck_assert_uint_eq(I->events[EVENT_IKE_REKEY_FAILED] + R->events[EVENT_IKE_REKEY_FAILED], 2);
	w.manual = false;
	world_run(&w, 60000); /* both come again, each at its own time */
	w.manual = true;
	tunnel_is_up();
	ck_assert_uint_ne(spi_of(I, CHILD_UP), old);
	ck_assert_uint_ge(ike->events[EVENT_IKE_SA_REKEYED], 1);
}
END_TEST

START_TEST(the_ike_sa_is_rekeyed_and_deleted_at_once)
{
	struct node *deletes = &w.node[_i], *rekeys = &w.node[1 - _i];
	struct effects fx = { 0 };

	c[0].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC;
	start();
	ike_acquire(I->ike, TUNNEL, &fx);
	node_run(I, &fx);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	rekey_ike(rekeys);
	ck_assert_int_eq(ike_clear_ike(deletes->ike, only(deletes)->index, &fx), ERR_OK);
	node_run(deletes, &fx);
	pass_to(deletes, EX_CREATE_CHILD_SA, false); /* it is being closed */
	pass_to(rekeys, EX_INFORMATIONAL, false);
	pass_everything();
	settle();
	nothing_is_left(I);
	nothing_is_left(R);
}
END_TEST

/* ---- restarts -------------------------------------------------------------------------------- */

/* Whoever dies at whichever message of a rekey: no SA is lost, stuck or doubled. */
START_TEST(a_restart_after_each_message_of_a_rekey)
{
	struct node *dies = &w.node[_i & 1];
	bool ike = _i & 2;
	int at = _i >> 2;

	with_pfs(1);
	pass_all();
	uint32_t child = spi_of(I, CHILD_UP);
	if (ike)
		rekey_ike(I);
	else
		rekey_child(I);
	for (int i = 0; i < at && w.packets; i++) {
		if (i == 2)
			world_run(&w, 1100); /* the Delete */
		if (w.packets)
			world_deliver(&w, 0);
	}
	node_die(dies);
	node_start(dies, &c[dies->id].conf);
	settle();
	w.manual = false;
	world_run(&w, 100000);
	w.manual = true;
	tunnel_is_up();
	if (ike)
		ck_assert_uint_eq(spi_of(I, CHILD_UP), child);
	ck_assert_uint_eq(I->ike->stats.initiated, dies == I ? 0 : 1);
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_DEAD] + R->events[EVENT_IKE_PEER_DEAD], 0);
}
END_TEST

TESTS_OF(rekey)
{
	TCase *tc = tcase_create("rekey");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_loop_test(tc, scenario_170_a_child_is_rekeyed, 0, 4);
	tcase_add_test(tc, a_lost_answer_and_nobody_sends_on_the_new_one);
	tcase_add_test(tc, the_delete_of_the_old_one_confirms_the_new_one);
	tcase_add_loop_test(tc, scenario_171_m28_pfs_at_one_end_only, 0, 2);
	tcase_add_test(tc, scenario_171_m29_pfs_with_different_groups);
	tcase_add_test(tc, scenario_154_a_rekey_that_fails_until_the_hard_end);
	tcase_add_test(tc, the_peer_has_not_the_child_that_is_to_be_rekeyed);
	tcase_add_loop_test(tc, scenario_043_both_rekey_the_same_child, 0, 128);
	tcase_add_test(tc, a_rekey_that_comes_late_is_put_off);
	tcase_add_loop_test(tc, a_rekey_and_a_delete_of_one_child_cross, 0, 2);
	tcase_add_test(tc, both_delete_the_same_child);
	tcase_add_loop_test(tc, scenario_035_five_rekeys_of_the_ike_sa, 0, 2);
	tcase_add_test(tc, the_peer_names_another_group);
	tcase_add_loop_test(tc, both_rekey_the_ike_sa, 0, 64);
	tcase_add_loop_test(tc, the_ike_sa_and_a_child_are_rekeyed_at_once, 0, 4);
	tcase_add_loop_test(tc, the_ike_sa_is_rekeyed_and_deleted_at_once, 0, 2);
	tcase_add_loop_test(tc, a_restart_after_each_message_of_a_rekey, 0, 20);
	return tc;
}
