// SPDX-License-Identifier: BSD-2-Clause
#include "siphash.h"
#include "store_priv.h"
#include "writer.h"

#include <string.h>

/* clang-format off */
static const struct {
	int mdb;
	enum err e;
} mdb_errors[] = {
	{ MDB_SUCCESS, ERR_OK },              { MDB_NOTFOUND, ERR_NOT_FOUND },
	{ MDB_MAP_FULL, ERR_FULL },           { MDB_TXN_FULL, ERR_FULL },
	{ MDB_READERS_FULL, ERR_FULL },       { MDB_CORRUPTED, ERR_CORRUPT },
	{ MDB_PAGE_NOTFOUND, ERR_CORRUPT },   { MDB_INVALID, ERR_CORRUPT },
	{ MDB_PANIC, ERR_CORRUPT },           { MDB_INCOMPATIBLE, ERR_CORRUPT },
	{ MDB_VERSION_MISMATCH, ERR_VERSION },{ MDB_BAD_TXN, ERR_WRONG_STATE },
	{ MDB_KEYEXIST, ERR_DUPLICATE },      { MDB_BAD_VALSIZE, ERR_LENGTH },
};
/* clang-format on */

enum err store_err(int mdb)
{
	for (size_t i = 0; i < ARRAY_LEN(mdb_errors); i++)
		if (mdb_errors[i].mdb == mdb)
			return mdb_errors[i].e;
	return mdb > 0 ? err_from_errno(mdb) : ERR_IO;
}

MDB_val store_val(struct view v)
{
	return (MDB_val){ v.len, (void *)(uintptr_t)v.p };
}

static void write_key(struct writer *w, const struct record_key *key)
{
	wr_u8(w, key->kind);
	wr_bytes(w, key->b, key->len);
}

struct store_key store_key_of(const struct record_key *key)
{
	struct store_key k;
	struct writer w = wr_of(k.b, sizeof(k.b));

	write_key(&w, key);
	k.len = wr_len(&w);
	return k;
}

struct store_key store_index_of(uint64_t revision, const struct record_key *key)
{
	struct store_key k;
	struct writer w = wr_of(k.b, sizeof(k.b));

	wr_u64(&w, revision);
	write_key(&w, key);
	k.len = wr_len(&w);
	return k;
}

enum err store_key_read(struct reader r, struct record_key *ret)
{
	struct record_key key = { .kind = rd_u8(&r) };
	size_t len = rd_left(&r);

	if (r.bad || len > RECORD_KEY_MAX)
		return ERR_CORRUPT;
	key.len = (uint8_t)len;
	rd_bytes(&r, key.b, len);
	*ret = key;
	return ERR_OK;
}

uint64_t store_checksum(const struct record_key *key, uint64_t revision, bool deleted,
                        struct view body)
{
	/* No secret: it tells damage, not forgery. The body's sum goes into that of the head. */
	static const uint8_t sum_key[16] = "hawser store v1";
	uint8_t head[64];
	struct writer w = wr_of(head, sizeof(head));

	write_key(&w, key);
	wr_u64(&w, revision);
	wr_u8(&w, deleted);
	wr_u64(&w, siphash(sum_key, body.p, body.len));
	return siphash(sum_key, head, wr_len(&w));
}

enum err store_value_read(const struct record_key *key, MDB_val v, struct stored *ret)
{
	struct reader r = rd_of(v.mv_data, v.mv_size);
	struct stored got = { .revision = rd_u64(&r) };
	uint8_t deleted = rd_u8(&r);
	uint64_t sum = rd_u64(&r);

	if (r.bad || deleted > 1)
		return ERR_CORRUPT;
	got.deleted = deleted;
	got.body = rd_rest(&r);
	if (sum != store_checksum(key, got.revision, got.deleted, got.body))
		return ERR_CORRUPT;
	*ret = got;
	return ERR_OK;
}

enum err store_meta_get(struct store *s, MDB_txn *txn, const char *name, uint64_t *ret)
{
	MDB_val k = { strlen(name), (void *)(uintptr_t)name }, v;
	enum err e = store_err(mdb_get(txn, s->meta, &k, &v));

	if (e == ERR_NOT_FOUND) {
		*ret = 0;
		return ERR_OK;
	}
	TRY(e);
	struct reader r = rd_of(v.mv_data, v.mv_size);
	uint64_t x = rd_u64(&r);
	if (!rd_done(&r))
		return ERR_CORRUPT;
	*ret = x;
	return ERR_OK;
}

enum err store_meta_put(struct store *s, MDB_txn *txn, const char *name, uint64_t x)
{
	uint8_t b[8];
	struct writer w = wr_of(b, sizeof(b));
	MDB_val k = { strlen(name), (void *)(uintptr_t)name }, v = { sizeof(b), b };

	wr_u64(&w, x);
	return store_err(mdb_put(txn, s->meta, &k, &v, 0));
}
