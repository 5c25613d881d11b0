// SPDX-License-Identifier: BSD-2-Clause
#include "frag.h"
#include "ip_info.h"
#include "pkt.h"

enum { FRAG_UNIT = 8, V4_HEADER_MAX = 60, V6_FRAG_LEN = 8, PROTO_V6_FRAGMENT = 44 };
enum { V4_MORE = 0x2000, V4_OFFSET = 0x1fff, OPTION_END = 0, OPTION_NOP = 1, OPTION_COPIED = 0x80 };

/* What each fragment begins with. */
struct plan {
	const uint8_t *ip;
	uint8_t family;
	uint16_t header; /* of the whole */
	uint16_t payload;
	uint16_t first_room, later_room; /* payload bytes of a fragment */
	uint8_t later[V4_HEADER_MAX];    /* IPv4 header of all but the first */
	uint16_t later_len;
	uint16_t id_hi, id_lo; /* IPv6 */
};

/* RFC 791 3.1: of the options, only those with the copied flag stand in later fragments. */
static uint16_t v4_later_header(const uint8_t *ip, uint16_t header, uint8_t later[V4_HEADER_MAX])
{
	uint16_t len = IP_V4_LEN;
	struct reader r = rd_of(ip + IP_V4_LEN, header - (size_t)IP_V4_LEN);

	memcpy(later, ip, IP_V4_LEN);
	while (rd_left(&r) != 0) {
		const uint8_t *at = r.p;
		uint8_t type = rd_u8(&r);

		if (type == OPTION_END)
			break;
		if (type == OPTION_NOP)
			continue;
		uint8_t option = rd_u8(&r);
		rd_skip(&r, option < 2 ? SIZE_MAX : option - 2u);
		if (r.bad)
			break;
		if (!(type & OPTION_COPIED))
			continue;
		memcpy(later + len, at, option);
		len = (uint16_t)(len + option);
	}
	while (len % 4 != 0)
		later[len++] = OPTION_END;
	later[0] = (uint8_t)(0x40 | len / 4);
	return len;
}

static bool v4_plan(struct plan *p, uint32_t mtu)
{
	p->header = (uint16_t)((p->ip[0] & 15u) * 4u);
	p->payload = (uint16_t)(get_be16(p->ip + 2) - p->header);
	p->later_len = v4_later_header(p->ip, p->header, p->later);
	if (mtu < p->header + (uint32_t)FRAG_UNIT)
		return false;
	p->first_room = (uint16_t)((mtu - p->header) & ~7u);
	p->later_room = (uint16_t)((mtu - p->later_len) & ~7u);
	return true;
}

/* Of our own outer packets: nothing but the IPv6 header is in front of the fragment header. */
static bool v6_plan(struct plan *p, uint32_t mtu, uint32_t id)
{
	p->header = IP_V6_LEN;
	p->payload = get_be16(p->ip + 4);
	p->id_hi = (uint16_t)(id >> 16);
	p->id_lo = (uint16_t)id;
	if (mtu < IP_V6_LEN + V6_FRAG_LEN + (uint32_t)FRAG_UNIT)
		return false;
	p->first_room = p->later_room = (uint16_t)((mtu - IP_V6_LEN - V6_FRAG_LEN) & ~7u);
	return true;
}

/* Offset and flag may be added to those that the packet already has: a fragment can be split again.
 * The source of fragments does not ask routers not to make more: DF is clear. */
static uint16_t v4_head(const struct plan *p, uint8_t *at, uint16_t from, uint16_t n, bool more)
{
	uint16_t had = get_be16(p->ip + 6), len = from == 0 ? p->header : p->later_len;

	memcpy(at, from == 0 ? p->ip : p->later, len);
	put_be16(at + 2, (uint16_t)(len + n));
	put_be16(at + 6, (uint16_t)(((had & V4_OFFSET) + from / FRAG_UNIT) |
	                            (more ? V4_MORE : had & V4_MORE)));
	put_be16(at + 10, 0);
	put_be16(at + 10, csum_fold(csum_add(0, at, len)));
	return len;
}

static uint16_t v6_head(const struct plan *p, uint8_t *at, uint16_t from, uint16_t n, bool more)
{
	uint8_t *f = at + IP_V6_LEN;

	memcpy(at, p->ip, IP_V6_LEN);
	put_be16(at + 4, (uint16_t)(V6_FRAG_LEN + n));
	f[0] = at[6];
	f[1] = 0;
	at[6] = PROTO_V6_FRAGMENT;
	put_be16(f + 2, (uint16_t)(from | more));
	put_be16(f + 4, p->id_hi);
	put_be16(f + 6, p->id_lo);
	return IP_V6_LEN + V6_FRAG_LEN;
}

static struct rte_mbuf *one(struct rte_mempool *pool, const struct plan *p, struct rte_mbuf *whole,
                            uint16_t from, uint16_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	bool more = from + n < p->payload;

	if (m == NULL)
		return NULL;
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(at, rte_pktmbuf_mtod(whole, const uint8_t *), ETHER_LEN);
	at += ETHER_LEN;
	uint16_t head =
	        p->family == 4 ? v4_head(p, at, from, n, more) : v6_head(p, at, from, n, more);
	memcpy(at + head, p->ip + p->header + from, n);
	m->data_len = (uint16_t)(ETHER_LEN + head + n);
	m->pkt_len = m->data_len;
	*port_meta(m) = *port_meta(whole);
	return m;
}

uint16_t frag_split(struct rte_mempool *pool, struct rte_mbuf *m, uint32_t mtu, uint32_t id,
                    struct rte_mbuf *ret[FRAG_MAX])
{
	struct plan p = { .ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHER_LEN) };
	uint16_t n = 0, from = 0;

	p.family = p.ip[0] >> 4;
	bool works = p.family == 4 ? v4_plan(&p, mtu) : v6_plan(&p, mtu, id);
	while (works && from < p.payload) {
		uint16_t room = from == 0 ? p.first_room : p.later_room;
		uint16_t left = (uint16_t)(p.payload - from), part = left < room ? left : room;

		works = n < FRAG_MAX && (ret[n] = one(pool, &p, m, from, part)) != NULL;
		n = (uint16_t)(n + works);
		from = (uint16_t)(from + part);
	}
	if (!works) {
		rte_pktmbuf_free_bulk(ret, n);
		return 0;
	}
	rte_pktmbuf_free(m);
	return n;
}
