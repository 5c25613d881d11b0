// SPDX-License-Identifier: BSD-2-Clause
/* Outbound AH (RFC 4302 3.3): the engine sees the outer header without what routers may change; it
 * is put back behind it. */
#include "ah_mute.h"
#include "roads.h"

static size_t mutable_len(const struct pkt *p)
{
	return p->sa->encap.family == ADDR_V4 ? IP_V4_LEN : 8; /* IPv6: up to the hop limit */
}

void ah_out_write(struct pkt *p)
{
	const struct form *f = &p->sa->form;

	memset(p->esp, 0, f->head);
	p->esp[0] = p->info.flow.family == 4 ? PROTO_IPV4 : PROTO_IPV6;
	p->esp[1] = (uint8_t)(f->head / AH_UNIT - 2);
	put_be32(p->esp + 4, p->sa->out.spi);
	put_be32(p->esp + 8, (uint32_t)p->seq);
}

void ah_out_op(struct engine_op *op, const struct pkt *p, struct pkt_own *own)
{
	const struct form *f = &p->sa->form;
	uint8_t *payload = p->esp + f->head;

	memcpy(own->header, p->outer, mutable_len(p));
	(void)ah_mute(p->outer, p->sa->encap.ip_len); /* ours: without options */
	put_be64(own->iv, pkt_nonce(p));
	*op = (struct engine_op){
		.m = p->m,
		.payload = payload,
		.auth = p->outer,
		.auth_len = (uint32_t)(payload - p->outer) + p->info.len,
		.iv = own->iv,
		.icv = p->esp + AH_LEN + f->iv_len,
		.esn_len = f->esn_len,
		.verdict = ENGINE_FAILED,
	};
	put_be32(op->esn, (uint32_t)(p->seq >> 32));
}

void ah_out_finish(struct pkt *p, const struct pkt_own *own)
{
	memcpy(p->outer, own->header, mutable_len(p));
	memcpy(p->esp + AH_LEN, own->iv, p->sa->form.iv_len);
}
