// SPDX-License-Identifier: BSD-2-Clause
#include "tunnel.h"

#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const struct tunnels *t, uint32_t index)
{
	size_t from = 0, to = t->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (t->at[mid].index < index)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct tunnel *tunnels_find(const struct tunnels *t, uint32_t index)
{
	size_t i = place_of(t, index);

	return i < t->n && t->at[i].index == index ? &t->at[i] : NULL;
}

static struct tunnel *find_vpn(const struct tunnels *t, const char *vpn)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->at[i].vpn, vpn) == 0)
			return &t->at[i];
	return NULL;
}

/* In its place; no other has its index or its name. */
static enum err put(struct tunnels *t, const struct tunnel *known)
{
	if (t->n == TUNNELS_MAX)
		return ERR_FULL;
	struct tunnel *more = realloc(t->at, (t->n + 1) * sizeof(*more));
	if (more == NULL)
		return ERR_MEMORY;
	t->at = more;
	size_t i = place_of(t, known->index);
	memmove(&t->at[i + 1], &t->at[i], (t->n - i) * sizeof(*more));
	t->at[i] = *known;
	t->n++;
	return ERR_OK;
}

enum err tunnels_know(struct tunnels *t, const struct tunnel *known)
{
	if (tunnels_find(t, known->index) || find_vpn(t, known->vpn))
		return ERR_DUPLICATE;
	return put(t, known);
}

enum err tunnels_copy(struct tunnels *to, const struct tunnels *from)
{
	to->at = calloc(from->n + 1, sizeof(*to->at));
	if (to->at == NULL)
		return ERR_MEMORY;
	if (from->n)
		memcpy(to->at, from->at, from->n * sizeof(*to->at));
	to->n = from->n;
	return ERR_OK;
}

/* The lowest that is free, of those from here on. */
static uint32_t free_index(const struct tunnels *t, uint32_t index)
{
	for (size_t i = place_of(t, index); i < t->n && t->at[i].index == index; i++)
		index++;
	return index;
}

void tunnels_forget_conf(struct tunnels *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->at[i].conf = NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct config_vpn *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int name_at(const void *name, const void *at)
{
	const struct config_vpn *const *vpn = at;

	return strcmp(name, (*vpn)->name);
}

/* Those that are known get their configuration. Puts vpn in order of names. */
static void match_known(struct tunnels *t, const struct config_vpn **vpn, size_t n)
{
	qsort(vpn, n, sizeof(*vpn), by_name);
	for (size_t i = 0; i < t->n && n; i++) {
		const struct config_vpn **found =
		        bsearch(t->at[i].vpn, vpn, n, sizeof(*vpn), name_at);

		if (found)
			t->at[i].conf = *found;
	}
}

enum err tunnels_plan(struct tunnels *t, const struct config *c)
{
	const struct config_vpn **vpn = calloc(c->vpns + 1, sizeof(*vpn));
	bool *known = calloc(c->vpns + 1, sizeof(*known));
	uint32_t index = TUNNEL_INDEX_FIRST;
	enum err e = vpn && known ? ERR_OK : ERR_MEMORY;

	tunnels_forget_conf(t);
	for (size_t i = 0; i < c->vpns && !e; i++)
		vpn[i] = &c->vpn[i];
	if (!e)
		match_known(t, vpn, c->vpns);
	for (size_t i = 0; i < t->n && !e; i++)
		if (t->at[i].conf)
			known[t->at[i].conf - c->vpn] = true;
	for (size_t i = 0; i < c->vpns && !e; i++) {
		struct tunnel fresh = { .conf = &c->vpn[i] };

		if (known[i])
			continue;
		index = fresh.index = free_index(t, index);
		(void)snprintf(fresh.vpn, sizeof(fresh.vpn), "%s", c->vpn[i].name);
		e = put(t, &fresh);
	}
	free(vpn);
	free(known);
	return e;
}

void tunnels_prune(struct tunnels *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->at[i].conf)
			t->at[kept++] = t->at[i];
	t->n = kept;
}

void tunnels_done(struct tunnels *t)
{
	free(t->at);
	*t = (struct tunnels){ 0 };
}

static void fill_id(struct ike_id *id, const struct config_identity *conf)
{
	id->type = (uint8_t)conf->type;
	id->len = conf->len < sizeof(id->b) ? conf->len : (uint16_t)sizeof(id->b);
	memcpy(id->b, conf->bytes, id->len);
}

static void fill_proposal(struct ike_conf_proposal *p, const struct config_ike_proposal *conf)
{
	_Static_assert(sizeof(p->cipher) == sizeof(conf->cipher), "as many transforms");
	memcpy(p->cipher, conf->cipher, sizeof(p->cipher));
	memcpy(p->integ, conf->integ, sizeof(p->integ));
	memcpy(p->prf, conf->prf, sizeof(p->prf));
	memcpy(p->ke, conf->ke, sizeof(p->ke));
	p->ciphers = conf->ciphers;
	p->integs = conf->integs;
	p->prfs = conf->prfs;
	p->kes = conf->kes;
	p->lifetime_s = conf->lifetime_s;
}

static struct ike_conf_rules rules_of(const struct config_match *m)
{
	return (struct ike_conf_rules){ m->strict_count, m->prefer_responder };
}

static enum ike_dpd_mode dpd_mode(enum config_dpd_mode mode)
{
	return mode == CONFIG_DPD_ALWAYS_SEND  ? IKE_DPD_ALWAYS
	       : mode == CONFIG_DPD_PROBE_IDLE ? IKE_DPD_IDLE
	                                       : IKE_DPD_OPTIMIZED;
}

static void fill_gateway(struct ike_conf_gateway *g, const struct config_gateway *conf)
{
	(void)snprintf(g->name, sizeof(g->name), "%s", conf->name);
	g->local = conf->local;
	for (size_t i = 0; i < conf->peers && i < IKE_PEERS_MAX; i++)
		g->peer[g->peers++] = conf->peer[i];
	fill_id(&g->local_id, &conf->local_id);
	fill_id(&g->remote_id, &conf->remote_id);
	g->psk = secret_view(conf->policy->psk);
	if (conf->policy->ppk) {
		g->ppk = secret_view(conf->policy->ppk);
		(void)snprintf(g->ppk_id, sizeof(g->ppk_id), "%s", conf->policy->ppk_id);
		g->ppk_required = conf->policy->ppk_required;
	}
	if (conf->policy->blocklist)
		(void)snprintf(g->blocklist, sizeof(g->blocklist), "%s",
		               conf->policy->blocklist->name);
	g->connections_max = conf->connections_max;
	g->reauth_every = conf->policy->reauth_every;
	for (size_t i = 0; i < conf->policy->proposals && i < IKE_PROPOSALS_MAX; i++)
		fill_proposal(&g->proposal[g->proposals++], conf->policy->proposal[i]);
	g->rules = rules_of(&conf->policy->match);
	g->dpd = conf->dpd;
	g->dpd_mode = dpd_mode(conf->dpd_mode);
	g->dpd_interval_s = conf->dpd_interval_s;
	g->dpd_threshold = conf->dpd_threshold;
	g->no_nat_traversal = !conf->nat_traversal;
	g->force_udp_encap = conf->force_udp_encapsulation;
	g->nat_keepalive_s = conf->nat_keepalive_s;
	g->no_fragmentation = !conf->fragmentation;
	g->fragment_size = (uint16_t)conf->fragment_size;
}

static struct ike_ts range_of(const struct prefix *p)
{
	return (struct ike_ts){ .port_last = UINT16_MAX,
		                .first = prefix_first(p),
		                .last = prefix_last(p) };
}

static void fill_tunnel(struct ike_conf_tunnel *k, const struct tunnel *t)
{
	const struct config_vpn *v = t->conf;

	k->index = t->index;
	(void)snprintf(k->vpn, sizeof(k->vpn), "%s", v->name);
	(void)snprintf(k->gateway, sizeof(k->gateway), "%s", v->gateway->name);
	for (size_t i = 0; i < v->policy->proposals && i < IKE_PROPOSALS_MAX; i++) {
		const struct config_ipsec_proposal *p = v->policy->proposal[i];
		struct ike_conf_child_proposal *to = &k->proposal[k->proposals++];

		to->protocol = p->protocol;
		memcpy(to->cipher, p->cipher, sizeof(to->cipher));
		to->ciphers = p->ciphers;
		memcpy(to->integ, p->integ, sizeof(to->integ));
		to->integs = p->integs;
		to->esn = p->esn;
		to->lifetime_s = p->lifetime_s;
		to->lifetime_kb = p->lifetime_kb;
		to->lifetime_packets = p->lifetime_packets;
	}
	k->rules = rules_of(&v->policy->match);
	k->pfs = v->policy->pfs;
	k->window = (uint16_t)v->replay_window;
	for (size_t i = 0; i < v->selectors; i++) {
		k->local[k->locals++] = range_of(&v->selector[i].local);
		k->remote[k->remotes++] = range_of(&v->selector[i].remote);
	}
	_Static_assert((int)IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY ==
	                       (int)CONFIG_ESTABLISH_RESPONDER_ONLY_NO_REKEY,
	               "the same words in the same order");
	k->establish = (enum ike_establish)v->establish;
	k->idle_s = v->idle_s;
}

static struct ike_conf_session session_of(const struct config_session *s)
{
	struct ike_conf_session k = { .half_open_max = s->half_open_max,
		                      .cookie_at = s->cookie_at,
		                      .reduce_at = s->reduce_at,
		                      .reduced_timeout_s = s->reduced_timeout_s,
		                      .half_open_timeout_s = s->half_open_timeout_s,
		                      .discard_duplicate = s->discard_duplicate,
		                      .backoff_init_s = s->backoff_init_s,
		                      .backoff_auth_s = s->backoff_auth_s };

	_Static_assert((int)IKE_RATES == (int)CONFIG_RATES &&
	                       (int)IKE_RATE_KEEPALIVE == (int)CONFIG_RATE_KEEPALIVE,
	               "the same kinds in the same order");
	for (int i = 0; i < CONFIG_RATES; i++) {
		k.rate[i].count = s->rate[i].count;
		k.rate[i].seconds = s->rate[i].seconds;
	}
	return k;
}

static void fill_rule(struct ike_conf_rule *to, const struct config_rule *from)
{
	memcpy(to->name, from->name, sizeof(to->name));
	to->peer_responds = from->peer_responds;
	to->id_type = from->id_type;
	to->pattern = from->pattern;
	to->reject = from->reject;
	to->backoff_s = from->backoff_s;
}

/* The lists, and behind them in one array the rules of all. */
static enum err fill_blocklists(struct tunnel_ike_conf *k, const struct config *c)
{
	size_t rules = 0;

	for (size_t i = 0; i < c->blocklists; i++)
		rules += c->blocklist[i].rules;
	k->blocklist = calloc(c->blocklists + 1, sizeof(*k->blocklist));
	k->rule = calloc(rules + 1, sizeof(*k->rule));
	if (k->blocklist == NULL || k->rule == NULL)
		return ERR_MEMORY;
	rules = 0;
	for (size_t i = 0; i < c->blocklists; i++) {
		const struct config_blocklist *from = &c->blocklist[i];
		struct ike_conf_blocklist *to = &k->blocklist[i];

		memcpy(to->name, from->name, sizeof(to->name));
		to->rule = &k->rule[rules];
		to->rules = from->rules;
		for (size_t r = 0; r < from->rules; r++)
			fill_rule(&k->rule[rules++], &from->rule[r]);
	}
	k->conf.blocklist = k->blocklist;
	k->conf.blocklists = c->blocklists;
	return ERR_OK;
}

enum err tunnels_ike_conf(const struct tunnels *t, const struct config *c,
                          struct tunnel_ike_conf *ret)
{
	struct tunnel_ike_conf k = { 0 };

	k.gateway = calloc(c->gateways + 1, sizeof(*k.gateway));
	k.tunnel = calloc(t->n + 1, sizeof(*k.tunnel));
	if (k.gateway == NULL || k.tunnel == NULL || fill_blocklists(&k, c) != ERR_OK) {
		tunnels_ike_conf_done(&k);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < c->gateways; i++)
		fill_gateway(&k.gateway[k.conf.gateways++], &c->gateway[i]);
	for (size_t i = 0; i < t->n; i++)
		if (t->at[i].conf && t->at[i].conf->manual == NULL)
			fill_tunnel(&k.tunnel[k.conf.tunnels++], &t->at[i]);
	k.conf.session = session_of(&c->session);
	k.conf.gateway = k.gateway;
	k.conf.tunnel = k.tunnel;
	*ret = k;
	return ERR_OK;
}

void tunnels_ike_conf_done(struct tunnel_ike_conf *k)
{
	free(k->gateway);
	free(k->tunnel);
	free(k->blocklist);
	free(k->rule);
	*k = (struct tunnel_ike_conf){ 0 };
}

/* ---- sizes --------------------------------------------------------------------------------- */

enum { V4_LEN = 20, V6_LEN = 40, UDP_LEN = 8, ESP_HEADER = 8, ESP_TRAILER = 2, ESP_UNIT = 4 };
enum { AH_HEADER = 12, AH_UNIT = 8, V6_MIN_MTU = 1280 };

/* RFC 4303 2: headers, IV, and ICV around; the cipher's block inside. */
static uint32_t esp_room(const struct alg_cipher *c, uint32_t icv, uint32_t outer)
{
	uint32_t unit = c->block > ESP_UNIT ? c->block : ESP_UNIT;
	uint32_t around =
	        ESP_HEADER + UDP_LEN + (uint32_t)c->iv_len + (c->icv_len ? c->icv_len : icv);

	return outer <= around + unit ? 0 : (outer - around) / unit * unit - ESP_TRAILER;
}

static uint32_t proposal_room(const struct config_ipsec_proposal *p, uint32_t outer)
{
	uint32_t icv = 0, least = outer;

	for (size_t i = 0; i < p->integs; i++)
		if (p->integ[i]->iv_len + p->integ[i]->icv_len > icv)
			icv = (uint32_t)p->integ[i]->iv_len + p->integ[i]->icv_len;
	if (p->protocol == PROTO_AH) {
		uint32_t head = (AH_HEADER + icv + AH_UNIT - 1) / AH_UNIT * AH_UNIT;
		return outer > head ? outer - head : 0;
	}
	for (size_t i = 0; i < p->ciphers; i++) {
		uint32_t room = esp_room(p->cipher[i], icv, outer);
		least = room < least ? room : least;
	}
	return least;
}

static uint32_t manual_room(const struct config_manual *m, uint32_t outer)
{
	struct config_ipsec_proposal p = { .protocol = m->protocol };

	if (m->cipher != NULL)
		p.cipher[p.ciphers++] = m->cipher;
	if (m->integ != NULL)
		p.integ[p.integs++] = m->integ;
	return proposal_room(&p, outer);
}

/* Where the peer comes from anywhere, what our own address does not rule out. */
static bool outer_is_v6(const struct config_vpn *v)
{
	const struct config_gateway *g = v->gateway;

	if (g == NULL)
		return v->manual->remote.family == ADDR_V6;
	return g->peers ? g->peer[0].family == ADDR_V6 : g->local.family != ADDR_V4;
}

uint32_t tunnel_inner_mtu(const struct config_vpn *v, uint32_t link_mtu)
{
	uint32_t ip = outer_is_v6(v) ? V6_LEN : V4_LEN;
	uint32_t outer = link_mtu > ip ? link_mtu - ip : 0, least = outer;

	if (v->manual != NULL)
		least = manual_room(v->manual, outer);
	for (size_t i = 0; v->policy != NULL && i < v->policy->proposals; i++) {
		uint32_t room = proposal_room(v->policy->proposal[i], outer);
		least = room < least ? room : least;
	}
	return least > V6_MIN_MTU ? least : V6_MIN_MTU;
}
