// SPDX-License-Identifier: BSD-2-Clause
#include "emu_esp.h"

#define ETHERTYPE_V4 0x0800
#define ETHERTYPE_V6 0x86dd
#define ETHER_LEN 14
#define UDP_HDR_LEN 8
#define NAT_T_PORT 4500

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_UDP = 17,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_ESP = 50,
	NEXT_DST_OPTIONS = 60
};

/* RFC 791 3.1. Leaves *r at the payload, no longer than the header says. */
static uint8_t v4(struct reader *r, struct emu_esp *e)
{
	size_t all = rd_left(r);
	uint8_t first = rd_u8(r);
	size_t header = (first & 0xfu) * 4u;

	rd_skip(r, 1);
	size_t total = rd_u16(r);
	rd_skip(r, 2);
	uint16_t fragment = rd_u16(r);
	rd_skip(r, 1);
	uint8_t next = rd_u8(r);
	rd_skip(r, 6);
	e->dst.family = ADDR_V4;
	rd_bytes(r, e->dst.b, 4);
	if (first >> 4 != 4 || header < 20 || total < header || total > all) {
		r->bad = true;
		return 0;
	}
	rd_skip(r, header - 20);
	e->options = header > 20;
	e->fragment = (fragment & 0x3fff) != 0; /* MF or an offset */
	*r = rd_sub(r, total - header);
	return next;
}

/* RFC 8200 4: extension headers in front of ESP. */
static uint8_t v6(struct reader *r, struct emu_esp *e)
{
	uint8_t first = rd_u8(r);

	rd_skip(r, 3);
	size_t payload = rd_u16(r);
	uint8_t next = rd_u8(r);
	rd_skip(r, 1 + 16);
	e->dst.family = ADDR_V6;
	rd_bytes(r, e->dst.b, 16);
	if (first >> 4 != 6 || payload > rd_left(r)) {
		r->bad = true;
		return 0;
	}
	*r = rd_sub(r, payload);
	while (!r->bad && (next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING ||
	                   next == NEXT_FRAGMENT || next == NEXT_DST_OPTIONS)) {
		uint8_t after = rd_u8(r);
		size_t len = rd_u8(r);

		e->options = true;
		e->fragment |= next == NEXT_FRAGMENT;
		rd_skip(r, next == NEXT_FRAGMENT ? 6 : len * 8 + 6);
		next = after;
	}
	return next;
}

/* RFC 3948 2.1: ESP behind a UDP header; four zeros are IKE. */
static void udp(struct reader *r, bool any_port, struct emu_esp *e)
{
	rd_skip(r, 2);
	uint16_t port = rd_u16(r);
	size_t len = rd_u16(r);

	rd_skip(r, 2);
	if (len < UDP_HDR_LEN || (port != NAT_T_PORT && !any_port))
		r->bad = true;
	else
		*r = rd_sub(r, len - UDP_HDR_LEN);
	e->udp = true;
}

bool emu_esp_find(struct view frame, bool any_port, struct emu_esp *ret)
{
	struct reader r = rd_of_view(frame);
	struct emu_esp e = { 0 };

	rd_skip(&r, ETHER_LEN - 2);
	uint16_t type = rd_u16(&r);
	uint8_t next = type == ETHERTYPE_V4 ? v4(&r, &e) : type == ETHERTYPE_V6 ? v6(&r, &e) : 0;
	if (!r.bad && next == NEXT_UDP) {
		udp(&r, any_port, &e);
		next = NEXT_ESP;
	}
	if (r.bad || next != NEXT_ESP || rd_left(&r) < EMU_ESP_MIN)
		return false;
	e.offset = (uint32_t)(r.p - frame.p);
	e.len = (uint32_t)rd_left(&r);
	e.spi = rd_u32(&r);
	e.seq = rd_u32(&r);
	if (e.spi == 0)
		return false;
	*ret = e;
	return true;
}
