// SPDX-License-Identifier: BSD-2-Clause
/* Postquantum pre-shared keys (RFC 8784), in all that the two ends may have. */
#include "ladder.h"
#include "runner.h"

#include <string.h>

static void key(int id, const char *text)
{
	c[id].gateway.ppk = (struct view){ (const uint8_t *)text, strlen(text) };
	memcpy(c[id].gateway.ppk_id, "lab-key", 8);
}

static void comes_up(bool with)
{
	pass_all();
	tunnel_is_up();
	for (struct node *n = I; n <= R; n++)
		ck_assert_int_eq(only(n)->ppk, with);
}

static void fails(void)
{
	w.manual = false;
	start();
	world_run(&w, 3000);
	ck_assert_uint_eq(node_children(I), 0);
	ck_assert_uint_eq(node_children(R), 0);
}

START_TEST(scenario_202_both_have_it)
{
	for (int i = 0; i < 2; i++) {
		key(i, "from far away");
		c[i].gateway.ppk_required = _i & 1 << i;
	}
	comes_up(true);
}
END_TEST

/* The keys are others than they would be without: same nonces, same key pairs, by the same seed. */
START_TEST(scenario_202_it_is_in_the_keys)
{
	uint8_t d[PRF_MAX];

	key(0, "from far away");
	key(1, "from far away");
	start();
	pass_init();
	memcpy(d, only(I)->keys.d, sizeof(d));
	ck_assert_mem_eq(d, only(R)->keys.d, sizeof(d));
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_mem_eq(only(I)->keys.d, only(R)->keys.d, sizeof(d));
	ck_assert_mem_ne(only(I)->keys.d, d, only(I)->choice.suite.prf->out_len);
}
END_TEST

START_TEST(scenario_202_one_has_it_and_does_not_insist)
{
	key(_i, "from far away");
	comes_up(false);
}
END_TEST

START_TEST(scenario_202_one_insists_and_the_other_has_none)
{
	key(_i, "from far away");
	c[_i].gateway.ppk_required = true;
	fails();
	ck_assert_uint_ge(w.node[_i].events[EVENT_IKE_PPK_REFUSED], 1);
}
END_TEST

/* Named alike, but not the same key: nobody falls back then. */
START_TEST(scenario_202_another_key_of_the_same_name)
{
	key(0, "from far away");
	key(1, "from elsewhere");
	fails();
	ck_assert_uint_ge(R->events[EVENT_IKE_AUTH_FAILED], 1);
}
END_TEST

/* The responder has one of another name: NO_PPK_AUTH lets it in, unless one of them insists. */
START_TEST(scenario_202_another_name)
{
	key(0, "from far away");
	key(1, "from far away");
	c[1].gateway.ppk_id[0] = 'x';
	comes_up(false);
}
END_TEST

START_TEST(scenario_202_another_name_and_one_insists)
{
	key(0, "from far away");
	key(1, "from far away");
	c[1].gateway.ppk_id[0] = 'x';
	c[_i].gateway.ppk_required = true;
	fails();
	ck_assert_uint_ge(R->events[EVENT_IKE_PPK_REFUSED], 1);
}
END_TEST

START_TEST(it_outlives_a_restart_before_the_answer_and_a_rekey)
{
	struct effects fx = { 0 };

	key(0, "from far away");
	key(1, "from far away");
	start();
	pass_init();
	pass(EX_IKE_AUTH, false);
	node_die(I);
	node_start(I, &c[0].conf);
	w.manual = false;
	world_run(&w, 3000);
	tunnel_is_up();
	ck_assert(only(I)->ppk && only(R)->ppk);
	ck_assert_int_eq(ike_rekey_ike(I->ike, only(I)->index, &fx), ERR_OK);
	node_run(I, &fx);
	world_run(&w, 70000);
	tunnel_is_up();
	ck_assert(only(I)->ppk && only(R)->ppk);
}
END_TEST

START_TEST(a_key_needs_a_name)
{
	struct why why = { 0 };

	key(0, "from far away");
	c[0].gateway.ppk_id[0] = 0;
	ck_assert_int_eq(ike_conf_check(&c[0].conf, &why), ERR_MISSING);
}
END_TEST

TESTS_OF(ppk)
{
	TCase *tc = tcase_create("ppk");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_loop_test(tc, scenario_202_both_have_it, 0, 4);
	tcase_add_test(tc, scenario_202_it_is_in_the_keys);
	tcase_add_loop_test(tc, scenario_202_one_has_it_and_does_not_insist, 0, 2);
	tcase_add_loop_test(tc, scenario_202_one_insists_and_the_other_has_none, 0, 2);
	tcase_add_test(tc, scenario_202_another_key_of_the_same_name);
	tcase_add_test(tc, scenario_202_another_name);
	tcase_add_loop_test(tc, scenario_202_another_name_and_one_insists, 0, 2);
	tcase_add_test(tc, it_outlives_a_restart_before_the_answer_and_a_rekey);
	tcase_add_test(tc, a_key_needs_a_name);
	return tc;
}
