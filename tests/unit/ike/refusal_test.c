// SPDX-License-Identifier: BSD-2-Clause
/* What is refused, and what a damaged, forged or old message cannot do. */
#include "ladder.h"
#include "runner.h"

/* ---- refusals -------------------------------------------------------------------------------- */

START_TEST(a_wrong_pre_shared_key)
{
	c[1].gateway.psk = (struct view){ (const uint8_t *)"another secret!", 15 };
	start();
	pass_init();
	pass(EX_IKE_AUTH, false); /* SK{... AUTH} ---> */
	ck_assert_uint_eq(R->events[EVENT_IKE_AUTH_FAILED], 1);
	pass(EX_IKE_AUTH, true); /* <--- SK{N(AUTHENTICATION_FAILED)} */
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_REFUSED], 1);
	ck_assert_str_eq(strrchr(I->last_text[EVENT_IKE_PEER_REFUSED], ':'),
	                 ": AUTHENTICATION_FAILED");
	nothing_is_left(I);
	nothing_is_left(R);
	ck_assert_uint_eq(R->puts + R->ike->stats.up, 0);
}
END_TEST

START_TEST(an_identity_that_is_not_the_configured_one)
{
	c[1].gateway.remote_id = (struct ike_id){ IKE_ID_FQDN, 8, "somebody" };
	start();
	pass_init();
	pass(EX_IKE_AUTH, false);
	ck_assert_uint_eq(R->events[EVENT_IKE_ID_MISMATCH], 1);
	pass(EX_IKE_AUTH, true);
	nothing_is_left(I);
	nothing_is_left(R);
}
END_TEST

START_TEST(a_responder_that_is_somebody_else)
{
	c[1].gateway.local_id = (struct ike_id){ IKE_ID_FQDN, 8, "somebody" };
	start();
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true); /* <--- SK{IDr=somebody AUTH ...} */
	ck_assert_uint_eq(I->events[EVENT_IKE_ID_MISMATCH], 1);
	ck_assert_uint_eq(node_children(I), 0);
	pass(EX_INFORMATIONAL, false); /* SK{N(AUTHENTICATION_FAILED) D} ---> (2.21.2) */
	pass(EX_INFORMATIONAL, true);
	nothing_is_left(I);
	nothing_is_left(R);
}
END_TEST

START_TEST(no_proposal_in_common)
{
	c[1].gateway.proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 128);
	start();
	pass(EX_IKE_SA_INIT, false);
	ck_assert_uint_eq(R->events[EVENT_IKE_NO_PROPOSAL_CHOSEN], 1);
	ck_assert(list_empty(&R->ike->sas));
	pass(EX_IKE_SA_INIT, true);
	ck_assert_str_eq(strrchr(I->last_text[EVENT_IKE_PEER_REFUSED], ':'),
	                 ": NO_PROPOSAL_CHOSEN");
}
END_TEST

START_TEST(a_child_that_is_refused_leaves_the_ike_sa)
{
	if (_i == 0)
		c[1].tunnel.proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 256);
	else if (_i == 1)
		c[1].tunnel.local[0].first = c[1].tunnel.local[0].last = addr_v4(0x01020304);
	else
		memset(R->taken, true, sizeof(R->taken));
	node_start(R, &c[1].conf);
	if (_i == 2)
		memset(R->taken, true, sizeof(R->taken));
	node_start(I, &c[0].conf);
	world_jobs(&w);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true); /* <--- SK{IDr AUTH N(error)} */
	ck_assert_int_eq(only(I)->state, IKE_UP);
	ck_assert_int_eq(only(R)->state, IKE_UP);
	ck_assert_uint_eq(node_children(I) + node_children(R), 0);
	static const enum event_id said[] = { EVENT_IKE_NO_PROPOSAL_CHOSEN,
		                              EVENT_IKE_TS_UNACCEPTABLE, EVENT_IPSEC_NO_SLOT };
	ck_assert_uint_eq(R->events[said[_i]], 1);
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_REFUSED], 1);
}
END_TEST

/* RFC 7296 2.9: an answer may narrow, never widen: the peer would choose what we send it. */
START_TEST(selectors_wider_than_what_was_asked_make_no_child)
{
	start();
	pass_init();
	pass(EX_IKE_AUTH, false);
	struct ike_ts *asked = &only(I)->tunnel->conf.local[0];
	asked->last = asked->first; /* as if less had been asked for */
	pass(EX_IKE_AUTH, true);
	ck_assert_uint_eq(node_children(I), 0);
	pass(EX_INFORMATIONAL, false); /* SK{D} ---> */
	ck_assert_uint_eq(node_children(R), 0);
}
END_TEST

START_TEST(an_answer_from_another_address_is_not_taken)
{
	uint8_t bytes[IKE_MESSAGE_MAX];

	start();
	pass(EX_IKE_SA_INIT, false);
	struct packet p = w.packet[0];
	memcpy(bytes, p.bytes, p.len);
	p.from.addr.b[3] ^= 0x40;
	hand_over(I, &p, bytes, p.len);
	ck_assert_uint_eq(w.packets, 1); /* the answer itself still waits */
	ck_assert_int_eq(only(I)->state, IKE_INIT_SENT);
	pass(EX_IKE_SA_INIT, true);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

START_TEST(an_unknown_peer_gets_no_answer)
{
	c[1].gateway.peer[0] = addr_v4(0x01020304);
	start();
	pass(EX_IKE_SA_INIT, false);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(R->events[EVENT_IKE_UNKNOWN_PEER], 1);
	ck_assert(list_empty(&R->ike->sas));
}
END_TEST

START_TEST(half_open_sas_are_limited)
{
	c[1].conf.session.half_open_max = 3;
	start();
	struct view m = { w.packet[0].bytes, w.packet[0].len };
	for (int i = 0; i < 5; i++) {
		struct effects fx = { 0 };

		w.packet[0].bytes[0]++; /* another initiator's SPI */
		ike_datagram(R->ike, &w.packet[0].to, &w.packet[0].from, m, &fx);
		node_run(R, &fx);
	}
	ck_assert_uint_eq(R->ike->stats.half_open, 3);
	ck_assert_uint_eq(R->events[EVENT_IKE_HALF_OPEN_LIMIT], 2);
	world_jobs(&w);
	ck_assert_uint_eq(w.packets, 4); /* the request, three answers */
	while (w.packets)
		world_lose(&w, 0);
	world_run(&w, 61000); /* nobody goes on: all of it is forgotten */
	ck_assert_uint_eq(R->ike->stats.half_open, 0);
	nothing_is_left(R);
}
END_TEST

/* It has the key, but makes one SA after the other and deletes none. */
START_TEST(a_peer_has_no_more_than_64_sas)
{
	pass_all();
	for (int i = 0; i < 70; i++) {
		struct effects fx = { 0 };

		ck_assert_int_eq(ike_tunnel_initiate(I->ike, I->ike->tunnel[0], false, &fx),
		                 ERR_OK);
		node_run(I, &fx);
		world_jobs(&w);
		pass_init();
		pass(EX_IKE_AUTH, false);
		pass(EX_IKE_AUTH, true);
	}
	ck_assert_uint_eq(I->ike->stats.sas, 71);
	ck_assert_uint_eq(R->ike->stats.sas, 64);
	ck_assert_uint_eq(node_children(R), 64);
}
END_TEST

/* ---- damaged messages ------------------------------------------------------------------------ */

START_TEST(an_ike_auth_with_any_bit_flipped_disturbs_nothing)
{
	start();
	pass_init();
	struct packet p = w.packet[0];
	for (size_t bit = 0; bit < 8 * p.len; bit++) {
		p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		hand_over(R, &p, p.bytes, p.len);
		p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(only(R)->state == IKE_INIT_ANSWERED, "bit %zu", bit);
		while (w.packets > 1) /* of another version, or with an SPI that nobody has */
			world_lose(&w, 1);
	}
	for (size_t len = 0; len < p.len; len++)
		hand_over(R, &p, p.bytes, len);
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_eq(R->puts, 0);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

START_TEST(an_ike_sa_init_cut_short_or_lying_makes_nothing)
{
	start();
	struct packet p = w.packet[0];
	uint8_t bytes[IKE_MESSAGE_MAX];

	for (size_t len = 0; len < p.len; len++) {
		memcpy(bytes, p.bytes, p.len);
		hand_over(R, &p, bytes, len); /* the header says more */
		bytes[24] = bytes[25] = 0;
		bytes[26] = (uint8_t)(len >> 8);
		bytes[27] = (uint8_t)len;
		hand_over(R, &p, bytes, len); /* the header agrees, the payloads do not */
	}
	ck_assert(list_empty(&R->ike->sas));
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_ge(R->ike->stats.malformed, p.len);
}
END_TEST

START_TEST(an_unknown_critical_payload_is_named)
{
	struct ike_header h = { .spi_i = { 1 },
		                .exchange = EX_IKE_SA_INIT,
		                .flags = IKE_FLAG_INITIATOR };
	struct packet p = { .from = { I->addr, 500 }, .to = { R->addr, 500 } };
	struct ike_out o;

	node_start(R, &c[1].conf);
	ike_out_begin(&o, &h);
	ike_out_open(&o, (enum payload_type)200);
	o.buf[wr_len(&o.w) - 3] = 0x80;
	ike_out_close(&o);
	struct view m = ike_out_finish(&o);
	hand_over(R, &p, m.p, m.len);
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_mem_eq(w.packet[0].bytes + 28, "\0\0\0\11\0\0\0\1\310", 9); /* N(1), data 200 */
	ck_assert(list_empty(&R->ike->sas));
}
END_TEST

/* A request of node 0 to node 1 under their SA, with one payload that write() gives. */
static void ask(enum ike_exchange ex, void (*write)(struct ike_out *o))
{
	struct ike_sa *sa = only(I);
	struct effects fx = { 0 };
	struct ike_out o;

	sa->target = IKE_UP;
	ike_sa_out(sa, &o, ex, false);
	write(&o);
	ck_assert_int_eq(ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &retry_normal, &fx), ERR_OK);
	node_run(I, &fx);
}

static void write_critical(struct ike_out *o)
{
	ike_out_open(o, (enum payload_type)200);
	o->buf[wr_len(&o->w) - 3] = 0x80;
	ike_out_close(o);
}

START_TEST(an_unknown_critical_payload_inside_is_named_and_the_sa_stays)
{
	pass_all();
	ask(EX_INFORMATIONAL, write_critical);
	pass(EX_INFORMATIONAL, false);
	pass(EX_INFORMATIONAL, true);
	ck_assert_str_eq(strrchr(I->last_text[EVENT_IKE_PEER_REFUSED], ':'),
	                 ": UNSUPPORTED_CRITICAL_PAYLOAD");
	tunnel_is_up();
}
END_TEST

static void write_nonsense(struct ike_out *o)
{
	ike_out_open(o, PL_DELETE);
	wr_u8(&o->w, 3);
	ike_out_close(o);
}

START_TEST(authentic_nonsense_ends_the_sa)
{
	pass_all();
	ask(EX_INFORMATIONAL, write_nonsense);
	pass(EX_INFORMATIONAL, false);
	pass(EX_INFORMATIONAL, true); /* <--- SK{N(INVALID_SYNTAX)} (2.21.3) */
	ck_assert_str_eq(strrchr(I->last_text[EVENT_IKE_PEER_REFUSED], ':'), ": INVALID_SYNTAX");
	nothing_is_left(R);
}
END_TEST

START_TEST(an_old_ike_sa_init_that_is_replayed_makes_nothing)
{
	start();
	struct packet p = w.packet[0];
	uint8_t bytes[IKE_MESSAGE_MAX];

	memcpy(bytes, p.bytes, p.len);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	hand_over(R, &p, bytes, p.len);
	ck_assert_uint_eq(w.packets, 0);
	tunnel_is_up();
}
END_TEST

TESTS_OF(refusal)
{
	TCase *tc = tcase_create("refusal");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, a_wrong_pre_shared_key);
	tcase_add_test(tc, an_identity_that_is_not_the_configured_one);
	tcase_add_test(tc, a_responder_that_is_somebody_else);
	tcase_add_test(tc, no_proposal_in_common);
	tcase_add_loop_test(tc, a_child_that_is_refused_leaves_the_ike_sa, 0, 3);
	tcase_add_test(tc, selectors_wider_than_what_was_asked_make_no_child);
	tcase_add_test(tc, an_answer_from_another_address_is_not_taken);
	tcase_add_test(tc, an_unknown_peer_gets_no_answer);
	tcase_add_test(tc, half_open_sas_are_limited);
	tcase_add_test(tc, a_peer_has_no_more_than_64_sas);
	tcase_add_test(tc, an_ike_auth_with_any_bit_flipped_disturbs_nothing);
	tcase_add_test(tc, an_ike_sa_init_cut_short_or_lying_makes_nothing);
	tcase_add_test(tc, an_unknown_critical_payload_is_named);
	tcase_add_test(tc, an_unknown_critical_payload_inside_is_named_and_the_sa_stays);
	tcase_add_test(tc, authentic_nonsense_ends_the_sa);
	tcase_add_test(tc, an_old_ike_sa_init_that_is_replayed_makes_nothing);
	return tc;
}
