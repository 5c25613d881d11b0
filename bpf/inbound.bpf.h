/* SPDX-License-Identifier: BSD-2-Clause */
/* What the gateway itself may receive: host-inbound services, and answers to its own traffic.
 *
 * XDP keeps no connections, so answers are told by their form: TCP that does not open a connection,
 * ICMP echo replies and errors, UDP to the ports that the kernel gives to its clients. ARP never
 * comes here. docs/steering.md says it to users. */
#ifndef INBOUND_BPF_H
#define INBOUND_BPF_H
#include "maps.bpf.h"
#include "parse.bpf.h"

#define TCP_SYN 0x02
#define TCP_ACK 0x10

static __always_inline int bit_of(const __u64 *words, __u32 n)
{
	return words[n >> 6] >> (n & 63) & 1;
}

static __always_inline int is_neighbour_discovery(const struct pkt *p)
{
	/* Solicitation and advertisement, from this link (RFC 4861 7.1). */
	return p->family == 6 && p->protocol == IPPROTO_ICMPV6 && !(p->flags & PKT_FRAGMENT) &&
	       (p->port == 135 || p->port == 136) && p->ttl == 255;
}

static __always_inline int is_answer(const struct pkt *p)
{
	struct steer_settings *set;

	switch (p->protocol) {
	case IPPROTO_TCP:
		return (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
	case IPPROTO_UDP:
		set = settings_now();
		return set && p->port >= set->reply_first && p->port <= set->reply_last;
	case IPPROTO_ICMP: /* echo reply, unreachable, time exceeded, parameter problem */
		return p->family == 4 &&
		       (p->port == 0 || p->port == 3 || p->port == 11 || p->port == 12);
	case IPPROTO_ICMPV6: /* errors (RFC 4443 4.3), echo reply, multicast listener query */
		return p->family == 6 &&
		       ((p->port >= 1 && p->port <= 4) || p->port == 129 || p->port == 130);
	default:
		return 0;
	}
}

static __always_inline int is_allowed_service(const struct steer_inbound *in, const struct pkt *p)
{
	switch (p->protocol) {
	case IPPROTO_TCP:
		return bit_of(in->tcp, p->port);
	case IPPROTO_UDP:
		return bit_of(in->udp, p->port);
	case IPPROTO_ICMP:
		return p->family == 4 && bit_of(in->icmp, p->port & 255);
	case IPPROTO_ICMPV6:
		return p->family == 6 && bit_of(in->icmp6, p->port & 255);
	default:
		return bit_of(p->family == 4 ? in->proto4 : in->proto6, p->protocol);
	}
}

static __always_inline int inbound_result(const struct steer_iface *in, const struct pkt *p)
{
	__u32 profile = in->inbound;
	struct steer_inbound *allowed = bpf_map_lookup_elem(&inbound, &profile);

	/* Without its first fragment, which had a port to be judged by, a later one is nothing. */
	if (p->flags & PKT_LATER_FRAGMENT)
		return TO_KERNEL;
	if (is_neighbour_discovery(p) || is_answer(p))
		return TO_KERNEL;
	return allowed && is_allowed_service(allowed, p) ? TO_KERNEL : DROP_HOST_INBOUND;
}

/* Whether a packet's destination is one of our own addresses in the instance. */
static __always_inline int is_local(__u16 instance, const struct pkt *p)
{
	struct steer_local key = { .instance = instance, .family = p->family };

	__builtin_memcpy(key.addr, p->dst, 16);
	return bpf_map_lookup_elem(&locals, &key) != NULL;
}

/* Destinations that no router forwards: groups, this link. */
static __always_inline int is_for_this_link(const struct pkt *p)
{
	if (p->flags & PKT_L2_GROUP)
		return 1;
	__u32 first = bpf_ntohl(p->dst[0]);
	if (p->family == 4)
		return first >> 28 == 0xe || first == 0xffffffff;
	return first >> 24 == 0xff || first >> 22 == 0x3fa; /* ff00::/8, fe80::/10 */
}

#endif
