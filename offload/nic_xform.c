// SPDX-License-Identifier: BSD-2-Clause
#include "nic_xform.h"

#include <string.h>

/* A row of one of our tables; which algo holds goes by the type. GMAC is an authentication alone.
 */
struct word {
	uint16_t v2_id;
	enum rte_crypto_sym_xform_type type;
	union {
		enum rte_crypto_cipher_algorithm cipher;
		enum rte_crypto_auth_algorithm auth;
		enum rte_crypto_aead_algorithm aead;
	};
};

static const struct word ciphers[] = {
	{ ENCR_AES_GCM_16, RTE_CRYPTO_SYM_XFORM_AEAD, .aead = RTE_CRYPTO_AEAD_AES_GCM },
	{ ENCR_NULL_AES_GMAC, RTE_CRYPTO_SYM_XFORM_AUTH, .auth = RTE_CRYPTO_AUTH_AES_GMAC },
	{ ENCR_AES_CBC, RTE_CRYPTO_SYM_XFORM_CIPHER, .cipher = RTE_CRYPTO_CIPHER_AES_CBC },
	{ ENCR_NULL, RTE_CRYPTO_SYM_XFORM_CIPHER, .cipher = RTE_CRYPTO_CIPHER_NULL },
	{ 0 }
};

static const struct word integs[] = {
	{ INTEG_HMAC_SHA1_96, RTE_CRYPTO_SYM_XFORM_AUTH, .auth = RTE_CRYPTO_AUTH_SHA1_HMAC },
	{ INTEG_HMAC_SHA2_256_128, RTE_CRYPTO_SYM_XFORM_AUTH, .auth = RTE_CRYPTO_AUTH_SHA256_HMAC },
	{ INTEG_HMAC_SHA2_384_192, RTE_CRYPTO_SYM_XFORM_AUTH, .auth = RTE_CRYPTO_AUTH_SHA384_HMAC },
	{ INTEG_HMAC_SHA2_512_256, RTE_CRYPTO_SYM_XFORM_AUTH, .auth = RTE_CRYPTO_AUTH_SHA512_HMAC },
	{ 0 }
};

static const struct word *word_of(const struct word *words, uint16_t v2_id)
{
	for (const struct word *w = words; w->v2_id; w++)
		if (w->v2_id == v2_id)
			return w;
	return NULL;
}

/* ---------------------------------------------------------------- what a driver offers */

static bool size_in(const struct rte_crypto_param_range *range, uint16_t size)
{
	if (size < range->min || size > range->max)
		return false;
	return range->increment == 0 ? size == range->min || size == range->max
	                             : (size - range->min) % range->increment == 0;
}

/* A whole ICV of exactly that length: a driver that announces only the hash's full length would
 * send something else than the peer expects. */
static bool offers(const struct rte_cryptodev_symmetric_capability *c, const struct word *w,
                   uint16_t key_len, uint16_t icv_len)
{
	if (w == NULL || c->xform_type != w->type)
		return false;
	switch (w->type) {
	case RTE_CRYPTO_SYM_XFORM_AEAD:
		return c->aead.algo == w->aead && size_in(&c->aead.key_size, key_len) &&
		       size_in(&c->aead.digest_size, icv_len);
	case RTE_CRYPTO_SYM_XFORM_AUTH:
		return c->auth.algo == w->auth && size_in(&c->auth.key_size, key_len) &&
		       size_in(&c->auth.digest_size, icv_len);
	default:
		return c->cipher.algo == w->cipher && size_in(&c->cipher.key_size, key_len);
	}
}

uint32_t nic_xform_ciphers(const struct rte_cryptodev_capabilities *list)
{
	uint32_t bits = 0;

	for (; list && list->op != RTE_CRYPTO_OP_TYPE_UNDEFINED; list++)
		for (size_t i = 0; alg_ciphers[i].name; i++)
			if (list->op == RTE_CRYPTO_OP_TYPE_SYMMETRIC &&
			    (alg_ciphers[i].use & ALG_INLINE) &&
			    offers(&list->sym, word_of(ciphers, alg_ciphers[i].v2_id),
			           alg_ciphers[i].key_len, alg_ciphers[i].icv_len))
				bits |= 1u << i;
	return bits;
}

uint32_t nic_xform_integs(const struct rte_cryptodev_capabilities *list)
{
	uint32_t bits = 0;

	for (; list && list->op != RTE_CRYPTO_OP_TYPE_UNDEFINED; list++)
		for (size_t i = 0; alg_integs[i].name; i++)
			if (list->op == RTE_CRYPTO_OP_TYPE_SYMMETRIC &&
			    (alg_integs[i].use & ALG_INLINE) &&
			    offers(&list->sym, word_of(integs, alg_integs[i].v2_id),
			           alg_integs[i].key_len, alg_integs[i].icv_len))
				bits |= 1u << i;
	return bits;
}

/* ---------------------------------------------------------------- what it is told */

static void fill_aead(struct nic_xforms *x, const struct engine_sa *sa, const struct word *w)
{
	struct rte_crypto_aead_xform *aead = &x->first.aead;

	x->first.type = RTE_CRYPTO_SYM_XFORM_AEAD;
	aead->op = sa->inbound ? RTE_CRYPTO_AEAD_OP_DECRYPT : RTE_CRYPTO_AEAD_OP_ENCRYPT;
	aead->algo = w->aead;
	aead->key.data = x->key;
	aead->key.length = sa->cipher->key_len;
	aead->iv.length = (uint16_t)(sa->cipher->salt_len + sa->cipher->iv_len);
	aead->digest_length = sa->cipher->icv_len;
	aead->aad_length = sa->esn ? 12 : 8;
}

static void fill_gmac(struct nic_xforms *x, const struct engine_sa *sa, const struct word *w)
{
	struct rte_crypto_auth_xform *auth = &x->first.auth;

	x->first.type = RTE_CRYPTO_SYM_XFORM_AUTH;
	auth->op = sa->inbound ? RTE_CRYPTO_AUTH_OP_VERIFY : RTE_CRYPTO_AUTH_OP_GENERATE;
	auth->algo = w->auth;
	auth->key.data = x->key;
	auth->key.length = sa->cipher->key_len;
	auth->iv.length = (uint16_t)(sa->cipher->salt_len + sa->cipher->iv_len);
	auth->digest_length = sa->cipher->icv_len;
}

/* Outbound the cipher comes first, inbound the hash. */
static void fill_chain(struct nic_xforms *x, const struct engine_sa *sa, const struct word *w)
{
	struct rte_crypto_sym_xform *c = sa->inbound ? &x->second : &x->first;
	struct rte_crypto_sym_xform *a = sa->inbound ? &x->first : &x->second;

	memcpy(x->auth_key, sa->auth_key.p, sa->auth_key.len);
	x->first.next = &x->second;
	c->type = RTE_CRYPTO_SYM_XFORM_CIPHER;
	c->cipher.op = sa->inbound ? RTE_CRYPTO_CIPHER_OP_DECRYPT : RTE_CRYPTO_CIPHER_OP_ENCRYPT;
	c->cipher.algo = w->cipher;
	c->cipher.key.data = x->key;
	c->cipher.key.length = sa->cipher->key_len;
	c->cipher.iv.length = sa->cipher->iv_len;
	a->type = RTE_CRYPTO_SYM_XFORM_AUTH;
	a->auth.op = sa->inbound ? RTE_CRYPTO_AUTH_OP_VERIFY : RTE_CRYPTO_AUTH_OP_GENERATE;
	a->auth.algo = word_of(integs, sa->integ->v2_id)->auth;
	a->auth.key.data = x->auth_key;
	a->auth.key.length = sa->integ->key_len;
	a->auth.digest_length = sa->integ->icv_len;
}

void nic_xforms_fill(struct nic_xforms *x, const struct engine_sa *sa)
{
	const struct word *w = word_of(ciphers, sa->cipher->v2_id);

	if (sa->cipher->key_len)
		memcpy(x->key, sa->key.p, sa->cipher->key_len);
	if (w->type == RTE_CRYPTO_SYM_XFORM_AEAD)
		fill_aead(x, sa, w);
	else if (w->type == RTE_CRYPTO_SYM_XFORM_AUTH)
		fill_gmac(x, sa, w);
	else
		fill_chain(x, sa, w);
}
