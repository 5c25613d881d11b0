// SPDX-License-Identifier: BSD-2-Clause
/* Static routes, next hops of multipoint units, and what concerns the whole. */
#include "model_priv.h"

#include "value.h"

#include <stdlib.h>
#include <string.h>

/* ---- next hops of multipoint st0 units ------------------------------------------------------ */

static void tunnel_hop(struct build *b, struct config_unit *u, const struct tree_node *n)
{
	struct config_next_hop_tunnel *h = &u->next_hop_tunnel[u->next_hop_tunnels];
	const char *vpn = tree_value(n, "ipsec-vpn");

	h->next_hop = value_peer(n->name);
	h->vpn = vpn ? config_vpn_find(b->c, vpn) : NULL;
	if (h->vpn == NULL)
		return; /* said by validate_tree() */
	if (h->vpn->bind && h->vpn->bind != u)
		build_error(b, n, "vpn \"%s\" is bound to %s, not to %s", vpn, h->vpn->bind->name,
		            u->name);
	for (size_t i = 0; i < u->addresses; i++)
		if (addr_equal(&u->address[i].addr, &h->next_hop))
			build_error(b, n,
			            "is the unit's own address; expected the peer's st0 address");
	u->next_hop_tunnels++;
}

static enum err unit_tunnel_hops(struct build *b, struct config_unit *u, const struct tree_node *n)
{
	static const char *const words[] = { "inet", "inet6" };
	const struct tree_node *family = tree_child(n, "family");
	size_t total = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		total += tree_count(tree_child(family, words[i]), "next-hop-tunnel");
	if (total == 0)
		return ERR_OK;
	u->next_hop_tunnel = calloc(total, sizeof(u->next_hop_tunnel[0]));
	if (u->next_hop_tunnel == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct tree_node *h =
		        tree_child(tree_child(family, words[i]), "next-hop-tunnel");

		for (; h; h = tree_same(h))
			tunnel_hop(b, u, h);
	}
	return ERR_OK;
}

enum err build_tunnel_hops(struct build *b)
{
	const struct tree_node *n = tree_child(tree_at(b->tree, ""), "interfaces");

	for (size_t i = 0; n && i < b->c->interfaces; n = tree_same(n), i++) {
		const struct tree_node *u = tree_child(n, "unit");

		for (size_t k = 0; u && k < b->c->interface[i].units; u = tree_same(u), k++)
			TRY(unit_tunnel_hops(b, &b->c->interface[i].unit[k], u));
	}
	return ERR_OK;
}

/* ---- static routes -------------------------------------------------------------------------- */

static void hop_by_unit(struct build *b, struct config_next_hop *h, const struct tree_node *n)
{
	h->unit = config_unit_find(b->c, n->name);
	if (h->unit == NULL)
		build_error(b, n, "\"%s\" is no unit under interfaces", n->name);
	else if (h->unit->multipoint)
		build_error(b, n,
		            "%s is multipoint, so the next hop chooses the tunnel; expected the "
		            "peer's st0 address",
		            n->name);
}

static void route_hop(struct build *b, struct config_route *r, const struct tree_node *n)
{
	if (r->hops == CONFIG_NEXT_HOPS_MAX) {
		build_error(b, n, "more than %d next hops", CONFIG_NEXT_HOPS_MAX);
		return;
	}
	struct config_next_hop *h = &r->hop[r->hops++];
	if (addr_parse(n->name, &h->addr)) {
		h->addr = (struct addr){ 0 };
		hop_by_unit(b, h, n);
	} else if (h->addr.family != r->to.addr.family) {
		build_error(b, n, "%s is of another family than the route", n->name);
	}
}

static enum err routes_of(struct build *b, const struct tree_node *parent)
{
	for (const struct tree_node *n = tree_child(parent, "route"); n; n = tree_same(n)) {
		struct config_route *r = &b->c->route[b->c->routes++];

		r->to = value_prefix(n->name);
		for (const struct tree_node *h = tree_child(n, "next-hop"); h; h = tree_same(h))
			route_hop(b, r, h);
	}
	return ERR_OK;
}

static int route_cmp(const void *a, const void *b)
{
	const struct config_route *x = *(const struct config_route *const *)a;
	const struct config_route *y = *(const struct config_route *const *)b;
	int d = addr_cmp(&x->to.addr, &y->to.addr);

	return d ? d : (int)x->to.len - (int)y->to.len;
}

/* The same destination in two spellings, or in both tables. */
static enum err check_routes(struct build *b, const struct tree_node *where)
{
	const struct config_route **by = calloc(b->c->routes + 1, sizeof(by[0]));
	char text[PREFIX_TEXT_MAX];

	if (by == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < b->c->routes; i++)
		by[i] = &b->c->route[i];
	qsort(by, b->c->routes, sizeof(by[0]), route_cmp);
	for (size_t i = 1; i < b->c->routes; i++)
		if (route_cmp(&by[i - 1], &by[i]) == 0)
			build_error(b, where, "route %s is there twice",
			            prefix_text(&by[i]->to, text));
	free(by);
	return ERR_OK;
}

enum err build_routes(struct build *b)
{
	const struct tree_node *options = tree_at(b->tree, "routing-options");
	const struct tree_node *table[2] = { tree_child(options, "static"),
		                             tree_child(tree_child(options, "rib"), "static") };
	size_t n = tree_count(table[0], "route") + tree_count(table[1], "route");

	if (n == 0)
		return ERR_OK;
	if (n > BUILD_ROUTES_MAX) {
		build_error(b, options, "more than %d routes", BUILD_ROUTES_MAX);
		return ERR_FULL;
	}
	b->c->route = calloc(n, sizeof(b->c->route[0]));
	if (b->c->route == NULL)
		return ERR_MEMORY;
	TRY(routes_of(b, table[0]));
	TRY(routes_of(b, table[1]));
	return check_routes(b, options);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void warn_zones(struct build *b)
{
	const struct tree_node *n = tree_child(tree_at(b->tree, ""), "interfaces");

	for (size_t i = 0; n && i < b->c->interfaces; n = tree_same(n), i++) {
		const struct tree_node *u = tree_child(n, "unit");

		for (size_t k = 0; u && k < b->c->interface[i].units; u = tree_same(u), k++)
			if (b->c->interface[i].unit[k].zone == NULL &&
			    b->c->interface[i].kind != CONFIG_IF_LOOPBACK)
				build_warning(b, u, "%s is in no zone: its traffic is dropped",
				              b->c->interface[i].unit[k].name);
	}
}

void build_warn_whole(struct build *b)
{
	const struct tree_node *ipsec = tree_at(b->tree, "security ipsec");

	warn_zones(b);
	if (b->c->vpns == 0)
		return;
	if (!b->c->permit_all)
		build_warning(
		        b, ipsec,
		        "security policies default-policy is deny-all, and single policies are "
		        "not supported in this version: the VPNs will carry nothing; "
		        "set security policies default-policy permit-all");
	if (b->c->spus == 0)
		build_warning(b, ipsec,
		              "there is no SPU: the VPNs will carry nothing; "
		              "set chassis fpc 0 pic 0 port emulated");
}
