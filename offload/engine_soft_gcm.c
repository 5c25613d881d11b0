// SPDX-License-Identifier: BSD-2-Clause
/* AES-GCM (RFC 4106, RFC 8750) and AES-GMAC (RFC 4543) by libIPSec_MB, called directly. */
#include "engine_soft_priv.h"
#include "secret.h"

#include <rte_prefetch.h>

struct gcm_session {
	struct engine_session s;
	aes_gcm_enc_dec_t run;
	_Alignas(64) struct gcm_key_data key; /* expanded; the header leaves it unaligned */
};

struct gmac_session {
	struct engine_session s;
	aes_gmac_init_t init;
	aes_gmac_update_t update;
	aes_gmac_finalize_t finalize;
	_Alignas(64) struct gcm_key_data key;
};

static void expand(IMB_MGR *mgr, struct view key, size_t key_len, struct gcm_key_data *ret)
{
	if (key_len == 16)
		IMB_AES128_GCM_PRE(mgr, key.p, ret);
	else if (key_len == 24)
		IMB_AES192_GCM_PRE(mgr, key.p, ret);
	else
		IMB_AES256_GCM_PRE(mgr, key.p, ret);
}

static bool verified(const uint8_t tag[SOFT_AEAD_ICV_LEN], const uint8_t *icv)
{
	return secret_equal((struct view){ tag, SOFT_AEAD_ICV_LEN },
	                    (struct view){ icv, SOFT_AEAD_ICV_LEN });
}

/* ---------------------------------------------------------------- GCM */

static void gcm_init(struct soft *soft, struct engine_session *session, const struct engine_sa *sa)
{
	struct gcm_session *s = (struct gcm_session *)session; /* its first member */
	IMB_MGR *mgr = soft->mgr;
	const aes_gcm_enc_dec_t run[3][2] = { { mgr->gcm128_enc, mgr->gcm128_dec },
		                              { mgr->gcm192_enc, mgr->gcm192_dec },
		                              { mgr->gcm256_enc, mgr->gcm256_dec } };
	size_t key_len = sa->cipher->key_len;

	expand(mgr, sa->key, key_len, &s->key);
	memcpy(s->s.salt, sa->key.p + key_len, SOFT_SALT_LEN);
	s->run = run[key_len / 8 - 2][sa->inbound];
}

static void fill_nonces(const struct engine_op *ops, uint16_t n, uint8_t nonce[][16])
{
	for (uint16_t i = 0; i < n; i++) {
		soft_nonce(&ops[i], nonce[i]);
		rte_prefetch0(ops[i].icv); /* 148 instead of 230 cycles at 512 bytes */
	}
}

static void gcm_seal(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	uint8_t nonce[SOFT_SLICE][16];
	struct gcm_context_data ctx;

	(void)soft;
	fill_nonces(ops, n, nonce);
	for (uint16_t i = 0; i < n; i++) {
		struct engine_op *op = &ops[i];
		const struct gcm_session *s = (const struct gcm_session *)op->session;

		s->run(&s->key, &ctx, op->payload, op->payload, op->len, nonce[i], op->aad,
		       op->aad_len, op->icv, SOFT_AEAD_ICV_LEN);
		op->verdict = ENGINE_OK;
	}
}

static void gcm_open_one(struct engine_op *op, const uint8_t nonce[16],
                         struct gcm_context_data *ctx)
{
	const struct gcm_session *s = (const struct gcm_session *)op->session;
	uint8_t tag[SOFT_AEAD_ICV_LEN];

	if (engine_nic_verdict(op->m, &op->verdict))
		return;
	s->run(&s->key, ctx, op->payload, op->payload, op->len, nonce, op->aad, op->aad_len, tag,
	       SOFT_AEAD_ICV_LEN);
	op->verdict = verified(tag, op->icv) ? ENGINE_OK : ENGINE_BAD_ICV;
}

static void gcm_open(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	uint8_t nonce[SOFT_SLICE][16];
	struct gcm_context_data ctx;

	(void)soft;
	fill_nonces(ops, n, nonce);
	for (uint16_t i = 0; i < n; i++)
		gcm_open_one(&ops[i], nonce[i], &ctx);
}

/* ---------------------------------------------------------------- GMAC */

static void gmac_init(struct soft *soft, struct engine_session *session, const struct engine_sa *sa)
{
	struct gmac_session *s = (struct gmac_session *)session; /* its first member */
	struct view key = sa->cipher ? sa->key : sa->auth_key;
	size_t key_len = key.len - SOFT_SALT_LEN;
	IMB_MGR *mgr = soft->mgr;

	expand(mgr, key, key_len, &s->key);
	memcpy(s->s.salt, key.p + key_len, SOFT_SALT_LEN);
	s->init = key_len == 16   ? mgr->gmac128_init
	          : key_len == 24 ? mgr->gmac192_init
	                          : mgr->gmac256_init;
	s->update = key_len == 16   ? mgr->gmac128_update
	            : key_len == 24 ? mgr->gmac192_update
	                            : mgr->gmac256_update;
	s->finalize = key_len == 16   ? mgr->gmac128_finalize
	              : key_len == 24 ? mgr->gmac192_finalize
	                              : mgr->gmac256_finalize;
}

/* ESP: SPI and the whole sequence number, then what follows in the packet. AH: the packet, then the
 * sequence number's high half. */
static void gmac_tag(const struct engine_op *op, uint8_t tag[SOFT_AEAD_ICV_LEN])
{
	const struct gmac_session *s = (const struct gmac_session *)op->session;
	struct gcm_context_data ctx;
	uint8_t nonce[12];

	soft_nonce(op, nonce);
	s->init(&s->key, &ctx, nonce, sizeof(nonce));
	s->update(&s->key, &ctx, op->aad, op->aad_len);
	s->update(&s->key, &ctx, op->auth, op->auth_len);
	s->update(&s->key, &ctx, op->esn, op->esn_len);
	s->finalize(&s->key, &ctx, tag, SOFT_AEAD_ICV_LEN);
}

static void gmac_seal(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	(void)soft;
	for (uint16_t i = 0; i < n; i++) {
		gmac_tag(&ops[i], ops[i].icv);
		ops[i].verdict = ENGINE_OK;
	}
}

static void gmac_open(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	uint8_t tag[SOFT_AEAD_ICV_LEN];

	(void)soft;
	for (uint16_t i = 0; i < n; i++) {
		if (engine_nic_verdict(ops[i].m, &ops[i].verdict))
			continue;
		gmac_tag(&ops[i], tag);
		ops[i].verdict = verified(tag, ops[i].icv) ? ENGINE_OK : ENGINE_BAD_ICV;
	}
}

const struct soft_kind soft_gcm = { sizeof(struct gcm_session), gcm_init, gcm_seal, gcm_open };
const struct soft_kind soft_gmac = { sizeof(struct gmac_session), gmac_init, gmac_seal, gmac_open };
