/* SPDX-License-Identifier: BSD-2-Clause */
/* The world as the routing engine's pure code sees it (idea 5).
 *
 * re/ike, re/vpn, re/chassis and cluster are functions of (state, event, time) that return effects.
 * What they must ask on the way (time, randomness, a slot in the run-time table) comes through this
 * struct. The daemon fills it from libuv, the kernel and the shared table; the simulator from a
 * virtual clock and a seed. Used on the event loop's thread only. */
#ifndef ENV_H
#define ENV_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

/* What the run-time table knows of one SA direction. */
struct sa_usage {
	uint64_t packets, bytes; /* inner bytes */
	uint64_t seq;            /* outbound: last number taken; inbound: highest accepted */
	uint64_t last_use_ms;    /* clock of now_ms(); 0: never */
	uint32_t auth_failed, replayed, bad_headers, bad_trailers, decrypt_failed;
	uint8_t engine; /* enum sa_engine of sa_runtime.h */
};

struct env {
	/* Milliseconds of a clock that never goes back and that all processes of the node share and
	 * that goes on over their restarts (CLOCK_BOOTTIME): deadlines in records are of it. */
	uint64_t (*now_ms)(struct env *env);
	/* Fills p with len unpredictable bytes. Never fails: the daemon ends itself when it would.
	 */
	void (*random)(struct env *env, void *p, size_t len);

	/* A free slot of the run-time table, made ready for a new SA direction, before the record
	 * that names it is put. ERR_FULL when there is none. Slots of deleted records come free by
	 * the daemon when every SPU has passed the deletion; runtime_give is for slots whose record
	 * was never put. */
	enum err (*runtime_take)(struct env *env, bool inbound, uint16_t window,
	                         uint32_t *ret_slot) MUST_CHECK;
	void (*runtime_give)(struct env *env, uint32_t slot);
	enum err (*runtime_usage)(struct env *env, uint32_t slot, struct sa_usage *ret) MUST_CHECK;

	/* The epoch for nonces of new outbound SAs: of this node's parity, reserved on disk. */
	uint16_t (*epoch)(struct env *env);
	/* This node's id, 0 or 1 (bit 8 of each SPI that we choose). */
	uint8_t node_id;
	/* The cluster's key for anchors (SipHash-2-4). */
	uint8_t anchor_key[16];

	/* An outbound SA skips so many sequence numbers; an inbound one takes none any more that is
	 * not so far beyond the highest (RFC 6311 5.2). */
	void (*runtime_skip)(struct env *env, uint32_t slot, uint32_t packets);
};

#endif
