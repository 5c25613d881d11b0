// SPDX-License-Identifier: BSD-2-Clause
#include "daemon_priv.h"

#include "records.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum err children_init(struct children *c)
{
	static const uint8_t key[16]; /* SPIs are ours: nobody picks them against us */

	for (size_t i = 0; i < CHILD_CHAINS; i++)
		list_init(&c->of_tunnel[i]);
	return hash_init(&c->by_key, key);
}

static struct view key_view(const struct record_key *key)
{
	return (struct view){ key->b, key->len };
}

struct child *children_find(struct children *c, const struct record_key *key)
{
	struct hash_node *node = hash_get(&c->by_key, key_view(key));

	return node ? CONTAINER_OF(node, struct child, by_key) : NULL;
}

static bool make_room(struct children *c)
{
	size_t room = c->room ? 2 * c->room : 64;
	struct child **more;

	if (c->n < c->room)
		return true;
	more = realloc(c->at, room * sizeof(struct child *));
	if (more == NULL)
		return false;
	c->at = more;
	c->room = room;
	return true;
}

struct child *children_add(struct children *c, const struct record_key *key, uint32_t tunnel,
                           uint64_t gone_revision)
{
	struct child *child = make_room(c) ? calloc(1, sizeof(*child)) : NULL;

	if (child == NULL)
		return NULL;
	child->key = *key;
	child->tunnel = tunnel;
	child->gone_revision = gone_revision;
	child->place = c->n;
	c->at[c->n++] = child;
	list_add_tail(&child->of_tunnel, children_of(c, tunnel));
	if (gone_revision)
		c->gone++;
	else
		(void)!hash_put(&c->by_key, &child->by_key, key_view(&child->key));
	return child;
}

static void child_gone(struct children *c, struct child *child, uint64_t revision)
{
	hash_del(&c->by_key, &child->by_key);
	child->gone_revision = revision;
	c->gone++;
}

/* One that is gone: the last one takes its place. */
static void drop(struct children *c, struct child *child)
{
	c->at[child->place] = c->at[--c->n];
	c->at[child->place]->place = child->place;
	c->gone--;
	list_del(&child->of_tunnel);
	free(child);
}

/* The tunnel is to be looked at. */
static void note(struct children *c, uint32_t tunnel)
{
	if (c->dirty || (c->changes && c->changed[c->changes - 1] == tunnel))
		return;
	if (c->changes == c->changes_room) {
		size_t room = c->changes_room ? 2 * c->changes_room : 64;
		uint32_t *more = realloc(c->changed, room * sizeof(*more));

		if (more == NULL) {
			c->dirty = true;
			return;
		}
		c->changed = more;
		c->changes_room = room;
	}
	c->changed[c->changes++] = tunnel;
}

static void fill(struct child *child, const Hawser__ChildSaRecord *m, uint64_t revision)
{
	child->slot_in = m->slot_in;
	child->slot_out = m->slot_out;
	child->anchor = (uint8_t)m->anchor;
	child->sending = m->sending;
	child->serial = m->serial;
	child->put_revision = revision;
}

void children_recorded(struct daemon *d, const struct record *record)
{
	Hawser__ChildSaRecord *m = NULL;
	struct children *c = &d->children;
	struct child *child = children_find(c, &record->key);

	if (record->deleted) {
		if (child) {
			child_gone(c, child, record->revision);
			note(c, child->tunnel);
		}
		return;
	}
	if (record_child_sa_decode(record->body, &m))
		return;
	if (child == NULL)
		child = children_add(c, &record->key, m->tunnel, 0);
	if (child) {
		fill(child, m, record->revision);
		note(c, child->tunnel);
	}
	record_child_sa_free(m);
}

/* ---- limits -------------------------------------------------------------------------------- */

static struct child *by_slot(struct children *c, uint32_t slot)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->at[i]->gone_revision &&
		    (c->at[i]->slot_in == slot || c->at[i]->slot_out == slot))
			return c->at[i];
	return NULL;
}

void children_limit(struct daemon *d, uint32_t slot, enum child_limit limit, struct effects *fx)
{
	static const enum event_id events[CHILD_LIMITS] = {
		[CHILD_SOFT_LIMIT] = EVENT_IPSEC_SOFT_LIMIT,
		[CHILD_NUMBERS_END] = EVENT_IPSEC_SEQ_EXHAUSTED,
		[CHILD_HARD_LIMIT] = EVENT_IPSEC_VOLUME_LIMIT,
	};
	struct child *child = by_slot(&d->children, slot);

	if (child == NULL || child->told >> limit & 1)
		return;
	child->told |= (uint8_t)(1u << limit);
	daemon_event(d, events[limit], "tunnel %u spi 0x%08x %s", child->tunnel,
	             children_spi(child), slot == child->slot_in ? "inbound" : "outbound");
	if (limit == CHILD_SOFT_LIMIT)
		ike_child_exhausted(d->ike, children_spi(child), fx);
	else
		ike_child_ended(d->ike, children_spi(child), fx);
}

/* ---- slots --------------------------------------------------------------------------------- */

/* The SAs that no SPU works on any more: their counters go to their tunnels, then their slots come
 * free. */
static void free_slots(struct daemon *d)
{
	struct children *c = &d->children;
	bool any = false, all;

	for (size_t i = 0; c->gone && i < c->n; i++) {
		struct child *child = c->at[i];

		child->buried =
		        child->gone_revision != 0 && spus_have_applied(d, child->gone_revision);
		any |= child->buried;
	}
	if (!any)
		return;
	all = totals_bury(d);
	for (size_t i = 0; i < c->n; i++) {
		struct child *child = c->at[i];

		if (!child->buried || !all) {
			child->buried = false;
			continue;
		}
		sa_runtime_give(&d->runtime, child->slot_in);
		sa_runtime_give(&d->runtime, child->slot_out);
		drop(c, child);
		i--;
	}
}

/* Slots whose deletion a dead routing engine did not see through, or that it had for SAs that never
 * came up. Noted before the first negotiation of ours takes any. */
void children_note_strays(struct daemon *d)
{
	struct children *c = &d->children;
	uint8_t *known = calloc(d->runtime.slots, 1);

	c->stray = calloc(d->runtime.slots, sizeof(*c->stray));
	for (size_t i = 0; known && i < c->n; i++) {
		if (c->at[i]->slot_in < d->runtime.slots)
			known[c->at[i]->slot_in] = 1;
		if (c->at[i]->slot_out < d->runtime.slots)
			known[c->at[i]->slot_out] = 1;
	}
	for (uint32_t slot = 0; known && c->stray && slot < d->runtime.slots; slot++)
		if (sa_runtime_at(&d->runtime, slot)->in_use && !known[slot])
			c->stray[c->strays++] = slot;
	free(known);
	c->stray_revision = store_revision(d->store);
}

/* When every SPU has passed all that our predecessor wrote, nobody uses them. */
static void sweep(struct daemon *d)
{
	struct children *c = &d->children;

	if (c->strays == 0 || !spus_have_applied(d, c->stray_revision))
		return;
	while (c->strays)
		sa_runtime_give(&d->runtime, c->stray[--c->strays]);
	free(c->stray);
	c->stray = NULL;
}

/* Tombstones that all have passed are of no more use to anybody. */
static void purge(struct daemon *d)
{
	uint64_t upto = store_revision(d->store);

	if (upto < d->children.purged + 64 || !spus_have_applied(d, upto))
		return;
	if (store_purge(d->store, upto) == ERR_OK)
		d->children.purged = upto;
}

/* ---- tunnels for XDP ----------------------------------------------------------------------- */

/* The SA that outbound packets take: of those that send, the newest, as the SPU chooses. */
static const struct child *newest(struct children *c, uint32_t tunnel)
{
	const struct child *best = NULL;
	struct list *at;

	list_each (at, children_of(c, tunnel)) {
		const struct child *k = child_of(at);

		if (k->tunnel == tunnel && !k->gone_revision && k->sending &&
		    (best == NULL || k->serial > best->serial))
			best = k;
	}
	return best;
}

static void set_hop(struct daemon *d, const struct tunnel *t, const struct addr *next_hop)
{
	uint32_t mtu = 0;
	uint32_t ifindex = dataplane_st0(d->dataplane, t->conf->bind, &mtu);
	struct steer_tunnel s = {
		.tunnel = t->index, .anchor = t->anchor, .has_sa = t->has_sa, .mtu = (uint16_t)mtu
	};

	if (ifindex)
		(void)!steer_tunnel_set(d->steer, ifindex, next_hop, &s);
}

/* A point-to-point unit has the tunnel for every next hop, a multipoint one for those configured.
 */
static void set_tunnel(struct daemon *d, const struct tunnel *t)
{
	const struct config_unit *unit = t->conf->bind;

	if (!unit->multipoint)
		set_hop(d, t, NULL);
	for (size_t i = 0; i < unit->next_hop_tunnels; i++)
		if (unit->next_hop_tunnel[i].vpn == t->conf)
			set_hop(d, t, &unit->next_hop_tunnel[i].next_hop);
}

/* False: the SPU that serves its anchor does not have the SA yet. */
static bool refresh_tunnel(struct daemon *d, struct tunnel *t)
{
	const struct child *k = newest(&d->children, t->index);

	if (k) {
		uint8_t slot = spus_serving(d, k->anchor);

		if (slot < SPU_SLOTS && d->shm->spu[slot].applied < k->put_revision)
			return false;
		t->anchor = k->anchor;
	}
	t->has_sa = k != NULL;
	set_tunnel(d, t);
	return true;
}

/* True where all is said. */
static bool refresh_all(struct daemon *d)
{
	bool waits = false;

	for (size_t i = 0; i < d->tunnels.n; i++)
		if (d->tunnels.at[i].conf)
			waits |= !refresh_tunnel(d, &d->tunnels.at[i]);
	return !waits;
}

/* Keeps those that wait for their SPU. */
static void refresh_changed(struct daemon *d)
{
	struct children *c = &d->children;
	size_t kept = 0;

	for (size_t i = 0; i < c->changes; i++) {
		struct tunnel *t = tunnels_find(&d->tunnels, c->changed[i]);

		if (t && t->conf && !refresh_tunnel(d, t))
			c->changed[kept++] = c->changed[i];
	}
	c->changes = kept;
}

void children_flush(struct daemon *d)
{
	struct children *c = &d->children;

	if (c->dirty) {
		c->dirty = !refresh_all(d);
		c->changes = 0;
	}
	refresh_changed(d);
	free_slots(d);
	sweep(d);
	purge(d);
}

void children_kick(struct daemon *d)
{
	d->children.dirty = true;
	children_flush(d);
}

uint32_t children_spi(const struct child *child)
{
	struct reader r = rd_of(child->key.b, child->key.len);

	rd_skip(&r, 1); /* protocol */
	return rd_u32(&r);
}

void children_done(struct children *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->at[i]);
	free(c->at);
	free(c->changed);
	hash_done(&c->by_key);
	free(c->kept);
	free(c->stray);
	*c = (struct children){ 0 };
}
