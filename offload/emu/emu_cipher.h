/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated NIC's arithmetic: AES-GCM for ESP (RFC 4106) by OpenSSL, one context per SA with its
 * key set. Nothing of it is shared with the soft engine. One thread per SA. */
#ifndef EMU_CIPHER_H
#define EMU_CIPHER_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

#define EMU_ICV_LEN 16
#define EMU_IV_LEN 8
#define EMU_SALT_LEN 4

struct emu_cipher;

/* What is worked on, in place. */
struct emu_text {
	uint8_t *p; /* payload, padding and trailer */
	uint32_t len;
	const uint8_t *iv;  /* EMU_IV_LEN */
	const uint8_t *aad; /* SPI and sequence number */
	uint8_t aad_len;
	uint8_t *icv; /* EMU_ICV_LEN: written, or compared */
};

/* Key of 16 or 32 bytes. The key is OpenSSL's from then on, and wiped with the context. */
enum err emu_cipher_new(bool encrypt, const uint8_t *key, size_t key_len,
                        const uint8_t salt[EMU_SALT_LEN], struct emu_cipher **ret) MUST_CHECK;
void emu_cipher_free(struct emu_cipher *c); /* takes NULL */

bool emu_cipher_seal(struct emu_cipher *c, const struct emu_text *t) MUST_CHECK;
/* False: the ICV is wrong, and the text is spoilt. */
bool emu_cipher_open(struct emu_cipher *c, const struct emu_text *t) MUST_CHECK;

#endif
