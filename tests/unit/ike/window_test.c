// SPDX-License-Identifier: BSD-2-Clause
#include "ike_window.h"
#include "runner.h"

static const struct view message = { (const uint8_t *)"message", 7 };

/* clang-format off */
static const struct {
	const char *what;
	bool response, asked, answered;
	uint32_t id;
	enum ike_arrival want;
} arrivals[] = {
	{ "the request that is next",             false, false, true,  5, IKE_NEW },
	{ "the request before it",                false, false, true,  4, IKE_DUPLICATE },
	{ "the one before, without an answer",    false, false, false, 4, IKE_STRAY },
	{ "an older one",                         false, false, true,  3, IKE_STRAY },
	{ "one too far ahead",                    false, false, true,  6, IKE_STRAY },
	{ "the last that there can be",           false, false, true,  UINT32_MAX, IKE_STRAY },
	{ "the answer to what we asked",          true,  true,  true,  7, IKE_NEW },
	{ "an answer that comes again",           true,  false, true,  7, IKE_STRAY },
	{ "an answer to what we did not ask yet", true,  true,  true,  8, IKE_STRAY },
	{ "an old answer",                        true,  true,  true,  6, IKE_STRAY },
};
/* clang-format on */

START_TEST(what_a_message_id_means)
{
	struct ike_window w;

	ike_window_init(&w);
	w.next_request = 7;
	w.next_expected = 4;
	if (arrivals[_i].answered)
		ck_assert_int_eq(ike_window_answer(&w, message), ERR_OK);
	else
		w.next_expected++;
	ck_assert_int_eq(ike_window_ask(&w, message, &retry_normal, 0, 0), ERR_OK);
	if (!arrivals[_i].asked)
		ike_window_answered(&w);
	enum ike_arrival got = ike_window_judge(&w, arrivals[_i].response, arrivals[_i].id);
	ck_assert_msg(got == arrivals[_i].want, "%s: got %d", arrivals[_i].what, got);
	ike_window_done(&w);
}
END_TEST

START_TEST(a_request_is_repeated_with_growing_intervals_and_then_given_up)
{
	static const uint64_t at[] = { 500, 1500, 3500, 7500, 15500, 31500, 47500 };
	struct ike_window w;

	ike_window_init(&w);
	ck_assert_int_eq(ike_window_ask(&w, message, &retry_normal, 0, 0), ERR_OK);
	ck_assert_uint_eq(w.next_request, 1);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		ck_assert_uint_eq(w.retry_ms, at[i]);
		ck_assert(ike_window_retry(&w, at[i]));
	}
	ck_assert(!ike_window_retry(&w, w.retry_ms));
	ck_assert_uint_eq(w.retransmits, ARRAY_LEN(at));
	ike_window_answered(&w);
	ck_assert(ike_window_free(&w));
	ck_assert_uint_eq(w.retry_ms, UINT64_MAX);
	ike_window_done(&w);
}
END_TEST

START_TEST(jitter_only_lengthens_by_less_than_a_fifth)
{
	for (uint32_t random = 0; random < 1000; random++) {
		struct ike_window w;

		ike_window_init(&w);
		ck_assert_int_eq(ike_window_ask(&w, message, &retry_normal, 0, random), ERR_OK);
		ck_assert(w.retry_ms >= 500 && w.retry_ms < 600);
		ike_window_done(&w);
	}
}
END_TEST

TESTS_OF(window)
{
	TCase *tc = tcase_create("window");

	tcase_add_loop_test(tc, what_a_message_id_means, 0, ARRAY_LEN(arrivals));
	tcase_add_test(tc, a_request_is_repeated_with_growing_intervals_and_then_given_up);
	tcase_add_test(tc, jitter_only_lengthens_by_less_than_a_fifth);
	return tc;
}
