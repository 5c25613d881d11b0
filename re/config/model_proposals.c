// SPDX-License-Identifier: BSD-2-Clause
/* security ike proposal, security ipsec proposal: names become rows of algorithms.h, and what is
 * left out is filled from the modern profile. */
#include "model_priv.h"

#include "algorithms.h"

#include <string.h>

static const uint16_t modern_key_bits[] = { 256, 128 }; /* of AES-GCM, best first */
static const uint16_t modern_prfs[] = { PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_256 };
static const uint16_t modern_kes[] = { KE_CURVE25519, KE_ECP_256, KE_ECP_384, KE_MODP_2048 };

/* A hash of IKE means an integrity algorithm and a PRF. */
static const struct {
	const char *name;
	uint16_t integ, prf;
} hashes[] = {
	{ "md5", INTEG_HMAC_MD5_96, PRF_HMAC_MD5 },
	{ "sha1", INTEG_HMAC_SHA1_96, PRF_HMAC_SHA1 },
	{ "sha-256", INTEG_HMAC_SHA2_256_128, PRF_HMAC_SHA2_256 },
	{ "sha-384", INTEG_HMAC_SHA2_384_192, PRF_HMAC_SHA2_384 },
	{ "sha-512", INTEG_HMAC_SHA2_512_256, PRF_HMAC_SHA2_512 },
};

/* ---- IKE ------------------------------------------------------------------------------------- */

static void ike_ciphers(struct config_ike_proposal *p, const char *name)
{
	if (name) {
		p->cipher[p->ciphers++] = alg_cipher_by_name(name);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(modern_key_bits); i++)
		p->cipher[p->ciphers++] = alg_cipher_by_id(ENCR_AES_GCM_16, modern_key_bits[i]);
}

/* An AEAD cipher takes of the hash the PRF only, and SHA-256 when none is given. */
static void ike_hash(struct config_ike_proposal *p, const char *name, bool named_cipher)
{
	if (name == NULL && !named_cipher) {
		for (size_t i = 0; i < ARRAY_LEN(modern_prfs); i++)
			p->prf[p->prfs++] = alg_prf_by_id(modern_prfs[i]);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		if (strcmp(hashes[i].name, name ? name : "sha-256"))
			continue;
		p->prf[p->prfs++] = alg_prf_by_id(hashes[i].prf);
		if (p->cipher[0]->icv_len == 0)
			p->integ[p->integs++] = alg_integ_by_id(hashes[i].integ);
	}
}

static void ike_kes(struct config_ike_proposal *p, const char *name)
{
	if (name) {
		p->ke[p->kes++] = alg_ke_by_name(name);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(modern_kes); i++)
		p->ke[p->kes++] = alg_ke_by_id(modern_kes[i]);
}

void proposal_of_ike(struct config_ike_proposal *p, const struct proposal_words *w)
{
	build_name(p->name, sizeof(p->name), w->name);
	ike_ciphers(p, w->cipher);
	ike_hash(p, w->hash, w->cipher != NULL);
	ike_kes(p, w->ke);
	p->lifetime_s = w->lifetime_s;
}

static void ike_proposal(struct build *b, struct config_ike_proposal *p, const struct tree_node *n)
{
	struct proposal_words w = { .name = n->name,
		                    .cipher = tree_value(n, "encryption-algorithm"),
		                    .hash = tree_value(n, "authentication-algorithm"),
		                    .ke = tree_value(n, "dh-group"),
		                    .lifetime_s = build_uint(n, "lifetime-seconds") };

	build_weak(b, tree_child(n, "encryption-algorithm"));
	build_weak(b, tree_child(n, "authentication-algorithm"));
	build_weak(b, tree_child(n, "dh-group"));
	if (w.cipher && strcmp(w.cipher, "null") == 0) {
		build_error(b, tree_child(n, "encryption-algorithm"),
		            "an IKE SA is never without encryption (RFC 7296 3.3.2); expected a "
		            "cipher");
		w.cipher = NULL;
	}
	proposal_of_ike(p, &w);
}

enum err build_ike_proposals(struct build *b, const struct tree_node *ike)
{
	const struct tree_node *n = tree_child(ike, "proposal");
	void *array;

	TRY(build_array(b, ike, "proposal", sizeof(b->c->ike_proposal[0]), &array,
	                &b->c->ike_proposals));
	b->c->ike_proposal = array;
	for (size_t i = 0; n && i < b->c->ike_proposals; n = tree_same(n), i++)
		ike_proposal(b, &b->c->ike_proposal[i], n);
	return ERR_OK;
}

/* ---- IPsec ----------------------------------------------------------------------------------- */

static void esp_integ(struct config_ipsec_proposal *p, const char *name)
{
	if (p->cipher[0]->icv_len == 0)
		p->integ[p->integs++] =
		        name ? alg_integ_by_name(name) : alg_integ_by_id(INTEG_HMAC_SHA2_256_128);
}

void proposal_of_ipsec(struct config_ipsec_proposal *p, const struct proposal_words *w)
{
	build_name(p->name, sizeof(p->name), w->name);
	p->lifetime_s = w->lifetime_s;
	p->protocol = w->ah ? PROTO_AH : PROTO_ESP;
	if (w->ah) {
		p->integ[p->integs++] = w->hash ? alg_integ_by_name(w->hash)
		                                : alg_integ_by_id(INTEG_HMAC_SHA2_256_128);
		return;
	}
	if (w->cipher || w->hash)
		p->cipher[p->ciphers++] = alg_cipher_by_name(w->cipher ? w->cipher : "null");
	for (size_t i = 0; p->ciphers == 0 || (i && i < ARRAY_LEN(modern_key_bits)); i++)
		p->cipher[p->ciphers++] = alg_cipher_by_id(ENCR_AES_GCM_16, modern_key_bits[i]);
	esp_integ(p, w->hash);
}

/* What the road of packets cannot do yet is refused here, by its row. */
static bool runs(struct build *b, const struct tree_node *n, const struct proposal_words *w)
{
	const struct alg_cipher *c = w->cipher ? alg_cipher_by_name(w->cipher) : NULL;
	const struct alg_integ *a = w->hash ? alg_integ_by_name(w->hash) : NULL;

	if (c && !(c->use & ALG_SOFT)) {
		build_error(b, tree_child(n, "encryption-algorithm"),
		            "\"%s\" is not supported in this version", w->cipher);
		return false;
	}
	if (a && !(a->use & (w->ah ? ALG_AH : ALG_SOFT | ALG_AH))) {
		build_error(b, tree_child(n, "authentication-algorithm"),
		            "\"%s\" is not supported in this version", w->hash);
		return false;
	}
	return true;
}

static bool ah_ok(struct build *b, const struct tree_node *n, const struct proposal_words *w)
{
	if (w->cipher == NULL)
		return true;
	build_error(b, tree_child(n, "encryption-algorithm"),
	            "protocol ah does not encrypt; delete this, or set protocol esp");
	return false;
}

static bool esp_ok(struct build *b, const struct tree_node *n, const struct proposal_words *w)
{
	const struct alg_cipher *c = w->cipher ? alg_cipher_by_name(w->cipher) : NULL;
	const struct alg_integ *a = w->hash ? alg_integ_by_name(w->hash) : NULL;
	const struct tree_node *hash = tree_child(n, "authentication-algorithm");

	if (a && a->salt_len) {
		build_error(b, hash,
		            "\"%s\" is of protocol ah; with esp the same is encryption-algorithm "
		            "null-%.3s-%s-gmac",
		            w->hash, w->hash, w->hash + strlen("aes-gmac-"));
		return false;
	}
	if (a && c && c->icv_len) {
		build_error(b, hash, "\"%s\" has integrity of its own; delete this", w->cipher);
		return false;
	}
	if (a && c == NULL && tree_child(n, "protocol") == NULL) {
		build_error(b, hash,
		            "without an encryption-algorithm it is not clear what is meant; set "
		            "protocol esp for packets that are not encrypted, protocol ah, or an "
		            "encryption-algorithm");
		return false;
	}
	return true;
}

static bool encrypts(const struct config_ipsec_proposal *p)
{
	return p->cipher[0]->kind != ALG_KIND_NULL && p->cipher[0]->kind != ALG_KIND_GMAC;
}

static void ipsec_proposal(struct build *b, struct config_ipsec_proposal *p,
                           const struct tree_node *n)
{
	struct proposal_words w = { .name = n->name,
		                    .cipher = tree_value(n, "encryption-algorithm"),
		                    .hash = tree_value(n, "authentication-algorithm"),
		                    .lifetime_s = build_uint(n, "lifetime-seconds"),
		                    .ah = build_is(n, "protocol", "ah") };

	build_weak(b, tree_child(n, "encryption-algorithm"));
	build_weak(b, tree_child(n, "authentication-algorithm"));
	if (!runs(b, n, &w) || !(w.ah ? ah_ok(b, n, &w) : esp_ok(b, n, &w)))
		w.cipher = w.hash = NULL;
	proposal_of_ipsec(p, &w);
	p->lifetime_kb = build_uint(n, "lifetime-kilobytes");
	p->lifetime_packets = build_uint(n, "lifetime-packets");
	p->esn = tree_child(n, "extended-sequence-number") != NULL;
	if (!w.ah && !encrypts(p))
		build_warning(b, n, "packets are authenticated but not encrypted (%s)",
		              p->cipher[0]->name);
}

enum err build_ipsec_proposals(struct build *b, const struct tree_node *ipsec)
{
	const struct tree_node *n = tree_child(ipsec, "proposal");
	void *array;

	TRY(build_array(b, ipsec, "proposal", sizeof(b->c->ipsec_proposal[0]), &array,
	                &b->c->ipsec_proposals));
	b->c->ipsec_proposal = array;
	for (size_t i = 0; n && i < b->c->ipsec_proposals; n = tree_same(n), i++)
		ipsec_proposal(b, &b->c->ipsec_proposal[i], n);
	return ERR_OK;
}
