// SPDX-License-Identifier: BSD-2-Clause
#include "hold.h"

static void let_go(struct hold *h, struct hold_anchor *a)
{
	a->holding = false;
	h->n_holding--;
}

void hold_begin(struct hold *h, uint8_t anchor, uint8_t from, uint32_t marker)
{
	struct hold_anchor *a = &h->at[anchor];

	if (a->marker == marker && a->from == from)
		return;
	if (!a->holding)
		h->n_holding++;
	a->holding = true;
	a->from = from;
	a->marker = marker;
	a->deadline_ms = 0;
}

void hold_cancel(struct hold *h, uint8_t anchor)
{
	if (h->at[anchor].holding)
		let_go(h, &h->at[anchor]);
	h->at[anchor].marker = 0;
}

/* Marker numbers count up and may wrap. */
static bool reached(uint64_t read, uint32_t marker)
{
	return (int32_t)((uint32_t)read - marker) >= 0;
}

uint32_t hold_poll(struct hold *h, struct node_shm *node, uint64_t now_ms)
{
	uint32_t late = 0;

	for (unsigned int i = 0; h->n_holding != 0 && i < ANCHORS; i++) {
		struct hold_anchor *a = &h->at[i];

		if (!a->holding)
			continue;
		uint64_t read = __atomic_load_n((uint64_t *)&node->spu[a->from].moved_marker,
		                                __ATOMIC_ACQUIRE);
		if (reached(read, a->marker)) {
			let_go(h, a);
		} else if (a->deadline_ms != 0 && now_ms >= a->deadline_ms) {
			let_go(h, a);
			late++;
		}
	}
	return late;
}

bool hold_push(struct hold *h, uint8_t anchor, struct rte_mbuf *m, uint64_t now_ms)
{
	struct hold_anchor *a = &h->at[anchor];

	if (h->n == HOLD_MAX)
		return false;
	if (a->deadline_ms == 0)
		a->deadline_ms = now_ms + HOLD_MS;
	a->waiting++;
	h->queue[h->n] = m;
	h->anchor_of[h->n++] = anchor;
	return true;
}

uint16_t hold_pop(struct hold *h, struct rte_mbuf **ret, uint16_t max)
{
	uint16_t kept = 0, taken = 0;

	for (uint16_t i = 0; i < h->n; i++) {
		struct hold_anchor *a = &h->at[h->anchor_of[i]];

		if (taken < max && !a->holding) {
			ret[taken++] = h->queue[i];
			a->waiting--;
		} else {
			h->queue[kept] = h->queue[i];
			h->anchor_of[kept++] = h->anchor_of[i];
		}
	}
	h->n = kept;
	return taken;
}
