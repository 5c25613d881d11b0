// SPDX-License-Identifier: BSD-2-Clause
#include "expect.h"
#include "runner.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

static const struct frame esp = { .src = "198.51.100.9",
	                          .dst = "192.0.2.1",
	                          .protocol = 50,
	                          .spi = 0xa1b2c300 | ANCHOR_0,
	                          .payload = 64 };
static const struct frame unroutable_tunnel = {
	.src = "10.1.1.2", .dst = "10.4.0.5", .protocol = 17, .port = 53, .payload = 64
};

static void run(const struct frame *f, const char *on, uint8_t mac)
{
	uint8_t frame[FRAME_MAX];

	(void)bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, on, frame, frame_make(f, mac, frame));
}

static void take_descriptors(int fds[STEER_FDS])
{
	for (int i = 0; i < STEER_FDS; i++) {
		fds[i] = fcntl(steer_fd(bed.steer, (enum steer_fd)i), F_DUPFD_CLOEXEC, 3);
		ck_assert_int_ge(fds[i], 0);
	}
}

/* A new routing engine gets the descriptors and finds everything as it was. */
START_TEST(a_successor_finds_maps_and_programs_as_they_were)
{
	int fds[STEER_FDS];
	struct steer_counts before, after;
	struct steer *next = NULL;
	struct steer_iface iface;
	struct why why = { { 0 } };
	_Atomic uint64_t *alive;

	bed_reset();
	run(&esp, "eth-u", MAC_ETH_U);
	ck_assert_int_eq(steer_counters(bed.steer, &before), ERR_OK);
	take_descriptors(fds);
	steer_close(bed.steer);
	bed.steer = NULL;
	ck_assert_msg(steer_adopt(fds, &next, &why) == ERR_OK, "%s", why.text);
	bed.steer = next;
	ck_assert_int_eq(steer_counters(next, &after), ERR_OK);
	ck_assert_uint_gt(before.stat[STEER_AT_EDGE][STEER_IN], 0);
	ck_assert_mem_eq(before.stat[STEER_AT_EDGE], after.stat[STEER_AT_EDGE],
	                 sizeof(before.stat[STEER_AT_EDGE]));
	ck_assert_int_eq(steer_iface_get(next, bed_ifindex("eth-u"), &iface), ERR_OK);
	ck_assert_uint_eq(iface.zone, 1);
	ck_assert_int_eq(steer_alive(next, &alive), ERR_OK);
	ck_assert_uint_eq(alive[1], 1);
	/* Attaching again is no change: the very same program stays. */
	LIBBPF_OPTS(bpf_xdp_query_opts, q1);
	LIBBPF_OPTS(bpf_xdp_query_opts, q2);
	ck_assert_int_eq(bpf_xdp_query((int)bed_ifindex("eth-u"), 0, &q1), 0);
	ck_assert_msg(steer_attach(next, bed_ifindex("eth-u"), &iface, &why) == ERR_OK, "%s",
	              why.text);
	ck_assert_int_eq(bpf_xdp_query((int)bed_ifindex("eth-u"), 0, &q2), 0);
	ck_assert_uint_ne(q1.drv_prog_id, 0);
	ck_assert_uint_eq(q1.drv_prog_id, q2.drv_prog_id);
}
END_TEST

START_TEST(everything_is_found_again_by_id)
{
	uint32_t ids[STEER_FDS], again[STEER_FDS];
	struct steer *next = NULL;
	struct why why = { { 0 } };

	ck_assert_int_eq(steer_ids(bed.steer, ids), ERR_OK);
	ck_assert_msg(steer_adopt_ids(ids, &next, &why) == ERR_OK, "%s", why.text);
	ck_assert_int_eq(steer_ids(next, again), ERR_OK);
	ck_assert_mem_eq(ids, again, sizeof(ids));
	steer_close(next);
	next = NULL;
	ids[STEER_FD_tunnels] = 0xfffffff0;
	ck_assert_int_eq(steer_adopt_ids(ids, &next, &why), ERR_NOT_FOUND);
	ck_assert_msg(strstr(why.text, "tunnels") != NULL, "%s", why.text);
	ck_assert_ptr_null(next);
}
END_TEST

START_TEST(foreign_descriptors_are_refused_and_stay_the_callers)
{
	int fds[STEER_FDS];
	struct steer *next = NULL;
	struct why why = { { 0 } };

	take_descriptors(fds);
	int swap = fds[STEER_FD_tunnels];
	fds[STEER_FD_tunnels] = fds[STEER_FD_locals];
	fds[STEER_FD_locals] = swap;
	ck_assert_int_eq(steer_adopt(fds, &next, &why), ERR_VERSION);
	ck_assert_msg(strstr(why.text, "locals") && strstr(why.text, "tunnels"), "%s", why.text);
	fds[STEER_FD_locals] = fds[STEER_FD_tunnels];
	fds[STEER_FD_tunnels] = swap;
	int edge = fds[STEER_FD_hawser_edge];
	fds[STEER_FD_hawser_edge] = fds[STEER_FD_hawser_wire];
	ck_assert_int_eq(steer_adopt(fds, &next, &why), ERR_VERSION);
	/* Another value size under the same name: another version. */
	fds[STEER_FD_hawser_edge] = edge;
	fds[STEER_FD_tunnels] =
	        bpf_map_create(BPF_MAP_TYPE_HASH, "tunnels", sizeof(struct steer_hop), 12, 8, NULL);
	ck_assert_int_eq(steer_adopt(fds, &next, &why), ERR_VERSION);
	ck_assert_msg(strstr(why.text, "another version") != NULL, "%s", why.text);
	ck_assert_ptr_null(next);
	ck_assert_int_eq(fcntl(edge, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(a_newer_load_replaces_our_program_but_no_other)
{
	struct steer *second = NULL;
	struct steer_iface iface;
	struct why why = { { 0 } };
	uint32_t eth = bed_ifindex("eth-t"), lone;
	LIBBPF_OPTS(bpf_xdp_query_opts, now);

	ck_assert_msg(steer_open(&second, &why) == ERR_OK, "%s", why.text);
	ck_assert_int_eq(steer_iface_get(bed.steer, eth, &iface), ERR_OK);
	ck_assert_msg(steer_attach(second, eth, &iface, &why) == ERR_OK, "%s", why.text);
	uint32_t ids[STEER_FDS];
	ck_assert_int_eq(steer_ids(second, ids), ERR_OK);
	ck_assert_int_eq(bpf_xdp_query((int)eth, 0, &now), 0);
	ck_assert_uint_eq(now.drv_prog_id, ids[STEER_FD_hawser_edge]);
	ck_assert_msg(steer_attach(bed.steer, eth, &iface, &why) == ERR_OK, "%s", why.text);
	/* Somebody else's program. */
	struct bpf_insn pass[] = { { .code = 0xb7, .dst_reg = 0, .imm = XDP_PASS },
		                   { .code = 0x95 } };
	int prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, NULL);
	ck_assert_int_ge(prog, 0);
	bed_ip("link add lone type veth peer name lone-peer\nlink set lone up\n");
	lone = bed_ifindex("lone");
	ck_assert_int_eq(bpf_xdp_attach((int)lone, prog, XDP_FLAGS_DRV_MODE, NULL), 0);
	ck_assert_int_eq(steer_attach(second, lone, &iface, &why), ERR_BUSY);
	ck_assert_msg(strstr(why.text, "lone") && strstr(why.text, "xdp off"), "%s", why.text);
	bed_ip("link del lone\n");
	steer_close(second);
}
END_TEST

START_TEST(detaching_takes_program_and_entry_away)
{
	struct steer_iface iface = { .role = STEER_EDGE, .zone = 1 }, got;
	struct why why = { { 0 } };
	LIBBPF_OPTS(bpf_xdp_query_opts, now);

	bed_ip("link add lone type veth peer name lone-peer\nlink set lone up\n");
	uint32_t lone = bed_ifindex("lone");
	ck_assert_msg(steer_attach(bed.steer, lone, &iface, &why) == ERR_OK, "%s", why.text);
	ck_assert_int_eq(steer_iface_get(bed.steer, lone, &got), ERR_OK);
	ck_assert_msg(steer_detach(bed.steer, lone, &why) == ERR_OK, "%s", why.text);
	ck_assert_int_eq(bpf_xdp_query((int)lone, 0, &now), 0);
	ck_assert_uint_eq(now.prog_id, 0);
	ck_assert_int_eq(steer_iface_get(bed.steer, lone, &got), ERR_NOT_FOUND);
	ck_assert_msg(steer_detach(bed.steer, lone, &why) == ERR_OK, "again: %s", why.text);
	ck_assert_msg(steer_attach(bed.steer, lone, &iface, &why) == ERR_OK, "%s", why.text);
	bed_ip("link del lone\n");
	ck_assert_msg(steer_detach(bed.steer, lone, &why) == ERR_OK, "gone: %s", why.text);
	ck_assert_int_eq(steer_iface_get(bed.steer, lone, &got), ERR_NOT_FOUND);
	ck_assert_int_eq(steer_attach(bed.steer, lone, &iface, &why), ERR_NOT_FOUND);
	ck_assert_msg(strstr(why.text, "#") != NULL, "%s", why.text);
}
END_TEST

struct acquired {
	int n;
	struct steer_acquire last;
};

static void on_acquire(void *ctx, const struct steer_acquire *a)
{
	struct acquired *got = ctx;

	got->n++;
	got->last = *a;
}

START_TEST(traffic_without_an_sa_says_so_until_the_ring_is_full)
{
	static const uint8_t dst[4] = { 10, 4, 0, 5 };
	struct acquired got = { .n = 0 };
	struct why why = { { 0 } };
	struct pollfd fd = { .events = POLLIN };

	bed_reset();
	ck_assert_msg(steer_acquire_fd(bed.steer, &fd.fd, &why) == ERR_OK, "%s", why.text);
	(void)steer_acquire_read(bed.steer, 100000, on_acquire, &got);
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	run(&unroutable_tunnel, "eth-t", MAC_ETH_T);
	run(&unroutable_tunnel, "eth-t", MAC_ETH_T);
	run(&unroutable_tunnel, "eth-t", MAC_ETH_T);
	ck_assert_int_eq(poll(&fd, 1, 1000), 1);
	got.n = 0;
	ck_assert_int_eq(steer_acquire_read(bed.steer, 2, on_acquire, &got), 2);
	ck_assert_int_eq(steer_acquire_read(bed.steer, 2, on_acquire, &got), 1);
	ck_assert_int_eq(got.n, 3);
	ck_assert_uint_eq(got.last.tunnel, TUNNEL_3);
	ck_assert_uint_eq(got.last.ifindex, bed_ifindex("eth-t"));
	ck_assert_uint_eq(got.last.family, 4);
	ck_assert_mem_eq(got.last.dst, dst, 4);
	uint8_t frame[FRAME_MAX];
	size_t len = frame_make(&unroutable_tunnel, MAC_ETH_T, frame);
	int full = 0;
	for (int i = 0; i < 3000 && !full; i++)
		full = bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, "eth-t", frame, len).drop ==
		       DROP_ACQUIRE_FULL;
	ck_assert_msg(full, "a ring of %d bytes took 3000 events", STEER_ACQUIRE_RING);
	ck_assert_int_gt(steer_acquire_read(bed.steer, 100000, on_acquire, &got), 500);
}
END_TEST

struct hops {
	int n;
	struct addr last;
	uint64_t used_ms;
};

static void on_hop(void *ctx, uint32_t ifindex, const struct addr *next_hop, uint64_t used_ms)
{
	struct hops *h = ctx;

	(void)ifindex;
	h->n++;
	h->last = *next_hop;
	h->used_ms = used_ms;
}

START_TEST(next_hops_in_use_are_known_and_forgotten)
{
	const struct frame out = {
		.src = "10.1.1.2", .dst = "203.0.113.7", .protocol = 17, .payload = 64
	};
	struct hops h = { .n = 0 };
	char text[ADDR_TEXT_MAX];

	bed_reset();
	steer_nexthops(bed.steer, UINT64_MAX, 0, on_hop, &h);
	ck_assert_int_eq(h.n, 0);
	run(&out, "eth-t", MAC_ETH_T);
	steer_nexthops(bed.steer, 0, 1000, on_hop, &h);
	ck_assert_int_eq(h.n, 1);
	ck_assert_str_eq(addr_text(&h.last, text), "192.0.2.2");
	ck_assert_uint_gt(h.used_ms, 0);
	steer_nexthops(bed.steer, h.used_ms + 1000, 1000, on_hop, &h);
	ck_assert_int_eq(h.n, 2);
	steer_nexthops(bed.steer, h.used_ms + 1001, 1000, on_hop, &h);
	ck_assert_int_eq(h.n, 2);
	steer_nexthops(bed.steer, 0, 1000, on_hop, &h);
	ck_assert_int_eq(h.n, 2);
}
END_TEST

static void count_locals(void *ctx, uint16_t instance, const struct addr *a)
{
	int *n = ctx;

	(void)instance;
	(*n)++;
	ck_assert_int_eq(steer_local_del(bed.steer, 0, a), ERR_OK);
}

/* A predecessor's entries can be walked and taken away on the way. */
START_TEST(tables_can_be_walked_and_emptied)
{
	struct addr a = addr_v4(0x0a000001);
	int n = 0;

	for (int i = 0; i < 100; i++) {
		a.b[3] = (uint8_t)i;
		ck_assert_int_eq(steer_local_set(bed.steer, 0, &a), ERR_OK);
	}
	steer_local_each(bed.steer, count_locals, &n);
	ck_assert_int_eq(n, 106);
	n = 0;
	steer_local_each(bed.steer, count_locals, &n);
	ck_assert_int_eq(n, 0);
}
END_TEST

START_TEST(wrong_numbers_are_refused)
{
	struct why why = { { 0 } };

	ck_assert_int_eq(steer_port_set(bed.steer, STEER_SLOTS, 1, 1, &why), ERR_RANGE);
	ck_assert_int_ne(steer_port_set(bed.steer, 3, 99999, 0, &why), ERR_OK);
	ck_assert_msg(strstr(why.text, "99999") != NULL, "%s", why.text);
	ck_assert_int_eq(steer_manual_set(bed.steer, 0, 255, 0), ERR_RANGE);
	ck_assert_int_eq(steer_manual_set(bed.steer, 0, 16640, 0), ERR_RANGE);
	ck_assert_int_eq(steer_inbound_set(bed.steer, 0, NULL, NULL), ERR_RANGE);
	ck_assert_int_eq(steer_local_set(bed.steer, 0, &(struct addr){ 0 }), ERR_VALUE);
}
END_TEST

TESTS_OF(loader)
{
	TCase *tc = tcase_create("loader");

	tcase_add_unchecked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_test(tc, a_successor_finds_maps_and_programs_as_they_were);
	tcase_add_test(tc, everything_is_found_again_by_id);
	tcase_add_test(tc, foreign_descriptors_are_refused_and_stay_the_callers);
	tcase_add_test(tc, a_newer_load_replaces_our_program_but_no_other);
	tcase_add_test(tc, detaching_takes_program_and_entry_away);
	tcase_add_test(tc, traffic_without_an_sa_says_so_until_the_ring_is_full);
	tcase_add_test(tc, next_hops_in_use_are_known_and_forgotten);
	tcase_add_test(tc, tables_can_be_walked_and_emptied);
	tcase_add_test(tc, wrong_numbers_are_refused);
	return tc;
}
