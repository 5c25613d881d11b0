// SPDX-License-Identifier: BSD-2-Clause
/* set security ike … (RFC 7296) */
#include "schema_protect.h"

/* clang-format off */
static const struct schema proposal[] = {
	{ "authentication-algorithm", LEAF,
	  WORDS("md5 sha1 sha-256 sha-384 sha-512"),
	  NULL, "sha-256", EFFECT_NEXT, 0,
	  "Hash for integrity and PRF; with an AEAD cipher it selects the PRF only", NULL },
	{ "authentication-method", LEAF,
	  WORDS_LATER("pre-shared-keys", "rsa-signatures dsa-signatures ecdsa-signatures-256 "
	              "ecdsa-signatures-384 ecdsa-signatures-521 digital-signature certificates"),
	  NULL, "pre-shared-keys", EFFECT_NEXT, 0, "How both peers prove their identity", NULL },
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "dh-group", LEAF,
	  WORDS("group1 group2 group5 group14 group15 group16 group19 group20 group21 group24 group31 group32"),
	  NULL, "group31, group19, group20, group14", EFFECT_NEXT, 0,
	  "Key exchange of the IKE SA; both peers must have it", NULL },
	{ "encryption-algorithm", LEAF,
	  WORDS("des-cbc 3des-cbc aes-128-cbc aes-192-cbc aes-256-cbc aes-128-gcm aes-192-gcm "
	        "aes-256-gcm chacha20-poly1305 null"),
	  NULL, "aes-256-gcm, aes-128-gcm", EFFECT_NEXT, 0,
	  "Cipher of the IKE SA; null is refused", NULL },
	{ "lifetime-seconds", LEAF, UINT(180, 86400), "seconds", "28800", EFFECT_NEXT, 0,
	  "Lifetime of the IKE SA; at its end it is deleted and, where wanted, made anew", NULL },
	{ 0 }
};

static const struct schema pre_shared_key[] = {
	{ "ascii-text", LEAF, VALUE(TYPE_KEY_TEXT), NULL, NULL, EFFECT_NEXT, MARK_SECRET,
	  "The key as text; the bytes of the text are the key", NULL },
	{ "hexadecimal", LEAF, VALUE(TYPE_KEY_HEX), NULL, NULL, EFFECT_NEXT, MARK_SECRET,
	  "The key in hexadecimal digits, two for each byte", NULL },
	{ 0 }
};

static const struct schema ppk[] = {
	{ "id", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_PEER, MARK_MUST,
	  "The key's name, the same at both ends; 1 to 63 characters", NULL },
	{ "key", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_JOIN | MARK_MUST | MARK_ONE,
	  "The key, the same at both ends; 32 random bytes or more", pre_shared_key },
	{ "required", FLAG, NO_VALUE, NULL, NULL, EFFECT_PEER, 0,
	  "No SA with a peer that does not have it", NULL },
	{ 0 }
};

static const struct schema policy[] = {
	{ "blocklist", LEAF, REFERENCE("security ike blocklists"), NULL, NULL, EFFECT_NEXT, 0,
	  "Identities that may not connect; looked at while a peer authenticates", NULL },
	NOT_YET("certificate", "Certificates"),
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "match-mode", LEAF, WORDS("any strict-count"), NULL, "any", EFFECT_NEXT, MARK_HAWSER,
	  "Whether any common proposal will do, or both ends must have as many", NULL },
	{ "mode", LEAF, WORDS("main aggressive"), NULL, NULL, EFFECT_NEXT, MARK_PARSE_ONLY,
	  "Mode of IKEv1", NULL },
	{ "ppk", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_HAWSER,
	  "A postquantum pre-shared key (RFC 8784) beside the key that authenticates", ppk },
	{ "pre-shared-key", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, MARK_JOIN | MARK_MUST | MARK_ONE,
	  "The key that both peers know", pre_shared_key },
	{ "proposal-preference", LEAF, WORDS("initiator responder"), NULL, "initiator", EFFECT_NEXT, MARK_HAWSER,
	  "Whose order of proposals and algorithms rules; asked by the end that responds", NULL },
	{ "proposal-set", LEAF,
	  WORDS("basic compatible prime-128 prime-256 standard suiteb-gcm-128 suiteb-gcm-256"),
	  NULL, NULL, EFFECT_NEXT, 0, "A predefined list in place of proposals", NULL },
	{ "proposals", LEAF_LIST, REFERENCE("security ike proposal"), NULL, NULL, EFFECT_NEXT,
	  0, "One to four IKE proposals, the best first", NULL },
	{ "reauth-frequency", LEAF, UINT(0, 100), NULL, "0", EFFECT_NEXT, 0,
	  "Every so manieth rekey of the IKE SA is a whole new IKE SA, whose peers prove who they are; 0: none",
	  NULL },
	{ 0 }
};

static const struct schema dead_peer_detection[] = {
	{ "always-send", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Probe at each interval, whatever traffic there is", NULL },
	{ "interval", LEAF, UINT(0, 60), "seconds", "10", EFFECT_NONE, 0,
	  "Silence of the peer before a probe is sent; 0 sends none", NULL },
	{ "optimized", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Probe only when something was sent and nothing came back (the default)", NULL },
	{ "probe-idle-tunnel", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Probe also when the tunnel is idle both ways", NULL },
	{ "threshold", LEAF, UINT(1, 5), "probes", "5", EFFECT_NONE, 0,
	  "Unanswered probes after which the peer is dead", NULL },
	{ 0 }
};

static const struct schema fragmentation[] = {
	{ "disable", FLAG, NO_VALUE, NULL, NULL, EFFECT_PEER, 0,
	  "Neither announce it nor send or take fragments", NULL },
	{ "size", LEAF, UINT(500, 1300), "bytes", "576 with IPv4, 1280 with IPv6", EFFECT_PEER, 0,
	  "Length of the largest IP packet with a part of an IKE message of ours", NULL },
	{ 0 }
};

static const struct schema key_id[] = {
	{ "ascii-text", LEAF, TEXT(1, 255), NULL, NULL, EFFECT_PEER, 0, "As text", NULL },
	{ "hexadecimal", LEAF, VALUE(TYPE_HEX), NULL, NULL, EFFECT_PEER, 0, "In hexadecimal", NULL },
	{ 0 }
};

static const struct schema identity[] = {
	NOT_YET("distinguished-name", "The subject of a certificate"),
	{ "hostname", LEAF, VALUE(TYPE_HOSTNAME), NULL, NULL, EFFECT_PEER, 0,
	  "A fully qualified domain name", NULL },
	{ "inet", LEAF, VALUE(TYPE_ADDRESS4), NULL, NULL, EFFECT_PEER, 0,
	  "An IPv4 address, as a name: no interface needs to have it", NULL },
	{ "inet6", LEAF, VALUE(TYPE_ADDRESS6), NULL, NULL, EFFECT_PEER, 0,
	  "An IPv6 address, as a name", NULL },
	{ "key-id", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_JOIN | MARK_ONE,
	  "Bytes without a meaning of their own", key_id },
	{ "user-at-hostname", LEAF, VALUE(TYPE_EMAIL), NULL, NULL, EFFECT_PEER, 0,
	  "An e-mail address", NULL },
	{ 0 }
};

static const struct schema dynamic[] = {
	{ "connections-limit", LEAF, UINT(1, 1000000), "peers", NULL, EFFECT_NEXT, 0,
	  "Peers at once, without it any number; one that is connected may always renew its SAs", NULL },
	NOT_YET("distinguished-name", "The subject of a certificate"),
	{ "hostname", LEAF, VALUE(TYPE_HOSTNAME), NULL, NULL, EFFECT_PEER, 0,
	  "The peer says that it is this domain name", NULL },
	NOT_YET("ike-user-type", "One identity for many users"),
	{ "inet", LEAF, VALUE(TYPE_ADDRESS4), NULL, NULL, EFFECT_PEER, 0,
	  "The peer says that it is this IPv4 address, wherever it comes from", NULL },
	{ "inet6", LEAF, VALUE(TYPE_ADDRESS6), NULL, NULL, EFFECT_PEER, 0,
	  "The peer says that it is this IPv6 address, wherever it comes from", NULL },
	{ "user-at-hostname", LEAF, VALUE(TYPE_EMAIL), NULL, NULL, EFFECT_PEER, 0,
	  "The peer says that it is this e-mail address", NULL },
	{ 0 }
};

static const struct schema gateway[] = {
	NOT_YET("aaa", "Authentication by a server"),
	{ "address", LEAF_LIST, VALUE(TYPE_PEER), NULL, NULL, EFFECT_PEER, 0,
	  "The peer's IPv4 or IPv6 address; this or dynamic must be there", NULL },
	{ "dead-peer-detection", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, MARK_BARE,
	  "Notice that the peer is gone; without it probes are answered but not sent",
	  dead_peer_detection },
	{ "dynamic", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, 0,
	  "A peer without a fixed address, known by its identity; it must initiate", dynamic },
	{ "external-interface", LEAF, VALUE(TYPE_UNIT), NULL, NULL, EFFECT_PEER, MARK_MUST,
	  "The interface by which IKE goes and comes", NULL },
	{ "force-udp-encapsulation", FLAG, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_HAWSER,
	  "Encapsulate ESP in UDP although there is no NAT", NULL },
	{ "fragmentation", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_JOIN | MARK_ONE,
	  "Fragmentation of IKE messages (RFC 7383), where the peer can do it too", fragmentation },
	NOT_YET("general-ikeid", "Accept any identity of the peer"),
	{ "ike-policy", LEAF, REFERENCE("security ike policy"), NULL, NULL, EFFECT_PEER, MARK_MUST,
	  "Proposals and key for this peer", NULL },
	{ "local-identity", CONTAINER, NO_VALUE, NULL, "the local address", EFFECT_PEER, MARK_JOIN | MARK_ONE,
	  "Who we say we are", identity },
	{ "nat-keepalive", LEAF, UINT(1, 300), "seconds", "5", EFFECT_NONE, 0,
	  "Longest silence towards a NAT in front of us", NULL },
	{ "no-nat-traversal", FLAG, NO_VALUE, NULL, NULL, EFFECT_PEER, 0,
	  "Do not announce NAT detection, never encapsulate ESP in UDP", NULL },
	{ "remote-identity", CONTAINER, NO_VALUE, NULL, "the peer's address", EFFECT_PEER, MARK_JOIN | MARK_ONE,
	  "Who the peer must say it is", identity },
	{ "version", LEAF, WORDS_LATER("v2-only", "v1-only"), NULL, "v2-only", EFFECT_PEER, 0,
	  "The version of IKE", NULL },
	NOT_YET("xauth", "Extended authentication of IKEv1"),
	{ 0 }
};

const struct schema schema_ike[] = {
	{ "blocklists", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_NEXT, 0,
	  "A list of identities that may not connect, by name (up to 32 characters); up to 1000",
	  schema_ike_blocklist },
	{ "gateway", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_PEER, MARK_FULL,
	  "A peer", gateway },
	{ "policy", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_NEXT, MARK_FULL,
	  "Proposals and key; used by gateways", policy },
	{ "proposal", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_NEXT, 0,
	  "Algorithms and lifetime of the IKE SA; what is left out has the modern default", proposal },
	NOT_YET("respond-bad-spi", "Answers to packets with an unknown SPI"),
	{ "session", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "Protection against IKE floods; changes are for new sessions", schema_ike_session },
	NOT_YET("traceoptions", "Trace of IKE"),
	{ 0 }
};
