// SPDX-License-Identifier: BSD-2-Clause
#include "icmp_error.h"
#include "bytes.h"

enum { THOUSAND = 1000, FULL = ICMP_BURST * THOUSAND, FILL_MS = FULL / ICMP_PER_S };
enum { ICMP_UNREACHABLE = 3, ICMP_FRAG_NEEDED = 4, ICMP6_TOO_BIG = 2, ICMP6_REDIRECT = 137 };
enum { TOS_NETWORK_CONTROL = 0xc0 }; /* RFC 1812 4.3.2.5: precedence 6 */

bool icmp_limit_take(struct icmp_limit *l, uint64_t now_ms)
{
	uint64_t waited = now_ms - l->filled_ms;

	if (l->filled_ms == 0 || waited >= FILL_MS)
		l->tokens = FULL;
	else
		l->tokens += (uint32_t)waited * ICMP_PER_S;
	if (l->tokens > FULL)
		l->tokens = FULL;
	l->filled_ms = now_ms;
	if (l->tokens < THOUSAND)
		return false;
	l->tokens -= THOUSAND;
	return true;
}

static bool v4_may(const struct flow *f)
{
	uint8_t type = (uint8_t)(f->src_port >> 8);
	uint64_t src = f->src[1] >> 24;
	/* 3 unreachable, 4 quench, 5 redirect, 11 time exceeded, 12 parameter problem */
	bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;

	if (f->proto == PROTO_ICMP && (!f->ports || error))
		return false;
	return src != 0 && src != 127 && src < 224 && f->dst[1] >> 24 < 224;
}

static bool v6_may(const struct flow *f)
{
	uint8_t type = (uint8_t)(f->src_port >> 8);

	if (f->proto == PROTO_ICMPV6 && (!f->ports || type < 128 || type == ICMP6_REDIRECT))
		return false;
	return f->src[0] >> 56 != 0xff && (f->src[0] | (f->src[1] >> 1)) != 0;
}

bool icmp_may_answer(const struct ip_info *info)
{
	if (info->later)
		return false;
	return info->flow.family == 4 ? v4_may(&info->flow) : v6_may(&info->flow);
}

static uint16_t quoted(const struct ip_info *info, uint16_t max, uint16_t around)
{
	return info->len < max - around ? info->len : (uint16_t)(max - around);
}

static uint16_t v4_write(uint8_t *out, const uint8_t *packet, const struct ip_info *info,
                         const struct icmp_answer *a)
{
	uint8_t *icmp = out + IP_V4_LEN;
	uint16_t quote = quoted(info, ICMP_V4_MAX, IP_V4_LEN + ICMP_LEN);
	uint16_t len = (uint16_t)(IP_V4_LEN + ICMP_LEN + quote);

	memset(out, 0, IP_V4_LEN + ICMP_LEN);
	out[0] = 0x45;
	out[1] = TOS_NETWORK_CONTROL;
	put_be16(out + 2, len);
	put_be16(out + 4, a->id);
	out[8] = ICMP_TTL;
	out[9] = PROTO_ICMP;
	memcpy(out + 12, a->source->b, 4);
	memcpy(out + 16, packet + 12, 4);
	put_be16(out + 10, csum_fold(csum_add(0, out, IP_V4_LEN)));
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_FRAG_NEEDED;
	put_be16(icmp + 6, (uint16_t)a->mtu);
	memcpy(icmp + ICMP_LEN, packet, quote);
	put_be16(icmp + 2, csum_fold(csum_add(0, icmp, (size_t)ICMP_LEN + quote)));
	return len;
}

static uint16_t v6_write(uint8_t *out, const uint8_t *packet, const struct ip_info *info,
                         const struct icmp_answer *a)
{
	uint8_t *icmp = out + IP_V6_LEN;
	uint16_t quote = quoted(info, ICMP_V6_MAX, IP_V6_LEN + ICMP_LEN);
	uint16_t body = (uint16_t)(ICMP_LEN + quote);

	memset(out, 0, IP_V6_LEN + ICMP_LEN);
	out[0] = 0x60;
	put_be16(out + 4, body);
	out[6] = PROTO_ICMPV6;
	out[7] = ICMP_TTL;
	memcpy(out + 8, a->source->b, 16);
	memcpy(out + 24, packet + 8, 16);
	icmp[0] = ICMP6_TOO_BIG;
	put_be32(icmp + 4, a->mtu);
	memcpy(icmp + ICMP_LEN, packet, quote);
	uint64_t sum = csum_add(0, out + 8, 32) + body + PROTO_ICMPV6; /* the pseudo header */
	put_be16(icmp + 2, csum_fold(csum_add(sum, icmp, body)));
	return (uint16_t)(IP_V6_LEN + body);
}

uint16_t icmp_too_big(uint8_t *out, const uint8_t *packet, const struct ip_info *info,
                      const struct icmp_answer *a)
{
	if (info->flow.family == 4)
		return v4_write(out, packet, info, a);
	return v6_write(out, packet, info, a);
}
