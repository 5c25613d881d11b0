// SPDX-License-Identifier: BSD-2-Clause
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATABASES = 4, LOCK_BYTES = 16384 };
static const size_t map_default = (size_t)256 << 20;

static enum err path_in(const char *dir, const char *file, char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", dir, file);

	return n < 0 || n >= PATH_MAX ? ERR_LENGTH : ERR_OK;
}

/* LMDB maps its lock file too: room in it is reserved, or a full tmpfs is a SIGBUS. */
static enum err reserve_locks(const char *dir)
{
	char path[PATH_MAX];

	TRY(path_in(dir, "lock.mdb", path));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_from_errno(errno);
	int no = posix_fallocate(fd, 0, LOCK_BYTES);
	(void)close(fd);
	return err_from_errno(no);
}

static enum err make_directory(const char *dir)
{
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_from_errno(errno);
	return reserve_locks(dir);
}

/* A file shorter than its pages would be a SIGBUS at the first look. */
static enum err check_length(struct store *s)
{
	char path[PATH_MAX];
	struct stat st;
	MDB_envinfo info;
	MDB_stat stat_;

	TRY(path_in(s->path, "data.mdb", path));
	if (stat(path, &st) != 0)
		return err_from_errno(errno);
	TRY(store_err(mdb_env_info(s->env, &info)));
	TRY(store_err(mdb_env_stat(s->env, &stat_)));
	if ((uint64_t)st.st_size < (uint64_t)(info.me_last_pgno + 1) * stat_.ms_psize)
		return ERR_CORRUPT;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return ERR_OK;
}

static enum err open_databases(struct store *s, MDB_txn *txn)
{
	unsigned flags = s->mode == STORE_WRITE ? MDB_CREATE : 0;

	TRY(store_err(mdb_dbi_open(txn, "meta", flags, &s->meta)));
	TRY(store_err(mdb_dbi_open(txn, "records", flags, &s->records)));
	TRY(store_err(mdb_dbi_open(txn, "revisions", flags, &s->revisions)));
	return store_err(mdb_dbi_open(txn, "tombs", flags, &s->tombs));
}

static enum err check_schema(struct store *s, MDB_txn *txn)
{
	uint64_t schema;

	TRY(store_meta_get(s, txn, "schema", &schema));
	if (schema > STORE_SCHEMA)
		return ERR_VERSION;
	if (schema == 0 && s->mode == STORE_WRITE)
		return store_meta_put(s, txn, "schema", STORE_SCHEMA);
	return schema == 0 ? ERR_NOT_FOUND : ERR_OK;
}

static enum err first_transaction(struct store *s)
{
	MDB_txn *txn;

	TRY(store_err(mdb_txn_begin(s->env, NULL, s->mode == STORE_READ ? MDB_RDONLY : 0, &txn)));
	enum err e = open_databases(s, txn);
	if (e == ERR_OK)
		e = check_schema(s, txn);
	if (e == ERR_OK)
		return store_err(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return e;
}

static enum err open_env(struct store *s, size_t map_bytes)
{
	unsigned flags = MDB_NOTLS | (s->mode == STORE_READ ? MDB_RDONLY : MDB_NOSYNC);

	TRY(store_err(mdb_env_create(&s->env)));
	TRY(store_err(mdb_env_set_maxdbs(s->env, DATABASES)));
	if (s->mode == STORE_WRITE) {
		TRY(make_directory(s->path));
		TRY(store_err(mdb_env_set_mapsize(s->env, map_bytes ? map_bytes : map_default)));
	}
	TRY(store_err(mdb_env_open(s->env, s->path, flags, 0600)));
	if (s->mode == STORE_WRITE) /* what dead readers pin would count as used */
		store_reap_readers(s);
	TRY(check_length(s));
	return first_transaction(s);
}

enum err store_open(const char *path, enum store_mode mode, size_t map_bytes, struct store **ret,
                    struct why *why)
{
	AUTO(store_close) struct store *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->path = strdup(path)) == NULL)
		return why_set(why, ERR_MEMORY, "%s: out of memory", path);
	s->mode = mode;
	enum err e = open_env(s, map_bytes);
	if (e != ERR_OK)
		return why_set(why, e, "record store %s: %s", path, err_text(e));
	*ret = STEAL(s);
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->write != NULL)
		mdb_txn_abort(s->write);
	if (s->read != NULL)
		mdb_txn_abort(s->read);
	if (s->env != NULL)
		mdb_env_close(s->env);
	free(s->path);
	free(s);
}

bool store_replaced(const struct store *s)
{
	char path[PATH_MAX];
	struct stat st;

	if (path_in(s->path, "data.mdb", path) != ERR_OK || stat(path, &st) != 0)
		return true;
	return st.st_dev != s->dev || st.st_ino != s->ino;
}

void store_reap_readers(struct store *s)
{
	int dead;

	(void)mdb_reader_check(s->env, &dead);
}
