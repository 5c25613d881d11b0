// SPDX-License-Identifier: BSD-2-Clause
#include "inbound.h"

#include <netinet/in.h>

#define TCP(first, last)                    \
	{                                   \
		0, IPPROTO_TCP, first, last \
	}
#define UDP(first, last)                    \
	{                                   \
		0, IPPROTO_UDP, first, last \
	}
#define TCP1(port) TCP(port, port)
#define UDP1(port) UDP(port, port)
#define ICMP4(type)                         \
	{                                   \
		4, IPPROTO_ICMP, type, type \
	}
#define ICMP6(first, last)                     \
	{                                      \
		6, IPPROTO_ICMPV6, first, last \
	}
#define PROTO(family, number)        \
	{                            \
		family, number, 0, 0 \
	}

/* clang-format off */
const struct inbound_row inbound_services[] = {
	{ "bootp",          { UDP(67, 68) } },
	{ "dhcp",           { UDP(67, 68) } },
	{ "dhcpv6",         { UDP(546, 547) } },
	{ "dns",            { UDP1(53), TCP1(53) } },
	{ "finger",         { TCP1(79) } },
	{ "ftp",            { TCP(20, 21) } },
	{ "http",           { TCP1(80) } },
	{ "https",          { TCP1(443) } },
	{ "ident-reset",    { TCP1(113) } },
	{ "ike",            { UDP1(500), UDP1(4500) } },
	{ "lsping",         { UDP1(3503) } },
	{ "netconf",        { TCP1(830) } },
	{ "ntp",            { UDP1(123) } },
	{ "ping",           { ICMP4(8), ICMP6(128, 128) } },
	{ "r2cp",           { UDP1(28762) } },
	{ "reverse-ssh",    { TCP1(2901) } },
	{ "reverse-telnet", { TCP1(2900) } },
	{ "rlogin",         { TCP1(513) } },
	{ "rpm",            { UDP1(7), TCP1(7) } },
	{ "rsh",            { TCP1(514) } },
	{ "sip",            { UDP1(5060), TCP(5060, 5061) } },
	{ "snmp",           { UDP1(161) } },
	{ "snmp-trap",      { UDP1(162) } },
	{ "ssh",            { TCP1(22) } },
	{ "tcp-encap",      { TCP1(4500) } },
	{ "telnet",         { TCP1(23) } },
	{ "tftp",           { UDP1(69) } },
	{ "traceroute",     { UDP(33434, 33534) } },
	{ "xnm-clear-text", { TCP1(3221) } },
	{ "xnm-ssl",        { TCP1(3220) } },
	{ 0 }
};

const struct inbound_row inbound_protocols[] = {
	{ "bfd",              { UDP(3784, 3785), UDP1(4784) } },
	{ "bgp",              { TCP1(179) } },
	{ "dvmrp",            { PROTO(4, IPPROTO_IGMP) } },
	{ "igmp",             { PROTO(4, IPPROTO_IGMP) } },
	{ "ldp",              { UDP1(646), TCP1(646) } },
	{ "msdp",             { TCP1(639) } },
	{ "ndp",              { ICMP6(133, 137) } },
	{ "nhrp",             { PROTO(0, 54) } },
	{ "ospf",             { PROTO(4, 89) } },
	{ "ospf3",            { PROTO(6, 89) } },
	{ "pgm",              { PROTO(0, 113) } },
	{ "pim",              { PROTO(0, IPPROTO_PIM) } },
	{ "rip",              { UDP1(520) } },
	{ "ripng",            { UDP1(521) } },
	{ "router-discovery", { ICMP4(9), ICMP4(10) } },
	{ "rsvp",             { PROTO(0, IPPROTO_RSVP) } },
	{ "sap",              { UDP1(9875) } },
	{ "vrrp",             { PROTO(0, 112) } },
	{ 0 }
};
/* clang-format on */

struct packet {
	uint8_t family, protocol;
	uint16_t port;
};

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP ||
	       protocol == IPPROTO_ICMPV6;
}

static bool row_matches(const struct inbound_row *row, const struct packet *k)
{
	for (size_t i = 0; i < INBOUND_MATCHES_MAX && row->match[i].protocol; i++) {
		const struct inbound_match *m = &row->match[i];

		if (m->protocol != k->protocol || (m->family && m->family != k->family))
			continue;
		if (!has_ports(k->protocol) ||
		    (k->port >= m->port_first && k->port <= m->port_last))
			return true;
	}
	return false;
}

/* The bits of the rows that match. */
static uint64_t rows_matching(const struct inbound_row *rows, const struct packet *k)
{
	uint64_t bits = 0;

	for (size_t i = 0; rows[i].name; i++)
		if (row_matches(&rows[i], k))
			bits |= (uint64_t)1 << i;
	return bits;
}

bool inbound_allows(const struct config_inbound *in, uint8_t family, uint8_t protocol,
                    uint16_t port)
{
	struct packet k = { family, protocol, port };
	uint64_t services = rows_matching(inbound_services, &k);
	uint64_t protocols = rows_matching(inbound_protocols, &k);

	if ((services & in->services) || (protocols & in->protocols))
		return true;
	/* any-service opens ports that no row names; what a row names has its own switch. */
	return in->any_service && services == 0 && protocols == 0;
}
