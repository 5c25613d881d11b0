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
	{ "one too far ahead",                    false, false, true,  6, IKE_AHEAD },
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

/* ---- a window of four ------------------------------------------------------------------------ */

static enum ike_arrival judge(const struct ike_window *w, uint32_t id)
{
	return ike_window_judge(w, false, id);
}

static void answer(struct ike_window *w, uint32_t id, char text)
{
	ck_assert_int_eq(judge(w, id), IKE_NEW);
	ike_window_work(w, id);
	ck_assert_uint_eq(ike_window_at_work(w), id);
	ck_assert_int_eq(ike_window_answer(w, (struct view){ (uint8_t *)&text, 1 }), ERR_OK);
	ck_assert_int_eq(judge(w, id), IKE_DUPLICATE);
	ck_assert_uint_eq(ike_window_answer_to(w, id).p[0], (uint8_t)text);
}

static void note_answer(void *ctx, struct view answer)
{
	strncat(ctx, (const char *)answer.p, answer.len);
}

START_TEST(requests_in_a_window_are_answered_in_any_order)
{
	struct ike_window w;
	char kept[16] = "";

	ike_window_init(&w);
	w.width = IKE_WINDOW;
	w.next_expected = 10;
	answer(&w, 12, 'c');
	answer(&w, 10, 'a');
	ck_assert_uint_eq(w.next_expected, 11);
	answer(&w, 13, 'd');
	ck_assert_int_eq(judge(&w, 15), IKE_AHEAD); /* 11 is missing */
	ck_assert_int_eq(judge(&w, 14), IKE_NEW);
	ck_assert_int_eq(judge(&w, 9), IKE_STRAY);
	ike_window_each_answer(&w, note_answer, kept);
	ck_assert_str_eq(kept, "acd");
	answer(&w, 11, 'b');
	ck_assert_uint_eq(w.next_expected, 14);
	answer(&w, 17, 'h'); /* the peer has got all up to 13 */
	ck_assert_int_eq(judge(&w, 13), IKE_STRAY);
	ck_assert_uint_eq(ike_window_at_work(&w), 14);
	ike_window_done(&w);
}
END_TEST

START_TEST(a_window_of_one_keeps_one_answer)
{
	struct ike_window w;

	ike_window_init(&w);
	for (uint32_t id = 0; id < 10; id++) {
		char kept[16] = "";

		answer(&w, id, (char)('a' + id));
		ike_window_each_answer(&w, note_answer, kept);
		ck_assert_uint_eq(strlen(kept), 1);
		ck_assert(id == 0 || judge(&w, id - 1) == IKE_STRAY);
	}
	ike_window_done(&w);
}
END_TEST

START_TEST(all_answers_together_have_an_end)
{
	static uint8_t big[20000];
	struct ike_window w;
	size_t bytes = 0;

	ike_window_init(&w);
	w.width = IKE_WINDOW;
	for (uint32_t id = 0; id < 4; id++)
		ck_assert_int_eq(ike_window_answer(&w, (struct view){ big, sizeof(big) }), ERR_OK);
	for (uint32_t id = 0; id < 4; id++)
		bytes += ike_window_answer_to(&w, id).len;
	ck_assert_uint_eq(bytes, 2 * sizeof(big));
	ck_assert_uint_eq(ike_window_answer_to(&w, 3).len, sizeof(big));
	ike_window_done(&w);
}
END_TEST

START_TEST(message_ids_have_an_end)
{
	struct ike_window w;

	ike_window_init(&w);
	w.next_expected = IKE_ID_MOST;
	ck_assert_int_eq(judge(&w, IKE_ID_MOST), IKE_NEW);
	ck_assert_int_eq(ike_window_answer(&w, message), ERR_OK);
	ck_assert_int_eq(judge(&w, IKE_ID_MOST + 1), IKE_STRAY);
	ike_window_done(&w);
}
END_TEST

TESTS_OF(window)
{
	TCase *tc = tcase_create("window");

	tcase_add_loop_test(tc, what_a_message_id_means, 0, ARRAY_LEN(arrivals));
	tcase_add_test(tc, a_request_is_repeated_with_growing_intervals_and_then_given_up);
	tcase_add_test(tc, requests_in_a_window_are_answered_in_any_order);
	tcase_add_test(tc, a_window_of_one_keeps_one_answer);
	tcase_add_test(tc, all_answers_together_have_an_end);
	tcase_add_test(tc, message_ids_have_an_end);
	tcase_add_test(tc, jitter_only_lengthens_by_less_than_a_fifth);
	return tc;
}
