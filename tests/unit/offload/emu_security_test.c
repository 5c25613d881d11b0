// SPDX-License-Identifier: BSD-2-Clause
/* The emulated NIC's limits and bad days, seen through the inline engine. */
#define ALLOW_EXPERIMENTAL_API 1 /* rte_security_session_stats_get() */
#include "caps.h"
#include "eal.h"
#include "emu_fault.h"
#include "emu_port.h"
#include "engine.h"
#include "esp_frame.h"
#include "runner.h"

#include <rte_ethdev.h>
#include <rte_security.h>
#include <string.h>

static struct rte_mempool *pool;
static uint16_t port;
static struct engine *nic, *soft;

static void nic_up(const char *profile)
{
	struct why why = { 0 };

	pool = eal_pool(8191);
	port = eal_loop(profile, pool);
	ck_assert_msg(engine_inline_open(port, &nic, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(engine_soft_open(&soft, &why) == ERR_OK, "%s", why.text);
}

static void nic_down(void)
{
	engine_close(nic);
	engine_close(soft);
	emu_port_close(port);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}

static enum err try_add(const struct engine_sa *sa, struct engine_session **ret, struct why *why)
{
	*why = (struct why){ 0 };
	return nic->session_add(nic, sa, ret, why);
}

static struct engine_session *add(const struct engine_sa *sa)
{
	struct engine_session *s = NULL;
	struct why why = { 0 };

	ck_assert_msg(try_add(sa, &s, &why) == ERR_OK, "%s", why.text);
	return s;
}

static struct esp_frame frame(uint32_t spi)
{
	struct esp_frame f = { .spi = spi, .seq = spi };

	esp_fill(&f, 100, spi);
	return f;
}

/* Encrypted by software, over the wire; what the inline engine says of it. */
static enum engine_verdict arrives(const struct esp_frame *f, struct engine_session *si, bool esn)
{
	struct engine_sa out = esp_sa(f, false, "aes-128-gcm", esn);
	struct engine_session *so = NULL;
	struct rte_mbuf *m = esp_build(pool, f);

	ck_assert_int_eq(soft->session_add(soft, &out, &so, NULL), ERR_OK);
	struct engine_op op = esp_op(m, f, so, esn);
	soft->burst_out(soft, &op, 1);
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &m, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(port, 0, &m, 1), 1);
	op = esp_op(m, f, si, esn);
	nic->burst_in(nic, &op, 1);
	bool readable = memcmp(op.payload, f->text, f->len) == 0;
	ck_assert_msg(op.verdict == ENGINE_BAD_ICV || readable == (op.verdict == ENGINE_OK),
	              "verdict %u", op.verdict);
	rte_pktmbuf_free(m);
	soft->session_del(soft, so);
	return op.verdict;
}

/* ---------------------------------------------------------------- limits */

static const struct {
	const char *profile, *cipher;
	bool esn, udp;
	const char *why; /* NULL: it can */
} wants[] = {
	{ "generic", "aes-128-gcm", false, false, NULL },
	{ "generic", "aes-256-gcm", true, true, NULL },
	{ "generic", "aes-192-gcm", false, false, NULL },
	{ "generic", "chacha20-poly1305", false, false,
	  "the NIC does not encrypt chacha20-poly1305" },
	{ "generic", "aes-128-gcm-iiv", false, false,
	  "a NIC takes the IV from the packet, where an implicit one is not" },
	{ "generic", "aes-128-cbc", false, false,
	  "encryption without authentication is done in software only" },
	{ "82599", "aes-128-gcm", false, false, NULL },
	{ "82599", "aes-256-gcm", false, false, "the NIC does not encrypt aes-256-gcm" },
	{ "82599", "aes-128-gcm", true, false, "the NIC has no extended sequence numbers" },
	{ "82599", "aes-128-gcm", false, true, "the NIC does not encrypt ESP in UDP" },
};

START_TEST(a_profile_says_what_it_takes_and_why_not)
{
	struct esp_frame f = frame(0x1000);
	struct engine_session *s = NULL;
	struct why why = { 0 };

	nic_up(wants[_i].profile);
	f.udp = wants[_i].udp;
	struct engine_sa sa = esp_sa(&f, false, wants[_i].cipher, wants[_i].esn);
	ck_assert_int_eq(nic->can(nic, &sa, &why), wants[_i].why ? ERR_UNSUPPORTED : ERR_OK);
	ck_assert_str_eq(why.text, wants[_i].why ? wants[_i].why : "");
	ck_assert_int_eq(try_add(&sa, &s, &why), wants[_i].why ? ERR_UNSUPPORTED : ERR_OK);
	if (s)
		nic->session_del(nic, s);
	nic_down();
}
END_TEST

START_TEST(a_port_without_inline_crypto_has_no_inline_engine)
{
	struct why why = { 0 };

	pool = eal_pool(8191);
	port = eal_loop("none", pool);
	ck_assert_int_eq(engine_inline_open(port, &nic, &why), ERR_UNSUPPORTED);
	ck_assert_str_eq(why.text, "the NIC has no inline crypto for ESP tunnels");
	emu_port_close(port);
}
END_TEST

static const struct {
	const char *profile;
	bool inbound;
	uint32_t sas;
} sizes[] = {
	{ "82599", false, 1024 },
	{ "82599", true, 1024 },
	{ "generic", true, 4096 },
};

START_TEST(a_full_table_refuses_and_takes_again)
{
	struct engine_session *s[4096], *more = NULL;
	struct why why = { 0 };

	nic_up(sizes[_i].profile);
	for (uint32_t i = 0; i < sizes[_i].sas; i++) {
		struct esp_frame f = frame(0x1000 + i);
		struct engine_sa sa = esp_sa(&f, sizes[_i].inbound, "aes-128-gcm", false);

		s[i] = add(&sa);
	}
	struct esp_frame f = frame(0x99999);
	struct engine_sa sa = esp_sa(&f, sizes[_i].inbound, "aes-128-gcm", false);
	ck_assert_int_eq(try_add(&sa, &more, &why), ERR_FULL);
	ck_assert_str_eq(why.text, "the NIC's SA table is full");
	nic->session_del(nic, s[7]);
	s[7] = add(&sa);
	if (sizes[_i].inbound) {
		struct esp_frame last = frame(0x1000 + sizes[_i].sas - 1), gone = frame(0x1007);

		ck_assert_int_eq(arrives(&last, s[sizes[_i].sas - 1], false), ENGINE_OK);
		ck_assert_int_eq(arrives(&gone, s[0], false), ENGINE_NOT_DONE);
		ck_assert_int_eq(arrives(&f, s[7], false), ENGINE_OK);
	}
	for (uint32_t i = 0; i < sizes[_i].sas; i++)
		nic->session_del(nic, s[i]);
	nic_down();
}
END_TEST

START_TEST(an_82599_has_128_receive_addresses)
{
	struct engine_session *s[129] = { 0 }, *more = NULL;
	struct why why = { 0 };

	nic_up("82599");
	for (uint32_t i = 0; i < 129; i++) {
		struct esp_frame f = frame(0x1000 + i);

		f.dst_last = (uint8_t)(i + 10);
		struct engine_sa sa = esp_sa(&f, true, "aes-128-gcm", false);
		enum err e = try_add(&sa, &s[i], &why);
		ck_assert_msg(e == (i < 128 ? ERR_OK : ERR_FULL), "address %u: %s", i, why.text);
	}
	/* a second SA of an address that is there costs none */
	struct esp_frame f = frame(0x7777);
	f.dst_last = 10;
	struct engine_sa sa = esp_sa(&f, true, "aes-128-gcm", false);
	more = add(&sa);
	nic->session_del(nic, more);
	/* and one that nobody uses any more is free for another */
	nic->session_del(nic, s[5]);
	f.dst_last = 250;
	sa = esp_sa(&f, true, "aes-128-gcm", false);
	s[5] = add(&sa);
	for (uint32_t i = 0; i < 128; i++)
		nic->session_del(nic, s[i]);
	nic_down();
}
END_TEST

static const struct {
	const char *what, *profile;
	struct esp_frame f;
	enum engine_verdict want;
} shapes[] = {
	{ "plain", "82599", { 0 }, ENGINE_OK },
	{ "v6", "82599", { .v6 = true }, ENGINE_OK },
	{ "IP options", "82599", { .options = true }, ENGINE_NOT_DONE },
	{ "v6 extension header", "82599", { .v6 = true, .options = true }, ENGINE_NOT_DONE },
	{ "fragment", "82599", { .fragment = true }, ENGINE_NOT_DONE },
	{ "in UDP, for an SA without", "82599", { .udp = true }, ENGINE_NOT_DONE },
	{ "IP options", "generic", { .options = true }, ENGINE_OK },
	{ "fragment", "generic", { .fragment = true }, ENGINE_NOT_DONE },
	{ "v6 fragment", "generic", { .v6 = true, .fragment = true }, ENGINE_NOT_DONE },
	{ "in UDP, for an SA without", "generic", { .udp = true }, ENGINE_NOT_DONE },
	{ "another destination", "generic", { .dst_last = 9 }, ENGINE_NOT_DONE },
};

START_TEST(what_a_part_cannot_it_hands_up_as_it_came)
{
	struct esp_frame f = frame(0x1000), sa_frame = { .spi = 0x1000, .v6 = shapes[_i].f.v6 };

	nic_up(shapes[_i].profile);
	f.v6 = shapes[_i].f.v6;
	f.udp = shapes[_i].f.udp;
	f.options = shapes[_i].f.options;
	f.fragment = shapes[_i].f.fragment;
	f.dst_last = shapes[_i].f.dst_last;
	struct engine_sa sa = esp_sa(&sa_frame, true, "aes-128-gcm", false);
	struct engine_session *s = add(&sa);
	enum engine_verdict got = arrives(&f, s, false);
	ck_assert_msg(got == shapes[_i].want, "%s, %s: %u", shapes[_i].profile, shapes[_i].what,
	              got);
	ck_assert_uint_eq(eal_xstat(port, "rx_sec_missed"), got == ENGINE_NOT_DONE);
	nic->session_del(nic, s);
	nic_down();
}
END_TEST

/* ---------------------------------------------------------------- ESN */

START_TEST(the_high_half_is_inferred_over_its_turn)
{
	static const uint64_t seqs[] = { 0x1fffffffeull, 0x1ffffffffull, 0x200000000ull,
		                         0x200000001ull, 0x1fffffff0ull, 0x27fffffffull,
		                         0x2ffffff00ull, 0x300000005ull };
	struct sa_runtime runtime = { .seq = 0x1fffffffdull };
	struct esp_frame f = frame(0x1000);

	nic_up("generic");
	struct engine_sa sa = esp_sa(&f, true, "aes-128-gcm", true);
	sa.runtime = &runtime;
	struct engine_session *s = add(&sa);
	for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
		f.seq = seqs[i];
		enum engine_verdict got = arrives(&f, s, true);
		ck_assert_msg(got == ENGINE_OK, "0x%lx: %u", f.seq, got);
	}
	nic->session_del(nic, s);
	nic_down();
}
END_TEST

START_TEST(a_session_that_slept_is_told_where_the_numbers_are)
{
	struct sa_runtime runtime = { .seq = 5 };
	struct esp_frame f = frame(0x1000);

	nic_up("generic");
	struct engine_sa sa = esp_sa(&f, true, "aes-128-gcm", true);
	sa.runtime = &runtime;
	struct engine_session *s = add(&sa);
	f.seq = 6;
	ck_assert_int_eq(arrives(&f, s, true), ENGINE_OK);
	runtime.seq = 0x500000000ull; /* meanwhile another SPU took the SA far */
	f.seq = runtime.seq + 1;
	/* the first one is judged by the old number; it brings the update */
	ck_assert_int_eq(arrives(&f, s, true), ENGINE_BAD_ICV);
	ck_assert_int_eq(arrives(&f, s, true), ENGINE_OK);
	nic->session_del(nic, s);
	nic_down();
}
END_TEST

/* ---------------------------------------------------------------- statistics and faults */

START_TEST(a_session_counts_what_it_did)
{
	struct rte_security_ctx *ctx;
	struct esp_frame f = frame(0x1000);

	nic_up("generic");
	ctx = rte_eth_dev_get_sec_ctx(port);
	struct engine_sa in = esp_sa(&f, true, "aes-128-gcm", false);
	struct engine_sa out = esp_sa(&f, false, "aes-128-gcm", false);
	struct engine_session *si = add(&in), *so = add(&out);
	for (int i = 0; i < 3; i++) {
		struct rte_mbuf *m = esp_build(pool, &f);
		struct engine_op op = esp_op(m, &f, so, false);

		nic->burst_out(nic, &op, 1);
		ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &m, 1), 1);
		ck_assert_uint_eq(rte_eth_rx_burst(port, 0, &m, 1), 1);
		op = esp_op(m, &f, si, false);
		nic->burst_in(nic, &op, 1);
		ck_assert_int_eq(op.verdict, ENGINE_OK);
		rte_pktmbuf_free(m);
	}
	struct rte_security_stats stats;
	void *sec = *(void **)si; /* the session object is the engine session's first member */
	ck_assert_int_eq(rte_security_session_stats_get(ctx, sec, &stats), 0);
	ck_assert_uint_eq(stats.ipsec.ipackets, 3);
	ck_assert_uint_eq(stats.ipsec.ibytes, 3 * f.len);
	ck_assert_uint_eq(stats.ipsec.ierrors, 0);
	ck_assert_int_eq(rte_security_session_stats_get(ctx, *(void **)so, &stats), 0);
	ck_assert_uint_eq(stats.ipsec.opackets, 3);
	ck_assert_uint_eq(eal_xstat(port, "tx_sec_ok"), 3);
	ck_assert_uint_eq(eal_xstat(port, "rx_sec_ok"), 3);
	nic->session_del(nic, si);
	nic->session_del(nic, so);
	nic_down();
}
END_TEST

START_TEST(refused_sessions_and_passed_packets_count_down)
{
	struct esp_frame f = frame(0x1000);
	struct engine_session *s = NULL;
	struct why why = { 0 };

	nic_up("generic");
	struct engine_sa sa = esp_sa(&f, true, "aes-128-gcm", false);
	ck_assert_int_eq(emu_fault_inject(port, EMU_FAULT_REFUSE, 2, &why), ERR_OK);
	ck_assert_int_eq(try_add(&sa, &s, &why), ERR_FULL);
	ck_assert_int_eq(try_add(&sa, &s, &why), ERR_FULL);
	s = add(&sa);
	ck_assert_int_eq(emu_fault_inject(port, EMU_FAULT_PASS, 2, &why), ERR_OK);
	ck_assert_int_eq(arrives(&f, s, false), ENGINE_NOT_DONE);
	ck_assert_int_eq(arrives(&f, s, false), ENGINE_NOT_DONE);
	ck_assert_int_eq(arrives(&f, s, false), ENGINE_OK);
	nic->session_del(nic, s);
	nic_down();
}
END_TEST

/* Encrypts f inline and sends it. Whether a frame came out, and it was not in the clear. */
static bool leaves(const struct esp_frame *f, struct engine_session *so, uint8_t *ret_verdict)
{
	struct rte_mbuf *m = esp_build(pool, f);
	struct engine_op op = esp_op(m, f, so, false);

	nic->burst_out(nic, &op, 1);
	*ret_verdict = op.verdict;
	if (op.verdict != ENGINE_OK) {
		ck_assert((m->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0);
		rte_pktmbuf_free(m);
		return false;
	}
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &m, 1), 1);
	if (rte_eth_rx_burst(port, 0, &m, 1) == 0)
		return false;
	ck_assert_int_ne(memcmp(esp_at(m, f) + 16, f->text, f->len), 0);
	rte_pktmbuf_free(m);
	return true;
}

START_TEST(a_forgotten_table_lets_nothing_out_in_the_clear)
{
	struct esp_frame f = frame(0x1000);
	struct why why = { 0 };
	uint8_t verdict;

	nic_up("82599");
	struct engine_sa in = esp_sa(&f, true, "aes-128-gcm", false);
	f.dst_last = 9;
	struct engine_sa out = esp_sa(&f, false, "aes-128-gcm", false);
	struct engine_session *si = add(&in), *so = add(&out);
	ck_assert(leaves(&f, so, &verdict));
	ck_assert_int_eq(emu_fault_inject(port, EMU_FAULT_FORGET, 0, &why), ERR_OK);
	ck_assert(!leaves(&f, so, &verdict));
	ck_assert_uint_eq(eal_xstat(port, "tx_sec_errors"), 1);
	f.dst_last = 0;
	ck_assert_int_eq(arrives(&f, si, false), ENGINE_NOT_DONE);
	nic->session_del(nic, si);
	nic->session_del(nic, so);
	nic_down();
}
END_TEST

START_TEST(after_a_reset_packets_are_given_back_for_software)
{
	struct esp_frame f = frame(0x1000);
	struct why why = { 0 };
	uint8_t verdict;

	nic_up("generic");
	f.dst_last = 9;
	struct engine_sa out = esp_sa(&f, false, "aes-128-gcm", false);
	struct engine_session *so = add(&out);
	ck_assert_int_eq(emu_fault_inject(port, EMU_FAULT_RESET, 0, &why), ERR_OK);
	ck_assert(!leaves(&f, so, &verdict));
	ck_assert_int_eq(verdict, ENGINE_NOT_DONE);
	ck_assert_uint_eq(eal_xstat(port, "tx_sec_errors"), 0);
	nic->session_del(nic, so);
	so = add(&out);
	ck_assert(leaves(&f, so, &verdict));
	nic->session_del(nic, so);
	nic_down();
}
END_TEST

TESTS_OF(emu_security)
{
	TCase *tc = tcase_create("emu_security");

	eal_for(tc);
	tcase_add_loop_test(tc, a_profile_says_what_it_takes_and_why_not, 0, (int)ARRAY_LEN(wants));
	tcase_add_test(tc, a_port_without_inline_crypto_has_no_inline_engine);
	tcase_add_loop_test(tc, a_full_table_refuses_and_takes_again, 0, (int)ARRAY_LEN(sizes));
	tcase_add_test(tc, an_82599_has_128_receive_addresses);
	tcase_add_loop_test(tc, what_a_part_cannot_it_hands_up_as_it_came, 0,
	                    (int)ARRAY_LEN(shapes));
	tcase_add_test(tc, the_high_half_is_inferred_over_its_turn);
	tcase_add_test(tc, a_session_that_slept_is_told_where_the_numbers_are);
	tcase_add_test(tc, a_session_counts_what_it_did);
	tcase_add_test(tc, refused_sessions_and_passed_packets_count_down);
	tcase_add_test(tc, a_forgotten_table_lets_nothing_out_in_the_clear);
	tcase_add_test(tc, after_a_reset_packets_are_given_back_for_software);
	return tc;
}
