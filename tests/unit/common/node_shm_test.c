// SPDX-License-Identifier: BSD-2-Clause
#include "node_shm.h"
#include "runner.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const uint8_t identity[16] = { 1, 2, 3 };
static struct scratch dir;
static struct node_shm *shm;
static int shm_fd;

static bool create(void)
{
	struct why why = { "" };
	bool new = false;
	enum err e =
	        node_shm_create(scratch_path(&dir, "node"), identity, &shm, &shm_fd, &new, &why);

	ck_assert_msg(e == ERR_OK, "%s", why.text);
	return new;
}

static void setup(void)
{
	dir = scratch_new();
	ck_assert(create());
}

static void teardown(void)
{
	node_shm_unmap(shm);
	(void)close(shm_fd);
	scratch_done(&dir);
}

/* A child that takes the slot and lives until it is killed. */
static pid_t child_with(struct proc_slot *slot)
{
	uint32_t generation = atomic_load(&slot->generation);
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (proc_slot_take(slot) != ERR_OK)
			_exit(1);
		for (;;)
			(void)pause();
	}
	for (int i = 0; i < 5000 && atomic_load(&slot->generation) == generation; i++)
		scratch_sleep_us(1000);
	ck_assert_uint_eq(atomic_load(&slot->generation), generation + 1);
	return pid;
}

static void reap(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_second_keeper_goes_on_with_the_first_ones_memory)
{
	struct stat st;

	atomic_store(&shm->revision, 42);
	node_shm_unmap(shm);
	(void)close(shm_fd);
	ck_assert(!create());
	ck_assert_uint_eq(atomic_load(&shm->revision), 42);
	ck_assert_mem_eq(shm->identity, identity, 16);
	ck_assert_int_eq(fstat(shm_fd, &st), 0);
	ck_assert_int_ge(st.st_blocks * 512, st.st_size); /* reserved, not sparse */
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

static void spoil_magic(void)
{
	shm->magic++;
}

static void spoil_layout(void)
{
	shm->layout++;
}

static void spoil_length(void)
{
	ck_assert_int_eq(ftruncate(shm_fd, 4096), 0);
}

static void spoil_all(void)
{
	ck_assert_int_eq(ftruncate(shm_fd, 0), 0);
}

static void (*const spoils[])(void) = { spoil_magic, spoil_layout, spoil_length, spoil_all };

START_TEST(a_foreign_or_damaged_file_is_refused_and_made_anew)
{
	struct why why = { "" };
	struct node_shm *other = NULL;

	spoils[_i]();
	ck_assert_int_ne(node_shm_map(shm_fd, &other, &why), ERR_OK);
	ck_assert_ptr_null(other);
	ck_assert_uint_ne(strlen(why.text), 0);
	node_shm_unmap(shm);
	(void)close(shm_fd);
	ck_assert(create());
	ck_assert_int_eq(node_shm_map(shm_fd, &other, &why), ERR_OK);
	node_shm_unmap(other);
}
END_TEST

START_TEST(a_slot_belongs_to_one_living_process)
{
	struct proc_slot *slot = &shm->spu[5].proc;

	ck_assert(!proc_slot_alive(slot));
	pid_t pid = child_with(slot);
	ck_assert(proc_slot_alive(slot));
	ck_assert_uint_eq(atomic_load(&slot->pid), (uint32_t)pid);
	ck_assert_uint_eq(atomic_load(&slot->start_time), proc_slot_start_time((uint32_t)pid));
	ck_assert_uint_ne(atomic_load(&slot->start_time), 0);
	ck_assert_int_eq(proc_slot_take(slot), ERR_BUSY);
	reap(pid);
	ck_assert(!proc_slot_alive(slot));
	ck_assert_int_eq(proc_slot_take(slot), ERR_OK);
	ck_assert(proc_slot_alive(slot));
	proc_slot_leave(slot);
	ck_assert(!proc_slot_alive(slot));
}
END_TEST

/* One that is behind holds up what was deleted, whether it is configured or not: it may still send
 * with the old key. A dead one does not, nor one that has passed the deletion. */
START_TEST(what_was_deleted_waits_for_every_spu_that_lives)
{
	pid_t pid = child_with(&shm->spu[7].proc);

	atomic_store(&shm->spu[7].applied, 99);
	atomic_store(&shm->spu[8].applied, 3); /* nobody lives there */
	ck_assert(node_shm_all_applied(shm, 99));
	ck_assert(!node_shm_all_applied(shm, 100));
	atomic_store(&shm->spu[7].applied, 100);
	ck_assert(node_shm_all_applied(shm, 100));
	ck_assert(!node_shm_all_applied(shm, 101));
	reap(pid);
	ck_assert(node_shm_all_applied(shm, 101));
}
END_TEST

START_TEST(a_new_store_counts_on_from_what_anybody_spoke_of)
{
	ck_assert_uint_eq(node_shm_revision_seen(shm), 0);
	atomic_store(&shm->spu[SPU_SLOTS - 1].applied, 500);
	ck_assert_uint_eq(node_shm_revision_seen(shm), 500);
	atomic_store(&shm->revision, 501);
	ck_assert_uint_eq(node_shm_revision_seen(shm), 501);
}
END_TEST

/* What a waiter sees, and when. */
struct waiter {
	struct proc_slot *slot;
	_Atomic bool stop;
	bool died;
	_Atomic uint64_t seen_us;
};

static void *wait_death(void *arg)
{
	struct waiter *w = arg;

	w->died = proc_slot_wait_death(w->slot, &w->stop);
	atomic_store(&w->seen_us, scratch_now_us());
	scratch_sleep_us(30000); /* who waits on must not depend on this thread's end */
	return NULL;
}

enum { WAITERS = 3, ROUNDS = 20 };

/* Kills one child with all waiters waiting; the time until the last of them knew. */
static uint64_t death_seen_after_us(struct proc_slot *slot)
{
	pid_t pid = child_with(slot);
	struct waiter w[WAITERS];
	pthread_t thread[WAITERS];
	uint64_t last = 0;

	for (int i = 0; i < WAITERS; i++) {
		w[i] = (struct waiter){ .slot = slot };
		ck_assert_int_eq(pthread_create(&thread[i], NULL, wait_death, &w[i]), 0);
	}
	scratch_sleep_us(5000);
	uint64_t killed = scratch_now_us();
	(void)kill(pid, SIGKILL);
	for (int i = 0; i < WAITERS; i++) {
		(void)pthread_join(thread[i], NULL);
		ck_assert(w[i].died);
		uint64_t seen = atomic_load(&w[i].seen_us);
		ck_assert_uint_ge(seen, killed);
		last = seen - killed > last ? seen - killed : last;
	}
	reap(pid);
	return last;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

START_TEST(all_waiters_see_a_kill_within_milliseconds)
{
	uint64_t took[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		took[i] = death_seen_after_us(&shm->re);
	qsort(took, ROUNDS, sizeof(took[0]), by_size);
	printf("death seen by %d waiters: median %lu us, worst %lu us\n", WAITERS, took[ROUNDS / 2],
	       took[ROUNDS - 1]);
	ck_assert_uint_lt(took[ROUNDS / 2], 10000); /* the wait alone would be 100 ms */
}
END_TEST

START_TEST(a_waiter_can_be_called_off)
{
	pid_t pid = child_with(&shm->keeper);
	struct waiter w = { .slot = &shm->keeper };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wait_death, &w), 0);
	scratch_sleep_us(10000);
	atomic_store(&w.stop, true);
	(void)pthread_join(thread, NULL);
	ck_assert(!w.died);
	reap(pid);
}
END_TEST

START_TEST(a_process_killed_between_two_looks_is_not_missed)
{
	/* The next owner had the slot before the waiter woke: all that it can see is the count. */
	pid_t pid = child_with(&shm->re);
	struct waiter w = { .slot = &shm->re };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wait_death, &w), 0);
	scratch_sleep_us(10000);
	atomic_fetch_add(&shm->re.generation, 1);
	for (int i = 0; i < 5000 && atomic_load(&w.seen_us) == 0; i++)
		scratch_sleep_us(1000);
	atomic_store(&w.stop, true);
	(void)pthread_join(thread, NULL);
	ck_assert(w.died);
	reap(pid);
}
END_TEST

START_TEST(events_are_a_bounded_ring)
{
	struct spu_event_ring *ring = &shm->spu[0].events;
	struct spu_event e = { .kind = SPU_EVENT_BAD_SPI }, got;

	ck_assert(!spu_event_pop(ring, &got));
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < SPU_EVENTS; i++) {
			e.arg = i;
			ck_assert(spu_event_push(ring, &e));
		}
		ck_assert(!spu_event_push(ring, &e));
		for (uint32_t i = 0; i < SPU_EVENTS; i++) {
			ck_assert(spu_event_pop(ring, &got));
			ck_assert_uint_eq(got.arg, i);
		}
		ck_assert(!spu_event_pop(ring, &got));
	}
	ck_assert_uint_eq(atomic_load(&ring->lost), 3);
	atomic_store(&ring->head, 0x80000000); /* what a crashed writer may leave */
	ck_assert(!spu_event_pop(ring, &got));
	ck_assert(spu_event_push(ring, &e));
	ck_assert(spu_event_pop(ring, &got));
}
END_TEST

TESTS_OF(node_shm)
{
	TCase *tc = tcase_create("node_shm");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_second_keeper_goes_on_with_the_first_ones_memory);
	tcase_add_loop_test(tc, a_foreign_or_damaged_file_is_refused_and_made_anew, 0,
	                    ARRAY_LEN(spoils));
	tcase_add_test(tc, a_slot_belongs_to_one_living_process);
	tcase_add_test(tc, what_was_deleted_waits_for_every_spu_that_lives);
	tcase_add_test(tc, a_new_store_counts_on_from_what_anybody_spoke_of);
	tcase_add_test(tc, all_waiters_see_a_kill_within_milliseconds);
	tcase_add_test(tc, a_waiter_can_be_called_off);
	tcase_add_test(tc, a_process_killed_between_two_looks_is_not_missed);
	tcase_add_test(tc, events_are_a_bounded_ring);
	return tc;
}
