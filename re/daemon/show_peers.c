// SPDX-License-Identifier: BSD-2-Clause
/* Peers that are connected, that are not, and the counters of IKE (show and clear security ike
 * active-peer, peers, stats). */
#include "cli_server.h"

#include "daemon_priv.h"

#include <string.h>

struct walk {
	json_t *list;
	uint64_t now_ms;
	uint32_t in_progress;
};

static void put_text(json_t *to, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(to, key, json_string(text));
}

static void put_number(json_t *to, const char *key, uint64_t n)
{
	json_object_set_new(to, key, json_integer((json_int_t)n));
}

static void put_endpoint(json_t *to, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	put_text(to, key, endpoint_text(e, text));
}

/* ---- connected ------------------------------------------------------------------------------- */

static bool add_active(void *ctx, const struct ike_sa_info *i)
{
	struct walk *w = ctx;
	char text[ADDR_TEXT_MAX];
	json_t *o;

	if (!i->up)
		return true;
	o = json_object();
	put_text(o, "remote-address", addr_text(&i->remote.addr, text));
	put_number(o, "port", i->remote.port);
	put_text(o, "peer-ike-id", i->peer_id);
	put_text(o, "gateway", i->gateway);
	put_endpoint(o, "local", &i->local);
	put_number(o, "index", i->index);
	put_text(o, "role", i->initiator ? "Initiator" : "Responder");
	put_number(o, "ipsec-security-associations-created", i->children_created);
	json_array_append_new(w->list, o);
	return true;
}

json_t *show_ike_active_peers(struct daemon *d, const struct cli_request *r)
{
	struct walk w = { .list = json_array() };

	(void)r;
	ike_each_sa(d->ike, add_active, &w);
	return json_pack("{s:o}", "peer", w.list);
}

/* ---- not connected --------------------------------------------------------------------------- */

static bool negotiates(const struct ike_sa_info *i)
{
	return !i->up && strcmp(i->state, "deleting") != 0;
}

static bool add_in_progress(void *ctx, const struct ike_sa_info *i)
{
	struct walk *w = ctx;
	json_t *o;

	if (!negotiates(i))
		return true;
	o = json_object();
	put_text(o, "state", "in-progress");
	put_endpoint(o, "remote", &i->remote);
	put_endpoint(o, "local", &i->local);
	put_text(o, "gateway", i->gateway);
	put_text(o, "role", i->initiator ? "Responder" : "Initiator");
	put_text(o, "peer-ike-id", i->peer_id);
	put_number(o, "index", i->index);
	put_text(o, "exchange-state", i->state);
	json_array_append_new(w->list, o);
	return true;
}

static bool add_peer(void *ctx, const struct ike_peer_info *p)
{
	struct walk *w = ctx;
	bool waits = p->until_ms > w->now_ms, blocked = p->reason == IKE_FAILED_BLOCKED;
	json_t *o = json_object();

	put_text(o, "state", waits ? "backoff" : blocked ? "blocked" : "failed");
	put_endpoint(o, "remote", &p->remote);
	put_endpoint(o, "local", &p->local);
	put_text(o, "gateway", p->gateway);
	put_text(o, "role", p->peer_responds ? "Responder" : "Initiator");
	put_text(o, "peer-ike-id", p->id);
	if (p->id[0])
		put_text(o, "peer-ike-id-type", ike_id_type_text(p->id_type));
	put_text(o, "reason", ike_failure_text(p->reason));
	if (blocked) {
		put_text(o, "blocklist", p->list);
		put_text(o, "rule", p->rule);
		put_text(o, "action", p->reject ? "reject" : "discard");
	}
	put_number(o, "failures", p->times);
	put_number(o, "refused", p->refused);
	put_number(o, "failed-before-s", (w->now_ms - p->at_ms) / 1000);
	if (waits)
		put_number(o, "backoff-expires-in-s", (p->until_ms - w->now_ms + 999) / 1000);
	json_array_append_new(w->list, o);
	return true;
}

static const struct {
	const char *word;
	enum ike_peers which;
} kinds[] = {
	{ "in-progress", IKE_PEERS_IN_PROGRESS },
	{ "blocked", IKE_PEERS_BLOCKED },
	{ "failed", IKE_PEERS_FAILED },
	{ "backoff", IKE_PEERS_BACKOFF },
};

static enum ike_peers kind_of(const struct cli_request *r)
{
	const char *word = cli_word(r->args, "which");

	for (size_t i = 0; word && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].word, word) == 0)
			return kinds[i].which;
	return IKE_PEERS_ALL;
}

json_t *show_ike_peers(struct daemon *d, const struct cli_request *r)
{
	struct walk w = { .list = json_array(), .now_ms = daemon_now_ms(d) };
	enum ike_peers which = kind_of(r);

	if (which == IKE_PEERS_ALL || which == IKE_PEERS_IN_PROGRESS)
		ike_each_sa(d->ike, add_in_progress, &w);
	if (which != IKE_PEERS_IN_PROGRESS)
		ike_each_peer(d->ike, which, add_peer, &w);
	return json_pack("{s:o}", "peer", w.list);
}

json_t *clear_ike_peers(struct daemon *d, const struct cli_request *r)
{
	struct effects fx = { 0 };
	uint32_t n = ike_clear_peers(d->ike, kind_of(r), &fx);

	daemon_turn(d, &fx);
	return json_pack("{s:I}", "cleared", (json_int_t)n);
}

/* ---- counters -------------------------------------------------------------------------------- */

static bool count_in_progress(void *ctx, const struct ike_sa_info *i)
{
	((struct walk *)ctx)->in_progress += negotiates(i);
	return true;
}

json_t *show_ike_stats(struct daemon *d, const struct cli_request *r)
{
	struct walk w = { 0 };
	struct ike_stats s;
	json_t *o = json_object();

	(void)r;
	ike_stats(d->ike, &s);
	ike_each_sa(d->ike, count_in_progress, &w);
	const struct udp_stats *u = udp_stats(d->udp);
	const struct {
		const char *key;
		uint64_t n;
	} rows[] = {
		{ "in-progress", w.in_progress },
		{ "half-open", s.half_open },
		{ "established", s.up },
		{ "expired", s.expired },
		{ "deleted", s.down },
		{ "security-associations", s.sas },
		{ "ipsec-security-associations", s.children },
		{ "initiated", s.initiated },
		{ "answered", s.answered },
		{ "timeouts", s.timeouts },
		{ "failed-init", s.failed_init },
		{ "failed-auth", s.failed_auth },
		{ "no-proposal-chosen", s.no_proposal },
		{ "ts-unacceptable", s.ts_unacceptable },
		{ "authentication-failed", s.auth_failed },
		{ "blocked", s.blocked },
		{ "backoffs", s.backoffs },
		{ "backoff-refused", s.backoff_refused },
		{ "half-open-refused", s.half_open_refused },
		{ "duplicate-initiations", s.duplicate_initiations },
		{ "connections-refused", s.connections_refused },
		{ "cookies-demanded", s.cookies_demanded },
		{ "cookies-returned", s.cookies_returned },
		{ "cookies-wrong", s.cookies_wrong },
		{ "cookies-of-peers", s.cookies },
		{ "ike-rekey-refused", s.rate_refused[IKE_RATE_IKE_REKEY] },
		{ "ipsec-rekey-refused", s.rate_refused[IKE_RATE_IPSEC_REKEY] },
		{ "keepalive-refused", s.rate_refused[IKE_RATE_KEEPALIVE] },
		{ "messages-in", s.datagrams_in },
		{ "messages-out", s.datagrams_out },
		{ "messages-not-sent", u->send_failed },
		{ "retransmits", s.retransmits },
		{ "duplicates", s.duplicates },
		{ "malformed", s.malformed },
		{ "integrity-failed", s.bad_icv },
		{ "unexpected", s.unexpected },
		{ "unknown-spi", s.unknown_spi },
		{ "unknown-peer", s.unknown_peer },
		{ "wrong-version", s.bad_version },
		{ "fragments-in", s.fragments_in },
		{ "fragments-out", s.fragments_out },
		{ "reassembled", s.reassembled },
		{ "fragments-refused", s.fragments_refused },
		{ "fragments-bad", s.fragments_bad },
		{ "fragments-repeated", s.fragments_repeated },
		{ "fragments-lost", s.fragments_lost },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		put_number(o, rows[i].key, rows[i].n);
	return o;
}

json_t *clear_ike_stats(struct daemon *d, const struct cli_request *r)
{
	(void)r;
	ike_clear_stats(d->ike);
	return json_pack("{s:i}", "cleared", 1);
}
