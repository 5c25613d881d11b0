/* SPDX-License-Identifier: BSD-2-Clause */
/* What the way to the peer takes: known from the interface, learned from routers (RFC 4301 8.2).
 *
 * Anybody can send an ICMP error. One is believed that quotes a packet which we may have sent: of a
 * live SA of ours, from its address to its peer, with its SPI and (where the quote is long enough)
 * a number among the last that were given; not to be fragmented; and longer than what is said to
 * fit. It can only lower the value, never below what every link takes (576, 1280); after ten
 * minutes it is forgotten, so that the value can grow again (RFC 1191 6.3, RFC 8201 5.3). It lives
 * in the run-time half of the SA, so any SPU may learn it, and all use it. Data-plane thread. */
#ifndef PMTU_H
#define PMTU_H
#include "roads.h"

enum { PMTU_V4_MIN = 576, PMTU_V6_MIN = 1280, PMTU_KEEP_MS = 600000, PMTU_RECENT = 1 << 16 };

/* The largest outer packet for the SA now. */
uint32_t pmtu_limit(const struct roads *r, const struct sa *sa);

/* A packet of ours did not fit: quote begins with its outer header, mtu is what would (0: an old
 * router that does not say). False when it is not believed. */
bool pmtu_learn(struct roads *r, struct view quote, uint16_t instance, uint32_t mtu);

/* An ICMP error for one of our addresses, behind its IP header. DROP_NONE: believed, or nothing
 * new.
 */
enum drop_reason pmtu_icmp(struct roads *r, struct pkt *p, struct reader icmp);

#endif
