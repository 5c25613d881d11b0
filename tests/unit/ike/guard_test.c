// SPDX-License-Identifier: BSD-2-Clause
/* Floods, cookies, limits, backoff (acceptance scenarios, section 7). Spoofed peers are copies of
 * the initiator's first message under other SPIs and from other addresses. */
#include "ladder.h"
#include "runner.h"

#include <stdio.h>

static uint8_t first[2048]; /* the initiator's IKE_SA_INIT */
static size_t first_len;
static struct packet way; /* how it comes */
static uint32_t serial;

static void lose_all(void)
{
	while (w.packets)
		world_lose(&w, 0);
}

static void take(void)
{
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_le(w.packet[0].len, sizeof(first));
	first_len = w.packet[0].len;
	memcpy(first, w.packet[0].bytes, first_len);
	way = w.packet[0];
	world_lose(&w, 0);
}

/* Takes the initiator's first message, without delivering it. */
static void take_first(void)
{
	start();
	take();
}

/* The same of an initiator that begins anew; the responder goes on. */
static void take_another(void)
{
	node_die(I);
	lose_store(I);
	lose_all();
	node_start(I, &c[0].conf);
	world_jobs(&w);
	take();
}

static void knock_with(const uint8_t *bytes, size_t len)
{
	hand_over(R, &way, bytes, len);
}

/* A stranger's first message; what it is answered stays in the last place. */
static void knock(void)
{
	serial++;
	memcpy(first, &serial, sizeof(serial));
	way.from.addr = addr_v4(0x0a010000u + serial);
	lose_all();
	knock_with(first, first_len);
}

static void knock_times(int n)
{
	while (n-- > 0)
		knock();
}

/* All addresses are the gateway's peers. */
static void anybody(void)
{
	c[1].gateway.peers = 0;
}

/* The type of the only notify of a message in the clear, 0 where it begins with something else. */
static unsigned notify_of(const struct packet *p)
{
	return p->bytes[16] == PL_NOTIFY ? (unsigned)(p->bytes[34] << 8 | p->bytes[35]) : 0;
}

/* The last message again, with the cookie that came back in front; `wrong` is added to its last
 * byte. */
static void knock_with_cookie(uint8_t wrong)
{
	uint8_t bytes[2200];
	struct packet p = w.packet[0];
	size_t len = (size_t)(p.bytes[30] << 8 | p.bytes[31]);

	ck_assert_uint_eq(notify_of(&p), N_COOKIE);
	memcpy(bytes, first, 28);
	memcpy(bytes + 28, p.bytes + 28, len);
	memcpy(bytes + 28 + len, first + 28, first_len - 28);
	bytes[28] = first[16];
	bytes[16] = PL_NOTIFY;
	bytes[28 + len - 1] = (uint8_t)(bytes[28 + len - 1] + wrong);
	bytes[26] = (uint8_t)((first_len + len) >> 8);
	bytes[27] = (uint8_t)(first_len + len);
	lose_all();
	knock_with(bytes, first_len + len);
}

static const struct ike_stats *stats(void)
{
	return &R->ike->stats;
}

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

	ck_assert_msg(bytes <= 2816, "%zu bytes, the struct %zu", bytes, sizeof(*sa));
}
END_TEST

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
	w.nat = true;
	c[1].gateway.peers = 0;
	c[1].gateway.remote_id = (struct ike_id){ IKE_ID_IPV4, 4, { 10, 0, 0, 1 } };
	c[1].conf.session.backoff_auth_s = 150;
	c[1].gateway.psk = (struct view){ (const uint8_t *)"another secret!", 15 };
	fail_auth();
	lose_all();
	take_another();
	knock_with(first, first_len);
	ck_assert_uint_eq(w.packets, 0);
	way.from.port++;
	knock_with(first, first_len);
	ck_assert_uint_eq(w.packets, 1);
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
