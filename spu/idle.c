// SPDX-License-Identifier: BSD-2-Clause
#include "idle.h"

#include <poll.h>
#include <rte_cycles.h>
#include <unistd.h>

enum { WAKE = 2 };

void idle_init(struct idle *i, struct spu_slot *shm)
{
	*i = (struct idle){ .shm = shm, .fd = { -1, -1, -1 } };
	i->ns_per_cycle = ((uint64_t)1000000000 << 32) / rte_get_tsc_hz();
	i->turn = rte_rdtsc();
}

bool idle_turn(struct idle *i, bool worked)
{
	uint64_t now = rte_rdtsc(), cycles = now - i->turn;

	i->turn = now;
	spu_count(&i->shm->progress, 1);
	if (!worked)
		return ++i->empty > IDLE_POLLS;
	i->empty = 0;
	spu_count(&i->shm->stat[SPU_BUSY_NS],
	          (uint64_t)(((unsigned __int128)cycles * i->ns_per_cycle) >> 32));
	return false;
}

void idle_sleep(struct idle *i, int max_ms)
{
	struct pollfd at[IDLE_FDS];

	for (int k = 0; k < IDLE_FDS; k++)
		at[k] = (struct pollfd){ .fd = i->fd[k], .events = POLLIN };
	if (poll(at, IDLE_FDS, max_ms) > 0 && at[WAKE].revents & POLLIN) {
		uint64_t told;
		if (read(i->fd[WAKE], &told, sizeof(told)) < 0)
			told = 0; /* somebody else emptied it: as good */
	}
	/* After a sleep without work the next one comes at once; a frame starts the polling. */
	i->empty = IDLE_POLLS - 1;
	i->turn = rte_rdtsc();
}
