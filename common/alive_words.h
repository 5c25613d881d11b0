/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that say who lives: one mmapable BPF array of 64-bit words.
 * docs/architecture.md, "How the programs meet", says how they work together.
 *
 * The steering programs read it, the keeper and the routing engine store into its mapping with one
 * aligned 64-bit store each. The array's map is named ALIVE_MAP_NAME; map ALIVE_WORDS * 8 bytes of
 * it, shared. Included by BPF too: numbers only. */
#ifndef ALIVE_WORDS_H
#define ALIVE_WORDS_H

#define ALIVE_MAP_NAME "alive"

/* Word n, below ALIVE_LEASE: not 0 when the SPU in slot n takes packets. */
#define ALIVE_LEASE 64 /* this word: CLOCK_BOOTTIME, in ms, of the keeper's last renewal */
#define ALIVE_WORDS 65

#endif
