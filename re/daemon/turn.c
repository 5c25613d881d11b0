// SPDX-License-Identifier: BSD-2-Clause
#include "turn.h"
#include "impair.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A message that waits for an SPU. */
struct waiting {
	struct waiting *next;
	uint64_t revision, due_ms;
	struct fx_send send; /* bytes: those below */
	uint8_t bytes[];
};

struct turn {
	struct store *store;
	struct node_shm *shm;
	struct turn_owner owner;
	struct waiting *first, **last; /* owns; in order of arrival */
	struct turn_stats stats;
};

struct turn *turn_new(struct store *store, struct node_shm *shm, const struct turn_owner *owner)
{
	struct turn *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->store = store;
	t->shm = shm;
	t->owner = *owner;
	t->last = &t->first;
	return t;
}

void turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	while (t->first) {
		struct waiting *w = t->first;

		t->first = w->next;
		free(w);
	}
	free(t);
}

static bool is_record(const struct effect *e)
{
	return e->kind == FX_PUT || e->kind == FX_DEL;
}

static bool sends(const struct effects *fx)
{
	for (size_t i = 0; i < fx->n; i++)
		if (fx->at[i].kind == FX_SEND)
			return true;
	return false;
}

/* All records of the turn in one transaction. *ret_revision is 0 when there are none. */
static enum err commit(struct turn *t, const struct effects *fx, uint64_t *ret_revision)
{
	enum err e = ERR_OK;
	uint64_t n = 0;

	for (size_t i = 0; i < fx->n && !e; i++) {
		const struct effect *f = &fx->at[i];

		if (!is_record(f))
			continue;
		if (n++ == 0)
			TRY(store_begin(t->store));
		e = f->kind == FX_PUT ? store_put(t->store, &f->key, f->body)
		                      : store_del(t->store, &f->key);
		if (f->kind == FX_DEL && e == ERR_NOT_FOUND) /* never put, as it turns out */
			e = ERR_OK;
	}
	*ret_revision = 0;
	if (n == 0)
		return ERR_OK;
	if (!e && sends(fx) && impair(IMPAIR_REFUSE))
		e = ERR_FULL;
	if (e) {
		store_abort(t->store);
		return e;
	}
	TRY(store_commit(t->store, ret_revision));
	t->stats.records += n;
	return ERR_OK;
}

static void announce(struct turn *t, const struct effects *fx, uint64_t revision)
{
	atomic_store(&t->shm->revision, revision);
	t->owner.wake(t->owner.ctx);
	for (size_t i = 0; i < fx->n; i++) {
		const struct effect *f = &fx->at[i];
		struct record r = { .key = f->key,
			            .revision = revision,
			            .deleted = f->kind == FX_DEL,
			            .body = f->body };

		if (is_record(f))
			t->owner.recorded(t->owner.ctx, &r);
	}
}

/* Whether the SPU that serves the anchor has what the message depends on. Nobody serves it: there
 * is nothing to wait for. */
static bool may_go(const struct turn *t, int anchor, uint64_t revision)
{
	if (anchor < 0)
		return true;
	uint8_t slot = t->owner.serving(t->owner.ctx, (uint8_t)anchor);

	return slot >= SPU_SLOTS || atomic_load(&t->shm->spu[slot].applied) >= revision;
}

static void hold(struct turn *t, const struct fx_send *send, uint64_t revision, uint64_t now_ms)
{
	struct waiting *w = malloc(sizeof(*w) + send->bytes.len);

	if (w == NULL) { /* as if lost on the way: the peer or we send again */
		t->stats.refused++;
		return;
	}
	w->next = NULL;
	w->revision = revision;
	w->due_ms = now_ms + TURN_WAIT_MS;
	w->send = *send;
	memcpy(w->bytes, send->bytes.p, send->bytes.len);
	w->send.bytes.p = w->bytes;
	*t->last = w;
	t->last = &w->next;
	t->stats.waited++;
}

static void execute(struct turn *t, struct effect *f, uint64_t revision, uint64_t now_ms)
{
	switch (f->kind) {
	case FX_SEND:
		if (f->send.after_anchor >= 0 && impair(IMPAIR_LATE))
			hold(t, &f->send, UINT64_MAX, now_ms);
		else if (may_go(t, f->send.after_anchor, revision))
			t->owner.send(t->owner.ctx, &f->send);
		else
			hold(t, &f->send, revision, now_ms);
		break;
	case FX_EVENT:
		t->owner.event(t->owner.ctx, f->event, f->text);
		break;
	case FX_JOB:
		t->owner.start_job(t->owner.ctx, f->job);
		f->job = NULL; /* taken */
		break;
	case FX_PUT:
	case FX_DEL:
	case FX_KINDS:
		break;
	}
}

enum err turn_run(struct turn *t, struct effects *fx, uint64_t now_ms)
{
	uint64_t revision;

	t->stats.turns++;
	enum err e = fx->overrun ? ERR_MEMORY : commit(t, fx, &revision);
	if (e) {
		t->stats.refused++;
		effects_done(fx);
		return e;
	}
	if (revision)
		announce(t, fx, revision);
	for (size_t i = 0; i < fx->n; i++)
		execute(t, &fx->at[i], revision, now_ms);
	effects_done(fx);
	return ERR_OK;
}

void turn_flush(struct turn *t, uint64_t now_ms)
{
	struct waiting **at = &t->first;

	while (*at) {
		struct waiting *w = *at;
		bool ready = may_go(t, w->send.after_anchor, w->revision);

		if (!ready && now_ms < w->due_ms) {
			at = &w->next;
			continue;
		}
		if (!ready) {
			t->stats.late++;
			t->owner.event(t->owner.ctx, EVENT_IPSEC_INSTALL_LATE, "");
		}
		*at = w->next;
		t->owner.send(t->owner.ctx, &w->send);
		free(w);
	}
	t->last = at;
}

uint64_t turn_next_due_ms(const struct turn *t)
{
	return t->first ? t->first->due_ms : UINT64_MAX;
}

const struct turn_stats *turn_stats(const struct turn *t)
{
	return &t->stats;
}
