// SPDX-License-Identifier: BSD-2-Clause
/* set security ipsec … (RFC 4301, 4303) */
#include "schema.h"

/* clang-format off */
static const struct schema proposal[] = {
	NOT_YET("allow-unauthenticated-esp", "ESP without integrity"),
	{ "authentication-algorithm", LEAF,
	  WORDS("hmac-md5-96 hmac-sha1-96 hmac-sha-256-128 hmac-sha-384 hmac-sha-512 aes-gmac-128 "
	        "aes-gmac-192 aes-gmac-256"),
	  NULL, "hmac-sha-256-128", EFFECT_CHILDREN, 0,
	  "Integrity of the packets; none with a cipher that has its own; aes-gmac-… with AH only", NULL },
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "encryption-algorithm", LEAF,
	  WORDS("des-cbc 3des-cbc aes-128-cbc aes-192-cbc aes-256-cbc aes-128-gcm aes-192-gcm "
	        "aes-256-gcm chacha20-poly1305 null null-aes-128-gmac null-aes-192-gmac "
	        "null-aes-256-gmac aes-128-gcm-iiv aes-256-gcm-iiv chacha20-poly1305-iiv"),
	  NULL, "aes-256-gcm, aes-128-gcm", EFFECT_CHILDREN, 0,
	  "Cipher of the packets; the default is with its own integrity, as gcm, poly1305, gmac are", NULL },
	{ "extended-sequence-number", FLAG, NO_VALUE, NULL, NULL, EFFECT_CHILDREN, MARK_HAWSER,
	  "Offer sequence numbers of 64 bits (RFC 4304), and those of 32 for peers without", NULL },
	{ "lifetime-kilobytes", LEAF, UINT(64, 1048576), "kilobytes", NULL, EFFECT_NEXT, 0,
	  "Volume of each direction, of inner packets in units of 1024 bytes, after which the IPsec SAs end; "
	  "at nine tenths of it they are made anew", NULL },
	{ "lifetime-packets", LEAF, UINT(64, UINT32_MAX), "packets", NULL, EFFECT_NEXT, MARK_HAWSER,
	  "Packets of each direction after which the IPsec SAs end; at nine tenths of them they are made anew",
	  NULL },
	{ "lifetime-seconds", LEAF, UINT(180, 86400), "seconds", "3600", EFFECT_NEXT, 0,
	  "Lifetime of the IPsec SAs; at its end they are deleted and, where wanted, made anew", NULL },
	{ "protocol", LEAF, WORDS_LATER("ah esp", "bundle"), NULL, "esp", EFFECT_CHILDREN, 0,
	  "The protocol of the packets", NULL },
	{ 0 }
};

static const struct schema pfs[] = {
	{ "keys", LEAF,
	  WORDS("group1 group2 group5 group14 group15 group16 group19 group20 group21 group24 group31 group32"),
	  NULL, NULL, EFFECT_CHILDREN, MARK_MUST,
	  "Group of the additional key exchange when SAs are made without a new IKE SA", NULL },
	{ 0 }
};

static const struct schema policy[] = {
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "match-mode", LEAF, WORDS("any strict-count"), NULL, "any", EFFECT_CHILDREN, MARK_HAWSER,
	  "Whether any common proposal will do, or both ends must have as many", NULL },
	{ "perfect-forward-secrecy", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_CHILDREN, 0,
	  "A key exchange of its own for each IPsec SA", pfs },
	{ "proposal-preference", LEAF, WORDS("initiator responder"), NULL, "initiator", EFFECT_CHILDREN, MARK_HAWSER,
	  "Whose order of proposals and algorithms rules; asked by the end that responds", NULL },
	{ "proposal-set", LEAF,
	  WORDS("basic compatible prime-128 prime-256 standard suiteb-gcm-128 suiteb-gcm-256"),
	  NULL, NULL, EFFECT_CHILDREN, 0, "A predefined list in place of proposals", NULL },
	{ "proposals", LEAF_LIST, REFERENCE("security ipsec proposal"), NULL, NULL, EFFECT_CHILDREN,
	  0, "One to four IPsec proposals, the best first", NULL },
	{ 0 }
};

static const struct schema proxy_identity[] = {
	{ "local", LEAF, VALUE(TYPE_PREFIX), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "What our side of the tunnel carries", NULL },
	{ "remote", LEAF, VALUE(TYPE_PREFIX), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "What the peer's side of the tunnel carries", NULL },
	{ "service", LEAF, WORDS("any all"), NULL, "any", EFFECT_TUNNEL, 0,
	  "Protocols and ports; all is another word for any", NULL },
	{ 0 }
};

static const struct schema vpn_ike[] = {
	{ "anti-replay-window-size", LEAF, POWER2(64, 4096), "packets", "64", EFFECT_TUNNEL, MARK_HAWSER,
	  "Packets that may come late; at most 1024 in this version", NULL },
	{ "gateway", LEAF, REFERENCE("security ike gateway"), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "The peer", NULL },
	{ "idle-time", LEAF, UINT(60, 999999), "seconds", NULL, EFFECT_NEXT, 0,
	  "Without a packet either way for so long the IPsec SAs are deleted", NULL },
	NOT_YET("install-interval", "Delay before a rekeyed outbound SA is used"),
	{ "ipsec-policy", LEAF, REFERENCE("security ipsec policy"), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "Proposals of the IPsec SAs", NULL },
	{ "no-anti-replay", FLAG, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, 0,
	  "Take packets twice if they come twice", NULL },
	{ "proxy-identity", CONTAINER, NO_VALUE, NULL, "everything, of the families of the st0 unit",
	  EFFECT_TUNNEL, 0, "What the tunnel carries", proxy_identity },
	{ 0 }
};

static const struct schema traffic_selector[] = {
	{ "local-ip", LEAF, VALUE(TYPE_PREFIX), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "What our side of the tunnel carries", NULL },
	{ "remote-ip", LEAF, VALUE(TYPE_PREFIX), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "What the peer's side of the tunnel carries", NULL },
	{ 0 }
};

static const struct schema vpn[] = {
	{ "bind-interface", LEAF, VALUE(TYPE_UNIT), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "The st0 unit: routes to it lead into the tunnel", NULL },
	{ "copy-outer-dscp", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Decrypted packets take the DSCP of the outer header, in place of their own", NULL },
	{ "df-bit", LEAF, WORDS("clear copy set"), NULL, "clear", EFFECT_TUNNEL, 0,
	  "Don't-fragment bit of the outer header", NULL },
	{ "establish-tunnels", LEAF,
	  WORDS("immediately on-traffic responder-only responder-only-no-rekey"),
	  NULL, "on-traffic", EFFECT_START, 0,
	  "When we negotiate; responder-only: never, but tunnels that are up are made anew; "
	  "responder-only-no-rekey: nor that", NULL },
	{ "fragmentation", LEAF, WORDS("pre-encryption post-encryption"), NULL, "pre-encryption",
	  EFFECT_NONE, MARK_HAWSER,
	  "What is fragmented where a packet is too big for the way to the peer: the packet itself, or "
	  "the encrypted one", NULL },
	{ "ike", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, 0,
	  "A tunnel that IKE negotiates; this or manual", vpn_ike },
	{ "manual", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, 0,
	  "A tunnel with keys by hand: no peer authentication, no lifetime, no replay check", schema_manual },
	{ "traffic-selector", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_TUNNEL, 0,
	  "What the tunnel carries: one of each family, in place of proxy-identity", traffic_selector },
	NOT_YET("vpn-monitor", "Pings through the tunnel"),
	{ 0 }
};

const struct schema schema_ipsec[] = {
	REFUSED("allow-legacy-algorithms", "there is no such switch; crypto-profile has its place",
	        "Replaced by crypto-profile"),
	{ "crypto-profile", LEAF, WORDS("compatible modern"), NULL, "compatible", EFFECT_NONE, MARK_HAWSER,
	  "Whether algorithms that are only for old peers are warnings or errors", NULL },
	{ "policy", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_CHILDREN, MARK_FULL,
	  "Proposals; used by VPNs", policy },
	{ "proposal", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_CHILDREN, 0,
	  "Algorithms and lifetime of IPsec SAs; what is left out has the modern default", proposal },
	REFUSED("security-association", "transport mode is not supported; use vpn",
	        "Security associations without a tunnel"),
	NOT_YET("traceoptions", "Trace of IPsec"),
	{ "vpn", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_TUNNEL, MARK_FULL, "A tunnel", vpn },
	NOT_YET("vpn-monitor-options", "Interval and threshold of vpn-monitor"),
	{ 0 }
};
