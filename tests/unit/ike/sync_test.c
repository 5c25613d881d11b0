// SPDX-License-Identifier: BSD-2-Clause
/* A node takes over with a record that is older than what the dead one has done (RFC 6311). */
#include "ike_mid_sync.h"
#include "ladder.h"
#include "runner.h"

#include <stdlib.h>

/* ---- helpers --------------------------------------------------------------------------------- */

static struct stored snapshot[WORLD_RECORDS];
static size_t snapshots;

static void forget_snapshot(void)
{
	while (snapshots)
		free(snapshot[--snapshots].body);
}

/* What the other node of the cluster has of this one's records. */
static void replicate(const struct node *n)
{
	forget_snapshot();
	for (; snapshots < n->stored; snapshots++) {
		snapshot[snapshots] = n->store[snapshots];
		snapshot[snapshots].body = malloc(n->store[snapshots].len + 1);
		ck_assert_ptr_nonnull(snapshot[snapshots].body);
		memcpy(snapshot[snapshots].body, n->store[snapshots].body, n->store[snapshots].len);
	}
}

/* The node dies; another goes on with what was replicated. */
static void take_over(struct node *n)
{
	struct effects fx = { 0 };

	node_die(n);
	lose_store(n);
	memcpy(n->store, snapshot, snapshots * sizeof(snapshot[0]));
	n->stored = snapshots;
	snapshots = 0;
	node_start(n, &c[n->id].conf);
	world_jobs(&w);
	ck_assert_int_eq(ike_sync_message_ids(n->ike, only(n)->index, &fx), ERR_OK);
	node_run(n, &fx);
}

static void probe(struct node *n)
{
	struct effects fx = { 0 };

	only(n)->wish_probe = true;
	ike_sa_pump(only(n), &fx);
	ike_sa_touch(only(n));
	node_run(n, &fx);
}

static void probe_is_answered(struct node *n)
{
	ck_assert_uint_eq(w.packets, 0);
	probe(n);
	pass(EX_INFORMATIONAL, false);
	pass(EX_INFORMATIONAL, true);
	ck_assert(ike_window_free(&only(n)->win));
}

static void pass_sync(void)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_ge(w.packets, 1);
		ck_assert_mem_eq(w.packet[0].bytes + 20, "\0\0\0\0", 4); /* message ID 0 */
		pass(EX_INFORMATIONAL, i == 1);
	}
}

static uint64_t *seq(struct node *n, bool inbound)
{
	return &n->usage[inbound ? child_of(n)->slot_in : child_of(n)->slot_out].seq;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Three exchanges each way that the other node never heard of; then the member that takes over asks
 * and answers as if nothing had been. _i: which of both is the cluster. */
START_TEST(both_go_on_after_a_takeover)
{
	struct node *member = &w.node[_i], *peer = &w.node[1 - _i];

	pass_all();
	replicate(member);
	for (int i = 0; i < 3; i++) {
		probe_is_answered(member);
		probe_is_answered(peer);
	}
	uint32_t used = only(member)->win.next_request, expected = only(member)->win.next_expected;
	take_over(member);
	ck_assert_uint_lt(only(member)->win.next_request, used);
	pass_sync();
	ck_assert_uint_ge(only(member)->win.next_request, used);
	ck_assert_uint_eq(only(member)->win.next_request, only(peer)->win.next_expected);
	ck_assert_uint_eq(only(member)->win.next_expected, expected);
	ck_assert_uint_eq(only(peer)->win.next_request, expected);
	for (int i = 0; i < 2; i++) {
		probe_is_answered(member);
		probe_is_answered(peer);
	}
	ck_assert_uint_eq(member->events[EVENT_IKE_SYNC], 1);
	ck_assert_uint_eq(peer->events[EVENT_IKE_SYNC], 1);
	tunnel_is_up();
}
END_TEST

START_TEST(sequence_numbers_skip)
{
	pass_all();
	replicate(R);
	*seq(R, false) = 100;
	*seq(I, false) = 200;
	*seq(R, true) = 150;
	take_over(R);
	ck_assert_uint_eq(*seq(R, false), 100 + IKE_SYNC_PACKETS); /* ours, at once */
	pass(EX_INFORMATIONAL, false);
	ck_assert_uint_eq(*seq(I, false), 200 + IKE_SYNC_PACKETS); /* the peer's, as asked for */
	pass(EX_INFORMATIONAL, true);
	ck_assert_uint_eq(*seq(R, true), 150 + IKE_SYNC_PACKETS); /* below it all is replayed */
}
END_TEST

/* What had no answer is asked again under a new message ID, by both. */
START_TEST(requests_without_an_answer_are_asked_again)
{
	pass_all();
	probe(R); /* the dead one's, in its record */
	replicate(R);
	while (w.packets)
		world_lose(&w, 0);
	probe(I); /* the peer's */
	world_lose(&w, 0);
	uint32_t was = only(I)->win.next_request;
	take_over(R);
	pass_sync();
	ck_assert_uint_eq(only(I)->win.next_request, was + 1);
	ck_assert_uint_eq(w.packets, 2);
	for (int i = 0; i < 4; i++)
		world_deliver(&w, 0);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert(ike_window_free(&only(I)->win) && ike_window_free(&only(R)->win));
	probe_is_answered(I);
	probe_is_answered(R);
	tunnel_is_up();
}
END_TEST

START_TEST(a_claim_that_is_not_higher_is_dropped)
{
	uint8_t old[256];

	pass_all();
	replicate(R);
	take_over(R);
	struct packet p = w.packet[0];
	memcpy(old, p.bytes, p.len);
	pass_sync();
	hand_over(I, &p, old, p.len); /* at once: no request in between has moved the window */
	ck_assert_uint_eq(w.packets, 0);
	probe_is_answered(R);
	uint32_t expected = only(I)->win.next_expected;
	hand_over(I, &p, old, p.len);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(only(I)->win.next_expected, expected);
	ck_assert_uint_eq(I->ike->stats.syncs, 1);
	node_die(I); /* nor after a restart */
	node_start(I, &c[0].conf);
	while (w.packets)
		world_lose(&w, 0);
	hand_over(I, &p, old, p.len);
	ck_assert_uint_eq(w.packets, 0);
	probe_is_answered(R);
}
END_TEST

START_TEST(an_answer_needs_the_nonce_of_the_last_claim)
{
	uint8_t old[256];

	pass_all();
	replicate(R);
	take_over(R);
	pass(EX_INFORMATIONAL, false);
	struct packet late = w.packet[0];
	memcpy(old, late.bytes, late.len);
	world_lose(&w, 0); /* x--- */
	world_run(&w, 600);
	hand_over(R, &late, old, late.len); /* late */
	ck_assert_uint_eq(R->ike->stats.syncs, 0);
	pass_sync();
	ck_assert_uint_eq(R->ike->stats.syncs, 1);
	hand_over(R, &late, old, late.len); /* later */
	ck_assert_uint_eq(R->ike->stats.syncs, 1);
	probe_is_answered(R);
	probe_is_answered(I);
}
END_TEST

/* One that fits but for the nonce. */
START_TEST(an_answer_with_another_nonce_is_dropped)
{
	struct packet p = { .from = { I->addr, 500 }, .to = { R->addr, 500 } };
	uint8_t data[12];
	struct writer wr = wr_of(data, sizeof(data));
	static struct ike_out o;

	pass_all();
	replicate(R);
	take_over(R);
	wr_bytes(&wr, only(R)->sync.nonce, 4);
	data[3] ^= (uint8_t)_i;
	wr_u32(&wr, only(R)->win.next_expected);
	wr_u32(&wr, only(R)->sync.claim);
	struct ike_header h = ike_sa_header(only(I), EX_INFORMATIONAL, true);
	h.id = 0;
	ike_out_begin(&o, &h);
	payload_sk_open(&o, &only(I)->choice.suite);
	ike_out_notify(&o, N_IKEV2_MESSAGE_ID_SYNC, wr_done(&wr));
	struct view m = ike_sa_seal(only(I), &o, true);
	hand_over(R, &p, m.p, m.len);
	ck_assert_uint_eq(R->ike->stats.syncs, _i == 0);
}
END_TEST

START_TEST(a_claim_without_an_answer_is_repeated_and_given_up)
{
	pass_all();
	replicate(R);
	take_over(R);
	size_t sent = 0;
	for (int i = 0; i < 80; i++) {
		for (; w.packets; sent++)
			world_lose(&w, 0);
		world_run(&w, 1000);
	}
	ck_assert_uint_eq(sent, 8);
	ck_assert_uint_eq(R->events[EVENT_IKE_PEER_DEAD], 1);
	nothing_is_left(R);
}
END_TEST

START_TEST(a_restart_does_not_forget_a_claim)
{
	pass_all();
	replicate(R);
	take_over(R);
	uint32_t claim = only(R)->sync.claim;
	pass(EX_INFORMATIONAL, false);
	world_lose(&w, 0); /* x--- */
	node_die(R);
	node_start(R, &c[1].conf);
	world_run(&w, 1);
	ck_assert_uint_gt(only(R)->sync.claim, claim);
	pass_sync();
	probe_is_answered(R);
	probe_is_answered(I);
}
END_TEST

START_TEST(a_peer_that_cannot_is_not_asked)
{
	struct effects fx = { 0 };

	pass_all();
	only(R)->mid_sync = false;
	ck_assert_int_eq(ike_sync_message_ids(R->ike, only(R)->index, &fx), ERR_UNSUPPORTED);
	node_run(R, &fx);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(*seq(R, false), IKE_SYNC_PACKETS);
	ck_assert_int_eq(ike_sync_message_ids(R->ike, 12345, &fx), ERR_NOT_FOUND);
}
END_TEST

/* clang-format off */
static const struct {
	const char *what;
	uint32_t send, recv;
	size_t len;
	bool more;
} wrong[] = {
	{ "what is expected, but seen before", 1, 1, 12, false },
	{ "no IDs left",                       IKE_ID_MOST, 1, 12, false },
	{ "no IDs left for us",                2000, IKE_ID_MOST, 12, false },
	{ "too short",                         2000, 1, 11, false },
	{ "too long",                          2000, 1, 13, false },
	{ "something beside it",               2000, 1, 12, true },
};
/* clang-format on */

START_TEST(a_claim_that_is_wrong_changes_nothing)
{
	struct packet p = { .from = { R->addr, 500 }, .to = { I->addr, 500 } };
	uint8_t data[16] = { 1, 2, 3, 4 };
	struct writer wr = wr_of(data + 4, 8);
	static struct ike_out o;

	pass_all();
	only(I)->win.next_expected = 2;
	struct ike_header h = ike_sa_header(only(R), EX_INFORMATIONAL, false);
	h.id = 0;
	wr_u32(&wr, wrong[_i].send);
	wr_u32(&wr, wrong[_i].recv);
	ike_out_begin(&o, &h);
	payload_sk_open(&o, &only(R)->choice.suite);
	ike_out_notify(&o, N_IKEV2_MESSAGE_ID_SYNC, (struct view){ data, wrong[_i].len });
	if (wrong[_i].more)
		ike_out_notify(&o, N_INITIAL_CONTACT, (struct view){ NULL, 0 });
	struct view m = ike_sa_seal(only(R), &o, false);
	hand_over(I, &p, m.p, m.len);
	ck_assert_msg(w.packets == 0 && only(I)->win.next_expected == 2 && I->ike->stats.syncs == 0,
	              "%s", wrong[_i].what);
	ck_assert_uint_eq(only(I)->win.next_request, 2);
}
END_TEST

TESTS_OF(sync)
{
	TCase *tc = tcase_create("sync");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_checked_fixture(tc, NULL, forget_snapshot);
	tcase_add_loop_test(tc, both_go_on_after_a_takeover, 0, 2);
	tcase_add_test(tc, sequence_numbers_skip);
	tcase_add_test(tc, requests_without_an_answer_are_asked_again);
	tcase_add_test(tc, a_claim_that_is_not_higher_is_dropped);
	tcase_add_test(tc, an_answer_needs_the_nonce_of_the_last_claim);
	tcase_add_loop_test(tc, an_answer_with_another_nonce_is_dropped, 0, 2);
	tcase_add_test(tc, a_claim_without_an_answer_is_repeated_and_given_up);
	tcase_add_test(tc, a_restart_does_not_forget_a_claim);
	tcase_add_test(tc, a_peer_that_cannot_is_not_asked);
	tcase_add_loop_test(tc, a_claim_that_is_wrong_changes_nothing, 0, ARRAY_LEN(wrong));
	return tc;
}
