/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds messages in a buffer whose ceiling is given at birth.
 *
 * The counterpart of reader.h: what does not fit sets bad and writes nothing, and so do all writes
 * after it; check bad once, before sending. Lengths are patched by wr_open()/wr_close(), never
 * computed twice. The buffer is borrowed from the caller. Any thread. */
#ifndef WRITER_H
#define WRITER_H
#include "reader.h"

struct writer {
	uint8_t *start, *p, *end;
	bool bad;
};

static inline struct writer wr_of(void *buf, size_t cap)
{
	uint8_t *b = buf;

	return (struct writer){ b, b, b + cap, false };
}

static inline size_t wr_len(const struct writer *w)
{
	return (size_t)(w->p - w->start);
}

static inline struct view wr_done(const struct writer *w)
{
	return (struct view){ w->start, w->bad ? 0 : wr_len(w) };
}

/* Room for n bytes, or NULL and a bad writer. */
static inline uint8_t *wr_room(struct writer *w, size_t n)
{
	if (w->bad || n > (size_t)(w->end - w->p)) {
		w->bad = true;
		return NULL;
	}
	uint8_t *at = w->p;
	w->p += n;
	return at;
}

static inline void wr_bytes(struct writer *w, const void *p, size_t n)
{
	uint8_t *at = wr_room(w, n);

	if (at && n)
		memcpy(at, p, n);
}

static inline void wr_view(struct writer *w, struct view v)
{
	wr_bytes(w, v.p, v.len);
}

static inline void wr_zeros(struct writer *w, size_t n)
{
	uint8_t *at = wr_room(w, n);

	if (at && n)
		memset(at, 0, n);
}

/* An unsigned number in n bytes (at most 8), network byte order. */
static inline void wr_be(struct writer *w, uint64_t x, size_t n)
{
	uint8_t be[8];

	for (size_t i = 0; i < sizeof(be); i++)
		be[i] = (uint8_t)(x >> (8 * (7 - i)));
	wr_bytes(w, be + sizeof(be) - n, n);
}

static inline void wr_u8(struct writer *w, uint8_t x)
{
	wr_be(w, x, 1);
}

static inline void wr_u16(struct writer *w, uint16_t x)
{
	wr_be(w, x, 2);
}

static inline void wr_u32(struct writer *w, uint32_t x)
{
	wr_be(w, x, 4);
}

static inline void wr_u64(struct writer *w, uint64_t x)
{
	wr_be(w, x, 8);
}

/* Leaves n bytes for a length and returns its offset, for wr_close(). */
static inline size_t wr_open(struct writer *w, size_t n)
{
	size_t at = wr_len(w);

	wr_zeros(w, n);
	return at;
}

/* Writes the distance from offset `from` to the end into the n bytes at offset `at`; bad when it
 * does not fit into them. */
static inline void wr_close(struct writer *w, size_t at, size_t n, size_t from)
{
	if (w->bad)
		return;
	uint64_t len = wr_len(w) - from;
	if (n < 8 && len >> (8 * n)) {
		w->bad = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		w->start[at + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
}

#endif
