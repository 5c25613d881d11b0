// SPDX-License-Identifier: BSD-2-Clause
/* Process slots: a robust mutex that a process holds as long as it lives (its death is seen
 * by a waiter within about a millisecond, while pidfd and waitpid can take 70).
 *
 * Whoever gets the mutex and is not its process lets go of it at once, so that the next waiter gets
 * it too: the kernel wakes only one. */
#include "node_shm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TAKE_WAIT_MS = 20, LOOK_MS = 100 };

static int lock_within(pthread_mutex_t *m, long ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &until);
}

/* Mends a mutex whose owner died; the caller holds it. */
static bool mend(pthread_mutex_t *m, int got)
{
	if (got == EOWNERDEAD)
		got = pthread_mutex_consistent(m);
	return got == 0;
}

/* Field 22 of /proc/PID/stat, counted after the command's name, which may hold anything. */
static uint64_t field_22(char *stat)
{
	char *at = strrchr(stat, ')');

	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

uint64_t proc_slot_start_time(uint32_t pid)
{
	char path[32], text[1024];

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	return field_22(text);
}

enum err proc_slot_take(struct proc_slot *slot)
{
	uint64_t start = proc_slot_start_time((uint32_t)getpid());
	/* Someone who only looks holds it for microseconds. */
	int got = lock_within(&slot->life, TAKE_WAIT_MS);

	if (got == ETIMEDOUT || got == EDEADLK)
		return ERR_BUSY;
	if (!mend(&slot->life, got))
		return ERR_WRONG_STATE;
	atomic_store(&slot->start_time, start);
	atomic_store(&slot->pid, (uint32_t)getpid());
	atomic_fetch_add(&slot->generation, 1);
	return ERR_OK;
}

void proc_slot_leave(struct proc_slot *slot)
{
	atomic_store(&slot->pid, 0);
	(void)pthread_mutex_unlock(&slot->life);
}

bool proc_slot_wait_death(struct proc_slot *slot, const _Atomic bool *stop)
{
	uint32_t generation = atomic_load(&slot->generation);

	while (stop == NULL || !atomic_load(stop)) {
		int got = lock_within(&slot->life, LOOK_MS);

		if (mend(&slot->life, got)) {
			(void)pthread_mutex_unlock(&slot->life);
			return true;
		}
		/* Another process has it already: that of before is dead. */
		if (atomic_load(&slot->generation) != generation)
			return true;
	}
	return false;
}

bool proc_slot_alive(struct proc_slot *slot)
{
	int got = pthread_mutex_trylock(&slot->life);

	if (!mend(&slot->life, got))
		return got == EBUSY;
	(void)pthread_mutex_unlock(&slot->life);
	return false;
}
