/* SPDX-License-Identifier: BSD-2-Clause */
/* The store: records in an LMDB environment on tmpfs, with an index by revision (idea 2).
 *
 * The routing engine alone writes, in one transaction per turn of its event loop, before that
 * turn's messages leave. Every SPU opens it read-only and, woken by its eventfd, reads what is
 * newer than what it has. A revision counts transactions: all records of one commit have the same.
 * A deletion is a tombstone, purged when everybody has passed it. Each record carries a checksum.
 * One struct store per process and not across fork; one thread at a time. */
#ifndef STORE_H
#define STORE_H
#include "record.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Opens, or for STORE_WRITE makes, the environment in the directory path. map_bytes (writer only;
 * 0: 256 MiB) is its ceiling, sparse. ERR_CORRUPT where it is damaged, ERR_VERSION where its schema
 * is of a later version: the caller sets it aside and says so. */
enum err store_open(const char *path, enum store_mode mode, size_t map_bytes, struct store **ret,
                    struct why *why) MUST_CHECK;
void store_close(struct store *s);
/* Whether path holds another environment by now: the routing engine made the store anew. A reader
 * that waits in vain for a revision closes and opens again then, and begins with revision 0. */
bool store_replaced(const struct store *s);
AUTO_DEFINE(struct store, store_close);

/* Writer: one transaction. Any failure in it makes store_commit() fail and changes nothing;
 * ERR_FULL when the map or the tmpfs is full; new keys are refused before that, in the last eighth
 * of the map, so that the old records can still be changed and deleted. *ret_revision is what
 * readers will see. */
enum err store_begin(struct store *s) MUST_CHECK;
enum err store_put(struct store *s, const struct record_key *key, struct view body) MUST_CHECK;
enum err store_del(struct store *s, const struct record_key *key) MUST_CHECK;
enum err store_commit(struct store *s, uint64_t *ret_revision) MUST_CHECK;
/* Makes the next revision greater than this one, in a transaction of its own: for a store that is
 * made anew while readers of the old one live. */
enum err store_raise(struct store *s, uint64_t revision) MUST_CHECK;
void store_abort(struct store *s);

/* Removes tombstones with a revision <= upto, in a transaction of its own. */
enum err store_purge(struct store *s, uint64_t upto) MUST_CHECK;

/* Newest committed revision; 0: empty. */
uint64_t store_revision(struct store *s);

typedef enum err (*store_each_fn)(void *ctx, const struct record *r);

/* Calls fn for records newer than `since`, oldest first, tombstones included, at most max (0: all)
 * in one read transaction but never half of a revision. *ret_upto is the revision up to which the
 * caller has now seen everything; call again while it is below store_revision(). A record with a
 * wrong checksum ends the walk with ERR_CORRUPT. An error of fn ends the walk. */
enum err store_newer(struct store *s, uint64_t since, size_t max, store_each_fn fn, void *ctx,
                     uint64_t *ret_upto) MUST_CHECK;
/* Calls fn for each record of one kind (no tombstones), in order of key. */
enum err store_each(struct store *s, enum record_kind kind, store_each_fn fn, void *ctx) MUST_CHECK;
/* Calls fn for one record; ERR_NOT_FOUND when it is not there. */
enum err store_get(struct store *s, const struct record_key *key, store_each_fn fn,
                   void *ctx) MUST_CHECK;

/* Frees reader slots of dead processes; the keeper or RE calls it after a death. */
void store_reap_readers(struct store *s);

#endif
