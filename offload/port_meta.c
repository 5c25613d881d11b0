// SPDX-License-Identifier: BSD-2-Clause
#include "port_meta.h"

#include <rte_errno.h>

int port_meta_offset = -1;

enum err port_meta_register(struct why *why)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "hawser_port_meta",
		.size = sizeof(struct fabric_hdr),
		.align = __alignof__(struct fabric_hdr),
	};
	int offset = rte_mbuf_dynfield_register(&field);

	if (offset < 0)
		return why_set(why, ERR_FULL, "no room in the mbuf for the fabric header: %s",
		               rte_strerror(rte_errno));
	port_meta_offset = offset;
	return ERR_OK;
}
