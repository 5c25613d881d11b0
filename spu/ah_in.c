// SPDX-License-Identifier: BSD-2-Clause
/* Inbound AH (RFC 4302 3.4): what is behind the outer header is as the sender sees it, and in front
 * of it everything that routers may change is zero. Nobody needs those bytes any more: the tunnel's
 * end cuts them off. */
#include "ah_mute.h"
#include "roads.h"

_Static_assert(sizeof(((struct pkt_own *)0)->icv) >= 32, "HMAC-SHA2-512-256 has the longest ICV");

/* RFC 4302 2.2, 2.6: exactly the padding that the alignment needs. Over IPv4 that is 4; some
 * senders align to 8 there as well. The reserved field is authenticated, and else ignored (2.3). */
bool ah_in_fits(struct pkt *p)
{
	size_t head = (p->esp[1] + 2u) * AH_UNIT, need = p->sa->form.head;

	if ((head != need && head != ((need + 7u) & ~7u)) || head > p->esp_len)
		return false;
	p->head = (uint8_t)head;
	return true;
}

/* The whole field is zero for the ICV, also where it begins with GMAC's IV (RFC 4543 4). */
uint8_t ah_in_mute(struct pkt *p, struct pkt_own *own)
{
	const struct form *f = &p->sa->form;
	uint8_t *field = p->esp + AH_LEN;

	memcpy(own->iv, field, f->iv_len);
	memcpy(own->icv, field + f->iv_len, f->icv_len);
	memset(field, 0, (size_t)f->iv_len + f->icv_len);
	uint8_t *start = ah_mute(p->outer, (size_t)(p->esp - p->outer));
	if (start == NULL)
		return DROP_BAD_HEADER;
	p->outer = start;
	return DROP_NONE;
}

void ah_in_op(struct engine_op *op, const struct pkt *p, struct pkt_own *own)
{
	*op = (struct engine_op){
		.m = p->m,
		.payload = p->esp + p->head,
		.auth = p->outer,
		.auth_len = (uint32_t)(p->esp - p->outer) + p->esp_len,
		.iv = own->iv,
		.icv = own->icv,
		.esn_len = p->sa->form.esn_len,
		.verdict = ENGINE_FAILED,
	};
	put_be32(op->esn, (uint32_t)(p->seq >> 32));
}
