/* SPDX-License-Identifier: BSD-2-Clause */
/* A turn of the event loop: the effects of one event made true, in order (idea 2).
 *
 * First all puts and deletes as one transaction, then the new revision for all to see and a wake-up
 * for every SPU, then the messages. A message that depends on an SPU's having the SA (after_anchor)
 * waits until the SPU that serves the anchor has applied the revision, or 50 ms (counted). When the
 * store refuses, nothing of the turn is done, and the owner raises the alarm.
 * Knows no event loop; what it cannot do itself it asks of its owner. One thread. */
#ifndef TURN_H
#define TURN_H
#include "effects.h"
#include "node_shm.h"
#include "store.h"

#define TURN_WAIT_MS 50

/* What the owner does for a turn; ctx goes with each call. */
struct turn_owner {
	void *ctx;
	void (*send)(void *ctx, const struct fx_send *send);
	void (*event)(void *ctx, enum event_id event, const char *text);
	void (*start_job)(void *ctx, struct job *job);
	/* A record is in the store (deleted: body empty), before any message of the turn leaves. */
	void (*recorded)(void *ctx, const struct record *record);
	/* The slot that an anchor's packets go to now, or ANCHOR_NOBODY. */
	uint8_t (*serving)(void *ctx, uint8_t anchor);
	/* An SPU has news in the store. */
	void (*wake)(void *ctx);
};

struct turn_stats {
	uint64_t turns, records, waited, late, refused;
};

struct turn;

/* All borrowed. */
struct turn *turn_new(struct store *store, struct node_shm *shm, const struct turn_owner *owner);
void turn_free(struct turn *t);
AUTO_DEFINE(struct turn, turn_free);

/* Executes and empties the list. ERR_FULL or another error of the store: nothing of it was done. */
enum err turn_run(struct turn *t, struct effects *fx, uint64_t now_ms) MUST_CHECK;

/* Sends what waited and may go now; call when an SPU says that it has applied, and at the time that
 * turn_next_due_ms() names (UINT64_MAX: nothing waits). */
void turn_flush(struct turn *t, uint64_t now_ms);
uint64_t turn_next_due_ms(const struct turn *t);

const struct turn_stats *turn_stats(const struct turn *t);

#endif
