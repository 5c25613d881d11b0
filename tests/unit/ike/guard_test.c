// SPDX-License-Identifier: BSD-2-Clause
/* Floods, cookies, half-open limits (acceptance scenarios, section 7). */
#include "knock.h"
#include "runner.h"

/* ---- half-open SAs --------------------------------------------------------------------------- */

START_TEST(scenario_063_at_max_count_new_ones_are_refused)
{
	anybody();
	c[1].conf.session.half_open_max = 300;
	take_first();
	knock_times(300);
	ck_assert_uint_eq(stats()->half_open, 300);
	ck_assert_uint_eq(stats()->cookies_demanded, 0);
	knock();
	ck_assert_uint_eq(stats()->half_open, 300);
	ck_assert_uint_eq(stats()->half_open_refused, 1);
	ck_assert_uint_eq(R->events[EVENT_IKE_HALF_OPEN_LIMIT], 1);
	ck_assert_uint_eq(w.packets, 0); /* silently */
}
END_TEST

/* The same ceiling where nothing is configured; from half of it on cookies are asked for. */
START_TEST(scenario_204_built_in_limits)
{
	anybody();
	take_first();
	knock_times(150);
	ck_assert_uint_eq(stats()->half_open, 150);
	ck_assert_uint_eq(stats()->cookies_demanded, 0);
	for (int i = 0; i < 150; i++) {
		knock();
		ck_assert_uint_eq(stats()->half_open, 150u + (unsigned)i);
		knock_with_cookie(0);
		ck_assert_uint_eq(stats()->half_open, 151u + (unsigned)i);
	}
	knock();
	knock_with_cookie(0);
	ck_assert_uint_eq(stats()->half_open, 300);
	ck_assert_uint_eq(stats()->half_open_refused, 1);
	world_run(&w, 31000); /* the last 75 were given half a minute */
	ck_assert_uint_eq(stats()->half_open, 225);
}
END_TEST

START_TEST(scenario_064_max_count_alone_switches_the_thresholds_off)
{
	anybody();
	c[1].conf.session.half_open_max = 1000;
	take_first();
	knock_times(900);
	ck_assert_uint_eq(stats()->half_open, 900);
	ck_assert_uint_eq(stats()->cookies_demanded, 0);
	world_run(&w, 59000);
	ck_assert_uint_eq(stats()->half_open, 900); /* nor is their time shorter */
	world_run(&w, 2000);
	ck_assert_uint_eq(stats()->half_open, 0);
	ck_assert_uint_eq(stats()->expired, 900);
}
END_TEST

static void cookies_from(uint32_t n)
{
	anybody();
	c[1].conf.session.half_open_max = 10 * n;
	c[1].conf.session.cookie_at = n;
	take_first();
	knock_times((int)n);
	ck_assert_uint_eq(stats()->half_open, n);
}

START_TEST(scenario_065_a_cookie_is_demanded_and_nothing_kept)
{
	cookies_from(500);
	size_t sas = stats()->sas, puts = R->puts;
	knock();
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_COOKIE);
	ck_assert_uint_le(w.packet[0].bytes[31], 8 + 64); /* RFC 7296 2.6 */
	ck_assert_uint_eq(stats()->sas, sas);
	ck_assert_uint_eq(R->puts, puts);
	ck_assert_uint_eq(R->jobs, 0);

	knock_with_cookie(1); /* wrong: as if there were none */
	ck_assert_uint_eq(notify_of(&w.packet[0]), N_COOKIE);
	ck_assert_uint_eq(stats()->sas, sas);
	ck_assert_uint_eq(stats()->cookies_wrong, 1);

	knock_with_cookie(0);
	ck_assert_uint_eq(stats()->half_open, 501);
	ck_assert_uint_eq(stats()->cookies_returned, 1);
	ck_assert_uint_eq(notify_of(&w.packet[0]), 0); /* SA, KE, Ni */
}
END_TEST

/* Two secrets are good at a time. */
START_TEST(scenario_065_a_stale_cookie_is_dropped)
{
	static const uint64_t after_ms[] = { 0, 29000, 31000, 61000, 95000 };
	static const bool holds[] = { true, true, true, false, false };

	cookies_from(3);
	knock();
	world_run(&w, after_ms[_i]);
	R->ike->stats.half_open = 3; /* the others have gone meanwhile */
	knock_with_cookie(0);
	ck_assert_uint_eq(stats()->cookies_returned, holds[_i]);
	ck_assert_uint_eq(notify_of(&w.packet[0]) == N_COOKIE, !holds[_i]);
	R->ike->stats.half_open -= 3;
}
END_TEST

START_TEST(a_cookie_is_good_for_one_peer_and_one_message)
{
	cookies_from(3);
	knock();
	if (_i == 0)
		way.from.addr.b[3] ^= 1; /* from another address */
	else if (_i == 1)
		first[3] ^= 1; /* with another SPI */
	else
		first[first_len - 60] ^= 1, first[first_len - 80] ^= 1;
	if (_i == 2) { /* with another nonce */
		struct reader r = rd_of(first + 28, first_len - 28);
		struct ike_payloads p;

		ck_assert_int_eq(ike_payloads_read(r, first[16], &p), ERR_OK);
		for (size_t i = 0; i < p.n; i++)
			if (p.at[i].type == PL_NONCE)
				((uint8_t *)(uintptr_t)p.at[i].body.p)[0] ^= 1;
	}
	knock_with_cookie(0);
	ck_assert_uint_eq(stats()->cookies_wrong, 1);
	ck_assert_uint_eq(stats()->half_open, 3);
}
END_TEST

START_TEST(scenario_067_from_reduce_timeout_on_new_ones_live_shorter)
{
	anybody();
	c[1].conf.session.half_open_max = 100;
	c[1].conf.session.reduce_at = 6;
	c[1].conf.session.reduced_timeout_s = 10;
	c[1].conf.session.half_open_timeout_s = 60;
	take_first();
	knock_times(8); /* two of them while there were six */
	world_run(&w, 10500);
	ck_assert_uint_eq(stats()->half_open, 6);
	world_run(&w, 40000);
	ck_assert_uint_eq(stats()->half_open, 6);
	R->ike->guard.conf.reduce_at = 7;
	knock(); /* below the count: a minute again */
	world_run(&w, 10500);
	ck_assert_uint_eq(stats()->half_open, 1);
	world_run(&w, 48000);
	ck_assert_uint_eq(stats()->half_open, 1);
	world_run(&w, 2000);
	ck_assert_uint_eq(stats()->half_open, 0);
}
END_TEST

/* The responder forgets after its own time; the initiator gives up after a minute. */
START_TEST(scenario_068_each_side_has_its_own_time)
{
	c[1].conf.session.half_open_timeout_s = 20;
	start();
	pass(EX_IKE_SA_INIT, false); /* ---> */
	world_lose(&w, 0);           /*    x-- */
	world_run(&w, 19000);
	ck_assert_uint_eq(stats()->half_open, 1);
	world_run(&w, 1500);
	ck_assert_uint_eq(stats()->half_open, 0);
	ck_assert_int_eq(only(I)->state, IKE_INIT_SENT);
	world_run(&w, 38500);
	ck_assert_int_eq(only(I)->state, IKE_INIT_SENT);
	world_run(&w, 1500);
	ck_assert(list_empty(&I->ike->sas));
	ck_assert_uint_eq(I->events[EVENT_IKE_GATEWAY_PEER_FAILED], 1);
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_GATEWAY_PEER_FAILED],
	                             "role responder, phase init, reason timeout"));
}
END_TEST

START_TEST(scenario_069_a_second_initiation_is_dropped)
{
	c[1].conf.session.discard_duplicate = _i;
	take_first();
	knock_with(first, first_len);
	ck_assert_uint_eq(stats()->half_open, 1);
	first[0] ^= 1; /* another SPI */
	lose_all();
	knock_with(first, first_len);
	ck_assert_uint_eq(stats()->half_open, _i ? 1 : 2);
	ck_assert_uint_eq(stats()->duplicate_initiations, _i ? 1 : 0);
	ck_assert_uint_eq(w.packets, _i ? 0 : 1);
	way.from.port++; /* somebody else behind the same address */
	first[0] ^= 2;
	knock_with(first, first_len);
	ck_assert_uint_eq(stats()->half_open, _i ? 2 : 3);
	world_run(&w, 61000); /* the first has come to nothing */
	lose_all();
	way.from.port--;
	first[0] ^= 4;
	knock_with(first, first_len);
	ck_assert_uint_eq(stats()->half_open, 1);
}
END_TEST

/* It is about peers without an SA: one that has one may well begin another. */
START_TEST(a_peer_that_is_up_may_initiate_twice)
{
	c[1].conf.session.discard_duplicate = true;
	pass_all();
	take_another();
	knock_with(first, first_len);
	first[0] ^= 1;
	knock_with(first, first_len);
	ck_assert_uint_eq(stats()->half_open, 2);
	ck_assert_uint_eq(stats()->duplicate_initiations, 0);
}
END_TEST

START_TEST(scenario_073_a_new_timeout_is_for_new_ones)
{
	struct effects fx = { 0 };
	struct why why;

	anybody();
	c[1].conf.session.half_open_timeout_s = 60;
	take_first();
	knock();
	c[1].conf.session.half_open_timeout_s = 10;
	ck_assert_int_eq(ike_configure(R->ike, &c[1].conf, &fx, &why), ERR_OK);
	node_run(R, &fx);
	knock();
	ck_assert_uint_eq(stats()->half_open, 2);
	world_run(&w, 11000);
	ck_assert_uint_eq(stats()->half_open, 1);
	world_run(&w, 48000);
	ck_assert_uint_eq(stats()->half_open, 1);
	world_run(&w, 2000);
	ck_assert_uint_eq(stats()->half_open, 0);
}
END_TEST

/* A flood leaves the pool free for those that are up. */
START_TEST(key_pairs_that_wait_are_bounded)
{
	anybody();
	c[1].conf.session.half_open_max = 100000;
	take_first();
	R->ike->guard.answering = 511;
	knock();
	ck_assert_uint_eq(stats()->half_open, 1);
	R->ike->guard.answering = 512;
	knock();
	ck_assert_uint_eq(stats()->half_open, 1);
	ck_assert_uint_eq(stats()->half_open_refused, 1);
	R->ike->guard.answering = 0;
}
END_TEST

/* [ike 12.1] What is kept for a peer that has not proved anything. */
START_TEST(a_half_open_sa_is_small)
{
	anybody();
	take_first();
	knock();
	const struct ike_sa *sa = only(R);
	size_t bytes = sizeof(*sa) + sa->nonce_i.len + sa->nonce_r.len + sa->init_request.len +
	               sa->init_response.len;

	ck_assert_msg(bytes <= 2048, "%zu bytes, the struct %zu", bytes, sizeof(*sa));
}
END_TEST

TESTS_OF(guard)
{
	TCase *tc = tcase_create("guard");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, scenario_063_at_max_count_new_ones_are_refused);
	tcase_add_test(tc, scenario_204_built_in_limits);
	tcase_add_test(tc, scenario_064_max_count_alone_switches_the_thresholds_off);
	tcase_add_test(tc, scenario_065_a_cookie_is_demanded_and_nothing_kept);
	tcase_add_loop_test(tc, scenario_065_a_stale_cookie_is_dropped, 0, 5);
	tcase_add_loop_test(tc, a_cookie_is_good_for_one_peer_and_one_message, 0, 3);
	tcase_add_test(tc, scenario_067_from_reduce_timeout_on_new_ones_live_shorter);
	tcase_add_test(tc, scenario_068_each_side_has_its_own_time);
	tcase_add_loop_test(tc, scenario_069_a_second_initiation_is_dropped, 0, 2);
	tcase_add_test(tc, a_peer_that_is_up_may_initiate_twice);
	tcase_add_test(tc, scenario_073_a_new_timeout_is_for_new_ones);
	tcase_add_test(tc, key_pairs_that_wait_are_bounded);
	tcase_add_test(tc, a_half_open_sa_is_small);
	return tc;
}
