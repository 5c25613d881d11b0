// SPDX-License-Identifier: BSD-2-Clause
#include "ike_dh_group.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Exponents of the groups that have no name in the library: twice what their strength is, and more.
 */
enum { GROUPS_MAX = 16, EXPONENT_BITS = 256 };

static _Atomic(struct dh_group *) known[GROUPS_MAX]; /* by place in alg_kes */

static enum dh_kind kind_of(const struct alg_ke *ke)
{
	switch (ke->v2_id) {
	case KE_CURVE25519:
	case KE_CURVE448:
		return DH_MONTGOMERY;
	case KE_ECP_256:
	case KE_ECP_384:
	case KE_ECP_521:
		return DH_ECP;
	default:
		return DH_MODP;
	}
}

static void group_free(struct dh_group *g)
{
	if (g == NULL)
		return;
	EVP_PKEY_free(g->params);
	BN_free(g->p);
	BN_free(g->q);
	free(g);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *named(const char *type, const char *name)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
		                                                 (char *)(uintptr_t)name, 0),
		                OSSL_PARAM_construct_end() };

	return from_params(type, params);
}

/* RFC 2409 6.1, 6.2: the primes of groups 1 and 2, generator 2. */
static EVP_PKEY *numbered(const struct alg_ke *ke)
{
	BIGNUM *p = ke->v2_id == KE_MODP_768 ? BN_get_rfc2409_prime_768(NULL)
	                                     : BN_get_rfc2409_prime_1024(NULL);
	BIGNUM *g = BN_new();
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (p && g && b && BN_set_word(g, 2) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_FFC_P, p) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_FFC_G, g) == 1 &&
	    OSSL_PARAM_BLD_push_int(b, OSSL_PKEY_PARAM_DH_PRIV_LEN, EXPONENT_BITS) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY *pkey = from_params("DH", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(g);
	BN_free(p);
	return pkey;
}

static bool modp_numbers(struct dh_group *g)
{
	uint16_t len = g->ke->public_len;
	BIGNUM *last = NULL;

	bool ok = EVP_PKEY_get_bn_param(g->params, OSSL_PKEY_PARAM_FFC_P, &g->p) == 1 &&
	          (last = BN_dup(g->p)) && BN_sub_word(last, 1) == 1 &&
	          BN_bn2binpad(last, g->p_minus_1, len) == len;
	if (ok && g->ke->v2_id == KE_MODP_2048_256)
		ok = EVP_PKEY_get_bn_param(g->params, OSSL_PKEY_PARAM_FFC_Q, &g->q) == 1;
	BN_free(last);
	return ok;
}

static struct dh_group *build(const struct alg_ke *ke)
{
	struct dh_group *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->ke = ke;
	g->kind = kind_of(ke);
	g->type = g->kind == DH_MODP ? "DH" : g->kind == DH_ECP ? "EC" : ke->openssl;
	if (g->kind != DH_MONTGOMERY)
		g->params = ke->openssl ? named(g->type, ke->openssl) : numbered(ke);
	if ((g->kind != DH_MONTGOMERY && g->params == NULL) ||
	    (g->kind == DH_MODP && !modp_numbers(g))) {
		group_free(g);
		return NULL;
	}
	return g;
}

/* Two threads may build one at the same time: the first that is ready is kept. */
const struct dh_group *dh_group_of(const struct alg_ke *ke)
{
	size_t i = (size_t)(ke - alg_kes);

	if (i >= GROUPS_MAX)
		return NULL;
	struct dh_group *g = atomic_load_explicit(&known[i], memory_order_acquire);
	if (g)
		return g;
	struct dh_group *mine = build(ke);
	if (mine == NULL)
		return NULL;
	if (atomic_compare_exchange_strong(&known[i], &g, mine))
		return mine;
	group_free(mine);
	return g;
}

/* RFC 6989 2.2: y^q = 1, or some of our exponent could be learned. */
static bool in_subgroup(const struct dh_group *g, const uint8_t *value)
{
	BIGNUM *y = BN_bin2bn(value, g->ke->public_len, NULL), *r = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	bool ok = y && r && ctx && BN_mod_exp(r, y, g->q, g->p, ctx) == 1 && BN_is_one(r);

	BN_CTX_free(ctx);
	BN_free(r);
	BN_free(y);
	return ok;
}

enum err dh_group_check(const struct dh_group *g, const uint8_t *value)
{
	size_t len = g->ke->public_len;
	uint8_t high = 0;

	if (g->kind != DH_MODP)
		return ERR_OK;
	for (size_t i = 0; i + 1 < len; i++)
		high |= value[i];
	if ((high == 0 && value[len - 1] <= 1) || memcmp(value, g->p_minus_1, len) >= 0)
		return ERR_VALUE;
	return g->q && !in_subgroup(g, value) ? ERR_VALUE : ERR_OK;
}
