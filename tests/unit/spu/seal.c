// SPDX-License-Identifier: BSD-2-Clause
#include "seal.h"
#include "addr.h"
#include "bytes.h"
#include "runner.h"

#include <openssl/evp.h>

enum { ICV = 16, IV = 8 };

static void address(uint8_t *at, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), ERR_OK);
	memcpy(at, a.b, addr_len(&a));
}

void seal_checksum(uint8_t *ip)
{
	put_be16(ip + 10, 0);
	put_be16(ip + 10, csum_fold(csum_add(0, ip, (ip[0] & 15u) * 4u)));
}

static size_t ports_and_payload(const struct plain_spec *s, uint8_t *p)
{
	put_be16(p, s->sport ? s->sport : 1000);
	put_be16(p + 2, s->dport ? s->dport : 2000);
	put_be16(p + 4, (uint16_t)(8 + s->payload));
	put_be16(p + 6, 0);
	for (uint16_t i = 0; i < s->payload; i++)
		p[8 + i] = (uint8_t)i;
	return 8u + s->payload;
}

size_t plain_make(const struct plain_spec *s, uint8_t *out)
{
	bool v6 = s->family == 6;
	uint8_t proto = s->proto ? s->proto : 17;

	memset(out, 0, 40);
	if (v6) {
		size_t len = ports_and_payload(s, out + 40);
		out[0] = (uint8_t)(0x60 | s->tos >> 4);
		out[1] = (uint8_t)(s->tos << 4);
		put_be16(out + 4, (uint16_t)len);
		out[6] = proto;
		out[7] = 60;
		address(out + 8, s->src ? s->src : "fd00:2::9");
		address(out + 24, s->dst ? s->dst : "fd00:1::5");
		return 40 + len;
	}
	size_t len = 20 + ports_and_payload(s, out + 20);
	out[0] = 0x45;
	out[1] = s->tos;
	put_be16(out + 2, (uint16_t)len);
	put_be16(out + 6, (uint16_t)(s->frag | (s->df ? 0x4000 : 0)));
	out[8] = 60;
	out[9] = proto;
	address(out + 12, s->src ? s->src : "10.2.0.9");
	address(out + 16, s->dst ? s->dst : "10.1.0.5");
	seal_checksum(out);
	return len;
}

static size_t payload_make(const struct seal_spec *s, uint8_t *out)
{
	/* A dummy whose padding would begin with the last byte of the IV, which is 1 too. */
	static const uint8_t sly[8] = { 2, 3, 4, 5, 6, 7, 7, 59 };
	size_t len = s->dummy ? 0 : plain_make(&s->inner, out);

	if (s->sly_pad) {
		memcpy(out, sly, sizeof(sly));
		return sizeof(sly);
	}
	memset(out + len, 0, s->tfc);
	len += s->tfc;
	uint8_t pad = (uint8_t)((0u - (len + 2)) & 3);
	pad = (uint8_t)(pad + s->more_pad);
	for (uint8_t i = 0; i < pad; i++)
		out[len++] = (uint8_t)(s->bad_pad ? 0xaa : i + 1);
	out[len++] = s->long_pad ? 255 : pad;
	uint8_t next = s->dummy ? 59 : s->inner.family == 6 ? 41 : 4;
	out[len++] = s->next ? s->next : next;
	return len;
}

static void gcm(const struct seal_spec *s, uint8_t *esp, size_t payload)
{
	static const uint8_t fixed[20] = { [0 ... 19] = 0x11 };
	const uint8_t *key = s->key ? s->key : fixed;
	uint8_t nonce[12], aad[12], *at = esp + 8 + IV;
	uint64_t seq = s->seq ? s->seq : 1;
	int n, aad_len = s->esn ? 12 : 8;

	memcpy(nonce, key + 16, 4);
	memcpy(nonce + 4, esp + 8, IV);
	memcpy(aad, esp, 4);
	if (s->esn)
		put_be64(aad + 4, seq);
	else
		put_be32(aad + 4, (uint32_t)seq);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	ck_assert_int_eq(EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(c, NULL, &n, aad, aad_len), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(c, at, &n, at, (int)payload), 1);
	ck_assert_int_eq(EVP_EncryptFinal_ex(c, at + payload, &n), 1);
	ck_assert_int_eq(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, ICV, at + payload), 1);
	EVP_CIPHER_CTX_free(c);
}

/* From the peer (198.51.100.2) to us (192.0.2.1). */
static size_t outer_make(const struct seal_spec *s, uint8_t *out, size_t esp_len)
{
	size_t ip = s->outer == 6 ? 40 : 20, udp = s->udp ? 8 : 0, all = ip + udp + esp_len;

	memset(out, 0, ip + udp);
	if (s->outer == 6) {
		out[0] = (uint8_t)(0x60 | s->tos >> 4);
		out[1] = (uint8_t)(s->tos << 4);
		put_be16(out + 4, (uint16_t)(all - ip));
		out[6] = s->udp ? 17 : 50;
		out[7] = 64;
		address(out + 8, "2001:db8:2::2");
		address(out + 24, "2001:db8:1::1");
	} else {
		out[0] = 0x45;
		out[1] = s->tos;
		put_be16(out + 2, (uint16_t)all);
		out[8] = 64;
		out[9] = s->udp ? 17 : 50;
		address(out + 12, "198.51.100.2");
		address(out + 16, "192.0.2.1");
		seal_checksum(out);
	}
	if (s->udp) {
		put_be16(out + ip, s->sport ? s->sport : 4500);
		put_be16(out + ip + 2, s->dport ? s->dport : 4500);
		put_be16(out + ip + 4, (uint16_t)(8 + esp_len));
	}
	return all;
}

size_t seal_make(const struct seal_spec *s, uint8_t *out)
{
	size_t before = (s->outer == 6 ? 40u : 20u) + (s->udp ? 8u : 0u);
	uint8_t *esp = out + before;
	uint64_t seq = s->seq ? s->seq : 1;

	put_be32(esp, s->spi ? s->spi : 0x1007);
	put_be32(esp + 4, (uint32_t)seq);
	put_be64(esp + 8, 0xabc0000000000000u | seq);
	size_t payload = payload_make(s, esp + 8 + IV);
	gcm(s, esp, payload);
	return outer_make(s, out, 8 + IV + payload + ICV);
}
