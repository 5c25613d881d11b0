// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.11: protocol, SPI size, number of SPIs, SPIs. The IKE SA's own has none. */
#include "payload.h"

enum err payload_delete_read(struct view body, struct payload_delete *ret)
{
	struct reader r = rd_of_view(body);
	struct payload_delete d = { 0 };

	d.protocol = rd_u8(&r);
	d.spi_size = rd_u8(&r);
	d.spis = rd_u16(&r);
	d.list = rd_view(&r, (size_t)d.spi_size * d.spis);
	if (r.bad)
		return ERR_TRUNCATED;
	if (!rd_done(&r))
		return ERR_LENGTH;
	if (d.protocol == PROTO_IKE ? d.spi_size != 0 || d.spis != 0 : d.spi_size != 4)
		return ERR_LENGTH;
	*ret = d;
	return ERR_OK;
}

void payload_delete_write(struct writer *w, const struct payload_delete *d)
{
	wr_u8(w, d->protocol);
	wr_u8(w, d->spi_size);
	wr_u16(w, d->spis);
	wr_view(w, d->list);
}
