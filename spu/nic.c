// SPDX-License-Identifier: BSD-2-Clause
#include "nic.h"
#include "records.pb-c.h"

void nic_init(struct nic *n, struct roads *roads, uint8_t slot)
{
	*n = (struct nic){ .roads = roads, .slot = slot };
	memset(n->owner, ANCHOR_NOBODY, sizeof(n->owner));
}

static void begin(struct nic *n)
{
	n->left = n->roads->sas.mask + 1;
	n->round_ms = n->roads->now_ms;
	n->n_inline = n->n_soft = 0;
}

void nic_changed(struct nic *n)
{
	n->forget = true;
	begin(n);
}

static bool owned(const struct nic *n, const struct sa *sa)
{
	return n->owner[sa->anchor] == n->slot;
}

static bool wanted(const struct nic *n, const struct sa *sa)
{
	return owned(n, sa) && n->allowed && !n->lost && sa->tunnel->known &&
	       sa->tunnel->choice != HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE &&
	       n->roads->sas.engines.by[SA_ENGINE_INLINE] != NULL;
}

/* Later and later; what is not possible at all is not tried again before something changes. */
static void put_off(struct sa_half *h, enum err e, uint64_t now_ms)
{
	uint64_t wait = (uint64_t)NIC_RETRY_MS << (h->failures < 6 ? h->failures : 6);

	if (h->failures < UINT8_MAX)
		h->failures++;
	h->retry_ms = e == ERR_UNSUPPORTED
	                      ? UINT64_MAX
	                      : now_ms + (wait < NIC_RETRY_MAX_MS ? wait : NIC_RETRY_MAX_MS);
}

static void promote(struct nic *n, struct sa *sa, struct sa_half *h)
{
	struct roads *r = n->roads;
	enum err e = sa_promote(&r->sas.engines, sa, h == &sa->in, NULL);

	if (e != ERR_OK) {
		put_off(h, e, r->now_ms);
		return;
	}
	h->missed = 0;
	h->since_ms = r->now_ms;
	spu_count(&r->shm->stat[SPU_PROMOTIONS], 1);
	tell_engine(r->shm, true, h->slot);
}

static void demote(struct nic *n, struct sa *sa, struct sa_half *h)
{
	sa_demote(&n->roads->sas.engines, sa, h == &sa->in);
	spu_count(&n->roads->shm->stat[SPU_DEMOTIONS], 1);
	tell_engine(n->roads->shm, false, h->slot);
}

/* A packet handed up undecrypted, when none from before the promotion can be on its way any more:
 * the NIC has lost the session. */
static bool failed(struct sa_half *h, uint64_t now_ms)
{
	if (h->missed == 0)
		return false;
	if (now_ms - h->since_ms > NIC_GRACE_MS)
		return true;
	h->missed = 0;
	return false;
}

static void look_at(struct nic *n, struct sa *sa, struct sa_half *h)
{
	uint64_t now = n->roads->now_ms;

	if (n->forget) {
		h->retry_ms = 0;
		h->failures = 0;
	}
	if (h->engine == SA_ENGINE_INLINE && (!wanted(n, sa) || failed(h, now))) {
		bool bad = wanted(n, sa) || n->lost;
		demote(n, sa, h);
		if (bad)
			put_off(h, ERR_IO, now);
	} else if (h->engine == SA_ENGINE_SOFT && wanted(n, sa) && now >= h->retry_ms) {
		promote(n, sa, h);
	}
	if (!owned(n, sa))
		return;
	if (h->engine == SA_ENGINE_INLINE)
		n->n_inline++;
	else
		n->n_soft++;
	__atomic_store_n((uint8_t *)&h->runtime->engine, h->engine, __ATOMIC_RELAXED);
}

static void look_at_both(void *ctx, struct sa *sa)
{
	look_at(ctx, sa, &sa->in);
	look_at(ctx, sa, &sa->out);
}

static void end(struct nic *n)
{
	_Atomic uint64_t *stat = n->roads->shm->stat;

	n->lost = n->forget = false;
	atomic_store_explicit(&stat[SPU_SAS_INLINE], n->n_inline, memory_order_relaxed);
	atomic_store_explicit(&stat[SPU_SAS_SOFT], n->n_soft, memory_order_relaxed);
}

bool nic_step(struct nic *n)
{
	struct roads *r = n->roads;

	if (r->nic_lost) {
		r->nic_lost = false;
		n->lost = true;
		begin(n);
	}
	if (n->left == 0 && !r->nic_missed && r->now_ms - n->round_ms < NIC_ROUND_MS)
		return false;
	if (n->left == 0) {
		r->nic_missed = false;
		begin(n);
	}
	for (unsigned int i = 0; i < NIC_SLICE && n->left != 0; i++)
		sa_table_each(&r->sas, --n->left, look_at_both, n);
	if (n->left == 0)
		end(n);
	return n->left != 0;
}

void nic_release(struct nic *n)
{
	n->allowed = false;
	begin(n);
	while (nic_step(n))
		;
}
