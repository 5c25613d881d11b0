// SPDX-License-Identifier: BSD-2-Clause
/* Which gateway a peer belongs to: by addresses at first, by identity when it has told it. */
#include "ike_priv.h"

struct view ike_gateway_key(const char *name)
{
	return (struct view){ (const uint8_t *)name, strlen(name) };
}

struct gateway *ike_gateway_find(const struct hash *by_name, const char *name)
{
	struct hash_node *node = hash_get(by_name, ike_gateway_key(name));

	return node ? CONTAINER_OF(node, struct gateway, by_name) : NULL;
}

struct gateway *ike_gateway_by_name(struct ike *ike, const char *name)
{
	return ike_gateway_find(&ike->gateway_by_name, name);
}

static int compare(const struct addr *a, const struct addr *b)
{
	return a->family != b->family ? (a->family < b->family ? -1 : 1)
	                              : memcmp(a->b, b->b, sizeof(a->b));
}

int ike_gateway_order(const void *a, const void *b)
{
	const struct gateway_at *x = a, *y = b;
	int c = compare(&x->peer, &y->peer);

	return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

/* The first place whose address is not before this one. */
static size_t first_at(const struct ike *ike, const struct addr *peer)
{
	size_t from = 0, to = ike->gateways_at;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (compare(&ike->gateway_at[mid].peer, peer) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct gateway_walk ike_gateway_walk(const struct ike *ike, const struct addr *local,
                                     const struct addr *remote)
{
	static const struct addr any;

	return (struct gateway_walk){ *local, *remote, first_at(ike, remote), first_at(ike, &any) };
}

static const struct gateway_at *there(const struct ike *ike, size_t i, const struct addr *peer)
{
	return i < ike->gateways_at && compare(&ike->gateway_at[i].peer, peer) == 0
	               ? &ike->gateway_at[i]
	               : NULL;
}

struct gateway *ike_gateway_next(const struct ike *ike, struct gateway_walk *w)
{
	static const struct addr none;

	for (;;) {
		const struct gateway_at *at = there(ike, w->at, &w->remote);
		const struct gateway_at *any = there(ike, w->any, &none);
		const struct gateway_at *first = at && (!any || at->order < any->order) ? at : any;

		if (first == NULL)
			return NULL;
		w->at += first == at;
		w->any += first == any;
		struct gateway *gw = ike->gateway[first->order];
		if (ike_gateway_fits(gw, &w->local, &w->remote))
			return gw;
	}
}

bool ike_gateway_fits(const struct gateway *gw, const struct addr *local, const struct addr *remote)
{
	if (gw->conf.local.family != ADDR_NONE && !addr_equal(&gw->conf.local, local))
		return false;
	for (size_t i = 0; i < gw->conf.peers; i++)
		if (addr_equal(&gw->conf.peer[i], remote))
			return true;
	return gw->conf.peers == 0;
}

struct ike_id ike_gateway_local_id(const struct gateway *gw, const struct addr *local)
{
	return gw->conf.local_id.type == IKE_ID_NONE ? ike_id_of_addr(local) : gw->conf.local_id;
}

bool ike_gateway_id_ok(const struct gateway *gw, const struct ike_id *peer)
{
	if (gw->conf.remote_id.type != IKE_ID_NONE)
		return ike_id_equal(&gw->conf.remote_id, peer);
	for (size_t i = 0; i < gw->conf.peers; i++) {
		struct ike_id id = ike_id_of_addr(&gw->conf.peer[i]);

		if (ike_id_equal(&id, peer))
			return true;
	}
	return gw->conf.peers == 0;
}

bool ike_gateway_id_type_ok(const struct gateway *gw, const struct ike_id *peer)
{
	if (gw->conf.remote_id.type != IKE_ID_NONE)
		return gw->conf.remote_id.type == peer->type;
	return gw->conf.peers == 0 || ike_id_of_addr(&gw->conf.peer[0]).type == peer->type;
}

void ike_gateway_join(struct ike_sa *sa)
{
	list_del(&sa->of_gateway);
	if (sa->gw)
		list_add_tail(&sa->of_gateway, &sa->gw->sas);
}

void ike_gateway_leave(struct ike_sa *sa)
{
	struct list *at;

	if (list_empty(&sa->of_gateway))
		return;
	list_del(&sa->of_gateway);
	/* Those that waited for its window must look for another. */
	list_each (at, &sa->gw->tunnels)
		ike_due_at(sa->ike, &CONTAINER_OF(at, struct tunnel, of_gateway)->due,
		           ike_sa_now(sa));
}
