// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.5: type, three octets reserved, data. The reserved octets are part of what AUTH
 * covers, so the body is kept as received. */
#include "payload.h"

enum err payload_id_read(struct view body, struct payload_id *ret)
{
	struct reader r = rd_of_view(body);
	uint8_t type = rd_u8(&r);

	rd_skip(&r, 3);
	struct view data = rd_rest(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	if (data.len == 0 || data.len > IKE_ID_MAX)
		return ERR_LENGTH;
	if ((type == IKE_ID_IPV4 && data.len != 4) || (type == IKE_ID_IPV6 && data.len != 16))
		return ERR_LENGTH;
	*ret = (struct payload_id){ type, data, body };
	return ERR_OK;
}

void payload_id_write(struct writer *w, const struct ike_id *id)
{
	wr_u8(w, id->type);
	wr_zeros(w, 3);
	wr_bytes(w, id->b, id->len);
}
