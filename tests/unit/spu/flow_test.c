// SPDX-License-Identifier: BSD-2-Clause
/* Many packets: order, replays, changes of engine under way, a NIC on bad days, and the sum. */
#include "emu_fault.h"
#include "nic.h"
#include "rig.h"
#include "seal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- nothing allocates */

/* The linker sends this program's calls here (meson.build). */
static bool watched;
static unsigned long allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	allocations += watched;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations += watched;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	allocations += watched;
	return __real_realloc(p, n);
}

static uint16_t road(struct rig *rig, enum rig_road which, struct rte_mbuf **in, uint16_t n,
                     struct rte_mbuf **out)
{
	watched = true;
	uint16_t got = which == RIG_IN ? inbound_run(&rig->roads, in, n, out)
	                               : outbound_run(&rig->roads, in, n, out);
	watched = false;
	ck_assert_msg(allocations == 0, "a road allocates");
	return got;
}

static struct rte_mbuf *sealed(struct rig *rig, uint64_t seq)
{
	struct seal_spec s = { .seq = seq };
	uint8_t p[SEAL_MAX];

	return rig_mbuf(rig, RIG_IN, p, seal_make(&s, p));
}

static struct rte_mbuf *plain(struct rig *rig, uint16_t payload)
{
	struct plain_spec s = { .payload = payload };
	uint8_t p[SEAL_MAX];

	return rig_mbuf(rig, RIG_OUT, p, plain_make(&s, p));
}

/* ---------------------------------------------------------------- replay */

START_TEST(a_burst_with_replays_passes_each_number_once)
{
	static const uint64_t seqs[] = { 5, 5, 6, 70, 5, 6, 71, 1, 135, 72, 71, 136, 136, 73 };
	static const bool passes[] = { 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1 };
	struct rig *rig = rig_new((enum rig_engine)_i);
	struct rte_mbuf *in[BURST], *out[BURST];
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	uint16_t want = 0;

	for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
		in[i] = sealed(rig, seqs[i]);
		want = (uint16_t)(want + passes[i]);
	}
	uint16_t got = road(rig, RIG_IN, in, ARRAY_LEN(seqs), out);
	/* In one burst the window moves at its end: what is far apart may still be refused. */
	ck_assert_uint_le(got, want);
	ck_assert_uint_ge(got, 8);
	ck_assert_uint_eq(got + rig->node->spu[0].drop[DROP_REPLAY], ARRAY_LEN(seqs));
	ck_assert_uint_eq(sa->in.runtime->replayed, ARRAY_LEN(seqs) - got);
	ck_assert_uint_eq(sa->in.runtime->packets, got);
	rte_pktmbuf_free_bulk(out, got);
	for (size_t i = 0; i < ARRAY_LEN(seqs); i++) { /* and all of it again: none */
		in[0] = sealed(rig, seqs[i]);
		if (passes[i])
			ck_assert_uint_eq(road(rig, RIG_IN, in, 1, out), 0);
		else
			rte_pktmbuf_free_bulk(out, road(rig, RIG_IN, in, 1, out));
	}
	rig_free(rig);
}
END_TEST

/* ---------------------------------------------------------------- order and numbers */

START_TEST(a_burst_of_two_sas_keeps_order_and_numbers)
{
	struct rig *rig = rig_new((enum rig_engine)_i);
	struct rte_mbuf *in[BURST], *out[BURST];
	uint32_t next[2] = { 1, 1 };

	(void)rig_tunnel(rig, 99);
	(void)rig_sa(rig, &(struct rig_sa){ 0 });
	(void)rig_sa(rig, &(struct rig_sa){ .tunnel = 99, .spi_in = 0x1100, .spi_out = 0x3000 });
	for (uint16_t i = 0; i < BURST; i++) {
		in[i] = plain(rig, i);
		if (i % 3 == 0)
			port_meta(in[i])->tunnel = htonl(99);
	}
	ck_assert_uint_eq(road(rig, RIG_OUT, in, BURST, out), BURST);
	for (uint16_t i = 0; i < BURST; i++) {
		const uint8_t *esp = rte_pktmbuf_mtod_offset(out[i], uint8_t *, 14 + 20);
		int which = i % 3 == 0;

		ck_assert_ptr_eq(out[i], in[i]);
		ck_assert_uint_eq(get_be32(esp), which ? 0x3000 : 0x2000);
		ck_assert_uint_eq(get_be32(esp + 4), next[which]++);
	}
	rte_pktmbuf_free_bulk(out, BURST);
	rig_free(rig);
}
END_TEST

START_TEST(near_the_end_only_the_last_numbers_are_given)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct rte_mbuf *in[BURST], *out[BURST];
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct spu_event e;

	rig_seq(rig, sa, UINT32_MAX - 9);
	for (uint16_t i = 0; i < BURST; i++)
		in[i] = plain(rig, i);
	ck_assert_uint_eq(road(rig, RIG_OUT, in, BURST, out), 10);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_SEQ_EXHAUSTED], BURST - 10);
	ck_assert(spu_event_pop(&rig->node->spu[0].events, &e));
	ck_assert_uint_eq(e.kind, SPU_EVENT_SOFT_LIMIT);
	ck_assert(spu_event_pop(&rig->node->spu[0].events, &e));
	ck_assert_uint_eq(e.kind, SPU_EVENT_SEQ_EXHAUSTED);
	ck_assert_uint_eq(e.arg, sa->out.slot);
	rte_pktmbuf_free_bulk(out, 10);
	rig_free(rig);
}
END_TEST

START_TEST(the_newest_sa_that_sends_is_taken)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct plain_spec s = { 0 };
	uint8_t p[SEAL_MAX];
	size_t len = plain_make(&s, p);

	(void)rig_sa(rig, &(struct rig_sa){ .spi_in = 0x1001, .spi_out = 1, .serial = 1 });
	(void)rig_sa(rig, &(struct rig_sa){ .spi_in = 0x1002, .spi_out = 2, .serial = 3 });
	(void)rig_sa(rig, &(struct rig_sa){ .spi_in = 0x1003, .spi_out = 3, .serial = 2 });
	(void)rig_sa(rig,
	             &(struct rig_sa){
	                     .spi_in = 0x1004, .spi_out = 4, .serial = 4, .not_sending = true });
	ck_assert_uint_eq(get_be32(rig_run(rig, RIG_OUT, p, len).ip + 20), 2);
	sa_table_del(&rig->roads.sas, 50, 0x1002, 0);
	ck_assert_uint_eq(get_be32(rig_run(rig, RIG_OUT, p, len).ip + 20), 3);
	rig_free(rig);
}
END_TEST

START_TEST(a_buffer_without_room_is_counted_and_nothing_is_written_beyond)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct rte_mbuf *m = plain(rig, 100), *out[BURST];

	(void)rig_sa(rig, &(struct rig_sa){ 0 });
	memmove((uint8_t *)m->buf_addr + 8, rte_pktmbuf_mtod(m, void *), m->data_len);
	m->data_off = 8;
	ck_assert_uint_eq(road(rig, RIG_OUT, &m, 1, out), 0);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_NO_BUFFER], 1);
	m = plain(rig, 100);
	struct rte_mbuf *full = m;
	uint16_t buf_len = m->buf_len;
	m->buf_len = (uint16_t)(m->data_off + m->data_len);
	ck_assert_uint_eq(road(rig, RIG_OUT, &m, 1, out), 0);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_NO_BUFFER], 2);
	full->buf_len = buf_len;
	rig_free(rig);
}
END_TEST

/* ---------------------------------------------------------------- engines */

START_TEST(what_the_nic_has_decrypted_outlives_its_session)
{
	struct rig *rig = rig_new(RIG_INLINE);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct rte_mbuf *m = sealed(rig, 1), *out[BURST];

	rig_promote(rig, sa, false); /* the packet is in our hands, the session is gone */
	ck_assert_uint_eq(road(rig, RIG_IN, &m, 1, out), 1);
	rte_pktmbuf_free(out[0]);
	ck_assert_uint_eq(rig_stat(rig, SPU_DECRYPTED_INLINE), 1);

	m = sealed(rig, 2); /* received undecrypted, then promoted */
	rig_promote(rig, sa, true);
	ck_assert_uint_eq(road(rig, RIG_IN, &m, 1, out), 1);
	rte_pktmbuf_free(out[0]);
	ck_assert_uint_eq(rig_stat(rig, SPU_DECRYPTED), 2);
	ck_assert_uint_eq(rig_stat(rig, SPU_DECRYPTED_INLINE), 1);
	rig_free(rig);
}
END_TEST

static uint16_t one_esn(struct rig *rig, uint64_t seq)
{
	struct seal_spec s = { .seq = seq, .esn = true };
	uint8_t p[SEAL_MAX];
	struct rte_mbuf *m = rig_mbuf(rig, RIG_IN, p, seal_make(&s, p)), *out[BURST];
	uint16_t n = road(rig, RIG_IN, &m, 1, out);

	rte_pktmbuf_free_bulk(out, n);
	return n;
}

/* RFC 4303 A2 infers the high half from the window, a NIC the nearest to what it knows: a packet of
 * more than half a turn ago is authentic to the NIC under its own number, and to the window it
 * would be a new one, far ahead. */
START_TEST(a_replay_of_half_a_turn_ago_is_refused)
{
	const uint64_t turn = (uint64_t)1 << 32, top = turn + 0x10000000;
	struct rig *rig = rig_new((enum rig_engine)_i);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ .esn = true });

	rig_seq(rig, sa, top + 1);
	ck_assert_uint_eq(one_esn(rig, 0xc0000000), 0);
	ck_assert_uint_eq(sa->in.runtime->seq, top);
	ck_assert_uint_eq(one_esn(rig, top + 1), 1);
	ck_assert_uint_eq(one_esn(rig, top + (1 << 29)), 1);
	ck_assert_uint_eq(one_esn(rig, top + 1), 0);
	rig_free(rig);
}
END_TEST

static void rounds(struct nic *n, uint64_t ms)
{
	n->roads->now_ms += ms;
	do
		(void)nic_step(n);
	while (n->left != 0);
}

static struct nic *nic_up(struct rig *rig, struct nic *n)
{
	nic_init(n, &rig->roads, 0);
	memset(n->owner, 0, sizeof(n->owner));
	n->allowed = true;
	nic_changed(n);
	return n;
}

static enum sa_engine engine_of(const struct sa_half *h)
{
	ck_assert_uint_eq(h->engine, h->runtime->engine);
	return (enum sa_engine)h->engine;
}

START_TEST(the_owner_alone_gives_an_sa_to_its_nic)
{
	struct rig *rig = rig_new(RIG_INLINE);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct nic n;

	rig_promote(rig, sa, false);
	nic_up(rig, &n)->owner[RIG_ANCHOR] = 5;
	rounds(&n, 0);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_SOFT);
	n.owner[RIG_ANCHOR] = 0;
	nic_changed(&n);
	rounds(&n, 0);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_INLINE);
	ck_assert_int_eq(engine_of(&sa->out), SA_ENGINE_INLINE);
	ck_assert_uint_eq(rig_stat(rig, SPU_SAS_INLINE), 2);
	n.allowed = false;
	nic_changed(&n);
	rounds(&n, 0);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_SOFT);
	ck_assert_uint_eq(rig_stat(rig, SPU_SAS_SOFT), 2);
	ck_assert_uint_eq(rig_stat(rig, SPU_PROMOTIONS), 2);
	ck_assert_uint_eq(rig_stat(rig, SPU_DEMOTIONS), 2);
	rig_free(rig);
}
END_TEST

START_TEST(scenario_190_a_nic_that_hands_packets_up_undecrypted_loses_the_sa)
{
	struct rig *rig = rig_new(RIG_INLINE);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct rte_mbuf *m, *out[BURST];
	struct nic n;

	rig_promote(rig, sa, false);
	(void)nic_up(rig, &n);
	rounds(&n, 0);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_INLINE);
	rig->roads.now_ms += 1000;
	ck_assert_int_eq(emu_fault_inject(rig->wire, EMU_FAULT_PASS, 1, NULL), ERR_OK);
	m = sealed(rig, 1);
	ck_assert_uint_eq(road(rig, RIG_IN, &m, 1, out), 1);
	rte_pktmbuf_free(out[0]);
	ck_assert_uint_eq(rig_stat(rig, SPU_DECRYPTED_INLINE), 0);
	rounds(&n, 0);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_SOFT);
	ck_assert_int_eq(engine_of(&sa->out), SA_ENGINE_INLINE);
	rounds(&n, 5000);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_INLINE);
	rig_free(rig);
}
END_TEST

START_TEST(junk_with_our_spi_does_not_take_the_nic_away)
{
	struct rig *rig = rig_new(RIG_INLINE);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct rte_mbuf *m, *out[BURST];
	static const uint8_t wrong[20] = { 1 };
	struct seal_spec s = { .key = wrong };
	uint8_t p[SEAL_MAX];
	struct nic n;

	rig_promote(rig, sa, false);
	(void)nic_up(rig, &n);
	rounds(&n, 0);
	rig->roads.now_ms += 1000;
	ck_assert_int_eq(emu_fault_inject(rig->wire, EMU_FAULT_PASS, 1, NULL), ERR_OK);
	m = rig_mbuf(rig, RIG_IN, p, seal_make(&s, p));
	ck_assert_uint_eq(road(rig, RIG_IN, &m, 1, out), 0);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_ICV], 1);
	rounds(&n, 0);
	ck_assert_int_eq(engine_of(&sa->in), SA_ENGINE_INLINE);
	rig_free(rig);
}
END_TEST

/* ---------------------------------------------------------------- the sum */

/* What waits for its turn: the rest of a packet that went in two. */
static struct {
	uint8_t ip[SEAL_MAX];
	size_t len;
} rest;

static void fragment(uint8_t *ip, size_t len, uint16_t field)
{
	put_be16(ip + 2, (uint16_t)len);
	put_be16(ip + 6, field);
	put_be16(ip + 10, 0);
	seal_checksum(ip);
}

/* Sometimes only the beginning of an IPv4 packet; its rest comes next, or another one's. Returns
 * the length of what is at ip now. */
static size_t in_fragments(uint8_t *ip, size_t len)
{
	if (rest.len != 0) {
		memcpy(ip, rest.ip, len = rest.len);
		rest.len = 0;
		return len;
	}
	if (rand() % 6 != 0)
		return len;
	size_t at = 8u * (1u + (size_t)rand() % ((len - IP_V4_LEN) / 8 - 1));
	put_be16(ip + 4, (uint16_t)rand());
	rest.len = len - at;
	memcpy(rest.ip, ip, IP_V4_LEN);
	memcpy(rest.ip + IP_V4_LEN, ip + IP_V4_LEN + at, rest.len - IP_V4_LEN);
	fragment(rest.ip, rest.len, (uint16_t)(at / 8));
	fragment(ip, IP_V4_LEN + at, 0x2000);
	if (rand() % 8 == 0)
		rest.len = 0; /* lost */
	return IP_V4_LEN + at;
}

static struct rte_mbuf *something(struct rig *rig, enum rig_road which, uint64_t *seq)
{
	uint8_t p[SEAL_MAX];
	struct seal_spec s = { .inner = { .payload = (uint16_t)(rand() % 900),
		                          .tos = (uint8_t)(rand() % 4),
		                          .proto = rand() % 8 ? 17 : 6 },
		               .tos = (uint8_t)(rand() % 4),
		               .dummy = rand() % 20 == 0,
		               .seq = rand() % 4 == 0 ? *seq : ++*seq };
	size_t len = which == RIG_IN ? seal_make(&s, p) : plain_make(&s.inner, p);

	if (which == RIG_IN)
		len = in_fragments(p, len);
	for (int flips = rand() % 3 == 0 ? rand() % 8 : 0; flips > 0; flips--)
		p[(size_t)rand() % (rand() % 2 ? 44 : len)] ^= (uint8_t)(1 << rand() % 8);
	if (rand() % 10 == 0)
		len = (size_t)rand() % (len + 1);
	struct rte_mbuf *m = rig_mbuf(rig, which, p, len);
	if (rand() % 15 == 0)
		port_meta(m)->kind = (uint8_t)(rand() % 3 ? FABRIC_MARKER : rand());
	if (rand() % 15 == 0)
		port_meta(m)->tunnel = (uint32_t)rand();
	return m;
}

static uint64_t mixed_burst(struct rig *rig, uint64_t *seq, uint64_t *out_count)
{
	struct rte_mbuf *in[BURST], *out[BURST];
	enum rig_road which = rand() % 2 ? RIG_IN : RIG_OUT;
	uint16_t n = (uint16_t)(1 + rand() % BURST);

	for (uint16_t i = 0; i < n; i++)
		in[i] = something(rig, which, seq);
	uint16_t got = road(rig, which, in, n, out);
	rte_pktmbuf_free_bulk(out, got);
	*out_count += got;
	return n;
}

static void release_all(struct rig *rig, uint64_t *out_count)
{
	struct rte_mbuf *out[BURST];
	uint16_t n = 0;

	while (outbound_release(&rig->roads, out, &n)) {
		rte_pktmbuf_free_bulk(out, n);
		*out_count += n;
	}
}

START_TEST(every_packet_is_accounted_for)
{
	enum { SEEDS = 4, BURSTS = 300 };
	unsigned int seed = (unsigned int)(_i % SEEDS) * 7919u + 17;
	struct rig *rig = rig_new((enum rig_engine)(_i / SEEDS));
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ .ts_proto = 17 });
	uint64_t in = 0, out = 0, seq = 0;

	srand(seed);
	rest.len = 0;
	for (int i = 0; i < BURSTS; i++) {
		if (rig->kind == RIG_INLINE && rand() % 8 == 0)
			rig_promote(rig, sa, rand() % 2);
		if (rand() % 30 == 0)
			hold_begin(&rig->roads.hold, RIG_ANCHOR, 3, (uint32_t)i + 1);
		if (rand() % 30 == 0) {
			hold_cancel(&rig->roads.hold, RIG_ANCHOR);
			release_all(rig, &out);
		}
		in += mixed_burst(rig, &seq, &out);
	}
	uint64_t consumed = rig_stat(rig, SPU_CONSUMED), drops = rig_drops(rig);
	uint64_t made = rig_stat(rig, SPU_MADE), merged = rig_stat(rig, SPU_MERGED);
	uint64_t held = rig->roads.hold.n + rig->roads.reasm.held;
	ck_assert_msg(in + made == out + drops + merged + consumed + held,
	              "seed %u: in %lu, made %lu, out %lu, dropped %lu, merged %lu, consumed %lu, "
	              "held %lu",
	              seed, in, made, out, drops, merged, consumed, held);
	ck_assert_uint_gt(merged, 20);
	ck_assert_uint_eq(rig->node->spu[0].drop[DROP_NONE], 0);
	ck_assert_uint_ne(rig->node->spu[0].drop[DROP_SELECTOR], 0);
	printf("seed %u, %s: in %lu, out %lu, dropped %lu, merged %lu, consumed %lu, held %lu\n",
	       seed, rig_engine_name(rig->kind), in, out, drops, merged, consumed, held);
	hold_cancel(&rig->roads.hold, RIG_ANCHOR);
	release_all(rig, &out);
	rig_free(rig);
}
END_TEST

TESTS_OF(flow)
{
	TCase *tc = tcase_create("flow");

	eal_for(tc);
	tcase_add_loop_test(tc, a_burst_with_replays_passes_each_number_once, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, a_burst_of_two_sas_keeps_order_and_numbers, 0, RIG_ENGINES);
	tcase_add_test(tc, near_the_end_only_the_last_numbers_are_given);
	tcase_add_test(tc, a_buffer_without_room_is_counted_and_nothing_is_written_beyond);
	tcase_add_test(tc, the_newest_sa_that_sends_is_taken);
	tcase_add_test(tc, what_the_nic_has_decrypted_outlives_its_session);
	tcase_add_loop_test(tc, a_replay_of_half_a_turn_ago_is_refused, 0, RIG_ENGINES);
	tcase_add_test(tc, the_owner_alone_gives_an_sa_to_its_nic);
	tcase_add_test(tc, scenario_190_a_nic_that_hands_packets_up_undecrypted_loses_the_sa);
	tcase_add_test(tc, junk_with_our_spi_does_not_take_the_nic_away);
	tcase_add_loop_test(tc, every_packet_is_accounted_for, 0, 8);
	return tc;
}
