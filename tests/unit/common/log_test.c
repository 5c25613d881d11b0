// SPDX-License-Identifier: BSD-2-Clause
#include "log.h"
#include "node_shm.h"
#include "runner.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int ends[2];
static struct log logger;

static void setup(void)
{
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	log_init(&logger, ends[1], LOG_INFO);
}

static void teardown(void)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* What was said since the last call. */
static const char *said(void)
{
	static char text[8192];
	ssize_t n = read(ends[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned lines(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

START_TEST(a_line_has_level_name_text_and_details)
{
	log_event(&logger, 0, EVENT_IKE_TIMEOUT, "gateway %s", "G");
	ck_assert_str_eq(said(), "<4>IKE_TIMEOUT: peer does not answer, given up: gateway G\n");
	log_event(&logger, 0, EVENT_KEEPER_UP, "%s", "");
	ck_assert_str_eq(said(), "<6>KEEPER_UP: keeper ready\n");
}
END_TEST

START_TEST(details_of_a_peer_stay_on_one_line)
{
	log_event(&logger, 0, EVENT_IKE_PEER_REFUSED, "%s", "a\nb\033[2J\x7f");
	ck_assert_str_eq(said(), "<4>IKE_PEER_REFUSED: peer refused: a.b.[2J.\n");
	char big[4000];
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_event(&logger, 0, EVENT_IKE_PEER_REFUSED, "%s", big);
	const char *got = said();
	ck_assert_uint_eq(lines(got), 1);
	ck_assert_uint_le(strlen(got), 600);
}
END_TEST

START_TEST(a_flood_is_counted_and_said_at_a_limited_rate)
{
	for (int i = 0; i < 1000; i++)
		log_event(&logger, 5000, EVENT_IKE_MESSAGE_INVALID, "%s", "");
	ck_assert_uint_eq(lines(said()), LOG_BURST);
	ck_assert_uint_eq(logger.count[EVENT_IKE_MESSAGE_INVALID], 1000);
	log_event(&logger, 5000, EVENT_IKE_TIMEOUT, "%s", ""); /* its own bucket */
	ck_assert_uint_eq(lines(said()), 1);
	log_event(&logger, 5000 + LOG_REFILL_MS, EVENT_IKE_MESSAGE_INVALID, "%s", "from x");
	ck_assert_str_eq(said(), "<4>IKE_MESSAGE_INVALID: malformed message, dropped: from x "
	                         "(990 more not shown)\n");
	log_event(&logger, 5000 + LOG_REFILL_MS, EVENT_IKE_MESSAGE_INVALID, "%s", "");
	ck_assert_str_eq(said(), "");
	for (int i = 0; i < 100; i++)
		log_event(&logger, 900000, EVENT_IKE_MESSAGE_INVALID, "%s", "");
	ck_assert_uint_eq(lines(said()), LOG_BURST);
}
END_TEST

START_TEST(errors_and_alerts_are_always_said)
{
	for (int i = 0; i < 50; i++)
		log_event(&logger, 0, EVENT_SPU_DOWN, "%s", "");
	ck_assert_uint_eq(lines(said()), 50);
}
END_TEST

START_TEST(what_is_less_urgent_than_wanted_is_only_counted)
{
	log_init(&logger, ends[1], LOG_WARNING);
	log_event(&logger, 0, EVENT_IKE_SA_UP, "%s", "");
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(logger.count[EVENT_IKE_SA_UP], 1);
}
END_TEST

START_TEST(every_drop_reason_has_a_name)
{
	ck_assert_str_eq(drop_name(DROP_UNKNOWN_SPI), "unknown-spi");
	ck_assert_str_eq(drop_text(DROP_UNKNOWN_SPI), "unknown SPI");
	ck_assert_str_eq(drop_name(DROP_MAX), "unknown");
	for (unsigned i = 0; i < DROP_MAX; i++) {
		const char *name = drop_name(i);

		ck_assert_msg(*name && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name),
		              "%u: %s", i, name);
		for (unsigned k = 0; k < i; k++)
			ck_assert_str_ne(name, drop_name(k));
	}
}
END_TEST

TESTS_OF(log)
{
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_line_has_level_name_text_and_details);
	tcase_add_test(tc, details_of_a_peer_stay_on_one_line);
	tcase_add_test(tc, a_flood_is_counted_and_said_at_a_limited_rate);
	tcase_add_test(tc, errors_and_alerts_are_always_said);
	tcase_add_test(tc, what_is_less_urgent_than_wanted_is_only_counted);
	tcase_add_test(tc, every_drop_reason_has_a_name);
	return tc;
}
