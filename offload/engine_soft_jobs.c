// SPDX-License-Identifier: BSD-2-Clause
/* ChaCha20-Poly1305 (RFC 7634), and CBC or NULL with HMAC (RFC 3602, 2451, 2405, 2410, 4868), as
 * jobs of libIPSec_MB. What an SA decides is a job filled in once; a packet adds its pointers. DES
 * and 3DES are done beside the job: before it outbound, inbound on what it has found authentic.
 *
 * Extended sequence numbers (RFC 4303 2.2.1) are hashed from the four bytes behind the
 * authenticated ones. What stood there is put back before the ICV, which usually is there, is
 * written or read. */
#include "engine_soft_priv.h"
#include "secret.h"
#include "soft_des.h"

#define HASH_BLOCK_MAX 128

struct job_session {
	struct engine_session s;
	bool inbound;
	uint8_t icv_len;            /* 0: nothing is authenticated */
	uint8_t block;              /* of the cipher */
	const struct soft_des *des; /* that the library does not encrypt with; else NULL */
	IMB_JOB job;
};

struct chacha_session {
	struct job_session j;
	uint8_t key[32];
};

struct chain_session {
	struct job_session j;
	/* The key's blocks of HMAC, hashed (RFC 2104). */
	_Alignas(16) uint8_t ipad[SOFT_TAG_MAX];
	_Alignas(16) uint8_t opad[SOFT_TAG_MAX];
	union {
		struct {
			_Alignas(16) uint32_t enc[15 * 4];
			_Alignas(16) uint32_t dec[15 * 4];
		} aes;
		struct soft_des des;
	} key;
};

static const struct job_session *session_of(const struct engine_op *op)
{
	return (const struct job_session *)op->session; /* its first member */
}

/* ---------------------------------------------------------------- jobs, from queue to verdict */

static void finish(const IMB_JOB *job)
{
	struct engine_op *op = job->user_data;
	const struct soft_scratch *x = job->user_data2;
	const struct job_session *s = session_of(op);

	if (op->esn_len)
		memcpy((uint8_t *)(uintptr_t)op->auth + op->auth_len, x->after, op->esn_len);
	if (job->status != IMB_STATUS_COMPLETED) {
		op->verdict = ENGINE_FAILED;
		return;
	}
	op->verdict = ENGINE_OK;
	if (!s->inbound)
		memcpy(op->icv, x->tag, s->icv_len);
	else if (!secret_equal((struct view){ x->tag, s->icv_len },
	                       (struct view){ op->icv, s->icv_len }))
		op->verdict = ENGINE_BAD_ICV;
	else if (s->des)
		soft_des_crypt(s->des, op->iv, op->payload, op->len, false);
}

void soft_jobs_drain(struct soft *soft)
{
	if (soft->queued == 0)
		return;
	for (IMB_JOB *job = IMB_FLUSH_JOB(soft->mgr); job; job = IMB_FLUSH_JOB(soft->mgr))
		finish(job);
	soft->queued = 0;
}

static void submit(struct soft *soft)
{
	for (IMB_JOB *job = IMB_SUBMIT_JOB(soft->mgr); job; job = IMB_GET_COMPLETED_JOB(soft->mgr))
		finish(job);
}

/* The next job, as the SA wants it, and room beside it. */
static IMB_JOB *next(struct soft *soft, struct engine_op *op, struct soft_scratch **ret_scratch)
{
	if (soft->queued == SOFT_SLICE)
		soft_jobs_drain(soft);
	struct soft_scratch *x = &soft->scratch[soft->queued++];
	IMB_JOB *job = IMB_GET_NEXT_JOB(soft->mgr);

	*job = session_of(op)->job;
	job->auth_tag_output = x->tag;
	job->user_data = op;
	job->user_data2 = x;
	*ret_scratch = x;
	return job;
}

/* ---------------------------------------------------------------- ChaCha20-Poly1305 */

static void chacha_init(struct soft *soft, struct engine_session *session,
                        const struct engine_sa *sa)
{
	struct chacha_session *s = (struct chacha_session *)session; /* its first member */

	(void)soft;
	memcpy(s->key, sa->key.p, sizeof(s->key));
	memcpy(s->j.s.salt, sa->key.p + sizeof(s->key), SOFT_SALT_LEN);
	s->j.inbound = sa->inbound;
	s->j.icv_len = SOFT_AEAD_ICV_LEN;
	s->j.job = (IMB_JOB){ .enc_keys = s->key,
		              .dec_keys = s->key,
		              .key_len_in_bytes = sizeof(s->key),
		              .iv_len_in_bytes = 12,
		              .auth_tag_output_len_in_bytes = SOFT_AEAD_ICV_LEN,
		              .cipher_mode = IMB_CIPHER_CHACHA20_POLY1305,
		              .hash_alg = IMB_AUTH_CHACHA20_POLY1305,
		              .cipher_direction = sa->inbound ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT,
		              .chain_order =
		                      sa->inbound ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH };
}

static void chacha_seal(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct engine_op *op = &ops[i];
		struct soft_scratch *x = NULL;
		IMB_JOB *job = next(soft, op, &x);

		soft_nonce(op, x->nonce);
		job->iv = x->nonce;
		job->src = job->dst = op->payload;
		job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = op->len;
		job->u.CHACHA20_POLY1305.aad = op->aad;
		job->u.CHACHA20_POLY1305.aad_len_in_bytes = op->aad_len;
		submit(soft);
	}
}

/* ---------------------------------------------------------------- cipher and hash */

struct hash {
	uint16_t v2_id;
	IMB_HASH_ALG alg;
	size_t block;
	void (*one_block)(IMB_MGR *mgr, const void *block, void *ret_state);
};

#define ONE_BLOCK(name, MACRO)                                                     \
	static void name##_block(IMB_MGR *mgr, const void *block, void *ret_state) \
	{                                                                          \
		MACRO(mgr, block, ret_state);                                      \
	}
ONE_BLOCK(md5, IMB_MD5_ONE_BLOCK)
ONE_BLOCK(sha1, IMB_SHA1_ONE_BLOCK)
ONE_BLOCK(sha256, IMB_SHA256_ONE_BLOCK)
ONE_BLOCK(sha384, IMB_SHA384_ONE_BLOCK)
ONE_BLOCK(sha512, IMB_SHA512_ONE_BLOCK)
#undef ONE_BLOCK

static const struct hash hashes[] = {
	{ INTEG_HMAC_MD5_96, IMB_AUTH_MD5, 64, md5_block },
	{ INTEG_HMAC_SHA1_96, IMB_AUTH_HMAC_SHA_1, 64, sha1_block },
	{ INTEG_HMAC_SHA2_256_128, IMB_AUTH_HMAC_SHA_256, 64, sha256_block },
	{ INTEG_HMAC_SHA2_384_192, IMB_AUTH_HMAC_SHA_384, 128, sha384_block },
	{ INTEG_HMAC_SHA2_512_256, IMB_AUTH_HMAC_SHA_512, 128, sha512_block },
};

/* RFC 2104 2: the key's block, XORed with a byte, hashed. Our keys are shorter than a block. */
static void hmac_pad(IMB_MGR *mgr, const struct hash *h, struct view key, uint8_t with,
                     uint8_t *ret_state)
{
	_Alignas(16) uint8_t block[HASH_BLOCK_MAX];

	memset(block, with, sizeof(block));
	for (size_t i = 0; i < key.len; i++)
		block[i] ^= key.p[i];
	h->one_block(mgr, block, ret_state);
	secret_wipe(block, sizeof(block));
}

static void set_hash(IMB_MGR *mgr, struct chain_session *s, const struct engine_sa *sa)
{
	const struct hash *h = hashes;

	s->j.job.hash_alg = IMB_AUTH_NULL;
	if (sa->integ == NULL)
		return;
	while (h->v2_id != sa->integ->v2_id)
		h++;
	hmac_pad(mgr, h, sa->auth_key, 0x36, s->ipad);
	hmac_pad(mgr, h, sa->auth_key, 0x5c, s->opad);
	s->j.icv_len = sa->integ->icv_len;
	s->j.job.hash_alg = h->alg;
	s->j.job.auth_tag_output_len_in_bytes = sa->integ->icv_len;
	s->j.job.u.HMAC._hashed_auth_key_xor_ipad = s->ipad;
	s->j.job.u.HMAC._hashed_auth_key_xor_opad = s->opad;
}

static void set_aes(IMB_MGR *mgr, struct chain_session *s, const struct engine_sa *sa)
{
	if (sa->key.len == 16)
		IMB_AES_KEYEXP_128(mgr, sa->key.p, s->key.aes.enc, s->key.aes.dec);
	else if (sa->key.len == 24)
		IMB_AES_KEYEXP_192(mgr, sa->key.p, s->key.aes.enc, s->key.aes.dec);
	else
		IMB_AES_KEYEXP_256(mgr, sa->key.p, s->key.aes.enc, s->key.aes.dec);
	s->j.job.cipher_mode = IMB_CIPHER_CBC;
	s->j.job.enc_keys = s->key.aes.enc;
	s->j.job.dec_keys = s->key.aes.dec;
}

static void chain_init(struct soft *soft, struct engine_session *session,
                       const struct engine_sa *sa)
{
	struct chain_session *s = (struct chain_session *)session; /* its first member */
	const struct alg_cipher *c = sa->cipher;

	s->j.inbound = sa->inbound;
	s->j.block = 1;
	s->j.job.cipher_mode = IMB_CIPHER_NULL;
	s->j.job.cipher_direction = sa->inbound ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
	s->j.job.chain_order = sa->inbound ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
	set_hash(soft->mgr, s, sa);
	if (c == NULL || c->kind == ALG_KIND_NULL)
		return;
	s->j.block = c->block;
	if (c->v2_id == ENCR_AES_CBC) {
		s->j.job.key_len_in_bytes = c->key_len;
		s->j.job.iv_len_in_bytes = c->iv_len;
		set_aes(soft->mgr, s, sa);
		return;
	}
	soft_des_init(&s->key.des, sa->key);
	s->j.des = &s->key.des;
}

/* Whether there is something to do, and it can be done. */
static bool chain_fits(struct engine_op *op, const struct job_session *s)
{
	const uint8_t *room_end = (uint8_t *)op->m->buf_addr + op->m->buf_len;

	op->verdict = ENGINE_FAILED;
	if (op->len % s->block != 0 || (s->icv_len && op->auth_len == 0))
		return false;
	if (op->esn_len && room_end - (op->auth + op->auth_len) < op->esn_len)
		return false;
	op->verdict = ENGINE_OK;
	return s->icv_len || op->len;
}

static void put_esn(struct engine_op *op, struct soft_scratch *x)
{
	uint8_t *end = (uint8_t *)(uintptr_t)op->auth + op->auth_len;

	memcpy(x->after, end, sizeof(x->after));
	memcpy(end, op->esn, sizeof(op->esn));
}

static void chain_submit(struct soft *soft, struct engine_op *op)
{
	struct soft_scratch *x = NULL;
	IMB_JOB *job = next(soft, op, &x);
	const uint8_t *from = job->hash_alg == IMB_AUTH_NULL ? op->payload : op->auth;

	if (op->esn_len)
		put_esn(op, x);
	if (op->len == 0)
		job->cipher_mode = IMB_CIPHER_NULL;
	else
		job->cipher_start_src_offset_in_bytes = (uint64_t)(op->payload - from);
	job->src = from;
	job->dst = op->payload;
	job->iv = op->iv;
	job->msg_len_to_cipher_in_bytes = op->len;
	job->msg_len_to_hash_in_bytes = op->auth_len + op->esn_len;
	submit(soft);
}

static void chain_seal(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct job_session *s = session_of(&ops[i]);

		if (!chain_fits(&ops[i], s))
			continue;
		if (s->des && (!s->inbound || s->icv_len == 0))
			soft_des_crypt(s->des, ops[i].iv, ops[i].payload, ops[i].len, !s->inbound);
		if (s->des == NULL || s->icv_len)
			chain_submit(soft, &ops[i]);
	}
}

/* ---------------------------------------------------------------- inbound */

static void open_each(struct soft *soft, struct engine_op *ops, uint16_t n,
                      void (*seal)(struct soft *, struct engine_op *, uint16_t))
{
	for (uint16_t i = 0; i < n; i++)
		if (!engine_nic_verdict(ops[i].m, &ops[i].verdict))
			seal(soft, &ops[i], 1);
}

static void chacha_open(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	open_each(soft, ops, n, chacha_seal);
}

static void chain_open(struct soft *soft, struct engine_op *ops, uint16_t n)
{
	open_each(soft, ops, n, chain_seal);
}

const struct soft_kind soft_chacha = { sizeof(struct chacha_session), chacha_init, chacha_seal,
	                               chacha_open };
const struct soft_kind soft_chain = { sizeof(struct chain_session), chain_init, chain_seal,
	                              chain_open };
