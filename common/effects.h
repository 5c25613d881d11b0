/* SPDX-License-Identifier: BSD-2-Clause */
/* What pure code wants done, as an ordered list (idea 5).
 *
 * A call into pure code gets an empty list and appends to it; the owner of the event loop executes
 * the list in order: all puts and deletes of one turn are one transaction, committed before any
 * message of that turn leaves (idea 2). Bodies are copied in, wiped and freed by effects_done().
 * One thread. Appending never fails to the caller: when memory or the ceiling is reached, `overrun`
 * is set, the owner executes nothing of the list and reports it. */
#ifndef EFFECTS_H
#define EFFECTS_H
#include "addr.h"
#include "record.h"

enum fx_kind {
	FX_PUT,   /* put a record */
	FX_DEL,   /* delete a record (leaves a tombstone) */
	FX_SEND,  /* send an IKE datagram */
	FX_EVENT, /* say and count that something happened */
	FX_JOB,   /* run arithmetic in the pool */
	FX_KINDS
};

/* Arithmetic for the thread pool. run() touches only the job; afterwards the owner of the loop
 * hands the job back to whoever asked (ike_job_done()). Embedded at the start of the asker's
 * struct. */
struct job {
	void (*run)(struct job *job);     /* in a pool thread */
	void (*discard)(struct job *job); /* frees it when nobody waits any more */
};

/* A datagram that came in. */
struct datagram {
	struct endpoint local, remote;
	struct view bytes; /* lives as long as the call that hands it on */
};

struct fx_send {
	struct endpoint local, remote; /* local port 500 or 4500 */
	struct view bytes;             /* owned by the list; without the non-ESP marker */
	/* >= 0: not before the owner of this anchor has applied this turn's records, or 50 ms. */
	int after_anchor;
};

enum event_id {
#define EVENT(name, level, text) EVENT_##name,
#include "events.def"
#undef EVENT
	EVENT_MAX
};

struct effect {
	enum fx_kind kind;
	struct record_key key; /* FX_PUT, FX_DEL */
	struct view body;      /* FX_PUT; owned by the list */
	struct fx_send send;
	enum event_id event;
	const char *text; /* FX_EVENT: what the event's text is followed by; no secrets; owned */
	struct job *job;  /* owned by the list until executed */
};

struct effects {
	struct effect *at; /* owns */
	size_t n, cap;
	bool overrun;
};

#define EFFECTS_MAX 65536
#define EFFECT_TEXT_MAX 480 /* of an event; the rest is cut off */

/* Zero-initialise before the first use. effects_done() wipes, frees and makes it usable again. */
void effects_done(struct effects *fx);

void fx_put(struct effects *fx, const struct record_key *key, struct view body);
void fx_del(struct effects *fx, const struct record_key *key);
void fx_send(struct effects *fx, const struct fx_send *send);
void fx_event(struct effects *fx, enum event_id event, const char *fmt, ...) PRINTF(3, 4);
void fx_job(struct effects *fx, struct job *job);

#endif
