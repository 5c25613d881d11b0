// SPDX-License-Identifier: BSD-2-Clause
/* Why two SPUs on one window accept nothing twice: a number is accepted by the compare-and-swap
 * that sets its bit, and a word's tag only ever goes up. A word whose tag is higher than a number's
 * was overtaken by one that is more than a window ahead, for the ring holds twice the window.
 *
 * Why the edges are exact: a number is held against top and floor in the same step that moves top
 * (or reads it, where it need not move). Killed after that step and before the bit is set, the
 * packet is lost with its process, and nobody has accepted it. */
#include "replay.h"

/* The model test steps the algorithm here, before each access to what others write. */
#ifndef REPLAY_STEP
#define REPLAY_STEP() ((void)0)
#endif

enum { WORD_SHIFT = 4, WORD_SEQS = 1 << WORD_SHIFT, SEQ_BITS = 48 + WORD_SHIFT };

static uint64_t load(const _Atomic uint64_t *p)
{
	REPLAY_STEP();
	return atomic_load_explicit(p, memory_order_acquire);
}

static bool swap(_Atomic uint64_t *p, uint64_t *seen, uint64_t want)
{
	REPLAY_STEP();
	return atomic_compare_exchange_strong_explicit(p, seen, want, memory_order_acq_rel,
	                                               memory_order_acquire);
}

static uint64_t tag_of(uint64_t seq)
{
	return seq >> WORD_SHIFT;
}

static uint64_t bit_of(uint64_t seq)
{
	return (uint64_t)1 << (seq % WORD_SEQS);
}

/* The word of a number; NULL where the entry's window cannot be (memory that others write). */
static _Atomic uint64_t *word_of(const struct sa_runtime_table *t, const struct sa_runtime *sa,
                                 uint64_t seq)
{
	uint32_t len = sa_runtime_ring_len(sa->window);
	uint64_t at = tag_of(seq) & (len - 1u);

	if (sa->window == SA_WINDOW_MIN)
		return (_Atomic uint64_t *)&sa->words[at];
	if (len == 0 || sa->ring >= t->ring_words || len > t->ring_words - sa->ring)
		return NULL;
	return &t->rings[sa->ring + at];
}

uint64_t replay_infer(const struct sa_runtime *sa, uint32_t wire_seq, bool esn)
{
	if (!esn)
		return wire_seq;
	uint32_t window = sa->window ? sa->window : SA_WINDOW_MIN;
	uint64_t top = load(&sa->seq);
	uint32_t top_low = (uint32_t)top, high = (uint32_t)(top >> 32);
	uint32_t bottom = top_low - window + 1;

	if (top_low >= window - 1) /* case A: the window lies in one subspace */
		high += wire_seq < bottom;
	else if (wire_seq >= bottom && high > 0) /* case B: it began in the one before */
		high--;
	return (uint64_t)high << 32 | wire_seq;
}

static bool in_window(const struct sa_runtime *sa, uint64_t seq, uint64_t top, uint64_t floor)
{
	return seq != 0 && seq >> SEQ_BITS == 0 && seq > floor && seq + sa->window > top;
}

bool replay_check(const struct sa_runtime_table *t, const struct sa_runtime *sa, uint64_t seq)
{
	if (sa->window == 0)
		return true;
	uint64_t floor = load(&sa->floor);
	if (!in_window(sa, seq, load(&sa->seq), floor))
		return false;
	const _Atomic uint64_t *at = word_of(t, sa, seq);
	if (at == NULL)
		return false;
	uint64_t word = load(at);
	uint64_t tag = word >> 16;
	return tag < tag_of(seq) || (tag == tag_of(seq) && !(word & bit_of(seq)));
}

/* Which of the run's numbers (all of one word) may be accepted, as bits, after moving top to the
 * highest of them. They are less than a window apart, so none pushes another out. */
static uint64_t admit(struct sa_runtime *sa, const uint64_t *seq, uint32_t n)
{
	uint64_t top = load(&sa->seq);

	for (;;) {
		uint64_t floor = load(&sa->floor), bits = 0, highest = 0;

		for (uint32_t i = 0; i < n; i++) {
			if (!in_window(sa, seq[i], top, floor))
				continue;
			bits |= bit_of(seq[i]);
			highest = seq[i] > highest ? seq[i] : highest;
		}
		if (highest <= top || swap(&sa->seq, &top, highest))
			return bits;
	}
}

/* Sets the bits in the word; returns those that were not set before. */
static uint64_t mark(_Atomic uint64_t *at, uint64_t tag, uint64_t bits)
{
	uint64_t word = load(at);

	for (;;) {
		if (word >> 16 > tag)
			return 0;
		uint64_t old = word >> 16 == tag ? word & 0xffff : 0;
		if ((bits & ~old) == 0 || swap(at, &word, tag << 16 | old | bits))
			return bits & ~old;
	}
}

static void accept_run(const struct sa_runtime_table *t, struct sa_runtime *sa, const uint64_t *seq,
                       bool *ok, uint32_t n)
{
	_Atomic uint64_t *at = word_of(t, sa, seq[0]);
	uint64_t bits = at ? admit(sa, seq, n) : 0;
	uint64_t mine = bits ? mark(at, tag_of(seq[0]), bits) : 0;

	for (uint32_t i = 0; i < n; i++) {
		ok[i] = (mine & bit_of(seq[i])) != 0;
		mine &= ~bit_of(seq[i]); /* a second one in the same run is a duplicate */
	}
}

/* Without a window everything is accepted; top is still the highest. */
static void accept_all(struct sa_runtime *sa, const uint64_t *seq, bool *ok, uint32_t n)
{
	uint64_t highest = 0, top = load(&sa->seq);

	for (uint32_t i = 0; i < n; i++) {
		ok[i] = true;
		highest = seq[i] > highest ? seq[i] : highest;
	}
	while (highest > top && !swap(&sa->seq, &top, highest))
		;
}

void replay_accept(const struct sa_runtime_table *t, struct sa_runtime *sa, const uint64_t *seq,
                   bool *ok, uint32_t n)
{
	if (sa->window == 0) {
		accept_all(sa, seq, ok, n);
		return;
	}
	for (uint32_t i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && tag_of(seq[i + run]) == tag_of(seq[i]); run++)
			;
		accept_run(t, sa, seq + i, ok + i, run);
	}
}
