/* SPDX-License-Identifier: BSD-2-Clause */
/* NAT detection (RFC 7296 2.23): each side sends hashes of the addresses it believes in, and the
 * other compares. A peer may fake its source (strongSwan's user-space ESP does, and we do where
 * UDP encapsulation is forced): that says "treat me as behind a NAT", nothing about ourselves. */
#ifndef IKE_NATD_H
#define IKE_NATD_H
#include "addr.h"
#include "ike_keys.h"
#include "ike_message.h"

/* SHA-1 of SPIs, address and port. */
enum err ike_natd_hash(struct ike_crypto *c, const struct ike_header *h, const struct endpoint *e,
                       uint8_t out[20]) MUST_CHECK;

/* Both notifies, into a message with this header, from us there. */
enum err ike_natd_put(struct ike_crypto *c, const struct ike_header *h, const struct endpoint *from,
                      const struct endpoint *to, struct ike_out *o) MUST_CHECK;

struct ike_natd {
	bool seen;   /* the peer sent both kinds */
	bool local;  /* we are behind a NAT: the peer sends to another address than ours */
	bool remote; /* the peer is, or says so: it sends from another address than it thinks */
};

/* Judges what the peer sent, by the endpoints of the datagram as we see them. */
enum err ike_natd_check(struct ike_crypto *c, const struct ike_header *h,
                        const struct ike_content *m, const struct endpoint at[2],
                        struct ike_natd *ret) MUST_CHECK; /* at: local, remote */

#endif
