// SPDX-License-Identifier: BSD-2-Clause
/* How SAs end, are renewed, outlive a restart and a change of configuration. */
#include "ladder.h"
#include "anchor.h"
#include "runner.h"

/* ---- the way down ---------------------------------------------------------------------------- */

static uint32_t index_of(struct node *n)
{
	return only(n)->index;
}

START_TEST(either_end_deletes_the_ike_sa)
{
	struct node *n = &w.node[_i];
	struct effects fx = { 0 };

	c[0].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC;
	start();
	ike_acquire(I->ike, 131073, &fx);
	node_run(I, &fx);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_int_eq(ike_clear_ike(n->ike, 77, &fx), ERR_NOT_FOUND);
	ck_assert_int_eq(ike_clear_ike(n->ike, index_of(n), &fx), ERR_OK);
	node_run(n, &fx);
	pass(EX_INFORMATIONAL, false); /* SK{D} */
	nothing_is_left(&w.node[1 - _i]);
	world_lose(&w, 0);  /* the answer is lost */
	world_run(&w, 700); /* the Delete goes out again */
	pass(EX_INFORMATIONAL, false);
	pass(EX_INFORMATIONAL, true); /* and is answered again */
	nothing_is_left(n);
	world_run(&w, 31000);
	ck_assert(list_empty(&I->ike->sas));
	ck_assert(list_empty(&R->ike->sas));
}
END_TEST

START_TEST(both_ends_delete_at_once)
{
	struct effects fx = { 0 };

	pass_all();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ike_clear_ike(w.node[i].ike, index_of(&w.node[i]), &fx), ERR_OK);
		node_run(&w.node[i], &fx);
	}
	while (w.packets)
		world_deliver(&w, 0);
	nothing_is_left(I);
	nothing_is_left(R);
}
END_TEST

/* What is over and lingers is not what the limit of half-open SAs is there to refuse for. */
START_TEST(one_that_is_over_makes_way_for_its_successor)
{
	struct effects fx = { 0 };

	c[1].conf.session.half_open_max = 2;
	pass_all();
	w.manual = false;
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(ike_clear_ike(I->ike, index_of(I), &fx), ERR_OK);
		node_run(I, &fx);
		world_run(&w, 1000);
		ck_assert_uint_eq(node_children(I) + node_children(R), 2);
	}
	ck_assert_uint_eq(R->events[EVENT_IKE_HALF_OPEN_LIMIT], 0);
	ck_assert_uint_le(R->ike->stats.half_open, 2);
}
END_TEST

START_TEST(a_child_is_deleted_and_made_anew)
{
	struct effects fx = { 0 };

	pass_all();
	ck_assert_int_eq(ike_clear_child(I->ike, 131074, &fx), ERR_NOT_FOUND);
	ck_assert_int_eq(ike_clear_child(I->ike, 131073, &fx), ERR_OK);
	node_run(I, &fx);
	pass(EX_INFORMATIONAL, false); /* SK{D(ESP, ours)} ---> */
	pass(EX_INFORMATIONAL, true);  /* <--- SK{D(ESP, ours)} */
	ck_assert_uint_eq(node_children(I) + node_children(R), 0);
	w.manual = false;
	world_run(&w, 40000);
	tunnel_is_up();
}
END_TEST

START_TEST(shutdown_says_goodbye)
{
	struct effects fx = { 0 };

	pass_all();
	ike_delete_all(I->ike, &fx);
	node_run(I, &fx);
	nothing_is_left(I);
	pass(EX_INFORMATIONAL, false);
	nothing_is_left(R);
}
END_TEST

START_TEST(a_dead_peer_is_found_and_the_tunnel_comes_back)
{
	c[0].gateway.dpd = true;
	c[0].gateway.dpd_mode = IKE_DPD_ALWAYS;
	c[0].gateway.dpd_interval_s = 10;
	w.manual = false;
	start();
	world_run(&w, 25000);
	tunnel_is_up();
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_DEAD], 0);
	node_die(R);
	lose_store(R); /* the whole machine is gone */
	world_run(&w, 70000);
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_DEAD], 1);
	ck_assert_uint_eq(node_children(I), 0);
	node_start(R, &c[1].conf);
	world_run(&w, 90000);
	tunnel_is_up();
}
END_TEST

START_TEST(traffic_from_the_peer_is_life)
{
	c[0].gateway.dpd = true;
	c[0].gateway.dpd_interval_s = 10; /* optimized */
	pass_all();
	struct child_sa *child = child_of(I);
	for (int i = 0; i < 6; i++) {
		I->usage[child->slot_in].last_use_ms = w.now_ms;
		I->usage[child->slot_out].last_use_ms = w.now_ms;
		world_run(&w, 9000);
	}
	ck_assert_uint_eq(w.packets, 0);
	I->usage[child->slot_out].last_use_ms = w.now_ms; /* we send, nothing comes back */
	world_run(&w, 11000);
	ck_assert_uint_eq(w.packets, 1);
	pass(EX_INFORMATIONAL, false); /* SK{} ---> */
	pass(EX_INFORMATIONAL, true);  /* <--- SK{} */
	tunnel_is_up();
}
END_TEST

static void probes(enum ike_dpd_mode mode)
{
	c[0].gateway.dpd = true;
	c[0].gateway.dpd_mode = mode;
	c[0].gateway.dpd_interval_s = 10;
	pass_all();
}

START_TEST(scenario_136_a_peer_that_is_unplugged)
{
	probes(IKE_DPD_OPTIMIZED);
	uint64_t since = w.now_ms;
	while (I->events[EVENT_IKE_PEER_DEAD] == 0 && w.now_ms < since + 120000) {
		if (!list_empty(&I->ike->sas) && only(I)->state == IKE_UP)
			I->usage[child_of(I)->slot_out].last_use_ms = w.now_ms; /* we send */
		world_run(&w, 500);
		while (w.packets && I->events[EVENT_IKE_PEER_DEAD] == 0)
			world_lose(&w, 0);
	}
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_DEAD], 1);
	ck_assert_uint_ge(w.now_ms - since, 55000);
	ck_assert_uint_le(w.now_ms - since, 75000);
}
END_TEST

/* Steady traffic from the peer: optimized asks nothing, always-send at each interval. */
START_TEST(scenario_137_probes_beside_traffic)
{
	unsigned n = 0;

	probes(_i ? IKE_DPD_ALWAYS : IKE_DPD_OPTIMIZED);
	for (int i = 0; i < 60; i++) {
		I->usage[child_of(I)->slot_in].last_use_ms = w.now_ms;
		I->usage[child_of(I)->slot_out].last_use_ms = w.now_ms;
		world_run(&w, 1000);
		while (w.packets) {
			n += !(w.packet[0].bytes[19] & IKE_FLAG_RESPONSE);
			world_deliver(&w, 0);
		}
	}
	ck_assert_uint_ge(n, _i ? 5 : 0);
	ck_assert_uint_le(n, _i ? 6 : 0);
}
END_TEST

START_TEST(scenario_138_probes_of_an_idle_tunnel)
{
	probes(_i ? IKE_DPD_IDLE : IKE_DPD_OPTIMIZED);
	world_run(&w, 12000);
	ck_assert_uint_eq(w.packets, (unsigned)_i);
}
END_TEST

/* RFC 7296 2.4: only what is fresh says that the peer lives; anybody can send an old message again.
 */
START_TEST(a_replayed_message_is_no_sign_of_life)
{
	uint8_t bytes[IKE_MESSAGE_MAX];

	start();
	pass_init();
	struct packet p = w.packet[0]; /* IKE_AUTH */
	memcpy(bytes, p.bytes, p.len);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	uint64_t heard = only(R)->heard_ms;
	world_run(&w, 5000);
	hand_over(R, &p, bytes, p.len);
	ck_assert_uint_eq(w.packets, 1); /* answered again */
	ck_assert_uint_eq(only(R)->heard_ms, heard);
	pass(EX_IKE_AUTH, true);
	ck_assert_uint_eq(only(I)->heard_ms, heard);
	struct effects fx = { 0 };
	only(I)->wish_probe = true;
	ike_sa_pump(only(I), &fx);
	node_run(I, &fx);
	pass(EX_INFORMATIONAL, false); /* SK{} ---> */
	ck_assert_uint_eq(only(R)->heard_ms, w.now_ms);
	pass(EX_INFORMATIONAL, true); /* <--- SK{} */
	ck_assert_uint_eq(only(I)->heard_ms, w.now_ms);
	tunnel_is_up();
}
END_TEST

/* ---- lifetimes ------------------------------------------------------------------------------- */

START_TEST(renewal_leaves_no_moment_without_a_child)
{
	w.manual = false;
	for (int i = 0; i < 2; i++)
		c[i].tunnel.proposal[0].lifetime_s = 180;
	start();
	world_run(&w, 5000);
	uint64_t until = w.now_ms + 1000000, doubled_since = 0;
	while (world_step(&w, until)) {
		ck_assert(node_children(I) >= 1 && node_children(R) >= 1);
		if (node_children(I) == 1)
			doubled_since = w.now_ms;
		/* The old one makes way by our Delete, not by its hard limit. */
		ck_assert_uint_le(w.now_ms - doubled_since, 4000);
	}
	ck_assert_uint_eq(I->events[EVENT_IPSEC_HARD_LIMIT], 0);
	ck_assert_uint_ge(I->events[EVENT_IKE_CHILD_REKEYED], 5);
	world_run(&w, 10000);
	tunnel_is_up();
	ck_assert_uint_eq(only(I)->anchor, anchor_of_ike_spi(only(R)->spi_i)); /* BH-SPU-24 */
}
END_TEST

START_TEST(an_idle_tunnel_on_traffic_lapses_and_a_used_one_is_renewed)
{
	struct effects fx = { 0 };

	w.manual = false;
	c[0].tunnel.establish = c[1].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC;
	c[0].tunnel.proposal[0].lifetime_s = c[1].tunnel.proposal[0].lifetime_s = 180;
	start();
	ck_assert(list_empty(&I->ike->sas));
	ike_acquire(I->ike, 131073, &fx);
	ike_acquire(I->ike, 131073, &fx); /* one packet after the other: one negotiation */
	node_run(I, &fx);
	world_run(&w, 5000);
	tunnel_is_up();
	if (_i)
		I->usage[child_of(I)->slot_out].last_use_ms = w.now_ms;
	world_run(&w, 190000);
	ck_assert_uint_eq(node_children(I), (unsigned)_i);
	ck_assert_uint_eq(node_children(R), (unsigned)_i);
}
END_TEST

/* ---- restarts -------------------------------------------------------------------------------- */

START_TEST(initial_contact_deletes_what_was_before)
{
	pass_all();
	node_die(I);
	lose_store(I);
	w.now_ms += 1000;
	node_start(I, &c[0].conf);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false); /* SK{IDi N(INITIAL_CONTACT) ...} ---> */
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_uint_eq(R->ike->stats.initial_contact, 1);
}
END_TEST

/* Both say INITIAL_CONTACT, as neither knew of the other's SA; none may throw one away for it. */
START_TEST(initial_contact_of_two_that_initiate_at_once)
{
	c[1].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
	start();
	for (int i = 0; i < 4; i++)
		world_deliver(&w, 0); /* both IKE_SA_INIT requests, both answers */
	ck_assert_uint_eq(w.packets, 2);
	size_t from_r = addr_equal(&w.packet[0].from.addr, &R->addr) ? 0 : 1;
	world_deliver(&w, from_r); /* <--- node 1's IKE_AUTH; node 0's is late */
	world_deliver(&w, 1);      /* ---> its answer: node 1's SA is up */
	world_deliver(&w, 0);      /* ---> node 0's IKE_AUTH with INITIAL_CONTACT */
	world_deliver(&w, 0);
	ck_assert_uint_eq(I->ike->stats.initial_contact + R->ike->stats.initial_contact, 0);
	ck_assert_uint_eq(node_children(I), 2);
	w.manual = false;
	world_run(&w, 60000);
	tunnel_is_up();
}
END_TEST

START_TEST(a_restart_after_each_message)
{
	static const uint8_t exchanges[] = { EX_IKE_SA_INIT, EX_IKE_SA_INIT, EX_IKE_AUTH,
		                             EX_IKE_AUTH };
	struct node *n = &w.node[_i % 2];

	start();
	for (int i = 0; i < _i / 2; i++)
		pass(exchanges[i], i % 2);
	node_die(n);
	node_start(n, &c[n->id].conf);
	w.manual = false;
	world_run(&w, 200000);
	tunnel_is_up();
}
END_TEST

START_TEST(a_record_under_another_key_or_of_another_sa_is_refused)
{
	pass_all();
	node_die(I);
	I->wrap_key[0] ^= 1;
	struct effects fx = { 0 };
	struct ike *ike = ike_new(&I->env, I->wrap_key);
	ck_assert_int_eq(ike_configure(ike, &c[0].conf, &fx, NULL), ERR_OK);
	for (size_t i = 0; i < I->stored; i++) {
		struct record r = { .key = I->store[i].key,
			            .body = { I->store[i].body, I->store[i].len } };
		enum err e = ike_restore(ike, &r);

		ck_assert_int_eq(e, r.key.kind == REC_IKE_SA ? ERR_AUTH : ERR_NOT_FOUND);
		r.body.len /= 2;
		ck_assert_int_ne(ike_restore(ike, &r), ERR_OK);
	}
	ck_assert(list_empty(&ike->sas));
	effects_done(&fx);
	ike_free(ike);
}
END_TEST

/* A full store: no message leaves that depends on a record that is not there; when there is room
 * again, all of it comes to be. */
START_TEST(a_store_that_is_full_for_a_while)
{
	struct node *n = &w.node[_i], *other = &w.node[1 - _i];

	start();
	pass_init();
	n->full = true;
	for (int i = 0; i < 5; i++) {
		world_run(&w, 900);
		while (w.packets)
			world_deliver(&w, 0);
	}
	ck_assert_uint_eq(node_children(n), 0);
	n->full = false;
	w.manual = false;
	world_run(&w, 40000);
	tunnel_is_up();

	struct effects fx = { 0 };
	n->full = true; /* and a deletion that is refused is done later */
	ck_assert_int_eq(ike_clear_ike(other->ike, only(other)->index, &fx), 0);
	node_run(other, &fx);
	world_run(&w, 3000);
	ck_assert_uint_ge(node_children(n), 1);
	n->full = false;
	world_run(&w, 120000);
	tunnel_is_up();
	ck_assert_uint_eq(node_ike_sas(n), 1);
}
END_TEST

/* ---- configuration --------------------------------------------------------------------------- */

START_TEST(a_new_configuration_touches_only_what_changed)
{
	struct effects fx = { 0 };
	struct why why = { 0 };

	pass_all();
	ck_assert_int_eq(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	node_run(I, &fx);
	ck_assert_uint_eq(w.packets, 0); /* the same: undisturbed */
	tunnel_is_up();
	c[0].gateway.proposals = 0;
	ck_assert_int_ne(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	ck_assert_uint_ne(strlen(why.text), 0);
	c[0].gateway.proposals = 1;
	c[0].gateway.psk = (struct view){ (const uint8_t *)"another secret!", 15 };
	ck_assert_int_eq(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	node_run(I, &fx);
	pass(EX_INFORMATIONAL, false); /* SK{D} ---> */
	nothing_is_left(R);
	pass(EX_INFORMATIONAL, true);
	nothing_is_left(I);
	c[0].conf.tunnels = 0;
	ck_assert_int_eq(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	node_run(I, &fx);
	ck_assert(list_empty(&I->ike->sas));
}
END_TEST

START_TEST(what_show_commands_are_told)
{
	char text[IKE_TS_TEXT_MAX], id[IKE_ID_TEXT_MAX];
	struct ike_ts ts = c[0].tunnel.local[0];
	struct ike_id fqdn = { IKE_ID_FQDN, 3, "a.b" }, key = { IKE_ID_KEY_ID, 2, { 1, 0xfe } };

	ck_assert_str_eq(ike_ts_text(&ts, text), "ipv4_subnet(any:0,[0..7]=192.168.1.0/24)");
	ts.last = ts.first;
	ck_assert_str_eq(ike_ts_text(&ts, text), "ipv4(any:0,[0..3]=192.168.1.0)");
	ts.last = addr_v4(0xc0a80102);
	ck_assert_str_eq(ike_ts_text(&ts, text),
	                 "ipv4_range(any:0,[0..7]=192.168.1.0-192.168.1.2)");
	ck_assert_str_eq(ike_id_text(&fqdn, id), "a.b");
	ck_assert_str_eq(ike_id_text(&key, id), "01fe");
}
END_TEST

TESTS_OF(life)
{
	TCase *tc = tcase_create("life");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_loop_test(tc, either_end_deletes_the_ike_sa, 0, 2);
	tcase_add_test(tc, both_ends_delete_at_once);
	tcase_add_test(tc, one_that_is_over_makes_way_for_its_successor);
	tcase_add_test(tc, a_child_is_deleted_and_made_anew);
	tcase_add_test(tc, shutdown_says_goodbye);
	tcase_add_test(tc, a_dead_peer_is_found_and_the_tunnel_comes_back);
	tcase_add_test(tc, traffic_from_the_peer_is_life);
	tcase_add_test(tc, scenario_136_a_peer_that_is_unplugged);
	tcase_add_loop_test(tc, scenario_137_probes_beside_traffic, 0, 2);
	tcase_add_loop_test(tc, scenario_138_probes_of_an_idle_tunnel, 0, 2);
	tcase_add_test(tc, a_replayed_message_is_no_sign_of_life);
	tcase_add_test(tc, renewal_leaves_no_moment_without_a_child);
	tcase_add_loop_test(tc, an_idle_tunnel_on_traffic_lapses_and_a_used_one_is_renewed, 0, 2);
	tcase_add_test(tc, initial_contact_deletes_what_was_before);
	tcase_add_test(tc, initial_contact_of_two_that_initiate_at_once);
	tcase_add_loop_test(tc, a_restart_after_each_message, 0, 8);
	tcase_add_loop_test(tc, a_store_that_is_full_for_a_while, 0, 2);
	tcase_add_test(tc, a_record_under_another_key_or_of_another_sa_is_refused);
	tcase_add_test(tc, a_new_configuration_touches_only_what_changed);
	tcase_add_test(tc, what_show_commands_are_told);
	return tc;
}
