/* SPDX-License-Identifier: BSD-2-Clause */
/* What a receiver knows of one flow: which numbers came, how often, in what order, and the longest
 * silence between two packets. Bounded by the capacity given at birth. Pure; one thread. */
#ifndef TALLY_H
#define TALLY_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

struct tally {
	uint64_t *seen; /* owns: one bit per sequence number */
	uint64_t capacity;
	uint64_t received;   /* distinct numbers */
	uint64_t duplicated; /* packets that had come before */
	uint64_t reordered;  /* packets that came after one with a higher number */
	uint64_t beyond;     /* packets numbered above the capacity: not looked at further */
	uint64_t highest;    /* highest number seen, where received > 0 */
	uint64_t first_ns, last_ns;
	uint64_t gap_ns, gap_at_ns,
	        gap_after; /* longest silence, its start, the number before it */
	uint64_t last_seq;
	uint64_t delay_max_ns, delay_sum_ns;
};

enum err tally_init(struct tally *t, uint64_t capacity) MUST_CHECK;
void tally_done(struct tally *t);

/* One packet, received at at_ns on the clock that sent_ns is from. Times that run backwards (a
 * clock was set) count as no time at all. */
void tally_add(struct tally *t, uint64_t seq, uint64_t sent_ns, uint64_t at_ns);

struct tally_range {
	uint64_t first, last;
};

/* The first missing range at or after *from and below end; *from is then behind it. False when
 * there is none. */
bool tally_missing(const struct tally *t, uint64_t end, uint64_t *from, struct tally_range *ret);

#endif
