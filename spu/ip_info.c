// SPDX-License-Identifier: BSD-2-Clause
#include "ip_info.h"
#include "bytes.h"

enum { HOP_BY_HOP = 0, TCP = 6, UDP = 17, DCCP = 33, ROUTING = 43, FRAGMENT = 44 };
enum { AH = 51, DEST_OPTIONS = 60, SCTP = 132, UDP_LITE = 136 };
enum { EXTENSIONS_MAX = 8 };

static bool has_ports(uint8_t proto)
{
	return proto == TCP || proto == UDP || proto == SCTP || proto == DCCP || proto == UDP_LITE;
}

/* A packet too short for its ports is one whose ports cannot be seen: OPAQUE in RFC 4301's words.
 */
static void ports_read(struct reader *r, struct flow *f)
{
	if (has_ports(f->proto) && rd_left(r) >= 4) {
		f->src_port = rd_u16(r);
		f->dst_port = rd_u16(r);
		f->ports = true;
	} else if ((f->proto == PROTO_ICMP || f->proto == PROTO_ICMPV6) && rd_left(r) >= 2) {
		f->src_port = rd_u16(r);
		f->ports = true;
	}
}

static enum err v4_read(struct reader *r, struct ip_info *i)
{
	size_t have = rd_left(r);
	const uint8_t *h = rd_view(r, IP_V4_LEN).p;

	if (r->bad)
		return ERR_TRUNCATED;
	size_t header = (h[0] & 15u) * 4u;
	i->len = get_be16(h + 2);
	if (header < IP_V4_LEN || i->len < header || i->len > have)
		return ERR_LENGTH;
	i->tos = h[1];
	i->label = 0;
	uint16_t frag = get_be16(h + 6);
	i->df = frag & 0x4000;
	i->later = (frag & 0x1fff) != 0;
	i->l4 = i->later ? 0 : (uint16_t)header;
	i->flow = (struct flow){ .family = 4, .proto = h[9] };
	i->flow.src[1] = get_be32(h + 12);
	i->flow.dst[1] = get_be32(h + 16);
	struct reader body = rd_sub(r, i->len - IP_V4_LEN);
	rd_skip(&body, header - IP_V4_LEN);
	if (!i->later)
		ports_read(&body, &i->flow);
	return ERR_OK;
}

/* RFC 8200 4: walks the chain to the upper-layer protocol. *ret_later: not the first fragment. */
static enum err v6_upper_layer(struct reader *r, uint8_t *proto, bool *ret_later)
{
	for (int n = 0; n < EXTENSIONS_MAX; n++) {
		bool fragment = *proto == FRAGMENT;

		if (*proto != HOP_BY_HOP && *proto != ROUTING && *proto != DEST_OPTIONS &&
		    *proto != AH && !fragment)
			return ERR_OK;
		const uint8_t *h = rd_view(r, 8).p;
		if (r->bad)
			return ERR_TRUNCATED;
		/* RFC 4302 2.2: AH counts its length in units of 4, less 2; the others of 8,
		 * less 1. */
		size_t more = *proto == AH ? ((size_t)h[1] + 2) * 4 : (size_t)h[1] * 8;
		if (*proto == AH)
			more = more < 8 ? 0 : more - 8;
		*proto = h[0];
		if (fragment && (get_be16(h + 2) & 0xfff8)) {
			*ret_later = true;
			return ERR_OK;
		}
		rd_skip(r, fragment ? 0 : more);
		if (r->bad)
			return ERR_TRUNCATED;
	}
	return ERR_LENGTH;
}

static enum err v6_read(struct reader *r, struct ip_info *i)
{
	size_t have = rd_left(r);
	const uint8_t *h = rd_view(r, IP_V6_LEN).p;

	if (r->bad)
		return ERR_TRUNCATED;
	size_t len = (size_t)get_be16(h + 4) + IP_V6_LEN;
	if (len > have || len > UINT16_MAX)
		return ERR_LENGTH;
	i->len = (uint16_t)len;
	i->tos = (uint8_t)(get_be16(h) >> 4);
	i->label = get_be32(h) & 0xfffff;
	i->df = true;
	i->flow = (struct flow){ .family = 6, .proto = h[6] };
	i->flow.src[0] = get_be64(h + 8);
	i->flow.src[1] = get_be64(h + 16);
	i->flow.dst[0] = get_be64(h + 24);
	i->flow.dst[1] = get_be64(h + 32);
	struct reader body = rd_sub(r, len - IP_V6_LEN);
	i->later = false;
	TRY(v6_upper_layer(&body, &i->flow.proto, &i->later));
	i->l4 = i->later ? 0 : (uint16_t)(body.p - h);
	if (!i->later)
		ports_read(&body, &i->flow);
	return ERR_OK;
}

enum err ip_info_read(struct view packet, struct ip_info *ret)
{
	struct reader r = rd_of_view(packet);

	if (packet.len == 0)
		return ERR_TRUNCATED;
	if (packet.p[0] >> 4 == 4)
		return v4_read(&r, ret);
	if (packet.p[0] >> 4 == 6)
		return v6_read(&r, ret);
	return ERR_VERSION;
}

bool ip_info_sum_ok(const uint8_t *ip, const struct ip_info *info)
{
	return info->flow.family != 4 || csum_fold(csum_add(0, ip, (ip[0] & 15u) * 4u)) == 0;
}
