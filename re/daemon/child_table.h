/* SPDX-License-Identifier: BSD-2-Clause */
/* What the routing engine keeps of child SAs beside their records: which tunnels XDP may send into,
 * run-time slots that come free when every SPU has passed the deletion. Rebuilt from the records at
 * a restart. The event loop's thread. */
#ifndef CHILD_TABLE_H
#define CHILD_TABLE_H
#include "hash.h"
#include "list.h"
#include "record.h"
#include <stdbool.h>

struct daemon;

struct child {
	struct record_key key;
	struct hash_node by_key; /* while it lives */
	struct list of_tunnel;   /* in the chain of its tunnel, see children_of() */
	size_t place;            /* in struct children's array */
	uint32_t tunnel;         /* 0: of none that there still is */
	uint32_t slot_in, slot_out;
	uint8_t anchor;
	bool sending;
	uint64_t serial;
	uint64_t put_revision;  /* of the last put */
	uint64_t gone_revision; /* 0: it lives */
	uint8_t told;           /* bits of enum child_limit that IKE and the log know of */
	bool buried;            /* its slots come free now */
};

/* What an SPU may say of an SA's limits. */
enum child_limit { CHILD_SOFT_LIMIT, CHILD_NUMBERS_END, CHILD_HARD_LIMIT, CHILD_LIMITS };

/* Tunnels whose indexes agree in their last bits share a chain. */
#define CHILD_CHAINS 4096

struct children {
	struct child **at; /* owns, and what it points to */
	size_t n, room;
	size_t gone; /* of them, with a gone_revision */
	struct hash by_key;
	struct list of_tunnel[CHILD_CHAINS];
	struct totals_kept *kept; /* owns; totals.h */
	size_t keeps;
	bool table_is_new; /* the run-time table: what a predecessor noted of it is void */
	bool dirty;        /* all tunnels for XDP are to be looked at */
	uint32_t *changed; /* owns; else these, by index */
	size_t changes, changes_room;
	uint32_t *stray; /* owns; run-time slots that nobody knows, to be given back */
	size_t strays;
	uint64_t stray_revision; /* when every SPU has passed it */
	uint64_t purged;
};

enum err children_init(struct children *c) MUST_CHECK;
/* The chain that the children of this tunnel are in, with others. */
static inline struct list *children_of(struct children *c, uint32_t tunnel)
{
	return &c->of_tunnel[tunnel % CHILD_CHAINS];
}
static inline struct child *child_of(struct list *of_tunnel)
{
	return CONTAINER_OF(of_tunnel, struct child, of_tunnel);
}
/* One that lives; NULL. */
struct child *children_find(struct children *c, const struct record_key *key);
/* A new one, hung in; NULL when memory is out. One that is gone already is in no table by key. */
struct child *children_add(struct children *c, const struct record_key *key, uint32_t tunnel,
                           uint64_t gone_revision);
/* A child record was put or deleted; or, at a restart, is there. */
void children_recorded(struct daemon *d, const struct record *record);
/* After the records of a predecessor, before anything is negotiated. */
void children_note_strays(struct daemon *d);
/* Tells XDP which tunnels have an SA that the serving SPU has; gives slots back. */
void children_flush(struct daemon *d);
/* Anchors have moved: looks at all tunnels again. */
void children_kick(struct daemon *d);
/* The SA of a run-time slot has reached a limit: IKE makes a successor. SPUs say it as long as
 * there is traffic; it counts once. */
struct effects;
void children_limit(struct daemon *d, uint32_t slot, enum child_limit limit, struct effects *fx);
/* The inbound SPI, host order. */
uint32_t children_spi(const struct child *child);
void children_done(struct children *c);

#endif
