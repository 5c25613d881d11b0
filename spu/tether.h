/* SPDX-License-Identifier: BSD-2-Clause */
/* What ties an SPU to the keeper: the descriptors it is given, and gives back to a keeper that
 * comes after a dead one (settled: 5.2).
 *
 * A thread of its own keeps the connection, so that packets never wait for it. The data-plane
 * thread works on duplicates of the wake descriptors; it takes fresh ones when the keeper has
 * others. tether_open() and tether_close() from the main thread. */
#ifndef TETHER_H
#define TETHER_H
#include "keeper_link.h"

#include <pthread.h>

enum tether_wake { TETHER_TO_SPU, TETHER_TO_RE, TETHER_WAKES };

struct tether {
	const char *rundir; /* borrowed */
	int slot;
	int link;
	struct keeper_fds fds;
	_Atomic int fresh[TETHER_WAKES]; /* -1, or a descriptor for the data-plane thread to take */
	_Atomic bool stop;
	bool running;
	pthread_t thread;
};

/* Says hello to the keeper, for at most 5 s. */
enum err tether_open(struct tether *t, const char *rundir, int slot, struct why *why) MUST_CHECK;
/* A descriptor that was given (borrowed), or -1: before tether_run(). */
int tether_fd(const struct tether *t, const char *name);
/* Starts the thread, which keeps the connection from here on. */
enum err tether_run(struct tether *t, struct why *why) MUST_CHECK;
void tether_close(struct tether *t);

/* Replaces *fd (owned by the caller, -1: none yet) when the keeper has another one. */
void tether_wake(struct tether *t, enum tether_wake which, int *fd);

#endif
