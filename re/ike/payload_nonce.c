// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.9: 16 to 256 octets. */
#include "payload.h"

enum err payload_nonce_read(struct view body, struct view *ret)
{
	if (body.len < NONCE_MIN || body.len > NONCE_MAX)
		return ERR_LENGTH;
	*ret = body;
	return ERR_OK;
}

void payload_nonce_write(struct writer *w, struct view nonce)
{
	wr_view(w, nonce);
}
