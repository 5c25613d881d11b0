// SPDX-License-Identifier: BSD-2-Clause
/* Messages in fragments (RFC 7383), between two real cores. */
#include "ike_frag.h"
#include "ladder.h"
#include "runner.h"

#include <stdlib.h>

/* ---- what fits ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	uint16_t size, port, encr, bits, integ;
	bool v6;
	size_t want; /* bytes in one fragment: the table in the documentation */
} capacities[] = {
	{  576,  500, 20, 256,  0, false,  487 },
	{  576, 4500, 20, 256,  0, false,  483 },
	{  576, 4500, 12, 256, 12, false,  463 },
	{  500, 4500, 20, 256,  0, false,  407 },
	{ 1300, 4500, 20, 256,  0, false, 1207 },
	{ 1280,  500, 20, 256,  0, true,  1171 },
};
/* clang-format on */

START_TEST(what_a_fragment_holds)
{
	static struct gateway gw;
	struct ike_sa sa = { .fragmentation = true, .gw = &gw };
	struct ike_suite s = { .cipher = alg_cipher_by_id(capacities[_i].encr, capacities[_i].bits),
		               .integ = alg_integ_by_id(capacities[_i].integ) };

	sa.local.port = capacities[_i].port;
	sa.local.addr.family = capacities[_i].v6 ? ADDR_V6 : ADDR_V4;
	ck_assert_uint_eq(ike_frag_size(&sa), capacities[_i].v6 ? 1280 : 576);
	gw.conf.fragment_size = capacities[_i].size;
	ck_assert_uint_eq(ike_frag_capacity(ike_frag_limit(&sa), &s), capacities[_i].want);
	gw.conf.no_fragmentation = true;
	ck_assert_uint_eq(ike_frag_limit(&sa), SIZE_MAX);
	gw.conf.no_fragmentation = false;
	sa.fragmentation = false;
	ck_assert_uint_eq(ike_frag_limit(&sa), SIZE_MAX);
}
END_TEST

/* ---- helpers --------------------------------------------------------------------------------- */

/* Identities so long that IKE_AUTH is, both ways. */
static void long_identities(void)
{
	for (int i = 0; i < 2; i++) {
		struct ike_id *mine = &c[i].gateway.local_id, *its = &c[1 - i].gateway.remote_id;

		mine->type = IKE_ID_FQDN;
		mine->len = 250;
		memset(mine->b, 'a' + i, mine->len);
		*its = *mine;
	}
}

static size_t ip_len(const struct packet *p)
{
	return p->len + (p->from.addr.family == ADDR_V6 ? 40 : 20) + 8 +
	       (p->from.port == 4500 ? 4 : 0);
}

static bool is_fragment(const struct packet *p)
{
	return p->bytes[16] == PL_SKF;
}

/* Of the packets that wait; each but the last has the size. */
static size_t fragments(size_t size)
{
	for (size_t i = 0; i < w.packets; i++) {
		ck_assert(is_fragment(&w.packet[i]));
		ck_assert_uint_le(ip_len(&w.packet[i]), size);
		ck_assert_uint_eq(w.packet[i].bytes[35], w.packets);
	}
	return w.packets;
}

static void pass_fragments(size_t n)
{
	ck_assert_uint_eq(w.packets, n);
	while (n--)
		world_deliver(&w, 0);
}

/* IKE_AUTH of the initiator again, with so many octets more in front, in a payload that nobody
 * minds. Its message ID is used for another plaintext, as only a test may. */
static bool grow_auth(size_t octets)
{
	struct ike_sa *i = only(I), *r = only(R);
	struct reader whole = rd_of_view(blob_view(&i->win.request));
	struct ike_in in = { 0 };
	static uint8_t plain[IKE_MESSAGE_MAX], filling[16384];
	static struct ike_out o;
	struct view body;

	ck_assert(ike_frag_next(&whole, &in.message) && rd_done(&whole));
	ck_assert_int_eq(ike_header_read(in.message, &in.h), ERR_OK);
	ck_assert_int_eq(ike_sa_outer(&in, &body), ERR_OK);
	ck_assert_int_eq(ike_sa_open(r, &in, body, plain), ERR_OK);
	ike_window_answered(&i->win);
	i->win.next_request--;
	ike_sa_out(i, &o, EX_IKE_AUTH, false);
	ike_out_open(&o, PL_VENDOR);
	wr_bytes(&o.w, filling, octets);
	ike_out_close(&o);
	o.buf[o.next_at] = in.first;
	wr_view(&o.w, in.plain);
	while (w.packets)
		world_lose(&w, 0);

	struct effects fx = { 0 };
	enum err e = ike_sa_ask(i, ike_sa_seal(i, &o, false), &retry_normal, &fx);
	node_run(I, &fx);
	ike_sa_touch(i);
	return e == ERR_OK;
}

/* Both wait for IKE_AUTH, at this size of packets, which says more than it needs to. */
static void auth_of(size_t octets, uint16_t size)
{
	c[0].gateway.fragment_size = size;
	start();
	pass_init();
	ck_assert_uint_eq(w.packets, 1);
	ck_assert(grow_auth(octets));
}

/* ---- the way up ------------------------------------------------------------------------------ */

START_TEST(scenario_053_no_packet_is_larger_than_the_default)
{
	long_identities();
	start();
	ck_assert(!is_fragment(&w.packet[0]));
	pass(EX_IKE_SA_INIT, false);
	ck_assert(!is_fragment(&w.packet[0]));
	pass(EX_IKE_SA_INIT, true);
	size_t there = fragments(576);
	ck_assert_uint_gt(there, 1);
	pass_fragments(there); /* ---> each */
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_uint_eq(R->ike->stats.reassembled, 1);
	ck_assert_uint_eq(I->ike->stats.fragments_out, there);
	ck_assert_uint_eq(only(R)->frag_sets, 0);
	ck_assert_uint_eq(R->ike->frag_bytes, 0);
}
END_TEST

static void over_ipv6(void)
{
	static const uint8_t of[2][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 1 },
		                           { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
	struct addr a[2];

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(addr_from_bytes(of[i], 16, &a[i]), ERR_OK);
		w.node[i].addr = a[i];
	}
	for (int i = 0; i < 2; i++) {
		c[i].gateway.local = a[i];
		c[i].gateway.peer[0] = a[1 - i];
	}
}

START_TEST(scenario_053_no_packet_is_larger_than_the_default_over_ipv6)
{
	over_ipv6();
	start();
	pass_init();
	ck_assert(grow_auth(1400));
	size_t there = fragments(1280);
	ck_assert_uint_eq(there, 2);
	pass_fragments(there);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_054_one_side_that_will_not_is_enough)
{
	long_identities();
	c[_i].gateway.no_fragmentation = true;
	start();
	pass_init();
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_gt(ip_len(&w.packet[0]), 576);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	for (int i = 0; i < 2; i++) {
		ck_assert(!only(&w.node[i])->fragmentation);
		ck_assert_uint_eq(w.node[i].ike->stats.fragments_out, 0);
	}
}
END_TEST

START_TEST(scenario_056_what_fits_into_32_fragments_goes)
{
	auth_of(12000, 500);
	ck_assert_uint_le(fragments(500), 32);
	ck_assert_uint_ge(w.packets, 30);
	pass_fragments(w.packets);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_056_what_does_not_is_refused_and_said)
{
	c[0].gateway.fragment_size = 500;
	start();
	pass_init();
	ck_assert(!grow_auth(13500));
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(I->events[EVENT_IKE_MESSAGE_TOO_LONG], 1);
	ck_assert_uint_eq(I->ike->stats.too_long, 1);
	ck_assert_uint_eq(node_children(R), 0);
}
END_TEST

/* An own message that is too long for the buffer even before it is split. */
START_TEST(too_long_before_it_is_split)
{
	static struct ike_out o;
	static uint8_t filling[8192];

	pass_all();
	ike_sa_out(only(I), &o, EX_INFORMATIONAL, false);
	for (int i = 0; i < 8; i++) {
		ike_out_open(&o, PL_VENDOR);
		wr_bytes(&o.w, filling, sizeof(filling));
		ike_out_close(&o);
	}
	ck_assert_uint_eq(ike_sa_seal(only(I), &o, false).len, 0);
	ck_assert(only(I)->too_long);
}
END_TEST

START_TEST(scenario_057_of_33_fragments_none_is_taken)
{
	auth_of(12000, 500);
	while (w.packets) {
		w.packet[0].bytes[35] = 33; /* total; its check would fail too, later */
		world_deliver(&w, 0);
	}
	ck_assert_uint_ge(R->events[EVENT_IKE_FRAGMENTS_TOO_MANY], 30);
	ck_assert_uint_eq(R->ike->stats.fragments_in, 0);
	ck_assert_uint_eq(R->ike->stats.bad_icv, 0);
	ck_assert_uint_eq(R->ike->frag_bytes, 0);
	ck_assert_uint_eq(node_children(R), 0);
	ck_assert_int_eq(only(R)->state, IKE_INIT_ANSWERED);
}
END_TEST

/* ---- loss, repetition, order ----------------------------------------------------------------- */

START_TEST(scenario_058_a_fragment_is_lost_and_all_are_sent_again)
{
	auth_of(1700, 500);
	ck_assert_uint_eq(fragments(500), 5);
	world_lose(&w, 2);
	pass_fragments(4);
	ck_assert_uint_eq(w.packets, 0);
	world_run(&w, 700);
	ck_assert_uint_eq(fragments(500), 5);
	pass_fragments(5);
	ck_assert_uint_eq(R->ike->stats.reassembled, 1);
	ck_assert_uint_eq(R->ike->stats.fragments_in, 5);
	/* Two before it were there, two after it came too late. */
	ck_assert_uint_eq(R->ike->stats.fragments_repeated, 2);
	ck_assert_uint_eq(w.packets, 1);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

START_TEST(scenario_060_a_fragment_that_fails_its_check_harms_no_other)
{
	auth_of(1700, 500);
	w.packet[2].bytes[100] ^= 1;
	pass_fragments(5);
	ck_assert_uint_eq(R->ike->stats.fragments_bad, 1);
	ck_assert_uint_eq(only(R)->frag_sets, 1);
	world_run(&w, 700);
	pass_fragments(5);
	ck_assert_uint_eq(R->ike->stats.reassembled, 1);
	ck_assert_uint_eq(R->ike->stats.fragments_in, 5);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

/* clang-format off */
static const uint8_t orders[][8] = {
	{ 5, 4, 3, 2, 1 }, { 2, 2, 4, 1, 5, 4, 3 }, { 1, 1, 2, 3, 4, 5, 5 }, { 3, 1, 5, 5, 2, 2, 4, 4 },
};
/* clang-format on */

START_TEST(scenario_061_any_order_and_twice)
{
	auth_of(1700, 500);
	ck_assert_uint_eq(w.packets, 5);
	struct packet p[5];
	memcpy(p, w.packet, sizeof(p));
	w.packets = 0;
	for (size_t i = 0; i < 8 && orders[_i][i]; i++)
		hand_over(R, &p[orders[_i][i] - 1], p[orders[_i][i] - 1].bytes,
		          p[orders[_i][i] - 1].len);
	ck_assert_uint_eq(R->ike->stats.reassembled, 1);
	ck_assert_uint_eq(R->ike->stats.fragments_in, 5);
	ck_assert_uint_eq(w.packets, 1);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	for (size_t i = 0; i < 5; i++)
		free(p[i].bytes);
}
END_TEST

/* RFC 7383 2.6.1: the whole set comes again, the answer only once. */
START_TEST(a_request_that_was_answered_is_answered_again_once)
{
	auth_of(1700, 500);
	pass_fragments(5);
	world_lose(&w, 0); /* x--- */
	world_run(&w, 700);
	pass_fragments(5);
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_eq(R->ike->stats.duplicates, 1);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

/* RFC 7383 2.6: more of them than before, as after a path MTU became smaller: begin anew; fewer are
 * late ones of what was given up. */
START_TEST(a_greater_total_begins_anew_a_smaller_one_is_late)
{
	struct packet early[2], late;

	auth_of(1500, 600);
	ck_assert_uint_eq(w.packets, 4);
	memcpy(early, w.packet, sizeof(early));
	memmove(w.packet, w.packet + 2, 2 * sizeof(w.packet[0]));
	w.packets = 2;
	for (int i = 0; i < 2; i++)
		hand_over(R, &early[i], early[i].bytes, early[i].len);
	late = w.packet[0];
	memmove(w.packet, w.packet + 1, sizeof(w.packet[0]));
	w.packets = 1;

	/* The same message in smaller parts. */
	struct ike_sa *i = only(I);
	struct reader whole = rd_of_view(blob_view(&i->win.request));
	static uint8_t plain[IKE_MESSAGE_MAX];
	static struct ike_out o;
	struct ike_in in = { 0 };
	struct view body;
	ike_sa_out(i, &o, EX_IKE_AUTH, false);
	o.buf[23] = 1; /* the message ID that it has */
	while (ike_frag_next(&whole, &in.message)) {
		ck_assert_int_eq(ike_header_read(in.message, &in.h), ERR_OK);
		ck_assert_int_eq(ike_sa_outer(&in, &body), ERR_OK);
		ck_assert_int_eq(ike_sa_open(only(R), &in, body, plain), ERR_OK);
		if (in.skf.number == 1)
			o.buf[o.next_at] = in.first;
		wr_view(&o.w, in.plain);
	}
	i->gw->conf.fragment_size = 500;
	struct view message = ike_sa_seal(i, &o, false);
	struct reader r = rd_of_view(message);
	ck_assert_uint_gt(message.len, 0);
	for (size_t n = 0; ike_frag_next(&r, &body); n++) {
		hand_over(R, &early[0], body.p, body.len);
		if (n == 0) {
			ck_assert_uint_eq(R->ike->stats.fragments_lost, 2);
			hand_over(R, &late, late.bytes, late.len);
			ck_assert_uint_eq(R->ike->stats.fragments_repeated, 1);
		}
	}
	ck_assert_uint_eq(R->ike->stats.reassembled, 1);
	ck_assert_int_eq(only(R)->state, IKE_UP);
	free(early[0].bytes);
	free(early[1].bytes);
	free(late.bytes);
}
END_TEST

START_TEST(fragments_are_sent_again_after_a_restart)
{
	auth_of(1700, 500);
	node_die(I);
	while (w.packets)
		world_lose(&w, 0);
	node_start(I, &c[0].conf);
	world_run(&w, 1);
	ck_assert_uint_eq(fragments(500), 5);
	pass_fragments(5);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert(only(I)->fragmentation);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------- */

START_TEST(what_never_becomes_whole_is_forgotten)
{
	auth_of(1700, 500);
	pass(EX_IKE_AUTH, false);
	ck_assert_uint_eq(only(R)->frag_sets, 1);
	ck_assert_uint_gt(R->ike->frag_bytes, 400);
	world_run(&w, IKE_FRAG_WAIT_MS + 1);
	ck_assert_uint_eq(only(R)->frag_sets, 0);
	ck_assert_uint_eq(R->ike->frag_bytes, 0);
	ck_assert_uint_eq(R->ike->stats.fragments_lost, 1);
}
END_TEST

START_TEST(an_sa_that_goes_takes_its_fragments_along)
{
	auth_of(1700, 500);
	pass(EX_IKE_AUTH, false);
	struct effects fx = { 0 };
	ike_delete_all(R->ike, &fx);
	node_run(R, &fx);
	ck_assert_uint_eq(R->ike->frag_bytes, 0);
	ck_assert(list_empty(&R->ike->frags));
}
END_TEST

static struct ike_in fragment(uint32_t id, uint16_t number, uint16_t total, size_t len)
{
	static uint8_t content[IKE_MESSAGE_MAX];

	return (struct ike_in){ .h = { .id = id },
		                .skf = { number, total, { NULL, 0 } },
		                .plain = { content, len } };
}

START_TEST(partial_messages_of_an_sa_are_few)
{
	static uint8_t buf[IKE_MESSAGE_MAX];

	pass_all();
	for (uint32_t id = 0; id < 100; id++) {
		struct ike_in in = fragment(id, 2, 3, 100);

		ck_assert(!ike_frag_collect(only(R), &in, buf));
		ck_assert_uint_le(only(R)->frag_sets, IKE_FRAG_SETS);
	}
	ck_assert_uint_le(R->ike->frag_bytes, IKE_FRAG_SETS * (sizeof(struct ike_frag_set) + 100));
}
END_TEST

START_TEST(a_message_that_would_be_longer_than_any_is_given_up)
{
	static uint8_t buf[IKE_MESSAGE_MAX];

	pass_all();
	for (uint16_t i = 1; i <= 32; i++) {
		struct ike_in in = fragment(7, i, 32, 2000);

		ck_assert(!ike_frag_collect(only(R), &in, buf));
	}
	ck_assert_uint_ge(R->ike->stats.fragments_lost, 24);
}
END_TEST

/* All partial messages together are bounded; the one that waited longest goes first. */
START_TEST(all_partial_messages_together_are_bounded)
{
	enum { SAS = 400 };
	static struct ike_sa *sa[SAS];
	static uint8_t buf[IKE_MESSAGE_MAX];

	pass_all();
	for (size_t i = 0; i < SAS; i++) {
		struct ike_in in = fragment(1, 1, 2, 40000);

		sa[i] = ike_sa_alloc(R->ike);
		ck_assert(!ike_frag_collect(sa[i], &in, buf));
		ck_assert_uint_le(R->ike->frag_bytes, IKE_FRAG_BYTES);
	}
	ck_assert_uint_eq(sa[0]->frag_sets, 0);
	ck_assert_uint_eq(sa[SAS - 1]->frag_sets, 1);
	for (size_t i = 0; i < SAS; i++)
		ike_sa_free(sa[i]);
	ck_assert_uint_eq(R->ike->frag_bytes, 0);
}
END_TEST

START_TEST(what_was_not_agreed_on_is_refused)
{
	auth_of(1700, 500);
	only(R)->fragmentation = false;
	pass_fragments(5);
	ck_assert_uint_eq(R->ike->stats.fragments_refused, 5);
	ck_assert_uint_eq(R->events[EVENT_IKE_FRAGMENT_INVALID], 5);
	ck_assert_int_eq(only(R)->state, IKE_INIT_ANSWERED);
}
END_TEST

/* clang-format off */
static const struct { uint8_t number, total; } impossible[] = { { 0, 5 }, { 6, 5 }, { 1, 0 } };
/* clang-format on */

START_TEST(numbers_that_cannot_be_are_malformed)
{
	auth_of(1700, 500);
	w.packet[0].bytes[33] = impossible[_i].number;
	w.packet[0].bytes[35] = impossible[_i].total;
	world_deliver(&w, 0);
	ck_assert_uint_eq(R->ike->stats.malformed, 1);
	ck_assert_uint_eq(R->ike->frag_bytes, 0);
}
END_TEST

TESTS_OF(frag)
{
	TCase *tc = tcase_create("frag");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_loop_test(tc, what_a_fragment_holds, 0, ARRAY_LEN(capacities));
	tcase_add_test(tc, scenario_053_no_packet_is_larger_than_the_default);
	tcase_add_test(tc, scenario_053_no_packet_is_larger_than_the_default_over_ipv6);
	tcase_add_loop_test(tc, scenario_054_one_side_that_will_not_is_enough, 0, 2);
	tcase_add_test(tc, scenario_056_what_fits_into_32_fragments_goes);
	tcase_add_test(tc, scenario_056_what_does_not_is_refused_and_said);
	tcase_add_test(tc, too_long_before_it_is_split);
	tcase_add_test(tc, scenario_057_of_33_fragments_none_is_taken);
	tcase_add_test(tc, scenario_058_a_fragment_is_lost_and_all_are_sent_again);
	tcase_add_test(tc, scenario_060_a_fragment_that_fails_its_check_harms_no_other);
	tcase_add_loop_test(tc, scenario_061_any_order_and_twice, 0, ARRAY_LEN(orders));
	tcase_add_test(tc, a_request_that_was_answered_is_answered_again_once);
	tcase_add_test(tc, a_greater_total_begins_anew_a_smaller_one_is_late);
	tcase_add_test(tc, fragments_are_sent_again_after_a_restart);
	tcase_add_test(tc, what_never_becomes_whole_is_forgotten);
	tcase_add_test(tc, an_sa_that_goes_takes_its_fragments_along);
	tcase_add_test(tc, partial_messages_of_an_sa_are_few);
	tcase_add_test(tc, a_message_that_would_be_longer_than_any_is_given_up);
	tcase_add_test(tc, all_partial_messages_together_are_bounded);
	tcase_add_test(tc, what_was_not_agreed_on_is_refused);
	tcase_add_loop_test(tc, numbers_that_cannot_be_are_malformed, 0, ARRAY_LEN(impossible));
	return tc;
}
