// SPDX-License-Identifier: BSD-2-Clause
/* The top of the tree, and what is known of the rest */
#include "schema.h"

/* clang-format off */
static const struct schema potential_violation[] = {
	NOT_YET("authentication", "Alarm on failures of authentication"),
	NOT_YET("cryptographic-self-test", "Alarm on a failed self-test"),
	NOT_YET("decryption-failures", "Alarm on failures of decryption"),
	NOT_YET("encryption-failures", "Alarm on failures of encryption"),
	{ "idp", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, MARK_PARSE_ONLY,
	  "Alarm on violations of intrusion policies", NULL },
	NOT_YET("ike-phase1-failures", "Alarm on failed IKE negotiations"),
	NOT_YET("ike-phase2-failures", "Alarm on failed IPsec negotiations"),
	NOT_YET("key-generation-self-test", "Alarm on a failed self-test"),
	NOT_YET("non-cryptographic-self-test", "Alarm on a failed self-test"),
	NOT_YET("replay-attacks", "Alarm on replayed packets"),
	{ 0 }
};

static const struct schema alarms[] = {
	NOT_YET("audible", "A beep with each alarm"),
	{ "potential-violation", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Alarms", potential_violation },
	{ 0 }
};

static const struct schema identity_source[] = {
	{ "disable", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, MARK_PARSE_ONLY, "Do not use it", NULL },
	{ "priority", LEAF, UINT(0, 65535), NULL, NULL, EFFECT_NONE, MARK_PARSE_ONLY, "Its rank", NULL },
	{ 0 }
};

static const struct schema user_identification[] = {
	{ "authentication-source", LIST,
	  WORDS("local-authentication-table unified-access-control"), NULL, NULL, EFFECT_NONE, 0,
	  "Where roles of users come from", identity_source },
	{ 0 }
};

/* MSS of TCP in tunnels; without a value 1320. */
static const struct schema ipsec_vpn_mss[] = {
	{ "mss", LEAF, UINT(64, 65535), "bytes", "1320", EFFECT_NONE, 0,
	  "The largest value that passes", NULL },
	{ 0 }
};

static const struct schema tcp_mss[] = {
	NOT_YET("all-tcp", "MSS of all TCP connections"),
	NOT_YET("gre-in", "MSS of TCP that comes out of GRE"),
	NOT_YET("gre-out", "MSS of TCP that goes into GRE"),
	{ "ipsec-vpn", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, MARK_BARE,
	  "MSS of TCP connections through tunnels: lowered in SYN and SYN/ACK, in both directions",
	  ipsec_vpn_mss },
	{ 0 }
};

static const struct schema flow[] = {
	{ "tcp-mss", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "TCP MSS", tcp_mss },
	{ 0 }
};

static const struct schema security[] = {
	NOT_YET("address-book", "Addresses with names"),
	{ "alarms", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Alarms", alarms },
	{ "flow", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "What is done to packets in passing", flow },
	REFUSED("group-vpn", "group VPN is not supported", "Group VPN"),
	{ "ike", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Internet Key Exchange", schema_ike },
	{ "ipsec", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Tunnels", schema_ipsec },
	NOT_YET("log", "Log of security events"),
	NOT_YET("nat", "Address translation"),
	NOT_YET("pki", "Certificates"),
	{ "policies", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "What may be forwarded", schema_policies },
	NOT_YET("screen", "Protection against attacks"),
	{ "user-identification", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Roles of users", user_identification },
	{ "zones", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Zones", schema_zones },
	{ 0 }
};

static const struct schema top[] = {
	NOT_YET("access", "Access profiles and address pools"),
	{ "chassis", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "SPUs", schema_chassis },
	{ "interfaces", LIST, VALUE(TYPE_INTERFACE), NULL, NULL, EFFECT_PEER, MARK_BLOCK,
	  "An interface: Linux names (eth1) and Junos names (ge-0/0/3, lo0, st0)", schema_interface },
	NOT_YET("routing-instances", "Routing instances"),
	{ "routing-options", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Routes", schema_routing },
	{ "security", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Zones, policies, IKE, IPsec", security },
	NOT_YET("services", "The services personality (services ipsec-vpn)"),
	NOT_YET("system", "Host name, logins, self-tests"),
	{ 0 }
};

const struct schema schema_root = { "", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "", top };
