// SPDX-License-Identifier: BSD-2-Clause
#include "ike_priv.h"
#include "runner.h"

#include <stdio.h>

/* States that wait for a peer, a job or time. */
static bool waits(int s)
{
	return s != IKE_IDLE && s != IKE_GONE;
}

START_TEST(each_state_is_reachable)
{
	bool seen[IKE_STATES] = { [IKE_IDLE] = true };

	for (int turn = 0; turn < IKE_STATES; turn++)
		for (int s = 0; s < IKE_STATES; s++)
			for (int e = 0; seen[s] && e < IKE_EVENTS; e++)
				if (ike_steps[s][e].action)
					seen[ike_steps[s][e].worked] = true;
	for (int s = 0; s < IKE_STATES; s++)
		ck_assert_msg(seen[s], "%s is reached by nothing",
		              ike_state_text((enum ike_state)s));
}
END_TEST

START_TEST(who_waits_can_give_up)
{
	for (int s = 0; s < IKE_STATES; s++) {
		const struct ike_step *step = &ike_steps[s][EV_GIVE_UP];

		if (waits(s))
			ck_assert_msg(step->action && step->worked == IKE_GONE, "%s waits for ever",
			              ike_state_text((enum ike_state)s));
	}
}
END_TEST

START_TEST(gone_is_the_end)
{
	for (int e = 0; e < IKE_EVENTS; e++) {
		ck_assert_ptr_null(ike_steps[IKE_GONE][e].action);
		ck_assert_ptr_nonnull(ike_event_text((enum ike_event)e));
	}
}
END_TEST

/* Two rows lead up that have checked who the peer is, and one that inherits it. */
START_TEST(nobody_is_up_without_authentication)
{
	for (int s = 0; s < IKE_STATES; s++)
		for (int e = 0; e < IKE_EVENTS; e++) {
			const struct ike_step *step = &ike_steps[s][e];
			bool leads_up = step->action && s != IKE_UP &&
			                (step->worked == IKE_UP || step->failed == IKE_UP);

			ck_assert_int_eq(leads_up,
			                 (s == IKE_AUTH_SENT && e == EV_AUTH_REPLY) ||
			                         (s == IKE_INIT_ANSWERED && e == EV_AUTH_REQUEST) ||
			                         (s == IKE_IDLE && e == EV_INHERIT));
		}
}
END_TEST

START_TEST(states_in_records_come_back)
{
	for (int s = 0; s < IKE_STATES; s++) {
		struct ike_sa sa = { .state = IKE_IDLE };
		uint32_t number = ike_fsm_number((enum ike_state)s);

		if (number == 0)
			continue;
		ck_assert_int_eq(ike_fsm_restore(&sa, number), ERR_OK);
		ck_assert_int_eq(sa.state, s);
	}
	struct ike_sa sa = { .state = IKE_IDLE };
	ck_assert_int_ne(ike_fsm_restore(&sa, 0), ERR_OK);
	ck_assert_int_ne(ike_fsm_restore(&sa, 99), ERR_OK);
}
END_TEST

TESTS_OF(fsm)
{
	TCase *tc = tcase_create("fsm");

	tcase_add_test(tc, each_state_is_reachable);
	tcase_add_test(tc, who_waits_can_give_up);
	tcase_add_test(tc, gone_is_the_end);
	tcase_add_test(tc, nobody_is_up_without_authentication);
	tcase_add_test(tc, states_in_records_come_back);
	return tc;
}
