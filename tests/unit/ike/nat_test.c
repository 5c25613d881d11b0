// SPDX-License-Identifier: BSD-2-Clause
/* NATs between the two ends (RFC 7296 2.23): floating to port 4500, keepalives, and a peer whose
 * mapping changes. Node 0 (I) initiates. */
#include "ladder.h"
#include "records.pb-c.h"
#include "runner.h"

#include <string.h>

static const uint32_t public_0 = 0xcb007101, public_1 = 0xcb007102;

static void name(int id)
{
	struct ike_id me = { IKE_ID_FQDN, 6, "node-0" };

	me.b[5] = (uint8_t)('0' + id);
	c[id].gateway.local_id = c[1 - id].gateway.remote_id = me;
}

/* The responder does not know from where. */
static void from_anywhere(int id)
{
	c[id].gateway.peers = 0;
	c[id].gateway.peer[0] = (struct addr){ 0 };
}

static void initiator_behind(void)
{
	world_nat(&w, 0, 10000);
	name(0);
	from_anywhere(1);
}

static void responder_behind(void)
{
	world_nat(&w, 1, 0);
	c[0].gateway.peer[0] = addr_v4(public_1);
}

static void run(uint64_t ms)
{
	w.manual = false;
	world_run(&w, ms);
	w.manual = true;
}

static void in_udp(struct node *n)
{
	struct Hawser__ChildSaRecord *m = node_child(n, 0);

	ck_assert(m->udp_encap);
	ck_assert_uint_eq(m->local_port, 4500);
	record_child_sa_free(m);
}

/* Where the record sends, and the IKE SA. */
static void goes_to(struct node *n, uint32_t addr, uint16_t port)
{
	struct Hawser__ChildSaRecord *m = node_child(n, 0);
	struct addr to = addr_v4(addr);

	ck_assert_uint_eq(only(n)->remote.port, port);
	ck_assert(addr_equal(&only(n)->remote.addr, &to));
	ck_assert_uint_eq(m->remote_port, port);
	ck_assert_mem_eq(m->remote.data, to.b, 4);
	record_child_sa_free(m);
}

START_TEST(scenario_046_initiator_behind_nat)
{
	initiator_behind();
	pass_all();
	tunnel_is_up();
	in_udp(I);
	in_udp(R);
	ck_assert(only(I)->natd.local && !only(I)->natd.remote);
	ck_assert(only(R)->natd.remote && !only(R)->natd.local);
	goes_to(R, public_0, 14500);
}
END_TEST

START_TEST(scenario_047_responder_behind_static_nat)
{
	responder_behind();
	name(0);
	name(1);
	pass_all();
	tunnel_is_up();
	in_udp(I);
	in_udp(R);
	ck_assert(only(R)->natd.local && only(I)->natd.remote);
}
END_TEST

START_TEST(scenario_047_without_identities_it_fails_and_says_what_to_set)
{
	responder_behind();
	start();
	run(1000);
	ck_assert_uint_eq(node_children(I), 0);
	ck_assert_ptr_nonnull(
	        strstr(I->last_text[EVENT_IKE_ID_MISMATCH], "behind a NAT: set remote-identity"));
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_ID_MISMATCH], "10.0.0.2"));
}
END_TEST

START_TEST(scenario_047_an_initiator_without_identity_is_told_too)
{
	world_nat(&w, 0, 10000);
	c[1].gateway.peer[0] = addr_v4(public_0);
	start();
	run(1000);
	ck_assert_uint_eq(node_children(R), 0);
	ck_assert_ptr_nonnull(strstr(R->last_text[EVENT_IKE_ID_MISMATCH], "behind a NAT"));
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_PEER_REFUSED], "we are behind a NAT"));
}
END_TEST

START_TEST(scenario_048_both_behind_nat)
{
	initiator_behind();
	responder_behind();
	name(1);
	pass_all();
	tunnel_is_up();
	in_udp(I);
	in_udp(R);
	for (struct node *n = I; n <= R; n++)
		ck_assert(only(n)->natd.local && only(n)->natd.remote);
	ck_assert_uint_ne(only(R)->keepalive_ms, UINT64_MAX); /* both hold their own */
	ck_assert_uint_ne(only(I)->keepalive_ms, UINT64_MAX);
}
END_TEST

START_TEST(scenario_049_no_nat_traversal_and_a_nat_in_the_path)
{
	initiator_behind();
	c[1].gateway.no_nat_traversal = true;
	pass_all();
	tunnel_is_up();
	ck_assert(!only(I)->udp_encap && !only(R)->udp_encap);
	ck_assert_uint_eq(only(I)->local.port, 500);
	ck_assert_uint_eq(R->events[EVENT_IKE_NAT_NOT_TRAVERSED], 1);
	ck_assert_ptr_nonnull(strstr(R->last_text[EVENT_IKE_NAT_NOT_TRAVERSED], "the peer"));
	run(60000);
	for (size_t i = 0; i < w.packets; i++)
		ck_assert_uint_ne(w.packet[i].len, 1); /* and no keepalives */
}
END_TEST

static size_t keepalives(void)
{
	size_t n = 0;

	for (size_t i = 0; i < w.packets; i++)
		n += w.packet[i].len == 1 && w.packet[i].bytes[0] == 0xff;
	return n;
}

START_TEST(scenario_050_one_byte_in_five_seconds_from_the_inside_peer)
{
	initiator_behind();
	c[0].gateway.nat_keepalive_s = c[1].gateway.nat_keepalive_s = 5;
	pass_all();
	ck_assert_uint_eq(w.packets, 0);
	for (size_t i = 1; i <= 4; i++) {
		world_run(&w, 5000);
		ck_assert_uint_eq(keepalives(), i);
	}
	ck_assert_uint_eq(w.packets, 4);
	for (size_t i = 0; i < w.packets; i++) {
		ck_assert(addr_equal(&w.packet[i].to.addr, &R->addr)); /* none from outside */
		ck_assert_uint_eq(w.packet[i].from.port, 14500);
	}
}
END_TEST

START_TEST(scenario_050_no_keepalive_while_packets_go)
{
	initiator_behind();
	c[0].gateway.nat_keepalive_s = 5;
	pass_all();
	for (int i = 0; i < 20; i++) {
		I->usage[child_of(I)->slot_out].last_use_ms = w.now_ms;
		world_run(&w, 1000);
	}
	ck_assert_uint_eq(keepalives(), 0);
	world_run(&w, 5000);
	ck_assert_uint_eq(keepalives(), 1);
}
END_TEST

START_TEST(another_keepalive_interval_clears_nothing)
{
	struct effects fx = { 0 };
	struct why why = { 0 };

	initiator_behind();
	pass_all();
	c[0].gateway.nat_keepalive_s = 1;
	ck_assert_int_eq(ike_configure(I->ike, &c[0].conf, &fx, &why), ERR_OK);
	node_run(I, &fx);
	tunnel_is_up();
	world_run(&w, 1100);
	ck_assert_uint_eq(keepalives(), 1);
}
END_TEST

/* ---- a mapping that changes ------------------------------------------------------------------ */

/* I asks something, from wherever it is now. */
static void ask(void)
{
	struct effects fx = { 0 };

	only(I)->wish_probe = true;
	ike_sa_pump(only(I), &fx);
	node_run(I, &fx);
}

START_TEST(scenario_052_a_request_from_a_new_port_moves_the_sa_and_its_children)
{
	initiator_behind();
	pass_all();
	uint8_t anchor = only(R)->anchor;
	uint32_t spi = child_of(R)->spi_in;
	world_nat(&w, 0, 30000);
	ask();
	pass(EX_INFORMATIONAL, false);
	goes_to(R, public_0, 34500);
	ck_assert_uint_eq(R->events[EVENT_IKE_SA_MOVED], 1);
	ck_assert_uint_eq(only(R)->anchor, anchor); /* the anchor stays */
	ck_assert_uint_eq(child_of(R)->spi_in, spi);
	pass(EX_INFORMATIONAL, true);
	tunnel_is_up();
	ck_assert_uint_eq(R->ike->stats.moved, 1);
}
END_TEST

START_TEST(a_move_outlives_a_restart)
{
	initiator_behind();
	pass_all();
	world_nat(&w, 0, 30000);
	ask();
	pass(EX_INFORMATIONAL, false);
	node_die(R);
	node_start(R, &c[1].conf);
	goes_to(R, public_0, 34500);
}
END_TEST

START_TEST(scenario_052_what_is_not_authentic_moves_nothing)
{
	initiator_behind();
	pass_all();
	ask();
	struct packet *p = &w.packet[0];
	struct packet elsewhere = *p;
	uint8_t bad[2048];
	elsewhere.from.port = 7777;
	elsewhere.from.addr = addr_v4(0x01020304);
	memcpy(bad, p->bytes, p->len);
	bad[p->len - 1] ^= 1;
	hand_over(R, &elsewhere, bad, p->len);
	goes_to(R, public_0, 14500);
	world_deliver(&w, 0);
	while (w.packets)
		world_lose(&w, 0);
	hand_over(R, &elsewhere, bad, elsewhere.len);
	goes_to(R, public_0, 14500);
	ck_assert_uint_eq(R->ike->stats.moved, 0);
}
END_TEST

/* Anybody who has seen it can send it again. */
START_TEST(scenario_052_an_old_message_moves_nothing)
{
	uint8_t old[2048];

	initiator_behind();
	pass_all();
	ask();
	struct packet elsewhere = w.packet[0];
	memcpy(old, w.packet[0].bytes, w.packet[0].len);
	pass(EX_INFORMATIONAL, false);
	elsewhere.from.port = 7777;
	hand_over(R, &elsewhere, old, elsewhere.len);
	goes_to(R, public_0, 14500);
	ck_assert_uint_eq(R->ike->stats.duplicates, 1); /* it is answered again, that is all */
}
END_TEST

START_TEST(who_is_behind_a_nat_follows_nobody)
{
	initiator_behind();
	pass_all();
	only(R)->wish_probe = true;
	struct effects fx = { 0 };
	ike_sa_pump(only(R), &fx);
	node_run(R, &fx);
	w.packet[0].from.port = 7777;
	pass(EX_INFORMATIONAL, false);
	goes_to(I, 0x0a000002, 4500);
	ck_assert_uint_eq(I->ike->stats.not_followed, 1);
}
END_TEST

START_TEST(without_a_nat_nobody_is_followed)
{
	pass_all();
	ask();
	w.packet[0].from.port = 7777;
	pass(EX_INFORMATIONAL, false);
	goes_to(R, 0x0a000001, 500);
	ck_assert_uint_eq(R->ike->stats.not_followed, 1);
}
END_TEST

static enum err esp_from(uint32_t addr, uint16_t port)
{
	struct endpoint to = { addr_v4(addr), port };
	struct effects fx = { 0 };
	enum err e = ike_peer_moved(R->ike, child_of(R)->spi_in, &to, &fx);

	node_run(R, &fx);
	return e;
}

START_TEST(scenario_052_esp_alone_moves_it)
{
	initiator_behind();
	pass_all();
	ck_assert_int_eq(esp_from(public_0, 40000), ERR_OK);
	goes_to(R, public_0, 40000);
	/* One that was overtaken does not move it back at once. */
	ck_assert_int_eq(esp_from(public_0, 14500), ERR_WRONG_STATE);
	goes_to(R, public_0, 40000);
	world_run(&w, 1100);
	ck_assert_int_eq(esp_from(public_0 + 9, 14500), ERR_OK);
	goes_to(R, public_0 + 9, 14500);
}
END_TEST

START_TEST(a_peer_of_a_fixed_address_is_followed_to_ports_only)
{
	initiator_behind();
	c[1].gateway.peers = 1;
	c[1].gateway.peer[0] = addr_v4(public_0);
	pass_all();
	ck_assert_int_eq(esp_from(public_0 + 9, 14500), ERR_UNSUPPORTED);
	ck_assert_int_eq(esp_from(public_0, 40000), ERR_OK);
	goes_to(R, public_0, 40000);
}
END_TEST

START_TEST(esp_moves_nothing_where_it_may_be_replayed)
{
	initiator_behind();
	c[0].tunnel.window = c[1].tunnel.window = 0;
	pass_all();
	ck_assert_int_eq(esp_from(public_0, 40000), ERR_UNSUPPORTED);
	goes_to(R, public_0, 14500);
}
END_TEST

TESTS_OF(nat)
{
	TCase *tc = tcase_create("nat");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, scenario_046_initiator_behind_nat);
	tcase_add_test(tc, scenario_047_responder_behind_static_nat);
	tcase_add_test(tc, scenario_047_without_identities_it_fails_and_says_what_to_set);
	tcase_add_test(tc, scenario_047_an_initiator_without_identity_is_told_too);
	tcase_add_test(tc, scenario_048_both_behind_nat);
	tcase_add_test(tc, scenario_049_no_nat_traversal_and_a_nat_in_the_path);
	tcase_add_test(tc, scenario_050_one_byte_in_five_seconds_from_the_inside_peer);
	tcase_add_test(tc, scenario_050_no_keepalive_while_packets_go);
	tcase_add_test(tc, another_keepalive_interval_clears_nothing);
	tcase_add_test(tc, scenario_052_a_request_from_a_new_port_moves_the_sa_and_its_children);
	tcase_add_test(tc, a_move_outlives_a_restart);
	tcase_add_test(tc, scenario_052_what_is_not_authentic_moves_nothing);
	tcase_add_test(tc, scenario_052_an_old_message_moves_nothing);
	tcase_add_test(tc, who_is_behind_a_nat_follows_nobody);
	tcase_add_test(tc, without_a_nat_nobody_is_followed);
	tcase_add_test(tc, scenario_052_esp_alone_moves_it);
	tcase_add_test(tc, a_peer_of_a_fixed_address_is_followed_to_ports_only);
	tcase_add_test(tc, esp_moves_nothing_where_it_may_be_replayed);
	return tc;
}
