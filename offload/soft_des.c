// SPDX-License-Identifier: BSD-2-Clause
#include "soft_des.h"

#include <string.h>

void soft_des_init(struct soft_des *d, struct view key)
{
	d->keys = (uint8_t)(key.len / SOFT_DES_BLOCK);
	for (uint8_t i = 0; i < d->keys; i++)
		DES_set_key_unchecked((const_DES_cblock *)(key.p + SOFT_DES_BLOCK * (size_t)i),
		                      &d->key[i]);
}

void soft_des_crypt(const struct soft_des *d, const uint8_t *iv, uint8_t *payload, uint32_t len,
                    bool encrypt)
{
	int way = encrypt ? DES_ENCRYPT : DES_DECRYPT;
	DES_key_schedule *k = (DES_key_schedule *)(uintptr_t)d->key; /* only read */
	DES_cblock chain;

	memcpy(chain, iv, sizeof(chain));
	if (d->keys == 1)
		DES_ncbc_encrypt(payload, payload, (long)len, &k[0], &chain, way);
	else
		DES_ede3_cbc_encrypt(payload, payload, (long)len, &k[0], &k[1], &k[2], &chain, way);
}
