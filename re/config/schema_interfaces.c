// SPDX-License-Identifier: BSD-2-Clause
/* set interfaces … and set routing-options … */
#include "schema.h"

/* clang-format off */
static const struct schema next_hop_tunnel[] = {
	{ "ipsec-vpn", LEAF, REFERENCE("security ipsec vpn"), NULL, NULL, EFFECT_NONE, MARK_MUST,
	  "The tunnel to that next hop", NULL },
	{ 0 }
};

static const struct schema inet[] = {
	{ "address", LIST, VALUE(TYPE_HOST4), NULL, NULL, EFFECT_PEER, 0, "An address, with the length of its network", NULL },
	{ "next-hop-tunnel", LIST, VALUE(TYPE_ADDRESS4), NULL, NULL, EFFECT_NONE, 0,
	  "On a multipoint st0 unit: which tunnel leads to this next hop", next_hop_tunnel },
	{ 0 }
};

static const struct schema inet6[] = {
	{ "address", LIST, VALUE(TYPE_HOST6), NULL, NULL, EFFECT_PEER, 0, "An address, with the length of its network", NULL },
	{ "next-hop-tunnel", LIST, VALUE(TYPE_ADDRESS6), NULL, NULL, EFFECT_NONE, 0,
	  "On a multipoint st0 unit: which tunnel leads to this next hop", next_hop_tunnel },
	{ 0 }
};

static const struct schema family[] = {
	{ "inet", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_BARE, "IPv4", inet },
	{ "inet6", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_BARE, "IPv6", inet6 },
	{ 0 }
};

static const struct schema unit[] = {
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "family", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_PEER, MARK_JOIN, "Address family", family },
	{ "multipoint", FLAG, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, 0,
	  "st0 only: several tunnels share the unit, the next hop chooses", NULL },
	NOT_YET("vlan-id", "VLANs"),
	{ 0 }
};

/* interfaces NAME … */
const struct schema schema_interface[] = {
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "device", LEAF, VALUE(TYPE_DEVICE), NULL, "the name, with / written as -", EFFECT_PEER,
	  MARK_HAWSER, "The Linux device that has this name here", NULL },
	{ "unit", LIST, UINT(0, 65535), NULL, NULL, EFFECT_PEER, MARK_BARE,
	  "A logical interface; other than st0, only unit 0 in this version", unit },
	{ 0 }
};

static const struct schema route[] = {
	{ "next-hop", LEAF_LIST, VALUE(TYPE_NEXT_HOP), NULL, NULL, EFFECT_NONE, MARK_MUST,
	  "An address, or a point-to-point st0 unit; several share the traffic", NULL },
	{ 0 }
};

static const struct schema routes4[] = {
	{ "route", LIST, VALUE(TYPE_PREFIX), NULL, NULL, EFFECT_NONE, 0, "A destination", route },
	{ 0 }
};

static const struct schema routes6[] = {
	{ "route", LIST, VALUE(TYPE_PREFIX6), NULL, NULL, EFFECT_NONE, 0, "An IPv6 destination", route },
	{ 0 }
};

static const struct schema rib6[] = {
	{ "static", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Routes by hand", routes6 },
	{ 0 }
};

const struct schema schema_routing[] = {
	{ "rib", LIST, WORDS("inet6.0"), NULL, NULL, EFFECT_NONE, 0, "The table of IPv6 routes", rib6 },
	{ "static", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Routes by hand, IPv4 and IPv6", routes4 },
	{ 0 }
};
