// SPDX-License-Identifier: BSD-2-Clause
/* Reauthentication (RA-01 to RA-11, RFC 4478): when it is due, that it is made before the old one
 * is broken, and that nothing is left of the old one. */
#include "ladder.h"
#include "ex_child.h"
#include "runner.h"

enum { TUNNEL = 131073, LIFE_S = 600 };

/* Short lives for the IKE SAs, long ones for the children. */
static void short_lives(uint32_t every_i, uint32_t every_r)
{
	c[0].gateway.proposal[0].lifetime_s = LIFE_S;
	c[1].gateway.proposal[0].lifetime_s = LIFE_S;
	c[0].gateway.reauth_every = every_i;
	c[1].gateway.reauth_every = every_r;
	c[0].tunnel.proposal[0].lifetime_s = c[1].tunnel.proposal[0].lifetime_s = 86400;
}

static void up(void)
{
	w.manual = false;
	start();
	world_run(&w, 2000);
	tunnel_is_up();
}

/* How many IKE_SA_INITs and rekeys there were, without a moment without a child. */
static void run(uint64_t ms)
{
	uint64_t until = w.now_ms + ms;

	while (world_step(&w, until))
		ck_assert(node_children(I) >= 1 && node_children(R) >= 1);
	world_run(&w, until - w.now_ms);
}

/* Past the next soft end of I's, and what lingers after. */
static void run_past_soft(void)
{
	run(only(I)->soft_ms - w.now_ms + 45000);
}

static unsigned rekeys(void)
{
	return I->events[EVENT_IKE_SA_REKEYED];
}

static unsigned begun(void)
{
	return (unsigned)(I->ike->stats.initiated + R->ike->stats.initiated);
}

START_TEST(scenario_035_rekeys_alone_never_authenticate_again)
{
	short_lives(0, 0);
	up();
	uint32_t spi = child_of(I)->spi_in;
	for (unsigned n = 1; n <= 5; n++) {
		run_past_soft();
		ck_assert_uint_eq(rekeys(), n);
		ck_assert_uint_le(only(I)->win.next_request,
		                  1); /* the Delete of the old one is its own */
		ck_assert_uint_eq(only(I)->rekeys, n);
	}
	ck_assert_uint_eq(begun(), 1);
	ck_assert_uint_eq(child_of(I)->spi_in, spi);
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_036_each_rekey_is_a_reauthentication)
{
	short_lives(1, 0);
	up();
	uint32_t spi = child_of(I)->spi_in;
	uint8_t ike_spi[8];
	memcpy(ike_spi, only(I)->spi_i, 8);
	run_past_soft();
	ck_assert_uint_eq(rekeys(), 0);
	ck_assert_uint_eq(begun(), 2);
	ck_assert_uint_ne(child_of(I)->spi_in, spi);
	ck_assert_int_ne(memcmp(ike_spi, only(I)->spi_i, 8), 0);
	ck_assert_uint_eq(I->events[EVENT_IPSEC_HARD_LIMIT], 0);
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_037_every_third)
{
	static const struct {
		unsigned rekeys, begun;
	} after[] = { { 1, 1 }, { 2, 1 }, { 2, 2 }, { 3, 2 }, { 4, 2 }, { 4, 3 } };

	short_lives(3, 0);
	up();
	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		run_past_soft();
		ck_assert_uint_eq(rekeys(), after[i].rekeys);
		ck_assert_uint_eq(begun(), after[i].begun);
	}
	tunnel_is_up();
}
END_TEST

/* RA-05: each end has its own count; one that only answers begins when it is its turn (RA-06). */
START_TEST(scenario_038_the_schedule_is_that_of_one_end)
{
	short_lives(0, 2); /* I rekeys, R wants every second to be a reauthentication */
	c[1].gateway.proposal[0].lifetime_s = 28800;
	up();
	run_past_soft();
	ck_assert_uint_eq(rekeys(), 1);
	ck_assert_uint_eq(begun(), 1);
	run_past_soft();
	ck_assert_uint_eq(begun(), 2);
	ck_assert_uint_eq(R->ike->stats.initiated, 1);
	tunnel_is_up();
	/* scenario 39: roles have changed, nothing else */
	ck_assert(only(R)->initiator && !only(I)->initiator);
	ck_assert(child_of(R)->initiator);
}
END_TEST

START_TEST(scenario_039_the_responder_begins_and_roles_swap)
{
	short_lives(0, 1);
	c[0].gateway.proposal[0].lifetime_s = 28800;
	up();
	ck_assert(!only(R)->initiator);
	run(only(R)->soft_ms - w.now_ms + 45000);
	ck_assert_uint_eq(R->ike->stats.initiated, 1);
	ck_assert(only(R)->initiator && !only(I)->initiator);
	ck_assert_uint_eq(rekeys(), 0);
	tunnel_is_up();
}
END_TEST

/* RA-02: a rekey of the child that waits is dropped; one whose request is out is seen through. */
START_TEST(scenario_041_a_pending_rekey_is_abandoned)
{
	struct effects fx = { 0 };

	short_lives(1, 0);
	if (_i == 0) /* a key pair is being made */
		c[0].tunnel.pfs = c[1].tunnel.pfs = alg_ke_by_id(KE_CURVE25519);
	pass_all();
	ck_assert_int_eq(ike_rekey_child(I->ike, TUNNEL, &fx), ERR_OK);
	if (_i == 0) {
		ck_assert_uint_eq(only(I)->create->state, CREATE_KEYGEN);
		ike_tunnel_renew(only(I), &fx);
		ck_assert_ptr_eq(ike_sa_at(I->ike->sas.next)->create, NULL);
		ck_assert_uint_eq(begun(), 2);
	} else {
		ike_tunnel_renew(only(I), &fx);
		ck_assert_uint_eq(begun(), 1); /* not now */
		only(I)->soft_ms = w.now_ms + 100;
		ike_sa_touch(only(I));
	}
	node_run(I, &fx);
	w.manual = false;
	run(50000);
	tunnel_is_up();
	ck_assert_uint_eq(begun(), 2);
	ck_assert_uint_eq(node_ike_sas(I) + node_ike_sas(R), 2);
}
END_TEST

/* It fails, for whatever reason: the old SA goes on to its hard end, not a moment longer. */
START_TEST(scenario_042_a_reauthentication_that_fails_ends_the_tunnel_at_the_hard_end)
{
	struct effects fx = { 0 };

	short_lives(1, 0);
	up();
	uint64_t end = only(I)->hard_ms;
	/* What the peer would now prove itself by is no longer taken. */
	secret_free(R->ike->gateway[0]->psk);
	R->ike->gateway[0]->psk = secret_copy((struct view){ (const uint8_t *)"other", 5 });
	run(end - w.now_ms - 100);
	ck_assert_uint_ge(I->ike->stats.initiated, 3);
	world_run(&w, 2000);
	ck_assert_uint_eq(node_children(I) + node_children(R), 0);
	effects_done(&fx);
}
END_TEST

/* RA-08: the count is part of the record. */
START_TEST(scenario_045_the_schedule_outlives_a_restart)
{
	short_lives(4, 0);
	up();
	for (int i = 0; i < 3; i++) {
		run_past_soft();
		ck_assert_uint_eq(begun(), 1);
		node_die(I);
		node_start(I, &c[0].conf);
		world_run(&w, 100);
		I->ike->stats.initiated = 1;
	}
	ck_assert_uint_eq(only(I)->rekeys, 3);
	run_past_soft();
	ck_assert_uint_eq(begun(), 2);
	tunnel_is_up();
}
END_TEST

/* RA-10: the peer has forgotten its old SA when the new one comes up, from whatever port: so it
 * will never delete it. */
START_TEST(scenario_044_the_old_sa_does_not_linger)
{
	struct effects fx = { 0 };

	short_lives(0, 0);
	up();
	world_run(&w, 70000);
	struct ike_sa *old = only(I);
	w.manual = true;
	ike_tunnel_renew(old, &fx);
	node_run(I, &fx);
	world_jobs(&w);
	pass_init();
	ck_assert_uint_eq(w.packet[0].bytes[18], EX_IKE_AUTH); /* without INITIAL_CONTACT */
	ike_sa_discard(old, &fx);
	node_run(I, &fx);
	w.manual = false;
	world_run(&w, 8000);
	ck_assert_uint_eq(R->ike->stats.initial_contact, 0);
	ck_assert_uint_eq(node_ike_sas(R), 2);
	world_run(&w, 60000);
	ck_assert_uint_eq(node_ike_sas(R), 1);
	tunnel_is_up();
}
END_TEST

/* Two tunnels under one IKE SA: the new one gets both, and the old one goes when it has none. */
START_TEST(all_children_move)
{
	struct ike_conf_tunnel two[2][2];

	short_lives(1, 0);
	for (int i = 0; i < 2; i++) {
		two[i][0] = two[i][1] = c[i].tunnel;
		two[i][1].index++;
		strcpy(two[i][1].vpn, "vpn-2");
		two[i][1].local[0].first.b[0] = two[i][1].local[0].last.b[0] = 10;
		two[i][1].remote[0].first.b[0] = two[i][1].remote[0].last.b[0] = 10;
		c[i].conf.tunnel = two[i];
		c[i].conf.tunnels = 2;
	}
	w.manual = false;
	start();
	world_run(&w, 5000);
	ck_assert_uint_eq(node_children(I), 2);
	ck_assert_uint_eq(node_ike_sas(I), 1);
	uint64_t soft = only(I)->soft_ms;
	uint64_t until = soft + 45000;
	while (world_step(&w, until)) {
		ck_assert(ike_tunnel_has_child(I->ike->tunnel[0]));
		ck_assert(ike_tunnel_has_child(I->ike->tunnel[1]));
	}
	ck_assert_uint_eq(begun(), 2);
	ck_assert_uint_eq(node_children(I), 2);
	ck_assert_uint_eq(node_children(R), 2);
	ck_assert_uint_eq(node_ike_sas(I), 1);
	ck_assert_uint_eq(node_ike_sas(R), 1);
	ck_assert_ptr_eq(world_disagree(&w), NULL);
}
END_TEST

/* Both ends begin at once: one of the two remains, and never a moment without. */
START_TEST(both_ends_reauthenticate_at_once)
{
	struct effects fx = { 0 };

	short_lives(0, 0);
	up();
	world_run(&w, 100000);
	for (int i = 0; i < 2; i++) {
		ike_tunnel_renew(only(&w.node[i]), &fx);
		node_run(&w.node[i], &fx);
	}
	run(60000);
	ck_assert_uint_eq(begun(), 3);
	ck_assert_uint_eq(node_ike_sas(I), 1);
	tunnel_is_up();
}
END_TEST

/* RFC 4478: the responder says how long it believes us, and the initiator comes before that. */
START_TEST(the_peers_auth_lifetime_is_kept)
{
	uint8_t seconds[4] = { 0, 0, 300 >> 8, 300 & 0xff };
	struct payload_notify n = { 0, N_AUTH_LIFETIME, { NULL, 0 }, { seconds, 4 } };
	struct ike_content content = { 0 };

	short_lives(0, 0);
	up();
	content.notify[0] = n;
	content.notifies = 1;
	ike_reauth_told(only(I), &content);
	ck_assert_uint_le(only(I)->reauth_ms, w.now_ms + 300000 - 47500);
	ike_sa_touch(only(I));
	run(240000);
	ck_assert_uint_eq(begun(), 1);
	run(60000);
	ck_assert_uint_eq(begun(), 2);
	ck_assert_uint_eq(only(I)->reauth_ms, UINT64_MAX);
	tunnel_is_up();
}
END_TEST

TESTS_OF(reauth)
{
	TCase *tc = tcase_create("reauth");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, scenario_035_rekeys_alone_never_authenticate_again);
	tcase_add_test(tc, scenario_036_each_rekey_is_a_reauthentication);
	tcase_add_test(tc, scenario_037_every_third);
	tcase_add_test(tc, scenario_038_the_schedule_is_that_of_one_end);
	tcase_add_test(tc, scenario_039_the_responder_begins_and_roles_swap);
	tcase_add_loop_test(tc, scenario_041_a_pending_rekey_is_abandoned, 0, 2);
	tcase_add_test(tc,
	               scenario_042_a_reauthentication_that_fails_ends_the_tunnel_at_the_hard_end);
	tcase_add_test(tc, scenario_044_the_old_sa_does_not_linger);
	tcase_add_test(tc, scenario_045_the_schedule_outlives_a_restart);
	tcase_add_test(tc, all_children_move);
	tcase_add_test(tc, both_ends_reauthenticate_at_once);
	tcase_add_test(tc, the_peers_auth_lifetime_is_kept);
	return tc;
}
