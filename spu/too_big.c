// SPDX-License-Identifier: BSD-2-Clause
/* Outbound packets that are larger than the path takes: answered, or fragmented (oversize.h). */
#include "frag.h"
#include "icmp_error.h"
#include "pmtu.h"

#include <arpa/inet.h>

/* ---------------------------------------------------------------- before encryption */

/* The answer goes the way that a packet from the tunnel goes: by st0 into the fabric. */
static struct rte_mbuf *answer_frame(struct roads *r, const struct pkt *p,
                                     const struct addr *source)
{
	const struct tunnel *tun = p->sa->tunnel;
	const uint8_t *ip = rte_pktmbuf_mtod_offset(p->m, const uint8_t *, ETHER_LEN);
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);

	if (m == NULL)
		return NULL;
	struct sizes sizes = sa_sizes(p->sa);
	uint32_t mtu = sizes_inner_max(&sizes, pmtu_limit(r, p->sa));
	if (p->info.flow.family == 6 && mtu < PMTU_V6_MIN)
		mtu = PMTU_V6_MIN; /* up to there the outer packet is fragmented */
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	memset(frame, 0, ETHER_LEN);
	put_be16(frame + 12, p->info.flow.family == 4 ? ETHERTYPE_V4 : ETHERTYPE_V6);
	struct icmp_answer a = { .source = source, .mtu = mtu, .id = r->ip_id++ };
	uint16_t len = icmp_too_big(frame + ETHER_LEN, ip, &p->info, &a);
	m->data_len = (uint16_t)(ETHER_LEN + len);
	m->pkt_len = m->data_len;
	*port_meta(m) = (struct fabric_hdr){
		.kind = FABRIC_PLAIN_IN,
		.anchor = p->sa->anchor,
		.instance = htons(tun->instance),
		.tunnel = htonl(tun->index),
		.ifindex = htonl(tun->st0_ifindex),
	};
	return m;
}

static void answer(struct roads *r, const struct pkt *p)
{
	const struct tunnel *tun = p->sa->tunnel;
	const struct addr *source = p->info.flow.family == 4 ? &tun->answer4 : &tun->answer6;

	if (source->family == ADDR_NONE || spill_room(&r->answers) == 0 ||
	    !icmp_may_answer(&p->info) || !icmp_limit_take(&r->icmp_limit, r->now_ms))
		return;
	struct rte_mbuf *m = answer_frame(r, p, source);
	if (m == NULL)
		return;
	spill_push(&r->answers, m);
	spu_count(&r->shm->stat[SPU_MADE], 1);
}

/* Fragments of packet i, and all that came behind it, take the road again, in order: so nothing
 * overtakes. */
static void split_inner(struct roads *r, uint16_t i)
{
	struct burst *b = &r->burst;
	struct pkt *p = &b->at[i];
	struct sizes sizes = sa_sizes(p->sa);
	uint32_t mtu = sizes_inner_max(&sizes, pmtu_limit(r, p->sa));
	struct rte_mbuf *part[FRAG_MAX];
	uint16_t n = 0;

	/* Behind the packet's end may be the link's padding. */
	p->m->data_len = (uint16_t)(ETHER_LEN + p->info.len);
	p->m->pkt_len = p->m->data_len;
	if (spill_room(&r->line) >= FRAG_MAX + BURST)
		n = frag_split(r->pool, p->m, mtu, 0, part);
	if (n == 0) {
		p->drop = DROP_NO_BUFFER;
		return;
	}
	p->m = NULL;
	spu_count(&r->shm->stat[SPU_MADE], n - 1u);
	for (uint16_t k = b->n; k > i + 1; k--) {
		struct pkt *q = &b->at[k - 1];

		if (!pkt_alive(q))
			continue;
		spill_push(&r->line, q->m);
		q->m = NULL;
	}
	while (n > 0)
		spill_push(&r->line, part[--n]);
}

void esp_out_too_big(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n; i++) {
		struct pkt *p = &r->burst.at[i];

		if (p->m == NULL)
			continue;
		if (p->oversize == OVERSIZE_ANSWER)
			answer(r, p);
		else if (p->oversize == OVERSIZE_SPLIT_INNER && pkt_alive(p))
			split_inner(r, i);
	}
}

/* ---------------------------------------------------------------- after encryption */

/* The same for finished packets: fragments, and what comes behind them, in order. */
void esp_out_split(struct roads *r)
{
	struct burst *b = &r->burst;
	bool behind = false;

	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt *p = &b->at[i];
		struct rte_mbuf *part[FRAG_MAX];

		if (!pkt_alive(p))
			continue;
		if (p->oversize != OVERSIZE_SPLIT_OUTER) {
			if (behind) {
				spill_push(&r->ready, p->m);
				p->m = NULL;
			}
			continue;
		}
		uint16_t n = frag_split(r->pool, p->m, pmtu_limit(r, p->sa), r->frag_id++, part);
		if (n == 0) {
			p->drop = DROP_NO_BUFFER;
			continue;
		}
		p->m = NULL;
		behind = true;
		spu_count(&r->shm->stat[SPU_MADE], n - 1u);
		for (uint16_t k = 0; k < n; k++)
			spill_push(&r->ready, part[k]);
	}
}
_Static_assert(SPILL_MAX >= BURST * FRAG_MAX, "a burst of fragmented packets");
