// SPDX-License-Identifier: BSD-2-Clause
#include "store_priv.h"

#include "writer.h"

static int renew(struct store *s)
{
	if (s->read != NULL)
		return mdb_txn_renew(s->read);
	return mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->read);
}

enum err store_read_begin(struct store *s)
{
	int bad = renew(s);

	if (bad == MDB_MAP_RESIZED) { /* a writer that came later has a larger map */
		bad = mdb_env_set_mapsize(s->env, 0);
		if (bad == 0)
			bad = renew(s);
	}
	return store_err(bad);
}

void store_read_end(struct store *s)
{
	mdb_txn_reset(s->read);
}

uint64_t store_revision(struct store *s)
{
	uint64_t x = 0;

	if (store_read_begin(s) != ERR_OK)
		return 0;
	if (store_meta_get(s, s->read, "revision", &x) != ERR_OK)
		x = 0;
	store_read_end(s);
	return x;
}

/* ---- what is newer ------------------------------------------------------------------------- */

struct walk {
	store_each_fn fn;
	void *ctx;
	size_t max, n;
	uint64_t upto; /* seen whole */
};

/* The record that an index entry names. */
static enum err record_of(struct store *s, MDB_val index, struct record *ret)
{
	struct reader r = rd_of(index.mv_data, index.mv_size);
	struct record rec = { .revision = rd_u64(&r) };
	struct stored got;
	MDB_val v;

	TRY(store_key_read(r, &rec.key));
	struct store_key k = store_key_of(&rec.key);
	MDB_val mk = { k.len, k.b };
	if (mdb_get(s->read, s->records, &mk, &v) != MDB_SUCCESS)
		return ERR_CORRUPT;
	TRY(store_value_read(&rec.key, v, &got));
	if (got.revision != rec.revision)
		return ERR_CORRUPT;
	rec.deleted = got.deleted;
	rec.body = got.body;
	*ret = rec;
	return ERR_OK;
}

/* Revisions are counted off whole: the walk may end only where the next one begins. */
static enum err walk_on(struct store *s, MDB_cursor *c, MDB_val k, struct walk *w, bool *ret_end)
{
	uint64_t current = 0;
	MDB_val v;
	int more = MDB_SUCCESS;

	for (; more == MDB_SUCCESS; more = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
		struct record rec;

		TRY(record_of(s, k, &rec));
		if (rec.revision != current) {
			w->upto = current ? current : w->upto;
			if (w->max != 0 && w->n >= w->max)
				return ERR_OK;
			current = rec.revision;
		}
		TRY(w->fn(w->ctx, &rec));
		w->n++;
	}
	*ret_end = true;
	return more == MDB_NOTFOUND ? ERR_OK : store_err(more);
}

static enum err walk_from(struct store *s, MDB_cursor *c, uint64_t since, struct walk *w,
                          bool *ret_end)
{
	uint8_t from[8];
	struct writer wr = wr_of(from, sizeof(from));
	MDB_val k = { sizeof(from), from }, v;

	wr_u64(&wr, since + 1);
	int got = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	*ret_end = got == MDB_NOTFOUND;
	if (got != MDB_SUCCESS)
		return *ret_end ? ERR_OK : store_err(got);
	return walk_on(s, c, k, w, ret_end);
}

static enum err newer(struct store *s, uint64_t since, struct walk *w)
{
	MDB_cursor *c;
	bool end = false;

	TRY(store_err(mdb_cursor_open(s->read, s->revisions, &c)));
	enum err e = walk_from(s, c, since, w, &end);
	mdb_cursor_close(c);
	if (e == ERR_OK && end)
		e = store_meta_get(s, s->read, "revision", &w->upto);
	return e;
}

enum err store_newer(struct store *s, uint64_t since, size_t max, store_each_fn fn, void *ctx,
                     uint64_t *ret_upto)
{
	struct walk w = { .fn = fn, .ctx = ctx, .max = max, .upto = since };

	if (since == UINT64_MAX)
		return ERR_RANGE;
	TRY(store_read_begin(s));
	enum err e = newer(s, since, &w);
	store_read_end(s);
	if (e == ERR_OK)
		*ret_upto = w.upto;
	return e;
}

/* ---- by kind, by key ----------------------------------------------------------------------- */

static enum err give(const struct record_key *key, MDB_val v, store_each_fn fn, void *ctx)
{
	struct stored got;

	TRY(store_value_read(key, v, &got));
	if (got.deleted)
		return ERR_NOT_FOUND;
	struct record rec = { .key = *key, .revision = got.revision, .body = got.body };
	return fn(ctx, &rec);
}

static enum err each_on(MDB_cursor *c, uint8_t kind, store_each_fn fn, void *ctx)
{
	MDB_val k = { 1, &kind }, v;
	int more = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);

	for (; more == MDB_SUCCESS; more = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
		struct record_key key;
		struct stored got;

		TRY(store_key_read(rd_of(k.mv_data, k.mv_size), &key));
		if (key.kind != kind)
			return ERR_OK;
		TRY(store_value_read(&key, v, &got));
		if (!got.deleted)
			TRY(give(&key, v, fn, ctx));
	}
	return more == MDB_NOTFOUND ? ERR_OK : store_err(more);
}

static enum err each(struct store *s, uint8_t kind, store_each_fn fn, void *ctx)
{
	MDB_cursor *c;

	TRY(store_err(mdb_cursor_open(s->read, s->records, &c)));
	enum err e = each_on(c, kind, fn, ctx);
	mdb_cursor_close(c);
	return e;
}

enum err store_each(struct store *s, enum record_kind kind, store_each_fn fn, void *ctx)
{
	TRY(store_read_begin(s));
	enum err e = each(s, (uint8_t)kind, fn, ctx);
	store_read_end(s);
	return e;
}

static enum err get(struct store *s, const struct record_key *key, store_each_fn fn, void *ctx)
{
	struct store_key k = store_key_of(key);
	MDB_val mk = { k.len, k.b }, v;

	TRY(store_err(mdb_get(s->read, s->records, &mk, &v)));
	return give(key, v, fn, ctx);
}

enum err store_get(struct store *s, const struct record_key *key, store_each_fn fn, void *ctx)
{
	TRY(store_read_begin(s));
	enum err e = get(s, key, fn, ctx);
	store_read_end(s);
	return e;
}
