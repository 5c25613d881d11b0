/* SPDX-License-Identifier: BSD-2-Clause */
/* The replay window, without locks (idea 3; RFC 4303 3.4.3).
 *
 * A ring of 64-bit words, each a tag (sequence number >> 4, 48 bits) and the 16 bits of that tag.
 * Accepting a packet is one compare-and-swap on its word; a run of packets of one word costs one.
 * So two SPUs may hold an SA at once and nothing is accepted twice. `seq` (top) and `floor` of the
 * entry make the window's edges exact. Order per packet: replay_check(), then the ICV, then
 * replay_accept() (BH-RPL-05). Any thread of any SPU; nobody waits. */
#ifndef REPLAY_H
#define REPLAY_H
#include "sa_runtime.h"

/* What a packet's 32 bits on the wire mean under ESN: the 64-bit number nearest to the window
 * (RFC 4303 appendix A2). Without ESN the number itself. */
uint64_t replay_infer(const struct sa_runtime *sa, uint32_t wire_seq, bool esn);

/* True when seq may still be accepted: not 0, not below the window, not seen. Changes nothing. */
bool replay_check(const struct sa_runtime_table *t, const struct sa_runtime *sa, uint64_t seq);

/* Marks the n sequence numbers as seen, after their ICVs were found good. ok[i] becomes false for
 * each that somebody else accepted first or that fell out of the window meanwhile; true for each
 * that is accepted here, which happens at most once per number over all processes. */
void replay_accept(const struct sa_runtime_table *t, struct sa_runtime *sa, const uint64_t *seq,
                   bool *ok, uint32_t n);

#endif
