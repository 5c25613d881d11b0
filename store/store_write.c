// SPDX-License-Identifier: BSD-2-Clause
#include "store_priv.h"
#include "writer.h"

#include <string.h>

/* The last eighth of the map is for what exists: changes and deletions. A tombstone needs pages
 * too, and a store that is full could not be emptied without. */
enum { RESERVE_PART = 8 };

/* Pages on LMDB's list of free ones: database 0, each value a count and that many numbers. LMDB
 * opens a cursor on it in a reading transaction only, so this takes one of its own. */
static enum err count_free(struct store *s, size_t *ret)
{
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val k, v;
	size_t n = 0;

	TRY(store_err(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn)));
	enum err e = store_err(mdb_cursor_open(txn, 0, &c));
	if (e) {
		mdb_txn_abort(txn);
		return e;
	}
	while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == MDB_SUCCESS) {
		size_t pages = 0;

		if (v.mv_size >= sizeof(pages))
			memcpy(&pages, v.mv_data, sizeof(pages));
		n += pages;
	}
	mdb_cursor_close(c);
	mdb_txn_abort(txn);
	*ret = n;
	return ERR_OK;
}

static enum err look_at_room(struct store *s)
{
	MDB_envinfo info;
	MDB_stat st;
	size_t free_pages;

	TRY(store_err(mdb_env_info(s->env, &info)));
	TRY(store_err(mdb_env_stat(s->env, &st)));
	size_t pages = info.me_mapsize / st.ms_psize, limit = pages - pages / RESERVE_PART;
	s->tight = false;
	if (info.me_last_pgno < limit)
		return ERR_OK;
	TRY(count_free(s, &free_pages));
	s->tight = info.me_last_pgno >= limit + free_pages;
	return ERR_OK;
}

static enum err prepare(struct store *s)
{
	uint64_t last;

	TRY(store_meta_get(s, s->write, "revision", &last));
	s->revision = last + 1;
	s->failed = ERR_OK;
	return look_at_room(s);
}

enum err store_begin(struct store *s)
{
	if (s->mode != STORE_WRITE || s->write != NULL)
		return ERR_WRONG_STATE;
	TRY(store_err(mdb_txn_begin(s->env, NULL, 0, &s->write)));
	enum err e = prepare(s);
	if (e != ERR_OK)
		store_abort(s);
	return e;
}

void store_abort(struct store *s)
{
	if (s->write != NULL)
		mdb_txn_abort(s->write);
	s->write = NULL;
}

/* What is there under the key; a tombstone counts. ERR_NOT_FOUND when nothing is. */
static enum err current(struct store *s, const struct record_key *key, struct stored *ret)
{
	struct store_key k = store_key_of(key);
	MDB_val mk = { k.len, k.b }, v;

	TRY(store_err(mdb_get(s->write, s->records, &mk, &v)));
	return store_value_read(key, v, ret);
}

static enum err index_del(struct store *s, MDB_dbi dbi, uint64_t revision,
                          const struct record_key *key)
{
	struct store_key k = store_index_of(revision, key);
	MDB_val mk = { k.len, k.b };

	return store_err(mdb_del(s->write, dbi, &mk, NULL));
}

static enum err index_put(struct store *s, MDB_dbi dbi, const struct record_key *key)
{
	struct store_key k = store_index_of(s->revision, key);
	MDB_val mk = { k.len, k.b }, nothing = { 0, NULL };

	return store_err(mdb_put(s->write, dbi, &mk, &nothing, 0));
}

static enum err unindex(struct store *s, const struct record_key *key, const struct stored *old)
{
	TRY(index_del(s, s->revisions, old->revision, key));
	return old->deleted ? index_del(s, s->tombs, old->revision, key) : ERR_OK;
}

static enum err write_value(struct store *s, const struct record_key *key, bool deleted,
                            struct view body)
{
	struct store_key k = store_key_of(key);
	MDB_val mk = { k.len, k.b }, v = { STORE_HEADER + body.len, NULL };

	TRY(store_err(mdb_put(s->write, s->records, &mk, &v, MDB_RESERVE)));
	struct writer w = wr_of(v.mv_data, v.mv_size);
	wr_u64(&w, s->revision);
	wr_u8(&w, deleted);
	wr_u64(&w, store_checksum(key, s->revision, deleted, body));
	wr_view(&w, body);
	return w.bad ? ERR_LENGTH : ERR_OK;
}

static enum err change(struct store *s, const struct record_key *key, bool deleted,
                       struct view body)
{
	struct stored old = { 0 };
	enum err e = current(s, key, &old);
	bool gone = e == ERR_NOT_FOUND || (e == ERR_OK && old.deleted);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (deleted && gone)
		return ERR_OK;
	if (!deleted && gone && s->tight)
		return ERR_FULL;
	if (e == ERR_OK)
		TRY(unindex(s, key, &old));
	TRY(write_value(s, key, deleted, body));
	TRY(index_put(s, s->revisions, key));
	return deleted ? index_put(s, s->tombs, key) : ERR_OK;
}

static bool key_ok(const struct record_key *key)
{
	return key->kind > 0 && key->kind < REC_KINDS && key->len <= RECORD_KEY_MAX;
}

static enum err note(struct store *s, enum err e)
{
	if (s->failed == ERR_OK)
		s->failed = e;
	return e;
}

enum err store_put(struct store *s, const struct record_key *key, struct view body)
{
	if (s->write == NULL)
		return ERR_WRONG_STATE;
	if (!key_ok(key))
		return note(s, ERR_VALUE);
	if (body.len > RECORD_BODY_MAX)
		return note(s, ERR_LENGTH);
	return note(s, s->failed ? s->failed : change(s, key, false, body));
}

enum err store_del(struct store *s, const struct record_key *key)
{
	if (s->write == NULL)
		return ERR_WRONG_STATE;
	if (!key_ok(key))
		return note(s, ERR_VALUE);
	return note(s, s->failed ? s->failed : change(s, key, true, (struct view){ NULL, 0 }));
}

enum err store_commit(struct store *s, uint64_t *ret_revision)
{
	if (s->write == NULL)
		return ERR_WRONG_STATE;
	enum err e = s->failed;
	if (e == ERR_OK)
		e = store_meta_put(s, s->write, "revision", s->revision);
	if (e != ERR_OK) {
		store_abort(s);
		return e;
	}
	e = store_err(mdb_txn_commit(s->write));
	s->write = NULL; /* freed by LMDB, also when it failed */
	if (e == ERR_OK)
		*ret_revision = s->revision;
	return e;
}

enum err store_raise(struct store *s, uint64_t revision)
{
	TRY(store_begin(s));
	if (revision < s->revision) {
		store_abort(s);
		return ERR_OK;
	}
	enum err e = store_meta_put(s, s->write, "revision", revision);
	if (e != ERR_OK) {
		store_abort(s);
		return e;
	}
	e = store_err(mdb_txn_commit(s->write));
	s->write = NULL;
	return e;
}

static enum err purge_one(struct store *s, MDB_cursor *c, MDB_val index)
{
	struct reader r = rd_of(index.mv_data, index.mv_size);
	uint64_t revision = rd_u64(&r);
	struct record_key key;

	TRY(store_key_read(r, &key));
	struct store_key k = store_key_of(&key);
	MDB_val mk = { k.len, k.b };
	TRY(store_err(mdb_cursor_del(c, 0)));
	TRY(index_del(s, s->revisions, revision, &key));
	return store_err(mdb_del(s->write, s->records, &mk, NULL));
}

static enum err purge_upto(struct store *s, uint64_t upto)
{
	MDB_cursor *c;
	MDB_val k, v;
	enum err e = ERR_OK;

	TRY(store_err(mdb_cursor_open(s->write, s->tombs, &c)));
	while (e == ERR_OK && mdb_cursor_get(c, &k, &v, MDB_FIRST) == MDB_SUCCESS) {
		struct reader r = rd_of(k.mv_data, k.mv_size);

		if (rd_u64(&r) > upto)
			break;
		e = purge_one(s, c, k);
	}
	mdb_cursor_close(c);
	return e;
}

enum err store_purge(struct store *s, uint64_t upto)
{
	TRY(store_begin(s));
	enum err e = purge_upto(s, upto);
	if (e != ERR_OK) {
		store_abort(s);
		return e;
	}
	e = store_err(mdb_txn_commit(s->write));
	s->write = NULL;
	return e;
}
