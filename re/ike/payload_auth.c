// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.8: method, three octets reserved, data. */
#include "payload.h"

enum err payload_auth_read(struct view body, struct payload_auth *ret)
{
	struct reader r = rd_of_view(body);
	uint8_t method = rd_u8(&r);

	rd_skip(&r, 3);
	struct view data = rd_rest(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	*ret = (struct payload_auth){ method, data };
	return ERR_OK;
}

void payload_auth_write(struct writer *w, const struct payload_auth *auth)
{
	wr_u8(w, auth->method);
	wr_zeros(w, 3);
	wr_view(w, auth->data);
}
