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
	free(g);
}

static struct gateway *gateway_new(const struct ike_conf_gateway *conf)
{
	struct gateway *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->conf = *conf;
	g->psk = secret_copy(conf->psk);
	if (g->psk == NULL) {
		free(g);
		return NULL;
	}
	g->conf.psk = secret_view(g->psk);
	return g;
}

static void free_arrays(struct gateway **gateway, size_t gateways, struct tunnel **tunnel,
                        size_t tunnels)
{
	for (size_t i = 0; gateway && i < gateways; i++)
		gateway_free(gateway[i]);
	for (size_t i = 0; tunnel && i < tunnels; i++)
		free(tunnel[i]);
	free(gateway);
	free(tunnel);
}

void ike_conf_free(struct ike *ike)
{
	free_arrays(ike->gateway, ike->gateways, ike->tunnel, ike->tunnels);
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
	for (size_t i = 0; i < p->ciphers; i++)
		if (!(p->cipher[i]->use & ALG_SOFT) || p->cipher[i]->icv_len == 0)
			return false;
	return p->ciphers && p->ciphers <= IKE_TRANSFORMS_MAX;
}

static enum err check_gateway(const struct ike_conf_gateway *g, struct why *why)
{
	if (g->psk.len == 0)
		return why_set(why, ERR_MISSING, "gateway %s: no pre-shared key", g->name);
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

static struct gateway *find(struct gateway **g, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(g[i]->conf.name, name) == 0)
			return g[i];
	return NULL;
}

struct built {
	struct gateway **gateway;
	struct tunnel **tunnel;
	size_t gateways, tunnels;
};

static enum err build(const struct ike_conf *conf, struct built *b, struct why *why)
{
	b->gateway = calloc(conf->gateways + 1, sizeof(*b->gateway));
	b->tunnel = calloc(conf->tunnels + 1, sizeof(*b->tunnel));
	if (!b->gateway || !b->tunnel)
		return ERR_MEMORY;
	for (; b->gateways < conf->gateways; b->gateways++) {
		TRY(check_gateway(&conf->gateway[b->gateways], why));
		b->gateway[b->gateways] = gateway_new(&conf->gateway[b->gateways]);
		if (b->gateway[b->gateways] == NULL)
			return ERR_MEMORY;
	}
	for (; b->tunnels < conf->tunnels; b->tunnels++) {
		const struct ike_conf_tunnel *from = &conf->tunnel[b->tunnels];
		struct tunnel *t = calloc(1, sizeof(*t));

		b->tunnel[b->tunnels] = t;
		if (t == NULL)
			return ERR_MEMORY;
		t->conf = *from;
		t->gw = find(b->gateway, b->gateways, from->gateway);
		enum err e = check_tunnel(from, why);
		if (e == ERR_OK && t->gw == NULL)
			e = why_set(why, ERR_NOT_FOUND, "vpn %s: no gateway %s", from->vpn,
			            from->gateway);
		if (e != ERR_OK) {
			b->tunnels++;
			return e;
		}
	}
	return ERR_OK;
}

static bool same_gateway(const struct gateway *a, const struct gateway *b)
{
	struct ike_conf_gateway x = a->conf, y = b->conf;

	x.psk = y.psk = (struct view){ NULL, 0 };
	return memcmp(&x, &y, sizeof(x)) == 0 &&
	       secret_equal(secret_view(a->psk), secret_view(b->psk));
}

static bool same_tunnel(const struct tunnel *a, const struct tunnel *b)
{
	return memcmp(&a->conf, &b->conf, sizeof(a->conf)) == 0 && same_gateway(a->gw, b->gw);
}

/* What a tunnel's state was goes on in its successor. */
static void carry_over(struct ike *old, struct built *b)
{
	for (size_t i = 0; i < b->tunnels; i++) {
		struct tunnel *t = b->tunnel[i], *was = ike_tunnel_by_index(old, t->conf.index);

		if (was == NULL)
			continue;
		t->children = was->children;
		t->negotiating = was->negotiating;
		t->wanted = was->wanted;
		if (same_tunnel(t, was)) {
			t->retry_ms = was->retry_ms;
			t->backoff_ms = was->backoff_ms;
		}
	}
}

static struct tunnel *tunnel_in(const struct built *b, uint32_t index)
{
	for (size_t i = 0; i < b->tunnels; i++)
		if (b->tunnel[i]->conf.index == index)
			return b->tunnel[i];
	return NULL;
}

/* Does all that the SA stands on stand unchanged in the new configuration? */
static bool unchanged(struct ike *ike, const struct ike_sa *sa, const struct built *b)
{
	struct gateway *gw = sa->gw ? find(b->gateway, b->gateways, sa->gw->conf.name) : NULL;

	if (gw == NULL || !same_gateway(gw, sa->gw))
		return false;
	for (const struct child_sa *c = sa->children; c; c = c->next) {
		struct tunnel *was = ike_tunnel_by_index(ike, c->tunnel);
		struct tunnel *is = tunnel_in(b, c->tunnel);

		if (was == NULL || is == NULL || !same_tunnel(was, is))
			return false;
	}
	if (sa->tunnel) {
		struct tunnel *is = tunnel_in(b, sa->tunnel->conf.index);

		return is && same_tunnel(sa->tunnel, is);
	}
	return true;
}

/* Points the SA at the new configuration; marks it where what it stands on has changed. */
static void rebase(struct ike *ike, struct ike_sa *sa, const struct built *b)
{
	bool keep = unchanged(ike, sa, b);
	struct tunnel *t = sa->tunnel ? tunnel_in(b, sa->tunnel->conf.index) : NULL;

	sa->gw = sa->gw ? find(b->gateway, b->gateways, sa->gw->conf.name) : NULL;
	if (t == NULL)
		sa->negotiating = false; /* nobody counts it any more */
	sa->tunnel = t;
	if (!keep)
		sa->wish_delete = true;
}

enum err ike_conf_check(const struct ike_conf *conf, struct why *why)
{
	struct built b = { 0 };
	enum err e = build(conf, &b, why);

	free_arrays(b.gateway, b.gateways, b.tunnel, b.tunnels);
	return e;
}

enum err ike_configure(struct ike *ike, const struct ike_conf *conf, struct effects *fx,
                       struct why *why)
{
	struct built b = { 0 };
	enum err e = build(conf, &b, why);

	if (e != ERR_OK) {
		free_arrays(b.gateway, b.gateways, b.tunnel, b.tunnels);
		return e;
	}
	ike_turn_begin(ike);
	carry_over(ike, &b);
	for (struct ike_sa *sa = ike->first; sa; sa = sa->next)
		rebase(ike, sa, &b);
	ike_conf_free(ike);
	ike->gateway = b.gateway;
	ike->gateways = b.gateways;
	ike->tunnel = b.tunnel;
	ike->tunnels = b.tunnels;
	ike->half_open_max = conf->half_open_max;
	for (struct ike_sa *sa = ike->first, *next; sa; sa = next) {
		next = sa->next;
		if (sa->wish_delete && sa->state != IKE_ENDED)
			ike_delete_sa(sa, fx);
	}
	for (size_t i = 0; i < ike->tunnels; i++)
		ike_tunnel_poll(ike, ike->tunnel[i], fx);
	ike_sweep(ike);
	return ERR_OK;
}

void ike_restored(struct ike *ike, struct effects *fx)
{
	ike_turn_begin(ike);
	ike->started = true;
	for (struct ike_sa *sa = ike->first, *next; sa; sa = next) {
		bool known = sa->gw != NULL;

		next = sa->next;
		for (const struct child_sa *c = sa->children; c; c = c->next)
			known &= ike_tunnel_by_index(ike, c->tunnel) != NULL;
		if (!known && sa->state == IKE_UP)
			ike_delete_sa(sa, fx);
		else
			ike_sa_touch(sa);
	}
	for (size_t i = 0; i < ike->tunnels; i++) {
		ike_tunnel_restored(ike, ike->tunnel[i]);
		ike_tunnel_poll(ike, ike->tunnel[i], fx);
	}
	ike_sweep(ike);
}
