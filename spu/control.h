/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads new records, makes them true, and says in shared memory how far it is (idea 2).
 *
 * The routing engine sends no messages: it writes records, and wakes. Between two bursts the
 * data-plane thread takes a bounded batch of what is newer than what it has. When everything up to
 * a revision is in force, that revision stands in the slot's `applied` word: the routing engine
 * answers an IKE peer only then. If the routing engine is gone, nothing is newer, and all goes on.
 */
#ifndef CONTROL_H
#define CONTROL_H
#include "log.h"
#include "nic.h"
#include "store.h"

enum { CONTROL_BATCH = 64, CONTROL_RETRY_MS = 100 };

struct control {
	struct roads *roads;
	struct nic *nic;
	struct node_shm *node;
	struct log *log;
	struct store *store; /* owns */
	const char *path;    /* borrowed */
	uint8_t slot;
	bool runtime_known; /* the records' slots are of the table that is mapped */
	bool in_service;    /* owner of an anchor */
	bool damaged;       /* the store could not be read; said once */
	bool more;          /* the last batch was not all */
	uint64_t applied;
	uint64_t seen;     /* the revision word when all of it was read */
	uint64_t tried_ms; /* last look for the store */
};

/* Opens the store of RUNDIR (path: RUNDIR/store). The rest of c is filled in by the caller. */
enum err control_open(struct control *c, struct why *why) MUST_CHECK;
void control_close(struct control *c);

struct Hawser__SpuRecord;
/* What is written of this SPU: its ports, before anything else is read. The caller frees it. */
enum err control_self(struct control *c, struct Hawser__SpuRecord **ret,
                      struct why *why) MUST_CHECK;

/* Takes one batch, when there is any. True while there is more: the caller does not sleep. */
bool control_turn(struct control *c);

#endif
