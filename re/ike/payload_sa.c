// SPDX-License-Identifier: BSD-2-Clause
/* RFC 7296 3.3: proposals, each a list of transforms, each perhaps with attributes. */
#include "payload.h"

enum { MORE_PROPOSALS = 2, MORE_TRANSFORMS = 3, ATTR_TV = 0x8000, ATTR_KEY_LENGTH = 14 };

/*  Last, reserved, length; type, reserved, id; attributes (3.3.2). */
static enum err transform_read(struct reader *r, bool *ret_more, struct sa_transform *ret)
{
	struct sa_transform t = { 0 };
	uint8_t more = rd_u8(r);

	rd_skip(r, 1);
	uint16_t len = rd_u16(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (len < 8 || (more != 0 && more != MORE_TRANSFORMS))
		return ERR_LENGTH;
	struct reader body = rd_sub(r, len - 4u);
	t.type = rd_u8(&body);
	rd_skip(&body, 1);
	t.id = rd_u16(&body);
	while (rd_left(&body) != 0) {
		uint16_t attr = rd_u16(&body), value = rd_u16(&body);

		if (attr == (ATTR_TV | ATTR_KEY_LENGTH)) {
			t.key_bits = value;
		} else {
			t.strange = true;
			if (!(attr & ATTR_TV))
				rd_skip(&body, value);
		}
	}
	if (body.bad)
		return ERR_TRUNCATED;
	*ret_more = more != 0;
	*ret = t;
	return ERR_OK;
}

bool sa_next_transform(struct reader *r, struct sa_transform *ret)
{
	bool more;

	return rd_left(r) != 0 && transform_read(r, &more, ret) == ERR_OK;
}

/* Last, reserved, length; number, protocol, SPI size, number of transforms; SPI (3.3.1). */
static enum err proposal_read(struct reader *r, bool *ret_more, struct sa_proposal *ret)
{
	struct sa_proposal p = { 0 };
	uint8_t more = rd_u8(r);

	rd_skip(r, 1);
	uint16_t len = rd_u16(r);
	if (r->bad)
		return ERR_TRUNCATED;
	if (len < 8 || (more != 0 && more != MORE_PROPOSALS))
		return ERR_LENGTH;
	p.body = rd_sub(r, len - 4u);
	p.number = rd_u8(&p.body);
	p.protocol = rd_u8(&p.body);
	uint8_t spi_size = rd_u8(&p.body);
	p.transforms = rd_u8(&p.body);
	p.spi = rd_view(&p.body, spi_size);
	if (p.body.bad)
		return ERR_TRUNCATED;
	*ret_more = more != 0;
	*ret = p;
	return ERR_OK;
}

bool sa_next_proposal(struct reader *r, struct sa_proposal *ret)
{
	bool more;

	return rd_left(r) != 0 && proposal_read(r, &more, ret) == ERR_OK;
}

static enum err transforms_check(struct sa_proposal p)
{
	struct sa_transform t;
	bool more = p.transforms != 0;

	for (unsigned i = 0; i < p.transforms; i++) {
		if (!more)
			return ERR_LENGTH;
		TRY(transform_read(&p.body, &more, &t));
	}
	return more || !rd_done(&p.body) ? ERR_LENGTH : ERR_OK;
}

enum err payload_sa_check(struct view body)
{
	struct reader r = rd_of_view(body);
	struct sa_proposal p;
	bool more = true;

	while (more) {
		TRY(proposal_read(&r, &more, &p));
		TRY(transforms_check(p));
	}
	return rd_done(&r) ? ERR_OK : ERR_LENGTH;
}

size_t payload_sa_open(struct writer *w, const struct sa_proposal *head, bool last)
{
	size_t at = wr_len(w);

	wr_u8(w, last ? 0 : MORE_PROPOSALS);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u8(w, head->number);
	wr_u8(w, head->protocol);
	wr_u8(w, (uint8_t)head->spi.len);
	wr_u8(w, head->transforms);
	wr_view(w, head->spi);
	return at;
}

void payload_sa_transform(struct writer *w, const struct sa_transform *t, bool last)
{
	size_t at = wr_len(w);

	wr_u8(w, last ? 0 : MORE_TRANSFORMS);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u8(w, t->type);
	wr_u8(w, 0);
	wr_u16(w, t->id);
	if (t->key_bits) {
		wr_u16(w, ATTR_TV | ATTR_KEY_LENGTH);
		wr_u16(w, t->key_bits);
	}
	wr_close(w, at + 2, 2, at);
}

void payload_sa_close(struct writer *w, size_t at)
{
	wr_close(w, at + 2, 2, at);
}
