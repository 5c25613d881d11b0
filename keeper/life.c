// SPDX-License-Identifier: BSD-2-Clause
/* Starts, deaths, hangs, and the end. */
#include "keeper.h"
#include "set_aside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_CONFIG 78 /* hawser-re: the configuration is refused; to try again is no use */
#define STORE_DEATHS 3 /* early deaths of the routing engine in a row: the store is set aside */

void keeper_start_re(struct keeper *k)
{
	char *argv[] = { (char *)(uintptr_t) "hawser-re",      (char *)(uintptr_t) "-f",
		         (char *)(uintptr_t)k->options.config, (char *)(uintptr_t) "-d",
		         (char *)(uintptr_t)k->options.rundir, (char *)(uintptr_t) "--node",
		         (char *)(uintptr_t)k->options.node,   NULL };

	k->re.wanted = true;
	if (!k->sockets_open) /* nobody has given anything back */
		holdings_find_bpf(&k->holdings);
	if (child_start(&k->re, argv, keeper_now_ms())) {
		fprintf(stderr, "hawserd: cannot start hawser-re beside hawserd\n");
		k->re.restart_ms = keeper_now_ms() + BACKOFF_MAX_MS;
	}
}

void keeper_start_spu(struct keeper *k, int32_t slot)
{
	char number[12];
	char *argv[] = {
		(char *)(uintptr_t) "hawser-spu", (char *)(uintptr_t) "--slot",         number,
		(char *)(uintptr_t) "-d",         (char *)(uintptr_t)k->options.rundir, NULL
	};

	/* What a killed one said last must not be believed of the next, which takes the slot a
	 * moment before it can say anything itself. */
	struct spu_slot *s = &k->holdings.shm->spu[slot];
	if (!proc_slot_alive(&s->proc))
		atomic_store(&s->state, SPU_ABSENT);
	(void)snprintf(number, sizeof(number), "%d", slot);
	if (child_start(&k->spu[slot], argv, keeper_now_ms()))
		k->spu[slot].restart_ms = keeper_now_ms() + BACKOFF_MAX_MS;
	else
		keeper_tell_re(k, KEEPER_SPU_STARTED, &k->spu[slot], 0);
}

/* ---- deaths -------------------------------------------------------------------------------- */

static void set_store_aside(struct keeper *k)
{
	if (set_aside_store(k->options.rundir) == ERR_OK)
		keeper_event(k, EVENT_STORE_SET_ASIDE,
		             "%u early deaths of hawser-re; kept as %s/" SET_ASIDE_STORE,
		             STORE_DEATHS, k->options.rundir);
}

/* Somebody's SIGKILL says nothing of the store. */
static bool by_its_own_doing(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM;
	return WEXITSTATUS(status) != 0;
}

/* A routing engine that dies again and again by what it does may do so by what it reads. */
static void count_early_death(struct keeper *k, int status, uint64_t life_ms)
{
	if (life_ms >= EARLY_DEATH_MS || !by_its_own_doing(status)) {
		k->re.early_deaths = 0;
	} else if (++k->re.early_deaths >= STORE_DEATHS) {
		k->re.early_deaths = 0;
		set_store_aside(k);
	}
}

/* To start it again is no use: it would refuse the same configuration again. */
static bool refused_configuration(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG;
}

static void re_exited(struct keeper *k, int status, uint64_t life_ms)
{
	if (!refused_configuration(status)) {
		count_early_death(k, status, life_ms);
	} else if (k->phase == KEEPER_RUNNING) {
		k->status = 1;
		keeper_begin_end(k);
	}
}

/* All that the kernel has put away: mostly after the slot has told of the death, and before the
 * next start. */
static void collect(struct keeper *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (k->re.pid == (uint32_t)pid) {
			re_exited(k, status, keeper_now_ms() - k->re.started_ms);
			child_exited(&k->re, status);
		} else if (k->re.last_pid == (uint32_t)pid) {
			re_exited(k, status, k->re.last_life_ms);
		}
		for (int slot = 0; slot < SPU_SLOTS; slot++)
			if (k->spu[slot].pid == (uint32_t)pid)
				child_exited(&k->spu[slot], status);
	}
}

static void re_died(struct keeper *k, uint32_t pid, uint64_t now)
{
	if (k->phase != KEEPER_RUNNING)
		return;
	keeper_event(k, EVENT_RE_DOWN, "pid %u, starting it again in %u ms", pid,
	             (unsigned)(k->re.restart_ms - now));
}

static void spu_died(struct keeper *k, const struct child *spu, uint32_t pid, uint64_t now)
{
	struct child was = *spu;

	was.pid = pid;
	if (spu->wanted)
		keeper_tell_re(k, KEEPER_SPU_DIED, &was, (uint32_t)(spu->restart_ms - now));
	else
		keeper_tell_re(k, KEEPER_SPU_STOPPED, &was, 0);
}

static void look_at_deaths(struct keeper *k)
{
	uint64_t now = keeper_now_ms();
	uint32_t pid = k->re.pid;

	collect(k);
	if (child_reap(&k->re, now))
		re_died(k, pid, now);
	for (int slot = 0; slot < SPU_SLOTS; slot++) {
		pid = k->spu[slot].pid;
		if (child_reap(&k->spu[slot], now))
			spu_died(k, &k->spu[slot], pid, now);
	}
}

static void restart(struct keeper *k)
{
	uint64_t now = keeper_now_ms();

	if (k->phase != KEEPER_RUNNING)
		return;
	if (k->re.pid == 0 && k->re.restart_ms && now >= k->re.restart_ms)
		keeper_start_re(k);
	for (int32_t slot = 0; slot < SPU_SLOTS; slot++) {
		struct child *spu = &k->spu[slot];

		if (spu->pid == 0 && spu->wanted && spu->restart_ms && now >= spu->restart_ms)
			keeper_start_spu(k, slot);
	}
}

/* ---- hangs, lease -------------------------------------------------------------------------- */

static void look_for_hangs(struct keeper *k)
{
	static uint64_t looked_ms;
	uint64_t now = keeper_now_ms();

	if (now < looked_ms + KEEPER_TICK_MS)
		return;
	looked_ms = now;
	for (int slot = 0; slot < SPU_SLOTS; slot++) {
		struct spu_slot *s = &k->holdings.shm->spu[slot];
		struct child *spu = &k->spu[slot];
		uint32_t state = s->state;

		if (spu->pid == 0 || s->proc.pid != spu->pid ||
		    (state != SPU_READY && state != SPU_ACTIVE))
			continue;
		if (child_is_hung(spu, s->progress))
			keeper_tell_re(k, KEEPER_SPU_HUNG, spu, 0);
	}
}

/* A process that is only just started, or dies at each start, is none to lean on. */
static bool lives(const struct child *c)
{
	return c->pid != 0 && c->watched && !c->died && c->proc->pid == c->pid;
}

static void renew_lease(struct keeper *k)
{
	bool spu = false;

	for (int slot = 0; slot < SPU_SLOTS; slot++)
		spu |= lives(&k->spu[slot]);
	if (k->holdings.alive && lives(&k->re) && spu)
		k->holdings.alive[ALIVE_LEASE] = keeper_now_ms();
}

/* ---- the end ------------------------------------------------------------------------------- */

void keeper_begin_end(struct keeper *k)
{
	if (k->phase != KEEPER_RUNNING)
		return;
	k->phase = KEEPER_STOPPING_RE;
	child_stop(&k->re, keeper_now_ms(), 0);
}

static bool any_spu(const struct keeper *k)
{
	for (int slot = 0; slot < SPU_SLOTS; slot++)
		if (k->spu[slot].pid)
			return true;
	return false;
}

/* The routing engine first, which tells the peers; SPUs drop what comes without SAs. */
static void go_on_ending(struct keeper *k)
{
	if (k->phase == KEEPER_STOPPING_RE && k->re.pid == 0) {
		k->phase = KEEPER_STOPPING_SPUS;
		for (int slot = 0; slot < SPU_SLOTS; slot++)
			child_stop(&k->spu[slot], keeper_now_ms(), 0);
	}
	if (k->phase == KEEPER_STOPPING_SPUS && !any_spu(k))
		k->phase = KEEPER_ENDED;
}

void keeper_look(struct keeper *k)
{
	look_at_deaths(k);
	restart(k);
	look_for_hangs(k);
	renew_lease(k);
	go_on_ending(k);
}
