/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder for one test, on tmpfs where there is one, removed with what is in it, also after a
 * failure; and a generator with a printed seed for tests that draw. */
#ifndef SCRATCH_H
#define SCRATCH_H
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
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

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(const char *dir)
{
	(void)nftw(dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Whether the process was started with this folder in its arguments. */
static inline bool scratch_is_of(const char *pid, const char *dir)
{
	char path[64], args[4096];

	(void)snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, args, sizeof(args));
	if (fd >= 0)
		(void)close(fd);
	return n > 0 && memmem(args, (size_t)n, dir, strlen(dir)) != NULL;
}

static inline void scratch_kill(const char *dir)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && scratch_is_of(e->d_name, dir))
			(void)kill((pid_t)strtol(e->d_name, NULL, 10), SIGKILL);
	if (proc)
		(void)closedir(proc);
}

/* Check runs no teardown after a failure. This process outlives the test's: when the pipe says that
 * it is gone, what was started with the folder is killed, and the folder removed. */
static inline void scratch_leave_janitor(const char *dir)
{
	int ends[2], nowhere;
	char c;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid != 0) {
		(void)close(ends[0]); /* the other end stays open as long as this process */
		return;
	}
	(void)setpgid(0, 0); /* Check kills the test's group */
	(void)close(ends[1]);
	nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)dup2(nowhere, 1);
	(void)dup2(nowhere, 2);
	while (read(ends[0], &c, 1) < 0)
		;
	scratch_kill(dir);
	scratch_remove(dir);
	_exit(0);
}

static inline struct scratch scratch_new(void)
{
	struct scratch s = { "/dev/shm/hawser-test-XXXXXX", "" };

	if (access("/dev/shm", W_OK) != 0)
		(void)snprintf(s.dir, sizeof(s.dir), "/tmp/hawser-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s.dir));
	scratch_leave_janitor(s.dir);
	return s;
}

static inline const char *scratch_path(struct scratch *s, const char *name)
{
	(void)snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name);
	return s->path;
}

static inline void scratch_done(struct scratch *s)
{
	scratch_remove(s->dir);
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
