// SPDX-License-Identifier: BSD-2-Clause
/* Where an SA ends: volume limits of either direction, and that no nonce is made twice, by whatever
 * number of SPUs and nodes (RFC 4301 4.4.2.1, RFC 4303 3.3.3, RFC 4106 3.1). */
#include "rig.h"
#include "seal.h"

#include <stdlib.h>

static struct rte_mbuf *sealed(struct rig *rig, uint64_t seq)
{
	struct seal_spec s = { .seq = seq };
	uint8_t p[SEAL_MAX];

	return rig_mbuf(rig, RIG_IN, p, seal_make(&s, p));
}

static struct rte_mbuf *plain(struct rig *rig)
{
	struct plain_spec s = { .payload = 72 }; /* 100 bytes */
	uint8_t p[SEAL_MAX];

	return rig_mbuf(rig, RIG_OUT, p, plain_make(&s, p));
}

static bool told(struct rig *rig, uint32_t kind, uint32_t slot)
{
	struct spu_event e;

	while (spu_event_pop(&rig->node->spu[0].events, &e))
		if (e.kind == kind && e.arg == slot)
			return true;
	return false;
}

/* Sends n packets as one burst; returns how many go on. */
static uint16_t send_burst(struct rig *rig, enum rig_road which, uint64_t first, uint16_t n)
{
	struct rte_mbuf *in[BURST], *out[BURST];

	for (uint16_t i = 0; i < n; i++)
		in[i] = which == RIG_IN ? sealed(rig, first + i) : plain(rig);
	uint16_t got = which == RIG_IN ? inbound_run(&rig->roads, in, n, out)
	                               : outbound_run(&rig->roads, in, n, out);
	rte_pktmbuf_free_bulk(out, got);
	rig->roads.now_ms += 1000; /* an SA may be told about again */
	return got;
}

static const struct {
	const char *what;
	enum rig_road road;
	bool by_bytes;
} limits[] = {
	{ "packets, inbound", RIG_IN, false },
	{ "packets, outbound", RIG_OUT, false },
	{ "bytes, inbound", RIG_IN, true },
	{ "bytes, outbound", RIG_OUT, true },
};

/* 50 packets of 100 bytes are the limit, 45 the soft one. */
START_TEST(an_sa_stops_at_its_hard_limit_and_says_so_before)
{
	enum rig_road road = limits[_i].road;
	struct rig *rig = rig_new(RIG_SOFT);
	struct rig_sa spec = { .window = 128 };
	struct sa *trial = rig_sa(rig, &spec);
	ck_assert_uint_eq(send_burst(rig, road, 1, 1), 1);
	uint64_t size = (road == RIG_IN ? &trial->in : &trial->out)->runtime->bytes;
	if (limits[_i].by_bytes) {
		spec.soft_bytes = 45 * size;
		spec.hard_bytes = 50 * size + size - 1;
	} else {
		spec.soft_packets = 45;
		spec.hard_packets = 50;
	}
	struct sa *sa = rig_sa(rig, &spec);
	struct sa_half *h = road == RIG_IN ? &sa->in : &sa->out;

	ck_assert_uint_eq(send_burst(rig, road, 1, 30), 30);
	ck_assert(!told(rig, SPU_EVENT_SOFT_LIMIT, h->slot));
	ck_assert_uint_eq(send_burst(rig, road, 31, 15), 15);
	ck_assert(told(rig, SPU_EVENT_SOFT_LIMIT, h->slot));
	ck_assert_uint_eq(send_burst(rig, road, 46, 20), 5);
	ck_assert(told(rig, SPU_EVENT_HARD_LIMIT, h->slot));
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_EXPIRED], 15);
	ck_assert_uint_eq(send_burst(rig, road, 66, 20), 0);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_EXPIRED], 35);
	ck_assert_uint_eq(h->runtime->packets, 50);
	ck_assert_uint_eq(h->runtime->bytes, 50 * size);
	if (road == RIG_OUT) /* what was dropped took no number */
		ck_assert_uint_eq(h->runtime->seq, 50);
	rig_free(rig);
}
END_TEST

/* Before the numbers end there is time to make a successor. */
START_TEST(the_end_of_the_numbers_is_told_before_it_comes)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });

	rig_seq(rig, sa, UINT32_MAX / 2);
	ck_assert_uint_eq(send_burst(rig, RIG_OUT, 0, 4), 4);
	ck_assert(!told(rig, SPU_EVENT_SOFT_LIMIT, sa->out.slot));
	rig_seq(rig, sa, UINT32_MAX - (1u << 24));
	ck_assert_uint_eq(send_burst(rig, RIG_OUT, 0, 4), 4);
	ck_assert(told(rig, SPU_EVENT_SOFT_LIMIT, sa->out.slot));
	rig_free(rig);
}
END_TEST

/* ---------------------------------------------------------------- nonces */

enum { NODES = 2, SPUS = 2, ROUNDS = 40 };

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t take_ivs(struct rig *rig, uint64_t *ret)
{
	struct rte_mbuf *in[BURST], *out[BURST];

	for (uint16_t i = 0; i < BURST; i++)
		in[i] = plain(rig);
	uint16_t n = outbound_run(&rig->roads, in, BURST, out);
	for (uint16_t i = 0; i < n; i++)
		ret[i] = get_be64(
		        rte_pktmbuf_mtod_offset(out[i], const uint8_t *, ETHER_LEN + 20 + ESP_LEN));
	rte_pktmbuf_free_bulk(out, n);
	return n;
}

/* One key, two nodes that both believe to be its sender (each with its epoch, the second with a
 * counter that it got too late, so that the numbers are the same), two SPUs on each, and the second
 * SPU of the first node killed and started again every few bursts. */
START_TEST(no_nonce_is_made_twice_by_two_nodes_of_two_spus)
{
	static uint64_t iv[NODES * SPUS * ROUNDS * BURST];
	struct rig *spu[NODES][SPUS];
	struct sa *sa[NODES];
	size_t n = 0;

	for (uint16_t node = 0; node < NODES; node++) {
		struct rig_sa spec = { .epoch = (uint16_t)(2 + node) };

		spu[node][0] = rig_new(RIG_SOFT);
		sa[node] = rig_sa(spu[node][0], &spec);
		spec.slots_of = sa[node];
		spu[node][1] = rig_new(RIG_SOFT);
		spu[node][1]->roads.runtime = &spu[node][0]->runtime;
		(void)rig_sa(spu[node][1], &spec);
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int node = 0; node < NODES; node++)
			for (int s = 0; s < SPUS; s++)
				n += take_ivs(spu[node][s], &iv[n]);
		if (round % 5 != 4)
			continue;
		rig_free(spu[0][1]);
		spu[0][1] = rig_new(RIG_SOFT);
		spu[0][1]->roads.runtime = &spu[0][0]->runtime;
		(void)rig_sa(spu[0][1], &(struct rig_sa){ .epoch = 2, .slots_of = sa[0] });
	}
	ck_assert_uint_eq(n, ARRAY_LEN(iv));
	qsort(iv, n, sizeof(iv[0]), by_value);
	for (size_t i = 1; i < n; i++)
		ck_assert_msg(iv[i] != iv[i - 1], "IV %016llx twice", (unsigned long long)iv[i]);
	for (int node = 0; node < NODES; node++) {
		rig_free(spu[node][1]);
		rig_free(spu[node][0]);
	}
}
END_TEST

TESTS_OF(limits)
{
	TCase *tc = tcase_create("limits");

	eal_for(tc);
	tcase_add_loop_test(tc, an_sa_stops_at_its_hard_limit_and_says_so_before, 0,
	                    ARRAY_LEN(limits));
	tcase_add_test(tc, the_end_of_the_numbers_is_told_before_it_comes);
	tcase_add_test(tc, no_nonce_is_made_twice_by_two_nodes_of_two_spus);
	return tc;
}
