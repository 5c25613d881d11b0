// SPDX-License-Identifier: BSD-2-Clause
/* Inbound ESP, and what AH has in common with it, before and after the engine (RFC 4303 3.4). */
#include "pmtu.h"
#include "ecn.h"
#include "replay.h"

#include <arpa/inet.h>

enum { PROTO_HOP_BY_HOP = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_DEST_OPTIONS = 60 };
enum { UDP_LEN = 8, PROTO_UDP = 17, V6_HEADERS_MAX = 8, SPI_RESERVED = 255 };
enum { AH_SPI_AT = 4 };
enum { OPTION_PAD1 = 0, OPTION_DISCARD = 0xc0 };
enum { NIC_AHEAD_MAX = 1 << 30 };

/* ---------------------------------------------------------------- outer headers */

static uint8_t v4_parse(struct pkt *p, struct reader *r, uint8_t *ret_proto)
{
	size_t have = rd_left(r);
	const uint8_t *h = rd_view(r, IP_V4_LEN).p;

	if (r->bad || h[0] >> 4 != 4)
		return DROP_MALFORMED;
	size_t header = (h[0] & 15u) * 4u, total = get_be16(h + 2);
	if (header < IP_V4_LEN || total < header || total > have)
		return DROP_MALFORMED;
	if (!(p->m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD) && csum_fold(csum_add(0, h, header)))
		return DROP_MALFORMED;
	if (get_be16(h + 6) & 0x3fff)
		return DROP_FRAGMENT;
	*ret_proto = h[9];
	p->tos = h[1];
	*r = rd_sub(r, total - IP_V4_LEN); /* what follows is the link's padding */
	rd_skip(r, header - IP_V4_LEN);
	return DROP_NONE;
}

/* RFC 8200 4.2: the first two bits of an option's type say what one does who does not know it. We
 * know padding. */
static uint8_t v6_options(struct view options)
{
	struct reader r = rd_of_view(options);

	while (!rd_done(&r)) {
		uint8_t type = rd_u8(&r);

		if (type == OPTION_PAD1)
			continue;
		rd_skip(&r, rd_u8(&r));
		if (r.bad)
			return DROP_MALFORMED;
		if (type & OPTION_DISCARD)
			return DROP_OPTION;
	}
	return DROP_NONE;
}

/* RFC 4303 3.1.1: ESP comes behind hop-by-hop, routing and fragment headers, perhaps destination
 * options. A fragment header of a packet that is whole says nothing (RFC 6946). */
static uint8_t v6_extensions(struct reader *r, uint8_t *proto)
{
	for (int n = 0; n < V6_HEADERS_MAX; n++) {
		bool fragment = *proto == PROTO_FRAGMENT;

		if (!fragment && *proto != PROTO_HOP_BY_HOP && *proto != PROTO_ROUTING &&
		    *proto != PROTO_DEST_OPTIONS)
			return DROP_NONE;
		const uint8_t *h = rd_view(r, 8).p;
		if (r->bad)
			return DROP_MALFORMED;
		if (fragment && get_be16(h + 2) & 0xfff9)
			return DROP_FRAGMENT;
		if (*proto == PROTO_ROUTING && h[3] != 0) /* not at its destination yet */
			return DROP_ENCAPSULATION;
		bool options = *proto == PROTO_HOP_BY_HOP || *proto == PROTO_DEST_OPTIONS;
		*proto = h[0];
		struct reader more = rd_sub(r, fragment ? 0 : h[1] * 8u);
		if (r->bad)
			break;
		uint8_t drop = options ? v6_options((struct view){ h + 2, rd_left(&more) + 6 })
		                       : DROP_NONE;
		if (drop != DROP_NONE)
			return drop;
	}
	return DROP_MALFORMED;
}

static uint8_t v6_parse(struct pkt *p, struct reader *r, uint8_t *ret_proto)
{
	const uint8_t *h = rd_view(r, IP_V6_LEN).p;

	if (r->bad || h[0] >> 4 != 6 || get_be16(h + 4) > rd_left(r))
		return DROP_MALFORMED;
	p->tos = (uint8_t)(get_be16(h) >> 4);
	*r = rd_sub(r, get_be16(h + 4));
	*ret_proto = h[6];
	return v6_extensions(r, ret_proto);
}

/* RFC 3948 2.1, 3.1.1: the checksum is not looked at, the ICV says more. */
static uint8_t udp_parse(struct pkt *p, struct reader *r)
{
	const uint8_t *h = rd_view(r, UDP_LEN).p;

	if (r->bad)
		return DROP_MALFORMED;
	size_t len = get_be16(h + 4);
	if (len < UDP_LEN || len - UDP_LEN > rd_left(r))
		return DROP_MALFORMED;
	p->src_port = get_be16(h);
	p->dst_port = get_be16(h + 2);
	*r = rd_sub(r, len - UDP_LEN);
	return DROP_NONE;
}

static uint8_t outer_parse(struct roads *roads, struct pkt *p)
{
	struct view l3 = pkt_l3(p->m);
	struct reader r = rd_of_view(l3);
	uint8_t proto = 0;
	uint8_t drop = p->family == ADDR_V4 ? v4_parse(p, &r, &proto) : v6_parse(p, &r, &proto);

	if (drop != DROP_NONE)
		return drop;
	p->outer = rte_pktmbuf_mtod_offset(p->m, uint8_t *, ETHER_LEN);
	if (proto == (p->family == ADDR_V4 ? PROTO_ICMP : PROTO_ICMPV6)) {
		drop = (uint8_t)pmtu_icmp(roads, p, r);
		p->consumed = drop == DROP_NONE;
		return drop;
	}
	p->udp = proto == PROTO_UDP;
	if (p->udp)
		drop = udp_parse(p, &r);
	else if (proto != IPPROTO_NO_ESP && proto != IPPROTO_NO_AH)
		drop = DROP_ENCAPSULATION;
	if (drop != DROP_NONE)
		return drop;
	p->protocol = p->udp ? IPPROTO_NO_ESP : proto;
	p->esp_len = (uint16_t)rd_left(&r);
	size_t ahead = p->protocol == IPPROTO_NO_AH ? AH_SPI_AT : 0;
	const uint8_t *header = rd_view(&r, ahead + ESP_LEN).p;
	if (r.bad)
		return DROP_BAD_HEADER;
	p->esp = p->outer + (header - l3.p);
	p->spi = get_be32(header + ahead);
	p->wire_seq = get_be32(header + ahead + 4);
	return DROP_NONE;
}

/* The packet that this fragment completes, if it does. */
static void reassemble(struct roads *r, struct pkt *p)
{
	struct rte_mbuf *whole = NULL;
	enum drop_reason drop = reasm_add(&r->reasm, r->pool, p->m, r->shm, r->now_ms, &whole);

	p->drop = (uint8_t)drop;
	if (drop != DROP_NONE)
		return;
	p->m = whole;
	if (whole == NULL)
		return;
	p->reassembled = true;
	p->drop = outer_parse(r, p);
}

void esp_in_parse(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n; i++) {
		struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		p->drop = outer_parse(r, p);
		if (p->drop == DROP_FRAGMENT)
			reassemble(r, p);
	}
}

/* ---------------------------------------------------------------- the SA */

/* RFC 4301 4.1: SPI, destination and protocol name an SA; the routing instance does, too. */
static struct sa *sa_of(const struct roads *r, const struct pkt *p)
{
	const uint8_t *dst = p->outer + (p->family == ADDR_V4 ? 16 : 24);
	uint16_t instance = ntohs(port_meta(p->m)->instance);
	struct sa *sa = sa_table_chain(&r->sas, p->spi);

	while (sa != NULL && (sa->in.spi != p->spi || sa->protocol != p->protocol ||
	                      sa->local.family != p->family || sa->instance != instance ||
	                      memcmp(dst, sa->local.b, p->family == ADDR_V4 ? 4 : 16) != 0))
		sa = sa->next_spi;
	return sa;
}

static uint8_t find(struct roads *r, struct pkt *p)
{
	struct sa *sa = sa_of(r, p);

	if (sa == NULL) {
		if (p->spi > SPI_RESERVED)
			tell_bad_spi(&r->tell, r->shm, p->spi, r->now_ms);
		return DROP_UNKNOWN_SPI;
	}
	if (sa->udp != p->udp || (p->udp && p->dst_port != sa->local_port))
		return DROP_ENCAPSULATION;
	if (r->now_ms >= sa->hard_ms)
		return DROP_EXPIRED;
	p->sa = sa;
	return DROP_NONE;
}

void esp_in_find(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n; i++)
		if (pkt_alive(&r->burst.at[i]))
			r->burst.at[i].drop = find(r, &r->burst.at[i]);
}

/* ---------------------------------------------------------------- before the engine */

static void count_error(_Atomic uint32_t *counter)
{
	(void)__atomic_fetch_add((uint32_t *)counter, 1, __ATOMIC_RELAXED);
}

/* A packet may have been decrypted by a session of the NIC that is gone by now: its flags say so.
 */
static enum sa_engine engine_of(const struct roads *r, const struct pkt *p)
{
	bool nic = !p->reassembled && (p->sa->in.session[SA_ENGINE_INLINE] != NULL ||
	                               (p->m->ol_flags & RTE_MBUF_F_RX_SEC_OFFLOAD) != 0);

	return nic && r->sas.engines.by[SA_ENGINE_INLINE] != NULL ? SA_ENGINE_INLINE
	                                                          : SA_ENGINE_SOFT;
}

static void fill_op(struct roads *r, uint16_t i)
{
	struct pkt *p = &r->burst.at[i];
	enum sa_engine engine = engine_of(r, p);
	struct engine_op *op = burst_op(&r->burst, engine, i);
	const struct form *f = &p->sa->form;

	if (f->kind == FORM_AH)
		ah_in_op(op, p, &r->burst.own[i]);
	else
		pkt_esp_op(op, p, &r->burst.own[i], (uint32_t)(p->esp_len - f->head - f->tail));
	op->session = p->sa->in.session[engine];
}

/* RFC 4303 2.4: the trailer ends on a multiple of 4, and of the cipher's block. */
static bool esp_fits(struct pkt *p)
{
	const struct form *f = &p->sa->form;
	int payload = p->esp_len - f->head - f->tail;

	p->head = f->head;
	return payload >= f->align && (payload & (f->align - 1)) == 0;
}

static uint8_t look_at_window(struct roads *r, struct pkt *p)
{
	p->seq = p->wire_seq;
	if (p->sa->form.icv_len == 0)
		return DROP_NONE; /* anybody could move the window */
	p->seq = replay_infer(p->sa->in.runtime, p->wire_seq, p->sa->esn);
	if (replay_check(r->runtime, p->sa->in.runtime, p->seq))
		return DROP_NONE;
	count_error(&p->sa->in.runtime->replayed);
	return DROP_REPLAY;
}

static uint8_t prepare(struct roads *r, struct pkt *p, struct pkt_own *own)
{
	bool ah = p->sa->form.kind == FORM_AH;
	uint8_t drop = (ah ? ah_in_fits(p) : esp_fits(p)) ? DROP_NONE : DROP_BAD_HEADER;

	if (drop == DROP_NONE)
		drop = look_at_window(r, p);
	if (drop == DROP_NONE && ah)
		drop = ah_in_mute(p, own);
	if (drop == DROP_BAD_HEADER)
		count_error(&p->sa->in.runtime->bad_headers);
	return drop;
}

void esp_in_prepare(struct roads *r)
{
	for (uint16_t i = 0; i < r->burst.n; i++) {
		struct pkt *p = &r->burst.at[i];

		if (!pkt_alive(p))
			continue;
		p->drop = prepare(r, p, &r->burst.own[i]);
		if (p->drop == DROP_NONE)
			fill_op(r, i);
	}
}

/* ---------------------------------------------------------------- the engine */

static void read_verdict(struct roads *r, struct pkt *p, uint8_t verdict)
{
	if (verdict == ENGINE_OK) {
		if (p->nic_missed && promote_missed(&p->sa->in.promote, r->now_ms))
			r->nic_missed = true;
		return;
	}
	bool bad_icv = verdict == ENGINE_BAD_ICV;

	count_error(bad_icv ? &p->sa->in.runtime->auth_failed : &p->sa->in.runtime->decrypt_failed);
	if (!bad_icv)
		spu_count(&r->shm->stat[SPU_DECRYPT_FAILED], 1);
	else if (p->sa->protocol == IPPROTO_NO_AH)
		spu_count(&r->shm->stat[SPU_AH_AUTH_FAILED], 1);
	p->drop = bad_icv ? DROP_ICV : DROP_CRYPTO;
}

/* Under ESN the NIC infers the high half by itself, as the nearest to a number that lags behind the
 * window by up to a quarter of a turn (engine_inline.c). Only less than another quarter ahead of
 * the window are its number and ours surely the same. Beyond, an old packet that is sent again
 * would be authentic to the NIC, under its old number, and new to the window. Software, which has
 * no number but ours, finds out. */
static bool same_number(const struct pkt *p)
{
	uint64_t top = __atomic_load_n((uint64_t *)&p->sa->in.runtime->seq, __ATOMIC_RELAXED);

	return !p->sa->esn || p->seq < top + NIC_AHEAD_MAX;
}

static void doubt(struct roads *r, struct pkt *p)
{
	p->drop = DROP_REPLAY;
	count_error(&p->sa->in.runtime->replayed);
	if (promote_lost(&p->sa->in.promote, r->now_ms))
		r->nic_missed = true;
}

/* What the NIC handed up as it came is done in software: nothing is lost to a change of engine. */
static void nic_work(struct roads *r)
{
	struct burst_work *w = &r->burst.work[SA_ENGINE_INLINE];
	struct engine *nic = r->sas.engines.by[SA_ENGINE_INLINE];

	if (w->n == 0)
		return;
	nic->burst_in(nic, w->op, w->n);
	for (uint16_t i = 0; i < w->n; i++) {
		struct pkt *p = &r->burst.at[w->of[i]];

		if (w->op[i].verdict != ENGINE_NOT_DONE) {
			p->by_nic = true;
			read_verdict(r, p, w->op[i].verdict);
			if (pkt_alive(p) && !same_number(p))
				doubt(r, p);
			continue;
		}
		p->nic_missed = true;
		struct engine_op *op = burst_op(&r->burst, SA_ENGINE_SOFT, w->of[i]);
		*op = w->op[i];
		op->session = p->sa->in.session[SA_ENGINE_SOFT];
	}
}

void esp_in_engine(struct roads *r)
{
	struct burst_work *w = &r->burst.work[SA_ENGINE_SOFT];
	struct engine *soft = r->sas.engines.by[SA_ENGINE_SOFT];

	nic_work(r);
	if (w->n == 0)
		return;
	soft->burst_in(soft, w->op, w->n);
	for (uint16_t i = 0; i < w->n; i++)
		read_verdict(r, &r->burst.at[w->of[i]], w->op[i].verdict);
}

/* ---------------------------------------------------------------- after the engine */

/* RFC 4303 3.4.3: only what is authentic moves the window, and nothing is accepted twice. */
static void accept_of(struct roads *r, struct sa *sa)
{
	uint64_t seq[BURST];
	bool ok[BURST];
	uint32_t n = 0;

	if (sa->form.icv_len == 0)
		return;
	for (uint8_t i = sa->in.burst_first; i != BURST_NONE; i = r->burst.at[i].next)
		seq[n++] = r->burst.at[i].seq;
	replay_accept(r->runtime, sa->in.runtime, seq, ok, n);
	n = 0;
	for (uint8_t i = sa->in.burst_first; i != BURST_NONE; i = r->burst.at[i].next) {
		if (ok[n++])
			continue;
		r->burst.at[i].drop = DROP_REPLAY;
		count_error(&sa->in.runtime->replayed);
	}
}

void esp_in_accept(struct roads *r)
{
	burst_group(&r->burst, true);
	for (uint16_t i = 0; i < r->burst.n_sas; i++)
		accept_of(r, r->burst.sas[i]);
}
