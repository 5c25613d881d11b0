/* SPDX-License-Identifier: BSD-2-Clause */
/* The run-time half of an SA: what changes with every packet (idea 3).
 *
 * One entry per SA direction in a file on tmpfs (RUNDIR/runtime) that all SPUs and the routing
 * engine map and that outlives each of them. Nothing in it needs a lock, so a process killed at any
 * instruction leaves it whole. Any thread of any SPU may call the functions marked [data path];
 * none ever waits, allocates or fails by another's death. Only the routing engine takes and gives
 * slots.
 *
 * The file: one page of header, then `slots` entries of 192 bytes, then the ring area for windows
 * above 64 (sa_runtime_create() reserves all of it, so a full tmpfs is an error then, not a SIGBUS
 * later). */
#ifndef SA_RUNTIME_H
#define SA_RUNTIME_H
#include "env.h"
#include "errors.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SA_RUNTIME_LAYOUT 4
#define SA_RUNTIME_SLOTS_DEFAULT 65536
/* Words of the ring area per slot: all SA pairs may have a window of 512, or one in eight the
 * largest. */
#define SA_RUNTIME_RING_ROOM 32
#define SA_WINDOW_MIN 64
#define SA_WINDOW_MAX 4096

enum sa_engine { SA_ENGINE_SOFT = 0, SA_ENGINE_INLINE = 1 };

/* 192 bytes, three cache lines, the last for errors alone; fields are read and written through the
 * functions below. */
struct sa_runtime {
	_Alignas(
	        64) _Atomic uint64_t seq; /* out: last number taken; in: highest accepted ("top") */
	_Atomic uint64_t floor;           /* in: nothing at or below is accepted; out: hard end */
	_Atomic uint64_t packets;
	_Atomic uint64_t bytes;       /* inner */
	_Atomic uint64_t last_use_ms; /* CLOCK_BOOTTIME; 0: never */
	_Atomic uint32_t auth_failed;
	_Atomic uint32_t replayed;
	_Atomic uint32_t bad_headers;
	_Atomic uint8_t engine; /* enum sa_engine: which engine works on it now, says the owner */
	uint8_t inbound;
	_Atomic uint16_t path_mtu; /* out: as learned, until path_mtu_ms; 0: unknown */
	uint16_t window;           /* in: packets, 0: no check */
	_Atomic uint16_t in_use;   /* slot is taken */
	uint32_t ring; /* in: index of the first word in the ring area, for window > 64 */
	union {
		_Alignas(64) _Atomic uint64_t words[8]; /* in: the ring of a window of 64 */
		_Atomic uint64_t path_mtu_ms;           /* out: CLOCK_BOOTTIME */
	};
	_Alignas(64) _Atomic uint32_t bad_trailers; /* and inner packets that are none */
	_Atomic uint32_t decrypt_failed;            /* the engine could not, whatever the packet */
};
_Static_assert(sizeof(struct sa_runtime) == 192, "three cache lines");

struct sa_runtime_table {
	struct sa_runtime *at;   /* mapped */
	_Atomic uint64_t *rings; /* mapped */
	uint32_t slots;
	uint32_t ring_words;  /* room of the ring area: slots * SA_RUNTIME_RING_ROOM */
	uint8_t identity[16]; /* random, of this file: an old key never meets a young counter */
	void *map;
	size_t map_len;
	uint32_t next_slot; /* routing engine: where the last search for a free slot ended */
};

/* Makes the file, or opens it where it is whole and of this layout (then *ret_new is false). A file
 * that is foreign, damaged, of another layout or of an earlier boot is replaced: *ret_new is true
 * and the caller deletes all child SAs before it sends anything. identity must be 16 random bytes
 * for a new file; slots (0: the default) is for a new file, too. *ret_fd may be closed, or handed
 * on for sa_runtime_map(). */
enum err sa_runtime_create(const char *path, uint32_t slots, const uint8_t identity[16],
                           struct sa_runtime_table *ret, int *ret_fd, bool *ret_new,
                           struct why *why) MUST_CHECK;
/* Maps an existing file by its descriptor (borrowed; may be closed afterwards). */
enum err sa_runtime_map(int fd, struct sa_runtime_table *ret, struct why *why) MUST_CHECK;
void sa_runtime_unmap(struct sa_runtime_table *t);

/* Takes a free slot, made ready: counters zero, window as asked (0, or a power of two from 64 to
 * 4096). ERR_FULL when there is none. Routing engine only. */
enum err sa_runtime_take(struct sa_runtime_table *t, bool inbound, uint16_t window,
                         uint32_t *ret_slot) MUST_CHECK;
/* Marks the slot free. Routing engine only, when every SPU has passed the deletion of its record.
 */
void sa_runtime_give(struct sa_runtime_table *t, uint32_t slot);
/* After a restart of the routing engine, before the first take: gives back every slot for which
 * used() is false. */
void sa_runtime_sweep(struct sa_runtime_table *t, bool (*used)(void *ctx, uint32_t slot),
                      void *ctx);

/* The entry of a slot, or NULL when the number is not of this table. */
struct sa_runtime *sa_runtime_at(struct sa_runtime_table *t, uint32_t slot);

/* [data path] Takes up to n outbound sequence numbers for one burst. Returns how many were taken,
 * counting up from *ret_first: fewer than n near the SA's end, then 0 (RFC 4303 3.3.3). None is
 * given twice. The end is 2^32 - 1 without ESN, 2^48 - 1 with (the nonce's counter), as set by
 * sa_runtime_set_end() by whoever builds the SA from its record; until then none is given. */
uint32_t sa_runtime_take_seq(struct sa_runtime *sa, uint32_t n, uint64_t *ret_first);
void sa_runtime_set_end(struct sa_runtime *sa, uint64_t last);

/* Outbound: so many numbers are not used, as far as there are. Inbound: what is not so far beyond
 * the highest is accepted no more. For whoever took over from a node that was ahead (RFC 6311). */
void sa_runtime_skip(struct sa_runtime *sa, uint32_t packets);

/* [data path] out: what the way to the peer takes, as far as it was learned; 0: unknown. It is
 * forgotten at until_ms. Two SPUs that learn at once leave one of the two values. */
static inline uint16_t sa_runtime_path_mtu(struct sa_runtime *sa, uint64_t now_ms)
{
	uint16_t mtu = __atomic_load_n((uint16_t *)&sa->path_mtu, __ATOMIC_RELAXED);

	if (mtu == 0 || now_ms < __atomic_load_n((uint64_t *)&sa->path_mtu_ms, __ATOMIC_RELAXED))
		return mtu;
	__atomic_store_n((uint16_t *)&sa->path_mtu, 0, __ATOMIC_RELAXED);
	return 0;
}

static inline void sa_runtime_learn_mtu(struct sa_runtime *sa, uint16_t mtu, uint64_t until_ms)
{
	__atomic_store_n((uint64_t *)&sa->path_mtu_ms, until_ms, __ATOMIC_RELAXED);
	__atomic_store_n((uint16_t *)&sa->path_mtu, mtu, __ATOMIC_RELAXED);
}

/* Volume limits of one direction; UINT64_MAX: none. */
struct sa_limits {
	uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets;
};

/* [data path] Counts the first packets of a burst, of these inner sizes, as far as the hard limits
 * let them through, and returns how many: what counts them is what decides, so the limits hold to
 * the packet and to the byte also when several SPUs have the SA. Takes the place of
 * sa_runtime_count() where there are limits. */
uint32_t sa_runtime_admit(struct sa_runtime *sa, const struct sa_limits *limits,
                          const uint16_t *bytes, uint32_t n, uint64_t now_ms);
/* [data path] Whether a soft limit is reached. */
bool sa_runtime_soft(const struct sa_runtime *sa, const struct sa_limits *limits);

/* What the entry says, for env.runtime_usage(). */
void sa_runtime_usage(const struct sa_runtime *sa, struct sa_usage *ret);

/* Words in the ring of a window: twice what the window covers, so that a window that begins within
 * a word still has each of its numbers. */
static inline uint32_t sa_runtime_ring_len(uint16_t window)
{
	return window / 8u;
}

/* [data path] Adds a burst's packets and inner bytes, and the time of it. */
static inline void sa_runtime_count(struct sa_runtime *sa, uint64_t packets, uint64_t bytes,
                                    uint64_t now_ms)
{
	__atomic_fetch_add((uint64_t *)&sa->packets, packets, __ATOMIC_RELAXED);
	__atomic_fetch_add((uint64_t *)&sa->bytes, bytes, __ATOMIC_RELAXED);
	__atomic_store_n((uint64_t *)&sa->last_use_ms, now_ms, __ATOMIC_RELAXED);
}

#endif
