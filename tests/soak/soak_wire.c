// SPDX-License-Identifier: BSD-2-Clause
#include "soak.h"

#include <arpa/inet.h>
#include <rte_ethdev.h>

enum { SLOW_SHARE = 8 }; /* of the packets that a tunnel with DES would have */
enum { MANY_WAYS = 4, REPEATS = 16, ROOM = MANY_WAYS * QUEUE };
enum { TARGET_USUAL = 100, TARGET_MAX = 1200, TARGET_OUTER = 24, MARGIN = 16, FRAMES_OF_ONE = 4 };

/* ---------------------------------------------------------------- through the NICs */

/* In at one end of the loop, out at the other; nothing may be lost. */
static void through(struct soak *s, uint16_t in, uint16_t out, struct rte_mbuf **m, uint16_t n)
{
	uint16_t sent = rte_eth_tx_burst(in, 0, m, n), got = 0;

	while (got < sent) {
		uint16_t k = rte_eth_rx_burst(out, 0, m + got, (uint16_t)(sent - got));
		if (k == 0)
			break;
		got = (uint16_t)(got + k);
	}
	if (sent != n || got != n)
		soak_die(s, "the NIC took %u of %u frames, and handed on %u", sent, n, got);
}

/* ---------------------------------------------------------------- out */

struct where {
	const uint8_t *esp; /* NULL: a fragment */
	uint32_t id;        /* of a fragment */
	uint32_t tunnel;
	uint8_t proto;
};

static struct where where_of(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHER_LEN);
	bool v4 = ip[0] >> 4 == 4;
	size_t head = v4 ? 20 : 40;
	struct where w = { .proto = v4 ? ip[9] : ip[6], .tunnel = ip[v4 ? 19 : 39] - 1u };
	bool part = v4 ? (get_be16(ip + 6) & 0x3fff) != 0 : w.proto == 44;

	w.id = v4 ? get_be16(ip + 4) : part ? get_be32(ip + 44) : 0;
	if (!part)
		w.esp = ip + head + (w.proto == 17 ? 8 : 0);
	return w;
}

static struct pair *pair_of(struct soak *s, const struct where *w, int from, uint32_t *ret_seq)
{
	size_t at = w->proto == IPPROTO_NO_AH ? 4 : 0;
	struct soak_tunnel *t = &s->tunnel[w->tunnel];

	*ret_seq = get_be32(w->esp + at + 4);
	for (int g = 0; g < GENS; g++)
		if (t->pair[g].live && t->pair[g].spec[from].spi_out == get_be32(w->esp + at))
			return &t->pair[g];
	soak_die(s, "tunnel %u, from %d: SPI %#x is nobody's", w->tunnel, from,
	         get_be32(w->esp + at));
}

/* Two SPUs and two engines number the packets of one SA: up, and none twice. */
static void check_number(struct soak *s, const struct where *w, int from)
{
	uint32_t seq = 0;

	if (w->esp == NULL)
		return;
	struct pair *p = pair_of(s, w, from, &seq);
	if (p->numbered[from] && (int32_t)(seq - p->last[from]) <= 0)
		soak_die(s, "tunnel %u, from %d: number %u after %u", w->tunnel, from, seq,
		         p->last[from]);
	p->last[from] = seq;
	p->numbered[from] = true;
}

static void onto_the_wire(struct soak *s, int side, int spu, struct rte_mbuf **m, uint16_t n)
{
	struct rig *rig = s->rig[side][spu];

	s->out[side][spu] += n;
	if (rig->kind == RIG_INLINE)
		through(s, rig->wire, rig->far, m, n);
	for (uint16_t i = 0; i < n; i++) {
		struct where w = where_of(m[i]);

		if (w.tunnel >= TUNNELS)
			soak_die(s, "a frame for nobody");
		struct way *way = &s->tunnel[w.tunnel].way[side];
		if (way->n == QUEUE)
			soak_die(s, "more frames than one burst can make");
		check_number(s, &w, side);
		way->queue[way->n++] = m[i];
	}
}

/* Fragments of two SPUs may bear one identification at one time (RFC 6864 4.3: 16 bits are not
 * many), and what is mixed up is not authentic: such a tunnel has one sender at a time. */
static bool sends(struct soak *s, const struct soak_tunnel *t, int side, int spu, bool any)
{
	if (t->owner[side] != spu && (!any || t->frag == FRAG_OUTER))
		return false;
	if (t->way[side].n + BURST * FRAMES_OF_ONE >= QUEUE - TARGET_USUAL)
		return false;
	bool slow = t->pair[0].live && t->pair[0].slow;
	slow |= t->pair[1].live && t->pair[1].slow;
	return !slow || soak_below(s, SLOW_SHARE) == 0;
}

static uint32_t draw_tunnel(struct soak *s, int side, int spu)
{
	bool any = soak_below(s, 16) == 0; /* a packet in an old owner's ring */
	uint32_t t = soak_below(s, TUNNELS);

	for (uint32_t i = 0; i < TUNNELS; i++, t = (t + 1) % TUNNELS)
		if (sends(s, &s->tunnel[t], side, spu, any))
			return t;
	return TUNNELS;
}

static struct rte_mbuf *packet(struct soak *s, int side, int spu, uint32_t t)
{
	struct rig *rig = s->rig[side][spu];
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig->pool);

	if (m == NULL)
		soak_die(s, "no packet buffer is left");
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
	size_t len = soak_packet(s, t, side, at + ETHER_LEN);
	memset(at, 0, 12);
	put_be16(at + 12, at[ETHER_LEN] >> 4 == 6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
	(void)rte_pktmbuf_append(m, (uint16_t)(ETHER_LEN + len));
	*port_meta(m) = (struct fabric_hdr){ .kind = FABRIC_PLAIN_OUT,
		                             .anchor = (uint8_t)(t + 1),
		                             .tunnel = htonl(500 + t),
		                             .ifindex = htonl(3) };
	s->tally.packets++;
	s->tally.bytes += len;
	return m;
}

void soak_send(struct soak *s, int side, int spu, uint32_t max)
{
	struct rte_mbuf *in[BURST], *out[BURST];
	struct roads *r = &s->rig[side][spu]->roads;
	uint32_t want = 1 + soak_below(s, max < BURST ? max : BURST);
	uint16_t n = 0, k = 0;

	while (n < want) {
		uint32_t t = draw_tunnel(s, side, spu);

		if (t == TUNNELS)
			break;
		in[n++] = packet(s, side, spu, t);
	}
	s->in[side][spu] += n;
	s->left -= n;
	k = outbound_run(r, in, n, out);
	do
		onto_the_wire(s, side, spu, out, k);
	while (outbound_more(r, out, &k));
	if (outbound_answers(r, out) != 0)
		soak_die(s, "an ICMP error was made for a packet that fits");
}

/* ---------------------------------------------------------------- in */

static void inbound(struct soak *s, int side, int spu, struct rte_mbuf **m, uint16_t n)
{
	struct rig *rig = s->rig[side][spu];
	struct rte_mbuf *out[BURST];

	for (uint16_t i = 0; i < n; i++) {
		m[i]->ol_flags = 0;
		*port_meta(m[i]) = (struct fabric_hdr){ .kind = FABRIC_WIRE_IN,
			                                .anchor = RIG_ANCHOR,
			                                .ifindex = htonl(3) };
	}
	if (rig->kind == RIG_INLINE)
		through(s, rig->far, rig->wire, m, n);
	s->in[side][spu] += n;
	uint16_t k = inbound_run(&rig->roads, m, n, out);
	s->out[side][spu] += k;
	for (uint16_t i = 0; i < k; i++) {
		struct view ip = pkt_l3(out[i]);

		soak_arrived(s, side, ntohl(port_meta(out[i])->tunnel) - 500, ip.p, ip.len);
	}
	rte_pktmbuf_free_bulk(out, k);
}

struct arrival {
	struct rte_mbuf *m[ROOM];
	uint32_t n;
	struct rte_mbuf *repeat[REPEATS];
	uint16_t n_repeat;
};

/* The fragments of one packet go to one SPU, the rest to the anchor's owner, nearly always. */
static int spu_for(struct soak *s, int side, const struct where *w)
{
	if (w->esp == NULL)
		return (int)(w->id & 1);
	int owner = s->tunnel[w->tunnel].owner[side];
	return soak_below(s, 16) == 0 ? !owner : owner;
}

/* Sometimes a frame is sent again later: refused, by either SPU, whichever had it first. */
static void maybe_repeat(struct soak *s, struct arrival *a, int to, struct rte_mbuf *m)
{
	struct where w = where_of(m);
	uint32_t seq = 0;

	if (w.esp == NULL || a->n_repeat == REPEATS || soak_below(s, 64) != 0 ||
	    !pair_of(s, &w, !to, &seq)->icv)
		return;
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, s->rig[to][0]->pool, 0, UINT32_MAX);
	if (copy == NULL)
		soak_die(s, "no packet buffer is left");
	a->repeat[a->n_repeat++] = copy;
}

static void deliver(struct soak *s, struct arrival *a, int to)
{
	struct rte_mbuf *pending[SPUS][BURST];
	uint16_t n[SPUS] = { 0 };

	for (uint32_t i = 0; i < a->n; i++) {
		struct where w = where_of(a->m[i]);
		int spu = spu_for(s, to, &w);

		maybe_repeat(s, a, to, a->m[i]);
		pending[spu][n[spu]++] = a->m[i];
		if (n[spu] < BURST && soak_below(s, 24) != 0)
			continue;
		inbound(s, to, spu, pending[spu], n[spu]);
		n[spu] = 0;
	}
	for (int spu = 0; spu < SPUS; spu++)
		if (n[spu] != 0)
			inbound(s, to, spu, pending[spu], n[spu]);
	if (a->n_repeat == 0)
		return;
	s->tally.repeated += a->n_repeat;
	inbound(s, to, (int)soak_below(s, SPUS), a->repeat, a->n_repeat);
	a->n_repeat = 0;
}

/* No packet may lag further behind than its SA's window reaches. */
static void draw_target(struct soak *s, struct soak_tunnel *t, struct way *w)
{
	uint32_t most = t->window - MARGIN;
	uint32_t usual = soak_below(s, 8) != 0 ? TARGET_USUAL : TARGET_MAX;

	if (t->frag == FRAG_OUTER)
		usual = TARGET_OUTER; /* and no SPU has room for any number of packets in pieces */
	w->target = (uint16_t)(1 + soak_below(s, most < usual ? most : usual));
}

static void take(struct soak *s, struct arrival *a, int to, uint32_t i, uint16_t n)
{
	struct way *w = &s->tunnel[i].way[!to];

	for (uint16_t k = 0; k < n; k++) { /* shuffled */
		uint16_t j = (uint16_t)(k + soak_below(s, n - k));
		struct rte_mbuf *m = w->queue[j];

		w->queue[j] = w->queue[k];
		a->m[a->n++] = m;
	}
	w->n = (uint16_t)(w->n - n);
	memmove(w->queue, w->queue + n, w->n * sizeof(w->queue[0]));
	draw_target(s, &s->tunnel[i], w);
}

/* Frames of several tunnels mix, those of each in the order that take() gave them. */
static void interleave(struct soak *s, struct arrival *a, uint32_t first)
{
	static struct rte_mbuf *mixed[ROOM];
	uint32_t i = 0, j = first, n = 0;

	while (i < first || j < a->n) {
		bool left = j == a->n || (i < first && soak_below(s, 2));

		mixed[n++] = left ? a->m[i++] : a->m[j++];
	}
	memcpy(a->m, mixed, n * sizeof(mixed[0]));
}

void soak_arrive(struct soak *s, int to, uint32_t t, bool all)
{
	static struct arrival a;

	do {
		a.n = 0;
		for (uint32_t k = 0, i = t; k < MANY_WAYS; k++, i = (i + 1) % TUNNELS) {
			struct way *w = &s->tunnel[i].way[!to];
			uint32_t before = a.n;
			uint16_t n = w->n < w->target ? w->n : w->target;

			if (n < w->target && !(all && k == 0))
				continue;
			take(s, &a, to, i, n);
			interleave(s, &a, before);
		}
		deliver(s, &a, to);
	} while (a.n != 0);
}
