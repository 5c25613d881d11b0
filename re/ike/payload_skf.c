// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7383 2.5: the generic header, fragment number, total fragments; then IV, content, padding and
 * ICV as in an SK payload. Only the first fragment names the first payload inside. */
#include "payload_sk.h"

enum err payload_skf_read(struct view body, struct payload_skf *ret)
{
	struct reader r = rd_of_view(body);
	struct payload_skf f = { 0 };

	f.number = rd_u16(&r);
	f.total = rd_u16(&r);
	f.rest = rd_rest(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	if (f.number == 0 || f.number > f.total)
		return ERR_VALUE;
	*ret = f;
	return ERR_OK;
}

void payload_skf_open(struct writer *w, const struct payload_skf *f, uint8_t first)
{
	wr_u8(w, f->number == 1 ? first : PL_NONE);
	wr_u8(w, 0);
	wr_u16(w, 0); /* its length, when it is sealed */
	wr_u16(w, f->number);
	wr_u16(w, f->total);
}
