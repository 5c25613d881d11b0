// SPDX-License-Identifier: BSD-2-Clause
#include "daemon_priv.h"

#include "fabric.h"
#include "records.pb-c.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_MS 50 /* the longest that a step waits for an SPU */
#define POLL_MS 1

static void step(struct daemon *d);

static void on_timer(uv_timer_t *timer)
{
	step(timer->data);
}

enum err moves_start(struct daemon *d, struct why *why)
{
	struct moves *m = &d->moves;

	memset(m->from, ANCHOR_NOBODY, sizeof(m->from));
	placement_init(&d->spus.placement);
	m->timer.data = d;
	uv_timer_init(&d->loop, &m->timer);
	m->marker_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->marker_fd < 0)
		return why_set(why, err_from_errno(errno), "packet socket: %s", strerror(errno));
	return ERR_OK;
}

void moves_stop(struct daemon *d)
{
	uv_close((uv_handle_t *)&d->moves.timer, NULL);
	close(d->moves.marker_fd);
}

/* ---- the steps ----------------------------------------------------------------------------- */

static void put_record(struct daemon *d)
{
	Hawser__AnchorsRecord m = HAWSER__ANCHORS_RECORD__INIT;
	struct placement *p = &d->spus.placement;
	struct record_key key = record_key_anchors();
	struct effects fx = { 0 };
	uint8_t body[4 * ANCHORS + 64];
	size_t len;

	m.owner = (ProtobufCBinaryData){ ANCHORS, p->owner };
	m.standin = (ProtobufCBinaryData){ ANCHORS, p->standin };
	m.pinned = (ProtobufCBinaryData){ ANCHORS, p->pinned };
	if (d->moves.anchors)
		m.moving_from = (ProtobufCBinaryData){ ANCHORS, d->moves.from };
	m.marker = d->moves.marker;
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK)
		fx_put(&fx, &key, (struct view){ body, len });
	daemon_turn(d, &fx);
	d->moves.revision = store_revision(d->store);
}

/* The steering: table first, then the alive words, so that an SPU that comes finds the table right.
 */
static void write_maps(struct daemon *d)
{
	struct placement *p = &d->spus.placement;
	_Atomic uint64_t *alive;

	for (unsigned a = 0; a < ANCHORS; a++)
		(void)!steer_anchor_set(d->steer, (uint8_t)a, p->owner[a], p->standin[a]);
	if (steer_alive(d->steer, &alive))
		return;
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		/* The keeper may have seen a death that we have not heard of yet. */
		alive[slot] =
		        d->spus.at[slot].in_service && proc_slot_alive(&d->shm->spu[slot].proc);
}

static void send_marker(struct daemon *d, uint8_t slot)
{
	uint8_t frame[60] = { 0 };
	struct fabric_hdr h = { .kind = FABRIC_MARKER, .tunnel = htonl(d->moves.marker) };
	uint16_t type = htons(FABRIC_ETHERTYPE_MARKER);
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		                  .sll_ifindex = (int)d->spus.at[slot].links.fabric_re,
		                  .sll_halen = 6 };

	memcpy(frame, &h, sizeof(h));
	memcpy(frame + sizeof(h), &type, sizeof(type));
	/* A marker that is lost is a move that the clock ends. */
	if (sendto(d->moves.marker_fd, frame, sizeof(frame), 0, (struct sockaddr *)&to,
	           sizeof(to)) > 0)
		d->shm->markers++;
}

static bool is_from(const struct moves *m, uint8_t slot)
{
	return memchr(m->from, slot, sizeof(m->from)) != NULL;
}

/* Whether every SPU that serves now has applied the record that names the move. */
static bool all_applied(struct daemon *d)
{
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].in_service && d->shm->spu[slot].applied < d->moves.revision)
			return false;
	return true;
}

static bool all_read(struct daemon *d)
{
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].in_service && is_from(&d->moves, slot) &&
		    d->shm->spu[slot].moved_marker < d->moves.marker)
			return false;
	return true;
}

static void finish(struct daemon *d)
{
	struct moves *m = &d->moves;
	unsigned moved = m->anchors;
	bool again = m->again;

	memset(m->from, ANCHOR_NOBODY, sizeof(m->from));
	m->anchors = 0;
	m->again = false;
	m->state = MOVE_IDLE;
	m->done++;
	uv_timer_stop(&m->timer);
	put_record(d);
	if (!again)
		spus_let_go(d);
	daemon_event(d, EVENT_ANCHOR_MOVED, "%u of %u in %u ms", moved, ANCHORS,
	             (unsigned)(daemon_now_ms(d) - m->since_ms));
	if (again)
		moves_settle(d, "what came up meanwhile");
}

/* Goes as far as it can; the timer brings it back. */
static void step(struct daemon *d)
{
	struct moves *m = &d->moves;
	uint64_t waited = daemon_now_ms(d) - m->since_ms;

	if (m->state == MOVE_RECORDED && (all_applied(d) || waited >= STEP_MS)) {
		write_maps(d);
		children_kick(d);
		m->state = MOVE_MAPPED;
		m->since_ms = daemon_now_ms(d);
		return; /* 1 ms for XDP runs that still have the old entry */
	}
	if (m->state == MOVE_MAPPED && waited >= POLL_MS) {
		for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
			if (is_from(m, slot))
				send_marker(d, slot);
		m->state = MOVE_MARKED;
		return;
	}
	if (m->state == MOVE_MARKED && (all_read(d) || waited >= STEP_MS)) {
		m->late += !all_read(d);
		finish(d);
	}
}

void moves_check(struct daemon *d)
{
	if (d->moves.state != MOVE_IDLE)
		step(d);
}

/* ---- what is wanted ------------------------------------------------------------------------ */

/* The placement that the SPUs in service and the pins want; which anchors change their server, and
 * leave one that still serves. Returns whether anything differs from what stands. */
static bool plan(struct daemon *d, const bool served_before[SPU_SLOTS])
{
	struct placement old = d->spus.placement;
	struct placement_fleet fleet = { 0 };

	fleet.n = spus_placement(d, fleet.spu);
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		fleet.works[slot] = d->spus.at[slot].in_service;
	placement_compute(&d->spus.placement, fleet.spu, fleet.n);
	d->moves.anchors =
	        placement_moves(&old, served_before, &d->spus.placement, &fleet, d->moves.from);
	return memcmp(&old, &d->spus.placement, sizeof(old)) != 0 || d->moves.anchors;
}

static void alive_now(struct daemon *d, bool ret[SPU_SLOTS])
{
	_Atomic uint64_t *alive;
	enum err e = steer_alive(d->steer, &alive);

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		ret[slot] = !e && alive[slot];
}

void moves_settle(struct daemon *d, const char *cause)
{
	struct moves *m = &d->moves;
	bool before[SPU_SLOTS];

	if (m->state != MOVE_IDLE) {
		m->again = true;
		return;
	}
	alive_now(d, before);
	bool changed = plan(d, before);
	m->since_ms = daemon_now_ms(d);
	if (m->anchors == 0) { /* nobody to wait for */
		write_maps(d);
		children_kick(d);
		if (changed || m->stale)
			put_record(d);
		m->stale = false;
		spus_let_go(d);
		return;
	}
	daemon_event(d, EVENT_ANCHOR_MOVED, "%u are about to: %s", m->anchors, cause);
	m->marker++;
	m->state = MOVE_RECORDED;
	put_record(d);
	uv_timer_start(&m->timer, on_timer, POLL_MS, POLL_MS);
}

void moves_lost(struct daemon *d, uint8_t slot)
{
	struct moves *m = &d->moves;

	/* Nothing more comes out of it: those that wait for its marker need not. */
	for (unsigned a = 0; a < ANCHORS; a++)
		if (m->from[a] == slot) {
			m->from[a] = ANCHOR_NOBODY;
			m->anchors--;
		}
	if (m->state != MOVE_IDLE) {
		m->again = true;
		write_maps(d);
		return;
	}
	moves_settle(d, "SPU lost");
}
