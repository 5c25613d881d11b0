// SPDX-License-Identifier: BSD-2-Clause
#include "selectors.h"
#include "bytes.h"

static void number(const struct addr *a, uint64_t ret[2])
{
	ret[0] = a->family == ADDR_V6 ? get_be64(a->b) : 0;
	ret[1] = a->family == ADDR_V6 ? get_be64(a->b + 8) : get_be32(a->b);
}

enum err selector_make(struct selector *ret, const struct addr *first, const struct addr *last)
{
	if (first->family != last->family || first->family == ADDR_NONE)
		return ERR_VALUE;
	*ret = (struct selector){ .port_last = UINT16_MAX, .family = first->family };
	number(first, ret->first);
	number(last, ret->last);
	return ERR_OK;
}

static bool below(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
}

static bool address_matches(const struct selector *s, const struct flow *f, const uint64_t a[2])
{
	return s->family == f->family && (s->proto == 0 || s->proto == f->proto) &&
	       !below(a, s->first) && !below(s->last, a);
}

/* RFC 4301 4.4.1.1: a packet whose ports cannot be seen is matched only by ANY
 * (OPAQUE is not negotiated, and not in records). */
static bool port_matches(const struct selector *s, bool visible, uint16_t port)
{
	if (s->port_first == 0 && s->port_last == UINT16_MAX)
		return true;
	return visible && port >= s->port_first && port <= s->port_last;
}

static bool source_matches(const struct selector *s, const struct flow *f)
{
	return address_matches(s, f, f->src) && port_matches(s, f->ports, f->src_port);
}

/* RFC 4301 4.4.1.3: ICMP has one type and code; it stands on the sender's side, and the receiver's
 * side says nothing of it. */
static bool destination_matches(const struct selector *s, const struct flow *f)
{
	if (!address_matches(s, f, f->dst))
		return false;
	if (f->ports && (f->proto == PROTO_ICMP || f->proto == PROTO_ICMPV6))
		return true;
	return port_matches(s, f->ports, f->dst_port);
}

bool selectors_match(const struct selectors *s, const struct flow *f, bool inbound)
{
	const struct selector *local = s->at, *remote = s->at + s->n_local;
	const struct selector *src = inbound ? remote : local, *dst = inbound ? local : remote;
	uint16_t n_src = inbound ? s->n_remote : s->n_local;
	uint16_t n_dst = inbound ? s->n_local : s->n_remote;
	bool from = false, to = false;

	for (uint16_t i = 0; i < n_src && !from; i++)
		from = source_matches(&src[i], f);
	for (uint16_t i = 0; i < n_dst && from && !to; i++)
		to = destination_matches(&dst[i], f);
	return from && to;
}
