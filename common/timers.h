/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers without a clock: a pairing heap of nodes that are members of the objects they belong to
 * (Fredman, Sedgewick, Sleator and Tarjan, 1986). The caller says what time it is.
 *
 * Nothing is allocated, so arming never fails. Timers of the same time come out in the order they
 * were armed. One thread. */
#ifndef TIMERS_H
#define TIMERS_H
#include <stdbool.h>
#include <stdint.h>

struct timer {
	uint64_t due_ms;
	uint64_t serial; /* of those due at once, the order */
	struct timer *child, *next;
	struct timer *prev; /* the sibling before, or the parent */
	bool armed;
};

/* Zero-initialise both. */
struct timers {
	struct timer *root;
	uint64_t serial;
};

/* Arms, or arms anew. */
void timers_add(struct timers *t, struct timer *timer, uint64_t due_ms);
/* Nothing when it is not armed. */
void timers_cancel(struct timers *t, struct timer *timer);
/* When the next one is due; UINT64_MAX: none is armed. */
uint64_t timers_next_due(const struct timers *t);
/* Takes out the first one that is due, or NULL. */
struct timer *timers_pop_due(struct timers *t, uint64_t now_ms);

#endif
