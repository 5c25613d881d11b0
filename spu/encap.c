// SPDX-License-Identifier: BSD-2-Clause
#include "encap.h"
#include "algorithms.h"
#include "bytes.h"
#include "ecn.h"

enum { PROTO_UDP = 17, V4_LEN = 20, V6_LEN = 40 };
enum { V4_DF = 0x4000 };

static void v4_make(struct encap *e, const struct encap_spec *spec)
{
	e->ip_len = V4_LEN;
	e->bytes[0] = 0x45;
	e->bytes[8] = ENCAP_TTL;
	e->bytes[9] = e->protocol;
	memcpy(e->bytes + 12, spec->local.b, 4);
	memcpy(e->bytes + 16, spec->remote.b, 4);
	e->sum = (uint32_t)csum_add(0, e->bytes, V4_LEN);
}

static void v6_make(struct encap *e, const struct encap_spec *spec)
{
	e->ip_len = V6_LEN;
	e->bytes[0] = 0x60;
	e->bytes[6] = e->protocol;
	e->bytes[7] = ENCAP_TTL;
	memcpy(e->bytes + 8, spec->local.b, 16);
	memcpy(e->bytes + 24, spec->remote.b, 16);
}

enum err encap_make(struct encap *ret, const struct encap_spec *spec)
{
	struct encap e = { .family = spec->local.family, .df = (uint8_t)spec->df };

	if (spec->local.family != spec->remote.family || spec->local.family == ADDR_NONE)
		return ERR_VALUE;
	e.protocol = spec->udp ? PROTO_UDP : spec->ah ? IPPROTO_NO_AH : IPPROTO_NO_ESP;
	if (e.family == ADDR_V4)
		v4_make(&e, spec);
	else
		v6_make(&e, spec);
	e.len = e.ip_len;
	if (spec->udp) {
		put_be16(e.bytes + e.ip_len, spec->local_port);
		put_be16(e.bytes + e.ip_len + 2, spec->remote_port);
		e.len = (uint8_t)(e.ip_len + ENCAP_UDP_LEN);
	}
	*ret = e;
	return ERR_OK;
}

static void v4_write(const struct encap *e, uint8_t *p, uint16_t total, struct encap_inner inner)
{
	bool df = e->df == ENCAP_DF_COPY ? inner.df : e->df == ENCAP_DF_SET;
	uint16_t frag = df ? V4_DF : 0;
	uint64_t sum = (uint64_t)e->sum + inner.tos + total + inner.id + frag;

	p[1] = inner.tos;
	put_be16(p + 2, total);
	put_be16(p + 4, inner.id);
	put_be16(p + 6, frag);
	put_be16(p + 10, csum_fold(sum));
}

void encap_write(const struct encap *e, uint8_t *p, uint16_t payload, struct encap_inner inner)
{
	uint16_t total = (uint16_t)(e->len + payload);

	/* RFC 2983 4.1: DSCP is copied. So is the flow label (RFC 6437 3: a tunnel's flows are
	 * those inside; of IPv4 there is none: 0). */
	inner.tos = (uint8_t)((inner.tos & ~ECN_MASK) | ecn_encapsulate(inner.tos));
	if (e->family == ADDR_V4) { /* copies of lengths that the compiler knows */
		memcpy(p, e->bytes, V4_LEN);
		v4_write(e, p, total, inner);
	} else {
		memcpy(p, e->bytes, V6_LEN);
		p[0] = (uint8_t)(0x60 | inner.tos >> 4);
		p[1] = (uint8_t)((uint32_t)inner.tos << 4 | inner.label >> 16);
		put_be16(p + 2, (uint16_t)inner.label);
		put_be16(p + 4, (uint16_t)(total - V6_LEN));
	}
	if (e->len > e->ip_len) {
		memcpy(p + e->ip_len, e->bytes + e->ip_len, ENCAP_UDP_LEN);
		put_be16(p + e->ip_len + 4, (uint16_t)(total - e->ip_len));
	}
}

void encap_checksum(const struct encap *e, uint8_t *p, uint16_t payload)
{
	uint16_t udp_len = (uint16_t)(ENCAP_UDP_LEN + payload);
	uint64_t sum = csum_add(0, p + 8, 32) + udp_len + PROTO_UDP; /* the pseudo header */
	uint8_t *udp = p + e->ip_len;

	put_be16(udp + 6, 0);
	uint16_t c = csum_fold(csum_add(sum, udp, udp_len));
	put_be16(udp + 6, c == 0 ? UINT16_MAX : c);
}
