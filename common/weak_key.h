/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that an algorithm's RFC says not to use: the weak and semi-weak ones of DES (RFC 2405 2.3),
 * and a 3DES key that is no more than one DES key (RFC 2451 2.3). Negotiated, they are refused;
 * set by hand, crypto-profile decides, and the engines take what was decided. Any thread. */
#ifndef WEAK_KEY_H
#define WEAK_KEY_H
#include "algorithms.h"
#include "reader.h"

/* Why the key is weak; NULL for one that is not, or that is not as long as the cipher wants it. */
const char *weak_key_reason(const struct alg_cipher *cipher, struct view key);

#endif
