/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a packet whose encrypted form is larger than the path takes: one rule.
 *
 *   inner          asked for            outer DF         then
 *   IPv6 > 1280    -                    -                packet too big (RFC 8200 5, RFC 4301 8.1)
 *                  post-encryption      clear            fragments of the outer packet
 *   IPv6 <= 1280   -                    -                fragments of the outer packet, whatever
 * the DF bit: IPv6 has to go through (RFC 2473 7.1) IPv4, DF       -                    clear
 * fragments of the outer packet
 *                  -                    set, copied      fragmentation needed (RFC 1191)
 *   IPv4           pre-encryption       -                fragments of the inner packet (RFC 791)
 *                  post-encryption      clear, copied    fragments of the outer packet
 *                  post-encryption      set              fragments of the inner packet
 *   IPv4, and the SA is for some ports only: later fragments would show none, so the outer packet
 * is fragmented; dropped where its DF is set
 *
 * Pure; any thread. */
#ifndef OVERSIZE_H
#define OVERSIZE_H
#include "encap.h"
#include "ip_info.h"

enum oversize {
	OVERSIZE_FITS,
	OVERSIZE_ANSWER, /* dropped, and its sender told */
	OVERSIZE_DROP,   /* dropped: nothing that its sender could be told */
	OVERSIZE_SPLIT_INNER,
	OVERSIZE_SPLIT_OUTER,
};

struct oversize_rule {
	uint8_t df;   /* enum encap_df */
	bool post;    /* fragmentation post-encryption */
	bool by_port; /* the SA does not take packets without ports */
};

enum oversize oversize_what(const struct oversize_rule *rule, const struct ip_info *inner);

#endif
