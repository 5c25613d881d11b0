// SPDX-License-Identifier: BSD-2-Clause
/* Dead peer detection (RFC 7296 2.4, BH-DPD-01 to 08): an empty INFORMATIONAL when the peer has
 * been silent. Silence is judged by the run-time table as well, so whichever SPU has the SA,
 * traffic from the peer counts as life. */
#include "ike_priv.h"

enum { THRESHOLD = 5, WAIT_AT_LEAST_S = 2 };

static uint64_t interval_ms(const struct ike_sa *sa)
{
	return sa->gw && sa->gw->conf.dpd ? sa->gw->conf.dpd_interval_s * 1000ull : 0;
}

void ike_dpd_arm(struct ike_sa *sa, uint64_t now)
{
	uint64_t every = interval_ms(sa);

	sa->dpd_ms = every ? now + every : UINT64_MAX;
}

struct retry_policy ike_dpd_policy(const struct ike_sa *sa)
{
	uint32_t s = sa->gw && sa->gw->conf.dpd ? sa->gw->conf.dpd_interval_s : 0;
	uint32_t n = sa->gw && sa->gw->conf.dpd_threshold ? sa->gw->conf.dpd_threshold : THRESHOLD;

	if (s == 0)
		return retry_normal;
	uint32_t ms = 1000 * (s < WAIT_AT_LEAST_S ? WAIT_AT_LEAST_S : s);
	return (struct retry_policy){ ms, ms, (uint8_t)n };
}

static uint64_t last_use(struct ike_sa *sa, bool inbound)
{
	uint64_t last = 0;
	struct list *at;

	list_each (at, &sa->children) {
		const struct child_sa *c = child_sa_at(at);
		struct sa_usage u;
		uint32_t slot = inbound ? c->slot_in : c->slot_out;

		if (sa->ike->env->runtime_usage(sa->ike->env, slot, &u) == ERR_OK &&
		    u.last_use_ms > last)
			last = u.last_use_ms;
	}
	return last;
}

void ike_dpd_look(struct ike_sa *sa, uint64_t now)
{
	uint64_t every = interval_ms(sa), heard = last_use(sa, true), sent = last_use(sa, false);
	enum ike_dpd_mode mode = sa->gw ? sa->gw->conf.dpd_mode : IKE_DPD_OPTIMIZED;

	if (sa->heard_ms > heard)
		heard = sa->heard_ms;
	ike_dpd_arm(sa, now);
	if (every == 0)
		return;
	if (mode == IKE_DPD_ALWAYS) {
		sa->wish_probe = true;
		return;
	}
	uint64_t quiet_since = mode == IKE_DPD_IDLE && sent > heard ? sent : heard;
	if (now < quiet_since + every) {
		sa->dpd_ms = quiet_since + every;
		return;
	}
	sa->wish_probe = mode == IKE_DPD_IDLE || sent > heard;
}
