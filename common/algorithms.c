// SPDX-License-Identifier: BSD-2-Clause
#include "algorithms.h"

#include <string.h>

/* clang-format off */
const struct alg_cipher alg_ciphers[] = {
	/* name                    openssl        id  bits key salt iv icv block kind            use                              short                RFC */
	{ "aes-128-gcm",           "AES-128-GCM", 20, 128, 16, 4, 8,  16, 1,  ALG_KIND_GCM,    ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-gcm-128" }, /* 4106, 5282 */
	{ "aes-192-gcm",           "AES-192-GCM", 20, 192, 24, 4, 8,  16, 1,  ALG_KIND_GCM,    ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-gcm-192" },
	{ "aes-256-gcm",           "AES-256-GCM", 20, 256, 32, 4, 8,  16, 1,  ALG_KIND_GCM,    ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-gcm-256" },
	{ "aes-128-cbc",           "AES-128-CBC", 12, 128, 16, 0, 16, 0,  16, ALG_KIND_CBC,    ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-cbc-128" }, /* 3602 */
	{ "aes-192-cbc",           "AES-192-CBC", 12, 192, 24, 0, 16, 0,  16, ALG_KIND_CBC,    ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-cbc-192" },
	{ "aes-256-cbc",           "AES-256-CBC", 12, 256, 32, 0, 16, 0,  16, ALG_KIND_CBC,    ALG_IKE | ALG_SOFT | ALG_INLINE, "aes-cbc-256" },
	{ "chacha20-poly1305",     "ChaCha20-Poly1305", 28, 0, 32, 4, 8, 16, 1, ALG_KIND_CHACHA, ALG_IKE | ALG_SOFT, "chacha20-poly1305" }, /* 7634 */
	{ "3des-cbc",              "DES-EDE3-CBC", 3, 0,   24, 0, 8,  0,  8,  ALG_KIND_CBC,    ALG_IKE | ALG_SOFT | ALG_LEGACY, "3des-cbc" }, /* 2451 */
	{ "des-cbc",               "DES-CBC",     2,  0,   8,  0, 8,  0,  8,  ALG_KIND_CBC,    ALG_IKE | ALG_SOFT | ALG_LEGACY, "des-cbc" }, /* 2405 */
	{ "null",                  NULL,          11, 0,   0,  0, 0,  0,  1,  ALG_KIND_NULL,   ALG_SOFT | ALG_INLINE, "null" }, /* 2410 */
	{ "null-aes-128-gmac",     "AES-128-GCM", 21, 128, 16, 4, 8,  16, 1,  ALG_KIND_GMAC,   ALG_SOFT | ALG_INLINE, "null-aes-gmac-128" }, /* 4543 */
	{ "null-aes-192-gmac",     "AES-192-GCM", 21, 192, 24, 4, 8,  16, 1,  ALG_KIND_GMAC,   ALG_SOFT | ALG_INLINE, "null-aes-gmac-192" },
	{ "null-aes-256-gmac",     "AES-256-GCM", 21, 256, 32, 4, 8,  16, 1,  ALG_KIND_GMAC,   ALG_SOFT | ALG_INLINE, "null-aes-gmac-256" },
	{ "aes-128-gcm-iiv",       "AES-128-GCM", 30, 128, 16, 4, 0,  16, 1,  ALG_KIND_GCM,    ALG_SOFT, "aes-gcm-128-iiv" }, /* 8750 */
	{ "aes-256-gcm-iiv",       "AES-256-GCM", 30, 256, 32, 4, 0,  16, 1,  ALG_KIND_GCM,    ALG_SOFT, "aes-gcm-256-iiv" },
	{ "chacha20-poly1305-iiv", "ChaCha20-Poly1305", 31, 0, 32, 4, 0, 16, 1, ALG_KIND_CHACHA, ALG_SOFT, "chacha20-poly1305-iiv" },
	{ 0 }
};

const struct alg_integ alg_integs[] = {
	/* name                IKE        digest      id key icv salt iv use     short            RFC */
	{ "hmac-sha-256-128", "sha-256", "SHA2-256",  12, 32, 16, 0, 0, ALG_IKE | ALG_SOFT | ALG_INLINE | ALG_AH, "sha256" }, /* 4868 */
	{ "hmac-sha-384",     "sha-384", "SHA2-384",  13, 48, 24, 0, 0, ALG_IKE | ALG_SOFT | ALG_INLINE | ALG_AH, "sha384" },
	{ "hmac-sha-512",     "sha-512", "SHA2-512",  14, 64, 32, 0, 0, ALG_IKE | ALG_SOFT | ALG_INLINE | ALG_AH, "sha512" },
	{ "hmac-sha1-96",     "sha1",    "SHA1",       2, 20, 12, 0, 0, ALG_IKE | ALG_SOFT | ALG_INLINE | ALG_AH | ALG_LEGACY, "sha1" }, /* 2404 */
	{ "hmac-md5-96",      "md5",     "MD5",        1, 16, 12, 0, 0, ALG_IKE | ALG_SOFT | ALG_AH | ALG_LEGACY, "md5" },  /* 2403 */
	{ "aes-gmac-128",     "",        "AES-128-GCM", 9, 16, 16, 4, 8, ALG_AH, "gmac-128" },     /* 4543, AH */
	{ "aes-gmac-192",     "",        "AES-192-GCM", 10, 24, 16, 4, 8, ALG_AH, "gmac-192" },
	{ "aes-gmac-256",     "",        "AES-256-GCM", 11, 32, 16, 4, 8, ALG_AH, "gmac-256" },
	{ 0 }
};

const struct alg_prf alg_prfs[] = {
	{ "hmac-sha256", "SHA2-256", 5, 32, ALG_IKE },
	{ "hmac-sha384", "SHA2-384", 6, 48, ALG_IKE },
	{ "hmac-sha512", "SHA2-512", 7, 64, ALG_IKE },
	{ "hmac-sha1",   "SHA1",     2, 20, ALG_IKE | ALG_LEGACY },
	{ "hmac-md5",    "MD5",      1, 16, ALG_IKE | ALG_LEGACY },
	{ 0 }
};

const struct alg_ke alg_kes[] = {
	{ "group14", "modp_2048",   14, 256, ALG_IKE }, /* RFC 3526 */
	{ "group19", "P-256",       19, 64,  ALG_IKE }, /* RFC 5903: x and y, no format byte */
	{ "group20", "P-384",       20, 96,  ALG_IKE },
	{ "group31", "X25519",      31, 32,  ALG_IKE }, /* RFC 8031 */
	{ "group32", "X448",        32, 56, ALG_IKE },
	{ "group21", "P-521",       21, 132, ALG_IKE },
	{ "group15", "modp_3072",   15, 384, ALG_IKE },
	{ "group16", "modp_4096",   16, 512, ALG_IKE },
	{ "group24", "dh_2048_256", 24, 256, ALG_IKE | ALG_LEGACY }, /* RFC 5114 */
	{ "group5",  "modp_1536",   5,  192, ALG_IKE | ALG_LEGACY },
	{ "group2",  NULL,          2,  128, ALG_IKE | ALG_LEGACY }, /* RFC 2409 */
	{ "group1",  NULL,          1,  96,  ALG_IKE | ALG_LEGACY },
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
