/* SPDX-License-Identifier: BSD-2-Clause */
/* What an SPU tells the routing engine, at a limited rate (node_shm.h, event ring).
 *
 * Everything a peer can cause is counted always and told seldom: a flood of unknown SPIs must not
 * fill the ring that a peer's new address comes through. Data-plane thread. */
#ifndef TELL_H
#define TELL_H
#include "addr.h"
#include "node_shm.h"

enum { TELL_PER_S = 16, TELL_SA_MS = 1000 };

struct tell {
	uint64_t since_ms;
	uint32_t told; /* in this second, of what anybody can cause */
};

void tell_bad_spi(struct tell *t, struct spu_slot *shm, uint32_t spi, uint64_t now_ms);
/* last_ms: of the SA, so that one SA is told about once a second at most. */
void tell_peer_moved(struct spu_slot *shm, uint64_t *last_ms, uint64_t now_ms,
                     const struct spu_event *e);
void tell_exhausted(struct spu_slot *shm, uint64_t *last_ms, uint64_t now_ms, uint32_t slot);
/* A soft or hard limit was reached. */
void tell_limit(struct spu_slot *shm, uint64_t *last_ms, uint64_t now_ms, uint32_t slot, bool hard);
void tell_engine(struct spu_slot *shm, bool promoted, uint32_t slot);

#endif
