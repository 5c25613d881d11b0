// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.13: number of selectors, three octets reserved, selectors; each type, protocol,
 * length, ports, first and last address. */
#include "payload.h"

enum { TS_IPV4_ADDR_RANGE = 7, TS_IPV6_ADDR_RANGE = 8 };

/* Sets *ret_usable to false for what is well-formed but not ours to use. */
static enum err selector_read(struct reader *r, struct ike_ts *ret, bool *ret_usable)
{
	struct ike_ts ts = { 0 };
	uint8_t type = rd_u8(r);

	ts.protocol = rd_u8(r);
	uint16_t len = rd_u16(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (len < 4)
		return ERR_LENGTH;
	struct reader body = rd_sub(r, len - 4u);
	if (body.bad)
		return ERR_TRUNCATED;
	*ret_usable = false;
	if (type != TS_IPV4_ADDR_RANGE && type != TS_IPV6_ADDR_RANGE)
		return ERR_OK;
	size_t n = type == TS_IPV4_ADDR_RANGE ? 4 : 16;
	ts.port_first = rd_u16(&body);
	ts.port_last = rd_u16(&body);
	ts.first.family = ts.last.family = type == TS_IPV4_ADDR_RANGE ? ADDR_V4 : ADDR_V6;
	rd_bytes(&body, ts.first.b, n);
	rd_bytes(&body, ts.last.b, n);
	if (!rd_done(&body))
		return ERR_LENGTH;
	/* OPAQUE ports (65535 to 0) match nothing of ours, neither does a range that is empty. */
	*ret_usable = ts.port_first <= ts.port_last && addr_cmp(&ts.first, &ts.last) <= 0;
	*ret = ts;
	return ERR_OK;
}

enum err payload_ts_read(struct view body, struct ike_ts *ret, size_t max, size_t *ret_n)
{
	struct reader r = rd_of_view(body);
	uint8_t count = rd_u8(&r);
	size_t n = 0;

	rd_skip(&r, 3);
	if (r.bad)
		return ERR_TRUNCATED;
	if (count == 0)
		return ERR_LENGTH;
	for (unsigned i = 0; i < count; i++) {
		struct ike_ts ts;
		bool usable;

		TRY(selector_read(&r, &ts, &usable));
		if (usable && n < max)
			ret[n++] = ts;
	}
	if (!rd_done(&r))
		return ERR_LENGTH;
	*ret_n = n;
	return ERR_OK;
}

void payload_ts_write(struct writer *w, const struct ike_ts *ts, size_t n)
{
	wr_u8(w, (uint8_t)n);
	wr_zeros(w, 3);
	for (size_t i = 0; i < n; i++) {
		size_t at = wr_len(w);

		wr_u8(w, ts[i].first.family == ADDR_V4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
		wr_u8(w, ts[i].protocol);
		wr_u16(w, 0);
		wr_u16(w, ts[i].port_first);
		wr_u16(w, ts[i].port_last);
		wr_bytes(w, ts[i].first.b, addr_len(&ts[i].first));
		wr_bytes(w, ts[i].last.b, addr_len(&ts[i].last));
		wr_close(w, at + 2, 2, at);
	}
}
