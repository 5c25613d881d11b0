// SPDX-License-Identifier: BSD-2-Clause
/* From decrypted bytes to a packet of the tunnel: trailer, inner packet, ECN, selectors. */
#include "roads.h"
#include "ecn.h"
#include "mss.h"

#include <arpa/inet.h>

/* RFC 4303 2.4 to 2.6. Padding counts up from 1 and is checked; a dummy packet says 59. */
static uint8_t trailer_check(const uint8_t *payload, size_t len, size_t *ret_len, uint8_t *ret_next)
{
	size_t pad = payload[len - 2];

	if (pad + ESP_TRAILER_LEN > len)
		return DROP_BAD_TRAILER;
	*ret_len = len - ESP_TRAILER_LEN - pad;
	*ret_next = payload[len - 1];
	for (size_t i = 0; i < pad; i++)
		if (payload[*ret_len + i] != i + 1)
			return DROP_BAD_TRAILER;
	return DROP_NONE;
}

static void v4_set_tos(uint8_t *ip, uint8_t tos)
{
	uint32_t sum = (uint16_t)~get_be16(ip + 10);

	/* RFC 1624: HC' = ~(~HC + ~m + m') */
	sum += (uint16_t)~get_be16(ip);
	ip[1] = tos;
	sum += get_be16(ip);
	put_be16(ip + 10, csum_fold(sum));
}

static void v6_set_tos(uint8_t *ip, uint8_t tos)
{
	ip[0] = (uint8_t)(0x60 | tos >> 4);
	ip[1] = (uint8_t)(tos << 4 | (ip[1] & 15));
}

static uint8_t ecn_apply(struct pkt *p, uint8_t *ip)
{
	uint8_t ecn = ecn_decapsulate(p->info.tos, p->tos);

	if (ecn == ECN_DROP)
		return DROP_ECN;
	/* RFC 2983 4.1: the inner field, unless the tunnel is told that the outer one counts. */
	uint8_t from = p->sa->tunnel->copy_outer_dscp ? p->tos : p->info.tos;
	uint8_t tos = (uint8_t)((from & ~ECN_MASK) | ecn);
	if (tos == p->info.tos)
		return DROP_NONE;
	if (p->info.flow.family == 4)
		v4_set_tos(ip, tos);
	else
		v6_set_tos(ip, tos);
	return DROP_NONE;
}

/* The frame now begins before the inner packet and ends with it (RFC 4303 2.7: what is behind the
 * inner packet's end is traffic flow confidentiality padding). */
static void cut(struct pkt *p, uint8_t *ip)
{
	struct rte_mbuf *m = p->m;
	uint8_t *frame = ip - ETHER_LEN;
	const struct tunnel *tun = p->sa->tunnel;

	m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(ETHER_LEN + p->info.len);
	m->pkt_len = m->data_len;
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	put_be16(frame + 12, p->info.flow.family == 4 ? ETHERTYPE_V4 : ETHERTYPE_V6);
	*port_meta(m) = (struct fabric_hdr){
		.kind = FABRIC_PLAIN_IN,
		.anchor = p->sa->anchor,
		.instance = htons(tun->instance),
		.tunnel = htonl(tun->index),
		.ifindex = htonl(tun->st0_ifindex),
	};
}

static uint8_t decap(struct pkt *p)
{
	const struct form *f = &p->sa->form;
	uint8_t *ip = p->esp + p->head, next = p->esp[0]; /* AH's own */
	size_t len = (size_t)p->esp_len - p->head - f->tail;
	uint8_t drop = DROP_NONE;

	if (f->trailer != 0)
		drop = trailer_check(ip, len, &len, &next);
	if (drop != DROP_NONE)
		return drop;
	if (next == PROTO_NONE && f->trailer != 0) {
		p->consumed = true;
		return DROP_NONE;
	}
	if (ip_info_read((struct view){ ip, len }, &p->info) != ERR_OK ||
	    next != (p->info.flow.family == 4 ? PROTO_IPV4 : PROTO_IPV6) ||
	    !ip_info_sum_ok(ip, &p->info))
		return DROP_BAD_INNER;
	/* RFC 4301 7: a later fragment shows no ports, and an SA for some ports does not take it.
	 */
	if (!selectors_match(p->sa->ts, &p->info.flow, true))
		return p->info.later ? DROP_FRAGMENT : DROP_SELECTOR;
	if (!p->sa->tunnel->known)
		return DROP_NO_TUNNEL;
	drop = ecn_apply(p, ip);
	if (drop != DROP_NONE)
		return drop;
	if (p->sa->tunnel->tcp_mss != 0)
		mss_clamp(ip, &p->info, p->sa->tunnel->tcp_mss);
	cut(p, ip);
	return DROP_NONE;
}

/* RFC 7296 2.23: an authentic packet from elsewhere says that the peer's NAT mapping changed. */
static void look_for_move(struct roads *r, const struct pkt *p)
{
	struct sa *sa = p->sa;
	const uint8_t *src = p->outer + (p->family == ADDR_V4 ? 12 : 8);
	size_t len = addr_len(&sa->remote);

	if (!sa->udp || (p->src_port == sa->remote_port && memcmp(src, sa->remote.b, len) == 0))
		return;
	struct spu_event e = { .kind = SPU_EVENT_PEER_MOVED,
		               .arg = p->spi,
		               .port = p->src_port,
		               .family = p->family };
	memcpy(e.addr, src, len);
	tell_peer_moved(r->shm, &sa->in.told_ms, r->now_ms, &e);
}

/* RFC 4301 4.4.2.1: what is beyond the hard limits is dropped. */
static void limit(struct roads *r, struct sa *sa)
{
	struct sa_half *h = &sa->in;
	uint16_t bytes[BURST];
	uint32_t n = 0;

	for (uint8_t i = h->burst_first; i != BURST_NONE; i = r->burst.at[i].next)
		if (pkt_alive(&r->burst.at[i]))
			bytes[n++] = (uint16_t)r->burst.at[i].info.len;
	if (n == 0)
		return;
	uint32_t go = sa_runtime_admit(h->runtime, &h->limits, bytes, n, r->now_ms);
	if (go < n)
		tell_limit(r->shm, &h->hard_told_ms, r->now_ms, h->slot, true);
	else if (sa_runtime_soft(h->runtime, &h->limits))
		tell_limit(r->shm, &h->soft_told_ms, r->now_ms, h->slot, false);
	for (uint8_t i = h->burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		if (!pkt_alive(&r->burst.at[i]))
			continue;
		if (go == 0)
			r->burst.at[i].drop = DROP_EXPIRED;
		else
			go--;
	}
}

static void count(struct roads *r, struct sa *sa)
{
	uint64_t packets = 0, bytes = 0, by_nic = 0;

	for (uint8_t i = sa->in.burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		const struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		packets++;
		bytes += p->info.len;
		by_nic += p->by_nic;
	}
	if (packets != 0 && !sa->in.limited) /* else it has counted them */
		sa_runtime_count(sa->in.runtime, packets, bytes, r->now_ms);
	spu_count(&r->shm->stat[SPU_DECRYPTED], packets);
	spu_count(&r->shm->stat[SPU_DECRYPTED_INLINE], by_nic);
	spu_count(&r->shm->stat[SPU_BYTES_IN], bytes);
	if (sa->protocol == IPPROTO_NO_AH) {
		spu_count(&r->shm->stat[SPU_AH_IN], packets);
		spu_count(&r->shm->stat[SPU_AH_BYTES_IN], bytes);
	}
}

static void finish_sa(struct roads *r, struct sa *sa)
{

	for (uint8_t i = sa->in.burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		look_for_move(r, p);
		p->drop = decap(p);
		if (p->drop == DROP_BAD_TRAILER || p->drop == DROP_BAD_INNER)
			__atomic_fetch_add((uint32_t *)&sa->in.runtime->bad_trailers, 1,
			                   __ATOMIC_RELAXED);
	}
	if (sa->in.limited)
		limit(r, sa);
	count(r, sa);
}

void esp_in_finish(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n_sas; i++)
		finish_sa(r, r->burst.sas[i]);
	burst_ungroup(&r->burst, true);
}
