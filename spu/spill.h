/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that a burst had no room for: fragments, what has to wait behind them, answers.
 *
 * A plain array with a count, owned by the roads and emptied before the next burst is taken.
 * Data-plane thread. */
#ifndef SPILL_H
#define SPILL_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct rte_mbuf;

enum { SPILL_MAX = 512 };

struct spill {
	uint16_t n;
	struct rte_mbuf *m[SPILL_MAX]; /* owns */
};

static inline uint16_t spill_room(const struct spill *s)
{
	return (uint16_t)(SPILL_MAX - s->n);
}

/* There must be room. */
static inline void spill_push(struct spill *s, struct rte_mbuf *m)
{
	s->m[s->n++] = m;
}

/* The one that was pushed last. */
static inline uint16_t spill_pop(struct spill *s, struct rte_mbuf **ret, uint16_t max)
{
	uint16_t n = s->n < max ? s->n : max;

	for (uint16_t i = 0; i < n; i++)
		ret[i] = s->m[--s->n];
	return n;
}

/* The ones that were pushed first. */
static inline uint16_t spill_shift(struct spill *s, struct rte_mbuf **ret, uint16_t max)
{
	uint16_t n = s->n < max ? s->n : max;

	memcpy(ret, s->m, n * sizeof(ret[0]));
	s->n = (uint16_t)(s->n - n);
	memmove(s->m, s->m + n, s->n * sizeof(ret[0]));
	return n;
}

#endif
