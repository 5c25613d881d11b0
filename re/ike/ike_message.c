// SPDX-License-Identifier: BSD-2-Clause
#include "ike_message.h"

enum err ike_header_read(struct view message, struct ike_header *ret)
{
	struct reader r = rd_of_view(message);
	struct ike_header h;

	rd_bytes(&r, h.spi_i, 8);
	rd_bytes(&r, h.spi_r, 8);
	h.next = rd_u8(&r);
	h.version = rd_u8(&r);
	h.exchange = rd_u8(&r);
	h.flags = rd_u8(&r);
	h.id = rd_u32(&r);
	h.length = rd_u32(&r);
	if (r.bad)
		return ERR_TRUNCATED;
	if (h.length != message.len || message.len > IKE_MESSAGE_MAX)
		return ERR_LENGTH;
	*ret = h;
	return ERR_OK;
}

/* RFC 7296 3.2: a chain of payloads, each naming the type of the next; 3.14: SK is the last, and
 * names the first of those inside. */
enum err ike_payloads_read(struct reader r, uint8_t first, struct ike_payloads *ret)
{
	uint8_t type = first;

	ret->n = 0;
	ret->inner = 0;
	while (type != PL_NONE) {
		uint8_t next = rd_u8(&r);
		bool critical = rd_u8(&r) & 0x80;
		uint16_t len = rd_u16(&r);

		if (r.bad)
			return ERR_TRUNCATED;
		if (len < 4 || ret->n == ARRAY_LEN(ret->at))
			return ERR_LENGTH;
		struct view body = rd_view(&r, len - 4u);
		if (r.bad)
			return ERR_TRUNCATED;
		ret->at[ret->n++] = (struct ike_payload){ type, critical, body };
		if (type == PL_SK || type == PL_SKF) {
			ret->inner = next;
			break;
		}
		type = next;
	}
	return rd_done(&r) ? ERR_OK : ERR_LENGTH;
}

static enum err one_content_read(const struct ike_payload *p, struct ike_content *c)
{
	switch (p->type) {
	case PL_SA:
		c->sa = p->body;
		c->has_sa = true;
		return payload_sa_check(p->body);
	case PL_KE:
		c->has_ke = true;
		return payload_ke_read(p->body, &c->ke);
	case PL_NONCE:
		return payload_nonce_read(p->body, &c->nonce);
	case PL_IDI:
		return payload_id_read(p->body, &c->idi);
	case PL_IDR:
		c->has_idr = true;
		return payload_id_read(p->body, &c->idr);
	case PL_AUTH:
		c->has_auth = true;
		return payload_auth_read(p->body, &c->auth);
	case PL_TSI:
		c->has_ts = true;
		return payload_ts_read(p->body, c->tsi, ARRAY_LEN(c->tsi), &c->tsi_n);
	case PL_TSR:
		return payload_ts_read(p->body, c->tsr, ARRAY_LEN(c->tsr), &c->tsr_n);
	case PL_NOTIFY:
		if (c->notifies == ARRAY_LEN(c->notify))
			return ERR_OK;
		return payload_notify_read(p->body, &c->notify[c->notifies++]);
	case PL_DELETE:
		if (c->deletes_n == ARRAY_LEN(c->deletes))
			return ERR_LENGTH;
		return payload_delete_read(p->body, &c->deletes[c->deletes_n++]);
	default:
		return ERR_OK;
	}
}

enum err ike_content_read(const struct ike_payloads *p, struct ike_content *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < p->n; i++)
		TRY(one_content_read(&p->at[i], ret));
	return ERR_OK;
}

const struct payload_notify *ike_content_notify(const struct ike_content *c, uint16_t type)
{
	for (size_t i = 0; i < c->notifies; i++)
		if (c->notify[i].type == type)
			return &c->notify[i];
	return NULL;
}

const struct payload_notify *ike_content_error(const struct ike_content *c)
{
	for (size_t i = 0; i < c->notifies; i++)
		if (c->notify[i].type < N_ERROR_END)
			return &c->notify[i];
	return NULL;
}

void ike_out_begin(struct ike_out *o, const struct ike_header *h)
{
	o->w = wr_of(o->buf, sizeof(o->buf));
	o->sk_at = o->payload_at = 0;
	wr_bytes(&o->w, h->spi_i, 8);
	wr_bytes(&o->w, h->spi_r, 8);
	o->next_at = wr_len(&o->w);
	wr_u8(&o->w, PL_NONE);
	wr_u8(&o->w, IKE_VERSION_2);
	wr_u8(&o->w, h->exchange);
	wr_u8(&o->w, h->flags);
	wr_u32(&o->w, h->id);
	wr_u32(&o->w, 0);
}

void ike_out_open(struct ike_out *o, enum payload_type type)
{
	if (!o->w.bad)
		o->buf[o->next_at] = (uint8_t)type;
	o->payload_at = o->next_at = wr_len(&o->w);
	wr_zeros(&o->w, 4);
}

void ike_out_close(struct ike_out *o)
{
	wr_close(&o->w, o->payload_at + 2, 2, o->payload_at);
}

void ike_out_notify(struct ike_out *o, uint16_t type, struct view data)
{
	struct payload_notify n = { .type = type, .data = data };

	ike_out_open(o, PL_NOTIFY);
	payload_notify_write(&o->w, &n);
	ike_out_close(o);
}

struct view ike_out_finish(struct ike_out *o)
{
	wr_close(&o->w, 24, 4, 0);
	return wr_done(&o->w);
}
