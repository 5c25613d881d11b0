// SPDX-License-Identifier: BSD-2-Clause
/* Forwarding on and off, and taking the data plane away: nothing may leave in the clear meanwhile,
 * so forwarding goes first, and comes last (settled: 5.9). */
#include "dataplane_priv.h"

#include "sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const switches[] = { "ipv4/ip_forward", "ipv6/conf/all/forwarding" };

/* The state file: one line "SWITCH VALUE" for each, written once, before the first change. */
static enum err remember(const char *statefile, struct why *why)
{
	if (access(statefile, F_OK) == 0)
		return ERR_OK;
	FILE *f = fopen(statefile, "we");
	if (f == NULL)
		return why_set(why, err_from_errno(errno), "%s: %s", statefile, strerror(errno));
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		int value;

		if (sysctl_get(switches[i], &value) == ERR_OK)
			fprintf(f, "%s %d\n", switches[i], value);
	}
	return fclose(f) ? why_set(why, ERR_IO, "%s: cannot write", statefile) : ERR_OK;
}

static enum err namespace_on(struct dataplane *d, struct why *why)
{
	if (d->forwarding)
		return ERR_OK;
	TRY(remember(d->statefile, why));
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		enum err e = sysctl_set(switches[i], 1);

		if (e && e != ERR_NOT_FOUND) /* a kernel without IPv6 forwards none */
			return why_set(why, e, "/proc/sys/net/%s: cannot be set to 1: %s",
			               switches[i], err_text(e));
	}
	d->forwarding = true;
	return ERR_OK;
}

static void forwarding_set(const char *ifname, int on)
{
	(void)!sysctl_conf_set("ipv4", ifname, "forwarding", on);
	(void)!sysctl_conf_set("ipv6", ifname, "forwarding", on);
}

enum err dataplane_forwarding_on(struct dataplane *d, const struct config *c, struct why *why)
{
	TRY(namespace_on(d, why));
	for (size_t i = 0; i < c->interfaces; i++)
		for (size_t k = 0; k < c->interface[i].units; k++)
			forwarding_set(c->interface[i].unit[k].device, 1);
	return ERR_OK;
}

static void restore(const char *statefile)
{
	char line[128], name[96];
	FILE *f = fopen(statefile, "re");
	int value;

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < ARRAY_LEN(switches); i++)
			if (sscanf(line, "%95s %d", name, &value) == 2 &&
			    strcmp(name, switches[i]) == 0 && value == 0)
				(void)!sysctl_set(switches[i], 0);
	(void)fclose(f);
	(void)unlink(statefile);
}

static const struct config_unit *same_unit(const struct config *c, const struct config_unit *u)
{
	for (size_t i = 0; i < c->interfaces; i++)
		for (size_t k = 0; k < c->interface[i].units; k++)
			if (strcmp(c->interface[i].unit[k].device, u->device) == 0)
				return &c->interface[i].unit[k];
	return NULL;
}

static bool has_address(const struct config_unit *u, const struct prefix *p)
{
	for (size_t i = 0; u && i < u->addresses; i++)
		if (u->address[i].len == p->len && addr_equal(&u->address[i].addr, &p->addr))
			return true;
	return false;
}

void dataplane_unit_gone(struct dataplane *d, const struct config_unit *old, const struct config *c)
{
	const struct config_unit *now = same_unit(c, old);
	struct rtnl_link link;

	if (rtnl_link_get(d->rtnl, old->device, &link))
		return;
	for (size_t i = 0; i < old->addresses; i++)
		if (!has_address(now, &old->address[i]))
			(void)!rtnl_addr_del(d->rtnl, link.ifindex, &old->address[i]);
	if (now)
		return;
	forwarding_set(old->device, 0);
	if (old->interface->kind == CONFIG_IF_TUNNEL) /* the map is rid of both ends afterwards */
		(void)!rtnl_link_del(d->rtnl, link.ifindex);
	else if (old->interface->kind != CONFIG_IF_LOOPBACK)
		(void)!steer_detach(d->steer, link.ifindex, NULL);
}

/* ---- removal ------------------------------------------------------------------------------- */

static void off(void *ctx, uint32_t ifindex, const struct steer_iface *iface)
{
	char name[IFNAMSIZ];

	(void)ctx;
	(void)iface;
	if (if_indextoname(ifindex, name))
		forwarding_set(name, 0);
}

/* For each of our interfaces, where they are known; else for all. In IPv6 an interface's own switch
 * does not stop the kernel from forwarding, the one of all does. */
static void all_off(struct steer *steer)
{
	if (steer)
		steer_iface_each(steer, off, NULL);
	else
		(void)!sysctl_set("ipv4/ip_forward", 0);
	(void)!sysctl_set("ipv6/conf/all/forwarding", 0);
}

struct st0_addresses {
	struct steer *steer;
	struct dataplane_addr *at; /* owns */
	size_t n;
};

static void on_addr(void *ctx, uint32_t ifindex, const struct prefix *p)
{
	struct st0_addresses *a = ctx;
	struct steer_iface iface;

	if (steer_iface_get(a->steer, ifindex, &iface) || iface.role != STEER_ST0)
		return;
	struct dataplane_addr *more = realloc(a->at, (a->n + 1) * sizeof(*more));
	if (more == NULL)
		return;
	a->at = more;
	more[a->n++] = (struct dataplane_addr){ ifindex, *p };
}

/* Addresses before routes: what our own sockets send from them has no other way then. */
static void st0_addresses_off(struct rtnl *rtnl, struct steer *steer)
{
	struct st0_addresses a = { .steer = steer };

	if (steer)
		(void)!rtnl_addr_each(rtnl, on_addr, &a);
	for (size_t i = 0; i < a.n; i++)
		(void)!rtnl_addr_del(rtnl, a.at[i].ifindex, &a.at[i].p);
	free(a.at);
}

static void detach(void *ctx, uint32_t ifindex, const struct steer_iface *iface)
{
	if (iface->role == STEER_EDGE)
		(void)!steer_detach(ctx, ifindex, NULL);
}

enum err dataplane_remove(struct steer *steer, const char *statefile, struct why *why)
{
	AUTO(rtnl_close) struct rtnl *rtnl = NULL;

	TRY(rtnl_open(&rtnl, why));
	all_off(steer);
	st0_addresses_off(rtnl, steer);
	restore(statefile);
	if (steer)
		steer_iface_each(steer, detach, steer);
	enum err e = rtnl_group_del(rtnl);
	return e ? why_set(why, e, "cannot remove our interfaces: %s", err_text(e)) : ERR_OK;
}
