// SPDX-License-Identifier: BSD-2-Clause
#include "numbered.h"
#include "pattern.h"
#include "writer.h"
#include <assert.h>

#define MAGIC 0x48774c62u

static uint64_t seed_of(const struct numbered *n)
{
	return n->run ^ (uint64_t)n->flow << 48 ^ n->seq;
}

void numbered_write(const struct numbered *n, uint8_t *buf, size_t size)
{
	assert(size >= NUMBERED_MIN && size <= NUMBERED_MAX);
	struct writer w = wr_of(buf, NUMBERED_MIN);

	wr_u32(&w, MAGIC);
	wr_u16(&w, n->flow);
	wr_u16(&w, (uint16_t)size);
	wr_u64(&w, n->run);
	wr_u64(&w, n->seq);
	wr_u64(&w, n->sent_ns);
	pattern_fill(buf + NUMBERED_MIN, size - NUMBERED_MIN, seed_of(n), 0);
}

enum err numbered_read(struct view payload, struct numbered *ret)
{
	struct reader r = rd_of_view(payload);
	struct numbered n = { 0 };

	if (rd_u32(&r) != MAGIC)
		return ERR_UNKNOWN;
	n.flow = rd_u16(&r);
	uint16_t length = rd_u16(&r);
	n.run = rd_u64(&r);
	n.seq = rd_u64(&r);
	n.sent_ns = rd_u64(&r);
	if (r.bad)
		return ERR_UNKNOWN;
	struct view rest = rd_rest(&r);
	if (length != payload.len || pattern_check(rest, seed_of(&n), 0) != rest.len)
		return ERR_CORRUPT;
	*ret = n;
	return ERR_OK;
}
