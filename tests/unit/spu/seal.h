/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets for tests of the data path: inner ones, and ESP around them, also such as no gateway
 * would send. ESP is sealed by OpenSSL, apart from the engines that are tested. */
#ifndef SEAL_H
#define SEAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEAL_MAX = 2048 };

struct plain_spec {
	uint8_t family;     /* 0: 4 */
	uint8_t tos, proto; /* proto 0: UDP */
	bool df;
	uint16_t frag;         /* IPv4: offset field */
	const char *src, *dst; /* NULL: 10.2.0.9 -> 10.1.0.5 (inbound), or fd00:2::9 -> fd00:1::5 */
	uint16_t sport, dport; /* 0: 1000, 2000 */
	uint16_t payload;      /* bytes behind the ports */
};

struct seal_spec {
	struct plain_spec inner;
	uint8_t outer; /* 4 or 6; 0: 4 */
	uint8_t tos;
	bool udp, esn;
	uint16_t sport, dport; /* 0: 4500 */
	uint32_t spi;          /* 0: 0x1007 */
	uint64_t seq;          /* 0: 1 */
	const uint8_t *key;    /* NULL: 20 times 0x11 */
	uint16_t tfc;          /* zeros behind the inner packet */
	uint8_t more_pad;      /* multiple of 4 */
	uint8_t next;          /* 0: by the inner packet */
	bool bad_pad, long_pad, sly_pad, dummy;
};

/* Both write at most SEAL_MAX bytes and return how many. */
size_t plain_make(const struct plain_spec *s, uint8_t *out);
size_t seal_make(const struct seal_spec *s, uint8_t *out);
/* Sets the header checksum of an IPv4 packet. */
void seal_checksum(uint8_t *ip);

#endif
