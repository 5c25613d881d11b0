// SPDX-License-Identifier: BSD-2-Clause
#include "eal.h"
#include "emu_port.h"
#include "port_meta.h"
#include "runner.h"

#include <rte_ethdev.h>
#include <string.h>

static const uint8_t ip_frame[46] = { 0x08, 0x00, 0x45 };
static const struct fabric_hdr meta = { .kind = FABRIC_PLAIN_OUT, .anchor = 7, .tunnel = 42 };

START_TEST(a_frame_comes_back_with_its_fabric_header)
{
	struct rte_mempool *pool = eal_pool(8191);
	uint16_t port = eal_loop("none", pool);
	struct rte_mbuf *in[4], *out = eal_frame(pool, ip_frame, sizeof(ip_frame));

	*port_meta(out) = meta;
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &out, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(port, 0, in, 4), 1);
	ck_assert_mem_eq(port_meta(in[0]), &meta, sizeof(meta));
	ck_assert_mem_eq(rte_pktmbuf_mtod(in[0], void *), &meta, sizeof(meta));
	ck_assert_mem_eq(rte_pktmbuf_mtod_offset(in[0], void *, 12), ip_frame, sizeof(ip_frame));
	rte_pktmbuf_free(in[0]);
	struct rte_eth_stats stats;
	ck_assert_int_eq(rte_eth_stats_get(port, &stats), 0);
	ck_assert_uint_eq(stats.opackets, 1);
	ck_assert_uint_eq(stats.ipackets, 1);
	ck_assert_uint_eq(stats.ibytes, 12 + sizeof(ip_frame));
	emu_port_close(port);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}
END_TEST

START_TEST(two_ports_of_one_loop_are_joined)
{
	struct rte_mempool *pool = eal_pool(8191);
	struct emu_port_conf conf = { .name = "a", .profile = "none", .loop = "wire" };
	struct why why = { 0 };
	uint16_t a, b, c;

	ck_assert_int_eq(emu_port_open(&conf, &a, &why), ERR_OK);
	conf.name = "b";
	ck_assert_int_eq(emu_port_open(&conf, &b, &why), ERR_OK);
	conf.name = "c";
	ck_assert_int_ne(emu_port_open(&conf, &c, &why), ERR_OK);
	ck_assert_int_eq(emu_port_start(a, 2048, pool, &why), ERR_OK);
	ck_assert_int_eq(emu_port_start(b, 2048, pool, &why), ERR_OK);
	for (int i = 0; i < 3; i++) {
		struct rte_mbuf *m = eal_frame(pool, ip_frame, sizeof(ip_frame)), *got = NULL;

		ck_assert_uint_eq(rte_eth_tx_burst(i & 1 ? b : a, 0, &m, 1), 1);
		ck_assert_uint_eq(rte_eth_rx_burst(i & 1 ? a : b, 0, &got, 1), 1);
		ck_assert_ptr_eq(got, m);
		rte_pktmbuf_free(got);
	}
	emu_port_close(a);
	emu_port_close(b);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}
END_TEST

START_TEST(a_full_loop_takes_no_more_and_loses_nothing)
{
	struct rte_mempool *pool = eal_pool(8191);
	uint16_t port = eal_loop("none", pool);
	unsigned int taken = 0, got = 0;

	for (int i = 0; i < 6000; i++) {
		struct rte_mbuf *m = eal_frame(pool, ip_frame, sizeof(ip_frame));

		if (rte_eth_tx_burst(port, 0, &m, 1) == 1)
			taken++;
		else
			rte_pktmbuf_free(m);
	}
	ck_assert_uint_lt(taken, 6000);
	for (struct rte_mbuf *m; rte_eth_rx_burst(port, 0, &m, 1) == 1; got++)
		rte_pktmbuf_free(m);
	ck_assert_uint_eq(got, taken);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}
END_TEST

static const struct {
	const char *what, *counter;
	size_t len;
	unsigned int arrives;
} lengths[] = {
	{ "shorter than its header", "tx_short", 1, 0 },
	{ "the shortest", "tx_short", 2, 1 },
	{ "the longest: MTU + 18", "tx_too_long", EMU_PORT_MTU + 18 - 12, 1 },
	{ "one more", "tx_too_long", EMU_PORT_MTU + 18 - 12 + 1, 0 },
};

START_TEST(a_frame_that_would_vanish_is_refused_and_counted)
{
	static const uint8_t zeros[4000];
	struct rte_mempool *pool = eal_pool(8191);
	uint16_t port = eal_loop("none", pool);
	struct rte_mbuf *m = eal_frame(pool, zeros, lengths[_i].len);

	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &m, 1), 1);
	unsigned int got = rte_eth_rx_burst(port, 0, &m, 1);
	ck_assert_msg(got == lengths[_i].arrives, "%s: %u", lengths[_i].what, got);
	ck_assert_uint_eq(eal_xstat(port, lengths[_i].counter), 1 - lengths[_i].arrives);
	if (got)
		rte_pktmbuf_free(m);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}
END_TEST

START_TEST(a_shared_or_chained_frame_is_copied)
{
	struct rte_mempool *pool = eal_pool(8191);
	uint16_t port = eal_loop("none", pool);
	struct rte_mbuf *got[2], *m = eal_frame(pool, ip_frame, sizeof(ip_frame));

	rte_mbuf_refcnt_update(m, 1);
	struct rte_mbuf *shared = m;
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &shared, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(port, 0, got, 2), 1);
	ck_assert_ptr_ne(got[0], m);
	rte_pktmbuf_free(got[0]);

	struct rte_mbuf *chain = eal_frame(pool, ip_frame, sizeof(ip_frame));
	ck_assert_int_eq(rte_pktmbuf_chain(chain, m), 0);
	ck_assert_uint_eq(rte_eth_tx_burst(port, 0, &chain, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(port, 0, got, 2), 1);
	ck_assert_uint_eq(got[0]->nb_segs, 1);
	ck_assert_uint_eq(got[0]->data_len, 2 * (12 + sizeof(ip_frame)));
	rte_pktmbuf_free(got[0]);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 8191);
}
END_TEST

static const struct {
	struct emu_port_conf conf;
	const char *says;
} bad[] = {
	{ { .name = "a", .profile = "mlx5", .loop = "l" }, "none, generic or 82599" },
	{ { .name = "a b", .profile = "none", .loop = "l" }, "port name" },
	{ { .name = "a", .profile = "none" }, "one of interface or loop" },
	{ { .name = "a", .profile = "none", .loop = "l", .iface = "e" },
	  "one of interface or loop" },
	{ { .name = "a", .profile = "none", .iface = "e,key=3" }, "bad interface name" },
	{ { .name = "a", .profile = "none", .loop = "l", .mtu = 9000 }, "MTU 9000" },
};

START_TEST(a_bad_port_is_refused_with_a_reason)
{
	struct why why = { 0 };
	uint16_t port;

	ck_assert_int_ne(emu_port_open(&bad[_i].conf, &port, &why), ERR_OK);
	ck_assert_msg(strstr(why.text, bad[_i].says) != NULL, "%s", why.text);
}
END_TEST

TESTS_OF(emu_loop)
{
	TCase *tc = tcase_create("emu_loop");

	eal_for(tc);
	tcase_add_test(tc, a_frame_comes_back_with_its_fabric_header);
	tcase_add_test(tc, two_ports_of_one_loop_are_joined);
	tcase_add_test(tc, a_full_loop_takes_no_more_and_loses_nothing);
	tcase_add_loop_test(tc, a_frame_that_would_vanish_is_refused_and_counted, 0,
	                    (int)ARRAY_LEN(lengths));
	tcase_add_test(tc, a_shared_or_chained_frame_is_copied);
	tcase_add_loop_test(tc, a_bad_port_is_refused_with_a_reason, 0, (int)ARRAY_LEN(bad));
	return tc;
}
