// SPDX-License-Identifier: BSD-2-Clause
#include "emu_cipher.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct emu_cipher {
	EVP_CIPHER_CTX *ctx;
	uint8_t salt[EMU_SALT_LEN];
};

enum err emu_cipher_new(bool encrypt, const uint8_t *key, size_t key_len,
                        const uint8_t salt[EMU_SALT_LEN], struct emu_cipher **ret)
{
	const EVP_CIPHER *gcm = key_len == 16   ? EVP_aes_128_gcm()
	                        : key_len == 32 ? EVP_aes_256_gcm()
	                                        : NULL;
	struct emu_cipher *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_MEMORY;
	memcpy(c->salt, salt, sizeof(c->salt));
	c->ctx = EVP_CIPHER_CTX_new();
	if (gcm && c->ctx && EVP_CipherInit_ex(c->ctx, gcm, NULL, key, NULL, encrypt) == 1) {
		*ret = c;
		return ERR_OK;
	}
	emu_cipher_free(c);
	return gcm ? ERR_CRYPTO : ERR_UNSUPPORTED;
}

void emu_cipher_free(struct emu_cipher *c)
{
	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->ctx); /* clears it */
	free(c);
}

/* RFC 4106 4: the nonce is the salt and the packet's IV. -1: keep key and direction. */
static bool start(struct emu_cipher *c, const struct emu_text *t)
{
	uint8_t nonce[EMU_SALT_LEN + EMU_IV_LEN];
	int n = 0;

	memcpy(nonce, c->salt, EMU_SALT_LEN);
	memcpy(nonce + EMU_SALT_LEN, t->iv, EMU_IV_LEN);
	return t->len <= INT32_MAX && EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, nonce, -1) == 1 &&
	       EVP_CipherUpdate(c->ctx, NULL, &n, t->aad, t->aad_len) == 1 &&
	       EVP_CipherUpdate(c->ctx, t->p, &n, t->p, (int)t->len) == 1;
}

bool emu_cipher_seal(struct emu_cipher *c, const struct emu_text *t)
{
	uint8_t nothing[16];
	int n = 0;

	return start(c, t) && EVP_CipherFinal_ex(c->ctx, nothing, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_GET_TAG, EMU_ICV_LEN, t->icv) == 1;
}

bool emu_cipher_open(struct emu_cipher *c, const struct emu_text *t)
{
	uint8_t nothing[16];
	int n = 0;

	return start(c, t) &&
	       EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_SET_TAG, EMU_ICV_LEN, t->icv) == 1 &&
	       EVP_CipherFinal_ex(c->ctx, nothing, &n) == 1;
}
