// SPDX-License-Identifier: BSD-2-Clause
#include "child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void child_init(struct child *c, const char *program, int32_t slot, struct proc_slot *proc,
                int notice_fd)
{
	*c = (struct child){ .program = program,
		             .slot = slot,
		             .proc = proc,
		             .notice_fd = notice_fd,
		             .backoff_ms = BACKOFF_FIRST_MS };
}

/* Beside our own binary, or where a build tree has it, so that a build runs its own programs. */
static enum err find_program(const char *program, char path[PATH_MAX])
{
	static const char *const folders[] = { "", "../re/daemon/", "../spu/" };
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n < 0)
		return err_from_errno(errno);
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < ARRAY_LEN(folders); i++) {
		size_t room = (size_t)(path + PATH_MAX - slash - 1);

		if ((size_t)snprintf(slash + 1, room, "%s%s", folders[i], program) < room &&
		    access(path, X_OK) == 0)
			return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

/* Signals that we take by descriptor are not blocked in the child; a ^C at our terminal is for us
 * alone, so that all ends in order. */
static void start_attributes(posix_spawnattr_t *a)
{
	sigset_t none;

	sigemptyset(&none);
	posix_spawnattr_init(a);
	posix_spawnattr_setsigmask(a, &none);
	posix_spawnattr_setpgroup(a, 0);
	posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

enum err child_start(struct child *c, char *const argv[], uint64_t now_ms)
{
	posix_spawnattr_t attributes;
	char path[PATH_MAX];
	pid_t pid;

	TRY(find_program(c->program, path));
	start_attributes(&attributes);
	int e = posix_spawn(&pid, path, NULL, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	if (e)
		return err_from_errno(e);
	c->pid = (uint32_t)pid;
	c->ours = true;
	c->exited = false;
	c->started_ms = now_ms;
	c->restart_ms = c->kill_ms = 0;
	c->looks = 0;
	return ERR_OK;
}

/* ---- the watcher --------------------------------------------------------------------------- */

static bool pid_lives(uint32_t pid)
{
	return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* The process says hello before it has its slot, since the slot is in what it is given then. */
static bool wait_taken(struct child *c)
{
	struct timespec pause = { 0, 2000000 };

	while (!c->stop && pid_lives(c->pid)) {
		if (c->proc->pid == c->pid)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void clear_alive(struct child *c)
{
	_Atomic uint64_t *word = c->alive;

	if (word)
		*word = 0;
}

static void *watch(void *arg)
{
	struct child *c = arg;

	if (!wait_taken(c) || !proc_slot_wait_death(c->proc, &c->stop))
		return NULL;
	/* At once: from the next packet on the stand-in serves. */
	clear_alive(c);
	c->died = true;
	(void)!eventfd_write(c->notice_fd, 1);
	return NULL;
}

void child_watch(struct child *c, uint32_t pid, _Atomic uint64_t *alive, uint64_t now_ms)
{
	child_release(c);
	if (c->pid != pid) {
		c->pid = pid;
		c->ours = false;
		c->started_ms = now_ms;
	}
	c->wanted = true;
	c->alive = alive;
	c->looks = 0;
	c->watched = pthread_create(&c->thread, NULL, watch, c) == 0;
}

void child_set_alive(struct child *c, _Atomic uint64_t *alive)
{
	c->alive = alive;
}

void child_release(struct child *c)
{
	c->stop = true;
	if (c->watched)
		pthread_join(c->thread, NULL);
	c->watched = c->stop = c->died = false;
}

/* ---- signals and ends ---------------------------------------------------------------------- */

void child_kill(struct child *c, int signal)
{
	/* One that is not our child may be dead, and its pid another's. */
	if (c->pid == 0 || (!c->ours && proc_slot_start_time(c->pid) != c->proc->start_time))
		return;
	(void)kill((pid_t)c->pid, signal);
}

void child_stop(struct child *c, uint64_t now_ms, uint32_t ms)
{
	c->wanted = false;
	c->restart_ms = 0;
	if (c->pid == 0 || c->kill_ms)
		return;
	child_kill(c, SIGTERM);
	c->kill_ms = now_ms + (ms ? ms : STOP_MS);
}

void child_exited(struct child *c, int status)
{
	c->exited = true;
	c->exit_status = status;
}

/* The slot tells of a death long before the kernel has put the process away. */
static bool is_over(const struct child *c)
{
	return c->died || c->exited || (!c->ours && !pid_lives(c->pid));
}

static void tidy(struct child *c)
{
	child_release(c);
	c->pid = 0;
	c->kill_ms = 0;
	c->exited = false;
}

bool child_reap(struct child *c, uint64_t now_ms)
{
	if (c->pid == 0)
		return false;
	if (c->kill_ms && now_ms >= c->kill_ms) {
		child_kill(c, SIGKILL);
		c->kill_ms = now_ms + STOP_MS;
	}
	if (!is_over(c))
		return false;
	c->last_pid = c->pid;
	c->last_life_ms = now_ms - c->started_ms;
	clear_alive(c);
	tidy(c);
	if (c->last_life_ms >= BACKOFF_FORGET_MS)
		c->backoff_ms = BACKOFF_FIRST_MS;
	if (c->wanted) {
		c->restart_ms = now_ms + c->backoff_ms;
		c->backoff_ms =
		        c->backoff_ms * 2 < BACKOFF_MAX_MS ? c->backoff_ms * 2 : BACKOFF_MAX_MS;
	}
	return true;
}

/* ---- hangs --------------------------------------------------------------------------------- */

/* State and processor time of a process (fields 3, 14 and 15 of its stat). */
static bool look(uint32_t pid, char *ret_state, uint64_t *ret_ticks)
{
	char path[32], text[1024];
	unsigned long user, kernel;

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		(void)fclose(f);
	text[n] = '\0';
	char *at = strrchr(text, ')');
	if (at == NULL || sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
	                         ret_state, &user, &kernel) != 3)
		return false;
	*ret_ticks = user + kernel;
	return true;
}

/* One that is ready to run and is given no processor is not hung: the machine is busy. */
static bool is_starved(struct child *c)
{
	uint64_t before = c->cpu_ticks;
	char state;

	return look(c->pid, &state, &c->cpu_ticks) && state == 'R' && c->cpu_ticks == before;
}

bool child_is_hung(struct child *c, uint64_t progress)
{
	if (c->pid == 0 || progress != c->progress) {
		c->progress = progress;
		c->looks = 0;
		return false;
	}
	if (is_starved(c))
		return false;
	if (++c->looks <= HUNG_LOOKS)
		return false;
	c->looks = 0;
	child_kill(c, SIGKILL);
	return true;
}
