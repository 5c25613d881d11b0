// SPDX-License-Identifier: BSD-2-Clause
#include "emu_cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MAX 64

struct emu_cipher {
	struct emu_suite suite; /* without its keys */
	EVP_CIPHER_CTX *ctx;    /* owns; NULL with NULL */
	EVP_MAC_CTX *mac;       /* owns; of CHAIN */
};

/* The parts of a packet. */
struct parts {
	uint8_t *iv, *text, *icv;
	int len; /* of the text */
	uint8_t high[4];
};

/* ---------------------------------------------------------------- life */

static bool set_cipher(struct emu_cipher *c, bool encrypt, const struct emu_suite *suite)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suite->cipher, NULL);

	c->ctx = EVP_CIPHER_CTX_new();
	bool ok = cipher && c->ctx && (size_t)EVP_CIPHER_get_key_length(cipher) == suite->key.len &&
	          EVP_CipherInit_ex(c->ctx, cipher, NULL, suite->key.p, NULL, encrypt) == 1 &&
	          EVP_CIPHER_CTX_set_padding(c->ctx, 0) == 1;
	EVP_CIPHER_free(cipher);
	return ok;
}

static bool set_mac(struct emu_cipher *c, const struct emu_suite *suite)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
		                        OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)suite->digest, 0),
		                OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	c->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool ok =
	        c->mac && EVP_MAC_init(c->mac, suite->auth_key.p, suite->auth_key.len, params) == 1;
	EVP_MAC_free(mac);
	return ok;
}

enum err emu_cipher_new(bool encrypt, const struct emu_suite *suite, struct emu_cipher **ret)
{
	struct emu_cipher *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_MEMORY;
	c->suite = *suite;
	c->suite.key = c->suite.auth_key = (struct view){ NULL, 0 };
	if ((suite->cipher && !set_cipher(c, encrypt, suite)) ||
	    (suite->digest && !set_mac(c, suite))) {
		emu_cipher_free(c);
		return ERR_CRYPTO;
	}
	*ret = c;
	return ERR_OK;
}

void emu_cipher_free(struct emu_cipher *c)
{
	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->ctx); /* clears it */
	EVP_MAC_CTX_free(c->mac);
	free(c);
}

/* ---------------------------------------------------------------- packets */

uint32_t emu_cipher_text_len(const struct emu_cipher *c, uint32_t esp_len)
{
	uint32_t around = EMU_ESP_HDR_LEN + c->suite.iv_len + c->suite.icv_len;

	return esp_len > around && (esp_len - around) % c->suite.block == 0 ? esp_len - around : 0;
}

static struct parts parts_of(const struct emu_cipher *c, const struct emu_text *t)
{
	struct parts p = { .iv = t->esp + EMU_ESP_HDR_LEN,
		           .text = t->esp + EMU_ESP_HDR_LEN + c->suite.iv_len,
		           .icv = t->esp + t->len - c->suite.icv_len };

	p.len = (int)(p.icv - p.text);
	for (int i = 0; i < 4; i++)
		p.high[i] = (uint8_t)(t->seq >> (56 - 8 * i));
	return p;
}

/* RFC 4106 5: SPI, the whole sequence number; GMAC goes on with what follows (RFC 4543 3.3). The
 * nonce is the salt and the packet's IV. -1: keep key and direction. */
static bool aead(struct emu_cipher *c, const struct emu_text *t, const struct parts *p)
{
	bool gmac = c->suite.way == EMU_GMAC;
	uint8_t nonce[12];
	int n = 0;

	memcpy(nonce, c->suite.salt, EMU_SALT_LEN);
	memcpy(nonce + EMU_SALT_LEN, p->iv, 8);
	return EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, nonce, -1) == 1 &&
	       EVP_CipherUpdate(c->ctx, NULL, &n, t->esp, 4) == 1 &&
	       EVP_CipherUpdate(c->ctx, NULL, &n, p->high, t->esn ? 4 : 0) == 1 &&
	       EVP_CipherUpdate(c->ctx, NULL, &n, t->esp + 4, 4) == 1 &&
	       (gmac ? EVP_CipherUpdate(c->ctx, NULL, &n, p->iv, 8 + p->len)
	             : EVP_CipherUpdate(c->ctx, p->text, &n, p->text, p->len)) == 1;
}

static bool seal_aead(struct emu_cipher *c, const struct emu_text *t, const struct parts *p)
{
	uint8_t nothing[16];
	int n = 0;

	return aead(c, t, p) && EVP_CipherFinal_ex(c->ctx, nothing, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, c->suite.icv_len, p->icv) == 1;
}

static bool open_aead(struct emu_cipher *c, const struct emu_text *t, const struct parts *p)
{
	uint8_t nothing[16];
	int n = 0;

	return aead(c, t, p) &&
	       EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, c->suite.icv_len, p->icv) == 1 &&
	       EVP_CipherFinal_ex(c->ctx, nothing, &n) == 1;
}

static bool block_cipher(struct emu_cipher *c, const struct parts *p)
{
	int n = 0;

	if (c->ctx == NULL)
		return true;
	return EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, p->iv, -1) == 1 &&
	       EVP_CipherUpdate(c->ctx, p->text, &n, p->text, p->len) == 1 && n == p->len;
}

/* RFC 4303 2.2.1: the high half is hashed behind the packet. No key: the one it has. */
static bool hmac(struct emu_cipher *c, const struct emu_text *t, const struct parts *p,
                 uint8_t tag[TAG_MAX])
{
	size_t n = 0;

	return EVP_MAC_init(c->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(c->mac, t->esp, (size_t)(p->icv - t->esp)) == 1 &&
	       EVP_MAC_update(c->mac, p->high, t->esn ? 4 : 0) == 1 &&
	       EVP_MAC_final(c->mac, tag, &n, TAG_MAX) == 1 && n >= c->suite.icv_len;
}

bool emu_cipher_seal(struct emu_cipher *c, const struct emu_text *t)
{
	struct parts p = parts_of(c, t);
	uint8_t tag[TAG_MAX];

	if (c->suite.way != EMU_CHAIN)
		return seal_aead(c, t, &p);
	if (!block_cipher(c, &p) || !hmac(c, t, &p, tag))
		return false;
	memcpy(p.icv, tag, c->suite.icv_len);
	return true;
}

bool emu_cipher_open(struct emu_cipher *c, const struct emu_text *t)
{
	struct parts p = parts_of(c, t);
	uint8_t tag[TAG_MAX];

	if (c->suite.way != EMU_CHAIN)
		return open_aead(c, t, &p);
	return hmac(c, t, &p, tag) && CRYPTO_memcmp(tag, p.icv, c->suite.icv_len) == 0 &&
	       block_cipher(c, &p);
}
