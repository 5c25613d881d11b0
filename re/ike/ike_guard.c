// SPDX-License-Identifier: BSD-2-Clause
/* Half-open SAs are what anybody can make us keep: bounded, and refused silently. */
#include "ike_priv.h"

enum { HALF_OPEN_MAX = 300 };

static bool is_full(const struct ike *ike)
{
	return ike->stats.half_open >= (ike->half_open_max ? ike->half_open_max : HALF_OPEN_MAX);
}

/* An SA that is over lingers only to repeat its last answer: the oldest makes way. */
static void forget_one_that_is_over(struct ike *ike, struct effects *fx)
{
	if (list_empty(&ike->ended))
		return;
	(void)!ike_step(CONTAINER_OF(ike->ended.next, struct ike_sa, of_ended), EV_GIVE_UP, NULL,
	                fx);
}

bool ike_guard_admits(struct ike *ike, struct effects *fx)
{
	if (is_full(ike))
		forget_one_that_is_over(ike, fx);
	return !is_full(ike);
}
