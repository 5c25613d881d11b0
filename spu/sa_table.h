/* SPDX-License-Identifier: BSD-2-Clause */
/* SPI -> SA, and tunnel -> its SAs: what an SPU knows of the records (ideas 2 and 3).
 *
 * Every SPU knows every SA. control.c builds the entries from records between two bursts, on the
 * same thread that reads them in the next: no locks, and nothing that a burst uses goes away under
 * it. The run-time half of an SA is in shared memory; here is the half that hardly changes. */
#ifndef SA_TABLE_H
#define SA_TABLE_H
#include "sa.h"

struct sa_table {
	struct sa **by_spi;      /* owns: mask + 1 chains */
	struct sa **by_out;      /* likewise, by the peer's SPI */
	struct tunnel **tunnels; /* owns: mask + 1 chains */
	uint32_t mask;
	uint32_t n_sas;
	struct sa_engines engines;
};

/* For about that many SAs; more are only slower. engines: borrowed. */
enum err sa_table_init(struct sa_table *t, uint32_t sas,
                       const struct sa_engines *engines) MUST_CHECK;
void sa_table_done(struct sa_table *t);

/* Puts an SA in (taken, also on failure), in the place of the one of the same record, whose
 * sessions it inherits where keys and headers are the same: a new lifetime or `sending` costs the
 * NIC nothing. On failure the table is as it was. */
enum err sa_table_put(struct sa_table *t, struct sa *sa, struct why *why) MUST_CHECK;
/* by_hand: as in the key of its record, and in struct sa. */
void sa_table_del(struct sa_table *t, uint8_t protocol, uint32_t spi, uint32_t by_hand);
/* The SA of a record; NULL when there is none. */
struct sa *sa_table_of(const struct sa_table *t, uint8_t protocol, uint32_t spi, uint32_t by_hand);
/* Deletes all SAs: the run-time table that they name is another one. */
void sa_table_clear(struct sa_table *t);

/* Finds the tunnel, or makes it. NULL when memory is out. */
struct tunnel *sa_table_tunnel_get(struct sa_table *t, uint32_t index);
/* After a change of its fields: they hold for its SAs from now on. */
void sa_table_tunnel_changed(struct tunnel *tun);
void sa_table_tunnel_del(struct sa_table *t, uint32_t index);

/* Calls fn for each SA of one chain (chains: mask + 1); fn must not put or delete. */
void sa_table_each(struct sa_table *t, uint32_t chain, void (*fn)(void *ctx, struct sa *sa),
                   void *ctx);

static inline uint32_t sa_table_hash(uint32_t key)
{
	key *= 2654435769u; /* Fibonacci hashing: SPIs are random, tunnels count */
	return key ^ key >> 16;
}

/* [data path] SAs whose SPI may be this one, by next_spi. */
static inline struct sa *sa_table_chain(const struct sa_table *t, uint32_t spi)
{
	return t->by_spi[sa_table_hash(spi) & t->mask];
}

/* [data path] The first of those that may have this SPI outbound; go on with next_out. */
static inline struct sa *sa_table_out(const struct sa_table *t, uint32_t spi)
{
	return t->by_out[sa_table_hash(spi) & t->mask];
}

/* [data path] */
static inline struct tunnel *sa_table_tunnel(const struct sa_table *t, uint32_t index)
{
	struct tunnel *tun = t->tunnels[sa_table_hash(index) & t->mask];

	while (tun != NULL && tun->index != index)
		tun = tun->next;
	return tun;
}

#endif
