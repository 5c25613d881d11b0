// SPDX-License-Identifier: BSD-2-Clause
#include "effects.h"
#include "runner.h"

#include <string.h>

#define V(s) ((struct view){ (const uint8_t *)(s), sizeof(s) - 1 })

struct counted {
	struct job job;
	unsigned *discarded;
};

static void discard(struct job *job)
{
	++*((struct counted *)job)->discarded;
}

START_TEST(the_list_keeps_order_and_copies)
{
	struct effects fx = { 0 };
	struct record_key key = record_key_tunnel(7);
	char body[] = "body", bytes[] = "bytes";

	fx_put(&fx, &key, (struct view){ (uint8_t *)body, 4 });
	fx_del(&fx, &key);
	fx_send(&fx, &(struct fx_send){ .bytes = { (uint8_t *)bytes, 5 }, .after_anchor = 9 });
	fx_event(&fx, EVENT_IKE_SA_UP, "gateway %s", "G");
	body[0] = bytes[0] = 'x';
	ck_assert(!fx.overrun);
	ck_assert_uint_eq(fx.n, 4);
	ck_assert_int_eq(fx.at[0].kind, FX_PUT);
	ck_assert(view_equal(fx.at[0].body, V("body")));
	ck_assert_mem_eq(&fx.at[0].key, &key, sizeof(key));
	ck_assert_int_eq(fx.at[1].kind, FX_DEL);
	ck_assert_int_eq(fx.at[2].kind, FX_SEND);
	ck_assert(view_equal(fx.at[2].send.bytes, V("bytes")));
	ck_assert_int_eq(fx.at[2].send.after_anchor, 9);
	ck_assert_int_eq(fx.at[3].event, EVENT_IKE_SA_UP);
	ck_assert_str_eq(fx.at[3].text, "gateway G");
	effects_done(&fx);
	ck_assert_uint_eq(fx.n, 0);
	fx_del(&fx, &key); /* usable again */
	ck_assert_uint_eq(fx.n, 1);
	effects_done(&fx);
}
END_TEST

START_TEST(jobs_that_nobody_executed_are_discarded)
{
	struct effects fx = { 0 };
	unsigned discarded = 0;
	struct counted a = { { NULL, discard }, &discarded }, b = a;

	fx_job(&fx, &a.job);
	fx_job(&fx, &b.job);
	fx.at[0].job = NULL; /* the owner of the loop took it */
	effects_done(&fx);
	ck_assert_uint_eq(discarded, 1);
}
END_TEST

START_TEST(the_ceiling_is_an_overrun_and_no_more)
{
	struct effects fx = { 0 };
	struct record_key key = record_key_node();
	unsigned discarded = 0;
	struct counted late = { { NULL, discard }, &discarded };

	for (size_t i = 0; i < EFFECTS_MAX; i++)
		fx_del(&fx, &key);
	ck_assert(!fx.overrun);
	ck_assert_uint_eq(fx.n, EFFECTS_MAX);
	fx_put(&fx, &key, V("x"));
	ck_assert(fx.overrun);
	ck_assert_uint_eq(fx.n, EFFECTS_MAX);
	fx_job(&fx, &late.job); /* not leaked */
	ck_assert_uint_eq(discarded, 1);
	effects_done(&fx);
	ck_assert(!fx.overrun);
}
END_TEST

TESTS_OF(effects)
{
	TCase *tc = tcase_create("effects");

	tcase_add_test(tc, the_list_keeps_order_and_copies);
	tcase_add_test(tc, jobs_that_nobody_executed_are_discarded);
	tcase_add_test(tc, the_ceiling_is_an_overrun_and_no_more);
	return tc;
}
