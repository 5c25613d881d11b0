/* SPDX-License-Identifier: BSD-2-Clause */
/* What the routing engine keeps of child SAs beside their records: which tunnels XDP may send into,
 * run-time slots that come free when every SPU has passed the deletion, and the totals of a tunnel
 * over all its SAs. Rebuilt from the records at a restart. The event loop's thread. */
#ifndef CHILD_TABLE_H
#define CHILD_TABLE_H
#include "record.h"
#include <stdbool.h>

struct daemon;

/* Counters of a tunnel that outlive its SAs. Bytes are of inner packets. */
struct child_totals {
	uint64_t packets_in, packets_out, bytes_in, bytes_out;
	uint64_t auth_failed, replayed, malformed;
};

struct child {
	struct record_key key;
	uint32_t tunnel;
	uint32_t slot_in, slot_out;
	uint8_t anchor;
	bool sending;
	uint64_t serial;
	uint64_t put_revision;  /* of the last put */
	uint64_t gone_revision; /* 0: it lives */
};

struct child_tunnel {
	uint32_t tunnel;
	struct child_totals dead; /* of SAs that are gone */
	struct child_totals zero; /* what clear statistics takes off */
};

struct children {
	struct child *at; /* owns */
	size_t n;
	struct child_tunnel *tunnel; /* owns */
	size_t tunnels;
	bool dirty;      /* tunnels for XDP are to be looked at */
	uint32_t *stray; /* owns; run-time slots that nobody knows, to be given back */
	size_t strays;
	uint64_t stray_revision; /* when every SPU has passed it */
	uint64_t purged;
};

/* A child record was put or deleted; or, at a restart, is there. */
void children_recorded(struct daemon *d, const struct record *record);
/* After the records of a predecessor, before anything is negotiated. */
void children_note_strays(struct daemon *d);
/* Tells XDP which tunnels have an SA that the serving SPU has; gives slots back. */
void children_flush(struct daemon *d);
/* Anchors have moved: looks at all tunnels again. */
void children_kick(struct daemon *d);
/* The inbound SPI, host order. */
uint32_t children_spi(const struct child *child);
/* Everything of the tunnel so far: its dead SAs and the living, less what was cleared. */
struct child_totals children_totals(struct daemon *d, uint32_t tunnel);
void children_clear_totals(struct daemon *d, uint32_t tunnel);
void children_done(struct children *c);

#endif
