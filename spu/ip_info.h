/* SPDX-License-Identifier: BSD-2-Clause */
/* What an IP packet says of itself: length, traffic class, and the flow that selectors look at.
 *
 * Used on packets before they are encrypted and after they were decrypted. Pure; any thread. */
#ifndef IP_INFO_H
#define IP_INFO_H
#include "errors.h"
#include "reader.h"

enum { IP_V4_LEN = 20, IP_V6_LEN = 40 };
enum { PROTO_ICMP = 1, PROTO_IPV4 = 4, PROTO_IPV6 = 41, PROTO_NONE = 59, PROTO_ICMPV6 = 58 };

/* The fields of RFC 4301 4.4.1.1. Addresses as 128-bit numbers, high half first; an IPv4 address is
 * the low 32 bits. */
struct flow {
	uint64_t src[2], dst[2];
	uint16_t src_port, dst_port; /* ICMP: type and code in src_port */
	uint8_t family;              /* 4 or 6 */
	uint8_t proto;               /* behind IPv6 extension headers */
	bool ports;                  /* false: none, or not visible (a later fragment) */
};

struct ip_info {
	struct flow flow;
	uint16_t len;   /* as the header says: at most what was given */
	uint16_t l4;    /* offset of the transport header; 0 where there is none to be seen */
	uint32_t label; /* IPv6: flow label */
	uint8_t tos;    /* traffic class: DSCP and ECN */
	bool df;        /* IPv6 always: no router may fragment it */
	bool later;     /* a fragment, not the first */
};

/* ERR_VERSION: neither 4 nor 6. ERR_LENGTH: the header's length is below its minimum or more than
 * is there. ERR_TRUNCATED: headers end too early. */
enum err ip_info_read(struct view packet, struct ip_info *ret) MUST_CHECK;

/* RFC 1812 5.2.2: whether the header checksum of an IPv4 packet that was read is right; IPv6 has
 * none. */
bool ip_info_sum_ok(const uint8_t *ip, const struct ip_info *info) MUST_CHECK;

#endif
