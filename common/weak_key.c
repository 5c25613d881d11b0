// SPDX-License-Identifier: BSD-2-Clause
#include "weak_key.h"
#include "errors.h"

#define DES_KEY_LEN 8

/* RFC 2409 appendix A, without parity bits: the first four are weak, the others come in pairs. */
static const uint64_t weak_des[] = {
	0x0000000000000000, 0xfefefefefefefefe, 0x1e1e1e1e0e0e0e0e, 0xe0e0e0e0f0f0f0f0,
	0x00fe00fe00fe00fe, 0xfe00fe00fe00fe00, 0x1ee01ee00ef00ef0, 0xe01ee01ef00ef00e,
	0x00e000e000f000f0, 0xe000e000f000f000, 0x1efe1efe0efe0efe, 0xfe1efe1efe0efe0e,
	0x001e001e000e000e, 0x1e001e000e000e00, 0xe0fee0fef0fef0fe, 0xfee0fee0fef0fef0,
};

static uint64_t without_parity(const uint8_t *key)
{
	uint64_t k = 0;

	for (int i = 0; i < DES_KEY_LEN; i++)
		k = k << 8 | (key[i] & 0xfeu);
	return k;
}

static bool des_is_weak(const uint8_t *key)
{
	for (size_t i = 0; i < ARRAY_LEN(weak_des); i++)
		if (without_parity(key) == weak_des[i])
			return true;
	return false;
}

const char *weak_key_reason(const struct alg_cipher *cipher, struct view key)
{
	if (cipher == NULL || key.len < cipher->key_len)
		return NULL;
	if (cipher->v2_id == ENCR_DES_CBC)
		return des_is_weak(key.p)
		               ? "the key is a weak or semi-weak key of DES (RFC 2409 appendix A)"
		               : NULL;
	if (cipher->v2_id != ENCR_3DES_CBC)
		return NULL;
	uint64_t middle = without_parity(key.p + DES_KEY_LEN);
	if (without_parity(key.p) == middle)
		return "the first and the second part of the key are equal: that is DES";
	if (middle == without_parity(key.p + 2 * DES_KEY_LEN))
		return "the second and the third part of the key are equal: that is DES";
	return NULL;
}
