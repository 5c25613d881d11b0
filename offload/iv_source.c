// SPDX-License-Identifier: BSD-2-Clause
#include "iv_source.h"
#include "secret.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KEY_LEN 32
#define STREAM_LEN 4096
#define RESEED_FILLS (16u * 1024 * 1024 / STREAM_LEN)

struct iv_source {
	EVP_CIPHER_CTX *ctx;        /* owns */
	uint8_t stream[STREAM_LEN]; /* key of the next refill, then what is given out */
	size_t used;
	uint32_t fills;
	bool broken; /* for good: the key is lost */
};

/* The kernel's bytes on top of what we have: good even when it gives none. */
static void mix_in(uint8_t key[KEY_LEN])
{
	uint8_t fresh[KEY_LEN] = { 0 };

	if (getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) == (ssize_t)sizeof(fresh))
		for (size_t i = 0; i < KEY_LEN; i++)
			key[i] ^= fresh[i];
	secret_wipe(fresh, sizeof(fresh));
}

static bool refill(struct iv_source *s)
{
	static const uint8_t counter[16];
	int n = 0;

	if (++s->fills % RESEED_FILLS == 0)
		mix_in(s->stream);
	if (s->broken)
		return false;
	s->broken = true; /* until it has worked */
	if (EVP_EncryptInit_ex(s->ctx, NULL, NULL, s->stream, counter) != 1)
		return false;
	memset(s->stream, 0, STREAM_LEN);
	if (EVP_EncryptUpdate(s->ctx, s->stream, &n, s->stream, STREAM_LEN) != 1)
		return false;
	s->used = KEY_LEN;
	s->broken = false;
	return true;
}

enum err iv_source_open(struct iv_source **ret, struct why *why)
{
	struct iv_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return why_set(why, ERR_MEMORY, "no memory for random IVs");
	s->ctx = EVP_CIPHER_CTX_new();
	if (s->ctx && EVP_EncryptInit_ex(s->ctx, EVP_aes_256_ctr(), NULL, NULL, NULL) == 1 &&
	    RAND_priv_bytes(s->stream, KEY_LEN) == 1 && refill(s)) {
		*ret = s;
		return ERR_OK;
	}
	iv_source_close(s);
	return why_set(why, ERR_CRYPTO, "no random numbers for IVs");
}

void iv_source_close(struct iv_source *s)
{
	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->ctx); /* clears its key */
	secret_wipe(s, sizeof(*s));
	free(s);
}

bool iv_source_fill(struct iv_source *s, uint8_t *out, size_t n)
{
	while (n > 0) {
		if (s->used == STREAM_LEN && !refill(s))
			return false;
		size_t part = STREAM_LEN - s->used < n ? STREAM_LEN - s->used : n;

		memcpy(out, s->stream + s->used, part);
		memset(s->stream + s->used, 0, part);
		s->used += part;
		out += part;
		n -= part;
	}
	return true;
}
