// SPDX-License-Identifier: BSD-2-Clause
#include "pmtu.h"

#include <arpa/inet.h>

static uint8_t frame_check(struct roads *r, struct pkt *p, enum fabric_kind want)
{
	const struct fabric_hdr *meta = port_meta(p->m);

	if (meta->kind == FABRIC_MARKER) {
		r->marker = ntohl(meta->tunnel);
		r->marker_read = true;
		p->consumed = true;
		return DROP_NONE;
	}
	bool bounced = meta->kind == FABRIC_TOO_BIG && want == FABRIC_WIRE_IN;
	if (meta->kind != want && !bounced)
		return DROP_BAD_FABRIC;
	if (p->m->nb_segs != 1 || rte_pktmbuf_data_len(p->m) < ETHER_LEN)
		return DROP_MALFORMED;
	uint16_t type = get_be16(rte_pktmbuf_mtod_offset(p->m, const uint8_t *, 12));
	if (type != ETHERTYPE_V4 && type != ETHERTYPE_V6)
		return DROP_BAD_FABRIC;
	p->family = type == ETHERTYPE_V4 ? ADDR_V4 : ADDR_V6;
	if (!bounced)
		return DROP_NONE;
	/* One that we sent, and the steering found no way for that takes it. */
	(void)pmtu_learn(r, pkt_l3(p->m), ntohs(meta->instance), ntohl(meta->tunnel));
	return DROP_TOO_BIG;
}

void road_begin(struct roads *r, struct rte_mbuf **in, uint16_t n, enum fabric_kind want)
{
	struct burst *b = &r->burst;

	b->n = n;
	b->n_sas = 0;
	b->work[SA_ENGINE_SOFT].n = b->work[SA_ENGINE_INLINE].n = 0;
	memset(b->at, 0, n * sizeof(b->at[0])); /* at once: one by one costs 15 cycles each */
	for (uint16_t i = 0; i < n; i++) {
		b->at[i].m = in[i];
		b->at[i].next = BURST_NONE;
		b->at[i].drop = frame_check(r, &b->at[i], want);
	}
}

uint16_t road_end(struct roads *r, struct rte_mbuf **ret_out)
{
	struct burst *b = &r->burst;
	uint16_t out = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt *p = &b->at[i];

		if (p->m == NULL) /* held */
			continue;
		if (pkt_alive(p)) {
			ret_out[out++] = p->m;
			continue;
		}
		spu_count(p->consumed ? &r->shm->stat[SPU_CONSUMED] : &r->shm->drop[p->drop], 1);
		rte_pktmbuf_free(p->m);
	}
	return out;
}
