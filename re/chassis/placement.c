// SPDX-License-Identifier: BSD-2-Clause
#include "placement.h"

#include "siphash.h"

#include <string.h>

enum draw { DRAW_OWNER = 1, DRAW_STANDIN = 2 };

/* -log2(x / 2^64) in 32.32 fixed point, rounded; x > 0. Integers, so that all machines agree. */
static uint64_t minus_log2(uint64_t x)
{
	unsigned zeros = (unsigned)__builtin_clzll(x);
	uint64_t mantissa = x << zeros >> 1; /* in [2^62, 2^63): 1 <= m < 2 */
	uint64_t fraction = 0;

	for (int bit = 0; bit < 32; bit++) {
		unsigned __int128 square = (unsigned __int128)mantissa * mantissa >> 62;

		fraction <<= 1;
		if (square >> 63) {
			fraction |= 1;
			square >>= 1;
		}
		mantissa = (uint64_t)square;
	}
	return ((uint64_t)(zeros + 1) << 32) - fraction;
}

static uint64_t cost(uint8_t anchor, uint8_t slot, enum draw draw)
{
	/* A constant, not a secret: the table itself is no secret either. */
	static const uint8_t key[16] = "hawser-anchors-1";
	uint8_t in[3] = { anchor, slot, (uint8_t)draw };

	return minus_log2(siphash(key, in, sizeof(in)) | 1);
}

/* The candidate with the largest weight/cost; `not_this` is left out. */
static uint8_t draw_slot(uint8_t anchor, enum draw draw, uint8_t not_this,
                         const struct placement_spu *spu, size_t spus)
{
	const struct placement_spu *best = NULL;
	uint64_t best_cost = 0;

	for (size_t i = 0; i < spus; i++) {
		if (spu[i].slot == not_this || (draw == DRAW_STANDIN && !spu[i].in_service))
			continue;
		uint64_t c = cost(anchor, spu[i].slot, draw);
		if (best == NULL || (unsigned __int128)spu[i].weight * best_cost >
		                            (unsigned __int128)best->weight * c) {
			best = &spu[i];
			best_cost = c;
		}
	}
	return best ? best->slot : ANCHOR_NOBODY;
}

static bool has_slot(const struct placement_spu *spu, size_t spus, uint8_t slot)
{
	for (size_t i = 0; i < spus; i++)
		if (spu[i].slot == slot)
			return true;
	return false;
}

void placement_init(struct placement *p)
{
	memset(p->owner, ANCHOR_NOBODY, sizeof(p->owner));
	memset(p->standin, ANCHOR_NOBODY, sizeof(p->standin));
	memset(p->pinned, ANCHOR_NOBODY, sizeof(p->pinned));
}

void placement_compute(struct placement *p, const struct placement_spu *spu, size_t spus)
{
	for (unsigned a = 0; a < ANCHORS; a++) {
		uint8_t anchor = (uint8_t)a;

		p->owner[a] = has_slot(spu, spus, p->pinned[a])
		                      ? p->pinned[a]
		                      : draw_slot(anchor, DRAW_OWNER, ANCHOR_NOBODY, spu, spus);
		p->standin[a] = draw_slot(anchor, DRAW_STANDIN, p->owner[a], spu, spus);
	}
}

uint8_t placement_serving(const struct placement *p, uint8_t anchor,
                          const struct placement_spu *spu, size_t spus)
{
	const uint8_t order[] = { p->owner[anchor], p->standin[anchor] };

	for (size_t o = 0; o < sizeof(order); o++)
		for (size_t i = 0; i < spus; i++)
			if (spu[i].slot == order[o] && spu[i].in_service)
				return order[o];
	return ANCHOR_NOBODY;
}

unsigned placement_moves(const struct placement *old, const bool served[SPU_SLOTS],
                         const struct placement *now, const struct placement_fleet *fleet,
                         uint8_t ret_from[ANCHORS])
{
	struct placement_spu before[SPU_SLOTS];
	unsigned n = 0;

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		before[slot] = (struct placement_spu){ slot, 1, served[slot] };
	for (unsigned a = 0; a < ANCHORS; a++) {
		uint8_t was = placement_serving(old, (uint8_t)a, before, SPU_SLOTS);
		uint8_t is = placement_serving(now, (uint8_t)a, fleet->spu, fleet->n);
		bool moves = was != is && was < SPU_SLOTS && is < SPU_SLOTS && fleet->works[was];

		ret_from[a] = moves ? was : ANCHOR_NOBODY;
		n += moves;
	}
	return n;
}

unsigned placement_count(const struct placement *p, uint8_t slot)
{
	unsigned n = 0;

	for (unsigned a = 0; a < ANCHORS; a++)
		n += p->owner[a] == slot;
	return n;
}
