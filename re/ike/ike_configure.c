// SPDX-License-Identifier: BSD-2-Clause
/* A configuration comes in: copied whole, compared by value, SAs of what changed are deleted. */
#include "ike_priv.h"
#include "secret.h"

#include <stdlib.h>

static void gateway_free(struct gateway *g)
{
	if (g == NULL)
		return;
	secret_free(g->psk);
	secret_free(g->ppk);
	free(g);
}

static struct gateway *gateway_new(const struct ike_conf_gateway *conf)
{
	struct gateway *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->conf = *conf;
	list_init(&g->tunnels);
	list_init(&g->sas);
	g->psk = secret_copy(conf->psk);
	if (conf->ppk.len)
		g->ppk = secret_copy(conf->ppk);
	if (g->psk == NULL || (conf->ppk.len && g->ppk == NULL)) {
		gateway_free(g);
		return NULL;
	}
	g->conf.psk = secret_view(g->psk);
	g->conf.ppk = secret_view(g->ppk);
	return g;
}

struct built {
	struct gateway **gateway;
	struct tunnel **tunnel;
	size_t gateways, tunnels;
	struct hash tunnel_by_index;
	struct gateway_at *gateway_at;
	size_t gateways_at;
	struct ike_blocklist **blocklist;
	size_t blocklists;
	struct hash gateway_by_name;
};

static void built_free(struct built *b)
{
	for (size_t i = 0; i < b->gateways; i++)
		gateway_free(b->gateway[i]);
	for (size_t i = 0; i < b->tunnels; i++) {
		free(b->tunnel[i]->no_ah);
		free(b->tunnel[i]);
	}
	for (size_t i = 0; i < b->blocklists; i++)
		ike_blocklist_free(b->blocklist[i]);
	free(b->blocklist);
	free(b->gateway_at);
	free(b->gateway);
	free(b->tunnel);
	hash_done(&b->tunnel_by_index);
	hash_done(&b->gateway_by_name);
}

void ike_conf_free(struct ike *ike)
{
	struct built b = { ike->gateway,        ike->tunnel,          ike->gateways,
		           ike->tunnels,        ike->tunnel_by_index, ike->gateway_at,
		           ike->gateways_at,    ike->blocklist,       ike->blocklists,
		           ike->gateway_by_name };

	built_free(&b);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool ike_proposal_ok(const struct ike_conf_proposal *p)
{
	bool aead = p->ciphers && p->cipher[0]->icv_len;

	for (size_t i = 0; i < p->ciphers; i++)
		if (!(p->cipher[i]->use & ALG_IKE) || (p->cipher[i]->icv_len != 0) != aead)
			return false;
	return p->ciphers && p->prfs && p->kes && aead == (p->integs == 0) &&
	       p->ciphers <= IKE_TRANSFORMS_MAX && p->integs <= IKE_TRANSFORMS_MAX &&
	       p->prfs <= IKE_TRANSFORMS_MAX && p->kes <= IKE_TRANSFORMS_MAX;
}

static bool child_proposal_ok(const struct ike_conf_child_proposal *p)
{
	bool ah = p->protocol == PROTO_AH, aead = p->ciphers && p->cipher[0]->icv_len;

	if (p->ciphers > IKE_TRANSFORMS_MAX || p->integs > IKE_TRANSFORMS_MAX)
		return false;
	for (size_t i = 0; i < p->ciphers; i++)
		if (!(p->cipher[i]->use & ALG_SOFT) || (p->cipher[i]->icv_len != 0) != aead)
			return false;
	for (size_t i = 0; i < p->integs; i++)
		if (!(p->integ[i]->use & (ah ? ALG_AH : ALG_SOFT)))
			return false;
	return (p->ciphers != 0) == !ah && (p->integs != 0) == !aead;
}

static bool uses_des(const struct ike_conf_gateway *g)
{
	for (size_t i = 0; i < g->proposals; i++)
		for (size_t k = 0; k < g->proposal[i].ciphers; k++)
			if (g->proposal[i].cipher[k]->v2_id == ENCR_DES_CBC)
				return true;
	return false;
}

static bool des_is_there(void)
{
	struct ike_crypto *c = ike_crypto_new();
	bool there = c && ike_crypto_has(c, alg_cipher_by_id(ENCR_DES_CBC, 0));

	ike_crypto_free(c);
	return there;
}

static enum err check_gateway(const struct ike_conf_gateway *g, struct why *why)
{
	if (g->psk.len == 0)
		return why_set(why, ERR_MISSING, "gateway %s: no pre-shared key", g->name);
	if ((g->ppk.len == 0 && g->ppk_required) || (g->ppk.len == 0) != (g->ppk_id[0] == 0))
		return why_set(why, ERR_MISSING, "gateway %s: a postquantum key has an id",
		               g->name);
	if (g->proposals == 0 || g->proposals > IKE_PROPOSALS_MAX || g->peers > IKE_PEERS_MAX ||
	    g->local_id.len > IKE_ID_MAX || g->remote_id.len > IKE_ID_MAX)
		return why_set(why, ERR_VALUE, "gateway %s: proposals, peers or identities",
		               g->name);
	for (size_t i = 0; i < g->proposals; i++)
		if (!ike_proposal_ok(&g->proposal[i]))
			return why_set(why, ERR_UNSUPPORTED,
			               "gateway %s: IKE proposal %zu is not supported in this "
			               "version",
			               g->name, i + 1);
	if (uses_des(g) && !des_is_there())
		return why_set(why, ERR_UNSUPPORTED,
		               "gateway %s: DES needs the legacy provider of OpenSSL, which is not "
		               "on this system; name another encryption-algorithm",
		               g->name);
	return ERR_OK;
}

static enum err check_tunnel(const struct ike_conf_tunnel *t, struct why *why)
{
	if (t->proposals == 0 || t->proposals > IKE_PROPOSALS_MAX || t->locals == 0 ||
	    t->remotes == 0 || t->locals > IKE_SELECTORS_MAX || t->remotes > IKE_SELECTORS_MAX)
		return why_set(why, ERR_VALUE, "vpn %s: proposals or traffic selectors", t->vpn);
	for (size_t i = 0; i < t->proposals; i++)
		if (!child_proposal_ok(&t->proposal[i]))
			return why_set(
			        why, ERR_UNSUPPORTED,
			        "vpn %s: IPsec proposal %zu is not supported in this version",
			        t->vpn, i + 1);
	return ERR_OK;
}

/* ---- building and comparing ------------------------------------------------------------------ */

static struct gateway *find(const struct built *b, const char *name)
{
	return ike_gateway_find(&b->gateway_by_name, name);
}

/* Without the proposals of AH; NULL where there are none. */
static enum err without_ah(const struct ike_conf_tunnel *from, struct ike_conf_tunnel **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < from->proposals; i++)
		n += from->proposal[i].protocol != PROTO_AH;
	if (n == from->proposals)
		return ERR_OK;
	struct ike_conf_tunnel *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_MEMORY;
	*t = *from;
	t->proposals = 0;
	for (size_t i = 0; i < from->proposals; i++)
		if (from->proposal[i].protocol != PROTO_AH)
			t->proposal[t->proposals++] = from->proposal[i];
	*ret = t;
	return ERR_OK;
}

static enum err add_tunnel(struct built *b, const struct ike_conf_tunnel *from, struct why *why)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_MEMORY;
	b->tunnel[b->tunnels++] = t;
	t->conf = *from;
	t->due.fire = ike_tunnel_fire;
	list_init(&t->children);
	list_init(&t->sas);
	t->gw = find(b, from->gateway);
	TRY(check_tunnel(from, why));
	TRY(without_ah(from, &t->no_ah));
	if (t->gw == NULL)
		return why_set(why, ERR_NOT_FOUND, "vpn %s: no gateway %s", from->vpn,
		               from->gateway);
	list_add_tail(&t->of_gateway, &t->gw->tunnels);
	if (from->establish >= IKE_ESTABLISH_RESPONDER_ONLY && from->establish > t->gw->respond)
		t->gw->respond = from->establish;
	/* Of two with one index the first is found. */
	(void)!hash_put(&b->tunnel_by_index, &t->by_index,
	                (struct view){ (const uint8_t *)&t->conf.index, sizeof(t->conf.index) });
	return ERR_OK;
}

static enum err add_blocklists(struct built *b, const struct ike_conf *conf, struct why *why)
{
	b->blocklist = calloc(conf->blocklists + 1, sizeof(struct ike_blocklist *));
	if (b->blocklist == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < conf->blocklists; i++) {
		TRY(ike_blocklist_new(&conf->blocklist[i], &b->blocklist[i], why));
		b->blocklists++;
	}
	return ERR_OK;
}

static enum err find_blocklist(const struct built *b, struct gateway *g, struct why *why)
{
	if (g->conf.blocklist[0] == 0)
		return ERR_OK;
	for (size_t i = 0; i < b->blocklists; i++)
		if (strcmp(ike_blocklist_name(b->blocklist[i]), g->conf.blocklist) == 0) {
			g->blocklist = b->blocklist[i];
			return ERR_OK;
		}
	return why_set(why, ERR_NOT_FOUND, "gateway %s: no blocklist %s", g->conf.name,
	               g->conf.blocklist);
}

/* Where the gateways are found by their peers' addresses. */
static enum err order_gateways(struct built *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->gateways; i++)
		n += b->gateway[i]->conf.peers ? b->gateway[i]->conf.peers : 1;
	b->gateway_at = calloc(n + 1, sizeof(*b->gateway_at));
	if (b->gateway_at == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < b->gateways; i++) {
		const struct ike_conf_gateway *g = &b->gateway[i]->conf;

		for (size_t k = 0; k < g->peers; k++)
			b->gateway_at[b->gateways_at++] = (struct gateway_at){ g->peer[k], i };
		if (g->peers == 0)
			b->gateway_at[b->gateways_at++].order = i;
	}
	qsort(b->gateway_at, b->gateways_at, sizeof(*b->gateway_at), ike_gateway_order);
	return ERR_OK;
}

static enum err build(const struct ike_conf *conf, struct built *b, struct why *why)
{
	static const uint8_t key[16]; /* indexes are ours: nobody picks them against us */

	TRY(hash_init(&b->tunnel_by_index, key));
	TRY(hash_init(&b->gateway_by_name, key));
	b->gateway = calloc(conf->gateways + 1, sizeof(*b->gateway));
	b->tunnel = calloc(conf->tunnels + 1, sizeof(*b->tunnel));
	if (!b->gateway || !b->tunnel)
		return ERR_MEMORY;
	TRY(add_blocklists(b, conf, why));
	for (size_t i = 0; i < conf->gateways; i++) {
		TRY(check_gateway(&conf->gateway[i], why));
		b->gateway[i] = gateway_new(&conf->gateway[i]);
		if (b->gateway[i] == NULL)
			return ERR_MEMORY;
		b->gateways++;
		/* Of two with one name the first is found. */
		(void)!hash_put(&b->gateway_by_name, &b->gateway[i]->by_name,
		                ike_gateway_key(b->gateway[i]->conf.name));
		TRY(find_blocklist(b, b->gateway[i], why));
	}
	TRY(order_gateways(b));
	while (b->tunnels < conf->tunnels)
		TRY(add_tunnel(b, &conf->tunnel[b->tunnels], why));
	return ERR_OK;
}

/* What may change while SAs are up: it holds from the next event on. */
static void forget_soft_parts(struct ike_conf_gateway *g)
{
	g->psk = g->ppk = (struct view){ NULL, 0 };
	memset(g->blocklist, 0, sizeof(g->blocklist));
	g->connections_max = 0;
	g->dpd = false;
	g->dpd_mode = IKE_DPD_OPTIMIZED;
	g->dpd_interval_s = g->dpd_threshold = 0;
	g->nat_keepalive_s = 0;
	g->reauth_every = 0;
	for (size_t i = 0; i < g->proposals; i++)
		g->proposal[i].lifetime_s = 0;
}

static bool same_gateway(const struct gateway *a, const struct gateway *b)
{
	struct ike_conf_gateway x = a->conf, y = b->conf;

	forget_soft_parts(&x);
	forget_soft_parts(&y);
	return memcmp(&x, &y, sizeof(x)) == 0 &&
	       secret_equal(secret_view(a->psk), secret_view(b->psk)) &&
	       secret_equal(secret_view(a->ppk), secret_view(b->ppk));
}

static bool same_tunnel(const struct tunnel *a, const struct tunnel *b)
{
	struct ike_conf_tunnel x = a->conf, y = b->conf;
	struct ike_conf_tunnel *both[2] = { &x, &y };

	for (size_t k = 0; k < 2; k++) { /* as above; DEC-24 */
		both[k]->establish = IKE_ESTABLISH_ON_TRAFFIC;
		both[k]->idle_s = 0;
		for (size_t i = 0; i < both[k]->proposals; i++) {
			both[k]->proposal[i].lifetime_s = 0;
			both[k]->proposal[i].lifetime_kb = 0;
			both[k]->proposal[i].lifetime_packets = 0;
		}
	}
	return memcmp(&x, &y, sizeof(x)) == 0 && same_gateway(a->gw, b->gw);
}

/* The children of a tunnel that is replaced, or that goes (NULL). */
static void move_children(struct tunnel *was, struct tunnel *t)
{
	struct list *at;

	while ((at = list_pop(&was->children)) != NULL)
		if (t)
			list_add_tail(at, &t->children);
}

/* What a tunnel's state was goes on in its successor. */
static void carry_over(struct ike *old, struct built *b)
{
	for (size_t i = 0; i < old->tunnels; i++) {
		struct tunnel *was = old->tunnel[i];
		struct tunnel *t = ike_tunnel_find(&b->tunnel_by_index, was->conf.index);

		ike_due_at(old, &was->due, UINT64_MAX);
		move_children(was, t);
		if (t == NULL)
			continue;
		t->negotiating = was->negotiating;
		t->used_ms = was->used_ms;
		t->wanted = was->wanted;
		if (same_tunnel(t, was)) {
			t->retry_ms = was->retry_ms;
			t->backoff_ms = was->backoff_ms;
		}
	}
}

/* Does all that the SA stands on stand unchanged in the new configuration? */
static bool unchanged(const struct ike_sa *sa, const struct built *b)
{
	struct gateway *gw = sa->gw ? find(b, sa->gw->conf.name) : NULL;

	if (gw == NULL || !same_gateway(gw, sa->gw))
		return false;
	if (sa->negotiating && sa->tunnel) {
		struct tunnel *is = ike_tunnel_find(&b->tunnel_by_index, sa->tunnel->conf.index);

		return is && same_tunnel(sa->tunnel, is);
	}
	return true;
}

/* Children whose tunnels have changed go; their IKE SA stays. */
static void mark_children(struct ike *ike, struct ike_sa *sa, const struct built *b)
{
	struct list *at;

	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);
		struct tunnel *was = ike_tunnel_by_index(ike, c->tunnel);
		struct tunnel *is = ike_tunnel_find(&b->tunnel_by_index, c->tunnel);

		if (was == NULL || is == NULL || !same_tunnel(was, is))
			c->wish_delete |= c->state != CHILD_LINGERING;
	}
}

/* Points the SA at the new configuration; marks it where what it stands on has changed. */
static void rebase(struct ike *ike, struct ike_sa *sa, const struct built *b)
{
	bool keep = unchanged(sa, b), joined = !list_empty(&sa->of_gateway);
	struct tunnel *t =
	        sa->tunnel ? ike_tunnel_find(&b->tunnel_by_index, sa->tunnel->conf.index) : NULL;

	sa->gw = sa->gw ? find(b, sa->gw->conf.name) : NULL;
	if (t == NULL)
		sa->negotiating = false; /* nobody counts it any more */
	ike_tunnel_join(sa, t);
	mark_children(ike, sa, b);
	if (joined)
		ike_gateway_join(sa);
	if (sa->keepalive_ms != UINT64_MAX) /* the interval may be another */
		sa->keepalive_ms = ike_sa_now(sa);
	if (!keep)
		sa->wish_delete = true;
}

/* Clocks by the new configuration. */
static void rearm(struct ike_sa *sa)
{
	struct list *at;

	if (sa->state == IKE_UP)
		ike_dpd_arm(sa, ike_sa_now(sa));
	list_each (at, &sa->children)
		ike_idle_arm(child_sa_at(at));
}

enum err ike_conf_check(const struct ike_conf *conf, struct why *why)
{
	struct built b = { 0 };
	enum err e = build(conf, &b, why);

	built_free(&b);
	return e;
}

enum err ike_configure(struct ike *ike, const struct ike_conf *conf, struct effects *fx,
                       struct why *why)
{
	struct built b = { 0 };
	enum err e = build(conf, &b, why);
	struct list *at, *after;

	if (e != ERR_OK) {
		built_free(&b);
		return e;
	}
	ike_turn_begin(ike);
	carry_over(ike, &b);
	list_each (at, &ike->sas)
		rebase(ike, ike_sa_at(at), &b);
	ike_conf_free(ike);
	ike->gateway = b.gateway;
	ike->gateway_by_name = b.gateway_by_name;
	ike->gateways = b.gateways;
	ike->tunnel = b.tunnel;
	ike->tunnels = b.tunnels;
	ike->tunnel_by_index = b.tunnel_by_index;
	ike->gateway_at = b.gateway_at;
	ike->gateways_at = b.gateways_at;
	ike->blocklist = b.blocklist;
	ike->blocklists = b.blocklists;
	ike->guard.conf = conf->session;
	list_each_safe (at, after, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (sa->wish_delete && sa->state != IKE_ENDED) {
			ike_delete_sa(sa, fx);
		} else {
			rearm(sa);
			ike_sa_pump(sa, fx);
			ike_sa_touch(sa);
		}
	}
	for (size_t i = 0; i < ike->tunnels; i++)
		ike_tunnel_poll(ike, ike->tunnel[i], fx);
	ike_sweep(ike);
	return ERR_OK;
}

/* Is all that a restored SA stands on configured? */
static bool all_known(struct ike_sa *sa)
{
	struct list *at;

	list_each (at, &sa->children)
		if (ike_tunnel_by_index(sa->ike, child_sa_at(at)->tunnel) == NULL)
			child_sa_at(at)->wish_delete = true;
	return sa->gw != NULL;
}

void ike_restored(struct ike *ike, struct effects *fx)
{
	struct list *at, *after;

	ike_turn_begin(ike);
	ike->started = true;
	list_each_safe (at, after, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (!all_known(sa) && (sa->state == IKE_UP || sa->state == IKE_REPLACED))
			ike_delete_sa(sa, fx);
		else
			ike_sa_pump(sa, fx);
		if (sa->state != IKE_GONE)
			ike_sa_touch(sa);
	}
	for (size_t i = 0; i < ike->tunnels; i++) {
		ike_tunnel_restored(ike->tunnel[i], fx);
		ike_tunnel_poll(ike, ike->tunnel[i], fx);
	}
	ike_sweep(ike);
}
