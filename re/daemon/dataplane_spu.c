// SPDX-License-Identifier: BSD-2-Clause
/* The links of the SPUs: one veth for each port, both ends ours, both with a program, so that an
 * SPU that starts again only puts its socket into a map. */
#include "dataplane_priv.h"

#include "sysctl.h"

#include <stdio.h>
#include <string.h>

struct end_names {
	char re[IFNAMSIZ], spu[IFNAMSIZ];
};

static struct end_names names_of(const char *port, const struct config_spu *spu)
{
	struct end_names n;

	(void)snprintf(n.re, sizeof(n.re), "%s-%u-%u", port, spu->fpc, spu->pic);
	(void)snprintf(n.spu, sizeof(n.spu), "%s-%u-%up", port, spu->fpc, spu->pic);
	return n;
}

static enum err attach(struct dataplane *d, const struct rtnl_link *link, struct steer_iface iface,
                       struct why *why)
{
	memcpy(iface.mac, link->mac, sizeof(iface.mac));
	TRY(steer_attach(d->steer, link->ifindex, &iface, why));
	return rtnl_link_up(d->rtnl, link->ifindex, true);
}

struct made {
	struct rtnl_link re, spu;
};

/* spu: the entry of the SPU's end; ours differs in role and peer. */
static enum err make(struct dataplane *d, const struct end_names *n, struct steer_iface spu,
                     uint8_t re_role, struct made *ret, struct why *why)
{
	struct steer_iface re = { .role = re_role, .slot = spu.slot };

	TRY(rtnl_veth_make(d->rtnl, n->re, n->spu, SPU_LINK_MTU, true, why));
	TRY(rtnl_link_get(d->rtnl, n->re, &ret->re));
	TRY(rtnl_link_get(d->rtnl, n->spu, &ret->spu));
	/* What the programs hand to the kernel on our end is encrypted, with our own source
	 * address. The SPU's end is for its socket alone. */
	static const char *const open[] = { "accept_local", "forwarding" };
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		(void)!sysctl_conf_set("ipv4", n->re, open[i], 1);
	(void)!sysctl_conf_set("ipv4", n->re, "rp_filter", 0);
	(void)!sysctl_conf_set("ipv6", n->re, "forwarding", 1);
	(void)!sysctl_conf_set("ipv6", n->spu, "disable_ipv6", 1);
	spu.peer = ret->re.ifindex;
	re.peer = ret->spu.ifindex;
	TRY(attach(d, &ret->spu, spu, why));
	return attach(d, &ret->re, re, why);
}

static void name_links(struct dataplane_links *l, const struct end_names *wire,
                       const struct end_names *fabric)
{
	memcpy(l->wire, wire->spu, sizeof(l->wire));
	memcpy(l->fabric, fabric->spu, sizeof(l->fabric));
	memcpy(l->wire_re_name, wire->re, sizeof(l->wire_re_name));
	memcpy(l->fabric_re_name, fabric->re, sizeof(l->fabric_re_name));
}

enum err dataplane_spu_make(struct dataplane *d, const struct config_spu *spu,
                            struct dataplane_links *ret, struct why *why)
{
	struct end_names wire = names_of("wire", spu), fabric = names_of("fabric", spu);
	struct steer_iface wire_end = { .role = STEER_WIRE_SPU,
		                        .slot = spu->slot,
		                        .pass = spu->vdev[0] != '\0' };
	struct steer_iface fabric_end = { .role = STEER_FABRIC_SPU, .slot = spu->slot };
	struct made w, f;

	TRY(make(d, &wire, wire_end, STEER_WIRE_RE, &w, why));
	TRY(make(d, &fabric, fabric_end, STEER_FABRIC_RE, &f, why));
	TRY(steer_port_set(d->steer, spu->slot, w.re.ifindex, f.re.ifindex, why));
	*ret = (struct dataplane_links){ .wire_ifindex = w.spu.ifindex,
		                         .fabric_ifindex = f.spu.ifindex,
		                         .wire_re = w.re.ifindex,
		                         .fabric_re = f.re.ifindex };
	name_links(ret, &wire, &fabric);
	return ERR_OK;
}

void dataplane_spu_names(const struct config_spu *spu, struct dataplane_links *ret)
{
	struct end_names wire = names_of("wire", spu), fabric = names_of("fabric", spu);

	*ret = (struct dataplane_links){ 0 };
	name_links(ret, &wire, &fabric);
}

static enum err unmake(struct dataplane *d, const struct end_names *n)
{
	const char *const ends[] = { n->spu, n->re };
	struct rtnl_link link;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		enum err e = rtnl_link_get(d->rtnl, ends[i], &link);

		if (e == ERR_NOT_FOUND)
			continue;
		TRY(e);
		(void)!steer_iface_del(d->steer, link.ifindex);
		if (i + 1 == ARRAY_LEN(ends))
			TRY(rtnl_link_del(d->rtnl, link.ifindex));
	}
	return ERR_OK;
}

enum err dataplane_spu_del(struct dataplane *d, const struct config_spu *spu)
{
	struct end_names wire = names_of("wire", spu), fabric = names_of("fabric", spu);

	TRY(steer_port_set(d->steer, spu->slot, 0, 0, NULL));
	TRY(unmake(d, &wire));
	return unmake(d, &fabric);
}
