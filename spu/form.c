// SPDX-License-Identifier: BSD-2-Clause
#include "form.h"
#include "addr.h"

static enum form_iv iv_of(const struct alg_cipher *c)
{
	switch ((enum alg_kind)c->kind) {
	case ALG_KIND_GCM:
	case ALG_KIND_CHACHA:
	case ALG_KIND_GMAC:
		return c->iv_len != 0 ? FORM_IV_COUNTER : FORM_IV_IMPLICIT;
	case ALG_KIND_CBC:
		return FORM_IV_RANDOM;
	case ALG_KIND_NULL:
		break;
	}
	return FORM_IV_NONE;
}

static enum err esp_make(struct form *f, const struct form_spec *s)
{
	const struct alg_cipher *c = s->cipher;

	if (c == NULL || (c->icv_len != 0 && s->integ != NULL) ||
	    (s->integ != NULL && s->integ->salt_len != 0) ||
	    (c->kind == ALG_KIND_NULL && s->integ == NULL))
		return ERR_VALUE;
	f->kind = c->kind == ALG_KIND_GMAC ? FORM_GMAC : c->icv_len ? FORM_AEAD : FORM_SEPARATE;
	f->iv = (uint8_t)iv_of(c);
	f->iv_len = c->iv_len;
	f->head = (uint8_t)(ESP_LEN + c->iv_len);
	f->icv_len = c->icv_len != 0 ? c->icv_len : s->integ != NULL ? s->integ->icv_len : 0;
	f->tail = f->icv_len;
	f->trailer = ESP_TRAILER_LEN;
	f->align = c->block > ESP_ALIGN ? c->block : ESP_ALIGN;
	if (f->kind != FORM_SEPARATE)
		f->aad_len = s->esn ? 12 : 8;
	else if (s->esn && f->icv_len != 0)
		f->esn_len = 4;
	return ERR_OK;
}

/* RFC 4302 2.6, 3.3.3.2.1: padding to a multiple of 4 over IPv4, of 8 over IPv6 (also for GMAC: RFC
 * 4543, erratum 3643). */
static enum err ah_make(struct form *f, const struct form_spec *s)
{
	unsigned int unit = s->family == ADDR_V6 ? 8 : AH_UNIT;

	if (s->cipher != NULL || s->integ == NULL)
		return ERR_VALUE;
	unsigned int len = (unsigned int)AH_LEN + s->integ->iv_len + s->integ->icv_len;
	f->kind = FORM_AH;
	f->iv = s->integ->iv_len != 0 ? FORM_IV_COUNTER : FORM_IV_NONE;
	f->iv_len = s->integ->iv_len;
	f->head = (uint8_t)((len + unit - 1) / unit * unit);
	f->icv_len = s->integ->icv_len;
	f->align = 1;
	f->scratch = f->esn_len = s->esn ? 4 : 0;
	return ERR_OK;
}

enum err form_make(struct form *ret, const struct form_spec *spec)
{
	struct form f = { 0 };

	TRY(spec->protocol == IPPROTO_NO_AH ? ah_make(&f, spec) : esp_make(&f, spec));
	*ret = f;
	return ERR_OK;
}
