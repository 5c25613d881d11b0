// SPDX-License-Identifier: BSD-2-Clause
#include "esp_frame.h"
#include "eal.h"
#include "writer.h"

#include <stdio.h>

static const uint8_t key[36] = "a key of 32 bytes, then the salt: ss";

void esp_fill(struct esp_frame *f, uint32_t len, uint32_t seed)
{
	f->len = len;
	for (uint32_t i = 0; i < len; i++)
		f->text[i] = (uint8_t)(seed * 167 + i * 13 + (i >> 5));
	for (uint32_t i = 0; i < sizeof(f->iv); i++)
		f->iv[i] = (uint8_t)(seed * 7 + i);
}

static void write_v4(struct writer *w, const struct esp_frame *f, size_t payload)
{
	size_t header = f->options ? 24 : 20;

	wr_u16(w, 0x0800);
	wr_u8(w, f->options ? 0x46 : 0x45);
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(header + payload));
	wr_u16(w, 1);
	wr_u16(w, f->fragment ? 0x2000 : 0);
	wr_u8(w, 64);
	wr_u8(w, f->udp ? 17 : 50);
	wr_u16(w, 0);
	wr_u32(w, 0x0a000002);
	wr_u32(w, 0x0a000000 | (f->dst_last ? f->dst_last : 1));
	if (f->options)
		wr_u32(w, 0x01010101);
}

static void write_v6(struct writer *w, const struct esp_frame *f, size_t payload)
{
	uint8_t extra = f->options || f->fragment ? 8 : 0;

	wr_u16(w, 0x86dd);
	wr_u32(w, 0x60000000);
	wr_u16(w, (uint16_t)(payload + extra));
	wr_u8(w, f->fragment ? 44 : f->options ? 60 : f->udp ? 17 : 50);
	wr_u8(w, 64);
	wr_be(w, 0x20010db8, 4);
	wr_zeros(w, 11);
	wr_u8(w, 2);
	wr_be(w, 0x20010db8, 4);
	wr_zeros(w, 11);
	wr_u8(w, f->dst_last ? f->dst_last : 1);
	if (extra) {
		wr_u8(w, f->udp ? 17 : 50);
		wr_u8(w, 0);
		wr_u16(w, f->fragment ? 1 : 0x0104);
		wr_u32(w, 0);
	}
}

struct rte_mbuf *esp_wrap(struct rte_mempool *pool, const struct esp_frame *f, struct view esp)
{
	uint8_t bytes[3400];
	struct writer w = wr_of(bytes, sizeof(bytes));

	if (f->v6)
		write_v6(&w, f, esp.len + (f->udp ? 8 : 0));
	else
		write_v4(&w, f, esp.len + (f->udp ? 8 : 0));
	if (f->udp) {
		wr_u16(&w, 4500);
		wr_u16(&w, 4500);
		wr_u16(&w, (uint16_t)(esp.len + 8));
		wr_u16(&w, 0);
	}
	wr_bytes(&w, esp.p, esp.len);
	ck_assert(!w.bad);
	return eal_frame(pool, bytes, wr_len(&w));
}

struct rte_mbuf *esp_build(struct rte_mempool *pool, const struct esp_frame *f)
{
	uint8_t bytes[2000];
	struct writer w = wr_of(bytes, sizeof(bytes));

	wr_u32(&w, f->spi);
	wr_u32(&w, (uint32_t)f->seq);
	wr_bytes(&w, f->iv, sizeof(f->iv));
	wr_bytes(&w, f->text, f->len);
	wr_bytes(&w, f->icv, sizeof(f->icv));
	ck_assert(!w.bad);
	return esp_wrap(pool, f, (struct view){ bytes, wr_len(&w) });
}

uint8_t *esp_at(struct rte_mbuf *m, const struct esp_frame *f)
{
	return rte_pktmbuf_mtod(m, uint8_t *) + m->data_len - 16 - f->len - 16;
}

struct engine_op esp_op(struct rte_mbuf *m, const struct esp_frame *f, struct engine_session *s,
                        bool esn)
{
	uint8_t *esp = esp_at(m, f);
	struct engine_op op = { .m = m,
		                .session = s,
		                .payload = esp + 16,
		                .len = f->len,
		                .iv = esp + 8,
		                .icv = esp + 16 + f->len,
		                .verdict = 0xff };
	struct writer w = wr_of(op.aad, sizeof(op.aad));

	wr_u32(&w, f->spi);
	wr_be(&w, f->seq, esn ? 8 : 4);
	op.aad_len = (uint8_t)wr_len(&w);
	return op;
}

struct engine_sa esp_sa(const struct esp_frame *f, bool inbound, const char *cipher, bool esn)
{
	struct engine_sa sa = { .inbound = inbound,
		                .protocol = 50,
		                .spi = f->spi,
		                .cipher = alg_cipher_by_name(cipher),
		                .esn = esn,
		                .udp_encap = f->udp,
		                .local_port = 4500,
		                .remote_port = 4500 };
	char dst[64];
	struct addr *near = inbound ? &sa.remote : &sa.local;
	struct addr *far = inbound ? &sa.local : &sa.remote; /* the destination, which is f's */

	ck_assert_ptr_nonnull(sa.cipher);
	sa.key = (struct view){ key, sa.cipher->key_len + (size_t)sa.cipher->salt_len };
	(void)snprintf(dst, sizeof(dst), f->v6 ? "2001:db8::%x" : "10.0.0.%u",
	               f->dst_last ? f->dst_last : 1u);
	ck_assert_int_eq(addr_parse(f->v6 ? "2001:db8::2" : "10.0.0.2", near), ERR_OK);
	ck_assert_int_eq(addr_parse(dst, far), ERR_OK);
	return sa;
}

size_t esp_hex(const char *hex, uint8_t *into, size_t max)
{
	size_t n = 0;

	for (unsigned int x; sscanf(hex + 2 * n, "%2x", &x) == 1; n++) {
		ck_assert_uint_lt(n, max);
		into[n] = (uint8_t)x;
	}
	return n;
}
