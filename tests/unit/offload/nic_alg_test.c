// SPDX-License-Identifier: BSD-2-Clause
/* The inline engine on the emulated NIC, for every suite that it takes, against the software engine
 * and OpenSSL; and why it does not take the others. */
#include "alg_packet.h"
#include "eal.h"
#include "emu_port.h"
#include "esp_frame.h"
#include "nic_xform.h"
#include "runner.h"

#include <rte_ethdev.h>
#include <string.h>

static struct rte_mempool *pool;
static uint16_t port;
static struct engine *soft, *nic;
static struct alg_suite suites[2 * ALG_SUITES_MAX];
static size_t suites_n;

static void up(const char *profile)
{
	struct why why = { 0 };

	suites_n = alg_suites(suites);
	pool = eal_pool(1023);
	port = eal_loop(profile, pool);
	ck_assert_msg(engine_soft_open(&soft, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(engine_inline_open(port, &nic, &why) == ERR_OK, "%s", why.text);
}

static void down(void)
{
	engine_close(soft);
	engine_close(nic);
	emu_port_close(port);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 1023);
}

/* ---------------------------------------------------------------- one packet */

/* The outer headers of the suite's packets: each shape in turn. */
static struct esp_frame shape_of(const struct alg_packet *p)
{
	size_t i = (size_t)(p->suite - suites) / 2;

	return (struct esp_frame){ .spi = p->spi, .v6 = i & 1, .udp = i >> 1 & 1, .dst_last = 1 };
}

static struct engine_sa sa_of(const struct alg_packet *p, bool inbound)
{
	struct esp_frame f = shape_of(p);
	struct engine_sa sa = alg_packet_sa(p, inbound);
	struct engine_sa outer = esp_sa(&f, inbound, "aes-128-gcm", false);

	sa.udp_encap = outer.udp_encap;
	sa.local_port = sa.remote_port = 4500;
	sa.local = outer.local;
	sa.remote = outer.remote;
	return sa;
}

static struct engine_session *session(struct engine *e, const struct alg_packet *p, bool inbound,
                                      const struct sa_runtime *runtime)
{
	struct engine_sa sa = sa_of(p, inbound);
	struct engine_session *s = NULL;
	struct why why = { 0 };

	sa.runtime = runtime;
	ck_assert_msg(e->session_add(e, &sa, &s, &why) == ERR_OK, "%s: %s", p->suite->name,
	              why.text);
	return s;
}

static struct rte_mbuf *frame_of(const struct alg_packet *p)
{
	struct esp_frame f = shape_of(p);

	return esp_wrap(pool, &f, (struct view){ p->at, p->m.data_len });
}

static uint8_t *esp_in(struct rte_mbuf *m, const struct alg_packet *p)
{
	return rte_pktmbuf_mtod(m, uint8_t *) + m->data_len - p->m.data_len;
}

/* What the ESP code would ask for the packet in m. */
static struct engine_op op_in(struct rte_mbuf *m, struct alg_packet *p, struct engine_session *s)
{
	struct engine_op op = alg_packet_op(p, s, false);
	uint8_t *esp = esp_in(m, p);

	op.m = m;
	op.iv = esp + (p->iv - p->at);
	op.icv = esp + (p->icv - p->at);
	if (op.payload)
		op.payload = esp + (op.payload - p->at);
	if (op.auth)
		op.auth = esp + (op.auth - p->at);
	return op;
}

static struct rte_mbuf *through(struct rte_mbuf *m)
{
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &m, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(port, 0, &m, 1), 1);
	return m;
}

static void same(struct rte_mbuf *m, const struct alg_packet *want, size_t len, const char *what)
{
	const uint8_t *got = esp_in(m, want);
	size_t i = 0;

	while (i < len && got[i] == want->at[i])
		i++;
	ck_assert_msg(i == len, "%s, %s, %u bytes: differs at %zu", what, want->suite->name,
	              want->text_len, i);
}

/* ---------------------------------------------------------------- tests */

static bool nic_has(const struct alg_suite *s)
{
	return s->cipher && (s->cipher->use & ALG_INLINE) &&
	       (s->integ ? (s->integ->use & ALG_INLINE) != 0 : s->cipher->icv_len != 0);
}

/* The NIC's packets are the software engine's and OpenSSL's, and each opens the other's. */
static void compare(struct alg_packet *p, struct alg_packet *sealed)
{
	struct sa_runtime runtime = { .seq = p->seq - 1 };
	size_t len = p->m.data_len, text_end = len - p->icv_len;
	struct engine_session *out = session(nic, p, false, &runtime);
	struct rte_mbuf *m = frame_of(p);
	struct engine_op op = op_in(m, p, out);

	nic->burst_out(nic, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s: %u", p->suite->name, op.verdict);
	/* a part is told where the outer IP header ends */
	ck_assert_ptr_eq(rte_pktmbuf_mtod(m, uint8_t *) + m->l2_len + m->l3_len +
	                         (shape_of(p).udp ? 8 : 0),
	                 esp_in(m, p));
	m = through(m);
	same(m, sealed, len, "sealed by the NIC");
	nic->session_del(nic, out);

	struct engine_session *soft_in = session(soft, p, true, NULL);
	op = op_in(m, p, soft_in);
	soft->burst_in(soft, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s: %u", p->suite->name, op.verdict);
	same(m, p, text_end, "opened by software");
	soft->session_del(soft, soft_in);
	rte_pktmbuf_free(m);

	struct engine_session *soft_out = session(soft, p, false, NULL);
	struct engine_session *in = session(nic, p, true, &runtime);
	m = frame_of(p);
	op = op_in(m, p, soft_out);
	soft->burst_out(soft, &op, 1);
	same(m, sealed, len, "sealed by software");
	m = through(m);
	op = op_in(m, p, in);
	nic->burst_in(nic, &op, 1);
	ck_assert_msg(op.verdict == ENGINE_OK, "%s, %u bytes: %u", p->suite->name, p->text_len,
	              op.verdict);
	same(m, p, text_end, "opened by the NIC");
	rte_pktmbuf_free(m);
	soft->session_del(soft, soft_out);
	nic->session_del(nic, in);
}

START_TEST(the_nic_and_software_agree)
{
	static const uint32_t lens[] = { 4, 16, 32, 48, 64, 100, 128, 512, 1008, 1424, 1440 };

	up("generic");
	for (size_t i = 0; i < suites_n; i++)
		for (uint32_t l = 0; l < ARRAY_LEN(lens); l++) {
			struct alg_packet p, sealed;

			if (!nic_has(&suites[i]) || !alg_fits(&suites[i], lens[l]))
				continue;
			alg_packet_init(&p, &suites[i], lens[l], l);
			alg_packet_init(&sealed, &suites[i], lens[l], l);
			alg_packet_seal(&sealed);
			compare(&p, &sealed);
			alg_packet_done(&p);
			alg_packet_done(&sealed);
		}
	down();
}
END_TEST

/* From the sequence number on: another SPI would be another SA. */
START_TEST(the_nic_finds_any_changed_byte)
{
	up("generic");
	for (size_t i = 0; i < suites_n; i++) {
		struct alg_packet p;

		if (!nic_has(&suites[i]))
			continue;
		alg_packet_init(&p, &suites[i], 48, 5);
		alg_packet_seal(&p);
		struct sa_runtime runtime = { .seq = p.seq - 1 };
		struct engine_session *in = session(nic, &p, true, &runtime);
		for (size_t b = 4; b < p.m.data_len; b++) {
			struct rte_mbuf *m = frame_of(&p);

			esp_in(m, &p)[b] ^= (uint8_t)(1u << b % 8);
			m = through(m);
			struct engine_op op = op_in(m, &p, in);
			nic->burst_in(nic, &op, 1);
			ck_assert_msg(op.verdict == ENGINE_BAD_ICV, "%s: byte %zu: %u",
			              suites[i].name, b, op.verdict);
			rte_pktmbuf_free(m);
		}
		nic->session_del(nic, in);
		alg_packet_done(&p);
	}
	down();
}
END_TEST

/* Too short for the SA, or no whole blocks: a part says "failed" and touches nothing outside. */
START_TEST(the_nic_refuses_what_cannot_be_a_packet_of_the_sa)
{
	up("generic");
	for (size_t i = 0; i < suites_n; i++) {
		struct alg_packet p;

		if (!nic_has(&suites[i]))
			continue;
		alg_packet_init(&p, &suites[i], 64, 5);
		struct sa_runtime runtime = { .seq = p.seq - 1 };
		struct engine_session *in = session(nic, &p, true, &runtime);
		struct esp_frame f = shape_of(&p);
		for (size_t len = 24; len < p.m.data_len; len++) {
			struct rte_mbuf *m =
			        through(esp_wrap(pool, &f, (struct view){ p.at, len }));
			struct engine_op op = { .m = m, .session = in };

			nic->burst_in(nic, &op, 1);
			ck_assert_msg(op.verdict == ENGINE_BAD_ICV, "%s: %zu bytes: %u",
			              suites[i].name, len, op.verdict);
			rte_pktmbuf_free(m);
		}
		nic->session_del(nic, in);
		alg_packet_done(&p);
	}
	down();
}
END_TEST

static const char *const profiles[] = { "generic", "82599" };

START_TEST(what_a_profile_has_not_is_refused_with_its_reason)
{
	bool generic = _i == 0;

	up(profiles[_i]);
	for (size_t i = 0; i < suites_n; i++)
		for (int inbound = 0; inbound < 2; inbound++) {
			const struct alg_suite *s = &suites[i];
			struct why why = { 0 };
			struct alg_packet p;

			alg_packet_init(&p, s, 64, 1);
			struct engine_sa sa = sa_of(&p, inbound);
			sa.udp_encap = generic && sa.udp_encap;
			enum err e = nic->can(nic, &sa, &why);
			bool has = generic ? nic_has(s)
			                   : s->cipher && !s->esn && s->cipher->key_bits == 128 &&
			                             s->cipher->v2_id == ENCR_AES_GCM_16;
			ck_assert_msg(e == (has ? ERR_OK : ERR_UNSUPPORTED), "%s: %s", s->name,
			              why.text);
			ck_assert_msg(has == (why.text[0] == '\0'), "%s: %s", s->name, why.text);
			alg_packet_done(&p);
		}
	down();
}
END_TEST

static uint32_t integs_of(struct rte_crypto_param_range digest)
{
	const struct rte_cryptodev_capabilities list[] = {
		{ .op = RTE_CRYPTO_OP_TYPE_SYMMETRIC,
		  .sym = { .xform_type = RTE_CRYPTO_SYM_XFORM_AUTH,
		           .auth = { .algo = RTE_CRYPTO_AUTH_SHA256_HMAC,
		                     .key_size = { 1, 64, 1 },
		                     .digest_size = digest } } },
		{ .op = RTE_CRYPTO_OP_TYPE_UNDEFINED },
	};

	return nic_xform_integs(list);
}

START_TEST(only_an_icv_of_our_length_counts)
{
	uint32_t sha256 = 1u << (alg_integ_by_name("hmac-sha-256-128") - alg_integs);

	ck_assert_uint_eq(integs_of((struct rte_crypto_param_range){ 16, 16, 0 }), sha256);
	ck_assert_uint_eq(integs_of((struct rte_crypto_param_range){ 1, 32, 1 }), sha256);
	ck_assert_uint_eq(integs_of((struct rte_crypto_param_range){ 32, 32, 0 }), 0);
	ck_assert_uint_eq(integs_of((struct rte_crypto_param_range){ 12, 32, 20 }), 0);
}
END_TEST

TESTS_OF(nic_alg)
{
	TCase *tc = tcase_create("nic_alg");

	eal_for(tc);
	tcase_add_test(tc, the_nic_and_software_agree);
	tcase_add_test(tc, the_nic_finds_any_changed_byte);
	tcase_add_test(tc, the_nic_refuses_what_cannot_be_a_packet_of_the_sa);
	tcase_add_loop_test(tc, what_a_profile_has_not_is_refused_with_its_reason, 0,
	                    (int)ARRAY_LEN(profiles));
	tcase_add_test(tc, only_an_icv_of_our_length_counts);
	return tc;
}
