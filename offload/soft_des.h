/* SPDX-License-Identifier: BSD-2-Clause */
/* DES-CBC and 3DES-CBC (RFC 2405, RFC 2451) by libcrypto.
 *
 * libIPSec_MB looks its tables up in constant time, and without AVX-512 one packet after the other:
 * a burst of full packets takes it a tenth of a second, longer than an SPU may be silent. Allocates
 * nothing; the keys are wiped with the session that they lie in. Data-plane thread. */
#ifndef SOFT_DES_H
#define SOFT_DES_H
#include "reader.h"

#define OPENSSL_SUPPRESS_DEPRECATED /* the calls that need no context of their own per packet */
#include <openssl/des.h>

enum { SOFT_DES_BLOCK = 8 };

struct soft_des {
	DES_key_schedule key[3];
	uint8_t keys; /* 1, 3 */
};

/* Key: 8 or 24 bytes; parity is not looked at. */
void soft_des_init(struct soft_des *d, struct view key);
/* In place; len is a multiple of the block. */
void soft_des_crypt(const struct soft_des *d, const uint8_t *iv, uint8_t *payload, uint32_t len,
                    bool encrypt);

#endif
