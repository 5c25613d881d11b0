// SPDX-License-Identifier: BSD-2-Clause
/* The inbound road: ESP comes in, a plain packet goes out (RFC 4303 3.4, RFC 4301 5.2). */
#include "roads.h"

uint16_t inbound_run(struct roads *r, struct rte_mbuf **in, uint16_t n, struct rte_mbuf **ret_out)
{
	road_begin(r, in, n, FABRIC_WIRE_IN);
	esp_in_parse(r);
	esp_in_find(r);
	esp_in_prepare(r);
	esp_in_engine(r);
	esp_in_accept(r);
	esp_in_finish(r);
	return road_end(r, ret_out);
}
