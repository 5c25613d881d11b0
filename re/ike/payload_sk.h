/* SPDX-License-Identifier: BSD-2-Clause */
/* The encrypted payload (RFC 7296 3.14, RFC 5282). One thread, as its struct ike_crypto. */
#ifndef PAYLOAD_SK_H
#define PAYLOAD_SK_H
#include "ike_keys.h"
#include "ike_message.h"
#include "secret.h"

struct payload_sk_keys {
	const uint8_t *enc;   /* SK_e of who sends: key and salt */
	const uint8_t *integ; /* SK_a; unused with AEAD */
	const uint8_t *iv;    /* to write: cipher->iv_len bytes, never twice with one key for AEAD,
	                         unpredictable for CBC */
	uint8_t *copy;        /* to read: where the message is decrypted */
	size_t cap;
};

/* Verifies and decrypts. body is the SK payload's, the last of message. What comes back lies in
 * k->copy. ERR_AUTH when the ICV is wrong: nothing of the message may be believed. */
enum err payload_sk_read(struct ike_crypto *c, const struct ike_suite *s,
                         const struct payload_sk_keys *k, struct view message, struct view body,
                         struct view *ret_plain) MUST_CHECK;

/* Where the parts of a message that is to be sealed begin, in its writer. */
struct payload_sk_place {
	size_t message, payload, iv;
};

/* Pads what follows the IV, writes the lengths, encrypts, appends the ICV. False when there was no
 * room or it could not be encrypted. */
bool payload_sk_seal(struct writer *w, const struct payload_sk_place *at, struct ike_crypto *c,
                     const struct ike_suite *s, const struct payload_sk_keys *k) MUST_CHECK;
size_t payload_sk_icv_len(const struct ike_suite *s);

/* Opens the SK payload; payloads opened after it are inside. */
void payload_sk_open(struct ike_out *o, const struct ike_suite *s);
/* Pads, encrypts, finishes the message. Empty when it did not fit or could not be encrypted. */
struct view payload_sk_finish(struct ike_out *o, struct ike_crypto *c, const struct ike_suite *s,
                              const struct payload_sk_keys *k);

/* A fragment of an encrypted message (RFC 7383 2.5): number and total, then what an SK payload has.
 */
struct payload_skf {
	uint16_t number, total; /* 1 to total; 0 and 0: no fragment */
	struct view rest;       /* for payload_sk_read() */
};
enum { SKF_HEADER = 8 }; /* with the generic header */

enum err payload_skf_read(struct view body, struct payload_skf *ret) MUST_CHECK;
/* Writes the payload up to its IV. first: the type of the first payload inside. */
void payload_skf_open(struct writer *w, const struct payload_skf *f, uint8_t first);

#endif
