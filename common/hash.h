/* SPDX-License-Identifier: BSD-2-Clause */
/* Intrusive hash tables keyed by bytes, with SipHash under a random key: a peer that picks its
 * bytes cannot pick the chain they fall into.
 *
 * The node is a member of the object; its key is borrowed from the object and must not change while
 * it is in the table. One thread. */
#ifndef HASH_H
#define HASH_H
#include "errors.h"
#include "reader.h"

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
	struct view key; /* borrowed */
};

struct hash {
	struct hash_node **at; /* owns the array, not the nodes */
	size_t size;           /* power of two */
	size_t n;
	uint8_t key[16];
};

/* key: 16 random bytes. */
enum err hash_init(struct hash *h, const uint8_t key[16]) MUST_CHECK;
/* Frees the array; the objects are their owners'. */
void hash_done(struct hash *h);
/* ERR_DUPLICATE where the key is there already. Never fails for want of memory: a table that cannot
 * grow has longer chains. */
enum err hash_put(struct hash *h, struct hash_node *node, struct view key) MUST_CHECK;
/* NULL where there is none. */
struct hash_node *hash_get(const struct hash *h, struct view key);
void hash_del(struct hash *h, struct hash_node *node);
/* All nodes in no order: NULL gives the first, the last gives NULL. The node given may be taken out
 * only after its successor was asked for; nothing is put meanwhile. */
struct hash_node *hash_next(const struct hash *h, const struct hash_node *node);

#endif
