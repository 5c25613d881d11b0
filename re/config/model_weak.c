// SPDX-License-Identifier: BSD-2-Clause
/* What commit says about algorithms: those that are only for old peers, and lists whose order takes
 * the weaker one. */
#include "model_priv.h"

#include "algorithms.h"

#include <string.h>

static bool is_modern(const struct build *b)
{
	const struct tree_node *ipsec = tree_at(b->tree, "security ipsec");

	return ipsec && build_is(ipsec, "crypto-profile", "modern");
}

static bool is_legacy(const char *name)
{
	const struct alg_cipher *c = alg_cipher_by_name(name);
	const struct alg_integ *a = alg_integ_by_name(name);
	const struct alg_ke *k = alg_ke_by_name(name);

	return (c && c->use & ALG_LEGACY) || (a && a->use & ALG_LEGACY) ||
	       (k && k->use & ALG_LEGACY);
}

static void say(struct build *b, const struct tree_node *n, const char *what)
{
	if (is_modern(b))
		build_error(b, n,
		            "\"%s\" %s (RFC 8221, RFC 8247); crypto-profile modern does not allow "
		            "it",
		            n->name, what);
	else
		build_warning(b, n, "\"%s\" %s (RFC 8221, RFC 8247); use it for old peers only",
		              n->name, what);
}

void build_weak(struct build *b, const struct tree_node *value)
{
	if (value && value->name && is_legacy(value->name))
		say(b, value, "is weak");
}

void build_weak_key(struct build *b, const struct tree_node *n, const char *why)
{
	if (is_modern(b))
		build_error(b, n, "%s; crypto-profile modern does not allow it", why);
	else
		build_warning(b, n, "%s; choose another key", why);
}

void build_weak_set(struct build *b, const struct tree_node *set)
{
	say(b, set, "has weak algorithms");
}

/* ---- order ----------------------------------------------------------------------------------- */

/* Strength in bits, roughly: enough to say which of two is stronger. */
/* clang-format off */
static const struct { uint16_t id, bits; } ke_bits[] = {
	{ KE_MODP_768, 60 }, { KE_MODP_1024, 80 }, { KE_MODP_1536, 100 }, { KE_MODP_2048_256, 105 },
	{ KE_MODP_2048, 112 }, { KE_MODP_3072, 128 }, { KE_ECP_256, 128 }, { KE_CURVE25519, 128 },
	{ KE_MODP_4096, 140 }, { KE_ECP_384, 192 }, { KE_CURVE448, 224 }, { KE_ECP_521, 256 },
};
static const struct { uint16_t id, bits; } integ_bits[] = {
	{ INTEG_HMAC_MD5_96, 64 }, { INTEG_HMAC_SHA1_96, 80 }, { INTEG_HMAC_SHA2_256_128, 128 },
	{ INTEG_HMAC_SHA2_384_192, 192 }, { INTEG_HMAC_SHA2_512_256, 256 },
	{ INTEG_AES_128_GMAC, 128 }, { INTEG_AES_192_GMAC, 128 }, { INTEG_AES_256_GMAC, 128 },
};
/* clang-format on */

static unsigned bits_of_cipher(const struct alg_cipher *c)
{
	if (c == NULL || c->kind == ALG_KIND_NULL || c->kind == ALG_KIND_GMAC)
		return 0;
	return c->v2_id == ENCR_DES_CBC ? 56 : c->v2_id == ENCR_3DES_CBC ? 112 : c->key_len * 8u;
}

static unsigned bits_of_ke(const struct alg_ke *k)
{
	for (size_t i = 0; k && i < ARRAY_LEN(ke_bits); i++)
		if (ke_bits[i].id == k->v2_id)
			return ke_bits[i].bits;
	return 0;
}

/* AEAD: its tag of 128 bits. */
static unsigned bits_of_integ(const struct alg_integ *a)
{
	for (size_t i = 0; a && i < ARRAY_LEN(integ_bits); i++)
		if (integ_bits[i].id == a->v2_id)
			return integ_bits[i].bits;
	return 128;
}

/* Stronger in one thing and weaker in none. Lists are judged by their first. */
static bool stronger(const unsigned a[3], const unsigned b[3])
{
	bool more = false;

	for (int i = 0; i < 3; i++) {
		if (a[i] < b[i])
			return false;
		more |= a[i] > b[i];
	}
	return more;
}

static void say_order(struct build *b, const struct tree_node *n, const char *strong,
                      const char *weak)
{
	build_warning(b, n,
	              "\"%s\" is stronger than \"%s\" before it, but the first that both ends have "
	              "is taken; put the stronger one first",
	              strong, weak);
}

void build_ike_order(struct build *b, const struct config_ike_policy *p, const struct tree_node *n)
{
	unsigned bits[CONFIG_PROPOSALS_MAX][3];

	for (size_t i = 0; i < p->proposals; i++) {
		const struct config_ike_proposal *q = p->proposal[i];

		bits[i][0] = bits_of_cipher(q->cipher[0]);
		bits[i][1] = bits_of_integ(q->integ[0]);
		bits[i][2] = bits_of_ke(q->ke[0]);
		if (i && stronger(bits[i], bits[i - 1]))
			say_order(b, n, q->name, p->proposal[i - 1]->name);
	}
}

void build_ipsec_order(struct build *b, const struct config_ipsec_policy *p,
                       const struct tree_node *n)
{
	unsigned bits[CONFIG_PROPOSALS_MAX][3];

	for (size_t i = 0; i < p->proposals; i++) {
		const struct config_ipsec_proposal *q = p->proposal[i];

		bits[i][0] = bits_of_cipher(q->cipher[0]);
		bits[i][1] = bits_of_integ(q->integ[0]);
		bits[i][2] = 0;
		if (i && p->proposal[i - 1]->protocol == q->protocol &&
		    stronger(bits[i], bits[i - 1]))
			say_order(b, n, q->name, p->proposal[i - 1]->name);
	}
}
