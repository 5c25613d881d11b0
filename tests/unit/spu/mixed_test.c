// SPDX-License-Identifier: BSD-2-Clause
/* One burst of packets of SAs of every form: out and in again, in order, each once. */
#include "rig.h"
#include "seal.h"

#include "record.h"
#include "records.pb-c.h"

#include <arpa/inet.h>

static const struct suite {
	uint8_t protocol;
	uint16_t cipher, bits, integ;
	bool esn;
} suites[] = {
	{ 0, 0, 0, INTEG_NONE, false }, /* AES-GCM */
	{ IPPROTO_NO_AH, 0, 0, INTEG_HMAC_SHA2_256_128, true },
	{ 0, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, false },
	{ 0, ENCR_AES_GCM_16_IIV, 256, INTEG_NONE, true },
	{ IPPROTO_NO_AH, 0, 0, INTEG_AES_256_GMAC, false },
	{ 0, ENCR_CHACHA20_POLY1305, 0, INTEG_NONE, true },
	{ 0, ENCR_NULL, 0, INTEG_HMAC_SHA1_96, true },
	{ 0, ENCR_NULL_AES_GMAC, 128, INTEG_NONE, false },
	{ 0, ENCR_3DES_CBC, 0, INTEG_HMAC_SHA2_512_256, false },
	{ 0, ENCR_3DES_CBC, 0, INTEG_HMAC_SHA1_96, true },
	{ 0, ENCR_DES_CBC, 0, INTEG_HMAC_MD5_96, false },
};
enum { SUITES = (int)ARRAY_LEN(suites), ROUNDS = 8 };

/* An SA that is its own peer. */
static void add(struct rig *rig, unsigned int i)
{
	static uint8_t key[64];
	const struct suite *s = &suites[i];

	for (unsigned int k = 0; k < sizeof(key); k++) /* no weak one of DES */
		key[k] = (uint8_t)(5 * k + 1);
	(void)rig_tunnel(rig, 500 + i);
	(void)rig_sa(rig, &(struct rig_sa){ .protocol = s->protocol,
	                                    .cipher = s->cipher,
	                                    .bits = s->bits,
	                                    .integ = s->integ,
	                                    .esn = s->esn,
	                                    .key_in = key,
	                                    .key_out = key,
	                                    .auth_in = key,
	                                    .auth_out = key,
	                                    .local = i % 2 ? "2001:db8::1" : "192.0.2.1",
	                                    .remote = i % 2 ? "2001:db8::1" : "192.0.2.1",
	                                    .spi_in = 0x3000 + (i << 8),
	                                    .spi_out = 0x3000 + (i << 8),
	                                    .tunnel = 500 + i });
}

static struct rte_mbuf *again(struct rig *rig, const struct rte_mbuf *m)
{
	return rig_mbuf(rig, RIG_IN, rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHER_LEN),
	                rte_pktmbuf_data_len(m) - (size_t)ETHER_LEN);
}

static size_t plain_of(unsigned int round, unsigned int i, uint8_t *p)
{
	struct plain_spec s = { .family = i % 3 ? 4 : 6,
		                .payload = (uint16_t)(round * 61 + i * 7),
		                .sport = (uint16_t)(1000 + i) };

	return plain_make(&s, p);
}

static void there_and_back(struct rig *rig, unsigned int round)
{
	struct rte_mbuf *m[BURST], *wire[BURST], *back[BURST], *replay[BURST];
	uint8_t p[SEAL_MAX];
	uint64_t before = rig->node->spu[0].drop[DROP_REPLAY];

	for (unsigned int i = 0; i < BURST; i++) {
		m[i] = rig_mbuf(rig, RIG_OUT, p, plain_of(round, i, p));
		port_meta(m[i])->tunnel = htonl(500 + (i + round) % SUITES);
	}
	ck_assert_uint_eq(outbound_run(&rig->roads, m, BURST, wire), BURST);
	for (unsigned int i = 0; i < BURST; i++) {
		m[i] = again(rig, wire[i]);
		replay[i] = again(rig, wire[i]);
	}
	rte_pktmbuf_free_bulk(wire, BURST);
	ck_assert_uint_eq(inbound_run(&rig->roads, m, BURST, back), BURST);
	for (unsigned int i = 0; i < BURST; i++) {
		size_t len = plain_of(round, i, p);
		struct view got = pkt_l3(back[i]);
		ck_assert_msg(got.len == len && memcmp(got.p, p, len) == 0, "round %u, packet %u",
		              round, i);
		ck_assert_uint_eq(ntohl(port_meta(back[i])->tunnel), 500 + (i + round) % SUITES);
	}
	rte_pktmbuf_free_bulk(back, BURST);
	ck_assert_uint_eq(inbound_run(&rig->roads, replay, BURST, back), 0);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_REPLAY] - before, BURST);
}

START_TEST(a_burst_of_every_form)
{
	struct rig *rig = rig_new(RIG_SOFT);

	for (unsigned int i = 0; i < SUITES; i++)
		add(rig, i);
	for (unsigned int round = 0; round < ROUNDS; round++)
		there_and_back(rig, round);
	ck_assert_uint_eq(rig_drops(rig), ROUNDS * BURST);
	rig_free(rig);
}
END_TEST

/* RFC 2405 2.3, RFC 2451 2.3 */
static const struct {
	const char *what;
	uint16_t cipher;
	uint8_t key[24];
} weak_keys[] = {
	{ "weak for DES", ENCR_DES_CBC, { 1, 0xfe, 1, 0xfe, 1, 0xfe, 1, 0xfe } },
	{ "first and second part", ENCR_3DES_CBC, "abcdefghabcdefghijklmnop" },
	{ "second and third part", ENCR_3DES_CBC, "abcdefghijklmnopijklmnop" },
};

START_TEST(a_weak_key_is_used_where_it_was_set_by_hand)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct rig_sa spec = { .manual = true,
		               .cipher = weak_keys[_i].cipher,
		               .integ = INTEG_HMAC_SHA1_96,
		               .key_in = weak_keys[_i].key,
		               .key_out = weak_keys[_i].key,
		               .auth_in = weak_keys[0].key,
		               .auth_out = weak_keys[0].key,
		               .local = "192.0.2.1",
		               .remote = "192.0.2.1",
		               .spi_out = 0x1007 };
	uint8_t p[SEAL_MAX];
	size_t len = plain_of(1, 1, p);

	(void)rig_sa(rig, &spec);
	struct rig_result wire = rig_run(rig, RIG_OUT, p, len);
	ck_assert_uint_ne(wire.len, 0);
	struct rig_result back = rig_run(rig, RIG_IN, wire.ip, wire.len);
	ck_assert_uint_eq(back.len, len);
	ck_assert_mem_eq(back.ip, p, len);
	rig_free(rig);
}
END_TEST

START_TEST(a_weak_key_that_was_negotiated_is_refused)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct rig_sa spec = { .cipher = weak_keys[_i].cipher,
		               .integ = INTEG_HMAC_SHA1_96,
		               .key_out = weak_keys[_i].key };
	uint8_t body[1024], strong[24] = "one, two and three parts";
	Hawser__ChildSaRecord *m = NULL;
	struct why why = { 0 };
	struct sa *sa = NULL;

	spec.key_in = strong;
	struct view v = { body, rig_record(rig, &spec, body, sizeof(body)) };
	ck_assert_int_eq(record_child_sa_decode(v, &m), ERR_OK);
	ck_assert_int_eq(sa_make(m, &rig->runtime, &sa, &why), ERR_VALUE);
	ck_assert_ptr_nonnull(strstr(why.text, "DES"));
	record_child_sa_free(m);
	rig_free(rig);
}
END_TEST

TESTS_OF(mixed)
{
	TCase *tc = tcase_create("mixed");

	eal_for(tc);
	tcase_add_test(tc, a_burst_of_every_form);
	tcase_add_loop_test(tc, a_weak_key_is_used_where_it_was_set_by_hand, 0,
	                    (int)ARRAY_LEN(weak_keys));
	tcase_add_loop_test(tc, a_weak_key_that_was_negotiated_is_refused, 0,
	                    (int)ARRAY_LEN(weak_keys));
	return tc;
}
