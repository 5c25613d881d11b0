// SPDX-License-Identifier: BSD-2-Clause
#include "errors.h"
#include "reader.h"
#include "runner.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static const struct {
	const char *what;
	size_t have, ask;
	uint64_t want;
	bool bad;
	size_t left;
} numbers[] = {
	{ "one byte", 8, 1, 0x01, false, 7 },
	{ "two bytes, network order", 8, 2, 0x0102, false, 6 },
	{ "four bytes", 8, 4, 0x01020304, false, 4 },
	{ "eight bytes, all there are", 8, 8, 0x0102030405060708, false, 0 },
	{ "three bytes", 8, 3, 0x010203, false, 5 },
	{ "nothing of nothing", 0, 0, 0, false, 0 },
	{ "one byte of nothing", 0, 1, 0, true, 0 },
	{ "one byte too many empties the reader", 3, 4, 0, true, 0 },
};

START_TEST(a_number_is_read_whole_or_not_at_all)
{
	struct reader r = rd_of(bytes, numbers[_i].have);
	uint64_t got = rd_be(&r, numbers[_i].ask);

	ck_assert_msg(got == numbers[_i].want, "%s: got %#lx", numbers[_i].what, got);
	ck_assert_msg(r.bad == numbers[_i].bad, "%s: bad is %d", numbers[_i].what, r.bad);
	ck_assert_msg(rd_left(&r) == numbers[_i].left, "%s: %zu left", numbers[_i].what,
	              rd_left(&r));
}
END_TEST

START_TEST(widths_of_the_short_names)
{
	struct reader r = rd_of(bytes, 8);
	struct reader whole = r;

	ck_assert_uint_eq(rd_u8(&r), 0x01);
	ck_assert_uint_eq(rd_u16(&r), 0x0203);
	ck_assert_uint_eq(rd_u32(&r), 0x04050607);
	ck_assert(!rd_done(&r));
	ck_assert_uint_eq(rd_u8(&r), 0x08);
	ck_assert(rd_done(&r));
	ck_assert_uint_eq(rd_u64(&whole), 0x0102030405060708);
}
END_TEST

START_TEST(a_failure_sticks_and_ends_every_loop)
{
	struct reader r = rd_of(bytes, 8);
	int turns = 0;

	while (rd_left(&r) != 0) {
		rd_skip(&r, 3);
		turns++;
	}
	ck_assert_int_eq(turns, 3);
	ck_assert(r.bad);
	ck_assert(!rd_done(&r));
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert_ptr_null(rd_view(&r, 1).p);
	ck_assert_uint_eq(rd_view(&r, 0).len, 0);
	ck_assert(r.bad);
}
END_TEST

START_TEST(a_length_near_the_top_of_size_t_does_not_wrap)
{
	struct reader r = rd_of(bytes, 8);

	rd_skip(&r, 1);
	ck_assert_ptr_null(rd_view(&r, SIZE_MAX).p);
	ck_assert(r.bad);
}
END_TEST

START_TEST(a_sub_reader_ends_where_its_field_ends)
{
	struct reader r = rd_of(bytes, 8);
	struct reader sub = rd_sub(&r, 3);

	ck_assert_uint_eq(rd_u16(&sub), 0x0102);
	ck_assert_uint_eq(rd_u16(&sub), 0);
	ck_assert(sub.bad);
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_u8(&r), 4);
	sub = rd_sub(&r, 5);
	ck_assert(r.bad);
	ck_assert(sub.bad);
	ck_assert_uint_eq(rd_left(&sub), 0);
}
END_TEST

START_TEST(bytes_are_zero_when_there_are_too_few)
{
	uint8_t got[4] = { 9, 9, 9, 9 };
	static const uint8_t zero[4];
	struct reader r = rd_of(bytes, 6);

	rd_bytes(&r, got, 4);
	ck_assert_mem_eq(got, bytes, 4);
	rd_bytes(&r, got, 4);
	ck_assert_mem_eq(got, zero, 4);
	ck_assert(r.bad);
}
END_TEST

START_TEST(a_reader_of_nothing_is_done)
{
	struct reader r = rd_of(NULL, 5);

	ck_assert(rd_done(&r));
	ck_assert_uint_eq(rd_rest(&r).len, 0);
	ck_assert(rd_done(&r));
}
END_TEST

START_TEST(views_compare_by_content)
{
	static const uint8_t other[] = { 1, 2, 3, 9 };
	struct view a = { bytes, 3 }, b = { other, 3 }, none = { NULL, 0 };

	ck_assert(view_equal(a, b));
	a.len = b.len = 4;
	ck_assert(!view_equal(a, b));
	b.len = 3;
	ck_assert(!view_equal(a, b));
	ck_assert(view_equal(none, none));
}
END_TEST

TESTS_OF(reader)
{
	TCase *tc = tcase_create("reader");

	tcase_add_loop_test(tc, a_number_is_read_whole_or_not_at_all, 0, ARRAY_LEN(numbers));
	tcase_add_test(tc, widths_of_the_short_names);
	tcase_add_test(tc, a_failure_sticks_and_ends_every_loop);
	tcase_add_test(tc, a_length_near_the_top_of_size_t_does_not_wrap);
	tcase_add_test(tc, a_sub_reader_ends_where_its_field_ends);
	tcase_add_test(tc, bytes_are_zero_when_there_are_too_few);
	tcase_add_test(tc, a_reader_of_nothing_is_done);
	tcase_add_test(tc, views_compare_by_content);
	return tc;
}
