/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration as the daemon uses it: typed, names resolved, defaults filled.
 *
 * config_load() reads a whole file (either form: braces or set lines), checks everything, and gives
 * either a complete struct config or none, with all errors and warnings in a report. What is left
 * out is filled from the modern profile (docs/configuration.md), so no field needs a second look
 * for "was it there". A struct config never changes after that, and owns all it points to: arrays
 * are in the order of the file, and pointers between objects live as long as the whole.
 * Pure: no files, no clock. Any thread; a loaded config may be read by several. */
#ifndef MODEL_H
#define MODEL_H
#include "addr.h"
#include "errors.h"
#include "inbound.h"
#include "reader.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alg_cipher; /* algorithms.h */
struct alg_integ;
struct alg_prf;
struct alg_ke;
struct secret; /* secret.h */
struct tree;
struct config_report;

#define CONFIG_NAME_MAX 64   /* with the final zero; names have 1 to 63 characters */
#define CONFIG_DEVICE_MAX 16 /* IFNAMSIZ */
#define CONFIG_PROPOSALS_MAX 4
#define CONFIG_TRANSFORMS_MAX 4
#define CONFIG_PEERS_MAX 5
#define CONFIG_NEXT_HOPS_MAX 8
#define CONFIG_SELECTORS_MAX 2
#define CONFIG_LIST_NAME_MAX 33 /* of blocklists and their rules */
#define CONFIG_LISTS_MAX 1000   /* blocklists; rules of each */
#define CONFIG_SPUS_MAX 64
#define CONFIG_PICS_MAX 4 /* per FPC: slot = fpc * 4 + pic, so it never moves when others come */

/* ---- chassis ------------------------------------------------------------------------------- */

enum config_offload { CONFIG_OFFLOAD_INLINE, CONFIG_OFFLOAD_SOFTWARE };
enum config_profile { CONFIG_PROFILE_GENERIC, CONFIG_PROFILE_82599 };

/* chassis fpc N pic M { port emulated|vdev ARGS; offload …; profile …; weight …; } */
struct config_spu {
	uint8_t slot; /* 0..63 */
	uint8_t fpc, pic;
	uint8_t weight; /* of 1..255, for the share of the anchors */
	enum config_offload offload;
	enum config_profile profile;
	char vdev[128]; /* arguments of DPDK's driver; empty: the emulated NIC */
};

/* ---- interfaces, zones, routes ------------------------------------------------------------- */

enum config_interface_kind {
	CONFIG_IF_PHYSICAL, /* a Linux device, ours to give XDP and addresses */
	CONFIG_IF_LOOPBACK, /* lo0: the device lo */
	CONFIG_IF_TUNNEL,   /* st0: one veth per unit, made by us */
};

/* family inet next-hop-tunnel A ipsec-vpn V: which tunnel a next hop on a multipoint unit means. */
struct config_next_hop_tunnel {
	struct addr next_hop;
	const struct config_vpn *vpn;
};

/* interfaces IF unit N. Physical interfaces have unit 0 only. */
struct config_unit {
	const struct config_interface *interface;
	uint32_t unit;
	char name[CONFIG_NAME_MAX + 12]; /* "ge-0/0/3.0", "st0.1" */
	char device[CONFIG_DEVICE_MAX];  /* Linux device: "eth1", "ge-0-0-3", "lo", "st0.1" */
	const struct config_zone *zone;  /* NULL: in no zone, its traffic is dropped */
	struct config_inbound inbound;  /* what the gateway itself takes here (zone or interface) */
	bool family_inet, family_inet6; /* stated, with or without addresses */
	struct prefix *address;         /* host bits kept: 10.1.1.1/24 */
	size_t addresses;
	bool multipoint;                                /* st0 only */
	struct config_next_hop_tunnel *next_hop_tunnel; /* st0, multipoint only */
	size_t next_hop_tunnels;
};

struct config_interface {
	char name[CONFIG_NAME_MAX];     /* as written: "ge-0/0/3", "eth1", "st0" */
	char device[CONFIG_DEVICE_MAX]; /* empty for st0 */
	enum config_interface_kind kind;
	struct config_unit *unit;
	size_t units;
};

/* security zones security-zone Z */
struct config_zone {
	char name[CONFIG_NAME_MAX];
	uint16_t index; /* 1.. in the order of the file; 0 means "no zone" */
	struct config_inbound inbound;
};

/* One next hop: an address, or a unit (a point-to-point st0 unit), never both. */
struct config_next_hop {
	struct addr addr; /* ADDR_NONE: by unit */
	const struct config_unit *unit;
};

/* routing-options static route P next-hop … (and rib inet6.0 static route …) */
struct config_route {
	struct prefix to; /* host bits are zero */
	struct config_next_hop hop[CONFIG_NEXT_HOPS_MAX];
	size_t hops;
};

/* ---- security ike -------------------------------------------------------------------------- */

/* security ike proposal P. One IKEv2 proposal: any one of each list may be chosen, best first. */
struct config_ike_proposal {
	char name[CONFIG_NAME_MAX];
	const struct alg_cipher *cipher[CONFIG_TRANSFORMS_MAX]; /* all AEAD, or none of them */
	size_t ciphers;
	const struct alg_integ *integ[CONFIG_TRANSFORMS_MAX]; /* empty with AEAD ciphers */
	size_t integs;
	const struct alg_prf *prf[CONFIG_TRANSFORMS_MAX];
	size_t prfs;
	const struct alg_ke *ke[CONFIG_TRANSFORMS_MAX];
	size_t kes;
	uint32_t lifetime_s;
};

/* match-mode and proposal-preference of a policy. */
struct config_match {
	bool strict_count;     /* both ends must have as many proposals */
	bool prefer_responder; /* as responder our order rules; else the initiator's */
};

/* security ike blocklists L rule R */
struct config_rule {
	char name[CONFIG_LIST_NAME_MAX];
	bool peer_responds;
	uint8_t id_type;    /* enum config_id_type */
	char pattern[260];  /* as ere.h reads it */
	bool reject;        /* else discard */
	uint32_t backoff_s; /* 0: auth-phase-failure */
};

struct config_blocklist {
	char name[CONFIG_LIST_NAME_MAX];
	struct config_rule *rule;
	size_t rules;
};

enum { CONFIG_RATE_IKE_REKEY, CONFIG_RATE_IPSEC_REKEY, CONFIG_RATE_KEEPALIVE, CONFIG_RATES };

/* security ike session; of what is 0, the IKE core has defaults or no limit (ike_conf.h). */
struct config_session {
	uint32_t half_open_max, half_open_timeout_s;
	uint32_t cookie_at, reduce_at, reduced_timeout_s;
	bool discard_duplicate;
	uint32_t backoff_init_s, backoff_auth_s;
	struct {
		uint32_t count, seconds;
	} rate[CONFIG_RATES];
};

/* security ike policy P */
struct config_ike_policy {
	char name[CONFIG_NAME_MAX];
	struct config_ike_proposal *set; /* owns: what a proposal-set stands for; NULL: none */
	struct config_match match;
	const struct config_ike_proposal *proposal[CONFIG_PROPOSALS_MAX];
	size_t proposals;
	uint32_t reauth_every; /* of rekeys; 0: none */
	struct secret *psk;    /* owns; never NULL: pre-shared keys are the only method so far */
	struct secret *ppk;    /* owns; postquantum (RFC 8784); NULL: none */
	char ppk_id[CONFIG_NAME_MAX];
	bool ppk_required;
	const struct config_blocklist *blocklist; /* NULL: none */
};

/* Identification payload types (RFC 7296 3.5). */
enum config_id_type {
	CONFIG_ID_NONE = 0,
	CONFIG_ID_IPV4_ADDR = 1,
	CONFIG_ID_FQDN = 2,
	CONFIG_ID_RFC822_ADDR = 3,
	CONFIG_ID_IPV6_ADDR = 5,
	CONFIG_ID_DN = 9,
	CONFIG_ID_KEY_ID = 11,
};

struct config_identity {
	enum config_id_type type; /* NONE: the address at hand, see struct config_gateway */
	uint16_t len;
	uint8_t bytes[256]; /* as in the payload; one zero follows, so text types print as they are
	                     */
};

enum config_dpd_mode { CONFIG_DPD_OPTIMIZED, CONFIG_DPD_ALWAYS_SEND, CONFIG_DPD_PROBE_IDLE };

/* security ike gateway G. IKEv2 only in this version. */
struct config_gateway {
	char name[CONFIG_NAME_MAX];
	const struct config_ike_policy *policy;
	bool v2_stated; /* version v2-only is there, rather than left to be the default */
	const struct config_unit *external; /* the interface that IKE leaves and must arrive by */
	struct addr peer[CONFIG_PEERS_MAX]; /* the primary first */
	size_t peers;                       /* 0 with dynamic, else 1 in this version */
	uint32_t connections_max;           /* 0: no limit */
	struct addr local; /* external's first address of the peer's family, or NONE */
	struct config_identity local_id;  /* NONE: the local address of the exchange */
	struct config_identity remote_id; /* NONE: the peer's address as configured */
	bool dpd;
	enum config_dpd_mode dpd_mode;
	uint32_t dpd_interval_s; /* 0: no probes */
	uint32_t dpd_threshold;
	uint32_t nat_keepalive_s;
	bool nat_traversal;           /* no-nat-traversal clears it */
	bool force_udp_encapsulation; /* pretend to be behind a NAT */
	bool fragmentation;           /* of IKE messages; fragmentation disable clears it */
	uint32_t fragment_size;       /* 0: not configured */
};

/* ---- security ipsec ------------------------------------------------------------------------ */

/* security ipsec proposal P. Ciphers are all AEAD, or none of them; AH has none, AEAD no integrity.
 */
struct config_ipsec_proposal {
	char name[CONFIG_NAME_MAX];
	uint8_t protocol; /* PROTO_ESP or PROTO_AH */
	const struct alg_cipher *cipher[CONFIG_TRANSFORMS_MAX];
	size_t ciphers;
	const struct alg_integ *integ[CONFIG_TRANSFORMS_MAX];
	size_t integs;
	bool esn; /* offer extended sequence numbers; without it only 32-bit ones are offered */
	uint32_t lifetime_s;
	uint32_t lifetime_kb, lifetime_packets; /* of each direction; 0: no end */
};

/* security ipsec policy P */
struct config_ipsec_policy {
	char name[CONFIG_NAME_MAX];
	struct config_ipsec_proposal *set; /* owns: what a proposal-set stands for; NULL: none */
	struct config_match match;
	const struct config_ipsec_proposal *proposal[CONFIG_PROPOSALS_MAX];
	size_t proposals;
	const struct alg_ke *pfs; /* NULL: none */
};

enum config_df { CONFIG_DF_CLEAR, CONFIG_DF_SET, CONFIG_DF_COPY };
enum config_establish {
	CONFIG_ESTABLISH_ON_TRAFFIC,
	CONFIG_ESTABLISH_IMMEDIATELY,
	CONFIG_ESTABLISH_RESPONDER_ONLY,
	CONFIG_ESTABLISH_RESPONDER_ONLY_NO_REKEY,
};

/* One pair of traffic selectors, both of one family; any protocol, any port. */
struct config_selector {
	struct prefix local, remote; /* host bits are zero */
};

/* security ipsec vpn V manual: SPI and keys are those of both directions. */
struct config_manual {
	struct addr local, remote; /* local NONE: the interface has no address of that family */
	uint8_t protocol;          /* PROTO_ESP, PROTO_AH */
	uint32_t spi;
	const struct alg_cipher *cipher; /* with ESP; NULL encryption where none is configured */
	const struct alg_integ *integ;
	struct secret *cipher_key; /* owns; NULL: none */
	struct secret *auth_key;   /* owns */
};

/* security ipsec vpn V, route-based: bound to an st0 unit. */
struct config_vpn {
	char name[CONFIG_NAME_MAX];
	const struct config_gateway *gateway;     /* NULL: keyed by hand */
	const struct config_ipsec_policy *policy; /* likewise */
	struct config_manual *manual;             /* owns; NULL: keyed by IKE */
	const struct config_unit *bind;           /* st0.N */
	enum config_establish establish;
	uint32_t idle_s; /* 0: never */
	enum config_df df;
	bool post_fragmentation; /* fragmentation post-encryption */
	bool copy_outer_dscp;
	uint32_t tcp_mss;       /* security flow tcp-mss ipsec-vpn; 0: not there */
	uint32_t replay_window; /* packets: 64, 128, 256, 512, 1024; 0: no-anti-replay */
	/* At most one pair per family: proxy-identity or traffic-selector; else everything, of the
	 * families that the st0 unit has (of the gateway's address if it states none). */
	struct config_selector selector[CONFIG_SELECTORS_MAX];
	size_t selectors;
};

/* ---- the whole ----------------------------------------------------------------------------- */

struct config {
	struct config_spu *spu;
	size_t spus;
	struct config_interface *interface;
	size_t interfaces;
	struct config_zone *zone;
	size_t zones;
	struct config_route *route;
	size_t routes;
	bool permit_all; /* security policies default-policy permit-all */
	struct config_ike_proposal *ike_proposal;
	size_t ike_proposals;
	struct config_session session;
	struct config_blocklist *blocklist;
	size_t blocklists;
	struct config_ike_policy *ike_policy;
	size_t ike_policies;
	struct config_gateway *gateway;
	size_t gateways;
	struct config_ipsec_proposal *ipsec_proposal;
	size_t ipsec_proposals;
	struct config_ipsec_policy *ipsec_policy;
	size_t ipsec_policies;
	struct config_vpn *vpn;
	size_t vpns;
	struct tree *tree; /* owns: what was read, for show configuration (grammar.h writes it) */
};

/* Reads and checks a configuration. file is the name that messages carry. On success *ret_config is
 * the caller's; otherwise it is untouched. The report (report.h, initialised by the caller) gets
 * all errors and warnings, in both cases. */
enum err config_load(const char *file, struct reader text, struct config **ret_config,
                     struct config_report *report) MUST_CHECK;

/* Wipes the secrets; takes NULL and half-built ones. */
void config_free(struct config *c);
AUTO_DEFINE(struct config, config_free);

/* By name; NULL when there is none. A unit's name is "st0.1", "ge-0/0/3.0", or without the unit. */
const struct config_zone *config_zone_find(const struct config *c, const char *name);
const struct config_unit *config_unit_find(const struct config *c, const char *name);
const struct config_gateway *config_gateway_find(const struct config *c, const char *name);
const struct config_vpn *config_vpn_find(const struct config *c, const char *name);

#endif
