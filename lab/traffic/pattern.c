// SPDX-License-Identifier: BSD-2-Clause
#include "pattern.h"

/* splitmix64: neighbouring words have nothing in common. */
static uint64_t word_at(uint64_t seed, uint64_t index)
{
	uint64_t x = seed + (index + 1) * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint8_t byte_at(uint64_t seed, uint64_t offset)
{
	return (uint8_t)(word_at(seed, offset / 8) >> 8 * (offset % 8));
}

void pattern_fill(uint8_t *buf, size_t n, uint64_t seed, uint64_t offset)
{
	size_t i = 0;

	for (; i < n && (offset + i) % 8 != 0; i++)
		buf[i] = byte_at(seed, offset + i);
	for (; n - i >= 8; i += 8) {
		uint64_t w = word_at(seed, (offset + i) / 8);
		uint8_t b[8];

		for (size_t k = 0; k < 8; k++)
			b[k] = (uint8_t)(w >> 8 * k);
		memcpy(buf + i, b, 8);
	}
	for (; i < n; i++)
		buf[i] = byte_at(seed, offset + i);
}

size_t pattern_check(struct view v, uint64_t seed, uint64_t offset)
{
	uint8_t want[512];

	for (size_t i = 0; i < v.len;) {
		size_t n = v.len - i < sizeof(want) ? v.len - i : sizeof(want);

		pattern_fill(want, n, seed, offset + i);
		if (memcmp(want, v.p + i, n) != 0) {
			size_t k = 0;

			while (want[k] == v.p[i + k])
				k++;
			return i + k;
		}
		i += n;
	}
	return v.len;
}
