// SPDX-License-Identifier: BSD-2-Clause
#include "soak.h"

enum { PROTO_UDP_ = 17, V4_HEAD = 20, V6_HEAD = 40, UDP_HEAD = 8, UNIT = 8, ALL_UNITS = 192 };
enum { NOISE = 1 << 16 };

static uint8_t noise[NOISE];

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void noise_make(void)
{
	for (size_t i = 0; i < NOISE; i += 8)
		put_be64(noise + i, mix(i + 1));
}

/* Both gateways' networks are there in both families; no selector narrows them. */
static void addresses(uint8_t *ip, uint8_t family, int from)
{
	size_t len = family == 4 ? 4 : 16, at = family == 4 ? 12 : 8;

	for (int i = 0; i < 2; i++, at += len) {
		memset(ip + at, 0, len);
		ip[at] = family == 4 ? 10 : 0xfd;
		ip[at + 1] = (uint8_t)((from ^ i) + 1);
		ip[at + len - 1] = 9;
	}
}

/* A packet is a function of seed, tunnel, sender and number: who receives it makes it again. */
static size_t packet_of(const struct soak *s, uint32_t t, int from, uint64_t number, uint8_t *ip)
{
	uint64_t h = mix(s->seed * 0x9e3779b97f4a7c15u + number * 128 + t * 2 + (uint64_t)from + 1);
	bool v6 = s->tunnel[t].frag == FRAG_NONE && (h & 1);
	size_t head = v6 ? V6_HEAD : V4_HEAD;
	size_t len = PACKET_MIN + (size_t)((h >> 8) % (PACKET_MAX - PACKET_MIN + 1));
	uint8_t tos = (uint8_t)(h >> 32);

	if (noise[0] == 0 && noise[1] == 0)
		noise_make();
	memset(ip, 0, head);
	if (v6) {
		put_be32(ip, 0x60000000u | (uint32_t)tos << 20);
		put_be16(ip + 4, (uint16_t)(len - V6_HEAD));
		ip[6] = PROTO_UDP_;
		ip[7] = 60;
	} else {
		ip[0] = 0x45;
		ip[1] = tos;
		put_be16(ip + 2, (uint16_t)len);
		put_be16(ip + 4, (uint16_t)number);
		ip[8] = 60;
		ip[9] = PROTO_UDP_;
	}
	addresses(ip, v6 ? 6 : 4, from);
	if (!v6)
		put_be16(ip + 10, csum_fold(csum_add(0, ip, V4_HEAD)));
	uint8_t *udp = ip + head;
	put_be16(udp, 1000);
	put_be16(udp + 2, 2000);
	put_be16(udp + 4, (uint16_t)(len - head));
	put_be16(udp + 6, 0);
	put_be64(udp + UDP_HEAD, number);
	memcpy(udp + UDP_HEAD + 8, noise + (h >> 40) % (NOISE - PACKET_MAX),
	       len - head - UDP_HEAD - 8);
	return len;
}

size_t soak_packet(struct soak *s, uint32_t t, int from, uint8_t *ip)
{
	struct way *w = &s->tunnel[t].way[from];
	struct entry *e = &w->at[w->next % LEDGER];
	size_t len = packet_of(s, t, from, w->next, ip);

	if (e->open)
		soak_die(s, "tunnel %u, from %d: packet %lu never arrived", t, from, e->number);
	size_t head = ip[0] >> 4 == 4 ? V4_HEAD : V6_HEAD;
	*e = (struct entry){ .number = w->next++,
		             .n_units = (uint16_t)((len - head + UNIT - 1) / UNIT),
		             .open = true };
	return len;
}

static bool mark(struct entry *e, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		uint64_t bit = (uint64_t)1 << (i % 64);

		if (e->units[i / 64] & bit)
			return false;
		e->units[i / 64] |= bit;
	}
	return true;
}

static bool whole(const struct entry *e)
{
	size_t have = 0;

	for (size_t i = 0; i < ARRAY_LEN(e->units); i++)
		have += (size_t)__builtin_popcountll(e->units[i]);
	return have == e->n_units;
}

/* The number stands in the payload; in IPv4's identification its last bits, for fragments. */
static uint64_t number_of(const struct way *w, const uint8_t *ip)
{
	if (ip[0] >> 4 == 6)
		return get_be64(ip + V6_HEAD + UDP_HEAD);
	return w->next - 1 - (uint16_t)(w->next - 1 - get_be16(ip + 4));
}

void soak_arrived(struct soak *s, int at, uint32_t t, const uint8_t *ip, size_t len)
{
	struct way *w = &s->tunnel[t].way[!at];
	uint64_t number = number_of(w, ip);
	struct entry *e = &w->at[number % LEDGER];
	uint8_t want[PACKET_MAX];
	size_t all = packet_of(s, t, !at, number, want);
	bool v4 = ip[0] >> 4 == 4;
	size_t head = v4 ? V4_HEAD : V6_HEAD;
	size_t off = v4 ? (get_be16(ip + 6) & 0x1fffu) * UNIT : 0;
	bool part = v4 && (get_be16(ip + 6) & 0x3fff);

	if (number >= w->next || e->number != number || !e->open)
		soak_die(s, "tunnel %u, to %d: packet %lu arrived twice, or was never sent", t, at,
		         number);
	if (head + off + (len - head) > all || (!part && len != all))
		soak_die(s, "tunnel %u, to %d: packet %lu has %zu bytes, not %zu", t, at, number,
		         len, all);
	if (memcmp(ip + head, want + head + off, len - head) != 0 ||
	    (!part && memcmp(ip, want, head) != 0))
		soak_die(s, "tunnel %u, to %d: packet %lu has other bytes", t, at, number);
	if (!mark(e, off / UNIT, (off + len - head + UNIT - 1) / UNIT))
		soak_die(s, "tunnel %u, to %d: packet %lu arrived twice", t, at, number);
	if (!whole(e))
		return;
	e->open = false;
	w->delivered++;
	s->tally.delivered++;
}
