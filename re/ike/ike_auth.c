// SPDX-License-Identifier: BSD-2-Clause
#include "ike_auth.h"
#include "ike.h"
#include "secret.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum err ike_auth_psk(struct ike_crypto *c, const struct alg_prf *prf, struct view psk,
                      const struct ike_auth_octets *o, uint8_t *out)
{
	static const uint8_t pad[] = "Key Pad for IKEv2";
	uint8_t key[PRF_MAX], mac[PRF_MAX];
	const struct view pads[] = { { pad, sizeof(pad) - 1 }, { NULL, 0 } };
	const struct view id[] = { o->id_body, { NULL, 0 } };
	const struct view octets[] = { o->message, o->nonce, { mac, prf->out_len }, { NULL, 0 } };

	enum err e = ike_prf(c, prf, psk, pads, key);
	if (e == ERR_OK)
		e = ike_prf(c, prf, (struct view){ o->sk_p, prf->out_len }, id, mac);
	if (e == ERR_OK)
		e = ike_prf(c, prf, (struct view){ key, prf->out_len }, octets, out);
	secret_wipe(key, sizeof(key));
	return e;
}

struct ike_id ike_id_of_addr(const struct addr *a)
{
	struct ike_id id = { .type = a->family == ADDR_V6 ? IKE_ID_IPV6 : IKE_ID_IPV4,
		             .len = (uint16_t)addr_len(a) };

	memcpy(id.b, a->b, addr_len(a));
	return id;
}

struct ike_id ike_id_of_payload(const struct payload_id *p)
{
	struct ike_id id = { .type = p->type };

	if (p->data.len && p->data.len <= sizeof(id.b)) {
		id.len = (uint16_t)p->data.len;
		memcpy(id.b, p->data.p, p->data.len);
	}
	return id;
}

enum err ike_id_keep(struct ike_id **at, const struct ike_id *id)
{
	struct ike_id *kept = NULL;

	if (id->type != IKE_ID_NONE) {
		kept = malloc(offsetof(struct ike_id, b) + id->len);
		if (kept == NULL)
			return ERR_MEMORY;
		memcpy(kept, id, offsetof(struct ike_id, b) + id->len);
	}
	free(*at);
	*at = kept;
	return ERR_OK;
}

const struct ike_id *ike_id_or_none(const struct ike_id *kept)
{
	static const struct ike_id none;

	return kept ? kept : &none;
}

bool ike_id_equal(const struct ike_id *a, const struct ike_id *b)
{
	if (a->type != b->type || a->len != b->len)
		return false;
	if (a->type == IKE_ID_FQDN || a->type == IKE_ID_RFC822)
		return strncasecmp((const char *)a->b, (const char *)b->b, a->len) == 0 &&
		       memchr(a->b, 0, a->len) == NULL;
	return memcmp(a->b, b->b, a->len) == 0;
}

size_t ike_id_body(const struct ike_id *id, uint8_t *buf)
{
	struct writer w = wr_of(buf, IKE_ID_BODY_MAX);

	payload_id_write(&w, id);
	return wr_done(&w).len;
}

static bool printable(const struct ike_id *id)
{
	for (size_t i = 0; i < id->len; i++)
		if (id->b[i] <= ' ' || id->b[i] > '~')
			return false;
	return id->len != 0;
}

char *ike_id_text(const struct ike_id *id, char *buf)
{
	struct addr a;

	buf[0] = 0;
	if (id->type == IKE_ID_NONE)
		return buf;
	if ((id->type == IKE_ID_IPV4 || id->type == IKE_ID_IPV6) &&
	    addr_from_bytes(id->b, id->len, &a) == ERR_OK)
		return addr_text(&a, buf);
	if (printable(id)) {
		memcpy(buf, id->b, id->len);
		buf[id->len] = 0;
		return buf;
	}
	for (size_t i = 0; i < id->len && 2 * i + 3 < IKE_ID_TEXT_MAX; i++)
		(void)snprintf(buf + 2 * i, 3, "%02x", id->b[i]);
	return buf;
}
