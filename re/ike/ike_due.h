/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines: one heap for the whole core, one node in each object that has any (decision 0003).
 *
 * An object with several times arms its node for the earliest and, when it fires, looks which of
 * them have come. Who frees an object disarms it first. The event loop's thread. */
#ifndef IKE_DUE_H
#define IKE_DUE_H
#include "timers.h"

struct due;
struct effects;
struct ike;

/* What is done when it is due. The node is not armed then; fire arms it anew where it must. */
typedef void ike_due_fire(struct ike *ike, struct due *due, uint64_t now, struct effects *fx);

struct due {
	struct timer timer; /* first */
	ike_due_fire *fire;
};

/* Arms it for this time, or anew; UINT64_MAX disarms. */
void ike_due_at(struct ike *ike, struct due *due, uint64_t ms);

#endif
