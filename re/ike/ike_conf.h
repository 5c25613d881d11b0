/* SPDX-License-Identifier: BSD-2-Clause */
/* What the IKE core is told to do: gateways and tunnels, as plain values.
 *
 * The owner of the loop fills these from the configuration and hands them to ike_configure(), which
 * copies all of it; nothing here needs to outlive that call. Zero-initialise, so that fields added
 * later have their defaults. The core compares a new configuration with the old one by value: leave
 * unused array entries and the bytes after a string's end zero. */
#ifndef IKE_CONF_H
#define IKE_CONF_H
#include "addr.h"
#include "algorithms.h"
#include "reader.h"

#define IKE_NAME_MAX 64
#define IKE_TRANSFORMS_MAX 4
#define IKE_PROPOSALS_MAX 4
#define IKE_PEERS_MAX 5
#define IKE_SELECTORS_MAX 8 /* each way, per child SA */
#define IKE_ID_MAX 256
#define IKE_PPK_ID_MAX 64
#define IKE_LIST_NAME_MAX 33 /* of blocklists and their rules */

/* Identification types (RFC 7296 3.5). */
enum ike_id_type {
	IKE_ID_NONE = 0, /* the address at hand */
	IKE_ID_IPV4 = 1,
	IKE_ID_FQDN = 2,
	IKE_ID_RFC822 = 3,
	IKE_ID_IPV6 = 5,
	IKE_ID_DN = 9,
	IKE_ID_KEY_ID = 11,
};

struct ike_id {
	uint8_t type; /* enum ike_id_type */
	uint16_t len;
	uint8_t b[IKE_ID_MAX]; /* as in the payload */
};

/* How two lists of proposals are matched. */
struct ike_conf_rules {
	bool strict_count; /* both lists must have as many entries */
	bool prefer_ours;  /* as responder our order rules; else the initiator's */
};

/* One IKE proposal: any one of each list may be chosen, best first. */
struct ike_conf_proposal {
	const struct alg_cipher *cipher[IKE_TRANSFORMS_MAX]; /* all AEAD, or none of them */
	size_t ciphers;
	const struct alg_integ *integ[IKE_TRANSFORMS_MAX]; /* none with AEAD */
	size_t integs;
	const struct alg_prf *prf[IKE_TRANSFORMS_MAX];
	size_t prfs;
	const struct alg_ke *ke[IKE_TRANSFORMS_MAX];
	size_t kes;
	uint32_t lifetime_s; /* hard; 0: no end */
};

enum ike_dpd_mode {
	IKE_DPD_OPTIMIZED, /* when we sent and nothing came back for an interval */
	IKE_DPD_ALWAYS,    /* at each interval */
	IKE_DPD_IDLE,      /* when nothing went either way for an interval */
};

/* A peer, or a family of peers. */
struct ike_conf_gateway {
	char name[IKE_NAME_MAX];
	uint32_t instance;               /* routing instance, copied into child records */
	struct addr local;               /* NONE: any of ours; such a gateway never initiates */
	struct addr peer[IKE_PEERS_MAX]; /* the first is the one we initiate to */
	size_t peers;                    /* 0: any address; such a gateway never initiates */
	struct ike_id local_id;          /* NONE: the local address */
	struct ike_id remote_id; /* NONE: the peer's address; with any address: whatever it says */
	struct view psk;
	struct view ppk; /* postquantum pre-shared key (RFC 8784); empty: none */
	char ppk_id[IKE_PPK_ID_MAX];
	bool ppk_required; /* no SA without it */
	struct ike_conf_proposal proposal[IKE_PROPOSALS_MAX];
	size_t proposals;
	struct ike_conf_rules rules;
	bool dpd;
	enum ike_dpd_mode dpd_mode;
	uint32_t dpd_interval_s; /* 0: no probes */
	uint32_t dpd_threshold;  /* unanswered probes until the peer is dead; 0: 5 */
	bool no_nat_traversal;   /* neither announce nor detect */
	bool force_udp_encap;    /* fake our own NAT_DETECTION_SOURCE_IP, so that ESP goes in UDP */
	bool no_fragmentation;   /* neither announce nor do RFC 7383 */
	uint16_t fragment_size;  /* of our IP packets; 0: 576 with IPv4, 1280 with IPv6 */
	uint32_t nat_keepalive_s;          /* while we are behind a NAT; 0: 20 */
	char blocklist[IKE_LIST_NAME_MAX]; /* by name, of the same configuration; empty: none */
	uint32_t connections_max;          /* peers at once; 0: no limit */
	uint32_t reauth_every; /* every so manieth rekey of the IKE SA is a reauthentication; 0:
	                          none */
};

/* One proposal for a child SA. */
struct ike_conf_child_proposal {
	uint8_t protocol;                                    /* PROTO_ESP or PROTO_AH; 0: ESP */
	const struct alg_cipher *cipher[IKE_TRANSFORMS_MAX]; /* all AEAD, or none of them */
	size_t ciphers;                                      /* 0 with AH */
	const struct alg_integ *integ[IKE_TRANSFORMS_MAX];   /* none with AEAD */
	size_t integs;
	bool esn; /* offer extended sequence numbers, then 32-bit ones; else only these */
	uint32_t lifetime_s;       /* hard; 0: no end */
	uint64_t lifetime_kb;      /* hard, of each direction; 0: no end */
	uint64_t lifetime_packets; /* hard, of each direction; 0: no end */
};

/* A range of addresses of one family, ports and a protocol (RFC 7296 3.13.1). */
struct ike_ts {
	uint8_t protocol; /* 0: any */
	uint16_t port_first, port_last;
	struct addr first, last;
};

enum ike_establish {
	IKE_ESTABLISH_ON_TRAFFIC,
	IKE_ESTABLISH_IMMEDIATELY,
	/* Never made by us; one such tunnel makes the whole gateway so. */
	IKE_ESTABLISH_RESPONDER_ONLY,
	IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY, /* nor made anew */
};

/* A tunnel: what one child SA after the other is made for. */
struct ike_conf_tunnel {
	uint32_t index; /* as in the TunnelRecord, 131073 upward */
	char vpn[IKE_NAME_MAX];
	char gateway[IKE_NAME_MAX]; /* by name, of the same configuration */
	struct ike_conf_child_proposal proposal[IKE_PROPOSALS_MAX];
	size_t proposals;
	struct ike_conf_rules rules;
	uint16_t window; /* replay window in packets: 0 or 64, 128, ... 4096 */
	struct ike_ts local[IKE_SELECTORS_MAX], remote[IKE_SELECTORS_MAX];
	size_t locals, remotes;
	const struct alg_ke *pfs; /* of a child made or rekeyed by CREATE_CHILD_SA; NULL: none */
	enum ike_establish establish;
	uint32_t idle_s; /* without a packet either way for so long its SAs are deleted; 0: never */
};

/* ---- protection (RFC 8019) ----------------------------------------------------------------- */

/* One rule of a blocklist: the first that fits the peer's identity decides. */
struct ike_conf_rule {
	char name[IKE_LIST_NAME_MAX];
	bool peer_responds; /* the peer's role; false: it initiates */
	uint8_t id_type;
	const char *pattern; /* of the whole identity, as ere.h reads it */
	bool reject;         /* say AUTHENTICATION_FAILED; else say nothing */
	uint32_t backoff_s;  /* 0: what holds for any failure of authentication */
};

struct ike_conf_blocklist {
	char name[IKE_LIST_NAME_MAX];
	const struct ike_conf_rule *rule;
	size_t rules;
};

enum ike_rate { IKE_RATE_IKE_REKEY, IKE_RATE_IPSEC_REKEY, IKE_RATE_KEEPALIVE, IKE_RATES };

/* What holds for all peers together. */
struct ike_conf_session {
	uint32_t half_open_max; /* answered but not authenticated; 0: 300 */
	/* From so many half-open SAs on: cookies; a shorter life. 0: at 150, at 225 for 30 s, where
	 * half_open_max is 0 too; else never. */
	uint32_t cookie_at, reduce_at;
	uint32_t reduced_timeout_s;
	uint32_t half_open_timeout_s; /* 0: 60 */
	bool discard_duplicate;       /* a second IKE_SA_INIT of a peer that is negotiating */
	uint32_t backoff_init_s, backoff_auth_s; /* after a failure; 0: none */
	struct {
		uint32_t count, seconds; /* count 0: no limit */
	} rate[IKE_RATES];
};

struct ike_conf {
	const struct ike_conf_gateway *gateway;
	size_t gateways;
	const struct ike_conf_tunnel *tunnel;
	size_t tunnels;
	const struct ike_conf_blocklist *blocklist;
	size_t blocklists;
	struct ike_conf_session session;
};

#endif
