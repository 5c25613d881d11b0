// SPDX-License-Identifier: BSD-2-Clause
/* set security ipsec vpn V manual … */
#include "schema.h"

/* Its length is the algorithm's: model_manual.c. */
#define KEY(type)                      \
	{                              \
		type, 1, 0, NULL, NULL \
	}

/* clang-format off */
static const struct schema key[] = {
	{ "ascii-text", LEAF, KEY(TYPE_KEY_TEXT), NULL, NULL, EFFECT_TUNNEL, MARK_SECRET,
	  "The key as text, as many characters as the algorithm's key has bytes", NULL },
	{ "hexadecimal", LEAF, KEY(TYPE_KEY_HEX), NULL, NULL, EFFECT_TUNNEL, MARK_SECRET,
	  "The key in hexadecimal digits, two for each byte", NULL },
	{ 0 }
};

static const struct schema authentication[] = {
	{ "algorithm", LEAF, WORDS("hmac-md5-96 hmac-sha1-96 hmac-sha-256-128"), NULL, NULL,
	  EFFECT_TUNNEL, MARK_MUST, "Integrity of the packets", NULL },
	{ "key", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, MARK_JOIN | MARK_MUST | MARK_ONE,
	  "Its key, the same in both directions: 16, 20 or 32 bytes", key },
	{ 0 }
};

static const struct schema encryption[] = {
	{ "algorithm", LEAF, WORDS("des-cbc 3des-cbc aes-128-cbc aes-192-cbc aes-256-cbc"), NULL, NULL,
	  EFFECT_TUNNEL, MARK_MUST,
	  "Cipher of the packets; none that counts its nonces, because a restart would count anew", NULL },
	{ "key", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, MARK_JOIN | MARK_MUST | MARK_ONE,
	  "Its key, the same in both directions: 8, 24, 16, 24 or 32 bytes", key },
	{ 0 }
};

const struct schema schema_manual[] = {
	{ "authentication", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "Integrity and its key", authentication },
	{ "encryption", CONTAINER, NO_VALUE, NULL, "packets are not encrypted", EFFECT_TUNNEL, 0,
	  "Cipher and its key; with ESP only", encryption },
	{ "external-interface", LEAF, VALUE(TYPE_UNIT), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "The interface whose address is our end of the tunnel", NULL },
	{ "gateway", LEAF, VALUE(TYPE_ADDRESS), NULL, NULL, EFFECT_TUNNEL, MARK_MUST, "The peer", NULL },
	{ "protocol", LEAF, WORDS("ah esp"), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "The protocol of the packets", NULL },
	{ "spi", LEAF, UINT(256, 16639), NULL, NULL, EFFECT_TUNNEL, MARK_MUST,
	  "The SPI, the same in both directions", NULL },
	{ 0 }
};
