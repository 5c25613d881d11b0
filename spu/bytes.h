/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers in packet bytes, in network order, at a place that a reader has already bounded.
 *
 * The data path takes a header as one view (reader.h) and then its fields by these, which compile
 * to one load each. Any thread. */
#ifndef BYTES_H
#define BYTES_H
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t get_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline void put_be16(uint8_t *p, uint16_t x)
{
	x = __builtin_bswap16(x);
	memcpy(p, &x, sizeof(x));
}

static inline void put_be32(uint8_t *p, uint32_t x)
{
	x = __builtin_bswap32(x);
	memcpy(p, &x, sizeof(x));
}

static inline void put_be64(uint8_t *p, uint64_t x)
{
	x = __builtin_bswap64(x);
	memcpy(p, &x, sizeof(x));
}

/* The Internet checksum (RFC 1071): sum 16-bit words, fold, complement. */
static inline uint16_t csum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint64_t csum_add(uint64_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 2; len -= 2, p += 2)
		sum += get_be16(p);
	return len ? sum + (uint64_t)(*p << 8) : sum;
}

#endif
