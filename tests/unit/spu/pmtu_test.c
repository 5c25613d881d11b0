// SPDX-License-Identifier: BSD-2-Clause
/* What routers say of the path: which of it is believed, how long, and how far down. */
#include "pmtu.h"
#include "rig.h"
#include "seal.h"

#include <arpa/inet.h>

enum { SENT = 1000 }; /* numbers that the SA has given */

/* A packet of ours that somebody quotes, and what he says. */
struct quote_spec {
	uint8_t outer; /* 0: 4 */
	bool udp, df_clear, later;
	uint16_t len;      /* of the whole packet; 0: 1,500 */
	uint16_t quoted;   /* bytes of it that are quoted; 0: IP header and 28 */
	uint32_t spi, seq; /* 0: ours, the last one */
	uint16_t sport, dport;
	const char *src, *dst;
	uint8_t type, code; /* 0: as it should be */
	uint32_t mtu;
	bool bad_sum;
};

static void put_addr(uint8_t *at, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), ERR_OK);
	memcpy(at, a.b, addr_len(&a));
}

static size_t quoted_make(const struct quote_spec *s, uint8_t *p)
{
	bool v6 = s->outer == 6;
	size_t head = v6 ? 40 : 20, udp = s->udp ? 8 : 0;
	uint16_t len = s->len ? s->len : 1500;
	uint8_t *esp = p + head + udp;

	memset(p, 0, 128);
	p[0] = v6 ? 0x60 : 0x45;
	put_be16(p + (v6 ? 4 : 2), v6 ? (uint16_t)(len - 40) : len);
	p[v6 ? 6 : 9] = s->udp ? 17 : 50;
	if (!v6)
		put_be16(p + 6, (uint16_t)((s->df_clear ? 0 : 0x4000) | (s->later ? 100 : 0)));
	put_addr(p + (v6 ? 8 : 12), s->src ? s->src : v6 ? "2001:db8:1::1" : "192.0.2.1");
	put_addr(p + (v6 ? 24 : 16), s->dst ? s->dst : v6 ? "2001:db8:2::2" : "198.51.100.2");
	if (s->udp) {
		put_be16(p + head, s->sport ? s->sport : 4500);
		put_be16(p + head + 2, s->dport ? s->dport : 4500);
	}
	put_be32(esp, s->spi ? s->spi : 0x2000);
	put_be32(esp + 4, s->seq ? s->seq : SENT);
	return s->quoted ? s->quoted : head + 28;
}

static size_t icmp_make(const struct quote_spec *s, uint8_t *out)
{
	bool v6 = s->outer == 6;
	size_t head = v6 ? 40 : 20;
	uint8_t *icmp = out + head;

	memset(out, 0, head + 8);
	size_t body = 8 + quoted_make(s, icmp + 8);
	icmp[0] = s->type ? s->type : v6 ? 2 : 3;
	icmp[1] = s->code ? s->code : v6 ? 0 : 4;
	if (v6)
		put_be32(icmp + 4, s->mtu);
	else
		put_be16(icmp + 6, (uint16_t)s->mtu);
	out[0] = v6 ? 0x60 : 0x45;
	out[v6 ? 6 : 9] = v6 ? 58 : 1;
	out[v6 ? 7 : 8] = 64;
	put_be16(out + (v6 ? 4 : 2), (uint16_t)(v6 ? body : head + body));
	put_addr(out + (v6 ? 8 : 12), v6 ? "2001:db8:9::9" : "203.0.113.9"); /* any router */
	put_addr(out + (v6 ? 24 : 16), v6 ? "2001:db8:1::1" : "192.0.2.1");
	uint64_t sum = v6 ? csum_add(0, out + 8, 32) + body + 58 : 0;
	put_be16(icmp + 2, (uint16_t)(csum_fold(csum_add(sum, icmp, body)) + s->bad_sum));
	if (!v6)
		seal_checksum(out);
	return head + body;
}

#define V6_OUTER .local = "2001:db8:1::1", .remote = "2001:db8:2::2"
#define NO DROP_ICMP_UNBELIEVED

static const struct {
	const char *what;
	struct rig_sa sa;
	struct quote_spec says;
	uint16_t before; /* path MTU */
	uint8_t drop;
	uint16_t after;
} said[] = {
	{ "as it should be", { 0 }, { .mtu = 1400 }, 0, 0, 1400 },
	{ "IPv6", { V6_OUTER }, { .outer = 6, .mtu = 1400 }, 0, 0, 1400 },
	{ "in UDP", { .udp = true }, { .udp = true, .mtu = 1400 }, 0, 0, 1400 },
	{ "in UDP over IPv6",
	  { V6_OUTER, .udp = true },
	  { .outer = 6, .udp = true, .mtu = 1300 },
	  0,
	  0,
	  1300 },
	{ "eight bytes quoted", { 0 }, { .mtu = 1400, .quoted = 28 }, 0, 0, 1400 },
	{ "four bytes quoted", { 0 }, { .mtu = 1400, .quoted = 24 }, 0, 0, 1400 },
	{ "three bytes quoted", { 0 }, { .mtu = 1400, .quoted = 23 }, 0, NO, 0 },
	{ "no SPI in UDP quoted",
	  { .udp = true },
	  { .udp = true, .mtu = 1400, .quoted = 28 },
	  0,
	  NO,
	  0 },
	{ "lower than before", { 0 }, { .mtu = 1200 }, 1400, 0, 1200 },
	{ "higher than before", { 0 }, { .mtu = 1450 }, 1400, 0, 1400 },
	{ "never below 576", { 0 }, { .mtu = 68 }, 0, 0, 576 },
	{ "IPv6 below 1,280", { V6_OUTER }, { .outer = 6, .mtu = 1279 }, 0, NO, 0 },
	{ "IPv6 1,280", { V6_OUTER }, { .outer = 6, .mtu = 1280 }, 0, 0, 1280 },
	{ "an old router that does not say", { 0 }, { .mtu = 0 }, 0, 0, 1492 },
	{ "the same of a smaller packet", { 0 }, { .mtu = 0, .len = 1492 }, 0, 0, 1006 },
	{ "the same of a small packet", { 0 }, { .mtu = 0, .len = 1006 }, 0, 0, 576 },
	{ "the packet would have fitted", { 0 }, { .mtu = 1500 }, 0, NO, 0 },
	{ "IPv6: the packet would have fitted",
	  { V6_OUTER },
	  { .outer = 6, .mtu = 1500 },
	  0,
	  NO,
	  0 },
	{ "a packet of 576 bytes", { 0 }, { .mtu = 68, .len = 576 }, 0, NO, 0 },
	{ "the quoted packet has no DF", { 0 }, { .mtu = 1400, .df_clear = true }, 0, NO, 0 },
	{ "a later fragment is quoted", { 0 }, { .mtu = 1400, .later = true }, 0, NO, 0 },
	{ "another SPI", { 0 }, { .mtu = 1400, .spi = 0x2001 }, 0, NO, 0 },
	{ "our own SPI", { 0 }, { .mtu = 1400, .spi = 0x1007 }, 0, NO, 0 },
	{ "another peer", { 0 }, { .mtu = 1400, .dst = "198.51.100.3" }, 0, NO, 0 },
	{ "another source", { 0 }, { .mtu = 1400, .src = "192.0.2.2" }, 0, NO, 0 },
	{ "another port", { .udp = true }, { .udp = true, .mtu = 1400, .dport = 4501 }, 0, NO, 0 },
	{ "in UDP, the SA is not", { 0 }, { .udp = true, .mtu = 1400 }, 0, NO, 0 },
	{ "not in UDP, the SA is", { .udp = true }, { .mtu = 1400 }, 0, NO, 0 },
	{ "a number that was not given", { 0 }, { .mtu = 1400, .seq = SENT + 1 }, 0, NO, 0 },
	{ "a number long ago",
	  { 0 },
	  { .mtu = 1400, .seq = SENT - (uint32_t)PMTU_RECENT },
	  0,
	  NO,
	  0 },
	{ "an SA that is not in use", { .not_sending = true }, { .mtu = 1400 }, 0, NO, 0 },
	{ "an SA past its end", { .hard_ms = RIG_NOW }, { .mtu = 1400 }, 0, NO, 0 },
	{ "another routing instance", { .instance = 5 }, { .mtu = 1400 }, 0, NO, 0 },
	{ "wrong checksum", { 0 }, { .mtu = 1400, .bad_sum = true }, 0, NO, 0 },
	{ "IPv6, wrong checksum",
	  { V6_OUTER },
	  { .outer = 6, .mtu = 1400, .bad_sum = true },
	  0,
	  NO,
	  0 },
	{ "port unreachable", { 0 }, { .mtu = 1400, .code = 3 }, 0, NO, 0 },
	{ "time exceeded", { 0 }, { .mtu = 1400, .type = 11 }, 0, NO, 0 },
};

static void say(size_t k)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct sa *sa = rig_sa(rig, &said[k].sa);
	uint8_t p[SEAL_MAX];

	rig_seq(rig, sa, SENT + 1);
	if (said[k].before)
		sa_runtime_learn_mtu(sa->out.runtime, said[k].before, UINT64_MAX);
	struct rig_result r = rig_run(rig, RIG_IN, p, icmp_make(&said[k].says, p));
	ck_assert_msg(r.drop == said[k].drop, "%s: \"%s\"", said[k].what, drop_text(r.drop));
	ck_assert_msg(r.consumed == (r.drop == DROP_NONE), "%s", said[k].what);
	uint32_t now = sa_runtime_path_mtu(sa->out.runtime, RIG_NOW);
	ck_assert_msg(now == said[k].after, "%s: %u", said[k].what, now);
	rig_free(rig);
}

START_TEST(icmp_is_believed_where_it_quotes_us)
{
	for (size_t k = 0; k < ARRAY_LEN(said); k++)
		say(k);
}
END_TEST

START_TEST(what_was_learned_is_forgotten_after_ten_minutes)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct quote_spec s = { .mtu = 1400 };
	uint8_t p[SEAL_MAX];

	rig_seq(rig, sa, SENT + 1);
	sa->tunnel->link_mtu = 1500;
	ck_assert_uint_eq(pmtu_limit(&rig->roads, sa), 1500);
	(void)rig_run(rig, RIG_IN, p, icmp_make(&s, p));
	ck_assert_uint_eq(pmtu_limit(&rig->roads, sa), 1400);
	rig->roads.now_ms += PMTU_KEEP_MS - 1;
	ck_assert_uint_eq(pmtu_limit(&rig->roads, sa), 1400);
	rig->roads.now_ms++;
	ck_assert_uint_eq(pmtu_limit(&rig->roads, sa), 1500);
	rig_free(rig);
}
END_TEST

/* All SAs of the tunnel to that peer take the same way; a rekeyed one does not learn it anew. */
START_TEST(the_tunnels_other_sas_know_it_too)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct sa *beside = rig_sa(rig, &(struct rig_sa){ .spi_in = 0x1107, .spi_out = 0x2100 });
	struct sa *elsewhere = rig_sa(
	        rig,
	        &(struct rig_sa){ .spi_in = 0x1207, .spi_out = 0x2200, .remote = "198.51.100.9" });
	struct quote_spec s = { .mtu = 1400 };
	uint8_t p[SEAL_MAX];

	rig_seq(rig, sa, SENT + 1);
	(void)rig_run(rig, RIG_IN, p, icmp_make(&s, p));
	ck_assert_uint_eq(sa_runtime_path_mtu(sa->out.runtime, RIG_NOW), 1400);
	ck_assert_uint_eq(sa_runtime_path_mtu(beside->out.runtime, RIG_NOW), 1400);
	ck_assert_uint_eq(sa_runtime_path_mtu(elsewhere->out.runtime, RIG_NOW), 0);
	struct sa *next = rig_sa(rig, &(struct rig_sa){ .spi_in = 0x1307, .spi_out = 0x2300 });
	ck_assert_uint_eq(sa_runtime_path_mtu(next->out.runtime, RIG_NOW), 1400);
	rig_free(rig);
}
END_TEST

/* What the steering sends back because the route takes less. */
START_TEST(a_packet_that_comes_back_says_how_much_fits)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct sa *sa = rig_sa(rig, &(struct rig_sa){ 0 });
	struct quote_spec s = { .len = 128, .quoted = 128 };
	struct rte_mbuf *in, *out[BURST];
	uint8_t p[SEAL_MAX];

	rig_seq(rig, sa, SENT + 1);
	put_be16(p, 0);
	size_t len = quoted_make(&s, p);
	put_be16(p + 2, 1500);
	in = rig_mbuf(rig, RIG_IN, p, len);
	port_meta(in)->kind = FABRIC_TOO_BIG;
	port_meta(in)->tunnel = htonl(1300);
	ck_assert_uint_eq(inbound_run(&rig->roads, &in, 1, out), 0);
	ck_assert_uint_eq(rig->roads.shm->drop[DROP_TOO_BIG], 1);
	ck_assert_uint_eq(sa_runtime_path_mtu(sa->out.runtime, RIG_NOW), 1300);
	rig_free(rig);
}
END_TEST

TESTS_OF(pmtu)
{
	TCase *tc = tcase_create("pmtu");

	eal_for(tc);
	tcase_add_test(tc, icmp_is_believed_where_it_quotes_us);
	tcase_add_test(tc, what_was_learned_is_forgotten_after_ten_minutes);
	tcase_add_test(tc, the_tunnels_other_sas_know_it_too);
	tcase_add_test(tc, a_packet_that_comes_back_says_how_much_fits);
	return tc;
}
