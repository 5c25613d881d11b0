// SPDX-License-Identifier: BSD-2-Clause
/* An SPU dies, another one goes on with its SAs: whatever was captured until then may be sent
 * again, all of it, in any order, and nothing arrives twice (idea 3). */
#include "rig.h"
#include "seal.h"

enum { PACKETS = 300, KILLED_AFTER = 200, LOST = 7, WINDOW = 512 };

static const struct suite {
	const char *name;
	uint8_t protocol;
	uint16_t cipher, bits, integ;
	bool esn;
} suites[] = {
	{ "AES-GCM", 0, 0, 0, INTEG_NONE, false },
	{ "AES-GCM, ESN", 0, 0, 0, INTEG_NONE, true },
	{ "AES-CBC", 0, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, false },
	{ "AES-CBC, ESN", 0, ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256, true },
	{ "ChaCha20", 0, ENCR_CHACHA20_POLY1305, 0, INTEG_NONE, true },
	{ "implicit IV", 0, ENCR_AES_GCM_16_IIV, 128, INTEG_NONE, false },
	{ "NULL", 0, ENCR_NULL, 0, INTEG_HMAC_SHA1_96, false },
	{ "AH", IPPROTO_NO_AH, 0, 0, INTEG_HMAC_SHA2_256_128, false },
	{ "AH, ESN", IPPROTO_NO_AH, 0, 0, INTEG_HMAC_SHA2_256_128, true },
	{ "AH with GMAC", IPPROTO_NO_AH, 0, 0, INTEG_AES_128_GMAC, false },
};

/* An SA that is its own peer, so that what is sent can come in. */
static struct rig_sa spec_of(const struct suite *s)
{
	static uint8_t key[64];

	for (unsigned int k = 0; k < sizeof(key); k++)
		key[k] = (uint8_t)(5 * k + 1);
	return (struct rig_sa){ .protocol = s->protocol,
		                .cipher = s->cipher,
		                .bits = s->bits,
		                .integ = s->integ,
		                .esn = s->esn,
		                .window = WINDOW,
		                .local = "192.0.2.1",
		                .remote = "192.0.2.1",
		                .spi_in = 0x3000,
		                .spi_out = 0x3000,
		                .key_in = key,
		                .key_out = key,
		                .auth_in = key,
		                .auth_out = key };
}

struct capture {
	size_t len[PACKETS];
	uint8_t ip[PACKETS][256];
};

static void send_some(struct rig *rig, struct capture *c, size_t from, size_t to)
{
	uint8_t p[SEAL_MAX];

	for (size_t i = from; i < to; i++) {
		struct plain_spec s = { .payload = (uint16_t)(i % 100) };
		struct rig_result got = rig_run(rig, RIG_OUT, p, plain_make(&s, p));

		ck_assert_int_eq(got.drop, DROP_NONE);
		ck_assert_uint_le(got.len, sizeof(c->ip[i]));
		c->len[i] = got.len;
		memcpy(c->ip[i], got.ip, got.len);
	}
}

/* Every seventh is lost on its first way. */
static size_t receive_some(struct rig *rig, const struct capture *c, size_t from, size_t to)
{
	size_t arrived = 0;

	for (size_t i = from; i < to; i++) {
		if (i % LOST == 0)
			continue;
		struct rig_result got = rig_run(rig, RIG_IN, c->ip[i], c->len[i]);
		ck_assert_msg(got.drop == DROP_NONE, "packet %zu: \"%s\"", i, drop_text(got.drop));
		arrived++;
	}
	return arrived;
}

/* What was lost arrives now, the first time it comes; all else is refused. */
static size_t again(struct rig *rig, const struct capture *c)
{
	size_t arrived = 0;

	for (size_t k = 0; k < PACKETS; k++) {
		size_t i = k * 7919 % PACKETS; /* in a wild order; 7919 has no factor of PACKETS */
		struct rig_result got = rig_run(rig, RIG_IN, c->ip[i], c->len[i]);

		if (got.drop == DROP_NONE)
			ck_assert_msg(i % LOST == 0, "packet %zu arrived twice", i);
		else
			ck_assert_int_eq(got.drop, DROP_REPLAY);
		arrived += got.drop == DROP_NONE;
	}
	return arrived;
}

static void kill_and_go_on(const struct suite *s, struct rig *node, struct rig *stand_in)
{
	static struct capture c;
	struct rig_sa spec = spec_of(s);
	size_t lost = (PACKETS + LOST - 1) / LOST, arrived = 0;

	rig_clear(stand_in);
	rig_clear(node);
	struct sa *sa = rig_sa(node, &spec);
	if (s->esn)
		rig_seq(node, sa, UINT32_MAX - KILLED_AFTER / 2);
	spec.slots_of = sa;
	send_some(node, &c, 0, KILLED_AFTER);
	arrived = receive_some(node, &c, 0, KILLED_AFTER);
	/* It is killed here: what it leaves is the run-time table. */
	(void)rig_sa(stand_in, &spec);
	send_some(stand_in, &c, KILLED_AFTER, PACKETS);
	arrived += receive_some(stand_in, &c, KILLED_AFTER, PACKETS);
	ck_assert_uint_eq(arrived, PACKETS - lost);
	ck_assert_msg(again(stand_in, &c) == lost, "%s: what was lost did not arrive", s->name);
	ck_assert_msg(again(stand_in, &c) == 0, "%s: arrived twice", s->name);
	ck_assert_msg(again(node, &c) == 0, "%s: arrived twice, at the one that came back",
	              s->name);
}

START_TEST(a_whole_capture_sent_again_after_a_kill_delivers_nothing_twice)
{
	struct rig *node = rig_new((enum rig_engine)_i), *stand_in = rig_new((enum rig_engine)_i);

	stand_in->roads.runtime = &node->runtime; /* one node, one run-time table */
	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		kill_and_go_on(&suites[i], node, stand_in);
	rig_free(stand_in);
	rig_free(node);
}
END_TEST

TESTS_OF(takeover)
{
	TCase *tc = tcase_create("takeover");

	eal_for(tc);
	tcase_add_loop_test(tc, a_whole_capture_sent_again_after_a_kill_delivers_nothing_twice, 0,
	                    RIG_ENGINES);
	return tc;
}
