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

/* Opens the SK payload; payloads opened after it are inside. */
void payload_sk_open(struct ike_out *o, const struct ike_suite *s);
/* Pads, encrypts, finishes the message. Empty when it did not fit or could not be encrypted. */
struct view payload_sk_finish(struct ike_out *o, struct ike_crypto *c, const struct ike_suite *s,
                              const struct payload_sk_keys *k);

#endif
