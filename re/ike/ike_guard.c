// SPDX-License-Identifier: BSD-2-Clause
/* New initial messages: in which order they are judged (spec of the half-open limits; RFC 7296 2.6,
 * RFC 8019 4.2). */
#include "ike_priv.h"
#include "secret.h"

enum {
	HALF_OPEN_MAX = 300,
	COOKIE_AT = 150, /* built in, as the next two: where no limit is configured */
	REDUCE_AT = 225,
	REDUCED_S = 30,
	TIMEOUT_S = 60,
	/* Key pairs of half-open SAs in the pool at once: what established peers ask for waits
	 * behind no more than these. */
	ANSWERING_MAX = 512,
};

enum err ike_guard_init(struct ike *ike)
{
	struct ike_guard *g = &ike->guard;
	uint8_t key[3][16];

	ike->env->random(ike->env, key, sizeof(key));
	TRY(ike_backoff_init(&g->backoff, key[0]));
	TRY(ike_rates_init(&g->rates, key[1]));
	return hash_init(&g->by_source, key[2]);
}

void ike_guard_done(struct ike *ike)
{
	ike_backoff_done(&ike->guard.backoff);
	ike_rates_done(&ike->guard.rates);
	hash_done(&ike->guard.by_source);
	secret_wipe(&ike->guard.cookies, sizeof(ike->guard.cookies));
}

bool ike_guard_may_say(struct ike *ike, enum ike_said kind)
{
	uint64_t now = ike->env->now_ms(ike->env);

	if (now >= ike->guard.said[kind].since_ms + 1000) {
		ike->guard.said[kind].since_ms = now;
		ike->guard.said[kind].n = 0;
	}
	return ike->guard.said[kind].n++ < SAID_PER_SECOND;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static uint32_t half_open_max(const struct ike_conf_session *c)
{
	return c->half_open_max ? c->half_open_max : HALF_OPEN_MAX;
}

/* A threshold that is not configured is built in, unless a limit of the operator's own stands. */
static bool reached(const struct ike *ike, uint32_t configured, uint32_t built_in)
{
	uint32_t at = configured                           ? configured
	              : ike->guard.conf.half_open_max == 0 ? built_in
	                                                   : UINT32_MAX;

	return ike->stats.half_open >= at;
}

static uint64_t lifetime_ms(const struct ike *ike)
{
	const struct ike_conf_session *c = &ike->guard.conf;
	uint32_t s = c->half_open_timeout_s ? c->half_open_timeout_s : TIMEOUT_S;

	if (reached(ike, c->reduce_at, REDUCE_AT)) {
		uint32_t reduced = c->reduced_timeout_s ? c->reduced_timeout_s : REDUCED_S;

		s = reduced < s ? reduced : s;
	}
	return s * 1000ull;
}

/* An SA that is over lingers only to repeat its last answer: the oldest makes way. */
static void forget_one_that_is_over(struct ike *ike, struct effects *fx)
{
	if (list_empty(&ike->ended))
		return;
	(void)!ike_step(CONTAINER_OF(ike->ended.next, struct ike_sa, of_ended), EV_GIVE_UP, NULL,
	                fx);
}

static bool is_full(const struct ike *ike)
{
	return ike->stats.half_open >= half_open_max(&ike->guard.conf) ||
	       ike->guard.answering >= ANSWERING_MAX;
}

/* ---- where half-open SAs came from ----------------------------------------------------------- */

static struct view source_key(uint8_t key[IKE_SOURCE_KEY], const struct endpoint *local,
                              const struct endpoint *remote)
{
	struct writer w = wr_of(key, IKE_SOURCE_KEY);

	wr_bytes(&w, local->addr.b, addr_len(&local->addr));
	wr_bytes(&w, remote->addr.b, addr_len(&remote->addr));
	wr_u16(&w, remote->port);
	return wr_done(&w);
}

/* The peer negotiates already, and had no SA with us when it began. */
static bool negotiates(const struct ike *ike, const struct ike_in *in)
{
	uint8_t key[IKE_SOURCE_KEY];
	struct hash_node *node =
	        hash_get(&ike->guard.by_source, source_key(key, &in->local, &in->remote));

	return node && !CONTAINER_OF(node, struct ike_sa, by_source)->peer_was_up;
}

static bool has_sa_with(struct ike *ike, const struct addr *remote)
{
	struct list *at;

	list_each (at, &ike->sas)
		if (ike_sa_at(at)->state == IKE_UP &&
		    addr_equal(&ike_sa_at(at)->remote.addr, remote))
			return true;
	return false;
}

void ike_guard_admitted(struct ike_sa *sa)
{
	struct ike *ike = sa->ike;

	sa->give_up_ms = ike_sa_now(sa) + lifetime_ms(ike);
	if (!ike->guard.conf.discard_duplicate)
		return;
	sa->peer_was_up = has_sa_with(ike, &sa->remote.addr);
	/* Of two from one place the first is found. */
	(void)!hash_put(&ike->guard.by_source, &sa->by_source,
	                source_key(sa->source_key, &sa->local, &sa->remote));
}

void ike_guard_moved(struct ike_sa *sa, bool was_half_open, bool was_answering)
{
	bool is_half_open = ike_sa_half_open(sa), is_answering = sa->state == IKE_ANSWERING;

	sa->ike->stats.half_open += (uint32_t)is_half_open - (uint32_t)was_half_open;
	sa->ike->guard.answering += (uint32_t)is_answering - (uint32_t)was_answering;
	if (sa->state != IKE_ANSWERING && sa->state != IKE_INIT_ANSWERED)
		hash_del(&sa->ike->guard.by_source, &sa->by_source);
}

/* ---- the verdict ----------------------------------------------------------------------------- */

bool ike_guard_holds_off(struct ike *ike, const struct ike_in *in, struct effects *fx)
{
	struct ike_peer_info *p = ike_backoff_find(&ike->guard.backoff, &in->local, &in->remote);
	uint64_t now = ike->env->now_ms(ike->env);

	if (p == NULL || p->until_ms <= now)
		return false;
	p->refused++;
	ike->stats.backoff_refused++;
	if (ike_guard_may_say(ike, SAID_BACKOFF))
		ike_peer_event(fx, EVENT_IKE_GATEWAY_PEER_BACKOFF, p,
		               "refused, reason %s, %lu seconds left", ike_failure_text(p->reason),
		               (unsigned long)((p->until_ms - now + 999) / 1000));
	return true;
}

static enum ike_verdict dropped(struct ike *ike, const struct ike_in *in, uint64_t *counter,
                                enum ike_said kind, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	++*counter;
	if (ike_guard_may_say(ike, kind))
		fx_event(fx,
		         kind == SAID_DUPLICATE ? EVENT_IKE_DUPLICATE_INITIATION
		                                : EVENT_IKE_HALF_OPEN_LIMIT,
		         "peer %s, %u half-open", endpoint_text(&in->remote, from),
		         ike->stats.half_open);
	return IKE_DROP;
}

/* Must it come back with a cookie? One that does not hold is as none (2.6). */
static bool wants_cookie(struct ike *ike, const struct ike_cookie_of *of, struct view cookie,
                         struct effects *fx)
{
	if (!reached(ike, ike->guard.conf.cookie_at, COOKIE_AT))
		return false;
	if (cookie.len && ike_cookie_holds(&ike->guard.cookies, ike->env, of, cookie)) {
		ike->stats.cookies_returned++;
		return false;
	}
	ike->stats.cookies_wrong += cookie.len != 0;
	ike->stats.cookies_demanded++;
	if (ike_guard_may_say(ike, SAID_COOKIES))
		fx_event(fx, EVENT_IKE_COOKIE_DEMANDED, "%u half-open", ike->stats.half_open);
	return true;
}

enum ike_verdict ike_guard_judge(struct ike *ike, const struct ike_in *in,
                                 const struct ike_cookie_of *of, struct view cookie,
                                 struct effects *fx)
{
	if (ike->guard.conf.discard_duplicate && negotiates(ike, in))
		return dropped(ike, in, &ike->stats.duplicate_initiations, SAID_DUPLICATE, fx);
	if (wants_cookie(ike, of, cookie, fx))
		return IKE_COOKIE;
	if (is_full(ike))
		forget_one_that_is_over(ike, fx);
	if (is_full(ike))
		return dropped(ike, in, &ike->stats.half_open_refused, SAID_FULL, fx);
	return IKE_ADMIT;
}
