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

static enum err attach(struct dataplane *d, const struct rtnl_link *link, uint32_t peer,
                       uint8_t role, uint8_t slot, struct why *why)
{
	struct steer_iface iface = { .role = role, .slot = slot, .peer = peer };

	memcpy(iface.mac, link->mac, sizeof(iface.mac));
	TRY(steer_attach(d->steer, link->ifindex, &iface, why));
	return rtnl_link_up(d->rtnl, link->ifindex, true);
}

struct made {
	struct rtnl_link re, spu;
};

static enum err make(struct dataplane *d, const struct end_names *n, uint8_t re_role,
                     uint8_t spu_role, uint8_t slot, struct made *ret, struct why *why)
{
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
	TRY(attach(d, &ret->spu, ret->re.ifindex, spu_role, slot, why));
	return attach(d, &ret->re, ret->spu.ifindex, re_role, slot, why);
}

enum err dataplane_spu_make(struct dataplane *d, const struct config_spu *spu,
                            struct dataplane_links *ret, struct why *why)
{
	struct end_names wire = names_of("wire", spu), fabric = names_of("fabric", spu);
	struct made w, f;

	TRY(make(d, &wire, STEER_WIRE_RE, STEER_WIRE_SPU, spu->slot, &w, why));
	TRY(make(d, &fabric, STEER_FABRIC_RE, STEER_FABRIC_SPU, spu->slot, &f, why));
	TRY(steer_port_set(d->steer, spu->slot, w.re.ifindex, f.re.ifindex, why));
	*ret = (struct dataplane_links){ .wire_ifindex = w.spu.ifindex,
		                         .fabric_ifindex = f.spu.ifindex,
		                         .wire_re = w.re.ifindex,
		                         .fabric_re = f.re.ifindex };
	memcpy(ret->wire, wire.spu, sizeof(ret->wire));
	memcpy(ret->fabric, fabric.spu, sizeof(ret->fabric));
	memcpy(ret->wire_re_name, wire.re, sizeof(ret->wire_re_name));
	memcpy(ret->fabric_re_name, fabric.re, sizeof(ret->fabric_re_name));
	return ERR_OK;
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
