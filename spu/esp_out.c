// SPDX-License-Identifier: BSD-2-Clause
/* Outbound ESP before and after the engine (RFC 4303 3.3). */
#include "mss.h"
#include "pmtu.h"

#include <arpa/inet.h>

/* ---------------------------------------------------------------- the SA, and whether it fits */

/* RFC 4301 5.1: the newest SA of the tunnel that takes the packet. */
static uint8_t choose(const struct roads *r, struct pkt *p, const struct tunnel *tun)
{
	/* RFC 4301 7: a later fragment shows no ports, and SAs for some ports do not take it. */
	uint8_t drop = p->info.later && tun->sas != NULL ? DROP_FRAGMENT : DROP_NO_SA;

	for (struct sa *sa = tun->sas; sa != NULL; sa = sa->next_of_tunnel) {
		if (!sa->sending || !selectors_match(sa->ts, &p->info.flow, false))
			continue;
		if (r->now_ms < sa->hard_ms) {
			p->sa = sa;
			return DROP_NONE;
		}
		drop = DROP_EXPIRED;
	}
	return drop;
}

/* Bytes behind the outer headers. */
static uint16_t esp_size(const struct sa *sa, const struct pkt *p)
{
	const struct form *f = &sa->form;

	return (uint16_t)(f->head + p->info.len + p->pad + f->trailer + f->tail);
}

static uint8_t too_big(struct pkt *p)
{
	const struct tunnel *tun = p->sa->tunnel;
	struct oversize_rule rule = { .df = p->sa->encap.df,
		                      .post = tun->post_fragmentation,
		                      .by_port = p->sa->ts->by_port };

	p->oversize = oversize_what(&rule, &p->info);
	bool goes_on = p->oversize == OVERSIZE_SPLIT_INNER || p->oversize == OVERSIZE_SPLIT_OUTER;
	return goes_on ? DROP_NONE : DROP_TOO_BIG;
}

static uint8_t fit(const struct roads *r, struct pkt *p)
{
	const struct sa *sa = p->sa;
	const struct form *f = &sa->form;

	p->pad = (uint8_t)(-(p->info.len + f->trailer) & (f->align - 1));
	uint32_t front = (uint32_t)(sa->encap.len + f->head);
	uint32_t back = (uint32_t)(p->pad + f->trailer + f->tail);
	uint32_t total = front + p->info.len + back;
	if (total > pmtu_limit(r, sa)) {
		uint8_t drop = too_big(p);
		if (drop != DROP_NONE || p->oversize == OVERSIZE_SPLIT_INNER)
			return drop;
	}
	uint32_t slack = p->m->data_len - (uint32_t)ETHER_LEN - p->info.len;
	if (rte_pktmbuf_headroom(p->m) < front ||
	    rte_pktmbuf_tailroom(p->m) + slack < back + f->scratch)
		return DROP_NO_BUFFER;
	return DROP_NONE;
}

static uint8_t prepare(const struct roads *r, struct pkt *p)
{
	const struct tunnel *tun = sa_table_tunnel(&r->sas, ntohl(port_meta(p->m)->tunnel));

	uint8_t *ip = rte_pktmbuf_mtod_offset(p->m, uint8_t *, ETHER_LEN);

	if (ip_info_read(pkt_l3(p->m), &p->info) != ERR_OK || p->info.flow.family != p->family ||
	    !ip_info_sum_ok(ip, &p->info))
		return DROP_MALFORMED;
	if (tun == NULL || !tun->known)
		return DROP_NO_TUNNEL;
	uint8_t drop = choose(r, p, tun);
	if (drop != DROP_NONE)
		return drop;
	if (tun->tcp_mss != 0)
		mss_clamp(ip, &p->info, tun->tcp_mss);
	return fit(r, p);
}

void esp_out_prepare(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n; i++)
		if (pkt_alive(&r->burst.at[i]))
			r->burst.at[i].drop = prepare(r, &r->burst.at[i]);
}

/* ---------------------------------------------------------------- sequence numbers */

/* RFC 4301 4.4.2.1: what is beyond the hard limits is dropped. It leaves the SA's list, so that it
 * takes no number. */
static void limit(struct roads *r, struct sa *sa)
{
	struct sa_half *h = &sa->out;
	uint16_t bytes[BURST];
	uint32_t n = 0;

	for (uint8_t i = h->burst_first; i != BURST_NONE; i = r->burst.at[i].next)
		bytes[n++] = (uint16_t)r->burst.at[i].info.len;
	uint32_t go = sa_runtime_admit(h->runtime, &h->limits, bytes, n, r->now_ms);
	if (go < n)
		tell_limit(r->shm, &h->hard_told_ms, r->now_ms, h->slot, true);
	else if (sa_runtime_soft(h->runtime, &h->limits))
		tell_limit(r->shm, &h->soft_told_ms, r->now_ms, h->slot, false);
	h->burst_n = (uint8_t)go;
	for (uint8_t i = h->burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		if (go == 0)
			r->burst.at[i].drop = DROP_EXPIRED;
		else
			go--;
	}
}

/* RFC 4303 3.3.3: where the numbers end, the SA stops sending. */
static void number(struct roads *r, struct sa *sa)
{
	if (sa->out.limited)
		limit(r, sa);
	if (sa->out.burst_n == 0)
		return;
	uint64_t seq = 0;
	uint32_t n = sa_runtime_take_seq(sa->out.runtime, sa->out.burst_n, &seq);

	if (seq >= sa->out.soft_seq)
		tell_limit(r->shm, &sa->out.soft_told_ms, r->now_ms, sa->out.slot, false);
	if (n < sa->out.burst_n)
		tell_exhausted(r->shm, &sa->out.told_ms, r->now_ms, sa->out.slot);
	for (uint8_t i = sa->out.burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		if (n == 0) {
			p->drop = DROP_SEQ_EXHAUSTED;
			continue;
		}
		p->seq = seq++;
		n--;
	}
}

void esp_out_number(struct roads *r)
{
	burst_group(&r->burst, false);
	for (uint16_t i = 0; i < r->burst.n_sas; i++)
		number(r, r->burst.sas[i]);
}

/* ---------------------------------------------------------------- headers and trailers */

static void write_trailer(const struct pkt *p, uint8_t *end)
{
	for (uint8_t i = 0; i < p->pad; i++)
		end[i] = (uint8_t)(i + 1);
	end[p->pad] = p->pad;
	end[p->pad + 1] = p->info.flow.family == 4 ? PROTO_IPV4 : PROTO_IPV6;
}

/* No nonce is used twice: the explicit IV is the epoch and the sequence number (RFC 4106 3.1; the
 * first rule of docs/architecture.md). Under CBC it is a block that nobody can tell beforehand. */
static void write_esp(struct roads *r, struct pkt *p)
{
	const struct form *f = &p->sa->form;

	put_be32(p->esp, p->sa->out.spi);
	put_be32(p->esp + 4, (uint32_t)p->seq);
	if (f->iv == FORM_IV_COUNTER)
		put_be64(p->esp + ESP_LEN, pkt_nonce(p));
	else if (f->iv == FORM_IV_RANDOM && !iv_source_fill(r->ivs, p->esp + ESP_LEN, f->iv_len))
		p->drop = DROP_CRYPTO;
}

static void write_frame(struct pkt *p, uint16_t payload)
{
	struct rte_mbuf *m = p->m;
	const struct encap *e = &p->sa->encap;
	uint8_t *frame = p->outer - ETHER_LEN;

	m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(ETHER_LEN + e->len + payload);
	m->pkt_len = m->data_len;
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	/* In one store: field by field each waits for the one before. */
	m->tx_offload = rte_mbuf_tx_offload(ETHER_LEN, e->ip_len, 0, 0, 0, 0, 0);
	put_be16(frame + 12, e->family == ADDR_V4 ? ETHERTYPE_V4 : ETHERTYPE_V6);
	*port_meta(m) = (struct fabric_hdr){
		.kind = FABRIC_WIRE_OUT,
		.anchor = p->sa->anchor,
		.instance = htons(p->sa->instance),
		.tunnel = htonl(p->sa->tunnel_index),
	};
}

static void fill_op(struct roads *r, uint16_t i)
{
	struct pkt *p = &r->burst.at[i];
	/* A NIC encrypts as it sends: what is fragmented after encryption is done in software. */
	enum sa_engine engine = p->oversize == OVERSIZE_SPLIT_OUTER
	                                ? SA_ENGINE_SOFT
	                                : (enum sa_engine)p->sa->out.engine;
	struct engine_op *op = burst_op(&r->burst, engine, i);

	if (p->sa->form.kind == FORM_AH)
		ah_out_op(op, p, &r->burst.own[i]);
	else
		pkt_esp_op(op, p, &r->burst.own[i],
		           (uint32_t)(p->info.len + p->pad + p->sa->form.trailer));
	op->session = p->sa->out.session[engine];
}

/* RFC 6864 4: what may be fragmented has a number that does not come again soon, whatever the SA:
 * all SAs between two gateways are this SPU's. For the others it says nothing. */
static uint16_t id_of(struct roads *r, const struct pkt *p)
{
	uint8_t df = p->sa->encap.df;
	bool whole = df == ENCAP_DF_SET || (df == ENCAP_DF_COPY && p->info.df);

	return whole ? (uint16_t)p->seq : r->ip_id++;
}

static void write_packet(struct roads *r, struct pkt *p)
{
	const struct sa *sa = p->sa;
	uint8_t *ip = rte_pktmbuf_mtod_offset(p->m, uint8_t *, ETHER_LEN);
	uint16_t payload = esp_size(sa, p);
	struct encap_inner inner = { p->info.tos, p->info.df, id_of(r, p), p->info.label };

	p->esp = ip - sa->form.head;
	p->outer = p->esp - sa->encap.len;
	encap_write(&sa->encap, p->outer, payload, inner);
	if (sa->form.kind == FORM_AH) {
		ah_out_write(p);
	} else {
		write_trailer(p, ip + p->info.len);
		write_esp(r, p);
	}
	write_frame(p, payload);
}

void esp_out_write(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n; i++) {
		struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		write_packet(r, p);
		if (pkt_alive(p))
			fill_op(r, i);
	}
}

/* ---------------------------------------------------------------- the engine */

/* What the NIC would not mark goes out by software: its bytes are still as we wrote them. */
static void nic_work(struct roads *r)
{
	struct burst_work *w = &r->burst.work[SA_ENGINE_INLINE];
	struct engine *nic = r->sas.engines.by[SA_ENGINE_INLINE];

	if (w->n == 0)
		return;
	nic->burst_out(nic, w->op, w->n);
	for (uint16_t i = 0; i < w->n; i++) {
		struct pkt *p = &r->burst.at[w->of[i]];

		p->by_nic = w->op[i].verdict == ENGINE_OK;
		if (p->by_nic)
			continue;
		if (promote_lost(&p->sa->out.promote, r->now_ms))
			r->nic_missed = true;
		struct engine_op *op = burst_op(&r->burst, SA_ENGINE_SOFT, w->of[i]);
		*op = w->op[i];
		op->session = p->sa->out.session[SA_ENGINE_SOFT];
	}
}

static void soft_work(struct roads *r)
{
	struct burst_work *w = &r->burst.work[SA_ENGINE_SOFT];
	struct engine *soft = r->sas.engines.by[SA_ENGINE_SOFT];

	if (w->n == 0)
		return;
	soft->burst_out(soft, w->op, w->n);
	for (uint16_t i = 0; i < w->n; i++) {
		struct pkt *p = &r->burst.at[w->of[i]];
		const struct encap *e = &p->sa->encap;

		if (w->op[i].verdict != ENGINE_OK)
			p->drop = DROP_CRYPTO;
		else if (p->sa->form.kind == FORM_AH)
			ah_out_finish(p, &r->burst.own[w->of[i]]);
		else if (encap_wants_checksum(e))
			encap_checksum(e, p->outer, esp_size(p->sa, p));
	}
}

static void count(struct roads *r, struct sa *sa)
{
	uint64_t packets = 0, bytes = 0, by_nic = 0;

	for (uint8_t i = sa->out.burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		const struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		packets++;
		bytes += p->info.len;
		by_nic += p->by_nic;
	}
	if (packets != 0 && !sa->out.limited) /* else it has counted them */
		sa_runtime_count(sa->out.runtime, packets, bytes, r->now_ms);
	spu_count(&r->shm->stat[SPU_ENCRYPTED], packets);
	spu_count(&r->shm->stat[SPU_ENCRYPTED_INLINE], by_nic);
	spu_count(&r->shm->stat[SPU_BYTES_OUT], bytes);
	if (sa->protocol == IPPROTO_NO_AH) {
		spu_count(&r->shm->stat[SPU_AH_OUT], packets);
		spu_count(&r->shm->stat[SPU_AH_BYTES_OUT], bytes);
	}
}

void esp_out_engine(struct roads *r)
{
	nic_work(r);
	soft_work(r);
	for (uint16_t i = 0; i < r->burst.n_sas; i++)
		count(r, r->burst.sas[i]);
	burst_ungroup(&r->burst, false);
}
