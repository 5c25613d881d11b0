// SPDX-License-Identifier: BSD-2-Clause
#include "ike_keys.h"
#include "secret.h"
#include "writer.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>

enum { DIGESTS_MAX = 5, CIPHERS_MAX = 16 };

/* DES is in OpenSSL's legacy provider alone, which is loaded for it into a library context of its
 * own: nothing else of the process gets to see it. */
struct legacy {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
};

struct ike_crypto {
	struct legacy legacy;
	EVP_MAC *hmac;
	EVP_MD *sha1;
	EVP_MD_CTX *md;
	EVP_CIPHER_CTX *cipher_ctx;
	struct {
		const char *name; /* of a row in algorithms.h */
		EVP_MAC_CTX *ctx;
	} digest[DIGESTS_MAX];
	size_t digests;
	struct {
		const struct alg_cipher *row;
		EVP_CIPHER *evp;
	} cipher[CIPHERS_MAX];
	size_t ciphers;
};

static bool add_digest(struct ike_crypto *c, const char *name)
{
	OSSL_PARAM params[2] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		                                                  (char *)(uintptr_t)name, 0),
		                 OSSL_PARAM_construct_end() };

	if (c->digests == DIGESTS_MAX)
		return false;
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(c->hmac);
	if (ctx == NULL || EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return false;
	}
	c->digest[c->digests].name = name;
	c->digest[c->digests++].ctx = ctx;
	return true;
}

static bool add_cipher(struct ike_crypto *c, OSSL_LIB_CTX *lib, const struct alg_cipher *row)
{
	EVP_CIPHER *evp = EVP_CIPHER_fetch(lib, row->openssl, NULL);

	if (evp == NULL || c->ciphers == CIPHERS_MAX) {
		EVP_CIPHER_free(evp);
		return false;
	}
	c->cipher[c->ciphers].row = row;
	c->cipher[c->ciphers++].evp = evp;
	return true;
}

static bool is_old(const struct alg_cipher *row)
{
	return row->v2_id == ENCR_DES_CBC;
}

/* At its first use. */
static void add_old(struct ike_crypto *c, const struct alg_cipher *row)
{
	if (c->legacy.lib)
		return; /* tried before */
	c->legacy.lib = OSSL_LIB_CTX_new();
	if (c->legacy.lib)
		c->legacy.provider = OSSL_PROVIDER_load(c->legacy.lib, "legacy");
	if (c->legacy.provider)
		(void)add_cipher(c, c->legacy.lib, row);
}

static bool fetch_all(struct ike_crypto *c)
{
	c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	c->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	c->md = EVP_MD_CTX_new();
	c->cipher_ctx = EVP_CIPHER_CTX_new();
	if (!c->hmac || !c->sha1 || !c->md || !c->cipher_ctx)
		return false;
	for (const struct alg_prf *p = alg_prfs; p->name; p++)
		if (p->use & ALG_IKE && !add_digest(c, p->digest))
			return false;
	for (const struct alg_cipher *a = alg_ciphers; a->name; a++)
		if (a->use & ALG_IKE && !is_old(a) && !add_cipher(c, NULL, a))
			return false;
	return true;
}

struct ike_crypto *ike_crypto_new(void)
{
	struct ike_crypto *c = calloc(1, sizeof(*c));

	if (c && !fetch_all(c)) {
		ike_crypto_free(c);
		return NULL;
	}
	return c;
}

void ike_crypto_free(struct ike_crypto *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->digests; i++)
		EVP_MAC_CTX_free(c->digest[i].ctx);
	for (size_t i = 0; i < c->ciphers; i++)
		EVP_CIPHER_free(c->cipher[i].evp);
	EVP_CIPHER_CTX_free(c->cipher_ctx);
	EVP_MD_CTX_free(c->md);
	EVP_MD_free(c->sha1);
	EVP_MAC_free(c->hmac);
	if (c->legacy.provider)
		(void)OSSL_PROVIDER_unload(c->legacy.provider);
	OSSL_LIB_CTX_free(c->legacy.lib);
	free(c);
}

static EVP_MAC_CTX *hmac_of(struct ike_crypto *c, const char *digest)
{
	for (size_t i = 0; i < c->digests; i++)
		if (c->digest[i].name == digest || strcmp(c->digest[i].name, digest) == 0)
			return c->digest[i].ctx;
	return NULL;
}

static enum err hmac(struct ike_crypto *c, const char *digest, struct view key,
                     const struct view parts[], uint8_t out[PRF_MAX])
{
	EVP_MAC_CTX *ctx = hmac_of(c, digest);
	size_t len;

	/* Without a key it is that of the call before, whose pads need not be hashed again. */
	if (ctx == NULL || EVP_MAC_init(ctx, key.p, key.len, NULL) != 1)
		return ERR_CRYPTO;
	for (size_t i = 0; parts[i].p; i++)
		if (EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1)
			return ERR_CRYPTO;
	return EVP_MAC_final(ctx, out, &len, PRF_MAX) == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err ike_prf(struct ike_crypto *c, const struct alg_prf *prf, struct view key,
                 const struct view parts[], uint8_t *out)
{
	uint8_t full[PRF_MAX];

	TRY(hmac(c, prf->digest, key, parts, full));
	memcpy(out, full, prf->out_len);
	secret_wipe(full, sizeof(full));
	return ERR_OK;
}

enum err ike_prf_plus(struct ike_crypto *c, const struct alg_prf *prf, struct view key,
                      struct view seed, struct view out)
{
	uint8_t t[PRF_MAX], *p = (uint8_t *)(uintptr_t)out.p;
	size_t t_len = 0, left = out.len;
	enum err e = ERR_OK;

	for (uint8_t turn = 1; left != 0 && e == ERR_OK; turn++) {
		struct view parts[] = { { t, t_len }, seed, { &turn, 1 }, { NULL, 0 } };
		struct view again = turn == 1 ? key : (struct view){ NULL, 0 };
		size_t n = left < prf->out_len ? left : prf->out_len;

		e = turn == 0 ? ERR_LENGTH : hmac(c, prf->digest, again, parts, t);
		if (e == ERR_OK) {
			memcpy(p, t, n);
			t_len = prf->out_len;
			p += n;
			left -= n;
		}
	}
	secret_wipe(t, sizeof(t));
	return e;
}

/* The keys in the order in which prf+ gives them (2.14); lengths by suite. */
static void cut(const uint8_t *from, const struct ike_suite *s, struct ike_keys *ret)
{
	size_t prf = s->prf->out_len, integ = s->integ ? s->integ->key_len : 0;
	size_t enc = (size_t)s->cipher->key_len + s->cipher->salt_len;
	struct reader r = rd_of(from, 3 * prf + 2 * integ + 2 * enc);

	rd_bytes(&r, ret->d, prf);
	rd_bytes(&r, ret->a[OF_INITIATOR], integ);
	rd_bytes(&r, ret->a[OF_RESPONDER], integ);
	rd_bytes(&r, ret->e[OF_INITIATOR], enc);
	rd_bytes(&r, ret->e[OF_RESPONDER], enc);
	rd_bytes(&r, ret->p[OF_INITIATOR], prf);
	rd_bytes(&r, ret->p[OF_RESPONDER], prf);
}

/* Ni | Nr | SPIi | SPIr; the nonces stand first and alone are the key of SKEYSEED. */
struct seed_bytes {
	uint8_t b[2 * 256 + 16];
	size_t nonces;
};

static enum err seed_of(const struct ike_seed *seed, struct seed_bytes *ret)
{
	size_t ni = seed->nonce_i.len, nr = seed->nonce_r.len;

	if (ni == 0 || nr == 0 || ni > 256 || nr > 256)
		return ERR_LENGTH;
	ret->nonces = ni + nr;
	memcpy(ret->b, seed->nonce_i.p, ni);
	memcpy(ret->b + ni, seed->nonce_r.p, nr);
	memcpy(ret->b + ni + nr, seed->spi_i, 8);
	memcpy(ret->b + ni + nr + 8, seed->spi_r, 8);
	return ERR_OK;
}

/* RFC 7296 2.14: SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr. */
static enum err expand(struct ike_crypto *c, const struct ike_suite *suite,
                       const struct seed_bytes *seed, struct view skeyseed, struct ike_keys *ret)
{
	uint8_t all[3 * PRF_MAX + 2 * INTEG_MAX + 2 * CIPHER_KEY_MAX];
	size_t integ = suite->integ ? suite->integ->key_len : 0;
	size_t enc = (size_t)suite->cipher->key_len + suite->cipher->salt_len;
	struct view out = { all, 3u * suite->prf->out_len + 2 * integ + 2 * enc };
	enum err e = ike_prf_plus(c, suite->prf, skeyseed,
	                          (struct view){ seed->b, seed->nonces + 16 }, out);

	if (e == ERR_OK) {
		memset(ret, 0, sizeof(*ret));
		cut(all, suite, ret);
	}
	secret_wipe(all, sizeof(all));
	return e;
}

enum err ike_keys_derive(struct ike_crypto *c, const struct ike_suite *suite,
                         const struct ike_seed *seed, struct view secret, struct ike_keys *ret)
{
	struct view parts[] = { secret, { NULL, 0 } };
	uint8_t skeyseed[PRF_MAX];
	struct seed_bytes s;

	TRY(seed_of(seed, &s));
	enum err e = ike_prf(c, suite->prf, (struct view){ s.b, s.nonces }, parts, skeyseed);
	if (e == ERR_OK)
		e = expand(c, suite, &s, (struct view){ skeyseed, suite->prf->out_len }, ret);
	secret_wipe(skeyseed, sizeof(skeyseed));
	return e;
}

enum err ike_keys_rekey(struct ike_crypto *c, const struct ike_suite *suite,
                        const struct ike_seed *seed, const struct alg_prf *old_prf,
                        const uint8_t *old_d, struct ike_keys *ret)
{
	uint8_t skeyseed[PRF_MAX];
	struct seed_bytes s;

	TRY(seed_of(seed, &s));
	struct view parts[] = { seed->secret, { s.b, s.nonces }, { NULL, 0 } };
	enum err e = ike_prf(c, old_prf, (struct view){ old_d, old_prf->out_len }, parts, skeyseed);
	if (e == ERR_OK)
		e = expand(c, suite, &s, (struct view){ skeyseed, old_prf->out_len }, ret);
	secret_wipe(skeyseed, sizeof(skeyseed));
	return e;
}

void ike_keys_wipe(struct ike_keys *k)
{
	secret_wipe(k, sizeof(*k));
}

size_t child_cipher_key_len(const struct alg_cipher *c)
{
	return c ? (size_t)c->key_len + c->salt_len : 0;
}

size_t child_integ_key_len(const struct alg_integ *a)
{
	return a ? (size_t)a->key_len + a->salt_len : 0;
}

enum err ike_keys_child(struct ike_crypto *c, const struct alg_prf *prf, const uint8_t *sk_d,
                        const struct ike_seed *seed, const struct child_suite *suite,
                        struct child_keys *const ret[2])
{
	uint8_t from[DH_SECRET_MAX + 2 * 256], all[2 * sizeof(struct child_keys)];
	size_t enc = child_cipher_key_len(suite->cipher), integ = child_integ_key_len(suite->integ);
	struct writer w = wr_of(from, sizeof(from));

	wr_view(&w, seed->secret);
	wr_view(&w, seed->nonce_i);
	wr_view(&w, seed->nonce_r);
	if (w.bad || enc > CIPHER_KEY_MAX || integ > INTEG_MAX)
		return ERR_LENGTH;
	enum err e = ike_prf_plus(c, prf, (struct view){ sk_d, prf->out_len }, wr_done(&w),
	                          (struct view){ all, 2 * (enc + integ) });
	struct reader r = rd_of(all, 2 * (enc + integ));
	for (int i = 0; e == ERR_OK && i < 2; i++) {
		rd_bytes(&r, ret[i]->cipher, enc);
		rd_bytes(&r, ret[i]->integ, integ);
	}
	secret_wipe(from, sizeof(from));
	secret_wipe(all, sizeof(all));
	return e;
}

enum err ike_sha1(struct ike_crypto *c, const struct view parts[], uint8_t out[20])
{
	if (EVP_DigestInit_ex2(c->md, c->sha1, NULL) != 1)
		return ERR_CRYPTO;
	for (size_t i = 0; parts[i].p; i++)
		if (EVP_DigestUpdate(c->md, parts[i].p, parts[i].len) != 1)
			return ERR_CRYPTO;
	return EVP_DigestFinal_ex(c->md, out, NULL) == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err ike_icv(struct ike_crypto *c, const struct alg_integ *integ, const uint8_t *key,
                 struct view data, uint8_t *out)
{
	uint8_t full[PRF_MAX];
	struct view parts[] = { data, { NULL, 0 } };

	TRY(hmac(c, integ->digest, (struct view){ key, integ->key_len }, parts, full));
	memcpy(out, full, integ->icv_len);
	return ERR_OK;
}

static const EVP_CIPHER *find_cipher(struct ike_crypto *c, const struct alg_cipher *row)
{
	for (size_t i = 0; i < c->ciphers; i++)
		if (c->cipher[i].row == row)
			return c->cipher[i].evp;
	return NULL;
}

static const EVP_CIPHER *cipher_of(struct ike_crypto *c, const struct alg_cipher *row)
{
	const EVP_CIPHER *evp = find_cipher(c, row);

	if (evp || !is_old(row))
		return evp;
	add_old(c, row);
	return find_cipher(c, row);
}

bool ike_crypto_has(struct ike_crypto *c, const struct alg_cipher *row)
{
	return cipher_of(c, row) != NULL;
}

/* Key and nonce set: for AEAD the nonce is salt and explicit IV (RFC 5282 4). */
static enum err start(struct ike_crypto *c, const struct ike_cipher_call *call, int encrypt)
{
	const EVP_CIPHER *evp = cipher_of(c, call->cipher);
	uint8_t nonce[16];
	size_t salt = call->cipher->salt_len;
	int n;

	if (evp == NULL || salt + call->cipher->iv_len > sizeof(nonce))
		return ERR_UNSUPPORTED;
	memcpy(nonce, call->key + call->cipher->key_len, salt);
	memcpy(nonce + salt, call->iv, call->cipher->iv_len);
	if (EVP_CipherInit_ex2(c->cipher_ctx, evp, call->key, nonce, encrypt, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(c->cipher_ctx, 0) != 1)
		return ERR_CRYPTO;
	if (call->aad.len &&
	    EVP_CipherUpdate(c->cipher_ctx, NULL, &n, call->aad.p, (int)call->aad.len) != 1)
		return ERR_CRYPTO;
	return ERR_OK;
}

static enum err run(struct ike_crypto *c, const struct ike_cipher_call *call)
{
	int n = 0, last = 0;

	if (call->len > INT32_MAX ||
	    EVP_CipherUpdate(c->cipher_ctx, call->data, &n, call->data, (int)call->len) != 1 ||
	    EVP_CipherFinal_ex(c->cipher_ctx, call->data + n, &last) != 1)
		return ERR_AUTH;
	return (size_t)n + (size_t)last == call->len ? ERR_OK : ERR_CRYPTO;
}

enum err ike_encrypt(struct ike_crypto *c, const struct ike_cipher_call *call)
{
	TRY(start(c, call, 1));
	TRY(run(c, call));
	if (call->cipher->icv_len && EVP_CIPHER_CTX_ctrl(c->cipher_ctx, EVP_CTRL_AEAD_GET_TAG,
	                                                 call->cipher->icv_len, call->tag) != 1)
		return ERR_CRYPTO;
	return ERR_OK;
}

enum err ike_decrypt(struct ike_crypto *c, const struct ike_cipher_call *call)
{
	TRY(start(c, call, 0));
	if (call->cipher->icv_len && EVP_CIPHER_CTX_ctrl(c->cipher_ctx, EVP_CTRL_AEAD_SET_TAG,
	                                                 call->cipher->icv_len, call->tag) != 1)
		return ERR_CRYPTO;
	return run(c, call);
}
