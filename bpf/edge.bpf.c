// SPDX-License-Identifier: BSD-2-Clause
/* The program on every configured interface (settled: 5.7).
 *
 * Encrypted packets for one of our addresses go to the SPU that their SPI names (idea 1), what is
 * for the gateway itself to the kernel as far as host-inbound allows, everything else through zones
 * and FIB. */
#include "inbound.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "route.bpf.h"

/* Fragments of one packet meet at one SPU. Any mixing that spreads will do: it binds nobody. */
static __always_inline __u8 anchor_of_fragment(const struct pkt *p)
{
	__u32 h = p->id;

#pragma unroll
	for (int i = 0; i < 4; i++)
		h = (h ^ p->src[i] ^ p->dst[i]) * 0x9e3779b1u;
	return (__u8)(h >> 24);
}

static __always_inline __u8 anchor_of(const struct pkt *p, __u16 instance)
{
	if (p->spi < STEER_MANUAL_FIRST || p->spi > STEER_MANUAL_LAST)
		return (__u8)p->spi;
	struct steer_manual key = { .spi = p->spi, .instance = instance };
	__u32 *manual = bpf_map_lookup_elem(&manual_spis, &key);
	return (__u8)(manual ? *manual : p->spi);
}

/* ESP, AH, ESP in UDP to one of our addresses, and what routers say about such packets of ours;
 * CONTINUE when it is none of these. */
static __always_inline int steer(struct xdp_md *ctx, const struct pkt *p, const struct ingress *in)
{
	struct fabric_hdr hdr = {
		.kind = FABRIC_WIRE_IN,
		.instance = bpf_htons(in->iface->instance),
		.ifindex = bpf_htonl(in->ifindex),
	};

	if ((p->protocol == IPPROTO_ESP || p->protocol == IPPROTO_AH) && (p->flags & PKT_FRAGMENT))
		hdr.anchor = anchor_of_fragment(p);
	else if (p->flags &
	         PKT_ICMP_QUOTE) /* the peer's SPI says nothing of our anchors: any SPU */
		hdr.anchor = (__u8)p->spi;
	else if (!(p->flags & PKT_SPI))
		return CONTINUE;
	else if (p->spi < 256) /* reserved (RFC 4303 2.1), and never ours */
		return DROP_UNKNOWN_SPI;
	else
		hdr.anchor = anchor_of(p, in->iface->instance);
	__u32 slot = slot_of_anchor(hdr.anchor);
	if (slot >= STEER_SLOTS)
		return DROP_NO_SPU;
	return send_to_port(ctx, p, &wire_ports, slot, &hdr);
}

/* Frames that are not for our Ethernet address: another host's, overheard. */
static __always_inline int is_for_other_host(const struct pkt *p, const struct steer_iface *iface)
{
	__u8 differ = 0;

#pragma unroll
	for (int i = 0; i < ETH_ALEN; i++)
		differ |= p->dmac[i] ^ iface->mac[i];
	return !(p->flags & PKT_L2_GROUP) && differ;
}

static __always_inline int edge_ip(struct xdp_md *ctx, const struct pkt *p,
                                   const struct ingress *in)
{
	/* Neither does the kernel take another host's frames, nor is a tag's unit one of ours. */
	if (p->vlan || is_for_other_host(p, in->iface))
		return TO_KERNEL;
	if (!in->iface->zone)
		return is_neighbour_discovery(p) ? TO_KERNEL : DROP_NO_ZONE;
	if (is_for_this_link(p))
		return inbound_result(in->iface, p);
	if (is_local(in->iface->instance, p)) {
		int result = steer(ctx, p, in);
		return result == CONTINUE ? inbound_result(in->iface, p) : result;
	}
	int result = forward(ctx, p, in);
	if (result != UNROUTED)
		return result;
	/* No route: the kernel answers, but it may also know an address of its own that we do not:
	 * so nothing gets there that host-inbound would not let in. */
	return inbound_result(in->iface, p) == TO_KERNEL ? TO_KERNEL : DROP_NO_ROUTE;
}

SEC("xdp")
int hawser_edge(struct xdp_md *ctx)
{
	struct ingress in = { .ifindex = ctx->ingress_ifindex };
	struct pkt p = { 0 };

	count(steer_counter(STEER_AT_EDGE, STEER_IN));
	in.iface = iface_of(in.ifindex);
	if (!in.iface || in.iface->role != STEER_EDGE)
		return verdict(STEER_AT_EDGE, DROP_NO_ZONE);
	if (lease_is_over())
		return verdict(STEER_AT_EDGE, DROP_LEASE);
	switch (parse(ctx, &p)) {
	case PARSED_OTHER:
		return verdict(STEER_AT_EDGE, TO_KERNEL);
	case PARSED_BAD:
		return verdict(STEER_AT_EDGE, DROP_MALFORMED);
	default:
		return verdict(STEER_AT_EDGE, edge_ip(ctx, &p, &in));
	}
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
