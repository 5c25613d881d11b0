// SPDX-License-Identifier: BSD-2-Clause
/* Packets that become fragments, before and after encryption, and what stays whole. */
#include "frag.h"
#include "rig.h"
#include "seal.h"

#include <rte_mbuf.h>

enum { ROOM = 64 };

struct several {
	uint16_t n;
	struct rte_mbuf *m[ROOM];
};

static const uint8_t *ip_of(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHER_LEN);
}

static size_t len_of(const struct rte_mbuf *m)
{
	return rte_pktmbuf_data_len(m) - (size_t)ETHER_LEN;
}

static void forget(struct several *s)
{
	rte_pktmbuf_free_bulk(s->m, s->n);
	s->n = 0;
}

/* The outbound road with all that comes of it; answers go to *answers. */
static void send_all(struct rig *rig, struct rte_mbuf **in, uint16_t n, struct several *out,
                     struct several *answers)
{
	struct rte_mbuf *got[BURST];
	uint16_t k = outbound_run(&rig->roads, in, n, got);

	do {
		ck_assert_uint_le(out->n + k, ROOM);
		memcpy(out->m + out->n, got, k * sizeof(got[0]));
		out->n = (uint16_t)(out->n + k);
	} while (outbound_more(&rig->roads, got, &k));
	while ((k = outbound_answers(&rig->roads, got)) != 0) {
		ck_assert_uint_le(answers->n + k, ROOM);
		memcpy(answers->m + answers->n, got, k * sizeof(got[0]));
		answers->n = (uint16_t)(answers->n + k);
	}
}

static struct rte_mbuf *plain(struct rig *rig, const struct plain_spec *s)
{
	uint8_t p[SEAL_MAX];

	return rig_mbuf(rig, RIG_OUT, p, plain_make(s, p));
}

/* ---------------------------------------------------------------- the inner packet */

START_TEST(options_go_where_rfc_791_sends_them)
{
	struct rig *rig = rig_new(RIG_SOFT);
	/* no-op; record route (not copied) of 7; strict source route (copied) of 3; end */
	static const uint8_t options[12] = { 1, 7, 7, 4, 0, 0, 0, 0, 0x89, 3, 4, 0 };
	struct plain_spec s = { .payload = 1000 - 8 };
	uint8_t p[SEAL_MAX];
	size_t len = plain_make(&s, p);
	struct rte_mbuf *part[FRAG_MAX];
	size_t at = 0;

	memmove(p + 32, p + 20, len - 20);
	memcpy(p + 20, options, sizeof(options));
	p[0] = 0x48;
	put_be16(p + 2, (uint16_t)(len += 12));
	put_be16(p + 4, 0x1234);
	seal_checksum(p);
	uint16_t n = frag_split(rig->pool, rig_mbuf(rig, RIG_OUT, p, len), 400, 0, part);
	ck_assert_uint_eq(n, 3);
	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *f = ip_of(part[i]);
		size_t head = (f[0] & 15u) * 4u;

		ck_assert_uint_eq(head, i == 0 ? 32 : 24);
		ck_assert_uint_eq(get_be16(f + 2), len_of(part[i]));
		ck_assert_uint_le(len_of(part[i]), 400);
		ck_assert_uint_eq(get_be16(f + 4), 0x1234);
		ck_assert_uint_eq(get_be16(f + 6), (at / 8) | (i + 1u < n ? 0x2000 : 0));
		ck_assert_uint_eq(csum_fold(csum_add(0, f, head)), 0);
		ck_assert_mem_eq(f + 8, p + 8, 2);
		if (i > 0)
			ck_assert_mem_eq(f + 20, "\x89\x03\x04\x00", 4);
		ck_assert_mem_eq(f + head, p + 32 + at, len_of(part[i]) - head);
		ck_assert_uint_eq(port_meta(part[i])->kind, FABRIC_PLAIN_OUT);
		at += len_of(part[i]) - head;
	}
	ck_assert_uint_eq(at, len - 32);
	rte_pktmbuf_free_bulk(part, n);
	rig_free(rig);
}
END_TEST

START_TEST(a_fragment_is_fragmented_again)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct plain_spec s = { .payload = 600, .frag = 0x2000 | 100 };
	struct rte_mbuf *part[FRAG_MAX];
	uint16_t n = frag_split(rig->pool, plain(rig, &s), 300, 0, part);

	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(get_be16(ip_of(part[0]) + 6), 0x2000 | 100);
	ck_assert_uint_eq(get_be16(ip_of(part[1]) + 6), 0x2000 | 135);
	ck_assert_uint_eq(get_be16(ip_of(part[2]) + 6),
	                  0x2000 | 170); /* not the last of the whole */
	rte_pktmbuf_free_bulk(part, n);
	rig_free(rig);
}
END_TEST

START_TEST(what_cannot_be_split_stays_whole)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct plain_spec s = { .payload = 1000 };
	struct rte_mbuf *part[FRAG_MAX], *m = plain(rig, &s);

	ck_assert_uint_eq(frag_split(rig->pool, m, 27, 0, part), 0); /* no room for 8 bytes */
	ck_assert_uint_eq(frag_split(rig->pool, m, 60, 0, part), 0); /* more than FRAG_MAX */
	ck_assert_uint_eq(len_of(m), 1028);
	rte_pktmbuf_free(m);
	rig_free(rig);
}
END_TEST

/* Before encryption: each fragment is a packet of its own, and what comes behind stays behind. */
START_TEST(inner_fragments_keep_their_place)
{
	struct rig *rig = rig_new((enum rig_engine)_i);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct several out = { 0 }, answers = { 0 };
	static const uint16_t sizes[] = { 100, 1400, 101, 1400, 102 };
	static const uint16_t want[] = { 100 + 8, 552, 552, 304, 101 + 8, 552, 552, 304, 102 + 8 };
	struct rte_mbuf *in[ARRAY_LEN(sizes)];

	sa_runtime_learn_mtu(sa->out.runtime, 632, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		in[i] = plain(rig, &(struct plain_spec){ .payload = sizes[i] });
	send_all(rig, in, ARRAY_LEN(sizes), &out, &answers);
	ck_assert_uint_eq(out.n, ARRAY_LEN(want));
	ck_assert_uint_eq(answers.n, 0);
	for (uint16_t i = 0; i < out.n; i++) {
		const uint8_t *esp = ip_of(out.m[i]) + 20;
		uint32_t inner = 20u + want[i];

		ck_assert_uint_eq(get_be32(esp + 4), i + 1u); /* numbers in the order of sending */
		ck_assert_uint_eq(len_of(out.m[i]), 20 + 16 + ((inner + 2 + 3) & ~3u) + 16);
		ck_assert_uint_le(len_of(out.m[i]), 632);
	}
	ck_assert_uint_eq(rig_stat(rig, SPU_MADE), 4);
	rig_sums_up(rig, ARRAY_LEN(sizes), out.n);
	forget(&out);
	rig_free(rig);
}
END_TEST

/* ---------------------------------------------------------------- the outer packet */

static const struct {
	const char *what;
	struct rig_sa sa;
	struct plain_spec plain;
	enum encap_df df;
	bool post;
	uint16_t path;
	uint16_t parts; /* 0: dropped */
	uint8_t answer; /* family */
} sends[] = {
	{ "IPv4 without DF, post", { 0 }, { .payload = 1400 }, ENCAP_DF_CLEAR, true, 1000, 2, 0 },
	{ "IPv4 with DF, outer clear",
	  { 0 },
	  { .payload = 1400, .df = true },
	  ENCAP_DF_CLEAR,
	  false,
	  1000,
	  2,
	  0 },
	{ "IPv4 with DF, outer set",
	  { 0 },
	  { .payload = 1400, .df = true },
	  ENCAP_DF_SET,
	  false,
	  1000,
	  0,
	  4 },
	{ "IPv4 with DF, outer copied",
	  { 0 },
	  { .payload = 1400, .df = true },
	  ENCAP_DF_COPY,
	  true,
	  1000,
	  0,
	  4 },
	{ "IPv6", { 0 }, { .payload = 1400, .family = 6 }, ENCAP_DF_CLEAR, false, 1000, 0, 6 },
	{ "IPv6, 1,280 bytes through 600",
	  { 0 },
	  { .payload = 1232, .family = 6 },
	  ENCAP_DF_SET,
	  false,
	  600,
	  3,
	  0 },
	{ "IPv6, post", { 0 }, { .payload = 1400, .family = 6 }, ENCAP_DF_CLEAR, true, 1300, 2, 0 },
	{ "over IPv6",
	  { .local = "2001:db8:1::1", .remote = "2001:db8:2::2" },
	  { .payload = 1400 },
	  ENCAP_DF_CLEAR,
	  true,
	  1280,
	  2,
	  0 },
	{ "in UDP over IPv6",
	  { .local = "2001:db8:1::1", .remote = "2001:db8:2::2", .udp = true },
	  { .payload = 1400, .df = true },
	  ENCAP_DF_CLEAR,
	  false,
	  1280,
	  2,
	  0 },
	{ "in UDP", { .udp = true }, { .payload = 1400 }, ENCAP_DF_CLEAR, true, 600, 3, 0 },
	{ "an SA for one port",
	  { .ts_port_first = 2000, .ts_port_last = 2000, .ts_proto = 17 },
	  { .payload = 1400 },
	  ENCAP_DF_CLEAR,
	  false,
	  1000,
	  2,
	  0 },
	{ "an SA for one port, outer DF",
	  { .ts_port_first = 2000, .ts_port_last = 2000, .ts_proto = 17 },
	  { .payload = 1400 },
	  ENCAP_DF_SET,
	  false,
	  1000,
	  0,
	  0 },
};

static void check_answer(const struct several *answers, uint8_t family)
{
	ck_assert_uint_eq(answers->n, family != 0);
	if (family == 0)
		return;
	const uint8_t *ip = ip_of(answers->m[0]);
	ck_assert_uint_eq(ip[0] >> 4, family);
	ck_assert_uint_eq(ip[family == 4 ? 20 : 40], family == 4 ? 3 : 2);
	ck_assert_uint_eq(port_meta(answers->m[0])->kind, FABRIC_PLAIN_IN);
	ck_assert_uint_eq(port_meta(answers->m[0])->ifindex, rte_cpu_to_be_32(RIG_ST0));
	if (family == 4) /* 1,000 less 20, 16, 16, to a multiple of 4, less 2 */
		ck_assert_uint_eq(get_be16(ip + 26), 946);
	else
		ck_assert_uint_eq(get_be32(ip + 44), 1280);
}

/* What one gateway fragments another one reassembles, in any order, and decrypts. */
static void bring_over(const struct several *parts, const struct plain_spec *spec,
                       const struct rig_sa *sent_by, unsigned int first)
{
	struct rig *peer = rig_new(RIG_SOFT);
	static const uint8_t key[20] = { [0 ... 19] = 0x22 };
	struct rig_sa turned = *sent_by;
	uint8_t want[SEAL_MAX];
	size_t len = plain_make(spec, want), got = 0;

	turned.local = sent_by->remote ? sent_by->remote : "198.51.100.2";
	turned.remote = sent_by->local ? sent_by->local : "192.0.2.1";
	turned.spi_in = 0x2000;
	turned.key_in = key;
	turned.ts_port_last = 0;
	(void)rig_sa(peer, &turned);
	for (uint16_t i = 0; i < parts->n; i++) {
		const struct rte_mbuf *m = parts->m[(i + first) % parts->n];
		struct rig_result r = rig_run(peer, RIG_IN, ip_of(m), len_of(m));

		ck_assert_msg(r.drop == DROP_NONE, "\"%s\"", drop_text(r.drop));
		if (r.len == 0)
			continue;
		ck_assert_uint_eq(i + 1u, parts->n);
		ck_assert_uint_eq(r.len, len);
		ck_assert_mem_eq(r.ip, want, len);
		got++;
	}
	ck_assert_uint_eq(got, 1);
	ck_assert_uint_eq(rig_stat(peer, SPU_MERGED), parts->n - 1u);
	rig_sums_up(peer, parts->n, 1);
	rig_free(peer);
}

static void send_one(size_t k, enum rig_engine engine)
{
	struct rig *rig = rig_new(engine);
	const struct plain_spec *spec = &sends[k].plain;
	struct sa *sa = rig_sa(rig, &sends[k].sa);
	struct several out = { 0 }, answers = { 0 };
	uint16_t parts = sends[k].parts;

	sa->tunnel->df = (uint8_t)sends[k].df;
	sa->tunnel->post_fragmentation = sends[k].post;
	sa->tunnel->answer4 = addr_v4(0xc0a80101);
	ck_assert_int_eq(addr_parse("fd00:1::1", &sa->tunnel->answer6), ERR_OK);
	sa_table_tunnel_changed(sa->tunnel);
	sa_runtime_learn_mtu(sa->out.runtime, sends[k].path, UINT64_MAX);
	struct rte_mbuf *in = plain(rig, spec);
	send_all(rig, &in, 1, &out, &answers);
	ck_assert_msg(out.n == parts, "%s: %u", sends[k].what, out.n);
	ck_assert_uint_eq(rig_drops(rig), parts == 0);
	check_answer(&answers, sends[k].answer);
	for (uint16_t i = 0; i < out.n; i++)
		ck_assert_uint_le(len_of(out.m[i]), sends[k].path);
	rig_sums_up(rig, 1, (uint64_t)out.n + answers.n);
	/* Of UDP the kernel makes one packet again. */
	for (unsigned int first = 0; first < out.n && !sends[k].sa.udp; first++)
		bring_over(&out, spec, &sends[k].sa, first);
	forget(&out);
	forget(&answers);
	rig_free(rig);
}

START_TEST(what_is_too_big_is_split_or_answered)
{
	for (size_t k = 0; k < ARRAY_LEN(sends); k++)
		send_one(k, (enum rig_engine)_i);
}
END_TEST

/* Whole bursts of them: order, room, and the sum. */
START_TEST(a_burst_of_packets_that_are_too_big)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct rte_mbuf *in[BURST], *out[BURST];
	uint64_t sent = 0, next = 1;
	uint16_t n = 0;

	sa->tunnel->post_fragmentation = _i == 1;
	sa->tunnel->df = ENCAP_DF_CLEAR;
	sa_table_tunnel_changed(sa->tunnel);
	sa_runtime_learn_mtu(sa->out.runtime, 576, UINT64_MAX);
	for (uint16_t i = 0; i < BURST; i++)
		in[i] = plain(rig, &(struct plain_spec){ .payload = 1700 });
	n = outbound_run(&rig->roads, in, BURST, out);
	do {
		for (uint16_t i = 0; i < n; i++) {
			const uint8_t *ip = ip_of(out[i]);

			if (get_be16(ip + 6) & 0x1fff)
				continue;
			ck_assert_uint_eq(get_be32(ip + 24), next++);
		}
		sent += n;
		rte_pktmbuf_free_bulk(out, n);
	} while (outbound_more(&rig->roads, out, &n));
	ck_assert_uint_eq(sent, BURST * 4);
	ck_assert_uint_eq(rig_drops(rig), 0);
	rig_sums_up(rig, BURST, sent);
	rig_free(rig);
}
END_TEST

TESTS_OF(frag)
{
	TCase *tc = tcase_create("frag");

	eal_for(tc);
	tcase_add_test(tc, options_go_where_rfc_791_sends_them);
	tcase_add_test(tc, a_fragment_is_fragmented_again);
	tcase_add_test(tc, what_cannot_be_split_stays_whole);
	tcase_add_loop_test(tc, inner_fragments_keep_their_place, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, what_is_too_big_is_split_or_answered, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, a_burst_of_packets_that_are_too_big, 0, 2);
	return tc;
}
