/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's network configuration, by rtnetlink and /proc/sys (idea 4: the kernel is the
 * router).
 *
 * Links, addresses, routes and neighbours of the network namespace that the routing engine runs in.
 * Each call is one request and its answer on a socket of its own; what is there already is no
 * error, so that a restarted routing engine may ask for the same again. Addresses alone are told to
 * every listener when they are set anew: look first. The event loop's thread. */
#ifndef RTNL_H
#define RTNL_H
#include "addr.h"
#include "errors.h"
#include <net/if.h>
#include <stdbool.h>

/* Links that we make carry this device group, so that removing them is one request. */
#define RTNL_GROUP 0x4857

struct rtnl;

enum err rtnl_open(struct rtnl **ret, struct why *why) MUST_CHECK;
void rtnl_close(struct rtnl *r);
AUTO_DEFINE(struct rtnl, rtnl_close);

struct rtnl_link {
	uint32_t ifindex;
	uint32_t mtu;
	uint8_t mac[6];
	bool up, carrier;
	char name[IFNAMSIZ];
};

/* ERR_NOT_FOUND when there is no such device. */
enum err rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *ret) MUST_CHECK;

/* Makes a veth pair of our group, with random MACs, no IPv6 address of its own making, both ends
 * down. noarp: neighbours are never asked for on the first end. */
enum err rtnl_veth_make(struct rtnl *r, const char *name, const char *peer, uint32_t mtu,
                        bool noarp, struct why *why) MUST_CHECK;
enum err rtnl_link_up(struct rtnl *r, uint32_t ifindex, bool up) MUST_CHECK;
enum err rtnl_link_mtu(struct rtnl *r, uint32_t ifindex, uint32_t mtu) MUST_CHECK;
enum err rtnl_link_del(struct rtnl *r, uint32_t ifindex) MUST_CHECK;
/* All links of our group. */
enum err rtnl_group_del(struct rtnl *r) MUST_CHECK;

typedef void (*rtnl_link_fn)(void *ctx, const struct rtnl_link *link, uint32_t group);
enum err rtnl_link_each(struct rtnl *r, rtnl_link_fn fn, void *ctx) MUST_CHECK;

typedef void (*rtnl_addr_fn)(void *ctx, uint32_t ifindex, const struct prefix *p);
enum err rtnl_addr_each(struct rtnl *r, rtnl_addr_fn fn, void *ctx) MUST_CHECK;

/* Adds or removes an address; nodad: usable at once (IPv6). */
enum err rtnl_addr_set(struct rtnl *r, uint32_t ifindex, const struct prefix *p,
                       bool nodad) MUST_CHECK;
enum err rtnl_addr_del(struct rtnl *r, uint32_t ifindex, const struct prefix *p) MUST_CHECK;

/* A next hop: via an address, or through a device alone (via ADDR_NONE), or both; ifindex 0: the
 * kernel finds the device of via. */
struct rtnl_hop {
	struct addr via;
	uint32_t ifindex;
};
#define RTNL_HOPS_MAX 8

/* Sets (or replaces) and removes a static route in the main table, with a protocol number of our
 * own. Several hops share the traffic. */
enum err rtnl_route_set(struct rtnl *r, const struct prefix *to, const struct rtnl_hop *hop,
                        size_t hops) MUST_CHECK;
enum err rtnl_route_del(struct rtnl *r, const struct prefix *to) MUST_CHECK;

/* Asks the kernel to confirm a neighbour that only XDP uses (NTF_USE). */
enum err rtnl_neigh_probe(struct rtnl *r, uint32_t ifindex, const struct addr *a) MUST_CHECK;

/* A socket that becomes readable when links or addresses change; rtnl_monitor_drain() reads it
 * empty and returns true when anything was there. */
enum err rtnl_monitor_open(int *ret_fd, struct why *why) MUST_CHECK;
bool rtnl_monitor_drain(int fd);

#endif
