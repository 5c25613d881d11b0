// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.10: protocol, SPI size, type, SPI, data. */
#include "payload.h"

#include <stdio.h>

enum err payload_notify_read(struct view body, struct payload_notify *ret)
{
	struct reader r = rd_of_view(body);
	struct payload_notify n = { 0 };

	n.protocol = rd_u8(&r);
	uint8_t spi_size = rd_u8(&r);
	n.type = rd_u16(&r);
	n.spi = rd_view(&r, spi_size);
	n.data = rd_rest(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	*ret = n;
	return ERR_OK;
}

void payload_notify_write(struct writer *w, const struct payload_notify *n)
{
	wr_u8(w, n->protocol);
	wr_u8(w, (uint8_t)n->spi.len);
	wr_u16(w, n->type);
	wr_view(w, n->spi);
	wr_view(w, n->data);
}

static const struct {
	uint16_t type;
	const char *text;
} names[] = {
	{ N_UNSUPPORTED_CRITICAL_PAYLOAD, "UNSUPPORTED_CRITICAL_PAYLOAD" },
	{ N_INVALID_IKE_SPI, "INVALID_IKE_SPI" },
	{ N_INVALID_MAJOR_VERSION, "INVALID_MAJOR_VERSION" },
	{ N_INVALID_SYNTAX, "INVALID_SYNTAX" },
	{ N_INVALID_MESSAGE_ID, "INVALID_MESSAGE_ID" },
	{ N_INVALID_SPI, "INVALID_SPI" },
	{ N_NO_PROPOSAL_CHOSEN, "NO_PROPOSAL_CHOSEN" },
	{ N_INVALID_KE_PAYLOAD, "INVALID_KE_PAYLOAD" },
	{ N_AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED" },
	{ N_NO_ADDITIONAL_SAS, "NO_ADDITIONAL_SAS" },
	{ N_TS_UNACCEPTABLE, "TS_UNACCEPTABLE" },
	{ N_UNACCEPTABLE_ADDRESSES, "UNACCEPTABLE_ADDRESSES" },
	{ N_UNEXPECTED_NAT_DETECTED, "UNEXPECTED_NAT_DETECTED" },
	{ N_TEMPORARY_FAILURE, "TEMPORARY_FAILURE" },
	{ N_CHILD_SA_NOT_FOUND, "CHILD_SA_NOT_FOUND" },
};

const char *notify_text(uint16_t type, char buf[32])
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].type == type)
			return names[i].text;
	(void)snprintf(buf, 32, "notify %u", type);
	return buf;
}
