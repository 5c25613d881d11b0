// SPDX-License-Identifier: BSD-2-Clause
/* What was secret is wiped before its memory goes back: the linker sends this program's free() here
 * (meson.build), which looks for the secret in each block. */
#include "effects.h"
#include "runner.h"
#include "secret.h"

#include <malloc.h>
#include <string.h>

static const uint8_t mark[16] = { 0xd3, 0x1c, 0xa5, 0x77, 0x0e, 0x92, 0x4b, 0xf8,
	                          0x61, 0xbd, 0x36, 0xe9, 0x58, 0x84, 0xca, 0x2f };
static bool watched;
static unsigned found;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
	if (watched && p != NULL)
		found += memmem(p, malloc_usable_size(p), mark, sizeof(mark)) != NULL;
	__real_free(p);
}

static const struct view secret = { mark, sizeof(mark) };

START_TEST(a_secret_is_wiped)
{
	struct secret *s = secret_copy(secret);

	watched = true;
	secret_free(s);
	watched = false;
	ck_assert_uint_eq(found, 0);
}
END_TEST

START_TEST(bodies_of_records_and_messages_are_wiped)
{
	struct record_key key = record_key_node();
	struct fx_send send = { .bytes = secret };
	struct effects fx = { 0 };

	fx_put(&fx, &key, secret);
	fx_send(&fx, &send);
	watched = true;
	effects_done(&fx);
	watched = false;
	ck_assert_uint_eq(found, 0);
}
END_TEST

TESTS_OF(wipe)
{
	TCase *tc = tcase_create("wipe");

	tcase_add_test(tc, a_secret_is_wiped);
	tcase_add_test(tc, bodies_of_records_and_messages_are_wiped);
	return tc;
}
