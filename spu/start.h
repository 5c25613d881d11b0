/* SPDX-License-Identifier: BSD-2-Clause */
/* From a command line to an SPU that is ready: what is opened in which order, and closed again.
 *
 * Keeper's descriptors, our slot, the store, EAL, pool and ports, engines. Whatever fails ends the
 * process with a text that says why; the keeper starts it again. Main thread, which is the
 * data-plane thread. */
#ifndef START_H
#define START_H
#include "control.h"
#include "idle.h"
#include "ports.h"
#include "tether.h"

struct rte_mempool;

struct spu {
	int slot_number;
	const char *rundir; /* borrowed from argv */
	char store_path[108];
	struct log log;
	struct tether tether;
	int wake[TETHER_WAKES]; /* own */
	struct node_shm *node;
	struct spu_slot *shm; /* ours, in node */
	struct sa_runtime_table runtime;
	struct rte_mempool *pool;
	struct sa_engines engines;
	struct roads roads;
	struct nic nic;
	struct control control;
	struct ports ports;
	struct idle idle;
	bool slot_taken, wire_open, fabric_open;
	uint64_t counted_ms;     /* when ports_count() was called last */
	uint64_t told_ms;        /* when the routing engine was woken last */
	uint32_t told_head;      /* events up to there were told */
	uint64_t told_applied;   /* revision that was told */
	volatile bool nic_reset; /* set by the port's event, on EAL's interrupt thread */
};

/* CLOCK_BOOTTIME. */
uint64_t spu_now_ms(void);

/* Everything, up to state SPU_SYNCING. On failure start_close() still takes it. */
enum err start_open(struct spu *s, struct why *why) MUST_CHECK;
void start_close(struct spu *s);

#endif
