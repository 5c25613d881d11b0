/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices have counted outlives them (settled: 5.10): before one is deleted, its losses are
 * added to a record, so that the sum of `show security flow drops` stays exact after an SPU or a
 * tunnel interface was removed. The event loop's thread. */
#ifndef DEVICES_H
#define DEVICES_H
#include "model.h"
#include "node_shm.h"

struct daemon;

struct devices {
	uint64_t lost; /* frames that deleted devices had no room for */
	/* By slot: frames that came in by links that were deleted since, less those that came out
	 * again. The SPU's own counters go on when it comes back. */
	uint64_t inside[SPU_SLOTS];
};

/* What a predecessor counted. */
void devices_resume(struct daemon *d);
/* Call them right before the devices go. */
void devices_spu_goes(struct daemon *d, const struct config_spu *spu);
void devices_units_go(struct daemon *d, const struct config *old, const struct config *c);

#endif
