// SPDX-License-Identifier: BSD-2-Clause
/* security ipsec: proposals, policies, VPNs. */
#include "model_priv.h"

#include "algorithms.h"
#include "value.h"

#include <string.h>

#define REPLAY_WINDOW_MAX 1024 /* in this version */

/* ---- proposals and policies ------------------------------------------------------------------ */

static const struct config_ipsec_proposal *proposal_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->ipsec_proposals; i++)
		if (strcmp(c->ipsec_proposal[i].name, name) == 0)
			return &c->ipsec_proposal[i];
	return NULL;
}

static const struct config_ipsec_policy *policy_find(const struct config *c, const char *name)
{
	for (size_t i = 0; name && i < c->ipsec_policies; i++)
		if (strcmp(c->ipsec_policy[i].name, name) == 0)
			return &c->ipsec_policy[i];
	return NULL;
}

static void policy_proposals(struct build *b, struct config_ipsec_policy *p,
                             const struct tree_node *n)
{
	for (const struct tree_node *v = tree_child(n, "proposals"); v; v = tree_same(v)) {
		const struct config_ipsec_proposal *found = proposal_find(b->c, v->name);

		if (found && p->proposals == CONFIG_PROPOSALS_MAX)
			build_error(b, v, "more than %d proposals", CONFIG_PROPOSALS_MAX);
		else if (found)
			p->proposal[p->proposals++] = found;
	}
	build_ipsec_order(b, p, tree_child(n, "proposals"));
}

/* What is said of perfect-forward-secrecy overrides what a set has. */
static enum err build_policy(struct build *b, struct config_ipsec_policy *p,
                             const struct tree_node *n)
{
	const struct tree_node *pfs = tree_child(tree_child(n, "perfect-forward-secrecy"), "keys");

	build_name(p->name, sizeof(p->name), n->name);
	p->match = build_match(n);
	if (build_one_list(b, n) && tree_child(n, "proposal-set"))
		TRY(build_ipsec_set(b, p, tree_child(n, "proposal-set")));
	else
		policy_proposals(b, p, n);
	build_weak(b, pfs);
	if (pfs && pfs->name)
		p->pfs = alg_ke_by_name(pfs->name);
	return ERR_OK;
}

static enum err build_policies(struct build *b, const struct tree_node *ipsec)
{
	const struct tree_node *n = tree_child(ipsec, "policy");
	void *array;

	TRY(build_array(b, ipsec, "policy", sizeof(b->c->ipsec_policy[0]), &array,
	                &b->c->ipsec_policies));
	b->c->ipsec_policy = array;
	for (size_t i = 0; n && i < b->c->ipsec_policies; n = tree_same(n), i++)
		TRY(build_policy(b, &b->c->ipsec_policy[i], n));
	return ERR_OK;
}

/* ---- traffic selectors ----------------------------------------------------------------------- */

static void add_selector(struct build *b, struct config_vpn *v, const struct tree_node *n,
                         const char *const words[2])
{
	const char *local = tree_value(n, words[0]), *remote = tree_value(n, words[1]);

	if (local == NULL || remote == NULL)
		return; /* said by validate_tree() */
	struct config_selector s = { value_prefix(local), value_prefix(remote) };
	if (s.local.addr.family != s.remote.addr.family) {
		build_error(b, n, "%s and %s are of different families", words[0], words[1]);
		return;
	}
	for (size_t i = 0; i < v->selectors; i++)
		if (v->selector[i].local.addr.family == s.local.addr.family) {
			build_error(b, n,
			            "a second selector for IPv%u is not supported in this version; "
			            "expected one of each family",
			            s.local.addr.family);
			return;
		}
	if (v->selectors < CONFIG_SELECTORS_MAX)
		v->selector[v->selectors++] = s;
}

static void everything(struct config_vpn *v, uint8_t family)
{
	struct prefix all = { { family, { 0 } }, 0 };

	v->selector[v->selectors++] = (struct config_selector){ all, all };
}

static void default_selectors(struct config_vpn *v)
{
	bool inet = v->bind && v->bind->family_inet, inet6 = v->bind && v->bind->family_inet6;

	if (!inet && !inet6 && v->manual && v->manual->remote.family != ADDR_NONE) {
		everything(v, v->manual->remote.family);
		return;
	}

	if (!inet && !inet6 && v->gateway) {
		const struct config_gateway *g = v->gateway;
		bool v6 = (g->peers ? &g->peer[0] : &g->local)->family == ADDR_V6;

		everything(v, v6 ? ADDR_V6 : ADDR_V4);
		return;
	}
	if (inet)
		everything(v, ADDR_V4);
	if (inet6)
		everything(v, ADDR_V6);
}

static void build_selectors(struct build *b, struct config_vpn *v, const struct tree_node *n)
{
	static const char *const proxy_words[] = { "local", "remote" };
	static const char *const ts_words[] = { "local-ip", "remote-ip" };
	const struct tree_node *proxy = tree_child(tree_child(n, "ike"), "proxy-identity");
	const struct tree_node *ts = tree_child(n, "traffic-selector");

	if (proxy && ts)
		build_error(b, n, "proxy-identity and traffic-selector exclude each other");
	if (proxy)
		add_selector(b, v, proxy, proxy_words);
	for (; ts; ts = tree_same(ts))
		add_selector(b, v, ts, ts_words);
	if (v->selectors == 0)
		default_selectors(v);
}

/* ---- VPNs ------------------------------------------------------------------------------------ */

static void vpn_bind(struct build *b, struct config_vpn *v, const struct tree_node *n)
{
	const struct tree_node *bind = tree_child(n, "bind-interface");
	const struct config_unit *u = bind ? config_unit_find(b->c, bind->name) : NULL;

	if (bind == NULL)
		return;
	if (u == NULL || u->interface->kind != CONFIG_IF_TUNNEL) {
		build_error(b, bind,
		            "\"%s\" is no unit of st0 under interfaces; expected st0.N; "
		            "set interfaces st0 unit N family inet",
		            bind->name);
		return;
	}
	v->bind = u;
}

static void vpn_replay(struct build *b, struct config_vpn *v, const struct tree_node *ike)
{
	bool off = tree_child(ike, "no-anti-replay") != NULL;

	if (ike == NULL)
		return;
	v->replay_window = off ? 0 : build_uint(ike, "anti-replay-window-size");
	if (off && tree_child(ike, "anti-replay-window-size"))
		build_error(b, ike,
		            "no-anti-replay and anti-replay-window-size exclude each other");
	if (v->replay_window > REPLAY_WINDOW_MAX)
		build_error(b, tree_child(ike, "anti-replay-window-size"),
		            "%u is not supported in this version; expected at most %d",
		            v->replay_window, REPLAY_WINDOW_MAX);
}

static void vpn_lifetimes(struct build *b, const struct config_vpn *v, const struct tree_node *ike)
{
	const struct config_ipsec_policy *p = v->policy;

	for (size_t i = 1; p && v->gateway && i < p->proposals; i++)
		if (p->proposal[i]->lifetime_s != p->proposal[0]->lifetime_s) {
			(v->gateway->v2_stated ? build_error : build_warning)(
			        b, tree_child(ike, "ipsec-policy"),
			        "the proposals of policy \"%s\" have different lifetimes (\"%s\" "
			        "%u, "
			        "\"%s\" %u seconds); IKEv2 does not negotiate them: give all the "
			        "same",
			        p->name, p->proposal[0]->name, p->proposal[0]->lifetime_s,
			        p->proposal[i]->name, p->proposal[i]->lifetime_s);
			return;
		}
}

static bool same_peer(const struct config_vpn *a, const struct config_vpn *b)
{
	if (a->gateway == NULL || b->gateway == NULL)
		return false;
	return a->gateway == b->gateway;
}

static bool selector_equal(const struct config_selector *a, const struct config_selector *b)
{
	return a->local.len == b->local.len && a->remote.len == b->remote.len &&
	       addr_equal(&a->local.addr, &b->local.addr) &&
	       addr_equal(&a->remote.addr, &b->remote.addr);
}

static bool shares_selector(const struct config_vpn *a, const struct config_vpn *b)
{
	for (size_t i = 0; i < a->selectors; i++)
		for (size_t k = 0; k < b->selectors; k++)
			if (selector_equal(&a->selector[i], &b->selector[k]))
				return true;
	return false;
}

/* A unit with several tunnels is multipoint, and tunnels to one peer differ in what they
 * carry. */
static void vpn_unique(struct build *b, const struct config_vpn *v, const struct tree_node *n)
{
	for (const struct config_vpn *o = b->c->vpn; o < v; o++) {
		if (v->bind && v->bind == o->bind && !v->bind->multipoint) {
			build_error(b, n,
			            "%s is bound by vpn \"%s\" too; set interfaces st0 unit %u "
			            "multipoint, or use another unit",
			            v->bind->name, o->name, v->bind->unit);
			return;
		}
		if (same_peer(v, o) && shares_selector(v, o)) {
			build_error(
			        b, n,
			        "vpn \"%s\" has the same gateway and carries the same; give each a "
			        "proxy-identity of its own",
			        o->name);
			return;
		}
	}
}

static const char *const establish_words[] = {
	[CONFIG_ESTABLISH_ON_TRAFFIC] = "on-traffic",
	[CONFIG_ESTABLISH_IMMEDIATELY] = "immediately",
	[CONFIG_ESTABLISH_RESPONDER_ONLY] = "responder-only",
	[CONFIG_ESTABLISH_RESPONDER_ONLY_NO_REKEY] = "responder-only-no-rekey",
};

static enum config_establish establish_of(const struct tree_node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(establish_words); i++)
		if (build_is(n, "establish-tunnels", establish_words[i]))
			return (enum config_establish)i;
	return CONFIG_ESTABLISH_ON_TRAFFIC;
}

static void vpn_times(struct build *b, struct config_vpn *v, const struct tree_node *n,
                      const struct tree_node *ike)
{
	if (tree_child(ike, "idle-time"))
		v->idle_s = build_uint(ike, "idle-time");
	if (v->idle_s && v->establish == CONFIG_ESTABLISH_IMMEDIATELY)
		build_warning(b, tree_child(ike, "idle-time"),
		              "with establish-tunnels immediately the SAs are negotiated anew as "
		              "soon as they are deleted");
	if (v->gateway == NULL || v->establish < CONFIG_ESTABLISH_RESPONDER_ONLY)
		return;
	if (v->gateway->peers == 0)
		build_error(b, tree_child(n, "establish-tunnels"),
		            "%s is for peers with an address; gateway \"%s\" is dynamic, and so "
		            "never initiated to",
		            establish_words[v->establish], v->gateway->name);
	if (v->establish == CONFIG_ESTABLISH_RESPONDER_ONLY_NO_REKEY && v->gateway->policy &&
	    v->gateway->policy->reauth_every)
		build_error(b, tree_child(n, "establish-tunnels"),
		            "responder-only-no-rekey excludes reauth-frequency of policy \"%s\"",
		            v->gateway->policy->name);
}

static const struct config_vpn *first_responder(const struct config *c,
                                                const struct config_gateway *g)
{
	for (size_t i = 0; g && i < c->vpns; i++)
		if (c->vpn[i].gateway == g &&
		    c->vpn[i].establish >= CONFIG_ESTABLISH_RESPONDER_ONLY)
			return &c->vpn[i];
	return NULL;
}

/* EST-02, EST-03: of one gateway all only respond, in one and the same way, or none does. */
static void check_responders(struct build *b, const struct tree_node *n)
{
	for (size_t i = 0; n && i < b->c->vpns; n = tree_same(n), i++) {
		const struct config_vpn *v = &b->c->vpn[i];
		const struct config_vpn *r = first_responder(b->c, v->gateway);

		if (r && v->establish != r->establish)
			build_error(b, n,
			            "establish-tunnels %s, but vpn \"%s\" of the same gateway has "
			            "%s; expected the same in all of them",
			            establish_words[v->establish], r->name,
			            establish_words[r->establish]);
	}
}

static enum err build_vpn(struct build *b, struct config_vpn *v, const struct tree_node *n)
{
	const struct tree_node *ike = tree_child(n, "ike");
	const char *gateway = tree_value(ike, "gateway");

	build_name(v->name, sizeof(v->name), n->name);
	v->gateway = gateway ? config_gateway_find(b->c, gateway) : NULL;
	v->policy = policy_find(b->c, tree_value(ike, "ipsec-policy"));
	v->establish = establish_of(n);
	v->df = build_is(n, "df-bit", "copy")  ? CONFIG_DF_COPY
	        : build_is(n, "df-bit", "set") ? CONFIG_DF_SET
	                                       : CONFIG_DF_CLEAR;
	const struct tree_node *mss = tree_at(b->tree, "security flow tcp-mss ipsec-vpn");
	v->tcp_mss = mss != NULL ? build_uint(mss, "mss") : 0;
	v->post_fragmentation = build_is(n, "fragmentation", "post-encryption");
	v->copy_outer_dscp = tree_child(n, "copy-outer-dscp") != NULL;
	vpn_bind(b, v, n);
	if (ike && tree_child(n, "manual"))
		build_error(b, n, "ike and manual exclude each other");
	else if (tree_child(n, "manual"))
		TRY(build_manual(b, v, n));
	else if (ike == NULL && !n->damaged && tree_active(n->first))
		build_error(b, n, "ike is missing; expected it, or manual");
	vpn_replay(b, v, ike);
	build_selectors(b, v, n);
	vpn_unique(b, v, n);
	vpn_lifetimes(b, v, ike);
	vpn_times(b, v, n, ike);
	return ERR_OK;
}

enum err build_ipsec(struct build *b)
{
	const struct tree_node *ipsec = tree_at(b->tree, "security ipsec");
	const struct tree_node *n = tree_child(ipsec, "vpn");
	void *array;

	if (ipsec == NULL)
		return ERR_OK;
	TRY(build_ipsec_proposals(b, ipsec));
	TRY(build_policies(b, ipsec));
	TRY(build_array(b, ipsec, "vpn", sizeof(b->c->vpn[0]), &array, &b->c->vpns));
	b->c->vpn = array;
	for (size_t i = 0; n && i < b->c->vpns; n = tree_same(n), i++)
		TRY(build_vpn(b, &b->c->vpn[i], n));
	check_responders(b, tree_child(ipsec, "vpn"));
	return ERR_OK;
}
