// SPDX-License-Identifier: BSD-2-Clause
/* The two ends of st0.N, and the SPUs' ends of their veths.
 *
 * What the kernel routes to st0.N comes out at its far end: packets of the gateway itself, and
 * those that the kernel forwards because XDP could not. A redirect into a veth is lost without a
 * trace where the other end has no program, so each end has one, for as long as it exists. */
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "route.bpf.h"

/* Received on st0.N: put there by our redirect, from hawser_fabric, which has looked at it. */
SEC("xdp")
int hawser_st0(struct xdp_md *ctx)
{
	(void)ctx;
	count(steer_counter(STEER_AT_ST0, STEER_IN));
	return verdict(STEER_AT_ST0, TO_KERNEL);
}

/* Neighbour discovery, router solicitations and group reports that the kernel sends on any link:
 * they mean this link, not the peer, and must not start a negotiation. */
static __always_inline int is_link_chatter(const struct pkt *p)
{
	return p->family == 6 && p->protocol == IPPROTO_ICMPV6 &&
	       ((p->port >= 130 && p->port <= 137) || p->port == 143);
}

static __always_inline int st0_out(struct xdp_md *ctx, const struct pkt *p, __u32 st0_ifindex)
{
	struct ingress in = { .ifindex = st0_ifindex };
	struct hop hop;

	if (is_link_chatter(p))
		return DROP_NO_ROUTE;
	/* The kernel has already chosen st0.N; what is asked for is the next hop on it. */
	route(ctx, p, st0_ifindex, BPF_FIB_LOOKUP_OUTPUT, &hop);
	if (route_result(&hop) != CONTINUE || hop.fib.ifindex != st0_ifindex) {
		__builtin_memset(&hop, 0, sizeof(hop));
		hop.fib.ifindex = st0_ifindex;
	}
	return encrypt(ctx, p, &in, &hop, 0);
}

SEC("xdp")
int hawser_st0far(struct xdp_md *ctx)
{
	struct steer_iface *far = iface_of(ctx->ingress_ifindex);
	struct pkt p = { 0 };

	count(steer_counter(STEER_AT_ST0_FAR, STEER_IN));
	if (!far || far->role != STEER_ST0_FAR)
		return verdict(STEER_AT_ST0_FAR, DROP_NO_TUNNEL);
	if (lease_is_over())
		return verdict(STEER_AT_ST0_FAR, DROP_LEASE);
	if (parse(ctx, &p) != PARSED_IP)
		return verdict(STEER_AT_ST0_FAR, DROP_MALFORMED);
	return verdict(STEER_AT_ST0_FAR, st0_out(ctx, &p, far->peer));
}

/* The SPU's end of its veths: to the socket that the SPU put into the map. While there is none (the
 * SPU is dead or starting) the frame is dropped and counted. */
SEC("xdp")
int hawser_port(struct xdp_md *ctx)
{
	struct steer_iface *port = iface_of(ctx->ingress_ifindex);
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int wire = !port || port->role == STEER_WIRE_SPU;
	enum steer_where where = wire ? STEER_AT_SPU_WIRE : STEER_AT_SPU_FABRIC;

	count(steer_counter(where, STEER_IN));
	if (!port || data + ETH_HLEN > end)
		return verdict(where, DROP_BAD_FABRIC);
	if (data[0] != FABRIC_MARKER && data[0] != (wire ? FABRIC_WIRE_IN : FABRIC_PLAIN_OUT) &&
	    !(wire && data[0] == FABRIC_TOO_BIG))
		return verdict(where, DROP_BAD_FABRIC);
	/* Nobody but packet sockets takes it: to the kernel its destination is another host. */
	if (wire && port->pass)
		return verdict(where, TO_SOCKET);
	long sent = wire ? bpf_redirect_map(&wire_socks, port->slot, 0)
	                 : bpf_redirect_map(&fabric_socks, port->slot, 0);
	return verdict(where, sent == XDP_REDIRECT ? REDIRECTED : DROP_NO_SOCKET);
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
