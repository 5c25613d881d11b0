// SPDX-License-Identifier: BSD-2-Clause
#include "anchor.h"
#include "siphash.h"
#include "writer.h"

uint8_t anchor_of_endpoints(const struct env *env, const struct endpoint *local,
                            const struct endpoint *remote)
{
	enum { VERSION = 1 };
	uint8_t buf[64];
	struct writer w = wr_of(buf, sizeof(buf));

	wr_u8(&w, VERSION);
	wr_u8(&w, local->addr.family);
	wr_bytes(&w, local->addr.b, sizeof(local->addr.b));
	wr_bytes(&w, remote->addr.b, sizeof(remote->addr.b));
	wr_u16(&w, local->port);
	wr_u16(&w, remote->port);
	return (uint8_t)siphash(env->anchor_key, buf, wr_len(&w));
}

uint32_t anchor_new_spi(struct env *env, uint8_t anchor)
{
	uint32_t spi = 0;

	env->random(env, &spi, sizeof(spi));
	spi &= 0xfffffe00;
	spi |= (uint32_t)(env->node_id & 1) << 8 | anchor;
	if (spi < 256) /* RFC 4303 2.1: reserved */
		spi |= 0x80000000;
	return spi;
}

void anchor_new_ike_spi(struct env *env, uint8_t anchor, uint8_t ret_spi[8])
{
	env->random(env, ret_spi, 8);
	ret_spi[6] = (uint8_t)((ret_spi[6] & 0xfe) | (env->node_id & 1));
	ret_spi[7] = anchor;
	/* RFC 7296 2.6: never zero. Above 255 as all our SPIs are. */
	if ((ret_spi[0] | ret_spi[1] | ret_spi[2] | ret_spi[3] | ret_spi[4] | ret_spi[5] |
	     ret_spi[6]) == 0)
		ret_spi[0] = 0x80;
}
