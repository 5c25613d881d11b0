/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated NIC's arithmetic: ESP packets by OpenSSL, one context per SA with its key set.
 * Nothing of it is shared with the soft engine, also not how a packet is laid out. One thread per
 * SA.
 *
 *   AEAD   AES-GCM (RFC 4106)
 *   GMAC   nothing encrypted, everything authenticated (RFC 4543)
 *   CHAIN  a block cipher or NULL, then HMAC (RFC 4303 3.3.2) */
#ifndef EMU_CIPHER_H
#define EMU_CIPHER_H
#include "errors.h"
#include "reader.h"
#include <stdbool.h>
#include <stdint.h>

#define EMU_ESP_HDR_LEN 8u
#define EMU_SALT_LEN 4

enum emu_way { EMU_AEAD, EMU_GMAC, EMU_CHAIN };

/* What a session asks for. Borrowed; the keys are OpenSSL's from then on, and wiped with it. */
struct emu_suite {
	uint8_t way; /* enum emu_way */
	uint8_t iv_len, icv_len;
	uint8_t block;      /* the text is whole blocks of it */
	const char *cipher; /* OpenSSL's name; NULL: nothing is encrypted */
	const char *digest; /* of HMAC */
	struct view key, auth_key;
	uint8_t salt[EMU_SALT_LEN];
};

/* An ESP packet, from SPI to ICV, in place. */
struct emu_text {
	uint8_t *esp;
	uint32_t len;
	uint64_t seq;
	bool esn;
};

struct emu_cipher;

enum err emu_cipher_new(bool encrypt, const struct emu_suite *suite,
                        struct emu_cipher **ret) MUST_CHECK;
void emu_cipher_free(struct emu_cipher *c); /* takes NULL */

/* The length of the text between IV and ICV; 0 when such a packet cannot be this SA's. */
uint32_t emu_cipher_text_len(const struct emu_cipher *c, uint32_t esp_len);

/* For packets with a text. */
bool emu_cipher_seal(struct emu_cipher *c, const struct emu_text *t) MUST_CHECK;
/* False: the ICV is wrong, and the text may be spoilt. */
bool emu_cipher_open(struct emu_cipher *c, const struct emu_text *t) MUST_CHECK;

#endif
