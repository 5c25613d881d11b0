/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder for one test, on tmpfs where there is one, removed with what is in it; and a generator
 * with a printed seed for tests that draw. */
#ifndef SCRATCH_H
#define SCRATCH_H
#include <check.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* For loops: each ck_assert() writes a mark to a file, also when it holds. */
#define HOLDS(cond)                                        \
	do {                                               \
		if (!(cond))                               \
			ck_abort_msg("not so: %s", #cond); \
	} while (0)
#define HOLDS_MSG(cond, ...)                       \
	do {                                       \
		if (!(cond))                       \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

struct scratch {
	char dir[64];
	char path[160];
};

static inline struct scratch scratch_new(void)
{
	struct scratch s = { "/dev/shm/hawser-test-XXXXXX", "" };

	if (access("/dev/shm", W_OK) != 0)
		(void)snprintf(s.dir, sizeof(s.dir), "/tmp/hawser-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s.dir));
	return s;
}

static inline const char *scratch_path(struct scratch *s, const char *name)
{
	(void)snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name);
	return s->path;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_done(struct scratch *s)
{
	(void)nftw(s->dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* HAWSER_SEED repeats a run. */
static inline uint32_t scratch_seed(const char *what)
{
	const char *given = getenv("HAWSER_SEED");
	uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 0)
	                      : (uint32_t)time(NULL) * 2654435761u ^ (uint32_t)getpid();

	printf("%s: HAWSER_SEED=%u\n", what, seed);
	(void)fflush(stdout);
	return seed;
}

static inline uint32_t scratch_draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)*seed * below) >> 32);
}

static inline uint64_t scratch_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static inline void scratch_sleep_us(uint32_t us)
{
	struct timespec ts = { us / 1000000, (long)(us % 1000000) * 1000 };

	(void)nanosleep(&ts, NULL);
}

#endif
