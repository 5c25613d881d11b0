/* SPDX-License-Identifier: BSD-2-Clause */
/* host-inbound-traffic: which services and routing protocols of the gateway itself a zone lets in.
 *
 * One table gives for each service its protocol and ports (settled by IANA); the schema takes its
 * names from it, and whoever programs XDP takes the ports. What no service or protocol of the
 * ingress zone matches is dropped and counted. Pure data; any thread. */
#ifndef INBOUND_H
#define INBOUND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One thing to let through. port_first..port_last is 0..0 where the protocol has no ports, and
 * 0..65535 for any; ICMP has its types here. */
struct inbound_match {
	uint8_t family;   /* 4, 6, or 0 for both */
	uint8_t protocol; /* IP protocol number */
	uint16_t port_first, port_last;
};

#define INBOUND_MATCHES_MAX 6

struct inbound_row {
	const char *name;
	struct inbound_match match[INBOUND_MATCHES_MAX]; /* ended by protocol 0 */
};

/* Ended by a row without a name. Row numbers are the bits of struct config_inbound. "all" and
 * "any-service" have no row of their own. */
extern const struct inbound_row inbound_services[];
extern const struct inbound_row inbound_protocols[];

struct config_inbound {
	uint64_t services;  /* bit n: row n of inbound_services; `except` is already taken out */
	uint64_t protocols; /* bit n: row n of inbound_protocols */
	bool any_service;   /* everything that is no routing protocol of the table, on any port */
};

/* True when a packet to the gateway itself may come in. port is the destination port, or the type
 * for ICMP and ICMPv6. Neighbour discovery and ICMP errors are the caller's to let through. */
bool inbound_allows(const struct config_inbound *in, uint8_t family, uint8_t protocol,
                    uint16_t port);

#endif
