// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.4: group, reserved, public value. Whether the value is long enough for its group is
 * asked where the group is known (RFC 6989). */
#include "payload.h"

enum err payload_ke_read(struct view body, struct payload_ke *ret)
{
	struct reader r = rd_of_view(body);
	uint16_t group = rd_u16(&r);

	rd_skip(&r, 2);
	struct view data = rd_rest(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	if (data.len == 0)
		return ERR_LENGTH;
	*ret = (struct payload_ke){ group, data };
	return ERR_OK;
}

void payload_ke_write(struct writer *w, const struct payload_ke *ke)
{
	wr_u16(w, ke->group);
	wr_u16(w, 0);
	wr_view(w, ke->data);
}
