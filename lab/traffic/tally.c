// SPDX-License-Identifier: BSD-2-Clause
#include "tally.h"
#include <stdlib.h>
#include <string.h>

enum err tally_init(struct tally *t, uint64_t capacity)
{
	uint64_t *seen = calloc(capacity / 64 + 1, sizeof(*seen));

	if (seen == NULL)
		return ERR_MEMORY;
	*t = (struct tally){ .seen = seen, .capacity = capacity };
	return ERR_OK;
}

void tally_done(struct tally *t)
{
	free(t->seen);
	memset(t, 0, sizeof(*t));
}

static bool seen(const struct tally *t, uint64_t seq)
{
	return t->seen[seq / 64] >> (seq % 64) & 1;
}

static uint64_t since(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static void note_time(struct tally *t, uint64_t sent_ns, uint64_t at_ns)
{
	uint64_t delay = since(sent_ns, at_ns);

	t->delay_sum_ns += delay;
	if (delay > t->delay_max_ns)
		t->delay_max_ns = delay;
	if (t->received == 0) {
		t->first_ns = at_ns;
	} else if (since(t->last_ns, at_ns) > t->gap_ns) {
		t->gap_ns = since(t->last_ns, at_ns);
		t->gap_at_ns = t->last_ns;
		t->gap_after = t->last_seq;
	}
	t->last_ns = at_ns;
}

void tally_add(struct tally *t, uint64_t seq, uint64_t sent_ns, uint64_t at_ns)
{
	if (seq >= t->capacity) {
		t->beyond++;
		return;
	}
	if (seen(t, seq)) {
		t->duplicated++;
		return;
	}
	note_time(t, sent_ns, at_ns);
	if (t->received > 0 && seq < t->highest)
		t->reordered++;
	else
		t->highest = seq;
	t->seen[seq / 64] |= (uint64_t)1 << (seq % 64);
	t->last_seq = seq;
	t->received++;
}

bool tally_missing(const struct tally *t, uint64_t end, uint64_t *from, struct tally_range *ret)
{
	uint64_t at = *from;

	if (end > t->capacity)
		end = t->capacity;
	while (at < end && seen(t, at))
		at++;
	if (at >= end)
		return false;
	ret->first = at;
	while (at < end && !seen(t, at))
		at++;
	ret->last = at - 1;
	*from = at;
	return true;
}
