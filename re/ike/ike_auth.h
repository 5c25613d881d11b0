/* SPDX-License-Identifier: BSD-2-Clause */
/* Authentication of the IKE SA (RFC 7296 2.15), by pre-shared key in this version, and who the peer
 * says it is (3.5). One thread, as its struct ike_crypto. */
#ifndef IKE_AUTH_H
#define IKE_AUTH_H
#include "ike_conf.h"
#include "ike_keys.h"
#include "payload.h"

/* What one side signs: its first message, the other's nonce, and its identity under SK_p. */
struct ike_auth_octets {
	struct view message; /* RealMessage1 or 2, as on the wire */
	struct view nonce;   /* the other side's */
	const uint8_t *sk_p; /* of the side that signs */
	struct view id_body; /* payload body of its identity */
};

/* prf(prf(psk, "Key Pad for IKEv2"), octets); out has prf->out_len bytes. */
enum err ike_auth_psk(struct ike_crypto *c, const struct alg_prf *prf, struct view psk,
                      const struct ike_auth_octets *o, uint8_t *out) MUST_CHECK;

/* The identity of an address. */
struct ike_id ike_id_of_addr(const struct addr *a);
/* The identity that a payload carries. */
struct ike_id ike_id_of_payload(const struct payload_id *p);
/* As long as its value: what is kept of each peer; *at owns it, and is NULL for
 * none. On an error nothing is changed. Only what len says is there to be read. */
enum err ike_id_keep(struct ike_id **at, const struct ike_id *id) MUST_CHECK;
/* One that is kept, or that of nobody. */
const struct ike_id *ike_id_or_none(const struct ike_id *kept);
/* Same type and value; names without regard to case (RFC 5280 7.2 for DNS). */
bool ike_id_equal(const struct ike_id *a, const struct ike_id *b);
/* type, reserved, data: as in the payload and in records. Returns the length; buf has
 * IKE_ID_BODY_MAX bytes. */
#define IKE_ID_BODY_MAX (4 + IKE_ID_MAX)
size_t ike_id_body(const struct ike_id *id, uint8_t *buf);

#endif
