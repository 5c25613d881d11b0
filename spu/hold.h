/* SPDX-License-Identifier: BSD-2-Clause */
/* Outbound packets that wait for the end of a planned move (settled: 5.4).
 *
 * An anchor comes to us from an SPU that still works. What the steering sent to that one before is
 * in its rings, and would be overtaken by what comes to us. So the new owner holds the anchor's
 * outbound packets until the old one has read the move's marker frame, which queues behind them,
 * and emptied its transmit ring; 50 ms from the first packet at most. The routing engine names the
 * move in the anchor record before it moves the map. Data-plane thread. */
#ifndef HOLD_H
#define HOLD_H
#include "anchor.h"
#include "node_shm.h"

struct rte_mbuf;

enum { HOLD_MAX = 512, HOLD_MS = 50 };

struct hold_anchor {
	bool holding;
	uint8_t from;         /* slot of the old owner */
	uint32_t marker;      /* the move's number */
	uint32_t waiting;     /* packets of it in the queue */
	uint64_t deadline_ms; /* 0: no packet has come yet */
};

struct hold {
	struct hold_anchor at[ANCHORS];
	uint16_t n_holding;               /* anchors */
	uint16_t n;                       /* packets, oldest first */
	struct rte_mbuf *queue[HOLD_MAX]; /* owns */
	uint8_t anchor_of[HOLD_MAX];
};

/* The anchor is ours now and comes from that slot by the move of that number. A move that was
 * heard of before changes nothing. */
void hold_begin(struct hold *h, uint8_t anchor, uint8_t from, uint32_t marker);
/* The anchor is somebody else's, or came otherwise: nothing of it is held back any longer. */
void hold_cancel(struct hold *h, uint8_t anchor);

/* Looks whether moves are at their end. node: whose slots say how far each SPU is. Returns how many
 * anchors were let go by the clock instead of the marker. */
uint32_t hold_poll(struct hold *h, struct node_shm *node, uint64_t now_ms);

/* [data path] Whether the packet must wait; then hold_push(), false when there is no room. */
static inline bool hold_wants(const struct hold *h, uint8_t anchor)
{
	/* Also behind its own anchor's packets that wait to be taken out. */
	return h->at[anchor].holding || h->at[anchor].waiting != 0;
}
bool hold_push(struct hold *h, uint8_t anchor, struct rte_mbuf *m, uint64_t now_ms);
/* Takes out at most max packets that may go, oldest first. */
uint16_t hold_pop(struct hold *h, struct rte_mbuf **ret, uint16_t max);

#endif
