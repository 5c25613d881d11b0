/* SPDX-License-Identifier: BSD-2-Clause */
/* When to poll, and when to sleep.
 *
 * A busy SPU polls; one whose ports were empty IDLE_POLLS times in a row sleeps on their sockets
 * until a frame comes, the routing engine wakes it, or IDLE_MS are over: so its progress counts on.
 * Time spent with work is counted, for `show chassis spu`. Data-plane thread. */
#ifndef IDLE_H
#define IDLE_H
#include "node_shm.h"

enum { IDLE_POLLS = 200, IDLE_MS = 50, IDLE_FDS = 3 };

struct idle {
	struct spu_slot *shm;
	int fd[IDLE_FDS];      /* borrowed: wire port, fabric port, wake; -1: none */
	uint32_t empty;        /* turns without work in a row */
	uint64_t turn;         /* cycle counter at the last turn */
	uint64_t ns_per_cycle; /* times 2^32 */
};

void idle_init(struct idle *i, struct spu_slot *shm);
/* Ends a turn. Counts its time when it had work. True when it is time to sleep. */
bool idle_turn(struct idle *i, bool worked);
/* Sleeps, at most max_ms; empties the wake descriptor. */
void idle_sleep(struct idle *i, int max_ms);

#endif
