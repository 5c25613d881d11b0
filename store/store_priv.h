/* SPDX-License-Identifier: BSD-2-Clause */
/* How the store lies in LMDB. Numbers are in network order, so that keys sort.
 *
 *   meta       "schema", "revision"           -> 8 bytes
 *   records    kind, key                      -> struct stored: revision, deleted, checksum; body
 *   revisions  revision (8), kind, key        -> nothing: the index that store_newer() walks
 *   tombs      revision (8), kind, key        -> nothing: those of them that are tombstones
 */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H
#include "store.h"
#include <lmdb.h>
#include <sys/types.h>

enum { STORE_SCHEMA = 1, STORE_HEADER = 8 + 1 + 8, STORE_KEY = 1 + RECORD_KEY_MAX };

struct store {
	MDB_env *env;
	MDB_dbi meta, records, revisions, tombs;
	MDB_txn *write; /* the open transaction of the writer */
	MDB_txn *read;  /* reset between uses */
	enum store_mode mode;
	enum err failed;   /* the first failure in the open transaction */
	bool tight;        /* in the reserve: no new keys in this transaction */
	uint64_t revision; /* of the open transaction */
	dev_t dev;         /* of data.mdb as opened */
	ino_t ino;
	char *path; /* owns */
};

/* What stands before a body. */
struct stored {
	uint64_t revision;
	bool deleted;
	struct view body;
};

/* A key's bytes in records, or behind a revision in the indexes. */
struct store_key {
	uint8_t b[8 + STORE_KEY];
	size_t len;
};

enum err store_err(int mdb);
MDB_val store_val(struct view v);

struct store_key store_key_of(const struct record_key *key);
struct store_key store_index_of(uint64_t revision, const struct record_key *key);
enum err store_key_read(struct reader r, struct record_key *ret) MUST_CHECK;

/* Checks the checksum. */
enum err store_value_read(const struct record_key *key, MDB_val v, struct stored *ret) MUST_CHECK;
uint64_t store_checksum(const struct record_key *key, uint64_t revision, bool deleted,
                        struct view body);

/* A number in meta; 0 when it is not there. */
enum err store_meta_get(struct store *s, MDB_txn *txn, const char *name, uint64_t *ret) MUST_CHECK;
enum err store_meta_put(struct store *s, MDB_txn *txn, const char *name, uint64_t x) MUST_CHECK;

/* A read transaction; ended by store_read_end(). */
enum err store_read_begin(struct store *s) MUST_CHECK;
void store_read_end(struct store *s);

#endif
