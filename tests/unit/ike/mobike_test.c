// SPDX-License-Identifier: BSD-2-Clause
/* MOBIKE (RFC 4555): node 0 (I) is a peer that moves, by messages made here; R answers. */
#include "ike_mobike.h"
#include "ladder.h"
#include "records.pb-c.h"
#include "runner.h"

#include <string.h>

static const struct view nothing = { NULL, 0 };
static const uint32_t home = 0x0a000001, away = 0xc6336409;

static struct endpoint from;
static struct view no_nats, cookie;
static bool with_natd;

static void up(void)
{
	c[1].gateway.peers = 0;
	c[1].gateway.peer[0] = (struct addr){ 0 };
	c[1].gateway.remote_id = (struct ike_id){ IKE_ID_IPV4, 4, { 10, 0, 0, 1 } };
	pass_all();
	only(R)->mobike = true;
	from = (struct endpoint){ addr_v4(away), 500 };
	no_nats = cookie = nothing;
	with_natd = false;
}

/* An INFORMATIONAL of I's, seen by R as from `from`. */
static void ask(bool update)
{
	struct ike_sa *sa = only(I);
	struct ike_header h = ike_sa_header(sa, EX_INFORMATIONAL, false);
	struct effects fx = { 0 };
	struct ike_out o;

	ike_sa_out(sa, &o, EX_INFORMATIONAL, false);
	if (update)
		ike_out_notify(&o, N_UPDATE_SA_ADDRESSES, nothing);
	if (no_nats.len)
		ike_out_notify(&o, N_NO_NATS_ALLOWED, no_nats);
	if (cookie.len)
		ike_out_notify(&o, N_COOKIE2, cookie);
	if (with_natd)
		ck_assert_int_eq(ike_natd_put(I->ike->crypto, &h, &from, &sa->remote, &o), ERR_OK);
	ck_assert_int_eq(ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &retry_normal, &fx), ERR_OK);
	node_run(I, &fx);
	w.packet[w.packets - 1].from = from;
	pass(EX_INFORMATIONAL, false);
}

/* R's next message finds I, wherever that is. */
static void to_i(bool response)
{
	w.packet[0].to = only(I)->local;
	pass(EX_INFORMATIONAL, response);
}

static void goes_to(uint32_t addr, uint16_t port)
{
	struct Hawser__ChildSaRecord *m = node_child(R, 0);
	struct addr to = addr_v4(addr);

	ck_assert_uint_eq(only(R)->remote.port, port);
	ck_assert(addr_equal(&only(R)->remote.addr, &to));
	ck_assert_mem_eq(m->remote.data, to.b, 4);
	ck_assert_uint_eq(m->remote_port, port);
	record_child_sa_free(m);
}

START_TEST(the_peer_moves_and_shows_that_it_is_there)
{
	up();
	uint8_t anchor = only(R)->anchor;
	only(I)->mobike = true; /* so that it gives cookies back */
	ask(true);
	goes_to(away, 500);
	ck_assert_uint_eq(only(R)->anchor, anchor);
	ck_assert_uint_eq(R->events[EVENT_IKE_SA_MOVED], 1);
	to_i(true);
	to_i(false); /* COOKIE2 */
	ck_assert(only(R)->challenged);
	pass(EX_INFORMATIONAL, true);
	ck_assert(!only(R)->challenged);
	ck_assert_uint_eq(R->events[EVENT_IKE_MOVE_UNPROVEN], 0);
	ck_assert_int_eq(only(R)->state, IKE_UP);
}
END_TEST

START_TEST(a_challenge_outlives_a_restart)
{
	up();
	only(I)->mobike = true;
	ask(true);
	to_i(true);
	node_die(R);
	node_start(R, &c[1].conf);
	ck_assert(only(R)->mobike && only(R)->challenged);
	goes_to(away, 500);
	to_i(false);
	pass(EX_INFORMATIONAL, true);
	ck_assert_uint_eq(R->events[EVENT_IKE_MOVE_UNPROVEN], 0);
}
END_TEST

START_TEST(who_does_not_give_the_cookie_back_is_deleted)
{
	up();
	ask(true);
	to_i(true);
	to_i(false); /* I does not know what COOKIE2 is */
	pass(EX_INFORMATIONAL, true);
	ck_assert_uint_eq(R->events[EVENT_IKE_MOVE_UNPROVEN], 1);
	ck_assert_int_eq(only(R)->state, IKE_DELETING);
}
END_TEST

START_TEST(without_the_word_nothing_moves)
{
	up();
	ask(false);
	goes_to(home, 500);
}
END_TEST

START_TEST(without_agreement_nothing_moves)
{
	up();
	only(R)->mobike = false;
	ask(true);
	goes_to(home, 500);
}
END_TEST

START_TEST(a_peer_of_a_fixed_address_does_not_move)
{
	up();
	only(R)->gw->conf.peers = 1;
	only(R)->gw->conf.peer[0] = addr_v4(home);
	ask(true);
	goes_to(home, 500);
	ck_assert_uint_eq(R->events[EVENT_IKE_MOVE_REFUSED], 1);
	to_i(true);
	ck_assert_ptr_nonnull(
	        strstr(I->last_text[EVENT_IKE_PEER_REFUSED], "UNACCEPTABLE_ADDRESSES"));
	ck_assert_int_eq(only(R)->state, IKE_UP);
}
END_TEST

START_TEST(no_nats_allowed_and_there_is_one)
{
	static const uint8_t there[12] = { 198, 51, 100, 9, 10, 0, 0, 2, 1, 244, 1, 244 };
	uint8_t other[12];

	up();
	memcpy(other, there, sizeof(other));
	other[3]++;
	no_nats = (struct view){ other, sizeof(other) };
	ask(true);
	goes_to(home, 500);
	to_i(true);
	ck_assert_ptr_nonnull(
	        strstr(I->last_text[EVENT_IKE_PEER_REFUSED], "UNEXPECTED_NAT_DETECTED"));
	no_nats = (struct view){ there, sizeof(there) };
	ask(true);
	goes_to(away, 500);
}
END_TEST

/* It comes home from behind a NAT, and goes behind one. */
START_TEST(encapsulation_follows_the_nat)
{
	up();
	only(R)->local.port = 4500;
	only(I)->remote.port = 4500;
	from.port = 4500;
	with_natd = true;
	ask(true);
	ck_assert(!only(R)->udp_encap);
	to_i(true);
	while (w.packets)
		world_lose(&w, 0);
	struct endpoint truth = from;
	from.port = 1234; /* the hash says otherwise below */
	struct ike_sa *sa = only(I);
	struct ike_header h = ike_sa_header(sa, EX_INFORMATIONAL, false);
	struct effects fx = { 0 };
	struct ike_out o;
	ike_sa_out(sa, &o, EX_INFORMATIONAL, false);
	ike_out_notify(&o, N_UPDATE_SA_ADDRESSES, nothing);
	ck_assert_int_eq(ike_natd_put(I->ike->crypto, &h, &truth, &sa->remote, &o), ERR_OK);
	ck_assert_int_eq(ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &retry_normal, &fx), ERR_OK);
	node_run(I, &fx);
	w.packet[w.packets - 1].from = from;
	pass(EX_INFORMATIONAL, false);
	ck_assert(only(R)->udp_encap && only(R)->natd.remote);
	goes_to(away, 1234);
}
END_TEST

START_TEST(an_update_that_was_overtaken_changes_nothing)
{
	up();
	only(R)->mobike_id = 9;
	ask(true);
	goes_to(home, 500);
}
END_TEST

TESTS_OF(mobike)
{
	TCase *tc = tcase_create("mobike");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, the_peer_moves_and_shows_that_it_is_there);
	tcase_add_test(tc, a_challenge_outlives_a_restart);
	tcase_add_test(tc, who_does_not_give_the_cookie_back_is_deleted);
	tcase_add_test(tc, without_the_word_nothing_moves);
	tcase_add_test(tc, without_agreement_nothing_moves);
	tcase_add_test(tc, a_peer_of_a_fixed_address_does_not_move);
	tcase_add_test(tc, no_nats_allowed_and_there_is_one);
	tcase_add_test(tc, encapsulation_follows_the_nat);
	tcase_add_test(tc, an_update_that_was_overtaken_changes_nothing);
	return tc;
}
