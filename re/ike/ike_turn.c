// SPDX-License-Identifier: BSD-2-Clause
/* The store may refuse a turn's records (it is full): then none of its messages left either. The
 * core has gone on by then; so it remembers what it put and deleted in each turn, and does both
 * again later. An SA whose record is missing answers nobody from memory: the records go first. */
#include "ike_priv.h"

#include <stdlib.h>

enum { AGAIN_MS = 1000 };

static bool add(struct key_list *l, const struct record_key *key)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct record_key *at = realloc(l->at, cap * sizeof(*at));

		if (at == NULL)
			return false;
		l->at = at;
		l->cap = cap;
	}
	l->at[l->n++] = *key;
	return true;
}

static void retry(struct ike *ike, struct due *due, uint64_t now, struct effects *fx)
{
	(void)due;
	(void)now;
	for (size_t i = 0; i < ike->lost.n; i++)
		ike_turn_del(ike, &ike->lost.at[i], fx);
	ike->lost.n = 0;
}

void ike_turn_init(struct ike *ike)
{
	list_init(&ike->put);
	ike->lost_due.fire = retry;
}

void ike_turn_begin(struct ike *ike)
{
	while (list_pop(&ike->put))
		;
	ike->deleted.n = 0;
}

void ike_turn_put(struct ike_sa *sa)
{
	list_del(&sa->of_turn);
	list_add_tail(&sa->of_turn, &sa->ike->put);
}

void ike_turn_del(struct ike *ike, const struct record_key *key, struct effects *fx)
{
	fx_del(fx, key);
	if (!add(&ike->deleted, key))
		fx->overrun = true;
}

void ike_turn_lost(struct ike *ike)
{
	uint64_t again = ike->env->now_ms(ike->env) + AGAIN_MS;
	struct list *at;

	list_each (at, &ike->put) {
		struct ike_sa *sa = CONTAINER_OF(at, struct ike_sa, of_turn);

		sa->unstored = true;
		sa->store_ms = again;
		ike_sa_touch(sa);
	}
	for (size_t i = 0; i < ike->deleted.n; i++)
		(void)add(&ike->lost, &ike->deleted.at[i]); /* else the record outlives its SA */
	ike->deleted.n = 0;
	if (ike->lost.n)
		ike_due_at(ike, &ike->lost_due, again);
}

void ike_turn_free(struct ike *ike)
{
	free(ike->deleted.at);
	free(ike->lost.at);
}

void ike_sa_store_again(struct ike_sa *sa, struct effects *fx)
{
	struct list *at;

	if (!sa->unstored)
		return;
	sa->unstored = false;
	sa->store_ms = UINT64_MAX;
	list_each (at, &sa->children)
		child_sa_put(sa, child_sa_at(at), fx);
	ike_sa_put(sa, fx);
}
