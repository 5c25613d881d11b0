// SPDX-License-Identifier: BSD-2-Clause
/* Backoff, rates, limits of a gateway, cookies of others (acceptance scenarios, section 7). */
#include "knock.h"
#include "runner.h"

/* ---- backoff --------------------------------------------------------------------------------- */

static bool find_peer(void *ctx, const struct ike_peer_info *p)
{
	*(struct ike_peer_info *)ctx = *p;
	return true;
}

static struct ike_peer_info last_peer(enum ike_peers which)
{
	struct ike_peer_info p = { 0 };

	ike_each_peer(R->ike, which, find_peer, &p);
	return p;
}

START_TEST(scenario_070_after_a_failure_of_init_a_peer_waits)
{
	c[1].conf.session.backoff_init_s = 160;
	c[1].gateway.proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 128);
	take_first();
	knock_with(first, first_len);
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_NO_PROPOSAL_CHOSEN);
	ck_assert_uint_eq(R->events[EVENT_IKE_GATEWAY_PEER_FAILED], 1);
	ck_assert_uint_eq(R->events[EVENT_IKE_GATEWAY_PEER_BACKOFF], 1);
	ck_assert_ptr_nonnull(strstr(R->last_text[EVENT_IKE_GATEWAY_PEER_BACKOFF],
	                             "reason init-phase-failure, 160 seconds"));
	ck_assert_int_eq(last_peer(IKE_PEERS_BACKOFF).reason, IKE_FAILED_INIT);
	lose_all();
	world_run(&w, 159000);
	lose_all(); /* the initiator's own attempts */
	uint64_t refused = stats()->backoff_refused;
	first[0]++;
	knock_with(first, first_len);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(stats()->backoff_refused, refused + 1);
	ck_assert_uint_ge(R->events[EVENT_IKE_GATEWAY_PEER_BACKOFF], 2);
	world_run(&w, 1000);
	lose_all();
	knock_with(first, first_len);
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_NO_PROPOSAL_CHOSEN);
}
END_TEST

/* From SA_INIT to the refusal, with a wrong key. */
static void fail_auth(void)
{
	start();
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true); /* <--- SK{N(AUTHENTICATION_FAILED)} */
}

START_TEST(scenario_071_after_a_wrong_key_a_peer_waits_until_cleared)
{
	struct effects fx = { 0 };

	c[1].conf.session.backoff_auth_s = 150;
	c[1].gateway.psk = (struct view){ (const uint8_t *)"another secret!", 15 };
	fail_auth();
	ck_assert_str_eq(
	        R->last_text[EVENT_IKE_GATEWAY_PEER_FAILED],
	        "gateway to-node-0 local 10.0.0.2:500 remote 10.0.0.1:500 id 10.0.0.1 type "
	        "inet role initiator, phase auth, reason AUTHENTICATION_FAILED");
	struct ike_peer_info p = last_peer(IKE_PEERS_BACKOFF);
	ck_assert_int_eq(p.reason, IKE_FAILED_AUTH);
	ck_assert_str_eq(p.id, "10.0.0.1");
	world_run(&w, 100000);
	lose_all();
	take_another();
	knock_with(first, first_len);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(ike_clear_peers(R->ike, _i ? IKE_PEERS_ALL : IKE_PEERS_BACKOFF, &fx), 1);
	node_run(R, &fx);
	knock_with(first, first_len); /* at once */
	ck_assert_uint_eq(w.packets, 1);
}
END_TEST

START_TEST(backoff_ends_by_itself)
{
	c[1].conf.session.backoff_auth_s = 150;
	c[1].gateway.psk = (struct view){ (const uint8_t *)"another secret!", 15 };
	fail_auth();
	world_run(&w, 150500);
	lose_all();
	ck_assert_uint_eq(last_peer(IKE_PEERS_BACKOFF).times, 0);
	ck_assert_uint_eq(last_peer(IKE_PEERS_FAILED).times, 1);
	take_another();
	knock_with(first, first_len);
	ck_assert_uint_eq(w.packets, 1);
}
END_TEST

/* Behind one address there may be many: only the port that failed waits. */
START_TEST(behind_a_nat_the_port_is_part_of_the_peer)
{
	world_nat(&w, 0, 10000);
	c[1].gateway.peers = 0;
	c[1].gateway.remote_id = (struct ike_id){ IKE_ID_IPV4, 4, { 10, 0, 0, 1 } };
	c[1].conf.session.backoff_auth_s = 150;
	c[1].gateway.psk = (struct view){ (const uint8_t *)"another secret!", 15 };
	fail_auth();
	lose_all();
	take_another();
	uint64_t sends = R->sends;
	knock_with(first, first_len);
	ck_assert_uint_eq(R->sends, sends);
	way.from.port++;
	knock_with(first, first_len);
	ck_assert_uint_eq(R->sends, sends + 1);
}
END_TEST

START_TEST(the_table_of_peers_is_bounded)
{
	struct ike_backoff b;
	struct ike_peer_info p = { .times = 7 };
	static const uint8_t key[16];

	ck_assert_int_eq(ike_backoff_init(&b, key), ERR_OK);
	for (uint32_t i = 0; i < IKE_BACKOFF_MAX + 5; i++) {
		p.remote = (struct endpoint){ addr_v4(i), 500 };
		ike_backoff_note(&b, &p, false);
	}
	ck_assert_uint_eq(b.by_key.n, IKE_BACKOFF_MAX);
	p.remote.addr = addr_v4(4);
	ck_assert_ptr_null(ike_backoff_find(&b, &p.local, &p.remote));
	p.remote.addr = addr_v4(5);
	ck_assert_ptr_nonnull(ike_backoff_find(&b, &p.local, &p.remote));
	ike_backoff_note(&b, &p, false); /* again: it is the newest now */
	ck_assert_uint_eq(ike_backoff_find(&b, &p.local, &p.remote)->times, 2);
	ck_assert_ptr_eq(&CONTAINER_OF(b.all.prev, struct backoff_entry, in_all)->info,
	                 ike_backoff_find(&b, &p.local, &p.remote));
	ck_assert_uint_eq(ike_backoff_clear(&b, IKE_PEERS_BLOCKED, 0), 0);
	ck_assert_uint_eq(ike_backoff_clear(&b, IKE_PEERS_FAILED, 0), IKE_BACKOFF_MAX);
	ike_backoff_done(&b);
}
END_TEST

/* ---- peers that are up ----------------------------------------------------------------------- */

START_TEST(scenario_074_rekeys_of_a_peer_are_counted)
{
	struct ike_rates r;
	struct ike_conf_session s = { .rate[IKE_RATE_IKE_REKEY] = { 2, 60 } };
	static const uint8_t key[16];

	ck_assert_int_eq(ike_rates_init(&r, key), ERR_OK);
	ck_assert(ike_rates_admit(&r, &s, IKE_RATE_IKE_REKEY, 1, 1000));
	ck_assert(ike_rates_admit(&r, &s, IKE_RATE_IKE_REKEY, 1, 20000));
	ck_assert(!ike_rates_admit(&r, &s, IKE_RATE_IKE_REKEY, 1, 60999));
	ck_assert(ike_rates_admit(&r, &s, IKE_RATE_IKE_REKEY, 2, 60999)); /* another peer */
	ck_assert(ike_rates_admit(&r, &s, IKE_RATE_IKE_REKEY, 1, 61000));
	for (int i = 0; i < 100; i++) /* no limit, nothing kept */
		ck_assert(ike_rates_admit(&r, &s, IKE_RATE_KEEPALIVE, 1, 61000));
	ck_assert_uint_eq(r.by_key.n, 2);
	ike_rates_done(&r);
}
END_TEST

/* [DEC-20] */
START_TEST(scenario_076_probes_beyond_the_rate_are_dropped)
{
	c[1].conf.session.rate[IKE_RATE_KEEPALIVE].count = 1;
	c[1].conf.session.rate[IKE_RATE_KEEPALIVE].seconds = 10;
	c[0].gateway.dpd = true;
	c[0].gateway.dpd_mode = IKE_DPD_ALWAYS;
	c[0].gateway.dpd_interval_s = 1;
	pass_all();
	tunnel_is_up();
	w.manual = false;
	world_run(&w, 60000);
	ck_assert_uint_ge(stats()->rate_refused[IKE_RATE_KEEPALIVE], 3);
	ck_assert_uint_ge(R->events[EVENT_IKE_EXCHANGE_RATE], 3);
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_077_junk_does_no_harm_to_a_half_open_sa)
{
	uint8_t junk[2048];

	start();
	pass_init();
	struct packet p = w.packet[0]; /* SK{IDi AUTH ...}, on its way */
	memcpy(junk, p.bytes, p.len);
	for (uint32_t i = 0; i < 1000; i++) {
		junk[p.len - 1] = (uint8_t)(p.bytes[p.len - 1] ^ (1 + i % 255));
		hand_over(R, &p, junk, p.len);
	}
	ck_assert_uint_eq(stats()->bad_icv, 1000);
	ck_assert_uint_le(R->events[EVENT_IKE_MESSAGE_BAD_ICV], SAID_PER_SECOND);
	ck_assert_uint_eq(stats()->half_open, 1);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

/* Another peer: a new process of the same node, with another identity. */
static void come_as(const char *name)
{
	node_die(I);
	lose_store(I);
	memset(&c[0].gateway.local_id, 0, sizeof(c[0].gateway.local_id));
	c[0].gateway.local_id.type = IKE_ID_FQDN;
	c[0].gateway.local_id.len = (uint16_t)strlen(name);
	memcpy(c[0].gateway.local_id.b, name, strlen(name));
	lose_all();
	node_start(I, &c[0].conf);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
}

START_TEST(scenario_081_a_gateway_has_so_many_peers)
{
	anybody();
	c[1].gateway.connections_max = 2;
	node_start(R, &c[1].conf);
	node_start(I, &c[0].conf);
	come_as("one.example");
	come_as("two.example");
	ck_assert_uint_eq(stats()->up, 2);
	come_as("three.example");
	ck_assert_uint_eq(stats()->up, 2);
	ck_assert_uint_eq(stats()->connections_refused, 1);
	ck_assert_uint_eq(R->events[EVENT_IKE_CONNECTIONS_LIMIT], 1);
	ck_assert_str_eq(strrchr(I->last_text[EVENT_IKE_PEER_REFUSED], ':'),
	                 ": AUTHENTICATION_FAILED");
	come_as("two.example"); /* a peer that is there may make a new SA */
	ck_assert_uint_eq(stats()->up, 3);
	come_as("ONE.example");
	ck_assert_uint_eq(stats()->up, 4);
	come_as("three.example");
	ck_assert_uint_eq(stats()->connections_refused, 2);
}
END_TEST

/* ---- the initiator --------------------------------------------------------------------------- */

START_TEST(scenario_220_a_cookie_goes_first_and_all_else_stays)
{
	uint8_t was[2048];

	c[0].gateway.force_udp_encap = _i; /* a forged source in NAT detection */
	c[1].conf.session.cookie_at = 1;
	take_first();
	memcpy(was, first, first_len);
	R->ike->stats.half_open = 1;
	knock_with(first, first_len);
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_COOKIE);
	pass(EX_IKE_SA_INIT, true); /* <--- N(COOKIE) */
	ck_assert_uint_eq(w.packets, 1);
	const struct packet *p = &w.packet[0];
	size_t len = 8 + COOKIE_LEN;
	ck_assert_uint_eq(p->len, first_len + len);
	ck_assert_uint_eq(notify_of(p), N_COOKIE); /* first */
	ck_assert_mem_eq(p->bytes, was, 16);
	ck_assert_uint_eq(p->bytes[28], was[16]);
	ck_assert_mem_eq(p->bytes + 28 + len, was + 28, first_len - 28);
	pass(EX_IKE_SA_INIT, false); /* N(COOKIE) SA KE Ni ---> */
	R->ike->stats.half_open--;
	pass(EX_IKE_SA_INIT, true);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

/* RFC 7296 2.6.1: a cookie and another group, one after the other; the cookie is sent with the new
 * group too, and spares a round trip. */
START_TEST(a_cookie_and_another_group)
{
	c[0].gateway.proposal[0].ke[0] = alg_ke_by_id(KE_ECP_256);
	c[0].gateway.proposal[0].ke[1] = alg_ke_by_id(KE_CURVE25519);
	c[0].gateway.proposal[0].kes = 2;
	c[1].conf.session.cookie_at = 1;
	start();
	R->ike->stats.half_open = 1;
	pass(EX_IKE_SA_INIT, false); /* KE of group 19 ---> */
	pass(EX_IKE_SA_INIT, true);  /* <--- N(COOKIE) */
	pass(EX_IKE_SA_INIT, false); /* N(COOKIE) KE of group 19 ---> */
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_INVALID_KE_PAYLOAD);
	pass(EX_IKE_SA_INIT, true);
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_COOKIE);
	pass(EX_IKE_SA_INIT, false); /* N(COOKIE) KE of group 31 ---> */
	R->ike->stats.half_open--;
	pass(EX_IKE_SA_INIT, true);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

/* ---- what commands show ---------------------------------------------------------------------- */

START_TEST(scenario_080_counters_tell_what_happened)
{
	struct effects fx = { 0 };

	anybody();
	take_first();
	knock_times(5);
	ck_assert_uint_eq(stats()->half_open, 5);
	ck_assert_uint_eq(ike_clear_peers(R->ike, IKE_PEERS_IN_PROGRESS, &fx), 5);
	node_run(R, &fx);
	ck_assert_uint_eq(stats()->half_open, 0);
	knock_times(2);
	world_run(&w, 61000);
	ck_assert_uint_eq(stats()->expired, 2);
	ck_assert_uint_eq(stats()->answered, 7);
	ike_clear_stats(R->ike);
	ck_assert_uint_eq(stats()->expired + stats()->answered, 0);
}
END_TEST

TESTS_OF(guard_peers)
{
	TCase *tc = tcase_create("guard_peers");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, scenario_070_after_a_failure_of_init_a_peer_waits);
	tcase_add_loop_test(tc, scenario_071_after_a_wrong_key_a_peer_waits_until_cleared, 0, 2);
	tcase_add_test(tc, backoff_ends_by_itself);
	tcase_add_test(tc, behind_a_nat_the_port_is_part_of_the_peer);
	tcase_add_test(tc, the_table_of_peers_is_bounded);
	tcase_add_test(tc, scenario_074_rekeys_of_a_peer_are_counted);
	tcase_add_test(tc, scenario_076_probes_beyond_the_rate_are_dropped);
	tcase_add_test(tc, scenario_077_junk_does_no_harm_to_a_half_open_sa);
	tcase_add_test(tc, scenario_081_a_gateway_has_so_many_peers);
	tcase_add_loop_test(tc, scenario_220_a_cookie_goes_first_and_all_else_stays, 0, 2);
	tcase_add_test(tc, a_cookie_and_another_group);
	tcase_add_test(tc, scenario_080_counters_tell_what_happened);
	return tc;
}
