// SPDX-License-Identifier: BSD-2-Clause
#include "store.h"
#include "runner.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define V(s) ((struct view){ (const uint8_t *)(s), sizeof(s) - 1 })

static struct scratch dir;
static struct store *s;

static enum err open_as(enum store_mode mode, size_t bytes, struct why *why)
{
	return store_open(scratch_path(&dir, "store"), mode, bytes, &s, why);
}

static void open_writer(size_t bytes)
{
	struct why why = { "" };
	enum err e = open_as(STORE_WRITE, bytes, &why);

	ck_assert_msg(e == ERR_OK, "%s", why.text);
}

static void setup(void)
{
	s = NULL;
	dir = scratch_new();
	open_writer(8 << 20);
}

static void teardown(void)
{
	store_close(s);
	scratch_done(&dir);
}

static uint64_t commit(void)
{
	uint64_t revision = 0;

	HOLDS(store_commit(s, &revision) == ERR_OK);
	return revision;
}

static void put(uint32_t tunnel, struct view body)
{
	struct record_key key = record_key_tunnel(tunnel);

	HOLDS(store_put(s, &key, body) == ERR_OK);
}

static void del(uint32_t tunnel)
{
	struct record_key key = record_key_tunnel(tunnel);

	HOLDS(store_del(s, &key) == ERR_OK);
}

static uint64_t put_one(uint32_t tunnel, struct view body)
{
	HOLDS(store_begin(s) == ERR_OK);
	put(tunnel, body);
	return commit();
}

/* What a walk saw, as text: "1=a 2=b -3" */
struct seen {
	char text[4096];
	size_t n;
	enum err give;
};

static enum err see(void *ctx, const struct record *r)
{
	struct seen *seen = ctx;
	size_t at = strlen(seen->text);
	struct reader key = rd_of(r->key.b, r->key.len);
	uint32_t tunnel = rd_u32(&key);

	seen->n++;
	if (at + 64 < sizeof(seen->text))
		(void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s%s%u%s%.*s",
		               at ? " " : "", r->deleted ? "-" : "", tunnel, r->deleted ? "" : "=",
		               (int)r->body.len, (const char *)r->body.p);
	return seen->give;
}

#define NEWER(since, max, want, want_upto)                                                 \
	do {                                                                               \
		struct seen seen_ = { .n = 0 };                                            \
		uint64_t upto_ = 99;                                                       \
		ck_assert_int_eq(store_newer(s, since, max, see, &seen_, &upto_), ERR_OK); \
		ck_assert_str_eq(seen_.text, want);                                        \
		ck_assert_uint_eq(upto_, want_upto);                                       \
	} while (0)

START_TEST(what_is_newer_comes_in_order_and_only_once)
{
	ck_assert_uint_eq(store_revision(s), 0);
	NEWER(0, 0, "", 0);
	ck_assert_uint_eq(put_one(2, V("a")), 1);
	ck_assert_uint_eq(put_one(1, V("b")), 2);
	NEWER(0, 0, "2=a 1=b", 2);
	NEWER(1, 0, "1=b", 2);
	NEWER(2, 0, "", 2);
	ck_assert_uint_eq(put_one(2, V("c")), 3); /* the old revision of 2 is gone */
	NEWER(0, 0, "1=b 2=c", 3);
	NEWER(1, 0, "1=b 2=c", 3);
	ck_assert_uint_eq(store_revision(s), 3);
	store_close(s);
	open_writer(8 << 20);
	NEWER(0, 0, "1=b 2=c", 3);
	ck_assert_uint_eq(put_one(3, V("")), 4);
	NEWER(3, 0, "3=", 4);
}
END_TEST

START_TEST(deletions_are_tombstones_until_purged)
{
	struct seen seen = { .n = 0 };

	(void)put_one(1, V("a"));
	(void)put_one(2, V("b"));
	ck_assert_int_eq(store_begin(s), ERR_OK);
	del(1);
	del(7); /* never was */
	ck_assert_uint_eq(commit(), 3);
	NEWER(0, 0, "2=b -1", 3);
	NEWER(2, 0, "-1", 3);
	ck_assert_int_eq(store_each(s, REC_TUNNEL, see, &seen), ERR_OK);
	ck_assert_str_eq(seen.text, "2=b");
	struct record_key key = record_key_tunnel(1);
	ck_assert_int_eq(store_get(s, &key, see, &seen), ERR_NOT_FOUND);
	ck_assert_int_eq(store_purge(s, 2), ERR_OK);
	NEWER(0, 0, "2=b -1", 3);
	ck_assert_int_eq(store_purge(s, 3), ERR_OK);
	NEWER(0, 0, "2=b", 3);
	ck_assert_uint_eq(store_revision(s), 3);
	(void)put_one(1, V("c"));
	NEWER(0, 0, "2=b 1=c", 4);
	ck_assert_int_eq(store_begin(s), ERR_OK);
	del(1);
	put(1, V("d")); /* in one transaction: it lives */
	(void)commit();
	ck_assert_int_eq(store_purge(s, UINT64_MAX), ERR_OK);
	NEWER(0, 0, "2=b 1=d", 5);
}
END_TEST

START_TEST(a_bounded_walk_never_halves_a_revision)
{
	for (uint32_t t = 0; t < 3; t++) {
		ck_assert_int_eq(store_begin(s), ERR_OK);
		for (uint32_t i = 0; i < 3; i++)
			put(10 * t + i + 1, V("x"));
		(void)commit();
	}
	NEWER(0, 1, "1=x 2=x 3=x", 1);
	NEWER(0, 3, "1=x 2=x 3=x", 1);
	NEWER(0, 4, "1=x 2=x 3=x 11=x 12=x 13=x", 2);
	NEWER(2, 1, "21=x 22=x 23=x", 3);
	uint64_t upto = 0;
	unsigned turns = 0;
	for (; upto < store_revision(s); turns++) {
		struct seen seen = { .n = 0 };

		ck_assert_int_eq(store_newer(s, upto, 2, see, &seen, &upto), ERR_OK);
	}
	ck_assert_uint_eq(turns, 3);
}
END_TEST

START_TEST(kinds_are_apart)
{
	struct seen seen = { .n = 0 };
	struct record_key spu = record_key_spu(3), node = record_key_node();

	ck_assert_int_eq(store_begin(s), ERR_OK);
	ck_assert_int_eq(store_put(s, &spu, V("spu")), ERR_OK);
	ck_assert_int_eq(store_put(s, &node, V("node")), ERR_OK);
	put(5, V("five"));
	put(3, V("three"));
	(void)commit();
	ck_assert_int_eq(store_each(s, REC_TUNNEL, see, &seen), ERR_OK);
	ck_assert_str_eq(seen.text, "3=three 5=five");
	seen = (struct seen){ .n = 0 };
	ck_assert_int_eq(store_each(s, REC_SPU, see, &seen), ERR_OK);
	ck_assert_uint_eq(seen.n, 1);
	ck_assert_int_eq(store_each(s, REC_IKE_SA, see, &seen), ERR_OK);
	ck_assert_uint_eq(seen.n, 1);
	seen = (struct seen){ .n = 0 };
	ck_assert_int_eq(store_get(s, &node, see, &seen), ERR_OK);
	ck_assert_str_eq(seen.text, "0=node");
}
END_TEST

START_TEST(an_error_of_the_caller_ends_the_walk)
{
	struct seen seen = { .give = ERR_BUSY };
	uint64_t upto = 77;
	struct record_key key = record_key_tunnel(1);

	(void)put_one(1, V("a"));
	(void)put_one(2, V("b"));
	ck_assert_int_eq(store_newer(s, 0, 0, see, &seen, &upto), ERR_BUSY);
	ck_assert_uint_eq(seen.n, 1);
	ck_assert_uint_eq(upto, 77);
	ck_assert_int_eq(store_each(s, REC_TUNNEL, see, &seen), ERR_BUSY);
	ck_assert_int_eq(store_get(s, &key, see, &seen), ERR_BUSY);
	NEWER(0, 0, "1=a 2=b", 2); /* the reading transaction was ended */
}
END_TEST

START_TEST(a_failure_within_a_transaction_changes_nothing)
{
	static uint8_t big[RECORD_BODY_MAX + 1];
	struct record_key key = record_key_tunnel(2), odd = { .kind = REC_KINDS }, none = { 0 };
	uint64_t revision = 77;

	(void)put_one(1, V("a"));
	ck_assert_int_eq(store_put(s, &key, V("b")), ERR_WRONG_STATE); /* outside of one */
	ck_assert_int_eq(store_commit(s, &revision), ERR_WRONG_STATE);
	ck_assert_int_eq(store_begin(s), ERR_OK);
	ck_assert_int_eq(store_begin(s), ERR_WRONG_STATE);
	put(1, V("changed"));
	ck_assert_int_eq(store_put(s, &key, (struct view){ big, sizeof(big) }), ERR_LENGTH);
	ck_assert_int_eq(store_commit(s, &revision), ERR_LENGTH);
	ck_assert_uint_eq(revision, 77);
	NEWER(0, 0, "1=a", 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(store_begin(s), ERR_OK);
		ck_assert_int_eq(store_put(s, i ? &odd : &none, V("b")), ERR_VALUE);
		ck_assert_int_eq(store_commit(s, &revision), ERR_VALUE);
	}
	ck_assert_int_eq(store_begin(s), ERR_OK);
	put(1, V("given up"));
	store_abort(s);
	store_abort(s);
	NEWER(0, 0, "1=a", 1);
	ck_assert_int_eq(store_begin(s), ERR_OK);
	ck_assert_int_eq(store_put(s, &key, (struct view){ big, RECORD_BODY_MAX }), ERR_OK);
	ck_assert_uint_eq(commit(), 2);
}
END_TEST

/* ---- full ---------------------------------------------------------------------------------- */

enum { SMALL_MAP = 1 << 20 };
static uint8_t body[1000];

static uint32_t fill(uint32_t first)
{
	for (uint32_t i = first;; i++) {
		struct record_key key = record_key_tunnel(i);
		uint64_t revision;

		HOLDS(store_begin(s) == ERR_OK);
		enum err put_e = store_put(s, &key, (struct view){ body, sizeof(body) });
		enum err e = store_commit(s, &revision);
		if (e != ERR_OK) {
			HOLDS_MSG(e == ERR_FULL && put_e == ERR_FULL, "%s", err_text(e));
			return i;
		}
	}
}

START_TEST(a_full_store_refuses_new_records_and_keeps_the_old_alive)
{
	store_close(s);
	scratch_done(&dir);
	dir = scratch_new();
	open_writer(SMALL_MAP);
	memset(body, 'x', sizeof(body));
	uint32_t n = fill(1);
	ck_assert_uint_gt(n, 300);
	printf("%u records of 1,000 bytes in 1 MiB\n", n);
	for (int round = 0; round < 3; round++) /* changes go on */
		for (uint32_t i = 1; i < n; i++) {
			body[0] = (uint8_t)('a' + round);
			(void)put_one(i, (struct view){ body, sizeof(body) });
		}
	struct seen seen = { .n = 0 };
	ck_assert_int_eq(store_each(s, REC_TUNNEL, see, &seen), ERR_OK);
	ck_assert_uint_eq(seen.n, n - 1);
	for (uint32_t i = 1; i < n / 2; i++) { /* and so do deletions */
		HOLDS(store_begin(s) == ERR_OK);
		del(i);
		(void)commit();
	}
	ck_assert_int_eq(store_purge(s, store_revision(s)), ERR_OK);
	uint32_t again = fill(10000) - 10000; /* there is room again */
	ck_assert_uint_gt(again, n / 4);
}
END_TEST

START_TEST(one_transaction_too_large_changes_nothing)
{
	store_close(s);
	scratch_done(&dir);
	dir = scratch_new();
	open_writer(SMALL_MAP);
	(void)put_one(1, V("a"));
	enum err e = ERR_OK;
	uint64_t revision;
	HOLDS(store_begin(s) == ERR_OK);
	for (uint32_t i = 10; e == ERR_OK; i++) {
		struct record_key key = record_key_tunnel(i);

		e = store_put(s, &key, (struct view){ body, sizeof(body) });
		HOLDS(i < 10000);
	}
	ck_assert_int_eq(e, ERR_FULL);
	ck_assert_int_eq(store_commit(s, &revision), ERR_FULL);
	NEWER(0, 0, "1=a", 1);
	(void)put_one(2, V("b"));
	NEWER(0, 0, "1=a 2=b", 2);
}
END_TEST

START_TEST(a_file_that_may_not_grow_is_full_and_no_signal)
{
	/* as a full tmpfs would: write() fails in the middle of a commit */
	struct rlimit limit = { 256 << 10, 256 << 10 };
	uint64_t revision;

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)put_one(1, V("a"));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	enum err e = ERR_OK;
	for (uint32_t i = 10; e == ERR_OK && i < 2000; i++) {
		struct record_key key = record_key_tunnel(i);

		HOLDS(store_begin(s) == ERR_OK);
		HOLDS(store_put(s, &key, (struct view){ body, sizeof(body) }) == ERR_OK);
		e = store_commit(s, &revision);
	}
	ck_assert_int_ne(e, ERR_OK);
	struct seen seen = { .n = 0 };
	ck_assert_int_eq(store_each(s, REC_TUNNEL, see, &seen), ERR_OK);
	ck_assert_uint_gt(seen.n, 10);
	(void)put_one(1, V("b")); /* within what the file has */
}
END_TEST

/* ---- damage -------------------------------------------------------------------------------- */

static void overwrite(const char *find, size_t len)
{
	char path[256], *all = malloc(1 << 20);
	int fd = open(strcat(strcpy(path, scratch_path(&dir, "store")), "/data.mdb"), O_RDWR);
	ssize_t n = read(fd, all, 1 << 20);
	char *at = NULL;

	ck_assert_int_gt(n, 0);
	for (char *p = all; (p = memmem(p, (size_t)(all + n - p), find, len)) != NULL; p++)
		ck_assert_int_eq(pwrite(fd, "X", 1, (at = p) - all), 1); /* old pages, too */
	ck_assert_ptr_nonnull(at);
	(void)close(fd);
	free(all);
}

START_TEST(a_changed_byte_is_found)
{
	struct seen seen = { .n = 0 };
	uint64_t upto;

	(void)put_one(1, V("a body that is looked for"));
	store_close(s);
	overwrite("body that", 9);
	open_writer(8 << 20);
	ck_assert_int_eq(store_newer(s, 0, 0, see, &seen, &upto), ERR_CORRUPT);
	ck_assert_int_eq(store_each(s, REC_TUNNEL, see, &seen), ERR_CORRUPT);
	ck_assert_uint_eq(seen.n, 0);
}
END_TEST

static void cut_short(void)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/store/data.mdb", dir.dir);
	ck_assert_int_eq(truncate(path, 8192), 0);
}

static void fill_with_nonsense(void)
{
	char path[256], nonsense[8192];

	memset(nonsense, 0x5a, sizeof(nonsense));
	(void)snprintf(path, sizeof(path), "%s/store/data.mdb", dir.dir);
	int fd = open(path, O_WRONLY);
	ck_assert_int_eq(write(fd, nonsense, sizeof(nonsense)), sizeof(nonsense));
	(void)close(fd);
}

static void (*const damages[])(void) = { cut_short, fill_with_nonsense };

START_TEST(a_damaged_file_is_refused_by_writer_and_reader)
{
	struct why why = { "" };

	for (uint32_t i = 1; i < 200; i++)
		(void)put_one(i, (struct view){ body, sizeof(body) });
	store_close(s);
	damages[_i]();
	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		enum err e = open_as((enum store_mode)mode, 8 << 20, &why);

		ck_assert_msg(e == ERR_CORRUPT, "got \"%s\"", err_text(e));
		ck_assert_ptr_nonnull(strstr(why.text, dir.dir));
		s = NULL;
	}
}
END_TEST

START_TEST(a_reader_cannot_write_and_makes_nothing)
{
	struct why why = { "" };

	(void)put_one(1, V("a"));
	store_close(s);
	ck_assert_int_eq(open_as(STORE_READ, 0, &why), ERR_OK);
	NEWER(0, 0, "1=a", 1);
	ck_assert_int_eq(store_begin(s), ERR_WRONG_STATE);
	ck_assert(!store_replaced(s));
	store_close(s);
	s = NULL;
	scratch_done(&dir);
	dir = scratch_new();
	ck_assert_int_eq(open_as(STORE_READ, 0, &why), ERR_NOT_FOUND);
	ck_assert_int_ne(access(scratch_path(&dir, "store"), F_OK), 0);
}
END_TEST

START_TEST(a_store_made_anew_is_noticed)
{
	char aside[256];

	(void)snprintf(aside, sizeof(aside), "%s/aside", dir.dir);
	ck_assert(!store_replaced(s));
	ck_assert_int_eq(rename(scratch_path(&dir, "store"), aside), 0);
	ck_assert(store_replaced(s));
}
END_TEST

START_TEST(revisions_of_a_store_made_anew_go_on_above_the_old_ones)
{
	uint64_t upto = 0;
	struct seen seen = { .n = 0 };

	ck_assert_int_eq(store_raise(s, 5000), ERR_OK);
	ck_assert_uint_eq(store_revision(s), 5000);
	ck_assert_uint_eq(put_one(1, V("a")), 5001);
	ck_assert_int_eq(store_raise(s, 77), ERR_OK); /* never down */
	ck_assert_uint_eq(store_revision(s), 5001);
	ck_assert_int_eq(store_newer(s, 0, 0, see, &seen, &upto), ERR_OK);
	ck_assert_uint_eq(seen.n, 1);
	ck_assert_uint_eq(upto, 5001);
}
END_TEST

/* Another process reads while this one writes; what it sees is whole and never goes back. */
START_TEST(a_reader_in_another_process_follows)
{
	pid_t pid = fork();

	if (pid == 0) {
		uint64_t upto = 0;

		if (open_as(STORE_READ, 0, NULL) != ERR_OK)
			_exit(1);
		for (int i = 0; i < 20000 && upto < 300; i++) {
			uint64_t before = upto;
			struct seen seen = { .n = 0 };

			if (store_newer(s, upto, 7, see, &seen, &upto) != ERR_OK || upto < before)
				_exit(2);
			scratch_sleep_us(500);
		}
		_exit(upto == 300 ? 0 : 3);
	}
	for (uint32_t i = 1; i <= 300; i++)
		(void)put_one(i % 20 + 1, V("x"));
	int status = -1;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	store_reap_readers(s);
}
END_TEST

TESTS_OF(store)
{
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_newer_comes_in_order_and_only_once);
	tcase_add_test(tc, deletions_are_tombstones_until_purged);
	tcase_add_test(tc, a_bounded_walk_never_halves_a_revision);
	tcase_add_test(tc, kinds_are_apart);
	tcase_add_test(tc, an_error_of_the_caller_ends_the_walk);
	tcase_add_test(tc, a_failure_within_a_transaction_changes_nothing);
	tcase_add_test(tc, a_full_store_refuses_new_records_and_keeps_the_old_alive);
	tcase_add_test(tc, one_transaction_too_large_changes_nothing);
	tcase_add_test(tc, a_file_that_may_not_grow_is_full_and_no_signal);
	tcase_add_test(tc, a_changed_byte_is_found);
	tcase_add_loop_test(tc, a_damaged_file_is_refused_by_writer_and_reader, 0,
	                    ARRAY_LEN(damages));
	tcase_add_test(tc, a_reader_cannot_write_and_makes_nothing);
	tcase_add_test(tc, a_store_made_anew_is_noticed);
	tcase_add_test(tc, revisions_of_a_store_made_anew_go_on_above_the_old_ones);
	tcase_add_test(tc, a_reader_in_another_process_follows);
	return tc;
}
