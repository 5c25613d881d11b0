// SPDX-License-Identifier: BSD-2-Clause
/* The software engine against OpenSSL: every suite of the tables, byte by byte. */
#include "alg_packet.h"
#include "runner.h"

#include <string.h>
#include <time.h>

static struct engine *soft;
static struct alg_suite suites[2 * ALG_SUITES_MAX];
static size_t suites_n;

static void soft_up(void)
{
	struct why why = { 0 };

	suites_n = alg_suites(suites);
	ck_assert_msg(engine_soft_open(&soft, &why) == ERR_OK, "%s", why.text);
}

static void soft_down(void)
{
	engine_close(soft);
}

static struct engine_session *session(const struct alg_packet *p, bool inbound)
{
	struct engine_sa sa = alg_packet_sa(p, inbound);
	struct engine_session *s = NULL;
	struct why why = { 0 };

	ck_assert_msg(soft->session_add(soft, &sa, &s, &why) == ERR_OK, "%s: %s", p->suite->name,
	              why.text);
	return s;
}

static void same(const struct alg_packet *got, const struct alg_packet *want, const char *what)
{
	size_t i = 0;

	while (i < want->all_len && got->all[i] == want->all[i])
		i++;
	ck_assert_msg(i == want->all_len, "%s, %s, %u bytes: differs at %zd of %zu", what,
	              want->suite->name, want->text_len, (ssize_t)i - ALG_MARGIN,
	              want->all_len - 2 * ALG_MARGIN);
}

/* Inbound AH: the caller puts the ICV back. */
static void put_back(struct alg_packet *p)
{
	if (p->suite->cipher == NULL)
		memcpy(p->icv, p->icv_aside, p->icv_len);
}

static void both_ways(const struct alg_suite *s, uint32_t len, uint32_t seed)
{
	struct alg_packet p, want, plain;

	alg_packet_init(&p, s, len, seed);
	alg_packet_init(&want, s, len, seed);
	alg_packet_init(&plain, s, len, seed);
	alg_packet_seal(&want);
	struct engine_session *out = session(&p, false), *in = session(&p, true);
	struct engine_op op = alg_packet_op(&p, out, false);
	soft->burst_out(soft, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s, %u bytes: %u", s->name, len, op.verdict);
	same(&p, &want, "sealed");
	op = alg_packet_op(&p, in, true);
	soft->burst_in(soft, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s, %u bytes: %u", s->name, len, op.verdict);
	put_back(&p);
	memcpy(plain.icv, want.icv, want.icv_len);
	same(&p, &plain, "opened");
	soft->session_del(soft, out);
	soft->session_del(soft, in);
	alg_packet_done(&p);
	alg_packet_done(&want);
	alg_packet_done(&plain);
}

START_TEST(every_suite_computes_what_openssl_does)
{
	static const uint32_t lens[] = { 0,    1,    2,    3,    4,    7,    8,   15,   16,   17,
		                         24,   31,   32,   33,   48,   55,   56,  63,   64,   65,
		                         72,   111,  112,  119,  120,  127,  128, 129,  192,  240,
		                         255,  256,  257,  496,  512,  768,  771, 1000, 1023, 1024,
		                         1416, 1424, 1500, 2047, 4096, 9000, 9008 };

	for (size_t i = 0; i < suites_n; i++)
		for (uint32_t l = 0; l < ARRAY_LEN(lens); l++)
			if (alg_fits(&suites[i], lens[l]))
				both_ways(&suites[i], lens[l], l + (uint32_t)i);
}
END_TEST

/* ---------------------------------------------------------------- forgeries */

/* Opens a copy of p with one bit changed. */
static uint8_t open_changed(const struct alg_packet *p, struct engine_session *in, size_t byte)
{
	struct alg_packet copy;

	alg_packet_init(&copy, p->suite, p->text_len, 0);
	copy.seq = p->seq;
	memcpy(copy.implicit_iv, p->implicit_iv, sizeof(copy.implicit_iv));
	memcpy(copy.all, p->all, p->all_len);
	copy.at[byte] ^= (uint8_t)(1u << byte % 8);
	struct engine_op op = alg_packet_op(&copy, in, true);
	soft->burst_in(soft, &op, 1);
	alg_packet_done(&copy);
	return op.verdict;
}

START_TEST(any_changed_byte_is_refused)
{
	for (size_t i = 0; i < suites_n; i++) {
		struct alg_packet p;

		alg_packet_init(&p, &suites[i], 48, 7);
		if (p.icv_len != 0) {
			struct engine_session *in = session(&p, true);

			alg_packet_seal(&p);
			for (size_t b = 0; b < p.m.data_len; b++)
				ck_assert_msg(open_changed(&p, in, b) == ENGINE_BAD_ICV,
				              "%s: byte %zu", suites[i].name, b);
			soft->session_del(soft, in);
		}
		alg_packet_done(&p);
	}
}
END_TEST

START_TEST(the_high_half_of_the_sequence_number_counts)
{
	for (size_t i = 0; i < suites_n; i++) {
		struct alg_packet p;

		if (!suites[i].esn ||
		    (suites[i].cipher && suites[i].integ == NULL && suites[i].cipher->icv_len == 0))
			continue;
		alg_packet_init(&p, &suites[i], 64, 3);
		struct engine_session *in = session(&p, true);
		alg_packet_seal(&p);
		p.seq += 1ull << 32;
		struct engine_op op = alg_packet_op(&p, in, true);
		soft->burst_in(soft, &op, 1);
		ck_assert_msg(op.verdict == ENGINE_BAD_ICV, "%s: %u", suites[i].name, op.verdict);
		soft->session_del(soft, in);
		alg_packet_done(&p);
	}
}
END_TEST

/* ---------------------------------------------------------------- bursts */

enum fate { GOOD, FORGED, NIC_GOOD, NIC_BAD, FATES };

static const uint8_t verdicts[FATES] = { ENGINE_OK, ENGINE_BAD_ICV, ENGINE_OK, ENGINE_BAD_ICV };

static void prepare(struct alg_packet *p, enum fate fate)
{
	alg_packet_seal(p);
	if (fate == FORGED)
		p->icv[p->icv_len - 1] ^= 1;
	if (fate == NIC_GOOD || fate == NIC_BAD)
		p->m.ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD;
	if (fate == NIC_BAD)
		p->m.ol_flags |= RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED;
}

static const struct alg_suite *some_suite(uint32_t *random)
{
	const struct alg_suite *s;

	do {
		*random = *random * 1664525u + 1013904223u;
		s = &suites[(*random >> 8) % suites_n];
	} while (s->cipher && s->integ == NULL && s->cipher->icv_len == 0);
	return s;
}

/* In a burst of everything each packet gets its own key, and its own verdict. */
START_TEST(a_burst_of_all_kinds)
{
	enum { N = 200 };
	static struct alg_packet p[N], want[N];
	static struct engine_op ops[N];
	struct engine_session *s[N];
	uint32_t random = (uint32_t)_i + 1;

	for (uint32_t i = 0; i < N; i++) {
		const struct alg_suite *suite = some_suite(&random);
		uint32_t len = (random >> 20) / 48 * 48 % 1440;

		alg_packet_init(&p[i], suite, len, i);
		alg_packet_init(&want[i], suite, len, i);
		alg_packet_seal(&want[i]);
		s[i] = session(&p[i], false);
		ops[i] = alg_packet_op(&p[i], s[i], false);
	}
	soft->burst_out(soft, ops, N);
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_msg(ops[i].verdict == ENGINE_OK, "%u of seed %d", i, _i);
		same(&p[i], &want[i], "sealed");
		soft->session_del(soft, s[i]);
		alg_packet_done(&p[i]);
		alg_packet_init(&p[i], want[i].suite, want[i].text_len, i);
		prepare(&p[i], (enum fate)(i % FATES));
		s[i] = session(&p[i], true);
		ops[i] = alg_packet_op(&p[i], s[i], true);
	}
	soft->burst_in(soft, ops, N);
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_msg(ops[i].verdict == verdicts[i % FATES], "%u of seed %d, %s: %u", i, _i,
		              p[i].suite->name, ops[i].verdict);
		put_back(&p[i]);
		if (i % FATES == NIC_GOOD) /* not decrypted twice */
			same(&p[i], &want[i], "left alone");
		alg_packet_done(&want[i]);
		alg_packet_init(&want[i], p[i].suite, p[i].text_len, i);
		memcpy(want[i].icv, p[i].icv, p[i].icv_len);
		if (i % FATES == GOOD)
			same(&p[i], &want[i], "opened");
		soft->session_del(soft, s[i]);
		alg_packet_done(&p[i]);
		alg_packet_done(&want[i]);
	}
}
END_TEST

/* ---------------------------------------------------------------- what cannot be done */

static const struct alg_suite cbc_sha = { .name = "CBC" };

/* The second of three: half a block, or something that the library refuses. */
static const uint32_t failing_len[] = { 40, 64 };

START_TEST(what_fails_fails_alone)
{
	struct alg_suite suite = cbc_sha;
	struct alg_packet p[3], before;
	struct engine_op ops[3];
	struct engine_session *s[3];

	suite.cipher = alg_cipher_by_name("aes-128-cbc");
	suite.integ = alg_integ_by_name("hmac-sha1-96");
	for (int inbound = 0; inbound < 2; inbound++) {
		for (uint32_t i = 0; i < 3; i++) {
			alg_packet_init(&p[i], &suite, i == 1 ? failing_len[_i] : 64, i);
			if (i != 1)
				alg_packet_seal(&p[i]);
			s[i] = session(&p[i], inbound);
			ops[i] = alg_packet_op(&p[i], s[i], inbound);
		}
		if (_i == 1)
			ops[1].iv = NULL;
		alg_packet_init(&before, &suite, failing_len[_i], 1);
		(inbound ? soft->burst_in : soft->burst_out)(soft, ops, 3);
		ck_assert_uint_eq(ops[0].verdict, ENGINE_OK);
		ck_assert_uint_eq(ops[1].verdict, ENGINE_FAILED);
		ck_assert_uint_eq(ops[2].verdict, ENGINE_OK);
		same(&p[1], &before, "failed");
		alg_packet_done(&before);
		for (int i = 0; i < 3; i++) {
			soft->session_del(soft, s[i]);
			alg_packet_done(&p[i]);
		}
	}
}
END_TEST

START_TEST(no_room_for_the_high_half_fails)
{
	struct alg_suite suite = { .integ = alg_integ_by_name("hmac-sha1-96"),
		                   .esn = true,
		                   .name = "AH" };
	struct alg_packet p, before;

	alg_packet_init(&p, &suite, 64, 1);
	alg_packet_init(&before, &suite, 64, 1);
	p.m.buf_len--;
	struct engine_session *s = session(&p, false);
	struct engine_op op = alg_packet_op(&p, s, false);
	soft->burst_out(soft, &op, 1);
	ck_assert_uint_eq(op.verdict, ENGINE_FAILED);
	same(&p, &before, "failed");
	soft->session_del(soft, s);
	alg_packet_done(&p);
	alg_packet_done(&before);
}
END_TEST

static const uint8_t key[64] = "thirty-two bytes of some key, and";

static const struct {
	const char *what;
	uint8_t protocol;
	const char *cipher, *integ;
	const uint8_t *key;
	size_t key_len, auth_len;
	enum err want;
} refusals[] = {
	{ "GCM and HMAC", 50, "aes-128-gcm", "hmac-sha1-96", key, 20, 20, ERR_VALUE },
	{ "neither", 50, "null", NULL, key, 0, 0, ERR_VALUE },
	{ "no cipher", 50, NULL, "hmac-sha1-96", key, 0, 20, ERR_UNSUPPORTED },
	{ "GMAC beside a cipher", 50, "aes-128-cbc", "aes-gmac-128", key, 16, 20, ERR_UNSUPPORTED },
	{ "AH that encrypts", 51, "aes-128-cbc", "hmac-sha1-96", key, 16, 20, ERR_VALUE },
	{ "AH with nothing", 51, NULL, NULL, key, 0, 0, ERR_UNSUPPORTED },
	{ "a short key", 50, "aes-256-cbc", "hmac-sha1-96", key, 16, 20, ERR_LENGTH },
	{ "a key without salt", 50, "aes-128-gcm", NULL, key, 16, 0, ERR_LENGTH },
	{ "a short hash key", 50, "aes-128-cbc", "hmac-sha-512", key, 16, 32, ERR_LENGTH },
	{ "a key for NULL", 50, "null", "hmac-sha1-96", key, 16, 20, ERR_LENGTH },
	{ "another protocol", 108, "aes-128-gcm", NULL, key, 20, 0, ERR_UNSUPPORTED },
};

START_TEST(what_is_refused)
{
	struct engine_sa sa = { .protocol = refusals[_i].protocol,
		                .key = { refusals[_i].key, refusals[_i].key_len },
		                .auth_key = { key, refusals[_i].auth_len } };
	struct engine_session *s = NULL;
	struct why why = { 0 };

	if (refusals[_i].cipher)
		sa.cipher = alg_cipher_by_name(refusals[_i].cipher);
	if (refusals[_i].integ)
		sa.integ = alg_integ_by_name(refusals[_i].integ);
	enum err e = soft->session_add(soft, &sa, &s, &why);
	ck_assert_msg(e == refusals[_i].want, "%s: %s", refusals[_i].what, err_text(e));
	ck_assert_msg(why.text[0] != '\0', "%s", refusals[_i].what);
	ck_assert_ptr_null(s);
}
END_TEST

/* ---------------------------------------------------------------- how long it takes */

enum { FULL_BURST = 32, FULL_TEXT = 1424, TRIES = 3, BURST_MAX_US = 40000 };

static uint64_t cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t burst_us(struct alg_packet *p, struct engine_session *s)
{
	struct engine_op ops[FULL_BURST];

	for (size_t i = 0; i < FULL_BURST; i++)
		ops[i] = alg_packet_op(&p[i], s, false);
	uint64_t from = cpu_us();
	soft->burst_out(soft, ops, FULL_BURST);
	uint64_t took = cpu_us() - from;
	for (size_t i = 0; i < FULL_BURST; i++)
		ck_assert_uint_eq(ops[i].verdict, ENGINE_OK);
	return took;
}

/* An SPU that is silent for 300 ms is killed, and it has to share its processor. */
START_TEST(no_suite_keeps_an_spu_silent)
{
	for (size_t i = 0; i < suites_n; i++) {
		struct alg_packet p[FULL_BURST];
		uint64_t best = UINT64_MAX;

		for (size_t k = 0; k < FULL_BURST; k++)
			alg_packet_init(&p[k], &suites[i], FULL_TEXT, 5);
		struct engine_session *s = session(&p[0], false);
		for (int t = 0; t < TRIES && best > BURST_MAX_US; t++) {
			uint64_t took = burst_us(p, s);
			best = took < best ? took : best;
		}
		ck_assert_msg(best <= BURST_MAX_US, "%s: %lu us for a burst", suites[i].name, best);
		soft->session_del(soft, s);
		for (size_t k = 0; k < FULL_BURST; k++)
			alg_packet_done(&p[k]);
	}
}
END_TEST

TESTS_OF(soft_alg)
{
	TCase *tc = tcase_create("soft_alg");

	tcase_add_checked_fixture(tc, soft_up, soft_down);
	tcase_add_test(tc, every_suite_computes_what_openssl_does);
	tcase_add_test(tc, any_changed_byte_is_refused);
	tcase_add_test(tc, the_high_half_of_the_sequence_number_counts);
	tcase_add_loop_test(tc, a_burst_of_all_kinds, 0, 4);
	tcase_add_loop_test(tc, what_fails_fails_alone, 0, (int)ARRAY_LEN(failing_len));
	tcase_add_test(tc, no_room_for_the_high_half_fails);
	tcase_add_test(tc, no_suite_keeps_an_spu_silent);
	tcase_add_loop_test(tc, what_is_refused, 0, (int)ARRAY_LEN(refusals));
	return tc;
}
