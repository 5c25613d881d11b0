// SPDX-License-Identifier: BSD-2-Clause
/* Two ports on the ends of one veth pair, in a network namespace of the test's own:
 *
 *     port a -- AF_XDP -- w0 ======= w1 -- AF_XDP -- port b
 */
#include "eal.h"
#include "emu_port.h"
#include "engine.h"
#include "esp_frame.h"
#include "port_meta.h"
#include "runner.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY 3

struct end {
	const char *iface;
	int map, prog;
	uint16_t port;
};

static struct rte_mempool *pool;
static struct end a = { .iface = "w0" }, b = { .iface = "w1" };

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* return bpf_redirect_map(&xsks, KEY, XDP_DROP) */
static void attach(struct end *e)
{
	e->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "xsks", 4, 4, 8, NULL);
	ck_assert_int_ge(e->map, 0);
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = e->map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = KEY },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	e->prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "to_xsk", "BSD", insns, ARRAY_LEN(insns), NULL);
	ck_assert_int_ge(e->prog, 0);
	int index = (int)if_nametoindex(e->iface);
	ck_assert_int_gt(index, 0);
	ck_assert_int_eq(bpf_xdp_attach(index, e->prog, XDP_FLAGS_DRV_MODE, NULL), 0);
}

static void open_port(struct end *e, const char *profile)
{
	struct emu_port_conf conf = { .name = e->iface,
		                      .profile = profile,
		                      .iface = e->iface,
		                      .xskmap_fd = e->map,
		                      .key = KEY };
	struct why why = { 0 };

	ck_assert_msg(emu_port_open(&conf, &e->port, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(emu_port_start(e->port, 2048, pool, &why) == ERR_OK, "%s", why.text);
}

static void veth_up(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	run("ip link add w0 mtu 3498 type veth peer name w1 mtu 3498");
	run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
	attach(&a);
	attach(&b);
	run("ip link set w0 up && ip link set w1 up");
	pool = eal_pool(16383);
	open_port(&a, "none");
	open_port(&b, "none");
}

static void veth_down(void)
{
	emu_port_close(a.port);
	emu_port_close(b.port);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), 16383);
	close(a.prog);
	close(a.map);
	close(b.prog);
	close(b.map);
}

/* Waits at most 5 s for one more frame. */
static struct rte_mbuf *receive(struct end *e)
{
	struct pollfd p = { .fd = emu_port_fd(e->port), .events = POLLIN };
	struct rte_mbuf *m = NULL;

	if (rte_eth_rx_burst(e->port, 0, &m, 1) == 1)
		return m;
	(void)poll(&p, 1, 5000);
	return rte_eth_rx_burst(e->port, 0, &m, 1) == 1 ? m : NULL;
}

static struct rte_mbuf *numbered(uint32_t number, size_t len)
{
	uint8_t bytes[4000] = { 0x08, 0x00 };

	memcpy(bytes + 2, &number, sizeof(number));
	bytes[len - 1] = 0x5a;
	struct rte_mbuf *m = eal_frame(pool, bytes, len);
	*port_meta(m) = (struct fabric_hdr){ .kind = FABRIC_WIRE_OUT, .tunnel = number };
	return m;
}

static void check(struct rte_mbuf *m, uint32_t number, size_t len)
{
	ck_assert_msg(m != NULL, "frame %u of %zu bytes did not arrive", number, len);
	ck_assert_uint_eq(m->pkt_len, 12 + len);
	ck_assert_uint_eq(port_meta(m)->tunnel, number);
	ck_assert_mem_eq(rte_pktmbuf_mtod_offset(m, void *, 14), &number, sizeof(number));
	ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(m, uint8_t *, 12 + len - 1), 0x5a);
	rte_pktmbuf_free(m);
}

static struct rte_mbuf *send_one(struct end *from, struct end *to, uint32_t number)
{
	struct rte_mbuf *m = numbered(number, 100);

	ck_assert_uint_eq(rte_eth_tx_burst(from->port, 0, &m, 1), 1);
	return receive(to);
}

START_TEST(frames_of_all_lengths_go_from_socket_to_socket)
{
	static const size_t lengths[] = { 48, 500, 1502, 1600, 3000, EMU_PORT_MTU + 14 - 12 };

	for (uint32_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct rte_mbuf *m = numbered(i, lengths[i]);

		ck_assert_uint_eq(rte_eth_tx_burst(a.port, 0, &m, 1), 1);
		check(receive(&b), i, lengths[i]);
	}
}
END_TEST

START_TEST(ten_thousand_frames_wrap_all_rings_in_order)
{
	uint32_t sent = 0, got = 0;

	while (got < 10000) {
		struct rte_mbuf *out[50];
		uint16_t n = (uint16_t)RTE_MIN(50u, 10000 - sent);

		for (uint16_t i = 0; i < n; i++)
			out[i] = numbered(sent + i, 300);
		ck_assert_uint_eq(rte_eth_tx_burst(a.port, 0, out, n), n);
		sent += n;
		while (got < sent)
			check(receive(&b), got++, 300);
	}
	struct rte_eth_stats stats;
	ck_assert_int_eq(rte_eth_stats_get(b.port, &stats), 0);
	ck_assert_uint_eq(stats.ipackets, 10000);
	ck_assert_uint_eq(stats.imissed, 0);
	ck_assert_int_eq(rte_eth_stats_get(a.port, &stats), 0);
	ck_assert_uint_eq(stats.opackets, 10000);
	ck_assert_uint_eq(emu_port_tx_waiting(a.port), 0);
}
END_TEST

START_TEST(a_received_frame_leaves_by_the_other_port_without_a_copy)
{
	struct rte_mbuf *m = numbered(1, 900);

	ck_assert_uint_eq(rte_eth_tx_burst(a.port, 0, &m, 1), 1);
	struct rte_mbuf *there = receive(&b);
	ck_assert_ptr_nonnull(there);
	ck_assert_uint_eq(rte_eth_tx_burst(b.port, 0, &there, 1), 1);
	check(receive(&a), 1, 900);
}
END_TEST

START_TEST(what_nobody_receives_in_time_is_counted_to_the_last_frame)
{
	struct rte_eth_stats stats = { 0 };
	uint32_t sent = 0, got = 0;

	/* nobody receives: after 2,048 frames b's fill ring is empty */
	while (sent < 4096) {
		struct rte_mbuf *m = numbered(sent, 100);

		if (rte_eth_tx_burst(a.port, 0, &m, 1) == 1)
			sent++;
		else
			rte_pktmbuf_free(m);
	}
	for (int i = 0; i < 2000 && stats.imissed < 2048; i++) {
		(void)usleep(10000);
		(void)rte_eth_tx_burst(a.port, 0, NULL, 0);
		ck_assert_int_eq(rte_eth_stats_get(b.port, &stats), 0);
	}
	for (struct rte_mbuf *m; rte_eth_rx_burst(b.port, 0, &m, 1) == 1; got++)
		rte_pktmbuf_free(m);
	ck_assert_uint_eq(got, 2048);
	ck_assert_uint_eq(got + stats.imissed, sent);
	ck_assert_uint_ge(eal_xstat(b.port, "rx_fill_ring_empty"), 1);
	check(send_one(&a, &b, 7), 7, 100);
}
END_TEST

START_TEST(a_port_comes_back_on_the_same_queue)
{
	for (uint32_t i = 0; i < 5; i++) {
		struct rte_mbuf *m = numbered(i, 100);

		emu_port_close(b.port);
		open_port(&b, "none");
		ck_assert_uint_eq(rte_eth_tx_burst(a.port, 0, &m, 1), 1);
		check(receive(&b), i, 100);
	}
}
END_TEST

/* In a process of its own: binds b's queue, says so, and waits for its death. */
static void predecessor(int ready)
{
	struct emu_port_conf conf = {
		.name = "dead", .profile = "none", .iface = b.iface, .xskmap_fd = b.map, .key = KEY
	};
	struct rte_mempool *own = NULL;
	uint16_t port;

	if (emu_port_pool("dead", 4095, &own, NULL) == ERR_OK &&
	    emu_port_open(&conf, &port, NULL) == ERR_OK &&
	    emu_port_start(port, 2048, own, NULL) == ERR_OK && write(ready, "", 1) == 1)
		(void)pause();
	_exit(1);
}

START_TEST(the_queue_of_a_killed_predecessor_is_taken_over)
{
	int ready[2], status;
	char byte;

	emu_port_close(b.port);
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0)
		predecessor(ready[1]);
	ck_assert_int_eq(close(ready[1]), 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	open_port(&b, "none"); /* the kernel may still be busy with the dead one */
	check(send_one(&a, &b, 9), 9, 100);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(ready[0]);
}
END_TEST

START_TEST(what_cannot_be_bound_says_why)
{
	struct emu_port_conf conf = {
		.name = "x", .profile = "none", .iface = "nowhere", .xskmap_fd = a.map, .key = KEY
	};
	struct why why = { 0 };
	uint16_t port;

	ck_assert_int_eq(emu_port_open(&conf, &port, &why), ERR_OK);
	ck_assert_int_ne(emu_port_start(port, 2048, pool, &why), ERR_OK);
	ck_assert_msg(strstr(why.text, "nowhere") != NULL, "%s", why.text);
	emu_port_close(port);

	emu_port_close(b.port);
	conf.iface = b.iface;
	conf.key = 8; /* the map has 0 to 7 */
	ck_assert_int_eq(emu_port_open(&conf, &port, &why), ERR_OK);
	ck_assert_int_ne(emu_port_start(port, 2048, pool, &why), ERR_OK);
	ck_assert_msg(strstr(why.text, "XSKMAP entry 8") != NULL, "%s", why.text);
	emu_port_close(port);
	open_port(&b, "none");
}
END_TEST

START_TEST(the_wire_sees_ciphertext_and_the_other_port_the_text)
{
	struct esp_frame f = { .spi = 0x1000, .seq = 1 };
	struct engine *ea, *eb;
	struct engine_session *out, *in;

	emu_port_close(a.port);
	emu_port_close(b.port);
	open_port(&a, "generic");
	open_port(&b, "82599");
	ck_assert_int_eq(engine_inline_open(a.port, &ea, NULL), ERR_OK);
	ck_assert_int_eq(engine_inline_open(b.port, &eb, NULL), ERR_OK);
	esp_fill(&f, 1420, 1);
	struct engine_sa sa = esp_sa(&f, false, "aes-128-gcm", false);
	ck_assert_int_eq(ea->session_add(ea, &sa, &out, NULL), ERR_OK);
	sa = esp_sa(&f, true, "aes-128-gcm", false);
	ck_assert_int_eq(eb->session_add(eb, &sa, &in, NULL), ERR_OK);
	for (f.seq = 1; f.seq <= 500; f.seq++) {
		struct rte_mbuf *m = esp_build(pool, &f);
		struct engine_op op = esp_op(m, &f, out, false);

		/* every fifth without its mark: the wire then carries the bytes as they are */
		if (f.seq % 5 != 0)
			ea->burst_out(ea, &op, 1);
		ck_assert_uint_eq(rte_eth_tx_burst(a.port, 0, &m, 1), 1);
		m = receive(&b);
		ck_assert_ptr_nonnull(m);
		op = esp_op(m, &f, in, false);
		eb->burst_in(eb, &op, 1);
		ck_assert_int_eq(op.verdict, f.seq % 5 ? ENGINE_OK : ENGINE_BAD_ICV);
		if (f.seq % 5)
			ck_assert_mem_eq(op.payload, f.text, f.len);
		rte_pktmbuf_free(m);
	}
	ck_assert_uint_eq(eal_xstat(a.port, "tx_sec_ok"), 400);
	ck_assert_uint_eq(eal_xstat(b.port, "rx_sec_ok"), 400);
	ck_assert_uint_eq(eal_xstat(b.port, "rx_sec_failed"), 100);
	ea->session_del(ea, out);
	eb->session_del(eb, in);
	engine_close(ea);
	engine_close(eb);
}
END_TEST

TESTS_OF(emu_afxdp)
{
	TCase *tc = tcase_create("emu_afxdp");

	eal_for(tc);
	tcase_add_checked_fixture(tc, veth_up, veth_down);
	tcase_add_test(tc, frames_of_all_lengths_go_from_socket_to_socket);
	tcase_add_test(tc, ten_thousand_frames_wrap_all_rings_in_order);
	tcase_add_test(tc, a_received_frame_leaves_by_the_other_port_without_a_copy);
	tcase_add_test(tc, what_nobody_receives_in_time_is_counted_to_the_last_frame);
	tcase_add_test(tc, a_port_comes_back_on_the_same_queue);
	tcase_add_test(tc, the_queue_of_a_killed_predecessor_is_taken_over);
	tcase_add_test(tc, what_cannot_be_bound_says_why);
	tcase_add_test(tc, the_wire_sees_ciphertext_and_the_other_port_the_text);
	return tc;
}
