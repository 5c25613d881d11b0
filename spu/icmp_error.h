/* SPDX-License-Identifier: BSD-2-Clause */
/* "Too big", said to the sender of an inner packet (RFC 1191, RFC 4443 3.2, RFC 8201).
 *
 * The writing is pure; the rate is one bucket per SPU (RFC 1812 4.3.2.8, RFC 4443 2.4 f). What
 * other routers say to us is pmtu.h's. */
#ifndef ICMP_ERROR_H
#define ICMP_ERROR_H
#include "addr.h"
#include "ip_info.h"

/* A full bucket, and what flows in. */
enum { ICMP_BURST = 64, ICMP_PER_S = 256 };
/* RFC 1812 4.3.2.3: no longer than 576 bytes. RFC 4443 2.4 c: no longer than 1,280. */
enum { ICMP_V4_MAX = 576, ICMP_V6_MAX = 1280, ICMP_LEN = 8, ICMP_TTL = 64 };

struct icmp_limit {
	uint64_t filled_ms;
	uint32_t tokens; /* in thousandths */
};

/* One answer less, or false. Zero-initialised is full. */
bool icmp_limit_take(struct icmp_limit *l, uint64_t now_ms);

/* RFC 1812 4.3.2.7, RFC 4443 2.4 e: nothing is answered to an error, to a later fragment, to a
 * source that is not one host; over IPv4 nor to what went to a group. */
bool icmp_may_answer(const struct ip_info *info);

struct icmp_answer {
	const struct addr *source; /* ours, of the packet's family */
	uint32_t mtu;
	uint16_t id; /* of the IPv4 header */
};

/* Writes the message to out (room for ICMP_V6_MAX bytes) about the packet, `info`: fragmentation
 * needed, or packet too big. Returns its length. */
uint16_t icmp_too_big(uint8_t *out, const uint8_t *packet, const struct ip_info *info,
                      const struct icmp_answer *a);

#endif
