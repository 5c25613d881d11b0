/* SPDX-License-Identifier: BSD-2-Clause */
/* Key material of an IKE SA and its children (RFC 7296 2.13, 2.14, 2.17), and the primitives under
 * it. OpenSSL does the arithmetic; its algorithms are fetched once, into struct ike_crypto, because
 * a look-up at each call costs more than the work itself.
 *
 * One struct ike_crypto belongs to one thread (its contexts are reused). Nothing here prints. */
#ifndef IKE_KEYS_H
#define IKE_KEYS_H
#include "algorithms.h"
#include "errors.h"
#include "reader.h"

struct ike_crypto;

/* NULL when the library lacks an algorithm of ours; but DES may be missing. */
struct ike_crypto *ike_crypto_new(void);
/* Can it encrypt with this? DES needs OpenSSL's legacy provider, which not every system has. */
bool ike_crypto_has(struct ike_crypto *c, const struct alg_cipher *row);
void ike_crypto_free(struct ike_crypto *c); /* takes NULL */

#define PRF_MAX 64 /* bytes of HMAC-SHA2-512 */
#define INTEG_MAX 64
#define CIPHER_KEY_MAX 36 /* AES-256 and the salt of GCM */
#define DH_SECRET_MAX 512 /* MODP-4096 */

/* What an IKE SA negotiated; rows of algorithms.h. */
struct ike_suite {
	const struct alg_cipher *cipher;
	const struct alg_integ *integ; /* NULL with AEAD */
	const struct alg_prf *prf;
	const struct alg_ke *ke;
};

enum { OF_INITIATOR = 0, OF_RESPONDER = 1 };

/* SK_d, SK_ai/ar, SK_ei/er, SK_pi/pr. Wipe with ike_keys_wipe(). */
struct ike_keys {
	uint8_t d[PRF_MAX], p[2][PRF_MAX], a[2][INTEG_MAX], e[2][CIPHER_KEY_MAX];
};

/* What the keys are made of. */
struct ike_seed {
	struct view nonce_i, nonce_r;
	const uint8_t *spi_i, *spi_r; /* 8 bytes each; of an IKE SA */
	struct view secret; /* of a child or a rekeyed IKE SA: that of its own Diffie-Hellman;
	                     * empty: a child without */
};

/* prf(key, parts[0] | parts[1] | ...); out has prf->out_len bytes. */
enum err ike_prf(struct ike_crypto *c, const struct alg_prf *prf, struct view key,
                 const struct view parts[], uint8_t *out) MUST_CHECK; /* ended by a NULL view */
/* RFC 7296 2.13: T1 | T2 | ...; at most 255 turns. */
enum err ike_prf_plus(struct ike_crypto *c, const struct alg_prf *prf, struct view key,
                      struct view seed, struct view out) MUST_CHECK;

/* RFC 7296 2.14. */
enum err ike_keys_derive(struct ike_crypto *c, const struct ike_suite *suite,
                         const struct ike_seed *seed, struct view secret,
                         struct ike_keys *ret) MUST_CHECK;
/* RFC 7296 2.18: of an SA that takes over from one with this PRF and SK_d. */
enum err ike_keys_rekey(struct ike_crypto *c, const struct ike_suite *suite,
                        const struct ike_seed *seed, const struct alg_prf *old_prf,
                        const uint8_t *old_d, struct ike_keys *ret) MUST_CHECK;
void ike_keys_wipe(struct ike_keys *k);

/* One direction of a child SA: cipher key with salt, then integrity key with salt (GMAC in AH). */
struct child_keys {
	uint8_t cipher[CIPHER_KEY_MAX], integ[INTEG_MAX];
};
size_t child_cipher_key_len(const struct alg_cipher *c); /* NULL: 0 */
size_t child_integ_key_len(const struct alg_integ *a);   /* likewise */

/* What a child's keys are cut to; cipher NULL with AH, integ NULL with AEAD. */
struct child_suite {
	const struct alg_cipher *cipher;
	const struct alg_integ *integ;
};

/* RFC 7296 2.17: ret[0] is what the initiator of the exchange sends with, ret[1] what it receives
 * with. sk_d of the IKE SA has prf->out_len bytes. */
enum err ike_keys_child(struct ike_crypto *c, const struct alg_prf *prf, const uint8_t *sk_d,
                        const struct ike_seed *seed, const struct child_suite *suite,
                        struct child_keys *const ret[2]) MUST_CHECK;

enum err ike_sha1(struct ike_crypto *c, const struct view parts[], uint8_t out[20]) MUST_CHECK;
/* HMAC by an integrity algorithm, cut to its ICV. */
enum err ike_icv(struct ike_crypto *c, const struct alg_integ *integ, const uint8_t *key,
                 struct view data, uint8_t *out) MUST_CHECK;

/* One call of a cipher, in place. */
struct ike_cipher_call {
	const struct alg_cipher *cipher;
	const uint8_t *key; /* key, then salt */
	const uint8_t *iv;  /* explicit */
	struct view aad;    /* AEAD only */
	uint8_t *data;      /* changed in place */
	size_t len;
	uint8_t *tag; /* AEAD only: written, or compared */
};
enum err ike_encrypt(struct ike_crypto *c, const struct ike_cipher_call *call) MUST_CHECK;
enum err ike_decrypt(struct ike_crypto *c, const struct ike_cipher_call *call) MUST_CHECK;

#endif
