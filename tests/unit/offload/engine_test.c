// SPDX-License-Identifier: BSD-2-Clause
/* Both engines against published vectors, and against each other: the soft engine's arithmetic is
 * libIPSec_MB's, the emulated NIC's OpenSSL's. */
#include "eal.h"
#include "emu_port.h"
#include "engine.h"
#include "esp_frame.h"
#include "esp_gcm_vectors.h"
#include "runner.h"

#include <rte_ethdev.h>
#include <string.h>

static struct rte_mempool *pool;
static uint16_t port;
static struct engine *soft, *nic;

static void engines_up(void)
{
	struct why why = { 0 };

	pool = eal_pool(8191);
	port = eal_loop("generic", pool);
	ck_assert_msg(engine_soft_open(&soft, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(engine_inline_open(port, &nic, &why) == ERR_OK, "%s", why.text);
}

static void engines_down(void)
{
	engine_close(soft);
	engine_close(nic);
	emu_port_close(port);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}

static struct engine_session *session(struct engine *e, const struct engine_sa *sa)
{
	struct engine_session *s = NULL;
	struct why why = { 0 };

	ck_assert_msg(e->session_add(e, sa, &s, &why) == ERR_OK, "%s: %s", e->name, why.text);
	return s;
}

/* Over the wire and back. */
static struct rte_mbuf *through(struct rte_mbuf *m)
{
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &m, 1), 1);
	return rte_eth_rx_burst(port, 0, &m, 1) == 1 ? m : NULL;
}

/* ---------------------------------------------------------------- vectors */

struct loaded {
	struct esp_frame plain, cipher;
	struct engine_sa sa;
	uint8_t key[36];
	bool esn;
};

static void load(const struct esp_gcm_vector *v, struct loaded *l)
{
	uint8_t nonce[12], aad[12] = { 0 };
	size_t key_len = esp_hex(v->key, l->key, 32);

	(void)esp_hex(v->nonce, nonce, sizeof(nonce));
	size_t aad_len = esp_hex(v->aad, aad, sizeof(aad));
	struct reader r = rd_of(aad, sizeof(aad));
	l->esn = aad_len == 12;
	l->plain.spi = rd_u32(&r);
	l->plain.seq = rd_be(&r, l->esn ? 8 : 4);
	memcpy(l->plain.iv, nonce + 4, 8);
	memcpy(l->key + key_len, nonce, 4);
	l->cipher = l->plain;
	l->plain.len = (uint32_t)esp_hex(v->plain, l->plain.text, sizeof(l->plain.text));
	l->cipher.len = (uint32_t)esp_hex(v->cipher, l->cipher.text, sizeof(l->cipher.text));
	(void)esp_hex(v->icv, l->cipher.icv, 16);
	l->sa = esp_sa(&l->plain, false, key_len == 16 ? "aes-128-gcm" : "aes-256-gcm", l->esn);
	l->sa.key = (struct view){ l->key, key_len + 4 };
}

static void check_esp(struct rte_mbuf *m, const struct esp_frame *want, size_t len,
                      const char *what)
{
	struct rte_mbuf *w = esp_build(pool, want);

	ck_assert_msg(memcmp(esp_at(m, want), esp_at(w, want), len) == 0, "%s", what);
	rte_pktmbuf_free(w);
}

START_TEST(software_computes_published_vectors)
{
	const struct esp_gcm_vector *v = &esp_gcm_vectors[_i];
	struct loaded l = { 0 };

	load(v, &l);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct rte_mbuf *m = esp_build(pool, inbound ? &l.cipher : &l.plain);

		l.sa.inbound = inbound;
		struct engine_session *s = session(soft, &l.sa);
		struct engine_op op = esp_op(m, &l.plain, s, l.esn);
		if (v->aad[0] == '\0')
			op.aad_len = 0;
		(inbound ? soft->burst_in : soft->burst_out)(soft, &op, 1);
		ck_assert_msg(op.verdict == ENGINE_OK, "%s", v->name);
		check_esp(m, inbound ? &l.plain : &l.cipher,
		          inbound ? 16 + l.plain.len : 32 + l.plain.len, v->name);
		rte_pktmbuf_free(m);
		soft->session_del(soft, s);
	}
}
END_TEST

START_TEST(the_emulated_nic_computes_published_vectors)
{
	const struct esp_gcm_vector *v = &esp_gcm_vectors[_i];
	struct sa_runtime runtime = { 0 };
	struct loaded l = { 0 };

	load(v, &l);
	runtime.seq = l.plain.seq;
	l.sa.runtime = &runtime;
	struct engine_session *s = session(nic, &l.sa);
	struct rte_mbuf *m = esp_build(pool, &l.plain);
	struct engine_op op = esp_op(m, &l.plain, s, l.esn);
	nic->burst_out(nic, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s", v->name);
	m = through(m);
	ck_assert_msg(m != NULL, "%s", v->name);
	check_esp(m, &l.cipher, 32 + l.plain.len, v->name);
	nic->session_del(nic, s);

	struct engine_sa in = esp_sa(&l.plain, true, l.sa.cipher->name, l.esn);
	in.key = l.sa.key;
	in.runtime = &runtime;
	s = session(nic, &in);
	m->ol_flags = 0;
	m = through(m);
	op = esp_op(m, &l.plain, s, l.esn);
	nic->burst_in(nic, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s", v->name);
	check_esp(m, &l.plain, 16 + l.plain.len, v->name);
	rte_pktmbuf_free(m);
	nic->session_del(nic, s);
}
END_TEST

/* ---------------------------------------------------------------- each against the other */

static const struct {
	const char *what, *cipher;
	bool v6, udp, esn, options;
} kinds[] = {
	{ "v4", "aes-128-gcm", false, false, false, false },
	{ "v4, 256", "aes-256-gcm", false, false, false, false },
	{ "v6", "aes-128-gcm", true, false, false, false },
	{ "v4 in UDP", "aes-128-gcm", false, true, false, false },
	{ "v6 in UDP, ESN", "aes-256-gcm", true, true, true, false },
	{ "v4, ESN, options", "aes-128-gcm", false, false, true, true },
	{ "v6, extension header", "aes-256-gcm", true, false, false, true },
};

static const uint32_t text_lens[] = { 4, 20, 64, 252, 512, 1420, 1500 };

static struct esp_frame of_kind(int kind, uint32_t len, uint32_t seed)
{
	struct esp_frame f = { .spi = 0x12345600u + seed,
		               .seq = kinds[kind].esn ? 0x5fffffff0ull + seed : 1000 + seed,
		               .v6 = kinds[kind].v6,
		               .udp = kinds[kind].udp,
		               .options = kinds[kind].options };

	esp_fill(&f, len, seed);
	return f;
}

START_TEST(what_one_engine_encrypts_the_other_decrypts)
{
	for (uint32_t i = 0; i < 2 * ARRAY_LEN(text_lens); i++) {
		struct esp_frame f = of_kind(_i, text_lens[i / 2], i);
		struct engine *from = i & 1 ? nic : soft, *to = i & 1 ? soft : nic;
		struct sa_runtime runtime = { .seq = f.seq - 1 };
		struct engine_sa out = esp_sa(&f, false, kinds[_i].cipher, kinds[_i].esn);
		struct engine_sa in = esp_sa(&f, true, kinds[_i].cipher, kinds[_i].esn);

		out.runtime = in.runtime = &runtime;
		struct engine_session *so = session(from, &out), *si = session(to, &in);
		struct rte_mbuf *m = esp_build(pool, &f);
		struct engine_op op = esp_op(m, &f, so, kinds[_i].esn);
		from->burst_out(from, &op, 1);
		ck_assert_int_eq(op.verdict, ENGINE_OK);
		m = through(m);
		ck_assert_msg(m != NULL, "%s, %u bytes", kinds[_i].what, f.len);
		op = esp_op(m, &f, si, kinds[_i].esn);
		to->burst_in(to, &op, 1);
		ck_assert_msg(op.verdict == ENGINE_OK, "%s, %u bytes, %s to %s: %u", kinds[_i].what,
		              f.len, from->name, to->name, op.verdict);
		check_esp(m, &f, 16 + f.len, kinds[_i].what);
		rte_pktmbuf_free(m);
		from->session_del(from, so);
		to->session_del(to, si);
	}
}
END_TEST

START_TEST(any_changed_bit_is_found_by_both)
{
	struct esp_frame f = of_kind(0, 64, 9);
	struct engine_sa out = esp_sa(&f, false, "aes-128-gcm", false);
	struct engine_sa in = esp_sa(&f, true, "aes-128-gcm", false);
	struct engine_session *so = session(soft, &out);
	struct engine_session *ss = session(soft, &in), *sn = session(nic, &in);

	/* sequence number, IV, text, ICV; another SPI would be another SA */
	for (uint32_t bit = 32; bit < (32 + f.len) * 8; bit += bit % 5 + 1) {
		struct rte_mbuf *m = esp_build(pool, &f);
		struct engine_op op = esp_op(m, &f, so, false);

		soft->burst_out(soft, &op, 1);
		uint8_t *esp = esp_at(m, &f);
		esp[bit / 8] ^= (uint8_t)(1u << bit % 8);
		struct rte_mbuf *copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
		op = esp_op(copy, &f, ss, false);
		memcpy(op.aad, esp_at(copy, &f), 8);
		soft->burst_in(soft, &op, 1);
		ck_assert_msg(op.verdict == ENGINE_BAD_ICV, "software, bit %u", bit);
		rte_pktmbuf_free(copy);

		m = through(m);
		op = esp_op(m, &f, sn, false);
		nic->burst_in(nic, &op, 1);
		ck_assert_msg(op.verdict == ENGINE_BAD_ICV, "inline, bit %u", bit);
		ck_assert(m->ol_flags & RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED);
		rte_pktmbuf_free(m);
	}
	ck_assert_uint_eq(eal_xstat(port, "rx_sec_ok"), 0);
	soft->session_del(soft, so);
	soft->session_del(soft, ss);
	nic->session_del(nic, sn);
}
END_TEST

START_TEST(a_burst_over_many_sas_gives_each_packet_its_own_key)
{
	enum { N = 50 };
	struct engine_session *so[N], *si[N];
	struct engine_op ops[N];
	struct esp_frame f[N];

	for (uint32_t i = 0; i < N; i++) {
		f[i] = of_kind(0, 64 + 4 * i, i);
		struct engine_sa out =
		        esp_sa(&f[i], false, i & 1 ? "aes-128-gcm" : "aes-256-gcm", false);
		uint8_t key[36] = { (uint8_t)i };
		out.key = (struct view){ key, out.key.len };
		so[i] = session(soft, &out);
		out.inbound = true;
		si[i] = session(soft, &out);
		ops[i] = esp_op(esp_build(pool, &f[i]), &f[i], so[i], false);
	}
	soft->burst_out(soft, ops, N);
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_int_ne(memcmp(ops[i].payload, f[i].text, f[i].len), 0);
		ops[i].session = si[i];
	}
	soft->burst_in(soft, ops, N);
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_int_eq(ops[i].verdict, ENGINE_OK);
		ck_assert_mem_eq(ops[i].payload, f[i].text, f[i].len);
		rte_pktmbuf_free(ops[i].m);
		soft->session_del(soft, so[i]);
		soft->session_del(soft, si[i]);
	}
}
END_TEST

START_TEST(software_leaves_alone_what_the_nic_has_decrypted)
{
	struct esp_frame f = of_kind(0, 200, 3);
	struct engine_sa out = esp_sa(&f, false, "aes-128-gcm", false);
	struct engine_sa in = esp_sa(&f, true, "aes-128-gcm", false);
	struct engine_session *so = session(soft, &out), *si = session(soft, &in);
	struct engine_session *sn = session(nic, &in);
	struct rte_mbuf *m = esp_build(pool, &f);
	struct engine_op op = esp_op(m, &f, so, false);

	soft->burst_out(soft, &op, 1);
	m = through(m); /* the NIC decrypts; meanwhile the SA falls back to software */
	nic->session_del(nic, sn);
	op = esp_op(m, &f, si, false);
	soft->burst_in(soft, &op, 1);
	ck_assert_int_eq(op.verdict, ENGINE_OK);
	check_esp(m, &f, 16 + f.len, "decrypted once");
	rte_pktmbuf_free(m);
	soft->session_del(soft, so);
	soft->session_del(soft, si);
}
END_TEST

TESTS_OF(engine)
{
	TCase *tc = tcase_create("engine");

	eal_for(tc);
	tcase_add_checked_fixture(tc, engines_up, engines_down);
	tcase_add_loop_test(tc, software_computes_published_vectors, 0,
	                    (int)ARRAY_LEN(esp_gcm_vectors));
	tcase_add_loop_test(tc, the_emulated_nic_computes_published_vectors, 0,
	                    ESP_GCM_VECTORS_ESP);
	tcase_add_loop_test(tc, what_one_engine_encrypts_the_other_decrypts, 0,
	                    (int)ARRAY_LEN(kinds));
	tcase_add_test(tc, any_changed_bit_is_found_by_both);
	tcase_add_test(tc, a_burst_over_many_sas_gives_each_packet_its_own_key);
	tcase_add_test(tc, software_leaves_alone_what_the_nic_has_decrypted);
	return tc;
}
