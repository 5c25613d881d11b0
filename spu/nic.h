/* SPDX-License-Identifier: BSD-2-Clause */
/* Which SAs this SPU's NIC holds (idea 6): the rounds that promote and demote.
 *
 * Every SA starts in software. The owner of its anchor gives it to the NIC when the configuration
 * lets it, direction by direction (promote.h says when). A round looks at every SA, a slice of the
 * table at a time, so that packets never wait for it: when records changed, when the NIC missed a
 * packet, and every NIC_ROUND_MS. Data-plane thread, between bursts. */
#ifndef NIC_H
#define NIC_H
#include "roads.h"

enum {
	NIC_ROUND_MS = 100,
	NIC_SLICE = 256 /* chains of the SA table in one step */
};

struct nic {
	struct roads *roads;
	uint8_t slot;
	bool allowed;           /* chassis ... offload inline */
	uint8_t owner[ANCHORS]; /* slots */
	uint32_t left;          /* chains of the round that is under way */
	bool again;             /* something changed while it was: one more round after it */
	uint64_t round_ms;
	bool lost; /* the NIC's table is gone: everything comes back in this round */
	uint64_t n_inline, n_soft; /* of this round */
};

void nic_init(struct nic *n, struct roads *roads, uint8_t slot);
/* Records changed: look at every SA again. */
void nic_changed(struct nic *n);
/* A step. True while a round is under way: the caller does not sleep. */
bool nic_step(struct nic *n);
/* Everything back to software, before the port is closed. */
void nic_release(struct nic *n);

#endif
