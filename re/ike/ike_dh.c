// SPDX-License-Identifier: BSD-2-Clause
#include "ike_dh.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct dh_key {
	EVP_PKEY *pkey;
};

/* How a group is spoken to: OpenSSL's key type, and what stands before the public value there. */
static const char *type_of(const struct alg_ke *ke)
{
	switch (ke->v2_id) {
	case KE_CURVE25519:
		return "X25519";
	case KE_ECP_256:
	case KE_ECP_384:
		return "EC";
	default:
		return "DH";
	}
}

static bool is_ecp(const struct alg_ke *ke)
{
	return ke->v2_id == KE_ECP_256 || ke->v2_id == KE_ECP_384;
}

static bool is_modp(const struct alg_ke *ke)
{
	return !is_ecp(ke) && ke->v2_id != KE_CURVE25519;
}

void dh_key_free(struct dh_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void dh_job_free(struct dh_job *j)
{
	if (j == NULL)
		return;
	dh_key_free(j->key);
	secret_free(j->secret);
	free(j);
}

static enum err generate(const struct alg_ke *ke, EVP_PKEY **ret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type_of(ke), NULL);
	EVP_PKEY *pkey = NULL;
	bool ok = ctx && EVP_PKEY_keygen_init(ctx) == 1;

	if (ok && ke->v2_id != KE_CURVE25519)
		ok = EVP_PKEY_CTX_set_group_name(ctx, ke->openssl) == 1;
	ok = ok && EVP_PKEY_generate(ctx, &pkey) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return ERR_CRYPTO;
	*ret = pkey;
	return ERR_OK;
}

/* The public value as on the wire: for ECP x and y without the format octet (RFC 5903 7), for MODP
 * padded to the length of the prime (RFC 7296 3.4). */
static enum err public_value(const struct alg_ke *ke, EVP_PKEY *pkey, uint8_t *out)
{
	if (is_modp(ke)) {
		BIGNUM *y = NULL;
		bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, &y) == 1 &&
		          BN_bn2binpad(y, out, ke->public_len) == ke->public_len;

		BN_free(y);
		return ok ? ERR_OK : ERR_CRYPTO;
	}
	uint8_t buf[1 + DH_PUBLIC_MAX];
	size_t len = 0, skip = is_ecp(ke) ? 1 : 0;
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, buf, sizeof(buf),
	                                    &len) != 1 ||
	    len != ke->public_len + skip)
		return ERR_CRYPTO;
	memcpy(out, buf + skip, ke->public_len);
	return ERR_OK;
}

/* RFC 6989 2.1: for a safe prime, 1 < y < p - 1 is all there is to check. */
static enum err modp_in_range(EVP_PKEY *own, const uint8_t *value, size_t len)
{
	BIGNUM *p = NULL, *y = BN_bin2bn(value, (int)len, NULL);
	bool ok = y && EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
	          BN_sub_word(p, 1) == 1 && BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, p) < 0;

	BN_free(p);
	BN_free(y);
	return ok ? ERR_OK : ERR_VALUE;
}

/* The peer's value as a key with our group's parameters. For ECP the decoder refuses a point that
 * is not on the curve. */
static enum err peer_key(const struct dh_job *j, EVP_PKEY **ret)
{
	uint8_t buf[1 + DH_PUBLIC_MAX];
	size_t skip = is_ecp(j->ke) ? 1 : 0;
	EVP_PKEY *peer = EVP_PKEY_new();

	if (is_modp(j->ke)) {
		enum err e = modp_in_range(j->key->pkey, j->peer, j->peer_len);

		if (e != ERR_OK) {
			EVP_PKEY_free(peer);
			return e;
		}
	}
	buf[0] = 4; /* uncompressed */
	memcpy(buf + skip, j->peer, j->peer_len);
	if (peer == NULL || EVP_PKEY_copy_parameters(peer, j->key->pkey) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(peer, buf, j->peer_len + skip) != 1) {
		EVP_PKEY_free(peer);
		return ERR_VALUE;
	}
	*ret = peer;
	return ERR_OK;
}

static EVP_PKEY *raw_peer(const struct dh_job *j)
{
	return EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, j->peer, j->peer_len);
}

static enum err derive_with(struct dh_job *j, EVP_PKEY *peer)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, j->key->pkey, NULL);
	size_t len = 0;
	bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1;

	if (ok && is_modp(j->ke)) /* leading zeros count (RFC 7296 2.14) */
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

static enum err derive(struct dh_job *j)
{
	EVP_PKEY *peer = NULL;

	if (j->ke->v2_id == KE_CURVE25519)
		peer = raw_peer(j);
	else
		TRY(peer_key(j, &peer));
	if (peer == NULL)
		return ERR_VALUE;
	enum err e = derive_with(j, peer);
	EVP_PKEY_free(peer);
	return e;
}

static enum err work(struct dh_job *j)
{
	if (j->key == NULL) {
		j->key = calloc(1, sizeof(*j->key));
		if (j->key == NULL)
			return ERR_MEMORY;
		TRY(generate(j->ke, &j->key->pkey));
		TRY(public_value(j->ke, j->key->pkey, j->public));
	}
	return j->peer_len ? derive(j) : ERR_OK;
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
