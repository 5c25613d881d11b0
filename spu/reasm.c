// SPDX-License-Identifier: BSD-2-Clause
#include "reasm.h"
#include "ecn.h"
#include "pkt.h"

enum { PROTO_HOP_BY_HOP = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_DEST_OPTIONS = 60 };
enum { FRAGMENT_UNIT = 8, HEADERS_MAX = 8, V4_MORE = 0x2000, V4_OFFSET = 0x1fff };

/* One fragment, as its headers say. */
struct piece {
	struct reasm_key key;
	struct view head; /* what is in front of the fragmented part, without fragment header */
	struct view data;
	uint16_t next_at; /* in head: the byte that names the fragmented part's protocol */
	uint16_t first;
	bool more;
	uint8_t tos;
};

void reasm_init(struct reasm *r, uint64_t seed)
{
	list_init(&r->free);
	list_init(&r->by_age);
	for (size_t i = 0; i < ARRAY_LEN(r->chain); i++)
		list_init(&r->chain[i]);
	for (size_t i = 0; i < ARRAY_LEN(r->at); i++) {
		r->at[i] = (struct reasm_packet){ .m = NULL };
		list_init(&r->at[i].by_key);
		list_add_tail(&r->at[i].by_age, &r->free);
	}
	r->held = 0;
	r->seed = seed;
}

/* ---------------------------------------------------------------- what a fragment says */

static bool v4_piece(struct piece *p, struct reader r)
{
	size_t have = rd_left(&r);
	const uint8_t *h = rd_view(&r, IP_V4_LEN).p;

	if (r.bad)
		return false;
	size_t header = (h[0] & 15u) * 4u, total = get_be16(h + 2);
	if (header < IP_V4_LEN || total < header || total > have)
		return false;
	uint16_t frag = get_be16(h + 6);
	p->key.family = 4;
	p->key.proto = h[9];
	p->key.id = get_be16(h + 4);
	memcpy(p->key.src, h + 12, 4);
	memcpy(p->key.dst, h + 16, 4);
	p->tos = h[1];
	p->next_at = 9;
	p->head = (struct view){ h, header };
	p->data = (struct view){ h + header, total - header };
	p->more = frag & V4_MORE;
	p->first = (uint16_t)((frag & V4_OFFSET) * FRAGMENT_UNIT);
	return (frag & V4_OFFSET) * FRAGMENT_UNIT + p->data.len <= UINT16_MAX;
}

/* The chain up to the fragment header; behind it is the fragmented part. */
static bool v6_piece(struct piece *p, struct reader r)
{
	const uint8_t *ip = rd_view(&r, IP_V6_LEN).p;

	if (r.bad || get_be16(ip + 4) > rd_left(&r))
		return false;
	r = rd_sub(&r, get_be16(ip + 4));
	uint8_t proto = ip[6];
	p->next_at = 6;
	for (int n = 0; n < HEADERS_MAX; n++) {
		const uint8_t *h = rd_view(&r, FRAGMENT_UNIT).p;

		if (r.bad)
			return false;
		if (proto == PROTO_FRAGMENT) {
			p->head = (struct view){ ip, (size_t)(h - ip) };
			p->key.proto = h[0];
			p->key.id = get_be32(h + 4);
			p->first = get_be16(h + 2) & 0xfff8;
			p->more = h[3] & 1;
			p->data = rd_rest(&r);
			break;
		}
		if (proto != PROTO_HOP_BY_HOP && proto != PROTO_ROUTING &&
		    proto != PROTO_DEST_OPTIONS)
			return false;
		proto = h[0];
		p->next_at = (uint16_t)(h - ip);
		rd_skip(&r, h[1] * 8u);
	}
	p->key.family = 6;
	memcpy(p->key.src, ip + 8, 16);
	memcpy(p->key.dst, ip + 24, 16);
	p->tos = (uint8_t)(get_be16(ip) >> 4);
	return p->head.p != NULL && p->first + p->data.len <= UINT16_MAX;
}

/* RFC 791 3.2, RFC 8200 4.5: all but the last are of whole units; none is empty. The first one
 * holds the ESP or AH header (RFC 7112: a header that is split hides what it is). */
static bool piece_read(struct rte_mbuf *m, struct piece *p)
{
	struct view l3 = pkt_l3(m);
	bool ok = l3.p[0] >> 4 == 4 ? v4_piece(p, rd_of_view(l3)) : v6_piece(p, rd_of_view(l3));

	if (!ok || p->data.len == 0 || p->head.len > REASM_HEAD_MAX ||
	    (p->more && p->data.len % FRAGMENT_UNIT != 0))
		return false;
	p->key.instance = port_meta(m)->instance;
	return p->first != 0 || p->data.len >= 2 * FRAGMENT_UNIT;
}

/* ---------------------------------------------------------------- packets under way */

static struct list *chain_of(struct reasm *r, const struct reasm_key *k)
{
	uint64_t h = r->seed, word;

	for (size_t i = 0; i + sizeof(word) <= sizeof(*k); i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)k + i, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return &r->chain[h % REASM_CHAINS];
}
_Static_assert(sizeof(struct reasm_key) % 8 == 0, "hashed and compared as whole words");

static struct reasm_packet *find(struct reasm *r, const struct reasm_key *k)
{
	struct list *head = chain_of(r, k), *at;

	list_each (at, head) {
		struct reasm_packet *p = CONTAINER_OF(at, struct reasm_packet, by_key);

		if (memcmp(&p->key, k, sizeof(*k)) == 0)
			return p;
	}
	return NULL;
}

static void count_held(struct reasm *r, struct reasm_packet *p, _Atomic uint64_t *counter)
{
	spu_count(counter, p->held);
	r->held -= p->held;
	p->held = 0;
}

static void drop_packet(struct reasm *r, struct reasm_packet *p, struct spu_slot *shm,
                        enum drop_reason reason)
{
	count_held(r, p, &shm->drop[reason]);
	rte_pktmbuf_free(p->m);
	p->m = NULL;
	list_del(&p->by_key);
	list_del(&p->by_age);
	list_add_tail(&p->by_age, &r->free);
}

/* What has come is dropped, and what still comes will be. */
static void refuse(struct reasm *r, struct reasm_packet *p, struct spu_slot *shm,
                   enum drop_reason reason)
{
	count_held(r, p, &shm->drop[reason]);
	rte_pktmbuf_free(p->m);
	p->m = NULL;
}

static struct reasm_packet *begin(struct reasm *r, const struct reasm_key *k,
                                  struct rte_mempool *pool, struct spu_slot *shm, uint64_t now_ms)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m == NULL)
		return NULL;
	if (list_empty(&r->free))
		drop_packet(r, CONTAINER_OF(r->by_age.next, struct reasm_packet, by_age), shm,
		            DROP_REASSEMBLY_FULL);
	struct reasm_packet *p = CONTAINER_OF(list_pop(&r->free), struct reasm_packet, by_age);
	p->key = *k;
	p->m = m;
	p->since_ms = now_ms;
	p->held = p->parts = p->total = p->have = p->head_len = 0;
	p->ecn_seen = 0;
	list_add_tail(&p->by_age, &r->by_age);
	list_add_tail(&p->by_key, chain_of(r, k));
	return p;
}

void reasm_clear(struct reasm *r, struct spu_slot *shm, enum drop_reason reason)
{
	while (!list_empty(&r->by_age))
		drop_packet(r, CONTAINER_OF(r->by_age.next, struct reasm_packet, by_age), shm,
		            reason);
}

void reasm_expire(struct reasm *r, struct spu_slot *shm, uint64_t now_ms)
{
	while (!list_empty(&r->by_age)) {
		struct reasm_packet *p = CONTAINER_OF(r->by_age.next, struct reasm_packet, by_age);

		if (now_ms - p->since_ms < REASM_MS)
			return;
		drop_packet(r, p, shm, DROP_REASSEMBLY_TIMEOUT);
	}
}

/* ---------------------------------------------------------------- parts */

/* Where the fragmented part begins in the buffer: behind room for the largest head. */
static uint8_t *data_at(const struct reasm_packet *p)
{
	return (uint8_t *)p->m->buf_addr + RTE_PKTMBUF_HEADROOM + ETHER_LEN + REASM_HEAD_MAX;
}

static size_t data_room(const struct reasm_packet *p)
{
	size_t front = RTE_PKTMBUF_HEADROOM + (size_t)ETHER_LEN + REASM_HEAD_MAX;

	return p->m->buf_len > front ? p->m->buf_len - front : 0;
}

/* Puts [first, end) into the list, which stays in order. False where it overlaps, or is one too
 * many. */
static bool part_add(struct reasm_packet *p, uint16_t first, uint16_t end)
{
	uint16_t i = 0;

	while (i < p->parts && p->part[i].end <= first)
		i++;
	if ((i < p->parts && p->part[i].first < end) || p->parts == REASM_PARTS)
		return false;
	memmove(&p->part[i + 1], &p->part[i], (p->parts - i) * sizeof(p->part[0]));
	p->part[i] = (struct reasm_part){ first, end };
	p->parts++;
	return true;
}

/* RFC 8200 4.5: the end is said once, and nothing lies behind it. */
static bool end_fits(struct reasm_packet *p, const struct piece *f, uint16_t end)
{
	uint16_t furthest = p->parts ? p->part[p->parts - 1].end : 0;

	if (f->more)
		return p->total == 0 || end <= p->total;
	if ((p->total != 0 && p->total != end) || furthest > end)
		return false;
	p->total = end;
	return true;
}

static enum drop_reason take(struct reasm_packet *p, const struct piece *f)
{
	size_t end = f->first + f->data.len;

	if (end > data_room(p) || !end_fits(p, f, (uint16_t)end))
		return DROP_REASSEMBLY_BAD;
	if (!part_add(p, f->first, (uint16_t)end))
		return p->parts == REASM_PARTS ? DROP_REASSEMBLY_BAD : DROP_REASSEMBLY_OVERLAP;
	memcpy(data_at(p) + f->first, f->data.p, f->data.len);
	p->have = (uint16_t)(p->have + f->data.len);
	p->ecn_seen |= (uint8_t)(1 << (f->tos & ECN_MASK));
	p->held++;
	if (f->first != 0)
		return DROP_NONE;
	memcpy(p->head, f->head.p, f->head.len);
	p->head[f->next_at] = f->key.proto;
	p->head_len = (uint16_t)f->head.len;
	return DROP_NONE;
}

/* The same bytes once more say nothing new (RFC 8200 4.5); they are dropped alone. */
static bool is_repeated(const struct reasm_packet *p, const struct piece *f)
{
	for (uint16_t i = 0; i < p->parts; i++)
		if (p->part[i].first == f->first && p->part[i].end == f->first + f->data.len)
			return memcmp(data_at(p) + f->first, f->data.p, f->data.len) == 0;
	return false;
}

/* ---------------------------------------------------------------- the whole */

/* RFC 3168 5.3: a mark on one fragment is a mark on the packet; a packet that is marked although
 * another fragment says that its sender does not understand is dropped. */
static bool ecn_merge(const struct reasm_packet *p, uint8_t *tos)
{
	if (!(p->ecn_seen & 1 << ECN_CE))
		return true;
	*tos |= ECN_CE;
	return !(p->ecn_seen & 1 << ECN_NOT_ECT);
}

static bool finish(struct reasm_packet *p, struct rte_mbuf *last)
{
	struct rte_mbuf *m = p->m;
	uint8_t *ip = data_at(p) - p->head_len, *frame = ip - ETHER_LEN;
	bool v4 = p->key.family == 4;

	if (v4) {
		put_be16(p->head + 2, (uint16_t)(p->head_len + p->total));
		put_be16(p->head + 6, 0);
		if (!ecn_merge(p, &p->head[1]))
			return false;
		put_be16(p->head + 10, 0);
		put_be16(p->head + 10, csum_fold(csum_add(0, p->head, p->head_len)));
	} else {
		uint8_t tos = (uint8_t)(get_be16(p->head) >> 4);

		put_be16(p->head + 4, (uint16_t)(p->head_len - IP_V6_LEN + p->total));
		if (!ecn_merge(p, &tos))
			return false;
		p->head[1] = (uint8_t)(tos << 4 | (p->head[1] & 15));
	}
	memcpy(ip, p->head, p->head_len);
	memcpy(frame, rte_pktmbuf_mtod(last, const uint8_t *), ETHER_LEN);
	m->data_off = (uint16_t)(frame - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(ETHER_LEN + p->head_len + p->total);
	m->pkt_len = m->data_len;
	*port_meta(m) = *port_meta(last);
	return true;
}

static void release(struct reasm *r, struct reasm_packet *p)
{
	r->held -= p->held;
	p->m = NULL;
	list_del(&p->by_key);
	list_del(&p->by_age);
	list_add_tail(&p->by_age, &r->free);
}

enum drop_reason reasm_add(struct reasm *r, struct rte_mempool *pool, struct rte_mbuf *m,
                           struct spu_slot *shm, uint64_t now_ms, struct rte_mbuf **ret)
{
	struct piece f;

	memset(&f, 0, sizeof(f)); /* also what is between the key's fields */
	*ret = NULL;
	if (!piece_read(m, &f))
		return DROP_REASSEMBLY_BAD;
	if (f.key.proto != IPPROTO_NO_ESP && f.key.proto != IPPROTO_NO_AH)
		return DROP_FRAGMENT; /* UDP is the kernel's */
	struct reasm_packet *p = find(r, &f.key);
	if (p == NULL)
		p = begin(r, &f.key, pool, shm, now_ms);
	if (p == NULL)
		return DROP_NO_BUFFER;
	if (p->m == NULL || is_repeated(p, &f))
		return DROP_REASSEMBLY_OVERLAP;
	enum drop_reason reason = take(p, &f);
	if (reason != DROP_NONE) {
		refuse(r, p, shm, reason);
		return reason;
	}
	r->held++;
	if (p->total == 0 || p->have != p->total) {
		rte_pktmbuf_free(m);
		return DROP_NONE;
	}
	if (!finish(p, m)) {
		p->held--; /* this one is the caller's */
		r->held--;
		refuse(r, p, shm, DROP_ECN);
		return DROP_ECN;
	}
	*ret = p->m;
	spu_count(&shm->stat[SPU_MERGED], p->held - 1u);
	release(r, p);
	rte_pktmbuf_free(m);
	return DROP_NONE;
}
