/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not die with a process: IKE sockets, shared memory, eventfds, BPF descriptors.
 *
 * The keeper opens what nobody has, keeps what the others give, and hands all of it on. A new
 * keeper gets it back from whoever lives; steering that nobody has a descriptor of any more is
 * found by the ids in RUNDIR/node. The keeper's main thread. */
#ifndef HOLDINGS_H
#define HOLDINGS_H
#include "alive_words.h"
#include "keeper_link.h"
#include "node_shm.h"

struct holdings {
	struct keeper_fds fds;   /* owns */
	struct node_shm *shm;    /* mapped */
	_Atomic uint64_t *alive; /* mapped once the routing engine has made the map; else NULL */
};

/* RUNDIR/node and RUNDIR/runtime: those that are there, or new ones. */
enum err holdings_open(struct holdings *h, const char *rundir, struct why *why) MUST_CHECK;
/* The IKE sockets that nobody has given. IPv6 may be missing on this machine. */
enum err holdings_open_sockets(struct holdings *h, struct why *why) MUST_CHECK;
/* BPF descriptors by the ids in shared memory, when nobody has given any. */
void holdings_find_bpf(struct holdings *h);
/* The eventfds of an SPU slot, made when they are not there. */
enum err holdings_open_events(struct holdings *h, int32_t slot) MUST_CHECK;
/* Takes n descriptors that came with a message. */
void holdings_take(struct holdings *h, const struct keeper_msg *m, const int *fds);
void holdings_close(struct holdings *h);

#endif
