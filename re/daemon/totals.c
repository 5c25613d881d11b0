// SPDX-License-Identifier: BSD-2-Clause
#include "totals.h"

#include "daemon_priv.h"
#include "records.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { DYING_MAX = 512 }; /* of one tunnel at a time; more are lost to a kill just then */

static void add(struct totals *to, const struct totals *t)
{
	for (int i = 0; i < TOTALS; i++)
		to->n[i] += t->n[i];
}

/* What was cleared may be of shared memory that is gone since. */
static void take_off(struct totals *from, const struct totals *t)
{
	for (int i = 0; i < TOTALS; i++)
		from->n[i] = from->n[i] > t->n[i] ? from->n[i] - t->n[i] : 0;
}

static const struct totals_kept *find(const struct children *c, uint32_t of)
{
	for (size_t i = 0; i < c->keeps; i++)
		if (c->kept[i].of == of)
			return &c->kept[i];
	return NULL;
}

static struct totals_kept *get(struct children *c, uint32_t of)
{
	struct totals_kept *k = (struct totals_kept *)find(c, of);

	if (k != NULL)
		return k;
	struct totals_kept *more = realloc(c->kept, (c->keeps + 1) * sizeof(*more));
	if (more == NULL)
		return NULL;
	c->kept = more;
	more[c->keeps] = (struct totals_kept){ .of = of };
	return &more[c->keeps++];
}

/* ---- sums ---------------------------------------------------------------------------------- */

static void add_child(struct daemon *d, const struct child *child, struct totals *t)
{
	struct sa_usage in = { 0 }, out = { 0 };
	bool ah = child->key.b[0] == IPPROTO_NO_AH;

	(void)!d->env.runtime_usage(&d->env, child->slot_in, &in);
	(void)!d->env.runtime_usage(&d->env, child->slot_out, &out);
	t->n[ah ? TOTAL_AH_BYTES_OUT : TOTAL_ESP_BYTES_OUT] += out.bytes;
	t->n[ah ? TOTAL_AH_BYTES_IN : TOTAL_ESP_BYTES_IN] += in.bytes;
	t->n[ah ? TOTAL_AH_PACKETS_OUT : TOTAL_ESP_PACKETS_OUT] += out.packets;
	t->n[ah ? TOTAL_AH_PACKETS_IN : TOTAL_ESP_PACKETS_IN] += in.packets;
	t->n[ah ? TOTAL_AH_AUTH_FAILED : TOTAL_ESP_AUTH_FAILED] += in.auth_failed;
	t->n[TOTAL_REPLAYED] += in.replayed;
	t->n[TOTAL_DECRYPT_FAILED] += in.decrypt_failed;
	t->n[TOTAL_BAD_HEADERS] += in.bad_headers;
	t->n[TOTAL_BAD_TRAILERS] += in.bad_trailers;
}

static struct totals all_of_tunnel(struct daemon *d, uint32_t tunnel)
{
	const struct totals_kept *k = find(&d->children, tunnel);
	struct totals t = k ? k->dead : (struct totals){ 0 };

	struct list *at;

	list_each (at, children_of(&d->children, tunnel))
		if (child_of(at)->tunnel == tunnel)
			add_child(d, child_of(at), &t);
	return t;
}

static struct totals all_of_spu(struct daemon *d, uint8_t slot)
{
	const struct spu_slot *s = &d->shm->spu[slot];
	const _Atomic uint64_t *n = s->stat, *drop = s->drop;
	struct totals t = { .n = {
		                    [TOTAL_ESP_BYTES_OUT] = n[SPU_BYTES_OUT] - n[SPU_AH_BYTES_OUT],
		                    [TOTAL_ESP_BYTES_IN] = n[SPU_BYTES_IN] - n[SPU_AH_BYTES_IN],
		                    [TOTAL_ESP_PACKETS_OUT] = n[SPU_ENCRYPTED] - n[SPU_AH_OUT],
		                    [TOTAL_ESP_PACKETS_IN] = n[SPU_DECRYPTED] - n[SPU_AH_IN],
		                    [TOTAL_AH_BYTES_IN] = n[SPU_AH_BYTES_IN],
		                    [TOTAL_AH_BYTES_OUT] = n[SPU_AH_BYTES_OUT],
		                    [TOTAL_AH_PACKETS_IN] = n[SPU_AH_IN],
		                    [TOTAL_AH_PACKETS_OUT] = n[SPU_AH_OUT],
		                    [TOTAL_AH_AUTH_FAILED] = n[SPU_AH_AUTH_FAILED],
		                    [TOTAL_REPLAYED] = drop[DROP_REPLAY],
		                    [TOTAL_ESP_AUTH_FAILED] =
		                            drop[DROP_ICV] - n[SPU_AH_AUTH_FAILED],
		                    [TOTAL_DECRYPT_FAILED] = n[SPU_DECRYPT_FAILED],
		                    [TOTAL_BAD_HEADERS] = drop[DROP_BAD_HEADER],
		                    [TOTAL_BAD_TRAILERS] =
		                            drop[DROP_BAD_TRAILER] + drop[DROP_BAD_INNER],
		            } };

	return t;
}

/* Headers so bad that they belong to no SA are counted by the SPUs alone, with the others. */
static struct totals all_of_node(struct daemon *d)
{
	struct totals t = { 0 };

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		t.n[TOTAL_BAD_HEADERS] += d->shm->spu[slot].drop[DROP_BAD_HEADER];
	return t;
}

static struct totals since_cleared(struct daemon *d, uint32_t of, struct totals all)
{
	const struct totals_kept *k = find(&d->children, of);

	if (k)
		take_off(&all, &k->cleared);
	return all;
}

struct totals totals_of_tunnel(struct daemon *d, uint32_t tunnel)
{
	return since_cleared(d, tunnel, all_of_tunnel(d, tunnel));
}

struct totals totals_of_spu(struct daemon *d, uint8_t slot)
{
	return since_cleared(d, slot, all_of_spu(d, slot));
}

struct totals totals_of_node(struct daemon *d)
{
	struct totals t = { 0 }, headers = since_cleared(d, TOTALS_OF_NODE, all_of_node(d));

	for (size_t i = 0; i < d->tunnels.n; i++) {
		struct totals one = totals_of_tunnel(d, d->tunnels.at[i].index);

		add(&t, &one);
	}
	t.n[TOTAL_BAD_HEADERS] = headers.n[TOTAL_BAD_HEADERS];
	return t;
}

/* ---- the record ---------------------------------------------------------------------------- */

static bool is_deleted_by(const struct effects *fx, const struct child *child)
{
	for (size_t i = 0; i < fx->n; i++) {
		const struct effect *f = &fx->at[i];

		if (f->kind == FX_DEL && f->key.kind == REC_CHILD_SA &&
		    f->key.len == child->key.len && memcmp(f->key.b, child->key.b, f->key.len) == 0)
			return true;
	}
	return false;
}

struct dying {
	Hawser__DyingSa sa[DYING_MAX], *at[DYING_MAX];
	size_t n;
};

static void list_dying(struct daemon *d, uint32_t tunnel, const struct effects *fx,
                       struct dying *ret)
{
	struct list *at;

	ret->n = 0;
	list_each (at, children_of(&d->children, tunnel)) {
		const struct child *k = child_of(at);

		if (ret->n == DYING_MAX)
			return;
		if (k->tunnel != tunnel || k->buried || !(k->gone_revision || is_deleted_by(fx, k)))
			continue;
		Hawser__DyingSa *sa = &ret->sa[ret->n];
		hawser__dying_sa__init(sa);
		sa->protocol = k->key.b[0];
		sa->slot_in = k->slot_in;
		sa->slot_out = k->slot_out;
		ret->at[ret->n++] = sa;
	}
}

static void put(struct daemon *d, const struct totals_kept *k, struct effects *fx)
{
	Hawser__TotalsRecord m = HAWSER__TOTALS_RECORD__INIT;
	struct record_key key = record_key_totals(k->of);
	uint8_t body[RECORD_BODY_MAX];
	struct dying dying;
	size_t len;

	list_dying(d, k->of, fx, &dying);
	m.of = k->of;
	m.n_dead = m.n_cleared = TOTALS;
	m.dead = (uint64_t *)(uintptr_t)k->dead.n;
	m.cleared = (uint64_t *)(uintptr_t)k->cleared.n;
	m.n_dying = dying.n;
	m.dying = dying.at;
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK)
		fx_put(fx, &key, (struct view){ body, len });
}

static void take(struct totals *to, const uint64_t *n, size_t count)
{
	for (size_t i = 0; i < count && i < TOTALS; i++)
		to->n[i] = n[i];
}

/* Deleted, and perhaps still counting: it is what the last process did not see through. */
static void resurrect(struct daemon *d, uint32_t tunnel, const Hawser__DyingSa *m)
{
	struct record_key key = record_key_child_sa((uint8_t)m->protocol, 0);
	struct child *child = children_add(&d->children, &key, tunnel, store_revision(d->store));

	if (child == NULL)
		return;
	child->slot_in = m->slot_in;
	child->slot_out = m->slot_out;
}

enum err totals_recorded(struct daemon *d, const struct record *r)
{
	Hawser__TotalsRecord *m = NULL;

	TRY(record_totals_decode(r->body, &m));
	struct totals_kept *k = get(&d->children, m->of);
	if (k) {
		take(&k->dead, m->dead, m->n_dead);
		take(&k->cleared, m->cleared, m->n_cleared);
	}
	for (size_t i = 0; i < m->n_dying && !d->children.table_is_new; i++)
		resurrect(d, m->of, m->dying[i]);
	hawser__totals_record__free_unpacked(m, NULL);
	return k ? ERR_OK : ERR_MEMORY;
}

/* ---- clear, and the way of an SA that is deleted --------------------------------------------- */

static void clear(struct daemon *d, uint32_t of, struct totals all, struct effects *fx)
{
	struct totals_kept *k = get(&d->children, of);

	if (k == NULL)
		return;
	k->cleared = all;
	put(d, k, fx);
}

void totals_clear_tunnel(struct daemon *d, uint32_t tunnel, struct effects *fx)
{
	clear(d, tunnel, all_of_tunnel(d, tunnel), fx);
}

void totals_clear_spu(struct daemon *d, uint8_t slot, struct effects *fx)
{
	clear(d, slot, all_of_spu(d, slot), fx);
}

void totals_clear_node(struct daemon *d, struct effects *fx)
{
	for (size_t i = 0; i < d->tunnels.n; i++)
		totals_clear_tunnel(d, d->tunnels.at[i].index, fx);
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].wanted)
			totals_clear_spu(d, slot, fx);
	clear(d, TOTALS_OF_NODE, all_of_node(d), fx);
}

void totals_forget(struct daemon *d, uint32_t tunnel, struct effects *fx)
{
	struct children *c = &d->children;
	struct record_key key = record_key_totals(tunnel);

	for (size_t i = 0; i < c->n; i++)
		if (c->at[i]->tunnel == tunnel)
			c->at[i]->tunnel = 0;
	for (size_t i = 0; i < c->keeps; i++)
		if (c->kept[i].of == tunnel) {
			c->kept[i] = c->kept[--c->keeps];
			fx_del(fx, &key);
			return;
		}
}

static bool is_put_by(const struct effects *fx, size_t from, const struct record_key *key)
{
	for (size_t i = from; i < fx->n; i++)
		if (fx->at[i].key.kind == key->kind &&
		    memcmp(fx->at[i].key.b, key->b, key->len) == 0)
			return true;
	return false;
}

void totals_note_dying(struct daemon *d, struct effects *fx)
{
	struct children *c = &d->children;
	size_t given = fx->n;

	for (size_t i = 0; i < given; i++) {
		const struct effect *f = &fx->at[i];

		if (f->kind != FX_DEL || f->key.kind != REC_CHILD_SA)
			continue;
		const struct child *child = children_find(c, &f->key);
		struct record_key key = record_key_totals(child ? child->tunnel : 0);

		if (child == NULL || child->tunnel == 0 || is_put_by(fx, given, &key))
			continue;
		struct totals_kept *k = get(c, child->tunnel);
		if (k)
			put(d, k, fx);
	}
}

bool totals_bury(struct daemon *d)
{
	struct children *c = &d->children;
	struct effects fx = { 0 };

	for (size_t i = 0; i < c->n; i++) {
		const struct child *child = c->at[i];
		struct record_key key = record_key_totals(child->tunnel);
		struct totals_kept sum, *k;

		if (!child->buried || child->tunnel == 0 || is_put_by(&fx, 0, &key) ||
		    (k = get(c, child->tunnel)) == NULL)
			continue;
		sum = *k;
		for (size_t n = i; n < c->n; n++)
			if (c->at[n]->buried && c->at[n]->tunnel == child->tunnel)
				add_child(d, c->at[n], &sum.dead);
		put(d, &sum, &fx);
	}
	if (turn_run(d->turn, &fx, daemon_now_ms(d)) != ERR_OK)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		struct totals_kept *k = c->at[i]->buried ? get(c, c->at[i]->tunnel) : NULL;

		if (k && c->at[i]->tunnel != 0)
			add_child(d, c->at[i], &k->dead);
	}
	return true;
}
