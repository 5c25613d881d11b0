// SPDX-License-Identifier: BSD-2-Clause
#include "alg_packet.h"
#include "writer.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESP_HDR_LEN 8
#define AH_HDR_LEN 32 /* IPv4 header, AH up to the ICV */

/* ---------------------------------------------------------------- suites */

static void add(struct alg_suite *suites, size_t *n, const struct alg_cipher *c,
                const struct alg_integ *a)
{
	for (int esn = 0; esn < 2; esn++) {
		struct alg_suite *s = &suites[(*n)++];

		ck_assert_uint_le(*n, 2 * ALG_SUITES_MAX);
		*s = (struct alg_suite){ .cipher = c, .integ = a, .esn = esn };
		(void)snprintf(s->name, sizeof(s->name), "%s, %s%s", c ? c->name : "AH",
		               a ? a->name : "no integrity algorithm", esn ? ", ESN" : "");
	}
}

size_t alg_suites(struct alg_suite suites[2 * ALG_SUITES_MAX])
{
	size_t n = 0;

	for (const struct alg_cipher *c = alg_ciphers; c->name; c++) {
		if (!(c->use & ALG_SOFT))
			continue;
		if (c->kind != ALG_KIND_NULL)
			add(suites, &n, c, NULL);
		for (const struct alg_integ *a = alg_integs; a->name && c->icv_len == 0; a++)
			if (a->use & ALG_SOFT)
				add(suites, &n, c, a);
	}
	for (const struct alg_integ *a = alg_integs; a->name; a++)
		if (a->use & ALG_AH)
			add(suites, &n, NULL, a);
	return n;
}

bool alg_fits(const struct alg_suite *s, uint32_t text_len)
{
	return s->cipher == NULL || text_len % s->cipher->block == 0;
}

/* ---------------------------------------------------------------- packets */

static void fill(uint8_t *at, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(seed * 167 + i * 13 + (i >> 5) + (i >> 8) * 7);
}

static size_t iv_len(const struct alg_suite *s)
{
	return s->cipher ? s->cipher->iv_len : s->integ->iv_len;
}

void alg_packet_init(struct alg_packet *p, const struct alg_suite *s, uint32_t text_len,
                     uint32_t seed)
{
	const struct alg_cipher *c = s->cipher;
	size_t header = c ? ESP_HDR_LEN : AH_HDR_LEN, room = c || !s->esn ? 0 : 4;
	struct writer w;

	*p = (struct alg_packet){ .suite = s, .spi = 0x1000 + seed, .text_len = text_len };
	p->seq = (s->esn ? 0x700000000ull : 0) + 0x100 + seed;
	p->icv_len = s->integ ? s->integ->icv_len : c->icv_len;
	fill(p->key, sizeof(p->key), seed + 1);
	fill(p->auth_key, sizeof(p->auth_key), seed + 2);
	fill(p->implicit_iv, sizeof(p->implicit_iv), seed + 3);
	size_t len = header + iv_len(s) + p->icv_len + text_len;
	p->all_len = ALG_MARGIN + len + room + ALG_MARGIN;
	p->all = malloc(p->all_len);
	ck_assert_ptr_nonnull(p->all);
	memset(p->all, 0xcc, p->all_len);
	p->at = p->all + ALG_MARGIN;
	p->m.buf_addr = p->at;
	p->m.buf_len = (uint16_t)(len + room);
	p->m.data_len = (uint16_t)len;
	if (c == NULL)
		fill(p->at, AH_HDR_LEN - ESP_HDR_LEN, seed + 4);
	w = wr_of(p->at + header - ESP_HDR_LEN, ESP_HDR_LEN);
	wr_u32(&w, p->spi);
	wr_u32(&w, (uint32_t)p->seq);
	p->iv = p->at + header;
	p->text = p->iv + iv_len(s) + (c ? 0 : p->icv_len);
	p->icv = c ? p->text + text_len : p->iv + iv_len(s);
	fill(p->iv, iv_len(s), seed + 5);
	fill(p->text, text_len, seed + 6);
	memset(p->icv, 0, p->icv_len);
}

void alg_packet_done(struct alg_packet *p)
{
	free(p->all);
}

struct engine_sa alg_packet_sa(const struct alg_packet *p, bool inbound)
{
	const struct alg_suite *s = p->suite;
	struct engine_sa sa = { .inbound = inbound,
		                .protocol = s->cipher ? IPPROTO_NO_ESP : IPPROTO_NO_AH,
		                .spi = p->spi,
		                .cipher = s->cipher,
		                .integ = s->integ,
		                .esn = s->esn };

	if (s->cipher)
		sa.key = (struct view){ p->key, (size_t)s->cipher->key_len + s->cipher->salt_len };
	if (s->integ)
		sa.auth_key = (struct view){ p->auth_key,
			                     (size_t)s->integ->key_len + s->integ->salt_len };
	return sa;
}

static void fill_aad(struct engine_op *op, const struct alg_packet *p)
{
	memcpy(op->aad, p->at, 4);
	if (p->suite->esn) {
		struct writer w = wr_of(op->aad + 4, 4);

		wr_u32(&w, (uint32_t)(p->seq >> 32));
	}
	memcpy(op->aad + (p->suite->esn ? 8 : 4), p->at + 4, 4);
	op->aad_len = p->suite->esn ? 12 : 8;
}

struct engine_op alg_packet_op(struct alg_packet *p, struct engine_session *s, bool inbound)
{
	const struct alg_cipher *c = p->suite->cipher;
	struct engine_op op = { .m = &p->m,
		                .session = s,
		                .iv = iv_len(p->suite) ? p->iv : p->implicit_iv,
		                .icv = p->icv,
		                .verdict = 0xff };

	if (c == NULL || c->icv_len == 0) {
		struct writer w = wr_of(op.esn, 4);

		op.auth = p->at;
		op.auth_len = (uint32_t)(p->text + p->text_len - p->at);
		op.esn_len = p->suite->esn && p->icv_len ? 4 : 0;
		wr_u32(&w, (uint32_t)(p->seq >> 32));
	} else {
		fill_aad(&op, p);
	}
	if (c == NULL && inbound) {
		memcpy(p->icv_aside, p->icv, p->icv_len);
		memset(p->icv, 0, p->icv_len);
		op.icv = p->icv_aside;
	} else if (c && c->kind == ALG_KIND_GMAC) {
		op.auth = p->iv;
		op.auth_len = (uint32_t)(p->text + p->text_len - p->iv);
	} else if (c) {
		op.payload = p->text;
		op.len = p->text_len;
	}
	return op;
}

/* ---------------------------------------------------------------- OpenSSL */

static void ok(int r)
{
	ck_assert_int_eq(r, 1);
}

static void seal_aead(const char *name, const uint8_t *key, size_t key_len,
                      const struct engine_op *op)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[12], nothing[16];
	int n = 0;

	memcpy(nonce, key + key_len, 4);
	memcpy(nonce + 4, op->iv, 8);
	ok(EVP_EncryptInit_ex(ctx, cipher, NULL, key, nonce));
	ok(EVP_EncryptUpdate(ctx, NULL, &n, op->aad, op->aad_len));
	if (op->auth)
		ok(EVP_EncryptUpdate(ctx, NULL, &n, op->auth, (int)op->auth_len));
	ok(EVP_EncryptUpdate(ctx, NULL, &n, op->esn, op->esn_len));
	if (op->len)
		ok(EVP_EncryptUpdate(ctx, op->payload, &n, op->payload, (int)op->len));
	ok(EVP_EncryptFinal_ex(ctx, nothing, &n));
	ok(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, op->icv));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

/* DES is 3DES with one key three times: OpenSSL has it elsewhere only. */
static void encrypt(const struct alg_cipher *c, const uint8_t *key, const struct engine_op *op)
{
	bool des = c->v2_id == ENCR_DES_CBC;
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, des ? "DES-EDE3-CBC" : c->openssl, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t thrice[24];
	int n = 0;

	for (int i = 0; i < 3; i++)
		memcpy(thrice + 8 * i, key, 8);
	ok(EVP_EncryptInit_ex(ctx, cipher, NULL, des ? thrice : key, op->iv));
	ok(EVP_CIPHER_CTX_set_padding(ctx, 0));
	ok(EVP_EncryptUpdate(ctx, op->payload, &n, op->payload, (int)op->len));
	ck_assert_uint_eq((uint32_t)n, op->len);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

static void authenticate(const struct alg_integ *a, const uint8_t *key, const struct engine_op *op)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		                                                 (char *)(uintptr_t)a->digest, 0),
		                OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	uint8_t tag[64];
	size_t n = 0;

	ok(EVP_MAC_init(ctx, key, a->key_len, params));
	ok(EVP_MAC_update(ctx, op->auth, op->auth_len));
	ok(EVP_MAC_update(ctx, op->esn, op->esn_len));
	ok(EVP_MAC_final(ctx, tag, &n, sizeof(tag)));
	memcpy(op->icv, tag, a->icv_len);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

void alg_packet_seal(struct alg_packet *p)
{
	const struct alg_suite *s = p->suite;
	struct engine_op op = alg_packet_op(p, NULL, false);

	if (s->cipher && s->cipher->icv_len)
		seal_aead(s->cipher->openssl, p->key, s->cipher->key_len, &op);
	else if (op.len && s->cipher->openssl)
		encrypt(s->cipher, p->key, &op);
	if (s->integ && s->integ->salt_len)
		seal_aead(s->integ->digest, p->auth_key, s->integ->key_len, &op);
	else if (s->integ)
		authenticate(s->integ, p->auth_key, &op);
}
