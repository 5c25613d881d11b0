// SPDX-License-Identifier: BSD-2-Clause
#include "emu_caps.h"

#include <string.h>

/* clang-format off */
#define SIZES(lo, hi, step) { .min = (lo), .max = (hi), .increment = (step) }
#define GCM(key_max, key_step, aad_max, aad_step) \
	{ .op = RTE_CRYPTO_OP_TYPE_SYMMETRIC, .sym = { .xform_type = RTE_CRYPTO_SYM_XFORM_AEAD, .aead = { \
		.algo = RTE_CRYPTO_AEAD_AES_GCM, .block_size = 16, .key_size = SIZES(16, key_max, key_step), \
		.digest_size = SIZES(16, 16, 0), .aad_size = SIZES(8, aad_max, aad_step), \
		.iv_size = SIZES(12, 12, 0) } } }
#define CIPHER(name, block, key_min, key_max, iv) \
	{ .op = RTE_CRYPTO_OP_TYPE_SYMMETRIC, .sym = { .xform_type = RTE_CRYPTO_SYM_XFORM_CIPHER, .cipher = { \
		.algo = RTE_CRYPTO_CIPHER_##name, .block_size = block, .iv_size = SIZES(iv, iv, 0), \
		.key_size = SIZES(key_min, key_max, (key_max) > (key_min) ? 8 : 0) } } }
#define AUTH(name, block, key_min, key_max, icv, iv) \
	{ .op = RTE_CRYPTO_OP_TYPE_SYMMETRIC, .sym = { .xform_type = RTE_CRYPTO_SYM_XFORM_AUTH, .auth = { \
		.algo = RTE_CRYPTO_AUTH_##name, .block_size = block, .digest_size = SIZES(icv, icv, 0), \
		.key_size = SIZES(key_min, key_max, (key_max) > (key_min) ? 8 : 0), .iv_size = SIZES(iv, iv, 0) } } }
#define END { .op = RTE_CRYPTO_OP_TYPE_UNDEFINED }

/* 82599 and its like. */
static const struct rte_cryptodev_capabilities gcm_128[] = { GCM(16, 0, 8, 0), END };

/* About what iavf offers; ICVs as ESP has them. */
static const struct rte_cryptodev_capabilities wide[] = {
	GCM(32, 8, 12, 4),
	AUTH(AES_GMAC, 16, 16, 32, 16, 12),
	CIPHER(AES_CBC, 16, 16, 32, 16),
	CIPHER(NULL, 1, 0, 0, 0),
	AUTH(SHA1_HMAC, 64, 20, 20, 12, 0),
	AUTH(SHA256_HMAC, 64, 32, 32, 16, 0),
	AUTH(SHA384_HMAC, 128, 48, 48, 24, 0),
	AUTH(SHA512_HMAC, 128, 64, 64, 32, 0),
	END
};
/* clang-format on */

static const struct rte_cryptodev_capabilities *crypto_of(const struct emu_profile *p)
{
	return p->wide ? wide : gcm_128;
}

void emu_caps_fill(struct emu_caps *caps, const struct emu_profile *p)
{
	memset(caps, 0, sizeof(*caps));
	for (int i = 0; i < 2; i++) {
		struct rte_security_capability *c = &caps->security[i];

		c->action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
		c->protocol = RTE_SECURITY_PROTOCOL_IPSEC;
		c->ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
		c->ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL;
		c->ipsec.direction = i == 0 ? RTE_SECURITY_IPSEC_SA_DIR_EGRESS
		                            : RTE_SECURITY_IPSEC_SA_DIR_INGRESS;
		c->ipsec.options.esn = p->esn;
		c->ipsec.options.udp_encap = p->udp_encap;
		c->ipsec.options.iv_gen_disable = p->iv_from_packet;
		c->ipsec.options.stats = 1;
		c->crypto_capabilities = crypto_of(p);
		c->ol_flags = i == 0 ? RTE_SECURITY_TX_OLOAD_NEED_MDATA : 0;
	}
	caps->security[2].action = RTE_SECURITY_ACTION_TYPE_NONE;
}

/* ---------------------------------------------------------------- a session's words */

static bool size_in(const struct rte_crypto_param_range *r, uint16_t size)
{
	return size >= r->min && size <= r->max &&
	       (r->increment == 0 || (size - r->min) % r->increment == 0);
}

static bool is_of(const struct rte_cryptodev_symmetric_capability *c,
                  const struct rte_crypto_sym_xform *x)
{
	if (c->xform_type != x->type)
		return false;
	if (x->type == RTE_CRYPTO_SYM_XFORM_AEAD)
		return c->aead.algo == x->aead.algo &&
		       size_in(&c->aead.key_size, x->aead.key.length) &&
		       size_in(&c->aead.digest_size, x->aead.digest_length) &&
		       size_in(&c->aead.iv_size, x->aead.iv.length) &&
		       size_in(&c->aead.aad_size, x->aead.aad_length);
	if (x->type == RTE_CRYPTO_SYM_XFORM_AUTH)
		return c->auth.algo == x->auth.algo &&
		       size_in(&c->auth.key_size, x->auth.key.length) &&
		       size_in(&c->auth.digest_size, x->auth.digest_length) &&
		       size_in(&c->auth.iv_size, x->auth.iv.length);
	return c->cipher.algo == x->cipher.algo &&
	       size_in(&c->cipher.key_size, x->cipher.key.length) &&
	       size_in(&c->cipher.iv_size, x->cipher.iv.length);
}

/* The profile's row for it, or NULL. */
static const struct rte_cryptodev_symmetric_capability *row_of(const struct emu_profile *p,
                                                               const struct rte_crypto_sym_xform *x)
{
	for (const struct rte_cryptodev_capabilities *c = crypto_of(p);
	     x && c->op != RTE_CRYPTO_OP_TYPE_UNDEFINED; c++)
		if (is_of(&c->sym, x))
			return &c->sym;
	return NULL;
}

/* OpenSSL's name for AES in that mode. */
static const char *aes(bool cbc, uint16_t key_len)
{
	static const char *const names[2][3] = { { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM" },
		                                 { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" } };

	return names[cbc][key_len / 8 - 2];
}

static const char *digest_of(enum rte_crypto_auth_algorithm algo)
{
	switch (algo) {
	case RTE_CRYPTO_AUTH_SHA1_HMAC:
		return "SHA1";
	case RTE_CRYPTO_AUTH_SHA256_HMAC:
		return "SHA2-256";
	case RTE_CRYPTO_AUTH_SHA384_HMAC:
		return "SHA2-384";
	default:
		return "SHA2-512";
	}
}

static bool aead_suite(const struct rte_security_session_conf *conf, bool inbound,
                       struct emu_suite *s)
{
	const struct rte_crypto_aead_xform *x = &conf->crypto_xform->aead;

	*s = (struct emu_suite){ .way = EMU_AEAD,
		                 .iv_len = 8,
		                 .icv_len = (uint8_t)x->digest_length,
		                 .block = 4,
		                 .cipher = aes(false, x->key.length),
		                 .key = { x->key.data, x->key.length } };
	memcpy(s->salt, &conf->ipsec.salt, sizeof(s->salt));
	return x->op == (inbound ? RTE_CRYPTO_AEAD_OP_DECRYPT : RTE_CRYPTO_AEAD_OP_ENCRYPT) &&
	       x->aad_length == (conf->ipsec.options.esn ? 12 : 8);
}

static bool gmac_suite(const struct rte_security_session_conf *conf, bool inbound,
                       struct emu_suite *s)
{
	const struct rte_crypto_auth_xform *x = &conf->crypto_xform->auth;

	*s = (struct emu_suite){ .way = EMU_GMAC,
		                 .iv_len = 8,
		                 .icv_len = (uint8_t)x->digest_length,
		                 .block = 4,
		                 .cipher = aes(false, x->key.length),
		                 .key = { x->key.data, x->key.length } };
	memcpy(s->salt, &conf->ipsec.salt, sizeof(s->salt));
	return x->op == (inbound ? RTE_CRYPTO_AUTH_OP_VERIFY : RTE_CRYPTO_AUTH_OP_GENERATE);
}

/* Outbound cipher and hash, inbound hash and cipher. */
static bool chain_suite(const struct rte_security_session_conf *conf, bool inbound,
                        struct emu_suite *s)
{
	const struct rte_crypto_sym_xform *c = conf->crypto_xform, *a = c->next;

	if (inbound) {
		a = conf->crypto_xform;
		c = a->next;
	}
	if (c->type != RTE_CRYPTO_SYM_XFORM_CIPHER || a->type != RTE_CRYPTO_SYM_XFORM_AUTH ||
	    a->auth.algo == RTE_CRYPTO_AUTH_AES_GMAC)
		return false;
	bool null = c->cipher.algo == RTE_CRYPTO_CIPHER_NULL;
	*s = (struct emu_suite){ .way = EMU_CHAIN,
		                 .iv_len = (uint8_t)c->cipher.iv.length,
		                 .icv_len = (uint8_t)a->auth.digest_length,
		                 .block = null ? 4 : 16,
		                 .cipher = null ? NULL : aes(true, c->cipher.key.length),
		                 .digest = digest_of(a->auth.algo),
		                 .key = { c->cipher.key.data, c->cipher.key.length },
		                 .auth_key = { a->auth.key.data, a->auth.key.length } };
	return c->cipher.op ==
	               (inbound ? RTE_CRYPTO_CIPHER_OP_DECRYPT : RTE_CRYPTO_CIPHER_OP_ENCRYPT) &&
	       a->auth.op == (inbound ? RTE_CRYPTO_AUTH_OP_VERIFY : RTE_CRYPTO_AUTH_OP_GENERATE);
}

bool emu_caps_suite(const struct emu_profile *p, const struct rte_security_session_conf *conf,
                    struct emu_suite *ret)
{
	const struct rte_crypto_sym_xform *x = conf->crypto_xform;
	bool inbound = conf->ipsec.direction == RTE_SECURITY_IPSEC_SA_DIR_INGRESS;

	if (row_of(p, x) == NULL || (x->next && (row_of(p, x->next) == NULL || x->next->next)))
		return false;
	if (x->next)
		return chain_suite(conf, inbound, ret);
	if (x->type == RTE_CRYPTO_SYM_XFORM_AEAD)
		return aead_suite(conf, inbound, ret);
	return x->type == RTE_CRYPTO_SYM_XFORM_AUTH && x->auth.algo == RTE_CRYPTO_AUTH_AES_GMAC &&
	       gmac_suite(conf, inbound, ret);
}
