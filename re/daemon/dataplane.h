/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel is made to be: links, addresses, routes, and the steering programs on them.
 *
 * dataplane_apply() makes the configuration true, and dataplane_refresh() does it again whenever
 * links or addresses change: each step asks for a state, not for a change, so a restarted routing
 * engine, an interface that appears later and a link that flaps are one case. Forwarding is on only
 * while programs and routes stand (settled: 5.9). The event loop's thread. */
#ifndef DATAPLANE_H
#define DATAPLANE_H
#include "model.h"
#include "rtnl.h"
#include "steer.h"

struct dataplane;

/* Borrows steer; statefile (RUNDIR/sysctl) keeps what the switches of the namespace were before us.
 */
enum err dataplane_open(struct steer *steer, const char *statefile, struct dataplane **ret,
                        struct why *why) MUST_CHECK;
void dataplane_close(struct dataplane *d); /* what stands stays */
AUTO_DEFINE(struct dataplane, dataplane_close);

/* Makes c true; what only `old` (may be NULL) had is taken away. What is missing (an interface that
 * is not there) is said by missing() once and made when it appears. Borrows c until the next call
 * that succeeds; after an error c may be in force in part: apply what was before, with c as old. */
enum err dataplane_apply(struct dataplane *d, const struct config *old, const struct config *c,
                         struct why *why) MUST_CHECK;
void dataplane_refresh(struct dataplane *d);
/* The configuration is gone, and nothing is to be made true any more. */
void dataplane_forget(struct dataplane *d);

typedef void (*dataplane_missing_fn)(void *ctx, const char *device);
void dataplane_on_missing(struct dataplane *d, dataplane_missing_fn fn, void *ctx);

/* The links of an SPU; names and numbers of the SPU's ends. */
struct dataplane_links {
	char wire[IFNAMSIZ], fabric[IFNAMSIZ];
	uint32_t wire_ifindex, fabric_ifindex;
	/* our ends */
	char wire_re_name[IFNAMSIZ], fabric_re_name[IFNAMSIZ];
	uint32_t wire_re, fabric_re;
};
enum err dataplane_spu_make(struct dataplane *d, const struct config_spu *spu,
                            struct dataplane_links *ret, struct why *why) MUST_CHECK;
enum err dataplane_spu_del(struct dataplane *d, const struct config_spu *spu) MUST_CHECK;

/* Their names alone. */
void dataplane_spu_names(const struct config_spu *spu, struct dataplane_links *ret);

/* ifindex and MTU of an st0 unit; 0 while it is not there. */
uint32_t dataplane_st0(const struct dataplane *d, const struct config_unit *unit,
                       uint32_t *ret_mtu);

/* MTU of the interface by which the gateway's peer is reached; g may be NULL. */
uint32_t dataplane_link_mtu(const struct dataplane *d, const struct config_gateway *g);
/* Our source address of ICMP errors about packets that the VPN does not take; ADDR_NONE where we
 * have none of the family. */
void dataplane_answer_source(const struct dataplane *d, const struct config_vpn *v, uint8_t family,
                             struct addr *ret);

/* Name of the far end of an st0 unit, where what the kernel sends into it comes out. */
void dataplane_far_name(const struct config_unit *unit, char name[IFNAMSIZ]);

/* Asks the kernel to confirm the neighbours that the programs use. Once a second. */
void dataplane_probe_neighbours(struct dataplane *d, uint64_t now_ms);

/* Ends it all: forwarding off on our interfaces first, where it stays off (in IPv6 as a whole,
 * since an interface's own switch does not stop the kernel), the namespace's IPv4 switch as it was,
 * then programs and links. steer may be NULL when its programs are not to be found. What is not
 * there is no error; addresses of configured interfaces stay. */
enum err dataplane_remove(struct steer *steer, const char *statefile, struct why *why) MUST_CHECK;

#endif
