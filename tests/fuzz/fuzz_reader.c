// SPDX-License-Identifier: BSD-2-Clause
/* Reaches reader.h and writer.h. Input: the writer's room, then a program of one-byte operations
 * that read from the rest of the input itself; what is read whole is written, and read back.
 * Holds: a view lies inside the input, what is left only shrinks, a failure sticks and empties the
 * reader, the writer never passes its end, and what was written comes back. */
#include "fuzz.h"
#include "writer.h"

#include <assert.h>

enum { ROOM_MAX = 256 };

struct input {
	const uint8_t *start, *end;
};

static void check_view(struct view v, const struct input *in)
{
	assert(v.len == 0 || (v.p >= in->start && v.p <= in->end));
	assert(v.len <= (size_t)(in->end - in->start));
	assert(v.len == 0 || v.len <= (size_t)(in->end - v.p));
}

static void check_reader(const struct reader *r, size_t left_before, bool bad_before)
{
	assert(rd_left(r) <= left_before);
	assert(r->bad || !bad_before);
	assert(!r->bad || rd_left(r) == 0);
	assert(!(r->bad && rd_done(r)));
}

/* A field with its own length: read back from what a writer made of it. */
static void check_field(struct view v, size_t width)
{
	uint8_t buf[ROOM_MAX];
	struct writer w = wr_of(buf, sizeof(buf));
	size_t at = wr_open(&w, width);

	wr_view(&w, v);
	wr_close(&w, at, width, at + width);
	if (w.bad) {
		assert(width + v.len > sizeof(buf) || (width == 1 && v.len > 255));
		return;
	}
	struct reader r = rd_of_view(wr_done(&w));
	struct reader sub = rd_sub(&r, rd_be(&r, width));
	assert(rd_done(&r));
	assert(view_equal(rd_rest(&sub), v));
}

static void step(struct reader *r, struct writer *w, uint8_t op, const struct input *in)
{
	size_t left = rd_left(r), n = op & 0x1f;
	bool bad = r->bad;
	struct view v = { NULL, 0 };

	if (op & 0x80) {
		struct reader sub = rd_sub(r, n);

		v = rd_rest(&sub);
	} else if (op & 0x40) {
		uint64_t x = rd_be(r, n % 9);

		wr_be(w, x, n % 9);
	} else {
		v = rd_view(r, n);
	}
	check_view(v, in);
	check_reader(r, left, bad);
	check_field(v, 1 + (op >> 5) % 4);
	wr_view(w, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct reader r = rd_of(data, size);
	uint8_t buf[ROOM_MAX];
	struct writer w = wr_of(buf, rd_u8(&r));
	size_t turns = 0;

	while (rd_left(&r) != 0) {
		step(&r, &w, rd_u8(&r), &in);
		assert(wr_len(&w) <= (size_t)(w.end - w.start));
		assert(++turns <= size);
	}
	assert(wr_done(&w).len == (w.bad ? 0 : wr_len(&w)));
	return 0;
}
