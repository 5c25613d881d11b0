// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.14: IV, encrypted payloads with padding and pad length, ICV. With AEAD (RFC 5282) the
 * header up to the SK payload's generic header is associated data and the ICV is the tag; else the
 * ICV covers the message from its first octet, and is checked before anything is decrypted. */
#include "payload_sk.h"

enum { SK_HEADER = 4 };

size_t payload_sk_icv_len(const struct ike_suite *s)
{
	return s->integ ? s->integ->icv_len : s->cipher->icv_len;
}

enum err payload_sk_read(struct ike_crypto *c, const struct ike_suite *s,
                         const struct payload_sk_keys *k, struct view message, struct view body,
                         struct view *ret_plain)
{
	size_t iv = s->cipher->iv_len, icv = payload_sk_icv_len(s);

	if (body.len < iv + icv + 1)
		return ERR_LENGTH;
	size_t len = body.len - iv - icv;
	/* The SK payload ends the message, so its offsets in the copy are those in the original. */
	if (len % s->cipher->block != 0 || message.len > k->cap || len > message.len)
		return ERR_LENGTH;
	memcpy(k->copy, message.p, message.len);
	uint8_t *at = k->copy + (message.len - body.len);
	struct ike_cipher_call call = { s->cipher, k->enc, at,           { NULL, 0 },
		                        at + iv,   len,    at + iv + len };

	if (s->integ) {
		uint8_t want[INTEG_MAX];

		TRY(ike_icv(c, s->integ, k->integ, (struct view){ k->copy, message.len - icv },
		            want));
		if (!secret_equal((struct view){ want, icv }, (struct view){ call.tag, icv }))
			return ERR_AUTH;
	} else {
		call.aad = (struct view){ message.p, message.len - body.len };
	}
	TRY(ike_decrypt(c, &call));
	size_t pad = call.data[len - 1];
	if (pad + 1 > len)
		return ERR_LENGTH;
	*ret_plain = (struct view){ call.data, len - 1 - pad };
	return ERR_OK;
}

void payload_sk_open(struct ike_out *o, const struct ike_suite *s)
{
	ike_out_open(o, PL_SK);
	o->sk_at = o->payload_at;
	wr_zeros(&o->w, s->cipher->iv_len);
}

bool payload_sk_seal(struct writer *w, const struct payload_sk_place *at, struct ike_crypto *c,
                     const struct ike_suite *s, const struct payload_sk_keys *k)
{
	size_t iv = s->cipher->iv_len, icv = payload_sk_icv_len(s), block = s->cipher->block;
	size_t from = at->iv + iv;
	size_t pad = (block - (wr_len(w) - from + 1) % block) % block;

	wr_zeros(w, pad);
	wr_u8(w, (uint8_t)pad);
	size_t len = wr_len(w) - from;
	uint8_t *tag = wr_room(w, icv);
	wr_close(w, at->payload + 2, 2, at->payload);
	wr_close(w, at->message + 24, 4, at->message);
	if (w->bad)
		return false;

	uint8_t *message = w->start + at->message;
	memcpy(w->start + at->iv, k->iv, iv);
	struct ike_cipher_call call = { s->cipher,       k->enc, k->iv, { NULL, 0 },
		                        w->start + from, len,    tag };
	if (!s->integ)
		call.aad = (struct view){ message, at->iv - at->message };
	enum err e = ike_encrypt(c, &call);
	if (e == ERR_OK && s->integ)
		e = ike_icv(c, s->integ, k->integ,
		            (struct view){ message, (size_t)(tag - message) }, tag);
	return e == ERR_OK;
}

struct view payload_sk_finish(struct ike_out *o, struct ike_crypto *c, const struct ike_suite *s,
                              const struct payload_sk_keys *k)
{
	struct payload_sk_place at = { 0, o->sk_at, o->sk_at + SK_HEADER };

	return payload_sk_seal(&o->w, &at, c, s, k) ? wr_done(&o->w) : (struct view){ NULL, 0 };
}
