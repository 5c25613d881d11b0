// SPDX-License-Identifier: BSD-2-Clause
/* The programs on our ends of the SPUs' veths: what an SPU sends finds its way from here.
 *
 * From the wire port come encrypted packets with our own source address, to be routed. From the
 * fabric port come decrypted ones, as if received on st0.N: for the gateway itself, for an
 * interface, or for the next tunnel. */
#include "inbound.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "route.bpf.h"

/* Copies the fabric header out; 0 when it is of the kind that is expected here. */
static __always_inline int read_fabric(struct xdp_md *ctx, __u8 kind, struct fabric_hdr *ret)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + ETH_HLEN > end)
		return -1;
	__builtin_memcpy(ret, data, sizeof(*ret));
	return ret->kind == kind ? 0 : -1;
}

/* The kernel forwards it: with our own MAC address as the destination, and although the source is
 * one of our own addresses, because these veths have accept_local=1 and rp_filter=0. It goes by way
 * of the other end: passed from here, the kernel would still take it for another host's, because
 * when the SPU sent it the veth looked at the fabric header as if it were a MAC address. */
static __always_inline int wire_to_kernel(struct xdp_md *ctx, const struct pkt *p,
                                          const struct steer_iface *iface)
{
	if (!iface->peer)
		return DROP_REDIRECT;
	if (set_macs(ctx, p, iface->mac, iface->mac))
		return DROP_MALFORMED;
	return bpf_redirect(iface->peer, 0) == XDP_REDIRECT ? REDIRECTED : DROP_REDIRECT;
}

/* What wire_to_kernel() sent round, and nothing that an SPU sends: no kind begins like that. */
static __always_inline int is_for_kernel(struct xdp_md *ctx, const struct steer_iface *iface)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 differ = 0;

	if (data + ETH_HLEN > end)
		return 0;
#pragma unroll
	for (int i = 0; i < 2 * ETH_ALEN; i++)
		differ |= data[i] ^ iface->mac[i % ETH_ALEN];
	return !differ;
}

/* Whether routers must not fragment it: then the kernel would only tell ourselves. */
static __always_inline int is_whole(struct xdp_md *ctx, const struct pkt *p)
{
	struct iphdr *ip = (void *)(long)ctx->data + ETH_HLEN;

	if (p->family == 6)
		return 1;
	return (void *)(ip + 1) <= (void *)(long)ctx->data_end && ip->frag_off & bpf_htons(0x4000);
}

/* Back to the SPU it came from, which learns from it how much the route takes (spu/pmtu.h). */
static __always_inline int wire_back(struct xdp_md *ctx, const struct pkt *p,
                                     const struct ingress *in, __u32 mtu)
{
	struct fabric_hdr hdr = {
		.kind = FABRIC_TOO_BIG,
		.instance = bpf_htons(in->iface->instance),
		.tunnel = bpf_htonl(mtu),
	};

	return send_to_port(ctx, p, &wire_ports, in->iface->slot, &hdr);
}

static __always_inline int wire_out(struct xdp_md *ctx, const struct pkt *p,
                                    const struct ingress *in)
{
	struct hop hop;

	route(ctx, p, in->ifindex, 0, &hop);
	int result = route_result(&hop);
	if (result == TO_KERNEL)
		return wire_to_kernel(ctx, p, in->iface);
	if (result != CONTINUE)
		return result;
	struct steer_iface *out = iface_of(hop.fib.ifindex);
	/* Encrypted packets that would go into a tunnel again are a loop: not a route for them. */
	if (!out || out->role != STEER_EDGE)
		return DROP_NO_ROUTE;
	if (is_too_big(&hop, p) && is_whole(ctx, p))
		return wire_back(ctx, p, in, hop.fib.mtu_result);
	if (!is_resolved(&hop) || is_too_big(&hop, p))
		return wire_to_kernel(ctx, p, in->iface);
	return transmit(ctx, p, &hop);
}

SEC("xdp")
int hawser_wire(struct xdp_md *ctx)
{
	struct ingress in = { .ifindex = ctx->ingress_ifindex };
	struct fabric_hdr hdr;
	struct pkt p = { 0 };

	count(steer_counter(STEER_AT_WIRE, STEER_IN));
	in.iface = iface_of(in.ifindex);
	if (in.iface && is_for_kernel(ctx, in.iface))
		return verdict(STEER_AT_WIRE, TO_KERNEL);
	if (!in.iface || read_fabric(ctx, FABRIC_WIRE_OUT, &hdr))
		return verdict(STEER_AT_WIRE, DROP_BAD_FABRIC);
	/* One routing instance in this version: that of the veth. */
	if (hdr.instance != bpf_htons(in.iface->instance))
		return verdict(STEER_AT_WIRE, DROP_BAD_FABRIC);
	if (lease_is_over())
		return verdict(STEER_AT_WIRE, DROP_LEASE);
	if (parse(ctx, &p) != PARSED_IP)
		return verdict(STEER_AT_WIRE, DROP_MALFORMED);
	return verdict(STEER_AT_WIRE, wire_out(ctx, &p, &in));
}

/* To st0.N, as if it had been received there: for the gateway itself, or for the kernel to resolve,
 * answer and count. Its far end is the way in. */
static __always_inline int to_st0(struct xdp_md *ctx, const struct pkt *p,
                                  const struct steer_iface *st0)
{
	if (!st0->peer)
		return DROP_REDIRECT;
	if (set_macs(ctx, p, st0->mac, st0->mac))
		return DROP_MALFORMED;
	return bpf_redirect(st0->peer, 0) == XDP_REDIRECT ? REDIRECTED : DROP_REDIRECT;
}

static __always_inline int plain_in(struct xdp_md *ctx, const struct pkt *p,
                                    const struct ingress *st0)
{
	int result;

	if (!st0->iface->zone)
		return DROP_NO_ZONE;
	if (is_for_this_link(p) || is_local(st0->iface->instance, p))
		result = inbound_result(st0->iface, p);
	else
		result = forward(ctx, p, st0);
	if (result == UNROUTED)
		result = inbound_result(st0->iface, p) == TO_KERNEL ? TO_KERNEL : DROP_NO_ROUTE;
	return result == TO_KERNEL ? to_st0(ctx, p, st0->iface) : result;
}

SEC("xdp")
int hawser_fabric(struct xdp_md *ctx)
{
	struct ingress st0;
	struct fabric_hdr hdr;
	struct pkt p = { 0 };

	count(steer_counter(STEER_AT_FABRIC, STEER_IN));
	if (read_fabric(ctx, FABRIC_PLAIN_IN, &hdr))
		return verdict(STEER_AT_FABRIC, DROP_BAD_FABRIC);
	st0.ifindex = bpf_ntohl(hdr.ifindex);
	st0.iface = iface_of(st0.ifindex);
	if (!st0.iface || st0.iface->role != STEER_ST0)
		return verdict(STEER_AT_FABRIC, DROP_BAD_FABRIC);
	if (lease_is_over())
		return verdict(STEER_AT_FABRIC, DROP_LEASE);
	if (parse(ctx, &p) != PARSED_IP)
		return verdict(STEER_AT_FABRIC, DROP_MALFORMED);
	return verdict(STEER_AT_FABRIC, plain_in(ctx, &p, &st0));
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
