// SPDX-License-Identifier: BSD-2-Clause
/* struct env for the pure code: the real clock, the kernel's randomness, the shared run-time table.
 */
#include "daemon_priv.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static struct daemon *daemon_of(struct env *env)
{
	return (struct daemon *)((char *)env - offsetof(struct daemon, env));
}

static uint64_t now_ms(struct env *env)
{
	struct timespec ts;

	(void)env;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void draw(struct env *env, void *p, size_t len)
{
	uint8_t *at = p;

	(void)env;
	while (len) {
		ssize_t n = getrandom(at, len < 256 ? len : 256, 0);

		if (n < 0)
			abort(); /* keys from anything else would be no keys */
		at += n;
		len -= (size_t)n;
	}
}

/* A new SA needs a slot and room for its records: where either is short, there is none, and the SAs
 * that are there go on. */
static enum err take(struct env *env, bool inbound, uint16_t window, uint32_t *ret_slot)
{
	struct daemon *d = daemon_of(env);

	if (d->store_full)
		return ERR_FULL;
	enum err e = sa_runtime_take(&d->runtime, inbound, window, ret_slot);
	if (e == ERR_FULL && !d->slots_full) /* once: a peer can ask again and again */
		daemon_event(d, EVENT_IPSEC_NO_SLOT, "%u slots in use", d->runtime.slots);
	d->slots_full = e == ERR_FULL;
	return e;
}

static void give(struct env *env, uint32_t slot)
{
	sa_runtime_give(&daemon_of(env)->runtime, slot);
}

static enum err usage(struct env *env, uint32_t slot, struct sa_usage *ret)
{
	struct sa_runtime *sa = sa_runtime_at(&daemon_of(env)->runtime, slot);

	if (sa == NULL)
		return ERR_RANGE;
	sa_runtime_usage(sa, ret);
	return ERR_OK;
}

static void skip(struct env *env, uint32_t slot, uint32_t packets)
{
	struct sa_runtime *sa = sa_runtime_at(&daemon_of(env)->runtime, slot);

	if (sa)
		sa_runtime_skip(sa, packets);
}

static uint16_t epoch(struct env *env)
{
	return daemon_of(env)->epoch;
}

void world_init(struct daemon *d)
{
	d->env.now_ms = now_ms;
	d->env.random = draw;
	d->env.runtime_take = take;
	d->env.runtime_give = give;
	d->env.runtime_usage = usage;
	d->env.epoch = epoch;
	d->env.runtime_skip = skip;
}

uint64_t daemon_now_ms(struct daemon *d)
{
	return now_ms(&d->env);
}
