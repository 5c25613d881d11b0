// SPDX-License-Identifier: BSD-2-Clause
#include "numbered.h"
#include "runner.h"

static const struct numbered sample = { 0x1122334455667788u, 7, 1700000000123456789u, 3 };

START_TEST(what_was_written_is_read)
{
	uint8_t buf[NUMBERED_MAX];
	struct numbered got = { 0 };
	static const size_t sizes[] = { NUMBERED_MIN, NUMBERED_MIN + 1, 200, 1419, NUMBERED_MAX };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		numbered_write(&sample, buf, sizes[i]);
		enum err e = numbered_read((struct view){ buf, sizes[i] }, &got);

		ck_assert_msg(e == ERR_OK, "%zu bytes: %s", sizes[i], err_text(e));
		ck_assert(got.run == sample.run && got.seq == sample.seq);
		ck_assert(got.flow == sample.flow && got.sent_ns == sample.sent_ns);
	}
}
END_TEST

static const struct {
	const char *what;
	size_t flip; /* a bit of this byte is turned over */
	size_t len;  /* of 200 */
	enum err want;
} damaged[] = {
	{ "nothing", 0, 0, ERR_UNKNOWN },
	{ "cut in the header", 199, NUMBERED_MIN - 1, ERR_UNKNOWN },
	{ "another magic", 0, 200, ERR_UNKNOWN },
	{ "another flow", 5, 200, ERR_CORRUPT },
	{ "another length", 7, 200, ERR_CORRUPT },
	{ "another run", 8, 200, ERR_CORRUPT },
	{ "another number", 23, 200, ERR_CORRUPT },
	{ "first byte of the pattern", NUMBERED_MIN, 200, ERR_CORRUPT },
	{ "last byte of the pattern", 199, 200, ERR_CORRUPT },
	{ "cut by one byte", 199, 199, ERR_CORRUPT },
};

START_TEST(damage_is_seen)
{
	uint8_t buf[200];
	struct numbered got;

	numbered_write(&sample, buf, sizeof(buf));
	buf[damaged[_i].flip] ^= 1;
	enum err e = numbered_read((struct view){ buf, damaged[_i].len }, &got);

	ck_assert_msg(e == damaged[_i].want, "%s: got \"%s\"", damaged[_i].what, err_text(e));
}
END_TEST

TESTS_OF(numbered)
{
	TCase *tc = tcase_create("numbered");

	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_loop_test(tc, damage_is_seen, 0, (int)ARRAY_LEN(damaged));
	return tc;
}
