/* SPDX-License-Identifier: BSD-2-Clause */
/* Cookies of a responder (RFC 7296 2.6): a keyed hash over the initiator's nonce, address and SPI.
 *
 * Nothing is kept for a cookie that was given. The secret changes, and the one before it is good
 * for as long again: a cookie is good for half a minute at least and one minute at most. */
#ifndef IKE_COOKIE_H
#define IKE_COOKIE_H
#include "addr.h"
#include "env.h"
#include "reader.h"

enum { COOKIE_LEN = 17, COOKIE_SECRET_LEN = 32, COOKIE_PERIOD_MS = 30000 };

/* Zero-initialise. */
struct ike_cookies {
	uint8_t secret[2][COOKIE_SECRET_LEN]; /* the newer at version % 2 */
	uint8_t version;
	uint64_t until_ms; /* when the secret changes */
};

/* What a cookie is about. */
struct ike_cookie_of {
	const uint8_t *spi_i;
	const struct addr *from;
	struct view nonce;
};

void ike_cookie_make(struct ike_cookies *c, struct env *env, const struct ike_cookie_of *of,
                     uint8_t ret[COOKIE_LEN]);
bool ike_cookie_holds(struct ike_cookies *c, struct env *env, const struct ike_cookie_of *of,
                      struct view cookie);

#endif
