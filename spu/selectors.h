/* SPDX-License-Identifier: BSD-2-Clause */
/* Traffic selectors: whether a packet belongs to an SA (RFC 4301 4.4.1, RFC 7296 3.13.1).
 *
 * Built once from the record, then only read. Outbound the first SA that matches is taken; inbound
 * a decrypted packet outside of its SA's selectors is dropped (RFC 4301 5.2 step 4). */
#ifndef SELECTORS_H
#define SELECTORS_H
#include "addr.h"
#include "ip_info.h"

struct selector {
	uint64_t first[2], last[2]; /* as in struct flow */
	uint16_t port_first, port_last;
	uint8_t family;
	uint8_t proto; /* 0: any */
};

struct selectors {
	uint16_t n_local, n_remote;
	bool by_port;         /* one of them takes some ports only */
	struct selector at[]; /* local, then remote */
};

/* ERR_VALUE when the addresses are of two families. */
enum err selector_make(struct selector *ret, const struct addr *first,
                       const struct addr *last) MUST_CHECK;

/* [data path] Outbound the packet's source must be local and its destination remote; inbound the
 * other way round. */
bool selectors_match(const struct selectors *s, const struct flow *f, bool inbound);

#endif
