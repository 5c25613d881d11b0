/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel is the router (idea 4): FIB lookups, and what follows from their results.
 *
 * route() asks the kernel's FIB; forward() is what becomes of a packet in transit: zones, policy,
 * then an interface, a tunnel (st0.N), or the kernel, which resolves, answers and counts. The FIB
 * is asked without a length, because with one it answers "too big" without saying for which
 * interface, and the policy would not be known (6.1). */
#ifndef ROUTE_BPF_H
#define ROUTE_BPF_H
#include "maps.bpf.h"
#include "parse.bpf.h"

#define AF_INET 2
#define AF_INET6 10

struct hop {
	struct bpf_fib_lookup fib; /* after the lookup: ifindex, next hop, MAC addresses, MTU */
	int code;                  /* BPF_FIB_LKUP_RET_... */
};

/* How a packet came in. */
struct ingress {
	__u32 ifindex; /* FIB and rules: as if received here; st0.N for what was decrypted */
	const struct steer_iface *iface;
};

static __always_inline void route(struct xdp_md *ctx, const struct pkt *p, __u32 ifindex,
                                  __u32 flags, struct hop *ret)
{
	struct bpf_fib_lookup *fib = &ret->fib;

	__builtin_memset(ret, 0, sizeof(*ret));
	fib->ifindex = ifindex;
	fib->l4_protocol = p->protocol;
	if (p->family == 4) {
		fib->family = AF_INET;
		fib->tos = p->tos;
		fib->ipv4_src = p->src[0];
		fib->ipv4_dst = p->dst[0];
	} else {
		fib->family = AF_INET6;
		fib->flowinfo = bpf_htonl((__u32)p->tos << 20);
		__builtin_memcpy(fib->ipv6_src, p->src, 16);
		__builtin_memcpy(fib->ipv6_dst, p->dst, 16);
	}
	ret->code = (int)bpf_fib_lookup(ctx, fib, sizeof(*fib), flags);
}

/* CONTINUE when there is an egress interface; else what to do instead. */
static __always_inline int route_result(const struct hop *hop)
{
	switch (hop->code) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return CONTINUE;
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return TO_KERNEL; /* answers with the ICMP message of the route */
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return UNROUTED;
	default:
		return DROP_NO_ROUTE; /* blackhole, forwarding is off, ... */
	}
}

static __always_inline int is_resolved(const struct hop *hop)
{
	const __u8 *m = hop->fib.dmac;

	/* 6.1 answers success for a neighbour that is still being asked for, with zeros. */
	return hop->code == BPF_FIB_LKUP_RET_SUCCESS && (m[0] | m[1] | m[2] | m[3] | m[4] | m[5]);
}

static __always_inline int is_too_big(const struct hop *hop, const struct pkt *p)
{
	return hop->fib.mtu_result && p->len > hop->fib.mtu_result;
}

static __always_inline void hop_key(const struct hop *hop, struct steer_hop *ret)
{
	__builtin_memset(ret, 0, sizeof(*ret));
	ret->ifindex = hop->fib.ifindex;
	if (hop->fib.family == AF_INET) {
		ret->family = 4;
		__builtin_memcpy(ret->addr, &hop->fib.ipv4_dst, 4);
	} else {
		ret->family = 6;
		__builtin_memcpy(ret->addr, hop->fib.ipv6_dst, 16);
	}
}

/* So that the routing engine keeps the neighbour confirmed: nobody else uses it. */
static __always_inline void stamp_next_hop(const struct hop *hop)
{
	struct steer_hop key;
	__u64 now_ms = bpf_ktime_get_boot_ns() / 1000000;

	hop_key(hop, &key);
	__u64 *used_ms = bpf_map_lookup_elem(&nexthops, &key);
	if (used_ms)
		*used_ms = now_ms;
	else
		bpf_map_update_elem(&nexthops, &key, &now_ms, BPF_ANY);
}

/* One hop less. The IPv4 checksum changes by the same (RFC 1624). Returns 0, or -1 for no room. */
static __always_inline int decrement_ttl(struct xdp_md *ctx, const struct pkt *p)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 l3 = p->l3;

	if (l3 > ETH_HLEN + 4 * VLAN_TAGS_MAX)
		return -1;
	if (p->family == 4) {
		struct iphdr *ip = data + l3;

		if ((void *)(ip + 1) > end)
			return -1;
		__u32 check = ip->check;
		check += bpf_htons(0x0100);
		ip->check = (__sum16)(check + (check >= 0xffff));
		ip->ttl--;
	} else {
		struct ipv6hdr *ip = data + l3;

		if ((void *)(ip + 1) > end)
			return -1;
		ip->hop_limit--;
	}
	return 0;
}

/* Takes VLAN tags off (the frame then begins 4 or 8 bytes later) and gives the 12 address bytes. */
static __always_inline __u8 *address_bytes(struct xdp_md *ctx, const struct pkt *p)
{
	__be16 type = p->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);

	if (p->l3 > ETH_HLEN && bpf_xdp_adjust_head(ctx, p->l3 - ETH_HLEN))
		return NULL;
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN > end)
		return NULL;
	__builtin_memcpy(data + 12, &type, 2);
	return data;
}

static __always_inline int set_macs(struct xdp_md *ctx, const struct pkt *p, const __u8 *dst,
                                    const __u8 *src)
{
	__u8 *at = address_bytes(ctx, p);

	if (!at)
		return -1;
	__builtin_memcpy(at, dst, ETH_ALEN);
	__builtin_memcpy(at + ETH_ALEN, src, ETH_ALEN);
	return 0;
}

/* Sends a frame to an SPU's port with the fabric header where the addresses were. */
static __always_inline int send_to_port(struct xdp_md *ctx, const struct pkt *p, void *ports,
                                        __u32 slot, const struct fabric_hdr *hdr)
{
	__u8 *at = address_bytes(ctx, p);

	if (!at)
		return DROP_MALFORMED;
	__builtin_memcpy(at, hdr, sizeof(*hdr));
	return bpf_redirect_map(ports, slot, 0) == XDP_REDIRECT ? REDIRECTED : DROP_NO_SPU;
}

/* "Traffic needs this tunnel." */
static __always_inline int acquire(const struct pkt *p, __u32 tunnel, __u32 ifindex)
{
	struct steer_acquire *a = bpf_ringbuf_reserve(&acquires, sizeof(*a), 0);

	if (!a)
		return DROP_ACQUIRE_FULL;
	a->tunnel = tunnel;
	a->ifindex = ifindex;
	a->family = p->family;
	a->protocol = p->protocol;
	a->pad = 0;
	__builtin_memcpy(a->src, p->src, 16);
	__builtin_memcpy(a->dst, p->dst, 16);
	bpf_ringbuf_submit(a, 0);
	return DROP_NO_SA;
}

static __always_inline struct steer_tunnel *tunnel_of(const struct hop *hop)
{
	struct steer_hop key;

	hop_key(hop, &key);
	struct steer_tunnel *t = bpf_map_lookup_elem(&tunnels, &key);
	if (t)
		return t;
	key.family = 0;
	__builtin_memset(key.addr, 0, sizeof(key.addr));
	return bpf_map_lookup_elem(&tunnels, &key);
}

enum encrypt_flags {
	ENCRYPT_FORWARDED = 1, /* in transit: TTL and MTU are ours to look at */
};

/* Into the tunnel that the next hop on st0.N means. */
static __always_inline int encrypt(struct xdp_md *ctx, const struct pkt *p,
                                   const struct ingress *in, const struct hop *hop, int flags)
{
	struct steer_tunnel *t = tunnel_of(hop);
	struct steer_iface *st0 = iface_of(hop->fib.ifindex);

	if (!t || !st0)
		return DROP_NO_TUNNEL;
	if (!t->has_sa)
		return acquire(p, t->tunnel, in->ifindex);
	if ((flags & ENCRYPT_FORWARDED) && t->mtu && p->len > t->mtu)
		return TO_KERNEL;
	__u32 slot = slot_of_anchor(t->anchor);
	if (slot >= STEER_SLOTS)
		return DROP_NO_SPU;
	if ((flags & ENCRYPT_FORWARDED) && decrement_ttl(ctx, p))
		return DROP_MALFORMED;
	struct fabric_hdr hdr = {
		.kind = FABRIC_PLAIN_OUT,
		.anchor = t->anchor,
		.instance = bpf_htons(st0->instance),
		.tunnel = bpf_htonl(t->tunnel),
		.ifindex = bpf_htonl(in->ifindex),
	};
	return send_to_port(ctx, p, &fabric_ports, slot, &hdr);
}

/* Out of an ordinary interface, in XDP. */
static __always_inline int transmit(struct xdp_md *ctx, const struct pkt *p, const struct hop *hop)
{
	if (set_macs(ctx, p, hop->fib.dmac, hop->fib.smac))
		return DROP_MALFORMED;
	stamp_next_hop(hop);
	return bpf_redirect(hop->fib.ifindex, 0) == XDP_REDIRECT ? LEFT : DROP_REDIRECT;
}

/* Sources that no router forwards (RFC 1812 5.3.7; RFC 4291 2.5, 2.7). */
static __always_inline int is_source_unfit(const struct pkt *p)
{
	__u32 first = bpf_ntohl(p->src[0]);

	if (p->family == 4)
		return first >> 24 == 0 || first >> 24 == 127 || first >> 28 >= 0xe;
	if (first >> 24 == 0xff || first >> 22 == 0x3fa)
		return 1;
	return !(p->src[0] | p->src[1] | p->src[2] | (p->src[3] & bpf_htonl(0xfffffffe)));
}

/* A packet in transit: dropped by a reason, redirected, TO_KERNEL (policy permits it), UNROUTED. */
static __always_inline int forward(struct xdp_md *ctx, const struct pkt *p,
                                   const struct ingress *in)
{
	struct steer_settings *set = settings_now();
	struct hop hop;

	if (is_source_unfit(p))
		return DROP_MALFORMED;
	if (!set || !set->permit_all)
		return DROP_POLICY;
	route(ctx, p, in->ifindex, 0, &hop);
	int result = route_result(&hop);
	if (result != CONTINUE)
		return result;
	struct steer_iface *out = iface_of(hop.fib.ifindex);
	if (!out || !out->zone)
		return DROP_NO_ZONE;
	if (p->ttl <= 1 || (p->flags & PKT_OPTIONS))
		return TO_KERNEL;
	if (out->role == STEER_ST0)
		return encrypt(ctx, p, in, &hop, ENCRYPT_FORWARDED);
	if (out->role != STEER_EDGE)
		return DROP_NO_ROUTE;
	if (!is_resolved(&hop) || is_too_big(&hop, p))
		return TO_KERNEL;
	if (decrement_ttl(ctx, p))
		return DROP_MALFORMED;
	return transmit(ctx, p, &hop);
}

#endif
