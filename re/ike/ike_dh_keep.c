// SPDX-License-Identifier: BSD-2-Clause
/* A key pair as bytes and back: for an exchange that a restart goes on with. */
#include "ike_dh.h"
#include "ike_dh_group.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

enum err dh_key_save(const struct alg_ke *ke, const struct dh_key *k, uint8_t out[DH_PRIVATE_MAX],
                     size_t *ret_len)
{
	const struct dh_group *g = dh_group_of(ke);
	EVP_PKEY *pkey = dh_key_pkey(k);
	size_t len = DH_PRIVATE_MAX;
	BIGNUM *x = NULL;

	if (g && g->kind == DH_MONTGOMERY) {
		if (EVP_PKEY_get_raw_private_key(pkey, out, &len) != 1)
			return ERR_CRYPTO;
		*ret_len = len;
		return ERR_OK;
	}
	if (g == NULL || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &x) != 1)
		return ERR_CRYPTO;
	int n = BN_num_bytes(x) <= DH_PRIVATE_MAX ? BN_bn2bin(x, out) : 0;
	BN_clear_free(x);
	if (n <= 0)
		return ERR_CRYPTO;
	*ret_len = (size_t)n;
	return ERR_OK;
}

/* Both values, as OpenSSL wants to be told. NULL when memory is out. */
static OSSL_PARAM *values(const struct dh_group *g, BIGNUM *x, BIGNUM *y, struct view public)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	uint8_t point[1 + DH_PUBLIC_MAX] = { 4 }; /* uncompressed */
	OSSL_PARAM *params = NULL;

	memcpy(point + 1, public.p, public.len);
	if (b && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, x) == 1 &&
	    (g->kind == DH_ECP ? OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point,
	                                                          public.len + 1)
	                       : OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PUB_KEY, y)) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	OSSL_PARAM_BLD_free(b);
	return params;
}

static EVP_PKEY *from_numbers(const struct dh_group *g, struct view private, struct view public)
{
	BIGNUM *x = BN_bin2bn(private.p, (int)private.len, NULL);
	BIGNUM *y = BN_bin2bn(public.p, (int)public.len, NULL);
	OSSL_PARAM *own = x && y ? values(g, x, y, public) : NULL, *group = NULL, *all = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, g->type, NULL);
	EVP_PKEY *pkey = NULL;

	if (own && EVP_PKEY_todata(g->params, EVP_PKEY_KEY_PARAMETERS, &group) == 1)
		all = OSSL_PARAM_merge(group, own);
	if (all && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, all);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(all);
	OSSL_PARAM_free(group);
	OSSL_PARAM_free(own);
	BN_clear_free(x);
	BN_free(y);
	return pkey;
}

enum err dh_key_load(const struct alg_ke *ke, struct view private, struct view public,
                     struct dh_key **ret)
{
	const struct dh_group *g = dh_group_of(ke);
	EVP_PKEY *pkey;

	if (g == NULL || public.len != ke->public_len || public.len > DH_PUBLIC_MAX)
		return ERR_LENGTH;
	if (g->kind == DH_MONTGOMERY)
		pkey = EVP_PKEY_new_raw_private_key_ex(NULL, g->type, NULL, private.p, private.len);
	else
		pkey = from_numbers(g, private, public);
	return pkey ? dh_key_of(g, pkey, ret) : ERR_CRYPTO;
}
