// SPDX-License-Identifier: BSD-2-Clause
#include "ike_ppk.h"
#include "ike_priv.h"
#include "secret.h"

static const struct view nothing = { NULL, 0 };

bool ike_ppk_has(const struct gateway *gw)
{
	return gw && gw->ppk;
}

void ike_ppk_announce(struct ike_out *o)
{
	ike_out_notify(o, N_USE_PPK, nothing);
}

bool ike_ppk_announced(const struct ike_in *in)
{
	return ike_content_notify(&in->c, N_USE_PPK) != NULL;
}

bool ike_ppk_may_have(const struct ike *ike, const struct ike_in *in)
{
	struct gateway_walk w = ike_gateway_walk(ike, &in->local.addr, &in->remote.addr);
	const struct gateway *gw;

	while ((gw = ike_gateway_next(ike, &w)) != NULL)
		if (ike_ppk_has(gw))
			return true;
	return false;
}

/* RFC 8784 3: SK = prf+(PPK, SK') */
static enum err mix(const struct ike_sa *sa, const struct gateway *gw, uint8_t *sk)
{
	const struct alg_prf *prf = sa->choice.suite.prf;
	uint8_t old[PRF_MAX];

	memcpy(old, sk, prf->out_len);
	enum err e =
	        ike_prf_plus(sa->ike->crypto, prf, secret_view(gw->ppk),
	                     (struct view){ old, prf->out_len }, (struct view){ sk, prf->out_len });
	secret_wipe(old, sizeof(old));
	return e;
}

enum err ike_ppk_mix(const struct ike_sa *sa, const struct gateway *gw, struct ike_keys *ret)
{
	*ret = sa->keys;
	TRY(mix(sa, gw, ret->d));
	TRY(mix(sa, gw, ret->p[OF_INITIATOR]));
	return mix(sa, gw, ret->p[OF_RESPONDER]);
}

enum err ike_ppk_take(struct ike_sa *sa, const struct gateway *gw)
{
	struct ike_keys k;
	enum err e = ike_ppk_mix(sa, gw, &k);

	if (e == ERR_OK) {
		sa->keys = k;
		sa->ppk = true;
	}
	ike_keys_wipe(&k);
	return e;
}

/* RFC 8784 5.1: type, then the name. */
static struct view id_of(const struct gateway *gw, uint8_t buf[1 + IKE_PPK_ID_MAX])
{
	struct writer w = wr_of(buf, 1 + IKE_PPK_ID_MAX);

	wr_u8(&w, PPK_ID_FIXED);
	wr_view(&w, (struct view){ (const uint8_t *)gw->conf.ppk_id, strlen(gw->conf.ppk_id) });
	return wr_done(&w);
}

void ike_ppk_name(struct ike_out *o, const struct gateway *gw)
{
	uint8_t id[1 + IKE_PPK_ID_MAX];

	ike_out_notify(o, N_PPK_IDENTITY, id_of(gw, id));
}

void ike_ppk_confirm(struct ike_out *o)
{
	ike_out_notify(o, N_PPK_IDENTITY, nothing);
}

enum ike_ppk_use ike_ppk_judge(const struct ike_sa *sa, const struct gateway *gw,
                               const struct ike_in *in)
{
	const struct payload_notify *named = ike_content_notify(&in->c, N_PPK_IDENTITY);
	uint8_t id[1 + IKE_PPK_ID_MAX];

	if (sa->ppk_agreed && named && ike_ppk_has(gw) && view_equal(named->data, id_of(gw, id)))
		return PPK_USED;
	if (gw->conf.ppk_required)
		return PPK_REFUSED;
	if (!sa->ppk_agreed || named == NULL)
		return PPK_NOT_USED;
	return ike_content_notify(&in->c, N_NO_PPK_AUTH) ? PPK_FALL_BACK : PPK_REFUSED;
}
