// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane_priv.h"

#include "sysctl.h"
#include "tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err dataplane_open(struct steer *steer, const char *statefile, struct dataplane **ret,
                        struct why *why)
{
	AUTO(dataplane_close) struct dataplane *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ERR_MEMORY;
	d->steer = steer;
	(void)snprintf(d->statefile, sizeof(d->statefile), "%s", statefile);
	TRY(rtnl_open(&d->rtnl, why));
	*ret = STEAL(d);
	return ERR_OK;
}

void dataplane_close(struct dataplane *d)
{
	if (d == NULL)
		return;
	rtnl_close(d->rtnl);
	free(d->inbound);
	free(d->missing);
	free(d->have);
	free(d);
}

void dataplane_on_missing(struct dataplane *d, dataplane_missing_fn fn, void *ctx)
{
	d->missing_fn = fn;
	d->missing_ctx = ctx;
}

/* Says once for each device, until it is there, that it is not. */
static void say_missing(struct dataplane *d, const char *device)
{
	for (size_t i = 0; i < d->missings; i++)
		if (strcmp(d->missing[i].name, device) == 0)
			return;
	struct device_name *more = realloc(d->missing, (d->missings + 1) * sizeof(*more));
	if (more == NULL)
		return;
	d->missing = more;
	(void)snprintf(more[d->missings++].name, IFNAMSIZ, "%s", device);
	if (d->missing_fn)
		d->missing_fn(d->missing_ctx, device);
}

static void say_present(struct dataplane *d, const char *device)
{
	for (size_t i = 0; i < d->missings; i++)
		if (strcmp(d->missing[i].name, device) == 0)
			d->missing[i--] = d->missing[--d->missings];
}

/* ---- host-inbound profiles ----------------------------------------------------------------- */

static bool allows(const void *ctx, uint8_t family, uint8_t protocol, uint16_t port)
{
	return inbound_allows(ctx, family, protocol, port);
}

static bool inbound_equal(const struct config_inbound *a, const struct config_inbound *b)
{
	return a->services == b->services && a->protocols == b->protocols &&
	       a->any_service == b->any_service;
}

/* The profile of this set of services, written to the map when it is new. Profile 0 is: nothing. */
static enum err inbound_profile(struct dataplane *d, const struct config_inbound *in,
                                uint8_t *ret_profile)
{
	for (size_t i = 0; i < d->inbounds; i++)
		if (inbound_equal(&d->inbound[i], in)) {
			*ret_profile = (uint8_t)(i + 1);
			return ERR_OK;
		}
	if (d->inbounds == STEER_INBOUNDS - 1)
		return ERR_FULL;
	struct config_inbound *more = realloc(d->inbound, (d->inbounds + 1) * sizeof(*more));
	if (more == NULL)
		return ERR_MEMORY;
	d->inbound = more;
	more[d->inbounds] = *in;
	TRY(steer_inbound_set(d->steer, (uint8_t)(d->inbounds + 1), allows, in));
	*ret_profile = (uint8_t)(++d->inbounds);
	return ERR_OK;
}

static enum err fill_iface(struct dataplane *d, const struct config_unit *unit, uint8_t role,
                           const struct rtnl_link *link, struct steer_iface *ret)
{
	*ret = (struct steer_iface){ .role = role, .zone = unit->zone ? unit->zone->index : 0 };
	memcpy(ret->mac, link->mac, sizeof(ret->mac));
	return inbound_profile(d, &unit->inbound, &ret->inbound);
}

/* ---- interfaces ---------------------------------------------------------------------------- */

static void on_have(void *ctx, uint32_t ifindex, const struct prefix *p)
{
	struct dataplane *d = ctx;
	struct dataplane_addr *more = realloc(d->have, (d->haves + 1) * sizeof(*more));

	if (more == NULL)
		return;
	d->have = more;
	more[d->haves++] = (struct dataplane_addr){ ifindex, *p };
}

static enum err look_at_addresses(struct dataplane *d)
{
	d->haves = 0;
	return rtnl_addr_each(d->rtnl, on_have, d);
}

static bool has_address(const struct dataplane *d, uint32_t ifindex, const struct prefix *p)
{
	for (size_t i = 0; i < d->haves; i++)
		if (d->have[i].ifindex == ifindex && d->have[i].p.len == p->len &&
		    addr_equal(&d->have[i].p.addr, &p->addr))
			return true;
	return false;
}

/* Those that are missing. One that the kernel refuses now (a link that just went) is set at the
 * next change. */
static void set_addresses(struct dataplane *d, const struct config_unit *unit, uint32_t ifindex,
                          bool nodad)
{
	for (size_t i = 0; i < unit->addresses; i++)
		if (!has_address(d, ifindex, &unit->address[i]))
			(void)!rtnl_addr_set(d->rtnl, ifindex, &unit->address[i], nodad);
}

/* Packets that XDP hands to the kernel come from anywhere, with our own source addresses too; the
 * kernel still answers and forwards them as a router does. */
static void open_to_kernel(const char *ifname)
{
	(void)!sysctl_conf_set("ipv4", ifname, "rp_filter", 0);
	(void)!sysctl_conf_set("ipv4", ifname, "accept_local", 1);
	(void)!sysctl_conf_set("ipv4", ifname, "forwarding", 1);
	(void)!sysctl_conf_set("ipv6", ifname, "forwarding", 1);
	(void)!sysctl_conf_set("ipv6", ifname, "accept_dad", 0);
}

/* A neighbour that changes its MAC address silently is found again within seconds: entries that
 * only XDP uses go stale soon, and the probe that follows asks anew. */
static void neighbours_fresh(const char *ifname)
{
	static const char *const families[] = { "ipv4", "ipv6" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		(void)snprintf(path, sizeof(path), "%s/neigh/%s/base_reachable_time_ms",
		               families[i], ifname);
		(void)!sysctl_set(path, 5000);
		(void)snprintf(path, sizeof(path), "%s/neigh/%s/delay_first_probe_time",
		               families[i], ifname);
		(void)!sysctl_set(path, 1);
	}
}

static enum err apply_edge(struct dataplane *d, const struct config_unit *unit, struct why *why)
{
	struct steer_iface iface;
	struct rtnl_link link;

	enum err e = rtnl_link_get(d->rtnl, unit->device, &link);
	if (e == ERR_NOT_FOUND) {
		say_missing(d, unit->device);
		return ERR_OK;
	}
	TRY(e);
	say_present(d, unit->device);
	if (!link.up)
		TRY(rtnl_link_up(d->rtnl, link.ifindex, true));
	if (unit->interface->kind == CONFIG_IF_PHYSICAL) {
		TRY(fill_iface(d, unit, STEER_EDGE, &link, &iface));
		TRY(steer_attach(d->steer, link.ifindex, &iface, why));
		neighbours_fresh(unit->device);
	}
	set_addresses(d, unit, link.ifindex, false);
	return ERR_OK;
}

uint32_t dataplane_link_mtu(const struct dataplane *d, const struct config_gateway *g)
{
	struct rtnl_link link;

	/* Of a tunnel keyed by hand no interface is named: the steering says what the route takes.
	 */
	if (g == NULL || rtnl_link_get(d->rtnl, g->external->device, &link))
		return LINK_MTU_USUAL;
	return link.mtu < SPU_LINK_MTU ? link.mtu : SPU_LINK_MTU;
}

/* What fits into each of its tunnels, so that the kernel answers and fragments before the SPU has
 * to. */
static uint32_t st0_mtu(const struct dataplane *d, const struct config *c,
                        const struct config_unit *unit)
{
	uint32_t least = 0;

	for (size_t i = 0; i < c->vpns; i++) {
		const struct config_vpn *v = &c->vpn[i];

		if (v->bind != unit)
			continue;
		uint32_t mtu = tunnel_inner_mtu(v, dataplane_link_mtu(d, v->gateway));
		least = least == 0 || mtu < least ? mtu : least;
	}
	return least != 0 ? least : ST0_MTU_MAX;
}

/* An address that a host inside knows as the gateway's: that of the tunnel, else of an interface
 * other than the one that leads to the peer, else of that one (RFC 1812 4.3.2.4). */
static unsigned int rank(const struct dataplane_addr *a, uint32_t st0, uint32_t external)
{
	return a->ifindex == st0 ? 3 : a->ifindex != external ? 2 : 1;
}

static bool is_answer_source(const struct addr *a, uint8_t family)
{
	if (a->family != family)
		return false;
	if (family == ADDR_V4)
		return a->b[0] != 127;
	bool link_local = a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
	return !link_local && (a->b[0] & 0xe0) != 0; /* neither ::1 */
}

void dataplane_answer_source(const struct dataplane *d, const struct config_vpn *v, uint8_t family,
                             struct addr *ret)
{
	struct rtnl_link st0 = { 0 }, external = { 0 };
	unsigned int best = 0;

	(void)!rtnl_link_get(d->rtnl, v->bind->device, &st0);
	if (v->gateway != NULL)
		(void)!rtnl_link_get(d->rtnl, v->gateway->external->device, &external);
	*ret = (struct addr){ .family = ADDR_NONE };
	for (size_t i = 0; i < d->haves; i++) {
		const struct dataplane_addr *a = &d->have[i];

		if (!is_answer_source(&a->p.addr, family) ||
		    rank(a, st0.ifindex, external.ifindex) <= best)
			continue;
		best = rank(a, st0.ifindex, external.ifindex);
		*ret = a->p.addr;
	}
}

void dataplane_far_name(const struct config_unit *unit, char name[IFNAMSIZ])
{
	(void)snprintf(name, IFNAMSIZ, "st0far.%u", unit->unit);
}

static enum err get_link(struct dataplane *d, const char *name, struct rtnl_link *ret,
                         struct why *why)
{
	enum err e = rtnl_link_get(d->rtnl, name, ret);

	return e ? why_set(why, e, "interface %s: %s", name, err_text(e)) : ERR_OK;
}

static enum err apply_st0(struct dataplane *d, const struct config *c,
                          const struct config_unit *unit, struct why *why)
{
	uint32_t mtu = st0_mtu(d, c, unit);
	char far[IFNAMSIZ];
	struct rtnl_link near_link, far_link;
	struct steer_iface iface;

	dataplane_far_name(unit, far);
	TRY(rtnl_veth_make(d->rtnl, unit->device, far, mtu, true, why));
	TRY(get_link(d, unit->device, &near_link, why));
	TRY(get_link(d, far, &far_link, why));
	if (near_link.mtu != mtu)
		TRY(rtnl_link_mtu(d->rtnl, near_link.ifindex, mtu));
	TRY(sysctl_tx_offloads_off(unit->device));
	open_to_kernel(unit->device);
	(void)!sysctl_conf_set("ipv6", far, "disable_ipv6", 1);

	TRY(fill_iface(d, unit, STEER_ST0, &near_link, &iface));
	iface.peer = far_link.ifindex;
	TRY(steer_attach(d->steer, near_link.ifindex, &iface, why));
	iface = (struct steer_iface){ .role = STEER_ST0_FAR, .peer = near_link.ifindex };
	memcpy(iface.mac, far_link.mac, sizeof(iface.mac));
	TRY(steer_attach(d->steer, far_link.ifindex, &iface, why));

	TRY(rtnl_link_up(d->rtnl, far_link.ifindex, true));
	TRY(rtnl_link_up(d->rtnl, near_link.ifindex, true));
	set_addresses(d, unit, near_link.ifindex, true);
	return ERR_OK;
}

uint32_t dataplane_st0(const struct dataplane *d, const struct config_unit *unit, uint32_t *ret_mtu)
{
	struct rtnl_link link;

	if (rtnl_link_get(d->rtnl, unit->device, &link))
		return 0;
	*ret_mtu = link.mtu;
	return link.ifindex;
}

/* ---- local addresses ----------------------------------------------------------------------- */

static void drop_foreign(void *ctx, uint16_t instance, const struct addr *a)
{
	struct dataplane *d = ctx;

	for (size_t i = 0; i < d->haves; i++)
		if (addr_equal(&d->have[i].p.addr, a))
			return;
	(void)!steer_local_del(d->steer, instance, a);
}

/* The programs know as local what the kernel has as an address, whoever put it there. */
static enum err sync_locals(struct dataplane *d)
{
	TRY(look_at_addresses(d));
	for (size_t i = 0; i < d->haves; i++)
		(void)!steer_local_set(d->steer, 0, &d->have[i].p.addr);
	steer_local_each(d->steer, drop_foreign, d);
	return ERR_OK;
}

/* ---- routes -------------------------------------------------------------------------------- */

static enum err set_route(struct dataplane *d, const struct config_route *route)
{
	struct rtnl_hop hop[CONFIG_NEXT_HOPS_MAX] = { 0 };

	_Static_assert(CONFIG_NEXT_HOPS_MAX <= RTNL_HOPS_MAX, "as many next hops");
	for (size_t i = 0; i < route->hops; i++) {
		struct rtnl_link link;

		hop[i].via = route->hop[i].addr;
		if (route->hop[i].unit == NULL)
			continue;
		TRY(rtnl_link_get(d->rtnl, route->hop[i].unit->device, &link));
		hop[i].ifindex = link.ifindex;
	}
	return rtnl_route_set(d->rtnl, &route->to, hop, route->hops);
}

static bool has_route(const struct config *c, const struct prefix *to)
{
	for (size_t i = 0; i < c->routes; i++)
		if (c->route[i].to.len == to->len && addr_equal(&c->route[i].to.addr, &to->addr))
			return true;
	return false;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static enum err apply_units(struct dataplane *d, const struct config *c, struct why *why)
{
	for (size_t i = 0; i < c->interfaces; i++) {
		const struct config_interface *f = &c->interface[i];

		for (size_t u = 0; u < f->units; u++)
			TRY(f->kind == CONFIG_IF_TUNNEL ? apply_st0(d, c, &f->unit[u], why)
			                                : apply_edge(d, &f->unit[u], why));
	}
	return ERR_OK;
}

/* A route whose interface is missing comes with the interface. */
static void apply_routes(struct dataplane *d, const struct config *c)
{
	for (size_t i = 0; i < c->routes; i++)
		(void)!set_route(d, &c->route[i]);
}

static void forget_vanished(void *ctx, uint32_t ifindex, const struct steer_iface *iface)
{
	struct dataplane *d = ctx;
	char name[IFNAMSIZ];

	(void)iface;
	if (if_indextoname(ifindex, name) == NULL)
		(void)!steer_iface_del(d->steer, ifindex);
}

static enum err make_true(struct dataplane *d, const struct config *c, struct why *why)
{
	struct steer_settings settings = { .permit_all = c->permit_all };
	int first = 32768, last = 60999; /* the kernel's defaults */

	/* Answers to our own UDP sockets come in on these ports. */
	(void)!sysctl_get_two("ipv4/ip_local_port_range", &first, &last);
	settings.reply_first = (uint16_t)first;
	settings.reply_last = (uint16_t)last;

	TRY(steer_settings_set(d->steer, &settings));
	TRY(look_at_addresses(d));
	TRY(apply_units(d, c, why));
	TRY(sync_locals(d));
	apply_routes(d, c);
	steer_iface_each(d->steer, forget_vanished, d);
	return dataplane_forwarding_on(d, c, why);
}

/* What the old configuration had and the new one has not. */
static void take_away(struct dataplane *d, const struct config *old, const struct config *c)
{
	for (size_t i = 0; i < old->routes; i++)
		if (!has_route(c, &old->route[i].to))
			(void)!rtnl_route_del(d->rtnl, &old->route[i].to);
	for (size_t i = 0; i < old->interfaces; i++)
		for (size_t u = 0; u < old->interface[i].units; u++)
			dataplane_unit_gone(d, &old->interface[i].unit[u], c);
}

enum err dataplane_apply(struct dataplane *d, const struct config *old, const struct config *c,
                         struct why *why)
{
	if (d->inbounds > STEER_INBOUNDS / 2)
		d->inbounds = 0; /* old sets are forgotten; all entries are written below */
	TRY(make_true(d, c, why));
	d->conf = c;
	if (old == NULL)
		return ERR_OK;
	take_away(d, old, c);
	/* The kernel takes more away than it was asked for: with an address those of its subnet,
	 * with a subnet the routes by it. */
	return make_true(d, c, why);
}

void dataplane_refresh(struct dataplane *d)
{
	struct why why = { "" };

	if (d->conf)
		(void)!make_true(d, d->conf, &why);
}

void dataplane_forget(struct dataplane *d)
{
	d->conf = NULL;
}

static void probe(void *ctx, uint32_t ifindex, const struct addr *next_hop, uint64_t used_ms)
{
	struct dataplane *d = ctx;

	(void)used_ms;
	(void)!rtnl_neigh_probe(d->rtnl, ifindex, next_hop);
}

void dataplane_probe_neighbours(struct dataplane *d, uint64_t now_ms)
{
	steer_nexthops(d->steer, now_ms, NEXTHOP_FORGET_MS, probe, d);
}
