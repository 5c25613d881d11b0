/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that an algorithm's RFC says to refuse: the weak and semi-weak ones of DES (RFC 2405 2.3),
 * and a 3DES key that is no more than one DES key (RFC 2451 2.3). Any thread. */
#ifndef WEAK_KEY_H
#define WEAK_KEY_H
#include "algorithms.h"
#include "errors.h"
#include "reader.h"

/* ERR_VALUE for such a key. The key has the cipher's length. */
enum err weak_key_check(const struct alg_cipher *cipher, struct view key,
                        struct why *why) MUST_CHECK;

#endif
