/* SPDX-License-Identifier: BSD-2-Clause */
/* From configuration to wanted tunnels: their indexes, their records, and what IKE is told.
 *
 * A tunnel is one configured VPN. Its index belongs to it, not to an SA: it is kept in the tunnel's
 * record over rekeys, restarts and configuration changes (operational commands: 131073 upward).
 * Pure; borrows from the configuration. */
#ifndef TUNNEL_H
#define TUNNEL_H
#include "errors.h"
#include "ike_conf.h"
#include "model.h"

#define TUNNEL_INDEX_FIRST 131073
#define TUNNELS_MAX 65536

struct tunnel {
	uint32_t index;
	char vpn[CONFIG_NAME_MAX];
	const struct config_vpn *conf; /* borrowed from the configuration; NULL: no longer wanted */
	uint8_t engine;                /* an operator's choice, enum Hawser__EngineChoice */
	uint8_t anchor;                /* of the SA that packets take now */
	bool has_sa;
};

struct tunnels {
	struct tunnel *at; /* owns; in order of index */
	size_t n;
};

/* Matches the configured VPNs with the tunnels that are known by name; new ones get the lowest free
 * indexes, and tunnels whose VPN is gone stay with conf NULL, for the caller to delete. */
enum err tunnels_plan(struct tunnels *t, const struct config *c) MUST_CHECK;
/* Adds one that a record tells of; before tunnels_plan(). ERR_DUPLICATE for an index or name again.
 */
enum err tunnels_know(struct tunnels *t, const struct tunnel *known) MUST_CHECK;
/* Into an empty one. */
enum err tunnels_copy(struct tunnels *to, const struct tunnels *from) MUST_CHECK;
/* The configuration they point into is about to go. */
void tunnels_forget_conf(struct tunnels *t);
/* Forgets those without configuration. */
void tunnels_prune(struct tunnels *t);
void tunnels_done(struct tunnels *t);

/* The longest packet that surely fits into the VPN's tunnel over a link that takes link_mtu bytes,
 * whichever of its proposals is chosen, in UDP or not. Never below what IPv6 needs (1280): the SPU
 * fragments the encrypted packet where it must. */
uint32_t tunnel_inner_mtu(const struct config_vpn *v, uint32_t link_mtu);

struct tunnel *tunnels_find(const struct tunnels *t, uint32_t index);

/* What IKE is told. The arrays are owned by it; names, keys and algorithms borrowed. */
struct tunnel_ike_conf {
	struct ike_conf conf;
	struct ike_conf_gateway *gateway;     /* owns */
	struct ike_conf_tunnel *tunnel;       /* owns */
	struct ike_conf_blocklist *blocklist; /* owns */
	struct ike_conf_rule *rule;           /* owns; of all lists */
};
enum err tunnels_ike_conf(const struct tunnels *t, const struct config *c,
                          struct tunnel_ike_conf *ret) MUST_CHECK;
void tunnels_ike_conf_done(struct tunnel_ike_conf *k);

#endif
