/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded cursor over Ethernet, VLAN tags, IPv4, IPv6, and what steering must know of layer 4.
 *
 * parse() reads a frame once into a struct pkt and changes nothing; all that comes after works with
 * offsets from it. Lengths are checked against both the frame and the IP packet. */
#ifndef PARSE_BPF_H
#define PARSE_BPF_H
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define NAT_T_PORT 4500
#define VLAN_TAGS_MAX 2
#define V6_HEADERS_MAX 8
#define CURSOR_MAX 0x3fff

enum pkt_flags {
	PKT_FRAGMENT = 1 << 0,       /* of any kind */
	PKT_LATER_FRAGMENT = 1 << 1, /* without a layer 4 header */
	PKT_OPTIONS = 1 << 2,        /* IPv4 options, IPv6 hop-by-hop: routers must look at them */
	PKT_L2_GROUP = 1 << 3,       /* Ethernet broadcast or multicast */
	PKT_SPI = 1 << 4,            /* ESP, AH, ESP in UDP: spi is set */
	PKT_ICMP_QUOTE = 1 << 5,     /* "too big" about ESP, AH, ESP in UDP: spi is that one's */
};

struct pkt {
	__u32 src[4], dst[4]; /* network order; IPv4 in the first word */
	__u32 spi;            /* host order */
	__u32 id;             /* of a fragment, as on the wire */
	__u16 l3, l4;         /* offsets in the frame */
	__u16 len;            /* of the IP packet */
	__u16 vlan;           /* of the outer tag; 0: none, or priority only */
	__u16 port;           /* destination port; type of ICMP */
	__u8 family;          /* 4, 6 */
	__u8 protocol;
	__u8 ttl, tos;
	__u8 flags; /* enum pkt_flags */
	__u8 tcp_flags;
	__u8 dmac[ETH_ALEN];
};

enum parsed {
	PARSED_IP,
	PARSED_OTHER, /* ARP and other EtherTypes */
	PARSED_BAD
};

struct cursor {
	void *data, *end;
	__u32 at;
};

/* The next n bytes, or NULL. */
static __always_inline void *cur_take(struct cursor *c, __u32 n)
{
	__u32 at = c->at;

	if (at > CURSOR_MAX)
		return NULL;
	void *p = c->data + at;
	if (p + n > c->end)
		return NULL;
	c->at = at + n;
	return p;
}

/* Any frame begins like this; byte by byte, because the fabric's address bytes are not aligned. */
static __always_inline __u16 parse_ethernet(struct cursor *c, struct pkt *p)
{
	struct ethhdr *eth = cur_take(c, sizeof(*eth));
	__be16 type;

	if (!eth)
		return 0;
	__builtin_memcpy(p->dmac, eth->h_dest, ETH_ALEN);
	if (p->dmac[0] & 1)
		p->flags |= PKT_L2_GROUP;
	type = eth->h_proto;
#pragma unroll
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		__be16 *tag = cur_take(c, 4);
		if (!tag)
			return 0;
		if (!p->vlan)
			p->vlan = bpf_ntohs(tag[0]) & 0xfff;
		type = tag[1];
	}
	return bpf_ntohs(type);
}

static __always_inline int parse_v4(struct cursor *c, struct pkt *p)
{
	struct iphdr *ip = cur_take(c, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return -1;
	__u32 header = ip->ihl * 4u;
	__u16 frag = bpf_ntohs(ip->frag_off);

	p->family = 4;
	p->len = bpf_ntohs(ip->tot_len);
	p->protocol = ip->protocol;
	p->ttl = ip->ttl;
	p->tos = ip->tos;
	p->src[0] = ip->saddr;
	p->dst[0] = ip->daddr;
	p->id = ip->id;
	if (header > sizeof(*ip))
		p->flags |= PKT_OPTIONS;
	if (frag & 0x3fff) /* more fragments, or an offset */
		p->flags |= PKT_FRAGMENT;
	if (frag & 0x1fff)
		p->flags |= PKT_LATER_FRAGMENT;
	c->at = p->l3 + header;
	return p->len < header ? -1 : 0;
}

/* One extension header (RFC 8200 4). Returns 1 for one, 0 when protocol is the upper layer, -1. */
static __always_inline int parse_v6_extension(struct cursor *c, struct pkt *p)
{
	if (p->protocol != IPPROTO_HOPOPTS && p->protocol != IPPROTO_ROUTING &&
	    p->protocol != IPPROTO_FRAGMENT && p->protocol != IPPROTO_DSTOPTS)
		return 0;
	__u8 *h = cur_take(c, 8);
	if (!h)
		return -1;
	if (p->protocol == IPPROTO_FRAGMENT) {
		__u16 frag = (__u16)(h[2] << 8 | h[3]);

		if (frag & 0xfff9) /* an atomic fragment (RFC 6946) is whole */
			p->flags |= PKT_FRAGMENT;
		if (frag & 0xfff8)
			p->flags |= PKT_LATER_FRAGMENT;
		__builtin_memcpy(&p->id, h + 4, 4);
	} else {
		if (p->protocol == IPPROTO_HOPOPTS)
			p->flags |= PKT_OPTIONS;
		c->at += h[1] * 8u;
	}
	p->protocol = h[0];
	return 1;
}

static __always_inline int parse_v6(struct cursor *c, struct pkt *p)
{
	struct ipv6hdr *ip = cur_take(c, sizeof(*ip));

	if (!ip || ip->version != 6)
		return -1;
	__u32 len = bpf_ntohs(ip->payload_len) + (__u32)sizeof(*ip);
	if (len > 0xffff || len == sizeof(*ip)) /* no jumbograms */
		return -1;
	p->family = 6;
	p->len = (__u16)len;
	p->protocol = ip->nexthdr;
	p->ttl = ip->hop_limit;
	p->tos = (__u8)(ip->priority << 4 | ip->flow_lbl[0] >> 4);
	__builtin_memcpy(p->src, &ip->saddr, 16);
	__builtin_memcpy(p->dst, &ip->daddr, 16);
	for (int i = 0; i < V6_HEADERS_MAX; i++) {
		if (p->flags & PKT_LATER_FRAGMENT)
			return 0;
		int more = parse_v6_extension(c, p);
		if (more <= 0)
			return more;
	}
	return -1; /* nobody honest needs more */
}

/* ESP in UDP, told from IKE by the first four bytes (RFC 3948 2.2). */
static __always_inline int parse_udp(struct cursor *c, struct pkt *p)
{
	struct udphdr *udp = cur_take(c, sizeof(*udp));

	if (!udp)
		return -1;
	__u32 len = bpf_ntohs(udp->len);
	p->port = bpf_ntohs(udp->dest);
	if (p->flags & PKT_FRAGMENT)
		return 0;
	if (len < sizeof(*udp) || p->l4 + len > (__u32)p->l3 + p->len)
		return -1;
	if (p->port != NAT_T_PORT || len < sizeof(*udp) + 4)
		return 0;
	__be32 *marker = cur_take(c, 4);
	if (!marker)
		return -1;
	p->spi = bpf_ntohl(*marker);
	if (p->spi)
		p->flags |= PKT_SPI;
	return 0;
}

/* "Fragmentation needed" (RFC 792, RFC 1191) and "packet too big" (RFC 4443 3.2) quote what was too
 * big. Where that is ESP, AH, or ESP in UDP an SPU looks whether it is one of ours; all others are
 * the kernel's. The quote is not behind the packet's end: the caller checks the cursor. */
static __always_inline void parse_quote(struct cursor *c, struct pkt *p)
{
	__u8 protocol, *h;

	if (p->family == 4) {
		struct iphdr *ip = cur_take(c, sizeof(*ip));
		if (!ip || ip->version != 4 || ip->ihl < 5 || ip->frag_off & bpf_htons(0x1fff))
			return;
		protocol = ip->protocol;
		c->at += (ip->ihl - 5u) * 4u;
	} else {
		struct ipv6hdr *ip = cur_take(c, sizeof(*ip));
		if (!ip || ip->version != 6)
			return;
		protocol = ip->nexthdr;
		if (protocol == IPPROTO_FRAGMENT) {
			h = cur_take(c, 8);
			if (!h || h[2] || h[3] & 0xf8)
				return;
			protocol = h[0];
		}
	}
	if (protocol == IPPROTO_UDP) {
		h = cur_take(c, sizeof(struct udphdr));
		if (!h || (h[0] << 8 | h[1]) != NAT_T_PORT)
			return;
	} else if (protocol == IPPROTO_AH) {
		if (!cur_take(c, 4))
			return;
	} else if (protocol != IPPROTO_ESP) {
		return;
	}
	__be32 *spi = cur_take(c, 4);
	if (!spi || !*spi) /* 0: IKE on port 4500 */
		return;
	p->spi = bpf_ntohl(*spi);
	p->flags |= PKT_ICMP_QUOTE;
}

static __always_inline int parse_icmp(struct cursor *c, struct pkt *p)
{
	__u8 *h = cur_take(c, 4);
	struct cursor quote = *c;

	if (!h)
		return -1;
	p->port = h[0];
	int too_big = p->family == 4 ? h[0] == 3 && h[1] == 4 : h[0] == 2;
	if (!too_big || p->flags & PKT_FRAGMENT || !cur_take(&quote, 4))
		return 0;
	parse_quote(&quote, p);
	if (quote.at > (__u32)p->l3 + p->len)
		p->flags &= ~PKT_ICMP_QUOTE;
	return 0;
}

static __always_inline int parse_l4(struct cursor *c, struct pkt *p)
{
	__u8 *h;

	switch (p->protocol) {
	case IPPROTO_UDP:
		return parse_udp(c, p);
	case IPPROTO_TCP:
		h = cur_take(c, sizeof(struct tcphdr));
		if (!h)
			return -1;
		p->port = (__u16)(h[2] << 8 | h[3]);
		p->tcp_flags = h[13];
		return 0;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(c, p);
	case IPPROTO_ESP: /* RFC 4303 2: SPI, sequence number */
		h = cur_take(c, 8);
		if (!h)
			return -1;
		p->spi = (__u32)h[0] << 24 | (__u32)h[1] << 16 | (__u32)h[2] << 8 | h[3];
		p->flags |= PKT_SPI;
		return 0;
	case IPPROTO_AH: /* RFC 4302 2: next, length, reserved, SPI */
		h = cur_take(c, 12);
		if (!h)
			return -1;
		p->spi = (__u32)h[4] << 24 | (__u32)h[5] << 16 | (__u32)h[6] << 8 | h[7];
		p->flags |= PKT_SPI;
		return 0;
	default:
		return 0;
	}
}

/* Returns enum parsed. A function of its own, because the verifier looks at such a one once and
 * forgets how it came to its end: inlined, its paths would multiply with all that comes after. *p
 * is zero before. */
__weak __noinline int parse(struct xdp_md *ctx, struct pkt *p)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end, 0 };
	__u32 frame = ctx->data_end - ctx->data;

	if (!p)
		return PARSED_BAD;
	__u16 type = parse_ethernet(&c, p);
	p->l3 = (__u16)c.at;
	int bad;
	if (type == ETH_P_IP)
		bad = parse_v4(&c, p);
	else if (type == ETH_P_IPV6)
		bad = parse_v6(&c, p);
	else
		return type ? PARSED_OTHER : PARSED_BAD;
	if (bad || (__u32)p->l3 + p->len > frame || c.at > (__u32)p->l3 + p->len)
		return PARSED_BAD;
	p->l4 = (__u16)c.at;
	if (p->flags & PKT_LATER_FRAGMENT)
		return PARSED_IP;
	if (parse_l4(&c, p) || c.at > (__u32)p->l3 + p->len)
		return PARSED_BAD;
	return PARSED_IP;
}

#endif
