// SPDX-License-Identifier: BSD-2-Clause
#include "promote.h"

#define PAUSE_FIRST_MS 1000u
#define PAUSE_MAX_MS 60000u
#define PAUSE_MAX_INLINE_MS 8000u
#define PROVEN_MS 30000u

static const char *const texts[PROMOTE_REASONS] = {
	[PROMOTE_NEW] = "not tried yet",
	[PROMOTE_POLICY] = "software is configured",
	[PROMOTE_UNSUPPORTED] = "the NIC cannot do it",
	[PROMOTE_FULL] = "the NIC's SA table is full",
	[PROMOTE_REFUSED] = "the NIC refused the SA",
	[PROMOTE_UNDECRYPTED] = "the NIC handed up packets undecrypted",
	[PROMOTE_RESET] = "the NIC lost its SAs",
};

const char *promote_reason_text(enum promote_reason r)
{
	return r < PROMOTE_REASONS ? texts[r] : "unknown";
}

void promote_init(struct promote *p, enum promote_policy policy, uint64_t now_ms)
{
	*p = (struct promote){ .state = PROMOTE_IN_SOFT };
	promote_set_policy(p, policy, now_ms);
}

void promote_set_policy(struct promote *p, enum promote_policy policy, uint64_t now_ms)
{
	p->policy = (uint8_t)policy;
	p->pause_ms = PAUSE_FIRST_MS;
	p->not_before_ms = now_ms;
	if (p->state == PROMOTE_UNABLE)
		p->state = PROMOTE_IN_SOFT;
	if (p->state == PROMOTE_IN_SOFT)
		p->reason = policy == PROMOTE_SOFTWARE ? PROMOTE_POLICY : PROMOTE_NEW;
}

enum promote_step promote_next(const struct promote *p, uint64_t now_ms)
{
	if (p->state == PROMOTE_IN_NIC)
		return p->policy == PROMOTE_SOFTWARE ? PROMOTE_LEAVE : PROMOTE_STAY;
	if (p->state == PROMOTE_IN_SOFT && p->policy != PROMOTE_SOFTWARE &&
	    now_ms >= p->not_before_ms)
		return PROMOTE_TRY;
	return PROMOTE_STAY;
}

uint64_t promote_due(const struct promote *p)
{
	if (p->state == PROMOTE_IN_NIC)
		return p->policy == PROMOTE_SOFTWARE ? 0 : UINT64_MAX;
	return p->state == PROMOTE_IN_SOFT && p->policy != PROMOTE_SOFTWARE ? p->not_before_ms
	                                                                    : UINT64_MAX;
}

/* In software for a while, and longer the next time. */
static void pause_for(struct promote *p, enum promote_reason reason, uint64_t now_ms)
{
	uint32_t max = p->policy == PROMOTE_INLINE ? PAUSE_MAX_INLINE_MS : PAUSE_MAX_MS;

	p->state = PROMOTE_IN_SOFT;
	p->reason = (uint8_t)reason;
	p->not_before_ms = now_ms + p->pause_ms;
	p->pause_ms = p->pause_ms > max / 2 ? max : p->pause_ms * 2;
}

void promote_tried(struct promote *p, enum err e, uint64_t now_ms)
{
	if (e == ERR_OK) {
		p->state = PROMOTE_IN_NIC;
		p->since_ms = now_ms;
		p->promoted++;
		return;
	}
	p->refused++;
	if (e == ERR_UNSUPPORTED || e == ERR_LENGTH) {
		p->state = PROMOTE_UNABLE;
		p->reason = PROMOTE_UNSUPPORTED;
		return;
	}
	pause_for(p, e == ERR_FULL ? PROMOTE_FULL : PROMOTE_REFUSED, now_ms);
}

void promote_left(struct promote *p, uint64_t now_ms)
{
	p->state = PROMOTE_IN_SOFT;
	p->reason = PROMOTE_POLICY;
	p->not_before_ms = now_ms;
}

static bool fall_back(struct promote *p, enum promote_reason reason, uint64_t now_ms)
{
	if (p->state != PROMOTE_IN_NIC)
		return false;
	if (now_ms - p->since_ms >= PROVEN_MS)
		p->pause_ms = PAUSE_FIRST_MS;
	p->lost++;
	pause_for(p, reason, now_ms);
	return true;
}

bool promote_missed(struct promote *p, uint64_t now_ms)
{
	if (now_ms - p->since_ms < PROMOTE_GRACE_MS)
		return false;
	return fall_back(p, PROMOTE_UNDECRYPTED, now_ms);
}

bool promote_lost(struct promote *p, uint64_t now_ms)
{
	return fall_back(p, PROMOTE_RESET, now_ms);
}
