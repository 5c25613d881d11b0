// SPDX-License-Identifier: BSD-2-Clause
/* Half-open SAs are what anybody can make us keep: bounded, and refused silently. */
#include "ike_priv.h"

enum { HALF_OPEN_MAX = 300 };

bool ike_guard_admits(const struct ike *ike)
{
	return ike->stats.half_open < (ike->half_open_max ? ike->half_open_max : HALF_OPEN_MAX);
}
