// SPDX-License-Identifier: BSD-2-Clause
/* What is known of peers apart from their SAs: failures, backoff, blocklists, limits of a gateway
 * and of exchanges; and how events name a peer (DEC-21 to 23). */
#include "ike_priv.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const failure_texts[] = {
	[IKE_FAILED_INIT] = "init-phase-failure",
	[IKE_FAILED_AUTH] = "auth-phase-failure",
	[IKE_FAILED_BLOCKED] = "blocked",
};

const char *ike_failure_text(enum ike_failure reason)
{
	return failure_texts[reason];
}

/* As in the statements that configure them. */
const char *ike_id_type_text(uint8_t type)
{
	switch (type) {
	case IKE_ID_IPV4:
		return "inet";
	case IKE_ID_IPV6:
		return "inet6";
	case IKE_ID_FQDN:
		return "hostname";
	case IKE_ID_RFC822:
		return "user-at-hostname";
	case IKE_ID_DN:
		return "distinguished-name";
	case IKE_ID_KEY_ID:
		return "key-id";
	default:
		return "none";
	}
}

void ike_peer_event(struct effects *fx, enum event_id event, const struct ike_peer_info *p,
                    const char *fmt, ...)
{
	char local[ENDPOINT_TEXT_MAX], remote[ENDPOINT_TEXT_MAX], more[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	fx_event(fx, event, "gateway %s local %s remote %s id %s type %s role %s, %s", p->gateway,
	         endpoint_text(&p->local, local), endpoint_text(&p->remote, remote),
	         p->id[0] ? p->id : "-", ike_id_type_text(p->id_type),
	         p->peer_responds ? "responder" : "initiator", more);
}

struct ike_who ike_who_of(const struct ike_sa *sa, const struct ike_id *id)
{
	return (struct ike_who){
		sa->gw ? sa->gw->conf.name : "-",          sa->local,     sa->remote,
		id && id->type != IKE_ID_NONE ? id : NULL, sa->initiator, sa->natd.remote
	};
}

static void info_of(struct ike *ike, const struct ike_who *who, enum ike_failure reason,
                    struct ike_peer_info *p)
{
	char id[IKE_ID_TEXT_MAX] = "";

	*p = (struct ike_peer_info){ .local = who->local,
		                     .remote = who->remote,
		                     .reason = reason,
		                     .at_ms = ike->env->now_ms(ike->env),
		                     .peer_responds = who->peer_responds };
	(void)snprintf(p->gateway, sizeof(p->gateway), "%s", who->gateway);
	if (who->id) {
		p->id_type = who->id->type;
		(void)snprintf(p->id, sizeof(p->id), "%s", ike_id_text(who->id, id));
	}
}

/* Remembered; and in backoff for so long. Peers that only answer us are not kept from coming. */
static void remember(struct ike *ike, struct ike_peer_info *p, bool nat, uint32_t seconds,
                     struct effects *fx)
{
	if (seconds) {
		p->until_ms = p->at_ms + seconds * 1000ull;
		ike->stats.backoffs++;
		ike_peer_event(fx, EVENT_IKE_GATEWAY_PEER_BACKOFF, p, "reason %s, %u seconds",
		               ike_failure_text(p->reason), seconds);
	}
	ike_backoff_note(&ike->guard.backoff, p, nat);
}

void ike_guard_failed(struct ike *ike, const struct ike_who *who, enum ike_failure phase,
                      const char *what, struct effects *fx)
{
	const struct ike_conf_session *c = &ike->guard.conf;
	bool init = phase == IKE_FAILED_INIT;
	uint32_t seconds = init ? c->backoff_init_s : c->backoff_auth_s;
	struct ike_peer_info p;

	info_of(ike, who, phase, &p);
	ike->stats.failed_init += init;
	ike->stats.failed_auth += !init;
	/* Anybody can make IKE_SA_INITs fail, in anybody's name. */
	if (!init || ike_guard_may_say(ike, SAID_STRANGER))
		ike_peer_event(fx, EVENT_IKE_GATEWAY_PEER_FAILED, &p, "phase %s, reason %s",
		               init ? "init" : "auth", what);
	if (who->peer_responds)
		seconds = 0;
	if (!init || seconds || who->peer_responds)
		remember(ike, &p, who->nat, seconds, fx);
}

bool ike_guard_blocks(struct ike *ike, const struct gateway *gw, const struct ike_who *who,
                      struct ike_block_hit *ret, struct effects *fx)
{
	struct ike_peer_info p;

	if (gw->blocklist == NULL ||
	    !ike_blocklist_has(gw->blocklist, who->peer_responds, who->id, ret))
		return false;
	info_of(ike, who, IKE_FAILED_BLOCKED, &p);
	(void)snprintf(p.gateway, sizeof(p.gateway), "%s", gw->conf.name);
	(void)snprintf(p.list, sizeof(p.list), "%s", ret->list);
	(void)snprintf(p.rule, sizeof(p.rule), "%s", ret->rule);
	p.reject = ret->reject;
	ike->stats.blocked++;
	ike_peer_event(fx, EVENT_IKE_GATEWAY_PEER_BLOCKED, &p, "list %s rule %s action %s",
	               ret->list, ret->rule, ret->reject ? "reject" : "discard");
	remember(ike, &p, who->nat,
	         ret->backoff_s ? ret->backoff_s : ike->guard.conf.backoff_auth_s, fx);
	return true;
}

void ike_guard_succeeded(const struct ike_sa *sa)
{
	ike_backoff_forget(&sa->ike->guard.backoff, &sa->local, &sa->remote);
}

uint64_t ike_guard_not_before(const struct ike *ike, const struct endpoint *local,
                              const struct endpoint *remote)
{
	const struct ike_peer_info *p = ike_backoff_find(&ike->guard.backoff, local, remote);

	return p ? p->until_ms : 0;
}

/* ---- peers of a gateway ---------------------------------------------------------------------- */

/* Is an earlier SA of the same peer counted already? */
static bool counted_before(const struct ike_sa *sa)
{
	struct list *at;

	list_each (at, &sa->same_id) {
		const struct ike_sa *o = CONTAINER_OF(at, struct ike_sa, same_id);

		if (o->state == IKE_UP && o->gw == sa->gw && o->index < sa->index &&
		    ike_id_equal(ike_sa_peer_id(o), ike_sa_peer_id(sa)))
			return true;
	}
	return false;
}

/* A peer that is there already, by another SA that it renews, is never refused. Half-open SAs
 * belong to no gateway yet: who they are of is told by the message that is judged here. */
bool ike_guard_crowded(const struct ike_sa *sa, const struct gateway *gw, const struct ike_id *id,
                       struct effects *fx)
{
	struct ike *ike = sa->ike;
	uint32_t peers = 0;
	struct list *at;

	if (gw->conf.connections_max == 0)
		return false;
	list_each (at, &ike->sas) {
		const struct ike_sa *o = ike_sa_at(at);

		if (o->state != IKE_UP || o->gw != gw)
			continue;
		if (ike_id_equal(ike_sa_peer_id(o), id))
			return false;
		peers += !counted_before(o);
	}
	if (peers < gw->conf.connections_max)
		return false;
	struct ike_who who = ike_who_of(sa, id);
	struct ike_peer_info p;
	info_of(ike, &who, IKE_FAILED_AUTH, &p);
	(void)snprintf(p.gateway, sizeof(p.gateway), "%s", gw->conf.name);
	ike->stats.connections_refused++;
	ike_peer_event(fx, EVENT_IKE_CONNECTIONS_LIMIT, &p, "%u connected", peers);
	return true;
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static const char *const rate_texts[IKE_RATES] = { "ike-rekey", "ipsec-rekey", "keepalive" };

bool ike_guard_rate(const struct ike_sa *sa, enum ike_rate kind, uint32_t tunnel,
                    struct effects *fx)
{
	struct ike *ike = sa->ike;
	uint64_t who = kind == IKE_RATE_IPSEC_REKEY ? tunnel : sa->id_key;

	if (ike_rates_admit(&ike->guard.rates, &ike->guard.conf, kind, who, ike_sa_now(sa)))
		return true;
	struct ike_who peer = ike_who_of(sa, ike_sa_peer_id(sa));
	struct ike_peer_info p;
	info_of(ike, &peer, IKE_FAILED_AUTH, &p);
	ike->stats.rate_refused[kind]++;
	ike_peer_event(fx, EVENT_IKE_EXCHANGE_RATE, &p, "%s, %u in %u seconds", rate_texts[kind],
	               ike->guard.conf.rate[kind].count, ike->guard.conf.rate[kind].seconds);
	return false;
}

/* ---- commands -------------------------------------------------------------------------------- */

void ike_each_peer(struct ike *ike, enum ike_peers which,
                   bool (*fn)(void *ctx, const struct ike_peer_info *), void *ctx)
{
	uint64_t now = ike->env->now_ms(ike->env);
	struct list *at;

	list_each (at, &ike->guard.backoff.all) {
		const struct ike_peer_info *p =
		        &CONTAINER_OF(at, struct backoff_entry, in_all)->info;

		if (ike_backoff_is(p, which, now) && !fn(ctx, p))
			return;
	}
}

static uint32_t forget_negotiations(struct ike *ike, struct effects *fx)
{
	struct list *at, *after;
	uint32_t n = 0;

	list_each_safe (at, after, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (sa->state == IKE_UP || sa->state == IKE_DELETING || sa->state == IKE_ENDED)
			continue;
		(void)!ike_step(sa, EV_DELETE, NULL, fx);
		n++;
	}
	return n;
}

uint32_t ike_clear_peers(struct ike *ike, enum ike_peers which, struct effects *fx)
{
	uint32_t n = 0;

	ike_turn_begin(ike);
	if (which == IKE_PEERS_IN_PROGRESS || which == IKE_PEERS_ALL)
		n += forget_negotiations(ike, fx);
	if (which != IKE_PEERS_IN_PROGRESS)
		n += ike_backoff_clear(&ike->guard.backoff, which, ike->env->now_ms(ike->env));
	ike_sweep(ike);
	return n;
}

/* What counts goes back to 0; what is, stays. */
void ike_clear_stats(struct ike *ike)
{
	struct ike_stats *s = &ike->stats;

	*s = (struct ike_stats){ .half_open = s->half_open,
		                 .sas = s->sas,
		                 .children = s->children };
}
