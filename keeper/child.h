/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that the keeper keeps: started, watched, restarted with back-off.
 *
 * It may be our child, or one that an earlier keeper started. Its death is seen by a thread of its
 * own through the robust mutex of its slot (within a millisecond or two); for a child that dies
 * before it has taken its slot, by waitpid(). What must happen at once happens in that thread: the
 * alive word is cleared. All else is the main thread's, woken by an eventfd. */
#ifndef CHILD_H
#define CHILD_H
#include "holdings.h"
#include <pthread.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define BACKOFF_FORGET_MS 30000 /* a life as long as this was a good one */
#define EARLY_DEATH_MS 10000
#define STOP_MS 5000
#define HUNG_LOOKS 6 /* looks 50 ms apart without progress: 300 ms */

struct child {
	const char *program;    /* "hawser-spu" */
	int32_t slot;           /* KEEPER_NO_SLOT: the routing engine */
	struct proc_slot *proc; /* in shared memory */
	bool wanted;            /* is to be running */
	uint32_t pid;           /* 0: not running, as far as we know */
	bool ours;              /* waitpid() tells of it */
	uint64_t started_ms;
	uint64_t restart_ms; /* when it is started again; 0: not planned */
	uint64_t kill_ms;    /* SIGKILL then; 0: it was not asked to stop */
	uint32_t backoff_ms;
	uint32_t early_deaths; /* in a row, by its own doing (life.c) */
	uint32_t last_pid;     /* of the life before: its exit status may come after its death */
	uint64_t last_life_ms;
	bool exited;     /* waitpid() has told of it */
	int exit_status; /* of the last life, as of waitpid() */

	/* the watcher */
	pthread_t thread;
	bool watched;
	_Atomic bool stop, died;
	_Atomic(_Atomic uint64_t *) alive; /* its word; NULL: it has none, or not yet */
	int notice_fd;                     /* eventfd of the main thread */

	/* progress */
	uint64_t progress, cpu_ticks;
	uint32_t looks;
};

void child_init(struct child *c, const char *program, int32_t slot, struct proc_slot *proc,
                int notice_fd);

/* Starts it: the program beside our own, with these arguments (argv[0] is filled in). */
enum err child_start(struct child *c, char *const argv[], uint64_t now_ms) MUST_CHECK;
/* It said hello: watches it, whoever started it. alive: its word, or NULL. */
void child_watch(struct child *c, uint32_t pid, _Atomic uint64_t *alive, uint64_t now_ms);
/* The alive word's map has come or changed. */
void child_set_alive(struct child *c, _Atomic uint64_t *alive);
/* Asks it to end (SIGTERM), and kills it after ms. */
void child_stop(struct child *c, uint64_t now_ms, uint32_t ms);
void child_kill(struct child *c, int signal);

/* waitpid() told that this process of ours is over. */
void child_exited(struct child *c, int status);

/* True once for each death, when all is tidied up; then pid is 0, and when it is wanted, restart_ms
 * says when it is started again. */
bool child_reap(struct child *c, uint64_t now_ms);
/* One look, 50 ms after the last: true when it has made no progress for HUNG_LOOKS looks although
 * it had the processor or waits for something; it is then killed, and its alive word cleared after
 * that. */
bool child_is_hung(struct child *c, uint64_t progress);
/* Ends the watching; the process goes on. */
void child_release(struct child *c);

#endif
