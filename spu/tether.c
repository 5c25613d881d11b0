// SPDX-License-Identifier: BSD-2-Clause
#include "tether.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

enum { HELLO_MS = 1000, FIRST_TRIES = 50, AGAIN_MS = 100 };

static const char *const wake_names[TETHER_WAKES] = { KEEPER_FD_TO_SPU, KEEPER_FD_TO_RE };

static enum err greet(struct tether *t, struct why *why)
{
	int link = -1;

	TRY(keeper_link_connect(t->rundir, &link, why));
	enum err e = keeper_link_hello(link, KEEPER_HELLO_SPU, t->slot, &t->fds, HELLO_MS, why);
	if (e != ERR_OK) {
		(void)close(link);
		return e;
	}
	t->link = link;
	return ERR_OK;
}

static void offer(struct tether *t, enum tether_wake which)
{
	int now = keeper_fds_find(&t->fds, wake_names[which], t->slot);
	int copy = now < 0 ? -1 : fcntl(now, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return;
	int unused = atomic_exchange(&t->fresh[which], copy);
	if (unused >= 0)
		(void)close(unused);
}

static void offer_all(struct tether *t)
{
	for (enum tether_wake w = 0; w < TETHER_WAKES; w++)
		offer(t, w);
}

/* What the keeper says later: descriptors that are new. False: the connection is of no use. */
static bool listen_to(struct tether *t)
{
	struct keeper_msg m;
	int fds[KEEPER_MSG_FDS];
	enum err e;

	while ((e = keeper_link_recv(t->link, &m, fds)) == ERR_OK) {
		if (m.kind != KEEPER_TAKE)
			continue;
		for (uint32_t i = 0; i < m.n; i++)
			if (keeper_fds_put(&t->fds, &m.at[i], fds[i]) != ERR_OK)
				return false;
		offer_all(t);
	}
	return e == ERR_AGAIN;
}

/* The work goes on without a keeper; the next one is told what we have (settled: 5.2). */
static void *keep(void *arg)
{
	struct tether *t = arg;

	while (!atomic_load(&t->stop)) {
		if (t->link < 0 && greet(t, NULL) == ERR_OK)
			offer_all(t);
		struct pollfd p = { .fd = t->link, .events = POLLIN };
		if (poll(&p, 1, AGAIN_MS) <= 0 || t->link < 0)
			continue;
		if (!listen_to(t)) {
			(void)close(t->link);
			t->link = -1;
		}
	}
	return NULL;
}

enum err tether_open(struct tether *t, const char *rundir, int slot, struct why *why)
{
	enum err e = ERR_NOT_FOUND;

	*t = (struct tether){ .rundir = rundir, .slot = slot, .link = -1, .fresh = { -1, -1 } };
	for (int i = 0; i < FIRST_TRIES && (e = greet(t, why)) != ERR_OK; i++)
		(void)poll(NULL, 0, AGAIN_MS);
	return e;
}

enum err tether_run(struct tether *t, struct why *why)
{
	offer_all(t);
	if (pthread_create(&t->thread, NULL, keep, t) != 0)
		return why_set(why, ERR_MEMORY, "no thread for the keeper's socket");
	t->running = true;
	return ERR_OK;
}

void tether_close(struct tether *t)
{
	atomic_store(&t->stop, true);
	if (t->running)
		(void)pthread_join(t->thread, NULL);
	t->running = false;
	if (t->link >= 0)
		(void)close(t->link);
	t->link = -1;
	for (enum tether_wake w = 0; w < TETHER_WAKES; w++) {
		int unused = atomic_exchange(&t->fresh[w], -1);
		if (unused >= 0)
			(void)close(unused);
	}
	keeper_fds_close(&t->fds);
}

int tether_fd(const struct tether *t, const char *name)
{
	int fd = keeper_fds_find(&t->fds, name, t->slot);

	return fd >= 0 ? fd : keeper_fds_find(&t->fds, name, KEEPER_NO_SLOT);
}

void tether_wake(struct tether *t, enum tether_wake which, int *fd)
{
	int fresh = atomic_exchange(&t->fresh[which], -1);

	if (fresh < 0)
		return;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = fresh;
}
