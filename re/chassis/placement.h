/* SPDX-License-Identifier: BSD-2-Clause */
/* Which SPU serves which anchor (idea 1): weighted rendezvous hashing.
 *
 * For each anchor every SPU draws a number from a hash of (anchor, slot); the largest, weighted,
 * owns it. So an SPU that comes or goes moves only the share that it must, and every node computes
 * the same table from the same SPUs (version 1 of the function; integers only). Pure. */
#ifndef PLACEMENT_H
#define PLACEMENT_H
#include "anchor.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct placement_spu {
	uint8_t slot;
	uint8_t weight;  /* 1..255 */
	bool in_service; /* takes packets now */
};

/* The SPUs as they are now. */
struct placement_fleet {
	struct placement_spu spu[SPU_SLOTS];
	size_t n;
	bool works[SPU_SLOTS];
};

/* Values are slots; ANCHOR_NOBODY where there is none. */
struct placement {
	uint8_t owner[ANCHORS];
	uint8_t standin[ANCHORS];
	uint8_t pinned[ANCHORS]; /* what an operator asked for; stronger than the hash */
};

/* No SPUs, nothing pinned. */
void placement_init(struct placement *p);

/* Computes owner and stand-in of every anchor. Owners are taken from all configured SPUs, so a
 * restart of one moves nothing for good; stand-ins only from those in service, spread over all of
 * them. A pin to a slot that is not among the SPUs is kept, but not followed. */
void placement_compute(struct placement *p, const struct placement_spu *spu, size_t spus);

/* The slot that gets an anchor's packets now: the owner if it is in service, else the stand-in. */
uint8_t placement_serving(const struct placement *p, uint8_t anchor,
                          const struct placement_spu *spu, size_t spus);

/* What a change of placement moves: for each anchor whose server changes and whose old server still
 * works, that one in ret_from, else ANCHOR_NOBODY. served: the slots that took packets under the
 * old placement; works: those that still do, also when they are to leave. Returns how many move. */
unsigned placement_moves(const struct placement *old, const bool served[SPU_SLOTS],
                         const struct placement *now, const struct placement_fleet *fleet,
                         uint8_t ret_from[ANCHORS]);

/* How many anchors the slot owns. */
unsigned placement_count(const struct placement *p, uint8_t slot);

#endif
