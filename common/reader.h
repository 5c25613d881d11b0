/* SPDX-License-Identifier: BSD-2-Clause */
/* The only way bytes from outside are read.
 *
 * A failed read sets bad and empties the reader, so every loop over one ends, and reads after it
 * yield zeros and empty views. Check bad (or rd_done()) once, before acting on what was read.
 * A view lives as long as the bytes it looks at; whoever keeps it copies it. Any thread. */
#ifndef READER_H
#define READER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
	const uint8_t *p;
	size_t len;
};

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct reader rd_of(const void *p, size_t len)
{
	static const uint8_t nothing[1];
	const uint8_t *b = p ? p : nothing;

	return (struct reader){ b, b + (p ? len : 0), false };
}

static inline struct reader rd_of_view(struct view v)
{
	return rd_of(v.p, v.len);
}

static inline size_t rd_left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

/* True when everything was read and nothing failed. */
static inline bool rd_done(const struct reader *r)
{
	return !r->bad && r->p == r->end;
}

/* The next n bytes, or an empty view and a bad, empty reader. */
static inline struct view rd_view(struct reader *r, size_t n)
{
	if (n > rd_left(r)) {
		r->p = r->end;
		r->bad = true;
		return (struct view){ NULL, 0 };
	}
	struct view v = { r->p, n };
	if (n)
		r->p += n;
	return v;
}

/* All that is left. */
static inline struct view rd_rest(struct reader *r)
{
	return rd_view(r, rd_left(r));
}

/* A reader over the next n bytes, for a field that has a length of its own. */
static inline struct reader rd_sub(struct reader *r, size_t n)
{
	struct view v = rd_view(r, n);
	struct reader sub = rd_of_view(v);

	sub.bad = r->bad;
	return sub;
}

static inline void rd_skip(struct reader *r, size_t n)
{
	(void)rd_view(r, n);
}

/* Copies n bytes to ret; zeros when there are fewer. */
static inline void rd_bytes(struct reader *r, void *ret, size_t n)
{
	struct view v = rd_view(r, n);

	if (v.len == n && n)
		memcpy(ret, v.p, n);
	else if (n)
		memset(ret, 0, n);
}

/* An unsigned number of n bytes (at most 8), network byte order. */
static inline uint64_t rd_be(struct reader *r, size_t n)
{
	struct view v = rd_view(r, n);
	uint64_t x = 0;

	for (size_t i = 0; i < v.len; i++)
		x = x << 8 | v.p[i];
	return x;
}

static inline uint8_t rd_u8(struct reader *r)
{
	return (uint8_t)rd_be(r, 1);
}

static inline uint16_t rd_u16(struct reader *r)
{
	return (uint16_t)rd_be(r, 2);
}

static inline uint32_t rd_u32(struct reader *r)
{
	return (uint32_t)rd_be(r, 4);
}

static inline uint64_t rd_u64(struct reader *r)
{
	return rd_be(r, 8);
}

static inline bool view_equal(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#endif
