/* SPDX-License-Identifier: BSD-2-Clause */
/* Planned moves of anchors from one SPU to another, in order (settled: 5.4).
 *
 *     record     who serves which anchor, and from whom each moving one comes, with the move's
 * number map        when the SPUs have applied it (50 ms at most): the steering changes marker 1 ms
 * later, into the fabric port of each old server, behind what was redirected to it settle     when
 * the old servers have read it (50 ms at most, counted): the record without moving
 *
 * The new server holds outbound packets of moving anchors until the old one has read the marker.
 * One move at a time; what is wanted meanwhile comes in the next. Without old servers (a start, a
 * death) there is nothing to wait for, and the map is written at once. The event loop's thread. */
#ifndef MOVES_H
#define MOVES_H
#include "placement.h"
#include <uv.h>

struct daemon;

enum move_state { MOVE_IDLE, MOVE_RECORDED, MOVE_MAPPED, MOVE_MARKED };

struct moves {
	enum move_state state;
	uv_timer_t timer;
	int marker_fd; /* AF_PACKET */
	uint32_t marker;
	uint64_t revision, since_ms;
	uint8_t from[ANCHORS]; /* old server of each moving anchor, ANCHOR_NOBODY */
	unsigned anchors;      /* that move */
	bool again;            /* something changed meanwhile */
	bool stale;            /* the record tells of a move that a dead predecessor began */
	uint64_t done, late;   /* moves, and those that the clock ended */
};

enum err moves_start(struct daemon *d, struct why *why) MUST_CHECK;
void moves_stop(struct daemon *d);

/* Brings record and maps to what the SPUs in service and the pins want. cause: for the log. */
void moves_settle(struct daemon *d, const char *cause);
/* An SPU is dead: what it was part of is written at once, order has nobody to wait for. */
void moves_lost(struct daemon *d, uint8_t slot);
/* An SPU may have gone on: looks whether the next step can be taken. */
void moves_check(struct daemon *d);

#endif
