// SPDX-License-Identifier: BSD-2-Clause
/* security ike: proposals, policies, gateways. */
#include "model_priv.h"

#include "algorithms.h"
#include "secret.h"
#include "validate.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

#define DPD_THRESHOLD_V2 5

/* ---- policies ------------------------------------------------------------------------------- */

static const struct config_ike_proposal *proposal_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->ike_proposals; i++)
		if (strcmp(c->ike_proposal[i].name, name) == 0)
			return &c->ike_proposal[i];
	return NULL;
}

static const struct config_ike_policy *policy_find(const struct config *c, const char *name)
{
	for (size_t i = 0; name && i < c->ike_policies; i++)
		if (strcmp(c->ike_policy[i].name, name) == 0)
			return &c->ike_policy[i];
	return NULL;
}

bool build_one_list(struct build *b, const struct tree_node *policy)
{
	bool list = tree_child(policy, "proposals") != NULL;
	bool set = tree_child(policy, "proposal-set") != NULL;

	if (tree_active(policy->first) == NULL || policy->damaged || list != set)
		return list != set;
	build_error(b, policy, "%s; expected exactly one of: proposals, proposal-set",
	            list ? "proposals and proposal-set exclude each other" : "no proposals");
	return false;
}

struct config_match build_match(const struct tree_node *policy)
{
	return (struct config_match){
		.strict_count = build_is(policy, "match-mode", "strict-count"),
		.prefer_responder = build_is(policy, "proposal-preference", "responder")
	};
}

static void policy_proposals(struct build *b, struct config_ike_policy *p,
                             const struct tree_node *n)
{
	for (const struct tree_node *v = tree_child(n, "proposals"); v; v = tree_same(v)) {
		const struct config_ike_proposal *found = proposal_find(b->c, v->name);

		if (found && p->proposals == CONFIG_PROPOSALS_MAX)
			build_error(b, v, "more than %d proposals", CONFIG_PROPOSALS_MAX);
		else if (found)
			p->proposal[p->proposals++] = found;
	}
	build_ike_order(b, p, tree_child(n, "proposals"));
}

/* Of ascii-text or hexadecimal under it. */
static enum err policy_key(const struct tree_node *key, struct secret **ret)
{
	const struct tree_node *v = key ? tree_active(key->first) : NULL;
	uint8_t buf[VALUE_KEY_MAX];
	size_t len;

	if (v == NULL || v->name == NULL)
		return ERR_OK;
	enum err e = value_key(v->schema->value.type, v->name, buf, &len, NULL);
	if (e == ERR_OK) {
		*ret = secret_copy((struct view){ buf, len });
		e = *ret ? ERR_OK : ERR_MEMORY;
	}
	secret_wipe(buf, sizeof(buf));
	return e;
}

static enum err policy_ppk(struct build *b, struct config_ike_policy *p, const struct tree_node *n)
{
	const struct tree_node *ppk = tree_child(n, "ppk");
	const char *text = ppk ? tree_value(ppk, "id") : NULL;

	if (text == NULL)
		return ERR_OK;
	if (text[0] == 0 || strlen(text) >= sizeof(p->ppk_id))
		build_error(b, tree_child(ppk, "id"), "expected 1 to %zu characters",
		            sizeof(p->ppk_id) - 1);
	build_name(p->ppk_id, sizeof(p->ppk_id), text);
	p->ppk_required = tree_child(ppk, "required") != NULL;
	return policy_key(tree_child(ppk, "key"), &p->ppk);
}

static enum err build_policies(struct build *b, const struct tree_node *ike)
{
	const struct tree_node *n = tree_child(ike, "policy");
	void *array;

	TRY(build_array(b, ike, "policy", sizeof(b->c->ike_policy[0]), &array,
	                &b->c->ike_policies));
	b->c->ike_policy = array;
	for (size_t i = 0; n && i < b->c->ike_policies; n = tree_same(n), i++) {
		struct config_ike_policy *p = &b->c->ike_policy[i];

		build_name(p->name, sizeof(p->name), n->name);
		p->blocklist = build_blocklist_find(b, tree_value(n, "blocklist"));
		p->match = build_match(n);
		p->reauth_every = build_uint(n, "reauth-frequency");
		if (build_one_list(b, n) && tree_child(n, "proposal-set"))
			TRY(build_ike_set(b, p, tree_child(n, "proposal-set")));
		else
			policy_proposals(b, p, n);
		TRY(policy_key(tree_child(n, "pre-shared-key"), &p->psk));
		TRY(policy_ppk(b, p, n));
	}
	return ERR_OK;
}

/* ---- gateways ------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum config_id_type type;
} id_types[] = {
	{ "inet", CONFIG_ID_IPV4_ADDR }, { "inet6", CONFIG_ID_IPV6_ADDR },
	{ "hostname", CONFIG_ID_FQDN },  { "user-at-hostname", CONFIG_ID_RFC822_ADDR },
	{ "key-id", CONFIG_ID_KEY_ID },
};

static void identity_bytes(struct config_identity *id, const struct tree_node *v)
{
	struct addr a;
	size_t len = 0;

	if (id->type == CONFIG_ID_IPV4_ADDR || id->type == CONFIG_ID_IPV6_ADDR) {
		a = value_peer(v->name);
		len = addr_len(&a);
		memcpy(id->bytes, a.b, len);
	} else if (v->schema->value.type == TYPE_HEX) {
		if (value_key(TYPE_HEX, v->name, id->bytes, &len, NULL))
			len = 0; /* was checked */
	} else {
		len = strnlen(v->name, sizeof(id->bytes) - 1);
		memcpy(id->bytes, v->name, len);
	}
	id->len = (uint16_t)len;
}

/* The first statement under n that is an identity. */
static void build_identity(struct config_identity *id, const struct tree_node *n)
{
	const struct tree_node *v = NULL;

	for (size_t i = 0; n && v == NULL && i < ARRAY_LEN(id_types); i++) {
		v = tree_child(n, id_types[i].word);
		id->type = v ? id_types[i].type : CONFIG_ID_NONE;
	}
	if (v && id->type == CONFIG_ID_KEY_ID)
		v = tree_active(v->first);
	if (v && v->name)
		identity_bytes(id, v);
}

/* A peer that is known by who it is. */
static void gateway_dynamic(struct build *b, struct config_gateway *g, const struct tree_node *n)
{
	const struct tree_node *dynamic = tree_child(n, "dynamic");
	size_t ids = 0;

	if (dynamic == NULL) {
		if (tree_child(n, "address") == NULL && !n->damaged && n->first)
			build_error(b, n,
			            "address is missing (or dynamic, for a peer without one)");
		return;
	}
	if (tree_child(n, "address"))
		build_error(b, dynamic, "excludes address");
	if (tree_child(n, "remote-identity"))
		build_error(b, dynamic, "excludes remote-identity: it says who the peer is");
	for (size_t i = 0; i < ARRAY_LEN(id_types); i++)
		ids += tree_child(dynamic, id_types[i].word) != NULL;
	if (ids != 1 && !dynamic->damaged)
		build_error(b, dynamic, "expected one of: hostname, inet, inet6, user-at-hostname");
	build_identity(&g->remote_id, dynamic);
	if (tree_child(dynamic, "connections-limit"))
		g->connections_max = build_uint(dynamic, "connections-limit");
}

static void gateway_peers(struct build *b, struct config_gateway *g, const struct tree_node *n)
{
	const struct tree_node *v = tree_child(n, "address");

	for (; v; v = tree_same(v)) {
		if (g->peers == 1) {
			build_error(b, v,
			            "backup addresses are not supported in this version; "
			            "expected one address");
			return;
		}
		g->peer[g->peers++] = value_peer(v->name);
	}
}

static uint64_t service_bit(const char *name)
{
	for (size_t i = 0; inbound_services[i].name; i++)
		if (strcmp(inbound_services[i].name, name) == 0)
			return (uint64_t)1 << i;
	return 0;
}

/* For a peer from anywhere: the first address, where all are of one family; else any. */
static void gateway_any_local(struct config_gateway *g, const struct config_unit *u)
{
	for (size_t i = 1; i < u->addresses; i++)
		if (u->address[i].addr.family != u->address[0].addr.family)
			return;
	if (u->addresses)
		g->local = u->address[0].addr;
}

/* The local address is the first one of the peer's family; a warning when there is none. */
static void gateway_external(struct build *b, struct config_gateway *g, const struct tree_node *n)
{
	const struct tree_node *v = tree_child(n, "external-interface");
	const struct config_unit *u = v ? config_unit_find(b->c, v->name) : NULL;

	if (v == NULL)
		return;
	if (u == NULL) {
		build_error(b, v,
		            "\"%s\" is no unit under interfaces; add "
		            "interfaces … unit … family inet address …",
		            v->name);
		return;
	}
	if (u->interface->kind == CONFIG_IF_TUNNEL) {
		build_error(b, v,
		            "IKE cannot go through the tunnel interface %s; expected the "
		            "interface towards the peer",
		            u->name);
		return;
	}
	g->external = u;
	if (g->peers == 0)
		gateway_any_local(g, u);
	for (size_t i = u->addresses; i > 0 && g->peers; i--)
		if (u->address[i - 1].addr.family == g->peer[0].family)
			g->local = u->address[i - 1].addr;
	if (g->peers && g->local.family == ADDR_NONE)
		build_warning(b, v, "%s has no IPv%u address, as the peer's is: IKE will not start",
		              u->name, g->peer[0].family);
	if (u->zone && !(u->inbound.services & service_bit("ike")))
		build_warning(b, v,
		              "zone \"%s\" of %s does not let IKE in: the peer cannot reach us; "
		              "set security zones security-zone %s host-inbound-traffic "
		              "system-services ike",
		              u->zone->name, u->name, u->zone->name);
}

static void gateway_dpd(struct build *b, struct config_gateway *g, const struct tree_node *n)
{
	const struct tree_node *dpd = tree_child(n, "dead-peer-detection");
	bool always = tree_child(dpd, "always-send") != NULL;
	bool idle = tree_child(dpd, "probe-idle-tunnel") != NULL;
	bool optimized = tree_child(dpd, "optimized") != NULL;

	g->dpd = dpd != NULL;
	g->dpd_threshold = DPD_THRESHOLD_V2;
	if (dpd == NULL)
		return;
	g->dpd_interval_s = build_uint(dpd, "interval");
	g->dpd_mode = always ? CONFIG_DPD_ALWAYS_SEND
	              : idle ? CONFIG_DPD_PROBE_IDLE
	                     : CONFIG_DPD_OPTIMIZED;
	if (always + idle + optimized > 1)
		build_error(b, dpd, "expected one of always-send, optimized, probe-idle-tunnel");
	if (build_uint(dpd, "threshold") != DPD_THRESHOLD_V2)
		build_warning(b, tree_child(dpd, "threshold"), "fixed at %d with IKEv2; ignored",
		              DPD_THRESHOLD_V2);
}

static void gateway_nat(struct build *b, struct config_gateway *g, const struct tree_node *n)
{
	g->nat_keepalive_s = build_uint(n, "nat-keepalive");
	g->nat_traversal = tree_child(n, "no-nat-traversal") == NULL;
	g->force_udp_encapsulation = tree_child(n, "force-udp-encapsulation") != NULL;
	if (g->force_udp_encapsulation && !g->nat_traversal)
		build_error(b, n,
		            "no-nat-traversal and force-udp-encapsulation exclude each other");
}

/* RA-11: behind a NAT whose mapping has lapsed a peer cannot be reached any more. */
static void gateway_reauth(struct build *b, const struct config_gateway *g,
                           const struct tree_node *n)
{
	if (g->policy && g->policy->reauth_every && g->nat_traversal &&
	    (!g->dpd || g->dpd_interval_s == 0) && tree_child(n, "nat-keepalive") == NULL)
		build_warning(b, n,
		              "reauth-frequency of policy \"%s\" without dead-peer-detection or "
		              "nat-keepalive: after a reauthentication a peer behind a NAT may "
		              "not be reached any more, when its mapping has lapsed",
		              g->policy->name);
}

static void gateway_fragmentation(struct config_gateway *g, const struct tree_node *n)
{
	const struct tree_node *f = tree_child(n, "fragmentation");

	g->fragmentation = tree_child(f, "disable") == NULL;
	g->fragment_size = tree_child(f, "size") ? build_uint(f, "size") : 0;
}

static bool identity_equal(const struct config_identity *a, const struct config_identity *b)
{
	return a->type == b->type && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Who the peer is must be told by its address or by its identity. */
static void gateway_unique(struct build *b, const struct config_gateway *g,
                           const struct tree_node *n)
{
	for (const struct config_gateway *o = b->c->gateway; o < g; o++)
		if (g->peers == o->peers && addr_equal(&g->peer[0], &o->peer[0]) &&
		    g->external == o->external && identity_equal(&g->remote_id, &o->remote_id)) {
			build_error(b, n,
			            "has the address, external-interface and remote-identity of "
			            "gateway \"%s\"; give them different remote identities",
			            o->name);
			return;
		}
}

/* Not negotiated in IKEv2: each end uses its own, so one policy has one (RFC 7296 2.8). */
static void gateway_lifetimes(struct build *b, const struct config_gateway *g,
                              const struct tree_node *n)
{
	const struct config_ike_policy *p = g->policy;

	for (size_t i = 1; p && i < p->proposals; i++)
		if (p->proposal[i]->lifetime_s != p->proposal[0]->lifetime_s) {
			(g->v2_stated ? build_error : build_warning)(
			        b, tree_child(n, "ike-policy"),
			        "the proposals of policy \"%s\" have different lifetimes (\"%s\" "
			        "%u, "
			        "\"%s\" %u seconds); IKEv2 does not negotiate them: give all the "
			        "same",
			        p->name, p->proposal[0]->name, p->proposal[0]->lifetime_s,
			        p->proposal[i]->name, p->proposal[i]->lifetime_s);
			return;
		}
}

static enum err build_gateways(struct build *b, const struct tree_node *ike)
{
	const struct tree_node *n = tree_child(ike, "gateway");
	void *array;

	TRY(build_array(b, ike, "gateway", sizeof(b->c->gateway[0]), &array, &b->c->gateways));
	b->c->gateway = array;
	for (size_t i = 0; n && i < b->c->gateways; n = tree_same(n), i++) {
		struct config_gateway *g = &b->c->gateway[i];

		build_name(g->name, sizeof(g->name), n->name);
		g->policy = policy_find(b->c, tree_value(n, "ike-policy"));
		gateway_peers(b, g, n);
		gateway_external(b, g, n);
		build_identity(&g->local_id, tree_child(n, "local-identity"));
		build_identity(&g->remote_id, tree_child(n, "remote-identity"));
		gateway_dynamic(b, g, n);
		gateway_dpd(b, g, n);
		gateway_nat(b, g, n);
		gateway_reauth(b, g, n);
		gateway_fragmentation(g, n);
		gateway_unique(b, g, n);
		g->v2_stated = tree_child(n, "version") != NULL;
		gateway_lifetimes(b, g, n);
	}
	return ERR_OK;
}

enum err build_ike(struct build *b)
{
	const struct tree_node *ike = tree_at(b->tree, "security ike");

	if (ike == NULL)
		return ERR_OK;
	TRY(build_protection(b, ike));
	TRY(build_ike_proposals(b, ike));
	TRY(build_policies(b, ike));
	return build_gateways(b, ike);
}
