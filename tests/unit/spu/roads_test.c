// SPDX-License-Identifier: BSD-2-Clause
/* Drives the two roads by the tables of roads_table.h, with both engines. */
#include "roads_table.h"
#include "frag.h"

#include <stdio.h>

#include <arpa/inet.h>

enum { ROWS_MIN = 100, FRAMES_MAX = 8 };

/* One row runs after another on the same memory: ours, and the peer's gateway. */
struct bench {
	struct rig *rig, *peer;
	enum rig_engine engine;
};

static struct bench bench_new(enum rig_engine engine)
{
	return (struct bench){ rig_new(engine), rig_new(RIG_SOFT), engine };
}

static void bench_free(struct bench *b)
{
	rig_free(b->peer);
	rig_free(b->rig);
}

static void bench_clear(struct bench *b)
{
	rig_clear(b->rig);
	rig_clear(b->peer);
}

/* Three parts of a 3DES key have to differ. */
static struct rig_sa with_keys(const struct rig_sa *sa)
{
	static const uint8_t in[64] = { [0 ... 7] = 0x13, [8 ... 15] = 0x25, [16 ... 63] = 0x37 };
	static const uint8_t out[64] = { [0 ... 7] = 0x49, [8 ... 15] = 0x5b, [16 ... 63] = 0x6d };
	struct rig_sa spec = *sa;

	if (sa->cipher == ENCR_3DES_CBC) {
		spec.key_in = in;
		spec.key_out = out;
	}
	return spec;
}

/* The same SA as its other end has it. */
static struct rig_sa turned(const struct rig_sa *sa)
{
	static const uint8_t in[64] = { [0 ... 63] = 0x22 }, out[64] = { [0 ... 63] = 0x11 };
	static const uint8_t auth_in[64] = { [0 ... 63] = 0x44 };
	static const uint8_t auth_out[64] = { [0 ... 63] = 0x33 };

	return (struct rig_sa){ .local = sa->remote ? sa->remote : "198.51.100.2",
		                .remote = sa->local ? sa->local : "192.0.2.1",
		                .protocol = sa->protocol,
		                .cipher = sa->cipher,
		                .bits = sa->bits,
		                .integ = sa->integ,
		                .udp = sa->udp,
		                .esn = sa->esn,
		                .spi_in = 0x2000,
		                .spi_out = 0x1007,
		                .key_in = sa->key_out ? sa->key_out : in,
		                .key_out = sa->key_in ? sa->key_in : out,
		                .auth_in = auth_in,
		                .auth_out = auth_out };
}

/* ---------------------------------------------------------------- inbound */

static size_t sealed(struct bench *b, const struct in_case *c, uint8_t *ret)
{
	struct rig_sa ours = with_keys(&c->sa), spec = turned(&ours);
	uint8_t plain[SEAL_MAX];

	if (c->sa.cipher == 0 && c->sa.protocol == 0)
		return seal_make(&c->seal, ret);
	struct sa *sa = rig_sa(b->peer, &spec);
	rig_seq(b->peer, sa, c->seal.seq ? c->seal.seq : 1);
	struct rig_result got = rig_run(b->peer, RIG_OUT, plain, plain_make(&c->seal.inner, plain));
	ck_assert_msg(got.drop == DROP_NONE, "%s: the peer says \"%s\"", c->what,
	              drop_text(got.drop));
	memcpy(ret, got.ip, got.len);
	return got.len;
}

/* What comes of the last frame; those before it are held. */
static struct rig_result arrive(struct bench *b, const struct in_case *c, const uint8_t *p,
                                size_t len)
{
	struct rte_mbuf *part[FRAG_MAX];
	struct rig_result got = { 0 };

	if (c->fragments == 0)
		return rig_run(b->rig, RIG_IN, p, len);
	uint16_t n = frag_split(b->rig->pool, rig_mbuf(b->peer, RIG_OUT, p, len), c->fragments, 77,
	                        part);
	ck_assert_uint_gt(n, 1);
	for (uint16_t i = 0; i < n; i++) {
		struct view l3 = pkt_l3(part[c->backwards ? n - 1 - i : i]);

		got = rig_run(b->rig, RIG_IN, l3.p, l3.len);
		ck_assert_msg(i + 1 == n || (got.len == 0 && got.drop == DROP_NONE), "%s: part %u",
		              c->what, i);
	}
	rte_pktmbuf_free_bulk(part, n);
	return got;
}

static void check_inner(const struct in_case *c, const struct rig_result *got)
{
	uint8_t want[SEAL_MAX];
	size_t len = plain_make(&c->seal.inner, want);

	if (c->tos && c->seal.inner.family == 6) {
		want[1] = (uint8_t)(c->tos << 4);
		want[0] = (uint8_t)(0x60 | c->tos >> 4);
	} else if (c->tos) {
		want[1] = c->tos;
		seal_checksum(want);
	}
	ck_assert_msg(got->len == len, "%s, %s: %zu bytes, not %zu", c->rfc, c->what, got->len,
	              len);
	ck_assert_msg(memcmp(got->ip, want, len) == 0, "%s, %s: other bytes", c->rfc, c->what);
	ck_assert_uint_eq(got->meta.kind, FABRIC_PLAIN_IN);
	ck_assert_uint_eq(got->meta.anchor, RIG_ANCHOR);
	ck_assert_uint_eq(ntohl(got->meta.tunnel), RIG_TUNNEL);
	ck_assert_uint_eq(ntohl(got->meta.ifindex), RIG_ST0);
}

static void run_in(struct bench *b, const struct in_case *c)
{
	const char *name = rig_engine_name(b->engine);
	uint8_t p[SEAL_MAX];

	bench_clear(b);
	struct rig_sa spec = with_keys(&c->sa);
	struct sa *sa = rig_sa(b->rig, &spec);
	if (sa->tunnel->index == RIG_TUNNEL)
		sa->tunnel->copy_outer_dscp = c->outer_dscp;
	if (c->top)
		rig_seq(b->rig, sa, c->top + 1);
	atomic_store(&sa->in.runtime->packets, c->counted);
	size_t len = sealed(b, c, p);
	if (c->spoil)
		len = c->spoil(p, len);
	if (c->twice)
		ck_assert_int_eq(arrive(b, c, p, len).drop, DROP_NONE);
	struct rig_result got = arrive(b, c, p, len);
	uint8_t drop = b->engine == RIG_INLINE && c->nic_drop ? c->nic_drop : c->drop;
	ck_assert_msg(got.drop == drop, "%s, %s (%s): \"%s\", not \"%s\"", c->rfc, c->what, name,
	              drop_text(got.drop), drop_text(drop));
	ck_assert_msg(got.consumed == c->consumed, "%s, %s (%s): consumed %d", c->rfc, c->what,
	              name, got.consumed);
	if (c->drop == DROP_NONE && !c->consumed)
		check_inner(c, &got);
	else
		ck_assert_msg(got.len == 0, "%s, %s (%s): passed on", c->rfc, c->what, name);
	ck_assert_uint_eq(rig_drops(b->rig), c->drop != DROP_NONE);
}

static void run_all_in(const struct in_case *cases, size_t n, enum rig_engine engine)
{
	struct bench b = bench_new(engine);

	for (size_t i = 0; i < n; i++)
		run_in(&b, &cases[i]);
	bench_free(&b);
}

START_TEST(inbound_road)
{
	run_all_in(in_cases, in_cases_n, (enum rig_engine)_i);
	run_all_in(sa_in_cases, sa_in_cases_n, (enum rig_engine)_i);
}
END_TEST

START_TEST(scenario_160_ah_on_the_inbound_road)
{
	run_all_in(ah_in_cases, ah_in_cases_n, (enum rig_engine)_i);
}
END_TEST

/* ---------------------------------------------------------------- outbound */

struct frames {
	uint16_t n;
	struct rte_mbuf *m[FRAMES_MAX + BURST];
};

static struct frames sent(struct rig *rig, struct rte_mbuf *m, struct frames *answers)
{
	struct frames f = { .n = outbound_run(&rig->roads, &m, 1, f.m) };
	uint16_t k = 0;

	while (outbound_more(&rig->roads, f.m + f.n, &k)) {
		f.n = (uint16_t)(f.n + k);
		ck_assert_uint_le(f.n, FRAMES_MAX);
	}
	for (uint16_t i = 0; i < f.n; i++)
		f.m[i] = rig_wire(rig, f.m[i]);
	answers->n = outbound_answers(&rig->roads, answers->m);
	return f;
}

/* What goes out must come in again: the same SA, turned round. */
static void check_sealed(struct bench *b, const struct out_case *c, const struct frames *f)
{
	uint8_t want[SEAL_MAX];
	size_t len = plain_make(&c->plain, want);
	struct rig_sa ours = with_keys(&c->sa), spec = turned(&ours);
	struct sa *sa = rig_sa(b->peer, &spec);
	unsigned int arrived = 0;

	if (c->seq)
		rig_seq(b->peer, sa, c->seq);
	for (uint16_t i = 0; i < f->n; i++) {
		struct view l3 = pkt_l3(f->m[i]);
		struct rig_result back = rig_run(b->peer, RIG_IN, l3.p, l3.len);

		ck_assert_msg(back.drop == DROP_NONE, "%s, %s: the peer says \"%s\"", c->rfc,
		              c->what, drop_text(back.drop));
		arrived += back.len != 0;
		if (back.len != 0 && !c->inner_parts)
			ck_assert_msg(back.len == len && memcmp(back.ip, want, len) == 0,
			              "%s, %s: other bytes", c->rfc, c->what);
	}
	ck_assert_msg(arrived == (c->inner_parts ? f->n : 1), "%s, %s: %u arrived", c->rfc, c->what,
	              arrived);
}

static void check_outer(const struct out_case *c, const struct frames *f)
{
	struct view ip = pkt_l3(f->m[0]);

	if (c->tos)
		ck_assert_msg(ip.p[1] == c->tos, "%s, %s: TOS %#x", c->rfc, c->what, ip.p[1]);
	if (c->outer_df != DF_ANY)
		ck_assert_msg((ip.p[6] & 0x40) == (c->outer_df == DF_IS_SET ? 0x40 : 0),
		              "%s, %s: DF", c->rfc, c->what);
	ck_assert_uint_eq(port_meta(f->m[0])->kind, FABRIC_WIRE_OUT);
	ck_assert_uint_eq(port_meta(f->m[0])->ifindex, 0);
	for (uint16_t i = 0; i < f->n && c->path_mtu; i++)
		ck_assert_uint_le(pkt_l3(f->m[i]).len, c->path_mtu);
}

static void tunnel_of(struct bench *b, const struct out_case *c)
{
	struct tunnel *tun = rig_tunnel(b->rig, RIG_TUNNEL);

	tun->df = (uint8_t)c->df;
	tun->post_fragmentation = c->post;
	tun->answer4 = addr_v4(0xc0a80101);
	ck_assert_int_eq(addr_parse("fd00:1::1", &tun->answer6), ERR_OK);
	sa_table_tunnel_changed(tun);
}

static void run_out(struct bench *b, const struct out_case *c)
{
	const char *name = rig_engine_name(b->engine);
	struct frames answers = { 0 };
	uint8_t p[SEAL_MAX];
	size_t len = plain_make(&c->plain, p);
	uint16_t want = c->drop != DROP_NONE ? 0 : c->parts ? c->parts : 1;

	bench_clear(b);
	tunnel_of(b, c);
	struct rig_sa spec = with_keys(&c->sa);
	struct sa *sa = rig_sa(b->rig, &spec);
	if (c->seq)
		rig_seq(b->rig, sa, c->seq);
	if (c->path_mtu)
		sa_runtime_learn_mtu(sa->out.runtime, c->path_mtu, UINT64_MAX);
	if (c->spoil)
		len = c->spoil(p, len);
	struct frames f = sent(b->rig, rig_mbuf(b->rig, RIG_OUT, p, len), &answers);
	uint64_t dropped = b->rig->node->spu[0].drop[c->drop];
	ck_assert_msg(f.n == want && rig_drops(b->rig) == (want == 0) &&
	                      dropped == (c->drop != DROP_NONE),
	              "%s, %s (%s): %u frames, not %u; %lu x \"%s\" of %lu drops", c->rfc, c->what,
	              name, f.n, want, dropped, drop_text(c->drop), rig_drops(b->rig));
	ck_assert_msg(answers.n == (c->answer != 0), "%s, %s: %u answers", c->rfc, c->what,
	              answers.n);
	if (answers.n)
		ck_assert_uint_eq(pkt_l3(answers.m[0]).p[0] >> 4, c->answer);
	if (want) {
		check_outer(c, &f);
		check_sealed(b, c, &f);
	}
	rte_pktmbuf_free_bulk(f.m, f.n);
	rte_pktmbuf_free_bulk(answers.m, answers.n);
}

START_TEST(outbound_road)
{
	struct bench b = bench_new((enum rig_engine)_i);

	for (size_t i = 0; i < out_cases_n; i++)
		run_out(&b, &out_cases[i]);
	bench_free(&b);
}
END_TEST

/* ---------------------------------------------------------------- the tables */

static void names_a_section(const char *rfc, const char *what)
{
	unsigned int number = 0;

	ck_assert_msg(rfc != NULL && sscanf(rfc, "RFC %u", &number) == 1 && number != 0,
	              "%s: which section says so?", what);
}

START_TEST(a_hundred_rows_and_each_has_its_section)
{
	for (size_t i = 0; i < in_cases_n; i++)
		names_a_section(in_cases[i].rfc, in_cases[i].what);
	for (size_t i = 0; i < sa_in_cases_n; i++)
		names_a_section(sa_in_cases[i].rfc, sa_in_cases[i].what);
	for (size_t i = 0; i < ah_in_cases_n; i++)
		names_a_section(ah_in_cases[i].rfc, ah_in_cases[i].what);
	for (size_t i = 0; i < out_cases_n; i++)
		names_a_section(out_cases[i].rfc, out_cases[i].what);
	ck_assert_uint_ge(in_cases_n + sa_in_cases_n + ah_in_cases_n, ROWS_MIN);
	ck_assert_uint_ge(out_cases_n, ROWS_MIN / 2);
}
END_TEST

TESTS_OF(roads)
{
	TCase *tc = tcase_create("roads");

	eal_for(tc);
	tcase_add_test(tc, a_hundred_rows_and_each_has_its_section);
	tcase_add_loop_test(tc, inbound_road, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, scenario_160_ah_on_the_inbound_road, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, outbound_road, 0, RIG_ENGINES);
	return tc;
}
