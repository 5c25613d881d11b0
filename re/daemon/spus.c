// SPDX-License-Identifier: BSD-2-Clause
#include "daemon_priv.h"

#include "alive_words.h"
#include "cli_server.h"
#include "records.pb-c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

size_t spus_placement(const struct daemon *d, struct placement_spu ret[SPU_SLOTS])
{
	size_t n = 0;

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		const struct spu_run *s = &d->spus.at[slot];

		if (s->wanted && !s->leaving)
			ret[n++] = (struct placement_spu){ slot, s->conf.weight, s->in_service };
	}
	return n;
}

uint8_t spus_serving(const struct daemon *d, uint8_t anchor)
{
	struct placement_spu spu[SPU_SLOTS];
	size_t n = spus_placement(d, spu);

	return placement_serving(&d->spus.placement, anchor, spu, n);
}

bool spus_have_applied(const struct daemon *d, uint64_t revision)
{
	return node_shm_all_applied(d->shm, revision);
}

struct spu_run *spus_find(struct daemon *d, uint32_t fpc, uint32_t pic)
{
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		struct spu_run *s = &d->spus.at[slot];

		if (s->wanted && s->conf.fpc == fpc && s->conf.pic == pic)
			return s;
	}
	return NULL;
}

enum err spus_pin(struct daemon *d, uint8_t anchor, uint8_t slot, struct why *why)
{
	if (!d->spus.at[slot].in_service)
		return why_set(why, ERR_WRONG_STATE, "spu-%u-%u is not in service",
		               d->spus.at[slot].conf.fpc, d->spus.at[slot].conf.pic);
	d->spus.placement.pinned[anchor] = slot;
	moves_settle(d, "by request");
	return ERR_OK;
}

/* ---- wake-ups ------------------------------------------------------------------------------ */

void spus_wake(struct daemon *d)
{
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		int fd = d->spus.at[slot].wanted ? keeper_fds_find(&d->fds, KEEPER_FD_TO_SPU, slot)
		                                 : -1;

		if (fd >= 0)
			(void)!eventfd_write(fd, 1);
	}
}

static void drain_events(struct daemon *d, uint8_t slot)
{
	struct effects fx = { 0 };
	struct spu_event e;

	for (int n = 0; n < SPU_EVENTS && spu_event_pop(&d->shm->spu[slot].events, &e); n++) {
		struct endpoint to = { .port = e.port };

		switch (e.kind) {
		case SPU_EVENT_BAD_SPI:
			daemon_event(d, EVENT_IPSEC_BAD_SPI, "0x%08x", e.arg);
			break;
		case SPU_EVENT_SEQ_EXHAUSTED:
			children_limit(d, e.arg, CHILD_NUMBERS_END, &fx);
			break;
		case SPU_EVENT_SOFT_LIMIT:
			children_limit(d, e.arg, CHILD_SOFT_LIMIT, &fx);
			break;
		case SPU_EVENT_HARD_LIMIT:
			children_limit(d, e.arg, CHILD_HARD_LIMIT, &fx);
			break;
		case SPU_EVENT_PEER_MOVED:
			to.addr.family = e.family;
			memcpy(to.addr.b, e.addr, sizeof(to.addr.b));
			(void)!ike_peer_moved(d->ike, e.arg, &to, &fx);
			break;
		case SPU_EVENT_PROMOTED:
			daemon_event(d, EVENT_OFFLOAD_PROMOTED, "slot %u", e.arg);
			break;
		case SPU_EVENT_DEMOTED:
			daemon_event(d, EVENT_OFFLOAD_DEMOTED, "slot %u", e.arg);
			break;
		default:
			break;
		}
	}
	daemon_turn(d, &fx);
}

static void on_wakeup(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	uint8_t slot = (uint8_t)(poll - d->to_re);
	eventfd_t n;

	(void)status;
	(void)events;
	(void)!eventfd_read(keeper_fds_find(&d->fds, KEEPER_FD_TO_RE, slot), &n);
	drain_events(d, slot);
	turn_flush(d->turn, daemon_now_ms(d));
	children_flush(d);
	spus_check(d);
	moves_check(d);
}

void spus_watch_wakeups(struct daemon *d)
{
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		int fd = keeper_fds_find(&d->fds, KEEPER_FD_TO_RE, slot);

		if (fd < 0 || d->to_re_polled[slot])
			continue;
		d->to_re[slot].data = d;
		d->to_re_polled[slot] = uv_poll_init(&d->loop, &d->to_re[slot], fd) == 0 &&
		                        uv_poll_start(&d->to_re[slot], UV_READABLE, on_wakeup) == 0;
	}
}

/* ---- configuration ------------------------------------------------------------------------- */

static const char *profile_name(enum config_profile p)
{
	return p == CONFIG_PROFILE_82599 ? "82599" : "generic";
}

static void put_record(struct daemon *d, const struct spu_run *s)
{
	Hawser__SpuRecord m = HAWSER__SPU_RECORD__INIT;
	struct record_key key = record_key_spu(s->conf.slot);
	struct effects fx = { 0 };
	uint8_t body[512];
	size_t len;

	m.slot = s->conf.slot;
	m.fpc = s->conf.fpc;
	m.pic = s->conf.pic;
	m.port = (char *)(uintptr_t)(s->conf.vdev[0] ? "vdev" : "emulated");
	m.vdev = (char *)(uintptr_t)s->conf.vdev;
	m.offload = s->conf.offload == CONFIG_OFFLOAD_SOFTWARE ? HAWSER__OFFLOAD__OFFLOAD_SOFTWARE
	                                                       : HAWSER__OFFLOAD__OFFLOAD_INLINE;
	m.profile = (char *)(uintptr_t)profile_name(s->conf.profile);
	m.weight = s->conf.weight;
	m.wire_ifname = (char *)(uintptr_t)s->links.wire;
	m.fabric_ifname = (char *)(uintptr_t)s->links.fabric;
	m.wire_ifindex = s->links.wire_ifindex;
	m.fabric_ifindex = s->links.fabric_ifindex;
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK &&
	    !daemon_has_record(d, &key, (struct view){ body, len }))
		fx_put(&fx, &key, (struct view){ body, len });
	daemon_turn(d, &fx);
}

/* Links and record of one that has ended. */
static void remove_spu(struct daemon *d, struct spu_run *s)
{
	struct record_key key = record_key_spu(s->conf.slot);
	struct effects fx = { 0 };

	devices_spu_goes(d, &s->conf);
	(void)!dataplane_spu_del(d->dataplane, &s->conf);
	fx_del(&fx, &key);
	daemon_turn(d, &fx);
	*s = (struct spu_run){ 0 };
}

/* A new rule of offload reaches the process by its record; a port is opened but once. */
static bool same_process(const struct config_spu *a, const struct config_spu *b)
{
	return a->profile == b->profile && strcmp(a->vdev, b->vdev) == 0;
}

static void leave(struct daemon *d, struct spu_run *s)
{
	s->leaving = true;
	if (!s->in_service) /* nothing to move away */
		keeper_side_stop_spu(d, s->conf.slot);
}

void spus_let_go(struct daemon *d)
{
	_Atomic uint64_t *alive;

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		struct spu_run *s = &d->spus.at[slot];

		if (!s->leaving || !s->in_service)
			continue;
		s->in_service = false;
		if (steer_alive(d->steer, &alive) == ERR_OK)
			alive[slot] = 0;
		keeper_side_stop_spu(d, slot);
	}
}

static enum err start(struct daemon *d, struct spu_run *s, const struct config_spu *conf,
                      struct why *why)
{
	TRY(dataplane_spu_make(d->dataplane, conf, &s->links, why));
	s->conf = *conf;
	s->wanted = true;
	put_record(d, s);
	keeper_side_start_spu(d, conf);
	return ERR_OK;
}

static enum err want(struct daemon *d, const struct config_spu *conf, struct why *why)
{
	struct spu_run *s = &d->spus.at[conf->slot];
	bool restart = s->wanted && !same_process(&s->conf, conf);

	if (restart && !s->leaving)
		leave(d, s);
	if (s->leaving) { /* until it has ended, links and record are those of its port */
		s->conf = *conf;
		s->wanted = true;
		return ERR_OK;
	}
	return start(d, s, conf, why);
}

enum err spus_apply(struct daemon *d, const struct config *c, struct why *why)
{
	bool there[SPU_SLOTS] = { false };

	for (size_t i = 0; i < c->spus; i++)
		there[c->spu[i].slot] = true;
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		struct spu_run *s = &d->spus.at[slot];

		if (there[slot])
			continue;
		if (s->wanted && !s->leaving)
			leave(d, s);
		else if (!s->wanted && !s->leaving && proc_slot_alive(&d->shm->spu[slot].proc))
			keeper_side_stop_spu(d, slot); /* nobody knows where it comes from */
		s->wanted = false;
	}
	for (size_t i = 0; i < c->spus; i++)
		TRY(want(d, &c->spu[i], why));
	moves_settle(d, "configuration");
	return ERR_OK;
}

static enum err take_anchors(void *ctx, const struct record *r)
{
	struct daemon *d = ctx;
	Hawser__AnchorsRecord *m = NULL;

	TRY(record_anchors_decode(r->body, &m));
	memcpy(d->spus.placement.owner, m->owner.data, ANCHORS);
	memcpy(d->spus.placement.standin, m->standin.data, ANCHORS);
	memcpy(d->spus.placement.pinned, m->pinned.data, ANCHORS);
	d->moves.stale = m->moving_from.len != 0;
	if (m->marker > d->moves.marker)
		d->moves.marker = m->marker;
	hawser__anchors_record__free_unpacked(m, NULL);
	return ERR_OK;
}

/* Its links are found by name when it is wanted, or to go. */
static enum err take_spu(void *ctx, const struct record *r)
{
	Hawser__SpuRecord *m = NULL;
	struct daemon *d = ctx;
	_Atomic uint64_t *alive;

	TRY(record_spu_decode(r->body, &m));
	if (m->slot < SPU_SLOTS) {
		struct spu_run *s = &d->spus.at[m->slot];

		s->wanted = true;
		s->conf = (struct config_spu){ .slot = (uint8_t)m->slot,
			                       .fpc = (uint8_t)m->fpc,
			                       .pic = (uint8_t)m->pic,
			                       .weight = (uint8_t)m->weight };
		s->conf.offload = m->offload == HAWSER__OFFLOAD__OFFLOAD_SOFTWARE
		                          ? CONFIG_OFFLOAD_SOFTWARE
		                          : CONFIG_OFFLOAD_INLINE;
		s->conf.profile = strcmp(m->profile, profile_name(CONFIG_PROFILE_82599)) == 0
		                          ? CONFIG_PROFILE_82599
		                          : CONFIG_PROFILE_GENERIC;
		(void)snprintf(s->conf.vdev, sizeof(s->conf.vdev), "%s", m->vdev);
		/* One that serves goes on. */
		s->in_service = steer_alive(d->steer, &alive) == ERR_OK && alive[m->slot] &&
		                proc_slot_alive(&d->shm->spu[m->slot].proc);
	}
	hawser__spu_record__free_unpacked(m, NULL);
	return ERR_OK;
}

void spus_resume(struct daemon *d)
{
	struct record_key key = record_key_anchors();

	(void)!store_each(d->store, REC_SPU, take_spu, d);
	(void)!store_get(d->store, &key, take_anchors, d);
}

/* ---- life ---------------------------------------------------------------------------------- */

void spus_started(struct daemon *d, uint8_t slot, uint32_t pid)
{
	struct spu_run *s = &d->spus.at[slot];

	if (s->pid == pid)
		return;
	s->pid = pid;
	if (s->starts++)
		daemon_event(d, EVENT_SPU_RESTART, "spu-%u-%u, pid %u", s->conf.fpc, s->conf.pic,
		             pid);
}

static void clear_alive(struct daemon *d, uint8_t slot)
{
	_Atomic uint64_t *alive;

	if (steer_alive(d->steer, &alive) == ERR_OK)
		alive[slot] = 0;
}

void spus_died(struct daemon *d, uint8_t slot)
{
	struct spu_run *s = &d->spus.at[slot];

	if (!s->wanted && !s->leaving)
		return;
	s->deaths += !s->leaving;
	if (!s->in_service)
		return;
	s->in_service = false;
	clear_alive(d, slot);
	if (s->leaving) /* before it was asked to; the keeper must not start it again */
		keeper_side_stop_spu(d, slot);
	daemon_event(d, EVENT_SPU_DOWN, "spu-%u-%u", s->conf.fpc, s->conf.pic);
	store_reap_readers(d->store);
	moves_lost(d, slot);
}

void spus_stopped(struct daemon *d, uint8_t slot)
{
	struct spu_run *s = &d->spus.at[slot];

	if (!s->leaving) /* of a time before ours, or stopped behind our back */
		return;
	s->leaving = s->in_service = false;
	if (s->wanted) { /* stopped to be started anew, with another configuration */
		const struct config_spu conf = s->conf;
		(void)!start(d, s, &conf, NULL); /* its links are there */
		return;
	}
	remove_spu(d, s);
}

/* Share of a core since the last look, from the SPU's own busy time. */
static void look_at_cpu(struct daemon *d, struct spu_run *s)
{
	uint64_t now = daemon_now_ms(d);
	uint64_t busy = d->shm->spu[s->conf.slot].stat[SPU_BUSY_NS];

	if (now < s->busy_at_ms + 1000)
		return;
	if (s->busy_at_ms && busy >= s->busy_ns)
		s->cpu_permille = (uint32_t)((busy - s->busy_ns) / ((now - s->busy_at_ms) * 1000));
	s->busy_ns = busy;
	s->busy_at_ms = now;
}

void spus_check(struct daemon *d)
{
	bool any = false, came = false;

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		struct spu_run *s = &d->spus.at[slot];
		struct spu_slot *shm = &d->shm->spu[slot];

		if (!s->wanted && !s->leaving)
			continue;
		look_at_cpu(d, s);
		if (s->in_service && !proc_slot_alive(&shm->proc))
			spus_died(d, slot);
		any |= s->in_service;
		if (s->leaving)
			continue;
		uint32_t state = shm->state;
		if (!s->in_service && (state == SPU_READY || state == SPU_ACTIVE) &&
		    proc_slot_alive(&shm->proc) && shm->applied >= store_revision(d->store)) {
			show_flow_reckon_killed(d, slot);
			s->in_service = true;
			came = true;
			daemon_event(d, EVENT_SPU_UP, "spu-%u-%u, pid %u", s->conf.fpc, s->conf.pic,
			             (unsigned)shm->proc.pid);
		}
		any |= s->in_service;
	}
	if (came)
		moves_settle(d, "SPU in service");
	if (!any && d->spus.any)
		daemon_event(d, EVENT_SPU_NONE_LEFT, "%s", "");
	d->spus.any = any;
}
