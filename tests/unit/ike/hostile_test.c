// SPDX-License-Identifier: BSD-2-Clause
/* Message IDs, windows and messages that nobody should send (RFC 7296 2.2, 2.3, 2.5, 2.21). */
#include "ladder.h"
#include "runner.h"

/* What node 0 would send under their SA, with this message ID and one payload of its own. */
static void say(enum ike_exchange ex, uint32_t id, void (*write)(struct ike_out *o))
{
	struct packet p = { .from = { I->addr, 500 }, .to = { R->addr, 500 } };
	struct ike_sa *sa = only(I);
	static struct ike_out o;

	sa->win.next_request = id;
	ike_sa_out(sa, &o, ex, false);
	if (write)
		write(&o);
	struct view m = ike_sa_seal(sa, &o, false);
	ck_assert_uint_ne(m.len, 0);
	hand_over(R, &p, m.p, m.len);
}

static void drop_packets(void)
{
	while (w.packets)
		world_lose(&w, 0);
}

START_TEST(scenario_077_junk_as_ike_auth_does_not_disturb_the_half_open_sa)
{
	static uint8_t junk[400];

	start();
	pass_init();
	struct packet p = w.packet[0];
	memcpy(junk, p.bytes, IKE_HEADER_LEN);
	for (int i = 0; i < 1000; i++) {
		size_t len = 57 + world_random(&w, (uint32_t)(sizeof(junk) - 57));

		for (size_t k = IKE_HEADER_LEN; k < len; k++)
			junk[k] = (uint8_t)world_random(&w, 256);
		junk[16] = PL_SK;
		junk[26] = (uint8_t)(len >> 8);
		junk[27] = (uint8_t)len;
		junk[28] = junk[29] = 0;
		junk[30] = (uint8_t)((len - IKE_HEADER_LEN) >> 8);
		junk[31] = (uint8_t)(len - IKE_HEADER_LEN);
		hand_over(R, &p, junk, len);
	}
	ck_assert_uint_eq(R->ike->stats.bad_icv, 1000);
	ck_assert_uint_eq(R->puts, 0);
	ck_assert_int_eq(only(R)->state, IKE_INIT_ANSWERED);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

static size_t kept(const struct ike_sa *sa)
{
	size_t n = 0;

	for (size_t i = 0; i < IKE_WINDOW; i++)
		n += sa->win.answer[i].message.len;
	return n;
}

START_TEST(scenario_078_only_the_window_is_kept_of_10000_message_ids)
{
	pass_all();
	say(EX_INFORMATIONAL, 2, NULL);
	size_t one = w.packet[0].len;
	for (uint32_t id = 3; id < 5000; id++) {
		drop_packets();
		say(EX_INFORMATIONAL, id, NULL);
		ck_assert_uint_eq(w.packets, 1);
		ck_assert(id < 6 || kept(only(R)) <= IKE_WINDOW * one);
	}
	drop_packets();
	for (uint32_t id = 10000; id < 15000; id++) {
		say(EX_INFORMATIONAL, id, NULL);
		ck_assert_uint_le(kept(only(R)), IKE_WINDOW * one);
	}
	ck_assert_uint_eq(only(R)->win.next_expected, 5000);
	ck_assert_uint_eq(w.packets, 1); /* <--- N(INVALID_MESSAGE_ID), once */
	tunnel_is_up();
}
END_TEST

START_TEST(a_message_id_beyond_the_window_is_told_of_once_a_minute)
{
	pass_all();
	say(EX_INFORMATIONAL, 100, NULL);
	say(EX_INFORMATIONAL, 200, NULL);
	ck_assert_uint_eq(w.packets, 1);
	pass(EX_INFORMATIONAL, false); /* <--- SK{N(INVALID_MESSAGE_ID 100)} */
	ck_assert_str_eq(strrchr(I->last_text[EVENT_IKE_PEER_REFUSED], ':'),
	                 ": INVALID_MESSAGE_ID");
	pass(EX_INFORMATIONAL, true);
	world_run(&w, 61000);
	drop_packets();
	say(EX_INFORMATIONAL, 300, NULL);
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_eq(only(R)->ahead_id, 300);
}
END_TEST

/* Not with an ID that anybody could make up. */
START_TEST(a_forged_message_id_is_not_told_of)
{
	pass_all();
	struct packet p = { .from = { I->addr, 500 }, .to = { R->addr, 500 } };
	static struct ike_out o;

	only(I)->win.next_request = 100;
	ike_sa_out(only(I), &o, EX_INFORMATIONAL, false);
	struct view m = ike_sa_seal(only(I), &o, false);
	o.buf[m.len - 1] ^= 1;
	hand_over(R, &p, m.p, m.len);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(R->ike->stats.unexpected, 1);
}
END_TEST

static uint32_t id_of(const struct packet *p)
{
	return (uint32_t)p->bytes[22] << 8 | p->bytes[23];
}

/* Both have said that they take four; requests of a window come in any order, and a restart of the
 * responder does not forget which were answered. */
START_TEST(requests_of_a_window_come_in_any_order)
{
	static const uint32_t ids[] = { 4, 2, 5, 3 };

	pass_all();
	ck_assert_uint_eq(only(R)->win.width, IKE_WINDOW);
	ck_assert_uint_eq(only(R)->peer_width, IKE_WINDOW);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (i == 2) {
			node_die(R);
			node_start(R, &c[1].conf);
			ck_assert_uint_eq(only(R)->win.width, IKE_WINDOW);
		}
		say(EX_INFORMATIONAL, ids[i], NULL);
		ck_assert_uint_eq(w.packets, 1);
		ck_assert_uint_eq(id_of(&w.packet[0]), ids[i]);
		drop_packets();
	}
	ck_assert_uint_eq(only(R)->win.next_expected, 6);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		say(EX_INFORMATIONAL, ids[i], NULL);
		ck_assert_uint_eq(w.packets, 1);
		ck_assert_uint_eq(id_of(&w.packet[0]), ids[i]);
		drop_packets();
	}
	ck_assert_uint_eq(R->ike->stats.duplicates, 4);
}
END_TEST

/* Half-open SAs keep the message that made them. */
START_TEST(an_ike_sa_init_longer_than_any_need_be_makes_nothing)
{
	static uint8_t m[IKE_INIT_MAX + 1];
	struct packet p;

	start();
	p = w.packet[0];
	memcpy(m, p.bytes, p.len);
	m[26] = sizeof(m) >> 8;
	m[27] = sizeof(m) & 0xff;
	hand_over(R, &p, m, sizeof(m));
	ck_assert(list_empty(&R->ike->sas));
	ck_assert_uint_eq(R->ike->stats.malformed, 1);
}
END_TEST

/* ---- strangers ------------------------------------------------------------------------------- */

/* A message of 60 octets with this version and an SPI that nobody has. */
static void stranger(uint8_t version, uint8_t flags, const struct endpoint *from)
{
	struct packet p = { .from = *from, .to = { R->addr, 500 } };
	uint8_t m[60] = { 1,
		          2,
		          3,
		          4,
		          5,
		          6,
		          7,
		          8,
		          9,
		          8,
		          7,
		          6,
		          5,
		          4,
		          3,
		          2,
		          PL_SK,
		          version,
		          EX_INFORMATIONAL,
		          flags,
		          0,
		          0,
		          0,
		          7,
		          0,
		          0,
		          0,
		          60 };

	hand_over(R, &p, m, sizeof(m));
}

START_TEST(a_higher_version_is_told_what_we_have)
{
	struct endpoint peer = { I->addr, 500 }, nobody = { addr_v4(0x0a000009), 500 };

	node_start(R, &c[1].conf);
	stranger(0x30, IKE_FLAG_INITIATOR, &peer);
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_eq(w.packet[0].bytes[17], 0x20);
	ck_assert_uint_eq(w.packet[0].bytes[19], IKE_FLAG_RESPONSE);
	ck_assert_mem_eq(w.packet[0].bytes + 28, "\0\0\0\10\0\0\0\5", 8);
	drop_packets();
	stranger(0x10, IKE_FLAG_INITIATOR, &peer); /* IKEv1 */
	stranger(0x30, IKE_FLAG_RESPONSE, &peer);
	stranger(0x30, IKE_FLAG_INITIATOR, &nobody);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(R->ike->stats.bad_version, 4);
}
END_TEST

START_TEST(an_unknown_spi_is_told_of_a_few_times_a_second)
{
	struct endpoint peer = { I->addr, 500 }, nobody = { addr_v4(0x0a000009), 500 };

	node_start(R, &c[1].conf);
	for (int i = 0; i < 1000; i++)
		stranger(0x20, IKE_FLAG_INITIATOR, &peer);
	ck_assert_uint_eq(w.packets, 10);
	ck_assert_mem_eq(w.packet[0].bytes, "\1\2\3\4\5\6\7\10\11\10\7\6\5\4\3\2", 16);
	ck_assert_uint_eq(w.packet[0].bytes[23], 7);
	ck_assert_mem_eq(w.packet[0].bytes + 28, "\0\0\0\10\0\0\0\4", 8);
	drop_packets();
	world_run(&w, 1001);
	stranger(0x20, 0, &peer);
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_eq(w.packet[0].bytes[19], IKE_FLAG_RESPONSE | IKE_FLAG_INITIATOR);
	drop_packets();
	stranger(0x20, IKE_FLAG_RESPONSE, &peer);
	stranger(0x20, IKE_FLAG_INITIATOR, &nobody);
	ck_assert_uint_eq(w.packets, 0);
}
END_TEST

/* RFC 7296 2.21.4: it may be forged, so the SA goes on. */
START_TEST(an_unprotected_error_changes_nothing)
{
	struct effects fx = { 0 };
	static struct ike_out o;

	pass_all();
	only(I)->wish_probe = true;
	ike_sa_pump(only(I), &fx);
	node_run(I, &fx);
	struct packet p = w.packet[0];
	struct packet back = { .from = p.to, .to = p.from };
	struct ike_header h = ike_sa_header(only(I), EX_INFORMATIONAL, false);
	h.flags = IKE_FLAG_RESPONSE;
	h.id = only(I)->win.next_request - 1;
	ike_out_begin(&o, &h);
	ike_out_notify(&o, N_INVALID_IKE_SPI, (struct view){ NULL, 0 });
	struct view m = ike_out_finish(&o);
	hand_over(I, &back, m.p, m.len);
	ck_assert_uint_eq(I->events[EVENT_IKE_UNPROTECTED], 1);
	pass(EX_INFORMATIONAL, false);
	pass(EX_INFORMATIONAL, true);
	tunnel_is_up();
}
END_TEST

static void write_unknown(struct ike_out *o)
{
	ike_out_open(o, (enum payload_type)200);
	ike_out_close(o);
}

static void write_critical(struct ike_out *o)
{
	ike_out_open(o, (enum payload_type)200);
	o->buf[wr_len(&o->w) - 3] = 0x80;
	ike_out_close(o);
}

START_TEST(scenario_198_an_unknown_payload_matters_only_when_it_is_critical)
{
	pass_all();
	say(EX_INFORMATIONAL, 2, write_unknown);
	only(I)->win.next_request = 2;
	drop_packets();
	say(EX_INFORMATIONAL, 3, write_critical);
	struct ike_in in = { .message = { w.packet[0].bytes, w.packet[0].len } };
	static uint8_t plain[IKE_MESSAGE_MAX];
	struct view body;
	ck_assert_int_eq(ike_header_read(in.message, &in.h), ERR_OK);
	ck_assert_int_eq(ike_sa_outer(&in, &body), ERR_OK);
	ck_assert_int_eq(ike_sa_open(only(I), &in, body, plain), ERR_OK);
	ike_sa_read(&in);
	const struct payload_notify *n = ike_content_notify(&in.c, N_UNSUPPORTED_CRITICAL_PAYLOAD);
	ck_assert_ptr_nonnull(n);
	ck_assert_uint_eq(n->data.len, 1);
	ck_assert_uint_eq(n->data.p[0], 200);
	tunnel_is_up();
}
END_TEST

TESTS_OF(hostile)
{
	TCase *tc = tcase_create("hostile");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, scenario_077_junk_as_ike_auth_does_not_disturb_the_half_open_sa);
	tcase_add_test(tc, scenario_078_only_the_window_is_kept_of_10000_message_ids);
	tcase_add_test(tc, a_message_id_beyond_the_window_is_told_of_once_a_minute);
	tcase_add_test(tc, a_forged_message_id_is_not_told_of);
	tcase_add_test(tc, requests_of_a_window_come_in_any_order);
	tcase_add_test(tc, an_ike_sa_init_longer_than_any_need_be_makes_nothing);
	tcase_add_test(tc, a_higher_version_is_told_what_we_have);
	tcase_add_test(tc, an_unknown_spi_is_told_of_a_few_times_a_second);
	tcase_add_test(tc, an_unprotected_error_changes_nothing);
	tcase_add_test(tc, scenario_198_an_unknown_payload_matters_only_when_it_is_critical);
	return tc;
}
