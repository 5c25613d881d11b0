// SPDX-License-Identifier: BSD-2-Clause
/* set security zones …, set security policies … */
#include "schema.h"

#define SERVICES                                                                       \
	"all any-service bootp dhcp dhcpv6 dns finger ftp http https ident-reset ike " \
	"lsping netconf ntp ping r2cp reverse-ssh reverse-telnet rlogin rpm rsh sip "  \
	"snmp snmp-trap ssh tcp-encap telnet tftp traceroute xnm-clear-text xnm-ssl"
#define PROTOCOLS                                                                \
	"all bfd bgp dvmrp igmp ldp msdp ndp nhrp ospf ospf3 pgm pim rip ripng " \
	"router-discovery rsvp sap vrrp"

/* clang-format off */
static const struct schema excepted[] = {
	{ "except", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, 0, "Not this one, although all are allowed", NULL },
	{ 0 }
};

static const struct schema host_inbound[] = {
	{ "protocols", LIST, WORDS(PROTOCOLS), NULL, NULL, EFFECT_NONE, MARK_BLOCK,
	  "Routing protocols of the gateway that may come in", excepted },
	{ "system-services", LIST, WORDS(SERVICES), NULL, NULL, EFFECT_NONE, MARK_BLOCK,
	  "Services of the gateway that may be used from here", excepted },
	{ 0 }
};

static const struct schema zone_interface[] = {
	{ "host-inbound-traffic", CONTAINER, NO_VALUE, NULL, "that of the zone", EFFECT_NONE, MARK_BARE,
	  "What the gateway itself takes on this interface, in place of the zone's", host_inbound },
	{ 0 }
};

static const struct schema zone[] = {
	NOT_YET("address-book", "Addresses with names, in the zone"),
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "host-inbound-traffic", CONTAINER, NO_VALUE, NULL, "nothing", EFFECT_NONE, 0,
	  "What the gateway itself takes from this zone", host_inbound },
	{ "interfaces", LIST, VALUE(TYPE_UNIT), NULL, NULL, EFFECT_NONE, MARK_BLOCK,
	  "An interface of the zone; each is in one zone at most", zone_interface },
	NOT_YET("screen", "Protection against attacks"),
	NOT_YET("tcp-rst", "Answer TCP without a session by a reset"),
	{ 0 }
};

const struct schema schema_zones[] = {
	NOT_YET("functional-zone", "The zone of management interfaces"),
	{ "security-zone", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_NONE, 0, "A zone", zone },
	{ 0 }
};

const struct schema schema_policies[] = {
	{ "default-policy", LEAF, WORDS("permit-all deny-all"), NULL, "deny-all", EFFECT_NONE, MARK_BLOCK,
	  "What happens to traffic that is forwarded; there are no single policies in this version", NULL },
	NOT_YET("from-zone", "Policies between two zones"),
	NOT_YET("global", "Policies between all zones"),
	NOT_YET("policy-rematch", "Check sessions again when policies change"),
	NOT_YET("traceoptions", "Trace of policies"),
	{ 0 }
};
