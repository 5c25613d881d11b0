/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared memory of one node: what processes see of each other.
 * docs/architecture.md, "How the programs meet", says how they work together.
 *
 * One file, RUNDIR/node, made by the keeper, mapped by everybody. Each process has a slot with a
 * robust mutex that its main (data-plane) thread holds as long as it lives: the kernel wakes a
 * waiter within a millisecond of the process's death. SPU counters have one writer, the SPU, and
 * outlive it. No pointers; a layout version; everything in it may be stale or wrong after a crash
 * of its writer, so readers check ranges. */
#ifndef NODE_SHM_H
#define NODE_SHM_H
#include "anchor.h"
#include "drops.h"
#include "errors.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NODE_SHM_MAGIC 0x6861777365726e31ull
#define NODE_BPF_PROG 0x80000000u
#define NODE_SHM_LAYOUT 1

/* "replayed or too old"; never NULL. */
const char *drop_text(enum drop_reason r);
/* "replay": the name in lower case with hyphens, for JSON. */
const char *drop_name(enum drop_reason r);

/* A process as the others see it. */
struct proc_slot {
	pthread_mutex_t life;        /* robust, process-shared; held by the process's main thread */
	_Atomic uint32_t pid;        /* 0: nobody */
	_Atomic uint32_t generation; /* counts the processes that had this slot */
	_Atomic uint64_t start_time; /* field 22 of /proc/PID/stat, against reuse of the pid */
};

enum spu_state {
	SPU_ABSENT = 0,
	SPU_STARTING,
	SPU_SYNCING, /* reads records */
	SPU_READY,   /* has applied all records; alive word not yet set */
	SPU_ACTIVE,
	SPU_STOPPING,
	SPU_STATES
};

/* What an SPU counts besides drops. Packets and bytes of frames on its ports. */
enum spu_stat {
	SPU_WIRE_RX,
	SPU_WIRE_TX,
	SPU_FABRIC_RX,
	SPU_FABRIC_TX,
	SPU_DECRYPTED,
	SPU_ENCRYPTED,
	SPU_DECRYPTED_INLINE,
	SPU_ENCRYPTED_INLINE,
	SPU_MADE,     /* packets that the SPU made itself (ICMP, fragments) */
	SPU_CONSUMED, /* taken in and meant for the SPU itself (markers, dummies) */
	SPU_MERGED,   /* by reassembly */
	SPU_PROMOTIONS,
	SPU_DEMOTIONS,
	SPU_SAS_INLINE, /* gauges */
	SPU_SAS_SOFT,
	SPU_BYTES_IN,
	SPU_BYTES_OUT,
	SPU_BUSY_NS,   /* time spent working, for cpu-percent */
	SPU_HELD,      /* gauge: packets held for a planned move */
	SPU_HOLD_LATE, /* anchors whose hold ended by the clock, not by the marker */
	SPU_AH_IN,     /* packets and bytes of AH; those of ESP are the rest of the above */
	SPU_AH_OUT,
	SPU_AH_BYTES_IN,
	SPU_AH_BYTES_OUT,
	SPU_AH_AUTH_FAILED, /* of DROP_ICV */
	SPU_DECRYPT_FAILED, /* of DROP_CRYPTO: inbound */
	SPU_STATS
};
#define SPU_STAT_ROOM 64
_Static_assert(SPU_STATS <= SPU_STAT_ROOM, "a new layout version is due");

/* Bounded ring of events from an SPU to the routing engine; one writer, one reader. */
enum spu_event_kind {
	SPU_EVENT_BAD_SPI = 1,   /* arg: SPI */
	SPU_EVENT_SEQ_EXHAUSTED, /* arg: run-time slot */
	SPU_EVENT_PEER_MOVED,    /* arg: our SPI; addr, port: where it comes from now */
	SPU_EVENT_PROMOTED,      /* arg: run-time slot */
	SPU_EVENT_DEMOTED,
	SPU_EVENT_SOFT_LIMIT, /* arg: run-time slot that needs a successor soon */
	SPU_EVENT_HARD_LIMIT, /* arg: run-time slot that lets no more through */
};
struct spu_event {
	uint32_t kind;
	uint32_t arg;
	uint16_t port;
	uint8_t family;
	uint8_t pad;
	uint8_t addr[16];
};
#define SPU_EVENTS 256
struct spu_event_ring {
	_Atomic uint32_t head; /* next to write */
	_Atomic uint32_t tail; /* next to read */
	_Atomic uint64_t lost; /* overflow, counted */
	struct spu_event at[SPU_EVENTS];
};

struct spu_slot {
	_Alignas(4096) struct proc_slot proc;
	_Atomic uint32_t state;    /* enum spu_state, written by the SPU */
	_Atomic uint64_t progress; /* counts up at least every 100 ms */
	_Atomic uint64_t applied;  /* all records up to this revision are in force here */
	_Atomic uint64_t stat[SPU_STAT_ROOM];
	_Atomic uint64_t drop[DROP_ROOM];
	_Atomic uint64_t moved_marker; /* last marker number read (planned moves) */
	struct spu_event_ring events;
};

struct node_shm {
	uint64_t magic;
	uint32_t layout;
	uint32_t size;
	uint8_t identity[16];
	_Atomic uint64_t
	        revision; /* newest committed revision of the store, by the routing engine */
	/* Ids of what the routing engine loaded (bpf/steer), for a keeper that finds neither RE nor
	 * descriptors: 0 where there is none. Verified by name before use. */
	_Atomic uint32_t bpf_id[64]; /* with NODE_BPF_PROG: of a program, else of a map */
	_Atomic uint64_t markers; /* frames that the routing engine made: of moves; ESP that came in
	                             fragments */
	struct proc_slot keeper;
	struct proc_slot re;
	struct spu_slot spu[SPU_SLOTS];
};

/* Makes RUNDIR/node, or opens it where it is whole and of this layout (*ret_new false): a keeper
 * that comes after another goes on with it. Keeper only. */
enum err node_shm_create(const char *path, const uint8_t identity[16], struct node_shm **ret,
                         int *ret_fd, bool *ret_new, struct why *why) MUST_CHECK;
/* Maps it by descriptor (borrowed). */
enum err node_shm_map(int fd, struct node_shm **ret, struct why *why) MUST_CHECK;
void node_shm_unmap(struct node_shm *shm);

/* Takes a process slot for the calling thread, which must live as long as the process: locks `life`
 * (mending it after a dead owner), then says pid and start time. ERR_BUSY while its owner lives. */
enum err proc_slot_take(struct proc_slot *slot) MUST_CHECK;
/* Lets go on an orderly exit. */
void proc_slot_leave(struct proc_slot *slot);
/* Waits until the slot's process is dead, or until stop becomes true (looked at every 100 ms).
 * Returns true when it died (also when it never lived). For a watcher thread. */
bool proc_slot_wait_death(struct proc_slot *slot, const _Atomic bool *stop);
/* Whether a process holds the slot now. Never waits. */
bool proc_slot_alive(struct proc_slot *slot);
/* When the process with this pid started (field 22 of /proc/PID/stat); 0 where there is none. */
uint64_t proc_slot_start_time(uint32_t pid);

/* Whether no SPU that lives is behind this revision of the store: nobody works any more on what was
 * deleted up to it. Configured or not: one that is being taken out of service still has its SAs. */
bool node_shm_all_applied(struct node_shm *shm, uint64_t revision);
/* The highest revision that anybody ever spoke of: a store that is made anew counts on from there,
 * else what an SPU says of the old one would be taken for the new one. */
uint64_t node_shm_revision_seen(const struct node_shm *shm);

/* One writer (the SPU's thread), one reader (the routing engine). push: false when full, counted.
 */
bool spu_event_push(struct spu_event_ring *ring, const struct spu_event *e);
bool spu_event_pop(struct spu_event_ring *ring, struct spu_event *ret);

/* [data path] One writer each: a plain add on a word that others read. */
static inline void spu_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t v = __atomic_load_n((uint64_t *)counter, __ATOMIC_RELAXED);

	__atomic_store_n((uint64_t *)counter, v + n, __ATOMIC_RELAXED);
}

#endif
