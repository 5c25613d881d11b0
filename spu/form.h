/* SPDX-License-Identifier: BSD-2-Clause */
/* How the packets of an SA look, and what an engine is asked for each: decided when the SA is
 * built.
 *
 *   ESP   outer headers | SPI, number | IV | inner packet, trailer | ICV         (RFC 4303 2)
 *                       |<--- head ------>|                        |<tail>|
 *   AH    outer header | next, length, SPI, number | IV, ICV, padding | inner packet  (RFC 4302 2)
 *                      |<---------------- head ---------------------->|
 *
 * A new protocol rule that depends on the algorithm is a column here, not a question in a stage.
 * Pure; any thread. */
#ifndef FORM_H
#define FORM_H
#include "algorithms.h"
#include "errors.h"

enum { ESP_LEN = 8, ESP_TRAILER_LEN = 2, ESP_ALIGN = 4, AH_LEN = 12, AH_UNIT = 4 };
enum { NONCE_IV_LEN = 8 }; /* what follows the salt in a nonce */

enum form_kind {
	FORM_AEAD,     /* cipher and integrity are one algorithm */
	FORM_GMAC,     /* likewise, but nothing is encrypted (RFC 4543 3) */
	FORM_SEPARATE, /* a cipher, or NULL; then an integrity algorithm, perhaps none */
	FORM_AH,
};

enum form_iv {
	FORM_IV_NONE,
	FORM_IV_COUNTER,  /* in the packet: epoch and sequence number */
	FORM_IV_IMPLICIT, /* not in the packet: the sequence number, 64 bits (RFC 8750) */
	FORM_IV_RANDOM,   /* in the packet: a block that nobody can tell beforehand (RFC 3602 3) */
};

struct form {
	uint8_t kind;    /* enum form_kind */
	uint8_t iv;      /* enum form_iv */
	uint8_t head;    /* bytes from ESP's or AH's first to the payload */
	uint8_t iv_len;  /* of them: in the packet */
	uint8_t icv_len; /* 0: no integrity at all, and so no replay check (RFC 4303 2.2) */
	uint8_t tail;    /* bytes behind the payload */
	uint8_t trailer; /* bytes of the payload behind its padding */
	uint8_t align;   /* of the payload, a power of two (RFC 4303 2.4) */
	uint8_t aad_len; /* 0; or 8, with ESN 12 */
	uint8_t scratch; /* bytes behind the packet that the engine borrows */
	uint8_t esn_len; /* 4: the number's high half is authenticated apart; else 0 */
};

struct form_spec {
	uint8_t protocol;                /* 50, 51 */
	uint8_t family;                  /* enum addr_family, of the outer header: for AH */
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with AEAD, and where there is none */
	bool esn;
};

/* ERR_VALUE where the algorithms do not go together: see record_check.c, which says the same of
 * records. */
enum err form_make(struct form *ret, const struct form_spec *spec) MUST_CHECK;

#endif
