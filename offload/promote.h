/* SPDX-License-Identifier: BSD-2-Clause */
/* Which SA direction gets the NIC, and when it falls back (idea 6).
 *
 *            tried: taken                          asked to leave, or lost
 *     SOFT ---------------> INLINE            INLINE ------------------> SOFT
 *     SOFT ---------------> UNABLE            (policy set anew)
 *            tried: never possible            UNABLE ------------------> SOFT
 *
 * Every SA direction starts in software and keeps its software session all its life; the NIC's
 * comes beside it. Pure logic with the time given: the SPU asks promote_next() when promote_due()
 * is over, does what it says, and tells what came of it. Data-plane thread.
 *
 * A refusal or a loss is followed by a pause that doubles (1 s up to 60 s, or up to 8 s where the
 * user asked for inline) and is forgotten after 30 s inline. */
#ifndef PROMOTE_H
#define PROMOTE_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

enum promote_policy { PROMOTE_AUTOMATIC, PROMOTE_INLINE, PROMOTE_SOFTWARE };
enum promote_state { PROMOTE_IN_SOFT, PROMOTE_IN_NIC, PROMOTE_UNABLE };
enum promote_step {
	PROMOTE_STAY,
	PROMOTE_TRY,   /* session_add() of the inline engine; then promote_tried() */
	PROMOTE_LEAVE, /* use soft from now on, session_del(); then promote_left() */
};

/* Why it is in software. */
enum promote_reason {
	PROMOTE_NEW,         /* not tried yet */
	PROMOTE_POLICY,      /* configured or requested */
	PROMOTE_UNSUPPORTED, /* the NIC cannot do it; never tried again */
	PROMOTE_FULL,        /* the NIC's table is full */
	PROMOTE_REFUSED,     /* the NIC refused for another reason */
	PROMOTE_UNDECRYPTED, /* the NIC handed up packets as they came */
	PROMOTE_RESET,       /* the NIC was reset, or lost its sessions */
	PROMOTE_REASONS
};

struct promote {
	uint8_t policy, state, reason;
	uint32_t pause_ms; /* the next one */
	uint64_t not_before_ms;
	uint64_t since_ms; /* in the NIC */
	uint32_t promoted, refused, lost;
};

/* Packets that were in the receive ring when the session was made come up undecrypted, and are no
 * loss of it. */
#define PROMOTE_GRACE_MS 100

void promote_init(struct promote *p, enum promote_policy policy, uint64_t now_ms);

/* A new policy, or the same once more: refusals are forgotten, the first try is at once. */
void promote_set_policy(struct promote *p, enum promote_policy policy, uint64_t now_ms);

enum promote_step promote_next(const struct promote *p, uint64_t now_ms);

/* When promote_next() has something to say; UINT64_MAX: not before an event. */
uint64_t promote_due(const struct promote *p);

/* What session_add() answered. */
void promote_tried(struct promote *p, enum err e, uint64_t now_ms);

void promote_left(struct promote *p, uint64_t now_ms);

/* The NIC handed up a packet of this SA undecrypted and soft found its ICV good (only then is it
 * the peer's: anybody can send something with our SPI). True: it falls back now, delete the
 * session. False: within the grace, or it is not in the NIC. */
bool promote_missed(struct promote *p, uint64_t now_ms) MUST_CHECK;

/* The NIC lost its sessions (burst_out() said ENGINE_NOT_DONE, or a reset was reported). True as
 * above. */
bool promote_lost(struct promote *p, uint64_t now_ms) MUST_CHECK;

/* As users see it. */
const char *promote_reason_text(enum promote_reason r);

#endif
