// SPDX-License-Identifier: BSD-2-Clause
#include "errors.h"
#include "writer.h"
#include "runner.h"

START_TEST(what_is_written_is_in_network_order)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0xaa };
	uint8_t buf[32];
	struct writer w = wr_of(buf, sizeof(buf));

	wr_u8(&w, 0x01);
	wr_u16(&w, 0x0203);
	wr_u32(&w, 0x04050607);
	wr_u64(&w, 8);
	wr_zeros(&w, 2);
	wr_bytes(&w, "\xaa", 1);
	wr_view(&w, (struct view){ NULL, 0 });
	struct view got = wr_done(&w);
	ck_assert_uint_eq(got.len, sizeof(want));
	ck_assert_mem_eq(got.p, want, sizeof(want));
}
END_TEST

START_TEST(what_does_not_fit_is_not_written_and_sticks)
{
	uint8_t buf[8] = { 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee };
	struct writer w = wr_of(buf, 5);

	wr_u32(&w, 1);
	wr_u16(&w, 2); /* one byte too many */
	wr_u8(&w, 3);  /* would fit, but something is missing before it */
	ck_assert(w.bad);
	ck_assert_uint_eq(wr_done(&w).len, 0);
	for (size_t i = 4; i < sizeof(buf); i++)
		ck_assert_uint_eq(buf[i], 0xee);
}
END_TEST

START_TEST(a_full_buffer_is_no_failure)
{
	uint8_t buf[4];
	struct writer w = wr_of(buf, sizeof(buf));

	wr_u32(&w, 0xdeadbeef);
	wr_bytes(&w, NULL, 0);
	ck_assert(!w.bad);
	ck_assert_uint_eq(wr_done(&w).len, 4);
	ck_assert_ptr_null(wr_room(&w, SIZE_MAX));
	ck_assert(w.bad);
}
END_TEST

static const struct {
	const char *what;
	size_t width, body;
	bool bad;
} lengths[] = {
	{ "an empty body", 2, 0, false },
	{ "the longest in one byte", 1, 254, false },
	{ "one more than fits one byte", 1, 255, true },
	{ "the same in two bytes", 2, 255, false },
	{ "eight bytes", 8, 300, false },
};

START_TEST(a_length_is_patched_when_its_field_is_closed)
{
	uint8_t buf[400];
	struct writer w = wr_of(buf, sizeof(buf));
	const char *what = lengths[_i].what;

	wr_u16(&w, 0xffff);
	size_t at = wr_open(&w, lengths[_i].width);
	wr_zeros(&w, lengths[_i].body);
	wr_close(&w, at, lengths[_i].width, at);
	ck_assert_msg(w.bad == lengths[_i].bad, "%s: bad is %d", what, w.bad);
	if (w.bad)
		return;
	struct reader r = rd_of_view(wr_done(&w));
	rd_skip(&r, 2);
	uint64_t got = rd_be(&r, lengths[_i].width);
	ck_assert_msg(got == lengths[_i].width + lengths[_i].body, "%s: length %lu", what, got);
	ck_assert_uint_eq(rd_left(&r), lengths[_i].body);
}
END_TEST

START_TEST(closing_after_a_failure_touches_nothing)
{
	uint8_t buf[4] = { 0 };
	struct writer w = wr_of(buf, 1);
	size_t at = wr_open(&w, 2);

	wr_close(&w, at, 2, 0);
	ck_assert(w.bad);
	ck_assert_uint_eq(buf[0] | buf[1] | buf[2] | buf[3], 0);
}
END_TEST

TESTS_OF(writer)
{
	TCase *tc = tcase_create("writer");

	tcase_add_test(tc, what_is_written_is_in_network_order);
	tcase_add_test(tc, what_does_not_fit_is_not_written_and_sticks);
	tcase_add_test(tc, a_full_buffer_is_no_failure);
	tcase_add_loop_test(tc, a_length_is_patched_when_its_field_is_closed, 0,
	                    ARRAY_LEN(lengths));
	tcase_add_test(tc, closing_after_a_failure_touches_nothing);
	return tc;
}
