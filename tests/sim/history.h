/* SPDX-License-Identifier: BSD-2-Clause */
/* What two nodes did, as it may be looked at afterwards: a digest that is the same when the same
 * seed is run again, and what must never happen, whatever the network and the restarts do.
 *
 * The digest has times, records' keys, headers and lengths of messages, events and deaths, but
 * nothing that depends on a Diffie-Hellman: OpenSSL draws these itself. */
#ifndef HISTORY_H
#define HISTORY_H
#include "effects.h"

enum { HISTORY_SLOTS = 1 << 15, HISTORY_TEXT = 160 };

/* From hash to hash, of fixed size, so that the heap is not disturbed. */
struct history_map {
	struct {
		uint64_t key, value; /* key 0: free */
	} at[HISTORY_SLOTS];
	size_t n;
};

struct history {
	uint64_t digest;
	uint64_t exchanges; /* whose answer arrived */
	char wrong[HISTORY_TEXT];
	struct history_map answers;  /* that arrived */
	struct history_map messages; /* what was sent with this header: always the same bytes */
	struct history_map ivs;      /* likewise, under this IV */
	struct history_map spis;     /* of keys: with one SPI for ever */
	struct history_map nonces;   /* of outbound keys: one node, slot and epoch for ever */
	struct history_map lives;    /* of inbound SPIs: the key that is in use */
	struct history_map dead;     /* keys that had their end */
};

void history_init(struct history *h);
void history_note(struct history *h, uint64_t a, uint64_t b);
void history_text(struct history *h, const char *text);
void history_put(struct history *h, int node, const struct record_key *key, struct view body);
void history_del(struct history *h, int node, const struct record_key *key);
void history_sent(struct history *h, int node, struct view message);
void history_arrived(struct history *h, int node, struct view message);

#endif
