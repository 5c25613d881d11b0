// SPDX-License-Identifier: BSD-2-Clause
#include "algorithms.h"

#include <string.h>

/* clang-format off */
const struct alg_cipher alg_ciphers[] = {
	/* name          openssl        id  bits key salt iv icv block use                     short           RFC */
	{ "aes-128-gcm", "AES-128-GCM", 20, 128, 16, 4, 8, 16, 1, ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-gcm-128" }, /* 4106, 5282 */
	{ "aes-192-gcm", "AES-192-GCM", 20, 192, 24, 4, 8, 16, 1, 0, "aes-gcm-192" },
	{ "aes-256-gcm", "AES-256-GCM", 20, 256, 32, 4, 8, 16, 1, ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-gcm-256" },
	{ "aes-128-cbc", "AES-128-CBC", 12, 128, 16, 0, 16, 0, 16, ALG_IKE, "aes-cbc-128" },                       /* 3602 */
	{ "aes-192-cbc", "AES-192-CBC", 12, 192, 24, 0, 16, 0, 16, ALG_IKE, "aes-cbc-192" },
	{ "aes-256-cbc", "AES-256-CBC", 12, 256, 32, 0, 16, 0, 16, ALG_IKE, "aes-cbc-256" },
	{ 0 }
};

const struct alg_integ alg_integs[] = {
	/* name                 IKE        digest    id key icv use     short          RFC 4868 */
	{ "hmac-sha-256-128", "sha-256", "SHA2-256", 12, 32, 16, ALG_IKE, "sha256" },
	{ "hmac-sha-384",     "sha-384", "SHA2-384", 13, 48, 24, ALG_IKE, "sha384" },
	{ "hmac-sha-512",     "sha-512", "SHA2-512", 14, 64, 32, ALG_IKE, "sha512" },
	{ 0 }
};

const struct alg_prf alg_prfs[] = {
	{ "hmac-sha256", "SHA2-256", 5, 32, ALG_IKE },
	{ "hmac-sha384", "SHA2-384", 6, 48, ALG_IKE },
	{ "hmac-sha512", "SHA2-512", 7, 64, ALG_IKE },
	{ 0 }
};

const struct alg_ke alg_kes[] = {
	{ "group14", "modp_2048", 14, 256, ALG_IKE }, /* RFC 3526 */
	{ "group19", "P-256",     19, 64,  ALG_IKE }, /* RFC 5903: x and y, no format byte */
	{ "group20", "P-384",     20, 96,  ALG_IKE },
	{ "group31", "X25519",    31, 32,  ALG_IKE }, /* RFC 8031 */
	{ 0 }
};
/* clang-format on */

const struct alg_cipher *alg_cipher_by_id(uint16_t v2_id, uint16_t key_bits)
{
	for (const struct alg_cipher *a = alg_ciphers; a->name; a++)
		if (a->v2_id == v2_id && a->key_bits == key_bits)
			return a;
	return NULL;
}

const struct alg_cipher *alg_cipher_by_name(const char *name)
{
	for (const struct alg_cipher *a = alg_ciphers; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

const struct alg_integ *alg_integ_by_id(uint16_t v2_id)
{
	for (const struct alg_integ *a = alg_integs; a->name; a++)
		if (a->v2_id == v2_id)
			return a;
	return NULL;
}

const struct alg_integ *alg_integ_by_name(const char *name)
{
	for (const struct alg_integ *a = alg_integs; a->name; a++)
		if (strcmp(a->name, name) == 0 || strcmp(a->ike_name, name) == 0)
			return a;
	return NULL;
}

const struct alg_prf *alg_prf_by_id(uint16_t v2_id)
{
	for (const struct alg_prf *a = alg_prfs; a->name; a++)
		if (a->v2_id == v2_id)
			return a;
	return NULL;
}

const struct alg_prf *alg_prf_by_name(const char *name)
{
	for (const struct alg_prf *a = alg_prfs; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

const struct alg_ke *alg_ke_by_id(uint16_t v2_id)
{
	for (const struct alg_ke *a = alg_kes; a->name; a++)
		if (a->v2_id == v2_id)
			return a;
	return NULL;
}

const struct alg_ke *alg_ke_by_name(const char *name)
{
	for (const struct alg_ke *a = alg_kes; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}
