// SPDX-License-Identifier: BSD-2-Clause
#include "ike_dh.h"
#include "ike_dh_group.h"

#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct dh_key {
	EVP_PKEY *pkey;
	uint8_t public[]; /* as on the wire */
};

void dh_key_free(struct dh_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

struct dh_key *dh_key_share(const struct alg_ke *ke, const struct dh_key *k)
{
	struct dh_key *s = calloc(1, sizeof(*s) + ke->public_len);

	if (s == NULL || EVP_PKEY_up_ref(k->pkey) != 1) {
		free(s);
		return NULL;
	}
	s->pkey = k->pkey;
	memcpy(s->public, k->public, ke->public_len);
	return s;
}

const uint8_t *dh_key_public(const struct dh_key *k)
{
	return k->public;
}

void dh_job_free(struct dh_job *j)
{
	if (j == NULL)
		return;
	dh_key_free(j->key);
	secret_free(j->secret);
	free(j);
}

static enum err generate(const struct dh_group *g, EVP_PKEY **ret)
{
	EVP_PKEY_CTX *ctx = g->params ? EVP_PKEY_CTX_new_from_pkey(NULL, g->params, NULL)
	                              : EVP_PKEY_CTX_new_from_name(NULL, g->type, NULL);
	EVP_PKEY *pkey = NULL;
	bool ok = ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_generate(ctx, &pkey) == 1;

	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return ERR_CRYPTO;
	*ret = pkey;
	return ERR_OK;
}

/* The public value as on the wire: for ECP x and y without the format octet (RFC 5903 7), for MODP
 * padded to the length of the prime (RFC 7296 3.4). */
static enum err public_value(const struct dh_group *g, EVP_PKEY *pkey, uint8_t *out)
{
	uint16_t want = g->ke->public_len;

	if (g->kind == DH_MODP) {
		BIGNUM *y = NULL;
		bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, &y) == 1 &&
		          BN_bn2binpad(y, out, want) == want;

		BN_free(y);
		return ok ? ERR_OK : ERR_CRYPTO;
	}
	uint8_t buf[1 + DH_PUBLIC_MAX];
	size_t len = 0, skip = g->kind == DH_ECP ? 1 : 0;
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, buf, sizeof(buf),
	                                    &len) != 1 ||
	    len != want + skip)
		return ERR_CRYPTO;
	memcpy(out, buf + skip, want);
	return ERR_OK;
}

enum err dh_key_of(const struct dh_group *g, EVP_PKEY *pkey, struct dh_key **ret)
{
	struct dh_key *k = calloc(1, sizeof(*k) + g->ke->public_len);
	enum err e = k ? public_value(g, pkey, k->public) : ERR_MEMORY;

	if (e != ERR_OK) {
		EVP_PKEY_free(pkey);
		free(k);
		return e;
	}
	k->pkey = pkey;
	*ret = k;
	return ERR_OK;
}

/* The peer's value as a key with our group's parameters. For ECP the decoder refuses coordinates
 * beyond the prime and a point that is not on the curve. */
static enum err peer_key(const struct dh_group *g, const struct dh_job *j, EVP_PKEY **ret)
{
	uint8_t buf[1 + DH_PUBLIC_MAX];
	size_t skip = g->kind == DH_ECP ? 1 : 0;

	TRY(dh_group_check(g, j->peer));
	if (g->kind == DH_MONTGOMERY) {
		*ret = EVP_PKEY_new_raw_public_key_ex(NULL, g->type, NULL, j->peer, j->peer_len);
		return *ret ? ERR_OK : ERR_VALUE;
	}
	EVP_PKEY *peer = EVP_PKEY_new();
	buf[0] = 4; /* uncompressed */
	memcpy(buf + skip, j->peer, j->peer_len);
	if (peer == NULL || EVP_PKEY_copy_parameters(peer, g->params) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(peer, buf, j->peer_len + skip) != 1) {
		EVP_PKEY_free(peer);
		return ERR_VALUE;
	}
	*ret = peer;
	return ERR_OK;
}

/* Fails where the result is zero, as a small-order point of X25519 or X448 makes it (RFC 7748 6).
 */
static enum err derive_with(const struct dh_group *g, struct dh_job *j, EVP_PKEY *peer)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, j->key->pkey, NULL);
	size_t len = 0;
	bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1;

	if (ok && g->kind == DH_MODP) /* leading zeros count (RFC 7296 2.14) */
		ok = EVP_PKEY_CTX_set_dh_pad(ctx, 1) == 1;
	/* 0: what OpenSSL would check here is checked above, seven times cheaper. */
	ok = ok && EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
	     EVP_PKEY_derive(ctx, NULL, &len) == 1;
	j->secret = ok ? secret_new(len) : NULL;
	ok = j->secret && EVP_PKEY_derive(ctx, j->secret->b, &len) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok) {
		secret_free(j->secret);
		j->secret = NULL;
		return ERR_VALUE;
	}
	j->secret->len = len;
	return ERR_OK;
}

static enum err derive(const struct dh_group *g, struct dh_job *j)
{
	EVP_PKEY *peer = NULL;

	TRY(peer_key(g, j, &peer));
	enum err e = derive_with(g, j, peer);
	EVP_PKEY_free(peer);
	return e;
}

static enum err work(struct dh_job *j)
{
	const struct dh_group *g = dh_group_of(j->ke);

	if (g == NULL)
		return ERR_UNSUPPORTED;
	if (j->key == NULL) {
		EVP_PKEY *pkey;

		TRY(generate(g, &pkey));
		TRY(dh_key_of(g, pkey, &j->key));
		memcpy(j->public, j->key->public, j->ke->public_len);
	}
	return j->peer_len ? derive(g, j) : ERR_OK;
}

static void run(struct job *job)
{
	struct dh_job *j = (struct dh_job *)job;

	j->result = work(j);
}

static void discard(struct job *job)
{
	dh_job_free((struct dh_job *)job);
}

struct dh_job *dh_job_new(const struct alg_ke *ke, const uint8_t spi[8], uint32_t turn)
{
	struct dh_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->job = (struct job){ run, discard };
	j->ke = ke;
	memcpy(j->spi, spi, 8);
	j->turn = turn;
	j->result = ERR_WRONG_STATE;
	return j;
}

enum err dh_job_peer(struct dh_job *j, struct view value)
{
	if (value.len != j->ke->public_len || value.len > sizeof(j->peer))
		return ERR_LENGTH;
	memcpy(j->peer, value.p, value.len);
	j->peer_len = value.len;
	return ERR_OK;
}

EVP_PKEY *dh_key_pkey(const struct dh_key *k)
{
	return k->pkey;
}
