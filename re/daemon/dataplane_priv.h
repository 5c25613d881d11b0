/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files of the data plane's set-up: dataplane.c (what the configuration wants),
 * dataplane_spu.c (links of the SPUs), dataplane_remove.c (taking things away again). */
#ifndef DATAPLANE_PRIV_H
#define DATAPLANE_PRIV_H
#include "dataplane.h"
#include "inbound.h"

#define ST0_MTU_MAX 1438    /* of a unit without a VPN: ESP in UDP with AES-GCM, in 1,500 bytes */
#define LINK_MTU_USUAL 1500 /* of an interface that is not there */
#define SPU_LINK_MTU 3498   /* the most that a veth with a program takes */
#define NEXTHOP_FORGET_MS 60000

struct device_name {
	char name[IFNAMSIZ];
};

/* An address that the kernel has. */
struct dataplane_addr {
	uint32_t ifindex;
	struct prefix p;
};

struct dataplane {
	struct steer *steer;            /* borrowed */
	struct rtnl *rtnl;              /* owns */
	const struct config *conf;      /* borrowed; in force */
	struct config_inbound *inbound; /* owns; profile i + 1 of the map */
	size_t inbounds;
	struct device_name *missing; /* owns; devices that were said to be missing */
	size_t missings;
	struct dataplane_addr *have; /* owns; of the last look */
	size_t haves;
	dataplane_missing_fn missing_fn;
	void *missing_ctx;
	bool forwarding;
	char statefile[256];
};

/* Remembers the namespace's switches in the state file (once), then turns forwarding on: there, and
 * on the interfaces of c, which an earlier configuration or an earlier life of ours may have left
 * off. */
enum err dataplane_forwarding_on(struct dataplane *d, const struct config *c,
                                 struct why *why) MUST_CHECK;

/* Takes away what the unit had and c does not want any more. */
void dataplane_unit_gone(struct dataplane *d, const struct config_unit *old,
                         const struct config *c);

#endif
