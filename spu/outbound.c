// SPDX-License-Identifier: BSD-2-Clause
/* The outbound road: a plain packet comes in, ESP goes out (RFC 4301 5.1, RFC 4303 3.3). */
#include "roads.h"

static void hold_back(struct roads *r)
{
	struct burst *b = &r->burst;

	if (r->hold.n_holding == 0 && r->hold.n == 0)
		return;
	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt *p = &b->at[i];

		if (!pkt_alive(p) || !hold_wants(&r->hold, port_meta(p->m)->anchor))
			continue;
		if (hold_push(&r->hold, port_meta(p->m)->anchor, p->m, r->now_ms))
			p->m = NULL;
		else
			p->drop = DROP_HOLD_OVERFLOW;
	}
}

static uint16_t go_on(struct roads *r, struct rte_mbuf **ret_out)
{
	esp_out_prepare(r);
	esp_out_too_big(r);
	esp_out_number(r);
	esp_out_write(r);
	esp_out_engine(r);
	esp_out_split(r);
	return road_end(r, ret_out);
}

uint16_t outbound_run(struct roads *r, struct rte_mbuf **in, uint16_t n, struct rte_mbuf **ret_out)
{
	road_begin(r, in, n, FABRIC_PLAIN_OUT);
	hold_back(r);
	return go_on(r, ret_out);
}

bool outbound_release(struct roads *r, struct rte_mbuf **ret_out, uint16_t *ret_n)
{
	struct rte_mbuf *waiting[BURST];
	uint16_t n = hold_pop(&r->hold, waiting, BURST);

	*ret_n = 0;
	if (n == 0)
		return false;
	road_begin(r, waiting, n, FABRIC_PLAIN_OUT);
	*ret_n = go_on(r, ret_out);
	return true;
}

bool outbound_more(struct roads *r, struct rte_mbuf **ret_out, uint16_t *ret_n)
{
	struct rte_mbuf *waiting[BURST];

	*ret_n = spill_shift(&r->ready, ret_out, BURST);
	if (*ret_n != 0)
		return true;
	uint16_t n = spill_pop(&r->line, waiting, BURST);
	if (n == 0)
		return false;
	road_begin(r, waiting, n, FABRIC_PLAIN_OUT);
	*ret_n = go_on(r, ret_out);
	return true;
}

uint16_t outbound_answers(struct roads *r, struct rte_mbuf **ret_out)
{
	return spill_shift(&r->answers, ret_out, BURST);
}
