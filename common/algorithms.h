/* SPDX-License-Identifier: BSD-2-Clause */
/* One row per algorithm: names, IANA numbers, sizes, and which engine has it.
 *
 * Everybody who negotiates, keys, displays or runs an algorithm asks these tables; records and
 * proposals carry the IKEv2 transform numbers. Rows are static; any thread. Sources: RFC 7296 3.3.2
 * and the documents named in each row. */
#ifndef ALGORITHMS_H
#define ALGORITHMS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* IKEv2 transform types (RFC 7296 3.3.2). */
enum {
	TRANSFORM_ENCR = 1,
	TRANSFORM_PRF = 2,
	TRANSFORM_INTEG = 3,
	TRANSFORM_KE = 4,
	TRANSFORM_ESN = 5
};

/* IP and IKE protocol numbers. */
enum { PROTO_IKE = 1, PROTO_AH = 2, PROTO_ESP = 3 };
enum { IPPROTO_NO_ESP = 50, IPPROTO_NO_AH = 51 };

/* Where an algorithm works in this version. */
enum alg_use {
	ALG_IKE = 1 << 0,    /* protects IKE messages */
	ALG_SOFT = 1 << 1,   /* child SAs, engine soft */
	ALG_INLINE = 1 << 2, /* child SAs, engine inline where the port offers it */
	ALG_LEGACY = 1 << 3, /* only where configured, with a warning */
	ALG_AH = 1 << 4,     /* integrity algorithms: AH, engine soft */
};

/* How a cipher works: what decides which code runs. */
enum alg_kind {
	ALG_KIND_NULL,   /* RFC 2410 */
	ALG_KIND_CBC,    /* the IV is one block, unpredictable; needs an integrity algorithm */
	ALG_KIND_GCM,    /* nonce: salt, then 8 bytes */
	ALG_KIND_CHACHA, /* likewise (RFC 7634) */
	ALG_KIND_GMAC,   /* nothing is encrypted; as GCM otherwise (RFC 4543) */
};

enum {
	ENCR_DES_CBC = 2,
	ENCR_3DES_CBC = 3,
	ENCR_NULL = 11,
	ENCR_AES_CBC = 12,
	ENCR_AES_GCM_16 = 20,
	ENCR_NULL_AES_GMAC = 21,
	ENCR_CHACHA20_POLY1305 = 28,
	ENCR_AES_GCM_16_IIV = 30,
	ENCR_CHACHA20_POLY1305_IIV = 31,
	INTEG_NONE = 0,
	INTEG_HMAC_MD5_96 = 1,
	INTEG_HMAC_SHA1_96 = 2,
	INTEG_AES_128_GMAC = 9,
	INTEG_AES_192_GMAC = 10,
	INTEG_AES_256_GMAC = 11,
	INTEG_HMAC_SHA2_256_128 = 12,
	INTEG_HMAC_SHA2_384_192 = 13,
	INTEG_HMAC_SHA2_512_256 = 14,
	PRF_HMAC_MD5 = 1,
	PRF_HMAC_SHA1 = 2,
	PRF_HMAC_SHA2_256 = 5,
	PRF_HMAC_SHA2_384 = 6,
	PRF_HMAC_SHA2_512 = 7,
	KE_MODP_768 = 1,
	KE_MODP_1024 = 2,
	KE_MODP_1536 = 5,
	KE_MODP_2048 = 14,
	KE_MODP_3072 = 15,
	KE_MODP_4096 = 16,
	KE_ECP_256 = 19,
	KE_ECP_384 = 20,
	KE_ECP_521 = 21,
	KE_MODP_2048_256 = 24,
	KE_CURVE25519 = 31,
	KE_CURVE448 = 32,
};

struct alg_cipher {
	const char *name;    /* Junos: "aes-128-gcm" */
	const char *openssl; /* EVP name */
	uint16_t v2_id;      /* IKEv2 transform type 1 */
	uint16_t key_bits;   /* key length attribute; 0 where the algorithm has none */
	uint8_t key_len;     /* bytes, without salt */
	uint8_t salt_len;    /* bytes taken from the keying material after the key (RFC 4106 8.1) */
	uint8_t iv_len;      /* explicit IV on the wire; 0 also where it is implicit (RFC 8750) */
	uint8_t icv_len;     /* 0: needs an integrity algorithm */
	uint8_t block;       /* padding unit; 1 for counter modes (ESP aligns to 4 all the same) */
	uint8_t kind;        /* enum alg_kind */
	uint8_t use;         /* enum alg_use */
	const char *short_name; /* in "ESP:aes-gcm-128/none" */
};

struct alg_integ {
	const char *name;     /* "hmac-sha-256-128" */
	const char *ike_name; /* "sha-256" */
	const char *digest;   /* EVP name */
	uint16_t v2_id;       /* transform type 3 */
	uint8_t key_len, icv_len;
	uint8_t salt_len, iv_len; /* of GMAC, for AH only (RFC 4543); else 0 */
	uint8_t use;
	const char *short_name;
};

struct alg_prf {
	const char *name; /* "hmac-sha256" as shown */
	const char *digest;
	uint16_t v2_id;  /* transform type 2 */
	uint8_t out_len; /* also the preferred key length */
	uint8_t use;
};

struct alg_ke {
	const char *name;    /* "group14" */
	const char *openssl; /* EVP group or key type; NULL: known by its numbers only */
	uint16_t v2_id;      /* transform type 4 */
	uint16_t public_len; /* bytes on the wire (RFC 7296 3.4, RFC 5903, RFC 8031) */
	uint8_t use;
};

/* Look up by IKEv2 number (and key bits), or by Junos name. NULL when there is no such row. */
const struct alg_cipher *alg_cipher_by_id(uint16_t v2_id, uint16_t key_bits);
const struct alg_cipher *alg_cipher_by_name(const char *name);
const struct alg_integ *alg_integ_by_id(uint16_t v2_id);
const struct alg_integ *alg_integ_by_name(const char *name); /* IPsec or IKE spelling */
const struct alg_prf *alg_prf_by_id(uint16_t v2_id);
const struct alg_prf *alg_prf_by_name(const char *name);
const struct alg_ke *alg_ke_by_id(uint16_t v2_id);
const struct alg_ke *alg_ke_by_name(const char *name);

/* Whole tables, ended by a row without a name, for completion and docs. */
extern const struct alg_cipher alg_ciphers[];
extern const struct alg_integ alg_integs[];
extern const struct alg_prf alg_prfs[];
extern const struct alg_ke alg_kes[];

#endif
