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

/* Records that come without a pause must not keep a round from its end. */
void nic_changed(struct nic *n)
{
	if (n->left != 0)
		n->again = true;
	else
		begin(n);
}

static bool owned(const struct nic *n, const struct sa *sa)
{
	return n->owner[sa->anchor] == n->slot;
}

static enum promote_policy policy_of(const struct nic *n, const struct sa *sa)
{
	if (!owned(n, sa) || !n->allowed || !sa->tunnel->known ||
	    sa->tunnel->choice == HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE)
		return PROMOTE_SOFTWARE;
	return sa->tunnel->choice == HAWSER__ENGINE_CHOICE__ENGINE_INLINE ? PROMOTE_INLINE
	                                                                  : PROMOTE_AUTOMATIC;
}

static void promote(struct nic *n, struct sa *sa, struct sa_half *h)
{
	struct roads *r = n->roads;
	enum err e = sa_promote(&r->sas.engines, sa, h == &sa->in, NULL);

	promote_tried(&h->promote, e, r->now_ms);
	if (e != ERR_OK)
		return;
	spu_count(&r->shm->stat[SPU_PROMOTIONS], 1);
	tell_engine(r->shm, true, h->slot);
}

static void demote(struct nic *n, struct sa *sa, struct sa_half *h)
{
	sa_demote(&n->roads->sas.engines, sa, h == &sa->in);
	spu_count(&n->roads->shm->stat[SPU_DEMOTIONS], 1);
	tell_engine(n->roads->shm, false, h->slot);
}

static void decide(struct nic *n, struct sa *sa, struct sa_half *h)
{
	uint64_t now = n->roads->now_ms;
	enum promote_policy policy = policy_of(n, sa);

	if (policy != h->promote.policy || h->asked != sa->tunnel->asked)
		promote_set_policy(&h->promote, policy, now);
	h->asked = sa->tunnel->asked;
	/* Or it fell back already, on a packet that came up undecrypted or could not be sent. */
	if ((n->lost && promote_lost(&h->promote, now)) ||
	    (h->engine == SA_ENGINE_INLINE && h->promote.state != PROMOTE_IN_NIC))
		demote(n, sa, h);
	switch (promote_next(&h->promote, now)) {
	case PROMOTE_TRY:
		promote(n, sa, h);
		break;
	case PROMOTE_LEAVE:
		demote(n, sa, h);
		promote_left(&h->promote, now);
		break;
	case PROMOTE_STAY:
		break;
	}
}

static void look_at(struct nic *n, struct sa *sa, struct sa_half *h)
{
	decide(n, sa, h);
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

	atomic_store_explicit(&stat[SPU_SAS_INLINE], n->n_inline, memory_order_relaxed);
	atomic_store_explicit(&stat[SPU_SAS_SOFT], n->n_soft, memory_order_relaxed);
	n->lost = false;
	if (n->again)
		begin(n);
	n->again = false;
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
