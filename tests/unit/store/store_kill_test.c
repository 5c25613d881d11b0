// SPDX-License-Identifier: BSD-2-Clause
/* Writers and readers killed at random instants (the seed is printed): the store opens, each
 * transaction is there whole or not at all, and none that was acknowledged is lost. */
#include "store.h"
#include "runner.h"
#include "scratch.h"
#include "writer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* A killed reader pins the pages of its last look until it is reaped: room for that. */
enum { ROUNDS = 60, TUNNELS = 40, READERS = 2, MAP = 256 << 20 };

struct shared {
	_Atomic uint64_t acknowledged; /* the last revision whose commit returned */
	_Atomic uint32_t wrong;
};

static struct scratch dir;
static struct shared *shared;

static struct store *open_store(enum store_mode mode)
{
	struct store *s = NULL;
	struct why why = { "" };
	enum err e = store_open(scratch_path(&dir, "store"), mode, MAP, &s, &why);

	if (e != ERR_OK)
		fprintf(stderr, "%s\n", why.text);
	return s;
}

/* A transaction puts all tunnels, each with its own revision in the body, deletes one. */
static void write_one(struct store *s)
{
	uint8_t body[200] = { 0 };
	uint64_t next = store_revision(s) + 1, revision = 0;

	if (store_begin(s) != ERR_OK)
		_exit(10);
	for (uint32_t i = 0; i < TUNNELS; i++) {
		struct record_key key = record_key_tunnel(i);
		struct writer w = wr_of(body, sizeof(body));

		wr_u64(&w, next);
		if (i == next % TUNNELS ? store_del(s, &key)
		                        : store_put(s, &key, (struct view){ body, sizeof(body) }))
			_exit(11);
	}
	if (store_commit(s, &revision) != ERR_OK || revision != next)
		_exit(12);
	atomic_store(&shared->acknowledged, revision);
}

static pid_t start_writer(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	struct store *s = open_store(STORE_WRITE);
	if (s == NULL)
		_exit(9);
	for (;;) {
		write_one(s);
		if (store_revision(s) % 10 == 0 && store_purge(s, store_revision(s) - 5) != ERR_OK)
			_exit(13);
	}
}

/* Every record of a revision has it in its body. */
static enum err check_record(void *ctx, const struct record *r)
{
	struct reader rd = rd_of_view(r->body);
	uint64_t *n = ctx;

	++*n;
	return r->deleted || rd_u64(&rd) == r->revision ? ERR_OK : ERR_VALUE;
}

static pid_t start_reader(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	struct store *s = open_store(STORE_READ);
	for (uint64_t upto = 0; s != NULL;) {
		uint64_t n = 0;

		if (store_newer(s, upto, 10, check_record, &n, &upto) != ERR_OK)
			break;
	}
	atomic_fetch_add(&shared->wrong, 1);
	_exit(1);
}

static void end(pid_t pid)
{
	int status = 0;

	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	HOLDS_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "ended by itself: %d",
	          WEXITSTATUS(status));
}

static void check_store(uint64_t acknowledged)
{
	struct store *s = open_store(STORE_WRITE);
	uint64_t n = 0, upto = 0;

	ck_assert_ptr_nonnull(s);
	store_reap_readers(s);
	uint64_t revision = store_revision(s);
	HOLDS_MSG(revision >= acknowledged && revision <= acknowledged + 1,
	          "revision %lu, acknowledged %lu", revision, acknowledged);
	HOLDS(store_newer(s, 0, 0, check_record, &n, &upto) == ERR_OK);
	HOLDS(upto == revision && (revision == 0 || n >= TUNNELS - 1));
	store_close(s);
}

START_TEST(no_acknowledged_commit_is_lost)
{
	uint32_t seed = scratch_seed("kill writers and readers");

	dir = scratch_new();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	check_store(0); /* makes it */
	for (int i = 0; i < ROUNDS; i++) {
		pid_t reader[READERS], writer = start_writer();

		for (int k = 0; k < READERS; k++)
			reader[k] = start_reader();
		scratch_sleep_us(scratch_draw(&seed, 15000));
		end(reader[0]); /* often in the middle of a walk */
		scratch_sleep_us(scratch_draw(&seed, 10000));
		end(writer);
		for (int k = 1; k < READERS; k++)
			end(reader[k]);
		check_store(atomic_load(&shared->acknowledged));
	}
	ck_assert_uint_eq(atomic_load(&shared->wrong), 0);
	printf("%d writers killed, %lu commits acknowledged, none lost\n", ROUNDS,
	       atomic_load(&shared->acknowledged));
	ck_assert_uint_gt(atomic_load(&shared->acknowledged), ROUNDS);
	(void)munmap(shared, sizeof(*shared));
	scratch_done(&dir);
}
END_TEST

TESTS_OF(store_kill)
{
	TCase *tc = tcase_create("store_kill");

	tcase_add_test(tc, no_acknowledged_commit_is_lost);
	return tc;
}
