// SPDX-License-Identifier: BSD-2-Clause
#include "sa_runtime.h"
#include "replay.h"
#include "runner.h"
#include "scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { SLOTS = 64 };
static const uint8_t identity[16] = { 9, 8, 7 }, other_identity[16] = { 1 };
static struct scratch dir;
static struct sa_runtime_table table;
static int table_fd;

static bool create(const uint8_t id[16])
{
	struct why why = { "" };
	bool new = false;
	enum err e = sa_runtime_create(scratch_path(&dir, "runtime"), SLOTS, id, &table, &table_fd,
	                               &new, &why);

	ck_assert_msg(e == ERR_OK, "%s", why.text);
	return new;
}

static void setup(void)
{
	dir = scratch_new();
	ck_assert(create(identity));
}

static void leave(void)
{
	sa_runtime_unmap(&table);
	(void)close(table_fd);
}

static void teardown(void)
{
	leave();
	scratch_done(&dir);
}

START_TEST(the_table_outlives_its_processes)
{
	uint32_t slot = 0;
	uint64_t first = 0;
	struct stat st;

	ck_assert_int_eq(sa_runtime_take(&table, false, 0, &slot), ERR_OK);
	sa_runtime_set_end(sa_runtime_at(&table, slot), 1000);
	ck_assert_uint_eq(sa_runtime_take_seq(sa_runtime_at(&table, slot), 7, &first), 7);
	leave();
	ck_assert(!create(other_identity));
	ck_assert_mem_eq(table.identity, identity, 16);
	ck_assert_uint_eq(sa_runtime_take_seq(sa_runtime_at(&table, slot), 1, &first), 1);
	ck_assert_uint_eq(first, 8);
	ck_assert_int_eq(fstat(table_fd, &st), 0);
	ck_assert_int_ge(st.st_blocks * 512, st.st_size);
}
END_TEST

static void spoil(size_t at)
{
	((uint8_t *)table.map)[at] ^= 0xff;
}

static const size_t header_bytes[] = { 0, 8, 12, 16 }; /* magic, layout, slots, length */

START_TEST(a_foreign_table_is_refused_and_replaced)
{
	struct sa_runtime_table got;
	struct why why = { "" };

	spoil(header_bytes[_i]);
	ck_assert_int_ne(sa_runtime_map(table_fd, &got, &why), ERR_OK);
	ck_assert_uint_ne(strlen(why.text), 0);
	leave();
	ck_assert(create(other_identity));
	ck_assert_mem_eq(table.identity, other_identity, 16);
}
END_TEST

/* On a disk it would outlive a crash of the machine, with counters older than the keys. */
START_TEST(a_table_of_an_earlier_boot_is_replaced)
{
	spoil(40); /* the first letter of the boot's name, behind the identity */
	leave();
	ck_assert(create(other_identity));
	ck_assert_mem_eq(table.identity, other_identity, 16);
	leave();
	ck_assert(!create(identity));
}
END_TEST

START_TEST(a_table_cut_short_is_refused)
{
	struct sa_runtime_table got;

	ck_assert_int_eq(ftruncate(table_fd, 8192), 0);
	ck_assert_int_ne(sa_runtime_map(table_fd, &got, NULL), ERR_OK);
	ck_assert_int_eq(ftruncate(table_fd, 100), 0);
	ck_assert_int_ne(sa_runtime_map(table_fd, &got, NULL), ERR_OK);
}
END_TEST

START_TEST(no_room_is_an_error_and_no_sigbus)
{
	/* a file may not grow: posix_fallocate() says so (a full tmpfs would, too) */
	struct rlimit limit = { 65536, 65536 };
	struct sa_runtime_table got;
	struct why why = { "" };
	int fd;
	bool new;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_ne(sa_runtime_create(scratch_path(&dir, "big"), 16384, identity, &got, &fd,
	                                   &new, &why),
	                 ERR_OK);
	ck_assert_ptr_nonnull(strstr(why.text, "no room"));
	ck_assert_int_ne(access(scratch_path(&dir, "big"), F_OK), 0);
	ck_assert_int_ne(access(scratch_path(&dir, "big.new"), F_OK), 0);
}
END_TEST

static const struct {
	bool inbound;
	uint16_t window;
	enum err want;
} takes[] = {
	{ true, 0, ERR_OK },      { true, 64, ERR_OK },       { true, 128, ERR_OK },
	{ true, 4096, ERR_OK },   { false, 0, ERR_OK },       { true, 32, ERR_RANGE },
	{ true, 96, ERR_RANGE },  { true, 8192, ERR_RANGE },  { true, 1, ERR_RANGE },
	{ false, 64, ERR_RANGE }, { true, 65535, ERR_RANGE },
};

START_TEST(windows_are_powers_of_two)
{
	uint32_t slot;

	ck_assert_int_eq(sa_runtime_take(&table, takes[_i].inbound, takes[_i].window, &slot),
	                 takes[_i].want);
}
END_TEST

START_TEST(a_slot_is_given_to_one_and_comes_back_clean)
{
	bool seen[SLOTS] = { false };
	uint32_t slot;

	for (uint32_t i = 0; i < SLOTS; i++) {
		ck_assert_int_eq(sa_runtime_take(&table, true, 64, &slot), ERR_OK);
		ck_assert(slot < SLOTS && !seen[slot]);
		seen[slot] = true;
		atomic_store(&table.at[slot].seq, 77);
		atomic_store(&table.at[slot].words[3], 77);
	}
	ck_assert_int_eq(sa_runtime_take(&table, true, 64, &slot), ERR_FULL);
	sa_runtime_give(&table, 13);
	sa_runtime_give(&table, 13);
	sa_runtime_give(&table, SLOTS); /* not of this table */
	ck_assert_ptr_null(sa_runtime_at(&table, SLOTS));
	ck_assert_int_eq(sa_runtime_take(&table, true, 64, &slot), ERR_OK);
	ck_assert_uint_eq(slot, 13);
	ck_assert_uint_eq(atomic_load(&table.at[13].seq), 0);
	ck_assert_uint_eq(atomic_load(&table.at[13].words[3]), 0);
}
END_TEST

/* Rings of entries in use never overlap. */
static void check_rings(void)
{
	static uint8_t owner[SLOTS * SA_RUNTIME_RING_ROOM];

	memset(owner, 0, sizeof(owner));
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct sa_runtime *sa = &table.at[i];

		if (!atomic_load(&sa->in_use) || sa->window <= 64)
			continue;
		ck_assert_uint_le(sa->ring + sa_runtime_ring_len(sa->window), table.ring_words);
		for (uint32_t k = 0; k < sa_runtime_ring_len(sa->window); k++) {
			HOLDS((owner[sa->ring + k]) == (0));
			owner[sa->ring + k] = 1;
		}
	}
}

static bool even(void *ctx, uint32_t slot)
{
	(void)ctx;
	return slot % 2 == 0;
}

START_TEST(rings_of_large_windows_do_not_overlap)
{
	uint32_t seed = scratch_seed("rings"), slot;
	unsigned full = 0;

	for (int i = 0; i < 3000; i++) {
		uint16_t window = (uint16_t)(64u << scratch_draw(&seed, 7));
		enum err e = sa_runtime_take(&table, true, window, &slot);

		HOLDS(e == ERR_OK || e == ERR_FULL);
		full += e == ERR_FULL;
		if (e == ERR_OK && window > 64) /* what a predecessor left in the ring is gone */
			for (uint32_t k = 0; k < sa_runtime_ring_len(window); k++) {
				_Atomic uint64_t *w = &table.rings[table.at[slot].ring + k];

				HOLDS((atomic_exchange(w, 1)) == (0));
			}
		sa_runtime_give(&table, scratch_draw(&seed, SLOTS));
		if (i % 100 == 0) {
			leave();
			HOLDS(!create(identity));
			sa_runtime_sweep(&table, even, NULL);
			for (uint32_t k = 1; k < SLOTS; k += 2)
				HOLDS((atomic_load(&table.at[k].in_use)) == (0));
		}
		check_rings();
	}
	ck_assert_uint_gt(full, 0);
	for (uint32_t k = 0; k < SLOTS; k++)
		sa_runtime_give(&table, k);
	ck_assert_int_eq(sa_runtime_take(&table, true, 4096, &slot), ERR_OK);
}
END_TEST

/* ---- sequence numbers ---------------------------------------------------------------------- */

static const struct {
	uint64_t last, end;
	uint32_t n, want;
	uint64_t first;
} ends[] = {
	{ 0, 0, 4, 0, 0 },
	{ 0, 100, 4, 4, 1 },
	{ 98, 100, 4, 2, 99 },
	{ 99, 100, 1, 1, 100 },
	{ 100, 100, 1, 0, 0 },
	{ 0xfffffffe, 0xffffffff, 32, 1, 0xffffffff },
	{ (1ull << 48) - 3, (1ull << 48) - 1, 32, 2, (1ull << 48) - 2 },
};

START_TEST(numbers_end_where_the_sa_ends)
{
	uint32_t slot;
	uint64_t first = 0;
	struct sa_usage usage;

	ck_assert_int_eq(sa_runtime_take(&table, false, 0, &slot), ERR_OK);
	struct sa_runtime *sa = sa_runtime_at(&table, slot);
	atomic_store(&sa->seq, ends[_i].last);
	sa_runtime_set_end(sa, ends[_i].end);
	ck_assert_uint_eq(sa_runtime_take_seq(sa, ends[_i].n, &first), ends[_i].want);
	ck_assert_uint_eq(first, ends[_i].first);
	for (int i = 0; i < 100; i++)
		if (sa_runtime_take_seq(sa, 32, &first))
			ck_assert_uint_le(first, ends[_i].end);
	sa_runtime_usage(sa, &usage);
	ck_assert_uint_le(usage.seq, ends[_i].end);
}
END_TEST

enum { THREADS = 4, BURSTS = 4000 };

struct taker {
	struct sa_runtime *sa;
	uint8_t *taken; /* one per number */
	uint64_t end;
	bool twice;
};

static void *take_all(void *arg)
{
	struct taker *t = arg;
	uint64_t first;

	for (uint32_t i = 0; i < BURSTS; i++) {
		uint32_t got = sa_runtime_take_seq(t->sa, 1 + i % 32, &first);

		for (uint32_t k = 0; k < got; k++)
			if (first + k == 0 || first + k > t->end ||
			    __atomic_fetch_add(&t->taken[first + k], 1, __ATOMIC_RELAXED) != 0)
				t->twice = true;
	}
	return NULL;
}

START_TEST(no_number_is_given_twice)
{
	uint32_t slot;
	enum { END = 150000 };
	static uint8_t taken[END + 1];
	struct taker t[THREADS];
	pthread_t thread[THREADS];

	ck_assert_int_eq(sa_runtime_take(&table, false, 0, &slot), ERR_OK);
	sa_runtime_set_end(sa_runtime_at(&table, slot), END);
	for (int i = 0; i < THREADS; i++) {
		t[i] = (struct taker){ sa_runtime_at(&table, slot), taken, END, false };
		ck_assert_int_eq(pthread_create(&thread[i], NULL, take_all, &t[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(thread[i], NULL);
		ck_assert(!t[i].twice);
	}
	for (size_t i = 1; i <= END; i++) /* 4 * 4,000 bursts of 16.5 are more than there are */
		HOLDS((taken[i]) == (1));
}
END_TEST

/* ---- volume limits ------------------------------------------------------------------------- */

enum { BURST_OF = 32, SMALLEST = 40, LARGEST = 1400 };

static const struct {
	uint64_t packets, bytes; /* hard; 0: none */
} volumes[] = {
	{ 20011, 0 }, { 0, 5000017 }, { 20011, 5000017 }, { 20011, 20011 * LARGEST }, { 1, 1 }
};

struct carrier {
	struct sa_runtime *sa;
	struct sa_limits limits;
	unsigned seed;
	uint64_t packets, bytes;
};

static void *carry(void *arg)
{
	struct carrier *c = arg;
	uint16_t size[BURST_OF];

	for (uint32_t i = 0; i < BURSTS; i++) {
		uint32_t n = 1 + i % BURST_OF;

		for (uint32_t k = 0; k < n; k++)
			size[k] = (uint16_t)(SMALLEST + scratch_draw(&c->seed, LARGEST - SMALLEST));
		uint32_t go = sa_runtime_admit(c->sa, &c->limits, size, n, 1);
		c->packets += go;
		for (uint32_t k = 0; k < go; k++)
			c->bytes += size[k];
	}
	return NULL;
}

/* Four SPUs on one SA: together they let the limit through, and not one packet more. */
START_TEST(volume_limits_hold_to_the_packet)
{
	uint64_t packets = volumes[_i].packets ? volumes[_i].packets : UINT64_MAX;
	uint64_t bytes = volumes[_i].bytes ? volumes[_i].bytes : UINT64_MAX;
	struct sa_limits limits = { bytes - bytes / 10, bytes, packets - packets / 10, packets };
	uint64_t gone = 0, gone_bytes = 0;
	struct carrier c[THREADS];
	pthread_t thread[THREADS];
	uint32_t slot;

	ck_assert_int_eq(sa_runtime_take(&table, false, 0, &slot), ERR_OK);
	struct sa_runtime *sa = sa_runtime_at(&table, slot);
	ck_assert(!sa_runtime_soft(sa, &limits) || packets == 1);
	for (int i = 0; i < THREADS; i++) {
		c[i] = (struct carrier){ .sa = sa, .limits = limits, .seed = 77u + (unsigned)i };
		ck_assert_int_eq(pthread_create(&thread[i], NULL, carry, &c[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(thread[i], NULL);
		gone += c[i].packets;
		gone_bytes += c[i].bytes;
	}
	ck_assert_uint_eq(gone, sa->packets);
	ck_assert_uint_eq(gone_bytes, sa->bytes);
	ck_assert_uint_le(gone, packets);
	ck_assert_uint_le(gone_bytes, bytes);
	/* They stopped for a reason: one of the limits leaves no room for the smallest packet. */
	ck_assert(gone == packets || bytes - gone_bytes < LARGEST);
	ck_assert(sa_runtime_soft(sa, &limits) || bytes == 1);
}
END_TEST

/* ---- killed at any instant ----------------------------------------------------------------- */

/* Shared with the children: what each acknowledged. */
enum { WINDOW = 256, NUMBERS = 1 << 16, KILLS = 60 };
struct ledger {
	_Atomic uint8_t accepted[NUMBERS]; /* by number, over all processes */
	_Atomic uint64_t sent;             /* the peer's next number */
	_Atomic uint8_t given[NUMBERS * 4];
	_Atomic uint32_t wrong;
};

/* Two SPUs on one SA: numbers as a peer would send them, some twice, some late. */
static void be_an_spu(struct ledger *l, uint32_t in, uint32_t out, uint32_t seed)
{
	struct sa_runtime *sa = sa_runtime_at(&table, in);

	for (;;) {
		uint64_t seq[8], next = atomic_fetch_add(&l->sent, 4), first;
		bool ok[8];

		for (int i = 0; i < 8; i++)
			seq[i] = (next + 4 - scratch_draw(&seed, 12)) % NUMBERS;
		replay_accept(&table, sa, seq, ok, 8);
		for (int i = 0; i < 8; i++)
			if (ok[i] && atomic_fetch_add(&l->accepted[seq[i]], 1) != 0)
				atomic_fetch_add(&l->wrong, 1);
		uint32_t n = sa_runtime_take_seq(sa_runtime_at(&table, out), 8, &first);
		for (uint32_t i = 0; i < n; i++)
			if (atomic_fetch_add(&l->given[first + i], 1) != 0)
				atomic_fetch_add(&l->wrong, 1);
		if (next > NUMBERS - 64)
			_exit(0);
	}
}

static pid_t start_spu(struct ledger *l, uint32_t in, uint32_t out, uint32_t seed)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		be_an_spu(l, in, out, seed);
	return pid;
}

START_TEST(spus_killed_at_random_accept_and_give_nothing_twice)
{
	uint32_t seed = scratch_seed("kill SPUs"), in, out;
	struct ledger *l =
	        mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sa_runtime_table again;

	ck_assert_ptr_ne(l, MAP_FAILED);
	atomic_store(&l->sent, 64);
	ck_assert_int_eq(sa_runtime_take(&table, true, WINDOW, &in), ERR_OK);
	ck_assert_int_eq(sa_runtime_take(&table, false, 0, &out), ERR_OK);
	sa_runtime_set_end(sa_runtime_at(&table, out), NUMBERS * 4 - 1);
	for (int i = 0; i < KILLS; i++) {
		pid_t a = start_spu(l, in, out, scratch_draw(&seed, 1u << 30)),
		      b = start_spu(l, in, out, scratch_draw(&seed, 1u << 30));

		scratch_sleep_us(scratch_draw(&seed, 400));
		(void)kill(a, SIGKILL);
		scratch_sleep_us(scratch_draw(&seed, 400));
		(void)kill(b, SIGKILL);
		(void)waitpid(a, NULL, 0);
		(void)waitpid(b, NULL, 0);
		ck_assert_uint_eq(atomic_load(&l->wrong), 0);
	}
	ck_assert_int_eq(sa_runtime_map(table_fd, &again, NULL), ERR_OK);
	uint64_t top = atomic_load(&again.at[in].seq), accepted = 0;
	for (uint64_t seq = 1; seq < NUMBERS; seq++) {
		accepted += atomic_load(&l->accepted[seq]);
		HOLDS(!atomic_load(&l->accepted[seq]) || seq <= top);
		HOLDS(!atomic_load(&l->accepted[seq]) || !replay_check(&again, &again.at[in], seq));
	}
	printf("%d processes killed: %lu numbers accepted, top %lu\n", 2 * KILLS, accepted, top);
	ck_assert_uint_gt(accepted, 0);
	sa_runtime_unmap(&again);
	(void)munmap(l, sizeof(*l));
}
END_TEST

START_TEST(numbers_are_skipped_and_old_ones_refused)
{
	uint32_t out, in;
	uint64_t first, top = 100;
	bool ok;

	ck_assert_int_eq(sa_runtime_take(&table, false, 0, &out), ERR_OK);
	ck_assert_int_eq(sa_runtime_take(&table, true, 64, &in), ERR_OK);
	struct sa_runtime *o = sa_runtime_at(&table, out), *i = sa_runtime_at(&table, in);
	sa_runtime_set_end(o, UINT32_MAX);
	ck_assert_uint_eq(sa_runtime_take_seq(o, 5, &first), 5);
	sa_runtime_skip(o, 1000);
	ck_assert_uint_eq(sa_runtime_take_seq(o, 1, &first), 1);
	ck_assert_uint_eq(first, 1006);
	sa_runtime_skip(o, UINT32_MAX); /* not beyond the end */
	ck_assert_uint_eq(sa_runtime_take_seq(o, 1, &first), 0);

	replay_accept(&table, i, &top, &ok, 1);
	ck_assert(ok && replay_check(&table, i, 101));
	sa_runtime_skip(i, 1000);
	ck_assert(!replay_check(&table, i, 101) && !replay_check(&table, i, 1100));
	ck_assert(replay_check(&table, i, 1101));
}
END_TEST

TESTS_OF(sa_runtime)
{
	TCase *tc = tcase_create("sa_runtime");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_table_outlives_its_processes);
	tcase_add_loop_test(tc, a_foreign_table_is_refused_and_replaced, 0,
	                    ARRAY_LEN(header_bytes));
	tcase_add_test(tc, a_table_of_an_earlier_boot_is_replaced);
	tcase_add_test(tc, a_table_cut_short_is_refused);
	tcase_add_test(tc, no_room_is_an_error_and_no_sigbus);
	tcase_add_loop_test(tc, windows_are_powers_of_two, 0, ARRAY_LEN(takes));
	tcase_add_test(tc, a_slot_is_given_to_one_and_comes_back_clean);
	tcase_add_test(tc, rings_of_large_windows_do_not_overlap);
	tcase_add_loop_test(tc, numbers_end_where_the_sa_ends, 0, ARRAY_LEN(ends));
	tcase_add_test(tc, numbers_are_skipped_and_old_ones_refused);
	tcase_add_test(tc, no_number_is_given_twice);
	tcase_add_loop_test(tc, volume_limits_hold_to_the_packet, 0, ARRAY_LEN(volumes));
	tcase_add_test(tc, spus_killed_at_random_accept_and_give_nothing_twice);
	return tc;
}
