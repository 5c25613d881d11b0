// SPDX-License-Identifier: BSD-2-Clause
#include "frame.h"
#include "addr.h"
#include "writer.h"

#include <check.h>
#include <net/if.h>
#include <string.h>

static void checksum_v4(uint8_t *ip)
{
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (int i = 0; i < (ip[0] & 15) * 4; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

static void put_mac(struct writer *w, uint8_t last)
{
	static const uint8_t start[5] = { 2 }, all[6] = { 255, 255, 255, 255, 255, 255 };

	if (last == 0xff) {
		wr_bytes(w, all, 6);
		return;
	}
	wr_bytes(w, start, 5);
	wr_u8(w, last);
}

static void put_ethernet(struct writer *w, const struct frame *f, uint8_t mac, uint16_t type)
{
	if (f->fabric) {
		wr_u8(w, f->fabric);
		wr_u8(w, 0);
		wr_u16(w, f->instance);
		wr_u32(w, 0);
		wr_u32(w, f->ingress ? if_nametoindex(f->ingress) : 0);
	} else {
		put_mac(w, f->mac ? f->mac : mac);
		put_mac(w, f->from_mac ? f->from_mac : 0x99);
	}
	for (int i = 0; i < 2; i++)
		if (f->vlan[i]) {
			wr_u16(w, i == 0 && f->vlan[1] ? 0x88a8 : 0x8100);
			wr_u16(w, (uint16_t)(f->vlan[i] - 1) | 3 << 13);
		}
	wr_u16(w, type);
}

/* What a router quotes: an IP header, ports of 4500 or a part of AH, the SPI, a number. */
static void put_quote(struct writer *w, const struct frame *f)
{
	size_t ip = f->protocol == 1 ? 20 : 40, start = wr_len(w);
	uint8_t at[40 + 8 + 16] = { 0 }, *l4 = at + ip;
	size_t spi = f->quotes == 17 ? 8 : f->quotes == 51 ? 4 : 0;

	at[0] = f->protocol == 1 ? 0x45 : 0x60;
	at[f->protocol == 1 ? 9 : 6] = f->quotes;
	if (f->quotes == 17) {
		l4[0] = 4500 >> 8;
		l4[1] = 4500 & 255;
	}
	for (int i = 0; i < 4; i++)
		l4[spi + (size_t)i] = (uint8_t)(f->spi >> (24 - 8 * i));
	wr_bytes(w, at, ip + (f->quoted ? f->quoted : 16));
	ck_assert_uint_gt(wr_len(w), start);
}

static void put_l4(struct writer *w, const struct frame *f)
{
	switch (f->protocol) {
	case 17:
		wr_u16(w, 4500);
		wr_u16(w, f->port);
		wr_u16(w, (uint16_t)(8 + f->payload + (f->spi ? 4 : 0)));
		wr_u16(w, 0);
		if (f->spi)
			wr_u32(w, f->spi);
		break;
	case 6:
		wr_u16(w, 40000);
		wr_u16(w, f->port);
		wr_zeros(w, 8);
		wr_u8(w, 5 << 4);
		wr_u8(w, f->tcp_flags ? f->tcp_flags : 2);
		wr_zeros(w, 6);
		break;
	case 1:
	case 58:
		wr_u8(w, (uint8_t)f->port);
		wr_u8(w, f->code);
		wr_zeros(w, 6);
		if (f->quotes)
			put_quote(w, f);
		break;
	case 50:
		wr_u32(w, f->spi);
		wr_u32(w, 1);
		break;
	case 51:
		wr_u8(w, 4);
		wr_u8(w, 4);
		wr_u16(w, 0);
		wr_u32(w, f->spi);
		wr_u32(w, 1);
		wr_zeros(w, 12);
		break;
	default:
		break;
	}
	for (unsigned i = 0; i < f->payload; i++)
		wr_u8(w, f->protocol == 17 && f->payload == 1 ? 0xff : (uint8_t)i);
}

static void put_v4(struct writer *w, const struct frame *f, const struct addr *src,
                   const struct addr *dst)
{
	const char *x = f->extensions ? f->extensions : "";
	size_t start = wr_len(w);
	uint16_t frag = strchr(x, 'f')   ? 0x2000
	                : strchr(x, 'l') ? 185
	                : strchr(x, 'n') ? 0
	                                 : 0x4000;

	wr_u8(w, strchr(x, 'o') ? 0x46 : 0x45);
	wr_u8(w, 0);
	size_t len = wr_open(w, 2);
	wr_u16(w, 0x1234);
	wr_u16(w, frag);
	wr_u8(w, f->ttl ? f->ttl : 64);
	wr_u8(w, f->protocol);
	wr_u16(w, 0);
	wr_bytes(w, src->b, 4);
	wr_bytes(w, dst->b, 4);
	if (strchr(x, 'o'))
		wr_u32(w, 0x94040000); /* router alert */
	put_l4(w, f);
	wr_close(w, len, 2, start);
	checksum_v4(w->start + start);
}

static uint8_t extension_number(char x)
{
	return x == 'h' ? 0 : x == 'r' ? 43 : x == 'd' || x == 'D' ? 60 : 44;
}

static void put_v6(struct writer *w, const struct frame *f, const struct addr *src,
                   const struct addr *dst)
{
	const char *x = f->extensions ? f->extensions : "";

	wr_u32(w, 0x60000000);
	size_t len = wr_open(w, 2);
	wr_u8(w, *x ? extension_number(*x) : f->protocol);
	wr_u8(w, f->ttl ? f->ttl : 64);
	wr_bytes(w, src->b, 16);
	wr_bytes(w, dst->b, 16);
	size_t start = wr_len(w);
	for (; *x; x++) {
		wr_u8(w, x[1] ? extension_number(x[1]) : f->protocol);
		wr_u8(w, *x == 'D' ? 7 : 0);
		wr_u16(w, *x == 'f' ? 1 : *x == 'l' ? 1448 : 0);
		wr_u32(w, 0x01020304);
		wr_zeros(w, *x == 'D' ? 56 : 0);
	}
	put_l4(w, f);
	wr_close(w, len, 2, start);
}

size_t frame_make(const struct frame *f, uint8_t mac, uint8_t out[FRAME_MAX])
{
	struct writer w = wr_of(out, FRAME_MAX);
	struct addr src, dst;

	if (f->type) {
		put_ethernet(&w, f, mac, f->type);
		wr_zeros(&w, 46);
		return wr_len(&w);
	}
	ck_assert_int_eq(addr_parse(f->src, &src), ERR_OK);
	ck_assert_int_eq(addr_parse(f->dst, &dst), ERR_OK);
	put_ethernet(&w, f, mac, src.family == ADDR_V4 ? 0x0800 : 0x86dd);
	if (src.family == ADDR_V4)
		put_v4(&w, f, &src, &dst);
	else
		put_v6(&w, f, &src, &dst);
	ck_assert(!w.bad);
	return wr_len(&w);
}

void frame_hop(uint8_t *frame)
{
	uint8_t *ip = frame + 14;

	if (ip[0] >> 4 == 4) {
		ip[8]--;
		checksum_v4(ip);
	} else {
		ip[7]--;
	}
}

size_t frame_untag(uint8_t *frame, size_t len)
{
	while ((frame[12] == 0x81 && frame[13] == 0) || (frame[12] == 0x88 && frame[13] == 0xa8)) {
		memmove(frame + 12, frame + 16, len - 16);
		len -= 4;
	}
	return len;
}
