/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of each SPU as the routing engine sees it, and the anchors onto them (idea 1).
 *
 *     configured -> links made, record put, keeper told to start it
 *                -> it has read all records (SPU_READY) -> planned move of its anchors to it, alive
 *     dead       -> the keeper has cleared the alive word: the stand-ins serve; new stand-ins are
 *                   chosen -> the keeper starts it again -> ready -> its anchors come back by a
 *                   planned move
 *     removed, or of another profile -> planned move of its anchors to the others -> stopped
 *                -> links and record go, or it is started anew
 *
 * The event loop's thread. */
#ifndef SPUS_H
#define SPUS_H
#include "dataplane.h"
#include "model.h"
#include "placement.h"

struct daemon;

struct spu_run {
	bool wanted;     /* configured */
	bool in_service; /* its alive word is set, or a move is about to set it */
	bool leaving;    /* its anchors move away; the keeper will be, or is, asked to stop it */
	struct config_spu conf; /* a copy */
	struct dataplane_links links;
	uint32_t pid;
	uint32_t starts, deaths;
	uint64_t busy_ns, busy_at_ms; /* the last look at its busy time, */
	uint32_t cpu_permille;        /* and what it came to */
};

struct spus {
	struct spu_run at[SPU_SLOTS];
	struct placement placement; /* as it stands in the maps and in the record */
	bool any;                   /* one was in service at the last look */
};

/* Makes the chassis of c true: links, records, processes. SPUs that are not in c are stopped. */
enum err spus_apply(struct daemon *d, const struct config *c, struct why *why) MUST_CHECK;
/* Takes over what a predecessor left: SPUs, placement and pins. Before spus_apply(). */
void spus_resume(struct daemon *d);

/* What the keeper says. */
void spus_started(struct daemon *d, uint8_t slot, uint32_t pid);
void spus_died(struct daemon *d, uint8_t slot);
void spus_stopped(struct daemon *d, uint8_t slot);

/* No anchor is on its way any more: those that leave may go. */
void spus_let_go(struct daemon *d);
/* Looks at shared memory: who is ready, who is dead. On wake-ups and ticks. */
void spus_check(struct daemon *d);
/* Polls the eventfds that are there and not yet polled. */
void spus_watch_wakeups(struct daemon *d);
/* Wakes every SPU. */
void spus_wake(struct daemon *d);

uint8_t spus_serving(const struct daemon *d, uint8_t anchor);
/* Whether every SPU that lives has applied all records up to the revision. */
bool spus_have_applied(const struct daemon *d, uint64_t revision);
/* The configured SPU at fpc and pic, or NULL. */
struct spu_run *spus_find(struct daemon *d, uint32_t fpc, uint32_t pic);
/* An operator wants the anchor on that slot. */
enum err spus_pin(struct daemon *d, uint8_t anchor, uint8_t slot, struct why *why) MUST_CHECK;

/* Everything that placement_compute() wants to know; returns how many. */
size_t spus_placement(const struct daemon *d, struct placement_spu ret[SPU_SLOTS]);

#endif
