/* SPDX-License-Identifier: BSD-2-Clause */
/* The outer headers of a tunnel: IPv4 or IPv6, and UDP where the SA is behind a NAT (RFC 3948).
 *
 * Everything that does not change from packet to packet is decided when the SA is built: the bytes
 * stand ready to be copied, and IPv4's checksum is summed up as far as it is known. Pure. */
#ifndef ENCAP_H
#define ENCAP_H
#include "addr.h"

enum encap_df { ENCAP_DF_CLEAR, ENCAP_DF_SET, ENCAP_DF_COPY };
enum { ENCAP_MAX = 48, ENCAP_UDP_LEN = 8, ENCAP_TTL = 64 };

struct encap {
	uint8_t bytes[ENCAP_MAX];
	uint8_t len, ip_len;
	uint8_t family;   /* enum addr_family */
	uint8_t df;       /* enum encap_df */
	uint8_t protocol; /* 50, 51, or 17 */
	uint32_t sum;     /* IPv4: of the words that stay */
};

struct encap_spec {
	struct addr local, remote;
	bool ah; /* else ESP */
	bool udp;
	uint16_t local_port, remote_port;
	enum encap_df df;
};

/* ERR_VALUE when the addresses are of two families. */
enum err encap_make(struct encap *ret, const struct encap_spec *spec) MUST_CHECK;

/* What of a packet shows outside (RFC 4301 5.1.2): traffic class, DF, flow label, and a number for
 * the IPv4 identification (only used when the packet may be fragmented, RFC 6864). */
struct encap_inner {
	uint8_t tos;
	bool df;
	uint16_t id;
	uint32_t label; /* IPv6 in IPv6: flow label */
};

/* [data path] Writes the headers to p, which has room for e->len bytes and is followed by `payload`
 * bytes of ESP or AH. */
void encap_write(const struct encap *e, uint8_t *p, uint16_t payload, struct encap_inner inner);

/* [data path] RFC 8200 8.1: UDP over IPv6 has a checksum. Over the finished packet (p: outer IP
 * header), so only after encryption. Nothing to do for the others (RFC 3948 2.1: zero). */
static inline bool encap_wants_checksum(const struct encap *e)
{
	return e->family == ADDR_V6 && e->len > e->ip_len;
}
void encap_checksum(const struct encap *e, uint8_t *p, uint16_t payload);

#endif
