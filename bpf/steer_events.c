// SPDX-License-Identifier: BSD-2-Clause
#include "steer_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* ---- acquires ------------------------------------------------------------------------------ */

static int take_acquire(void *ctx, void *data, size_t len)
{
	struct steer *s = ctx;
	struct steer_acquire a;

	if (len < sizeof(a))
		return 0;
	memcpy(&a, data, sizeof(a));
	s->acquire_fn(s->acquire_ctx, &a);
	/* libbpf counts this one as read, and stops. */
	return ++s->acquire_got >= s->acquire_max ? -1 : 0;
}

static enum err open_ring(struct steer *s, struct why *why)
{
	if (!s->acquire)
		s->acquire = ring_buffer__new(s->fd[STEER_FD_acquires], take_acquire, s, NULL);
	if (!s->acquire)
		return why_set(why, err_from_errno(errno), "acquire ring: %s", strerror(errno));
	return ERR_OK;
}

enum err steer_acquire_fd(struct steer *s, int *ret_fd, struct why *why)
{
	TRY(open_ring(s, why));
	*ret_fd = ring_buffer__epoll_fd(s->acquire);
	return ERR_OK;
}

int steer_acquire_read(struct steer *s, int max,
                       void (*fn)(void *ctx, const struct steer_acquire *), void *ctx)
{
	if (max <= 0 || open_ring(s, NULL) != ERR_OK)
		return 0;
	s->acquire_fn = fn;
	s->acquire_ctx = ctx;
	s->acquire_max = max;
	s->acquire_got = 0;
	(void)ring_buffer__consume(s->acquire);
	s->acquire_fn = NULL;
	s->acquire_ctx = NULL;
	return s->acquire_got;
}

/* ---- counters ------------------------------------------------------------------------------ */

static uint64_t sum(const uint64_t *per_cpu, size_t cpus)
{
	uint64_t all = 0;

	for (size_t i = 0; i < cpus; i++)
		all += per_cpu[i];
	return all;
}

enum err steer_counters(const struct steer *s, struct steer_counts *ret)
{
	int n = libbpf_num_possible_cpus();
	if (n <= 0)
		return ERR_IO;
	size_t cpus = (size_t)n;
	uint64_t *values = calloc(STEER_COUNTERS * cpus, sizeof(*values));
	uint32_t *keys = calloc(STEER_COUNTERS, sizeof(*keys));
	uint32_t count = STEER_COUNTERS, batch = 0;
	enum err e = values && keys ? ERR_OK : ERR_MEMORY;

	/* ENOENT: that was all. */
	if (e == ERR_OK &&
	    bpf_map_lookup_batch(s->fd[STEER_FD_counters], NULL, &batch, keys, values, &count,
	                         NULL) &&
	    errno != ENOENT)
		e = err_from_errno(errno);
	for (uint32_t w = 0; e == ERR_OK && w < STEER_WHERES; w++) {
		const uint64_t *stats = values + steer_counter((enum steer_where)w, 0) * cpus;
		const uint64_t *drops = values + steer_drop_counter((enum steer_where)w, 0) * cpus;

		for (size_t i = 0; i < STEER_STATS; i++)
			ret->stat[w][i] = sum(stats + i * cpus, cpus);
		for (size_t i = 0; i < DROP_MAX; i++)
			ret->drop[w][i] = sum(drops + i * cpus, cpus);
	}
	free(values);
	free(keys);
	return e;
}

/* ---- next hops ----------------------------------------------------------------------------- */

struct nexthop_call {
	struct steer *steer;
	uint64_t now_ms, forget_ms;
	void (*fn)(void *ctx, uint32_t ifindex, const struct addr *next_hop, uint64_t used_ms);
	void *ctx;
};

static void call_nexthop(void *ctx, const void *key, const void *value)
{
	const struct nexthop_call *call = ctx;
	struct steer_hop hop;
	uint64_t used_ms;
	struct addr a = { 0 };

	memcpy(&hop, key, sizeof(hop));
	memcpy(&used_ms, value, sizeof(used_ms));
	if (used_ms + call->forget_ms < call->now_ms) {
		if (steer_map_remove(call->steer, STEER_FD_nexthops, key) == ERR_OK)
			return;
	}
	a.family = hop.family;
	memcpy(a.b, hop.addr, sizeof(a.b));
	call->fn(call->ctx, hop.ifindex, &a, used_ms);
}

void steer_nexthops(struct steer *s, uint64_t now_ms, uint64_t forget_ms,
                    void (*fn)(void *ctx, uint32_t ifindex, const struct addr *next_hop,
                               uint64_t used_ms),
                    void *ctx)
{
	struct nexthop_call call = { s, now_ms, forget_ms, fn, ctx };

	steer_map_each(s, STEER_FD_nexthops, call_nexthop, &call);
}
