// SPDX-License-Identifier: BSD-2-Clause
#include "pmtu.h"

#include <arpa/inet.h>

enum { PROTO_UDP = 17, PROTO_FRAGMENT = 44, ICMP_UNREACHABLE = 3, ICMP_FRAG_NEEDED = 4 };
enum { ICMP6_TOO_BIG = 2, V4_DF = 0x4000, V4_OFFSET = 0x1fff };

uint32_t pmtu_limit(const struct roads *r, const struct sa *sa)
{
	uint32_t link = sa->tunnel->link_mtu;
	uint32_t limit = link != 0 && link < r->wire_mtu ? link : r->wire_mtu;
	uint32_t path = sa_runtime_path_mtu(sa->out.runtime, r->now_ms);

	return path != 0 && path < limit ? path : limit;
}

/* ---------------------------------------------------------------- what is quoted */

struct quote {
	const uint8_t *src, *dst;
	uint32_t len; /* of the whole packet, as its header says */
	uint32_t spi, seq;
	uint16_t src_port, dst_port;
	uint8_t family; /* enum addr_family */
	uint8_t protocol;
	bool udp, has_seq;
};

static bool v4_quote(struct reader *r, struct quote *q)
{
	const uint8_t *h = rd_view(r, IP_V4_LEN).p;

	if (r->bad || h[0] >> 4 != 4 || (h[0] & 15) < IP_V4_LEN / 4)
		return false;
	rd_skip(r, (h[0] & 15u) * 4u - IP_V4_LEN);
	q->family = ADDR_V4;
	q->len = get_be16(h + 2);
	q->protocol = h[9];
	q->src = h + 12;
	q->dst = h + 16;
	/* Only a packet that must not be fragmented can have been too big. */
	return (get_be16(h + 6) & (V4_DF | V4_OFFSET)) == V4_DF;
}

static bool v6_quote(struct reader *r, struct quote *q)
{
	const uint8_t *h = rd_view(r, IP_V6_LEN).p;

	if (r->bad || h[0] >> 4 != 6)
		return false;
	q->family = ADDR_V6;
	q->len = get_be16(h + 4) + (uint32_t)IP_V6_LEN;
	q->protocol = h[6];
	q->src = h + 8;
	q->dst = h + 24;
	if (q->protocol != PROTO_FRAGMENT)
		return true;
	const uint8_t *f = rd_view(r, 8).p; /* we send fragments, too */
	if (r->bad)
		return false;
	q->protocol = f[0];
	return (get_be16(f + 2) & 0xfff8) == 0;
}

/* RFC 792: eight bytes behind the IP header are there in any case: SPI, and of ESP the number. */
static bool quote_read(struct view v, struct quote *q)
{
	struct reader r = rd_of_view(v);

	*q = (struct quote){ .spi = 0 };
	if (v.len == 0 || !(v.p[0] >> 4 == 4 ? v4_quote(&r, q) : v6_quote(&r, q)))
		return false;
	if (q->protocol == PROTO_UDP) {
		q->src_port = rd_u16(&r);
		q->dst_port = rd_u16(&r);
		rd_skip(&r, 4);
		q->udp = true;
		q->protocol = IPPROTO_NO_ESP;
	}
	if (q->protocol == IPPROTO_NO_AH)
		rd_skip(&r, 4);
	q->spi = rd_u32(&r);
	if (r.bad)
		return false;
	q->has_seq = rd_left(&r) >= 4;
	q->seq = rd_u32(&r);
	return true;
}

/* ---------------------------------------------------------------- whether it is believed */

static bool is_ours(const struct roads *r, const struct sa *sa, const struct quote *q,
                    uint16_t instance)
{
	size_t len = addr_len(&sa->remote);

	return sa->out.spi == q->spi && sa->protocol == q->protocol && sa->udp == q->udp &&
	       sa->instance == instance && sa->sending && r->now_ms < sa->hard_ms &&
	       sa->remote.family == q->family && memcmp(sa->remote.b, q->dst, len) == 0 &&
	       memcmp(sa->local.b, q->src, len) == 0 &&
	       (!q->udp || (q->src_port == sa->local_port && q->dst_port == sa->remote_port));
}

static bool is_recent(const struct sa *sa, const struct quote *q)
{
	uint32_t last =
	        (uint32_t)__atomic_load_n((uint64_t *)&sa->out.runtime->seq, __ATOMIC_RELAXED);

	return !q->has_seq || last - q->seq < PMTU_RECENT;
}

static struct sa *find(const struct roads *r, const struct quote *q, uint16_t instance)
{
	struct sa *sa = sa_table_out(&r->sas, q->spi);

	while (sa != NULL && !is_ours(r, sa, q, instance))
		sa = sa->next_out;
	return sa != NULL && is_recent(sa, q) ? sa : NULL;
}

/* RFC 1191 5, table 7-1, in short: what to try where the router does not say. */
static uint32_t plateau(uint32_t len)
{
	static const uint16_t steps[] = { 2002, 1492, 1006 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i] < len)
			return steps[i];
	return PMTU_V4_MIN;
}

/* 0: not believed. RFC 8201 4: less than every IPv6 link takes is said by nobody honest. */
static uint32_t value_of(const struct quote *q, uint32_t mtu)
{
	if (q->family == ADDR_V6)
		return mtu >= PMTU_V6_MIN && mtu < q->len ? mtu : 0;
	if (mtu == 0)
		mtu = plateau(q->len);
	if (mtu < PMTU_V4_MIN)
		mtu = PMTU_V4_MIN;
	return mtu < q->len ? mtu : 0;
}

/* All SAs of the tunnel that take the same way know it at once. */
static void lower(const struct roads *r, const struct sa *of, uint16_t mtu)
{
	for (struct sa *sa = of->tunnel->sas; sa != NULL; sa = sa->next_of_tunnel) {
		uint32_t now = sa_runtime_path_mtu(sa->out.runtime, r->now_ms);

		if (addr_equal(&sa->remote, &of->remote) && (now == 0 || mtu < now))
			sa_runtime_learn_mtu(sa->out.runtime, mtu, r->now_ms + PMTU_KEEP_MS);
	}
}

bool pmtu_learn(struct roads *r, struct view quote, uint16_t instance, uint32_t mtu)
{
	struct quote q;

	if (!quote_read(quote, &q))
		return false;
	struct sa *sa = find(r, &q, instance);
	uint32_t value = value_of(&q, mtu);
	if (sa == NULL || value == 0)
		return false;
	lower(r, sa, (uint16_t)value);
	return true;
}

/* ---------------------------------------------------------------- ICMP */

static bool sum_ok(const struct pkt *p, struct reader icmp)
{
	uint64_t sum = 0;
	uint32_t len = (uint32_t)rd_left(&icmp);

	if (p->family == ADDR_V6)
		sum = csum_add(0, p->outer + 8, 32) + len + PROTO_ICMPV6;
	return csum_fold(csum_add(sum, icmp.p, len)) == 0;
}

enum drop_reason pmtu_icmp(struct roads *r, struct pkt *p, struct reader icmp)
{
	bool v4 = p->family == ADDR_V4, ok = sum_ok(p, icmp);
	uint8_t type = rd_u8(&icmp), code = rd_u8(&icmp);
	uint32_t mtu;

	rd_skip(&icmp, v4 ? 4 : 2);
	mtu = v4 ? rd_u16(&icmp) : rd_u32(&icmp);
	if (icmp.bad || !ok || type != (v4 ? ICMP_UNREACHABLE : ICMP6_TOO_BIG) ||
	    code != (v4 ? ICMP_FRAG_NEEDED : 0))
		return DROP_ICMP_UNBELIEVED;
	bool believed = pmtu_learn(r, rd_rest(&icmp), ntohs(port_meta(p->m)->instance), mtu);
	return believed ? DROP_NONE : DROP_ICMP_UNBELIEVED;
}
