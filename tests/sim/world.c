// SPDX-License-Identifier: BSD-2-Clause
#include "world.h"
#include "records.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- chance ---------------------------------------------------------------------------------- */

static uint64_t draw(struct world *w)
{
	w->rng += 0x9e3779b97f4a7c15; /* splitmix64 */
	uint64_t z = w->rng;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t world_random(struct world *w, uint32_t below)
{
	return (uint32_t)(draw(w) % below);
}

static struct node *of(struct env *env)
{
	return (struct node *)env;
}

static uint64_t env_now(struct env *env)
{
	return of(env)->w->now_ms;
}

static void env_random(struct env *env, void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)p)[i] = (uint8_t)draw(of(env)->w);
}

static enum err env_take(struct env *env, bool inbound, uint16_t window, uint32_t *ret)
{
	struct node *n = of(env);

	(void)inbound;
	(void)window;
	for (uint32_t i = 0; i < WORLD_SLOTS; i++)
		if (!n->taken[i]) {
			n->taken[i] = true;
			n->usage[i] = (struct sa_usage){ 0 };
			*ret = i;
			return ERR_OK;
		}
	return ERR_FULL;
}

static void env_give(struct env *env, uint32_t slot)
{
	of(env)->taken[slot] = false;
}

static enum err env_usage(struct env *env, uint32_t slot, struct sa_usage *ret)
{
	if (slot >= WORLD_SLOTS || !of(env)->taken[slot])
		return ERR_NOT_FOUND;
	*ret = of(env)->usage[slot];
	return ERR_OK;
}

static void env_skip(struct env *env, uint32_t slot, uint32_t packets)
{
	of(env)->usage[slot].seq += packets;
}

static uint16_t env_epoch(struct env *env)
{
	return (uint16_t)(2 + of(env)->id);
}

/* ---- life ------------------------------------------------------------------------------------ */

void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = w->rng = seed;
	w->now_ms = 1000000;
	w->delay_ms = 5;
	w->jitter_ms = 1;
	for (int i = 0; i < 2; i++) {
		struct node *n = &w->node[i];

		n->env = (struct env){ env_now,   env_random, env_take, env_give, env_usage,
			               env_epoch, 0,          { 0 },    env_skip };
		n->w = w;
		n->id = i;
		n->addr = addr_v4(0x0a000001u + (uint32_t)i);
		env_random(&n->env, n->wrap_key, sizeof(n->wrap_key));
		env_random(&n->env, n->env.anchor_key, sizeof(n->env.anchor_key));
	}
}

void node_die(struct node *n)
{
	ike_free(n->ike);
	n->ike = NULL;
	for (size_t i = 0; i < n->jobs; i++)
		n->job[i].job->discard(n->job[i].job);
	n->jobs = 0;
	n->dies_in = 0;
	n->w->deaths++;
	if (n->w->trace)
		printf("%10lu node %d dies\n", n->w->now_ms, n->id);
	if (n->w->history)
		history_note(n->w->history, n->w->now_ms, (uint64_t)n->id);
}

void world_done(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		node_die(&w->node[i]);
		for (size_t k = 0; k < w->node[i].stored; k++)
			free(w->node[i].store[k].body);
	}
	for (size_t i = 0; i < w->packets; i++)
		free(w->packet[i].bytes);
}

static struct stored *stored_at(struct node *n, const struct record_key *key)
{
	for (size_t i = 0; i < n->stored; i++)
		if (n->store[i].key.kind == key->kind && n->store[i].key.len == key->len &&
		    memcmp(n->store[i].key.b, key->b, key->len) == 0)
			return &n->store[i];
	return NULL;
}

static void forget_record(struct node *n, const struct record_key *key)
{
	struct stored *s = stored_at(n, key);

	if (s == NULL)
		return;
	free(s->body);
	*s = n->store[--n->stored];
}

static void restore_kind(struct node *n, uint8_t kind)
{
	for (size_t i = 0; i < n->stored; i++) {
		struct record r = { .key = n->store[i].key,
			            .body = { n->store[i].body, n->store[i].len } };
		char text[RECORD_KEY_TEXT_MAX];

		if (r.key.kind != kind)
			continue;
		enum err e = ike_restore(n->ike, &r);
		if (e == ERR_OK)
			continue;
		fprintf(stderr, "seed %lu: %s does not restore: %s\n", n->w->seed,
		        record_key_text(&r.key, text), err_text(e));
		abort();
	}
}

/* As the daemon does after a restart: slots that no record names are free. */
static void sweep_slots(struct node *n)
{
	memset(n->taken, 0, sizeof(n->taken));
	for (size_t i = 0; i < node_children(n); i++) {
		struct Hawser__ChildSaRecord *m = node_child(n, i);

		assert(!n->taken[m->slot_in] && !n->taken[m->slot_out]);
		n->taken[m->slot_in] = n->taken[m->slot_out] = true;
		record_child_sa_free(m);
	}
}

void node_start(struct node *n, const struct ike_conf *conf)
{
	struct effects fx = { 0 };
	struct why why = { 0 };

	n->ike = ike_new(&n->env, n->wrap_key);
	assert(n->ike);
	sweep_slots(n);
	if (ike_configure(n->ike, conf, &fx, &why) != ERR_OK) {
		fprintf(stderr, "configuration: %s\n", why.text);
		abort();
	}
	restore_kind(n, REC_IKE_SA);
	restore_kind(n, REC_CHILD_SA);
	ike_restored(n->ike, &fx);
	node_run(n, &fx);
}

/* ---- effects --------------------------------------------------------------------------------- */

static void put(struct node *n, const struct effect *f)
{
	struct stored *s = stored_at(n, &f->key);

	if (s == NULL) {
		assert(n->stored < WORLD_RECORDS);
		s = &n->store[n->stored++];
		s->body = NULL;
	}
	free(s->body);
	s->key = f->key;
	s->len = f->body.len;
	s->body = malloc(f->body.len + 1);
	assert(s->body);
	memcpy(s->body, f->body.p, f->body.len);
	n->puts++;
	if (n->w->history)
		history_put(n->w->history, n->id, &f->key, f->body);
}

/* The slots come free when every SPU has passed the deletion: here, at once. */
static void del(struct node *n, const struct record_key *key)
{
	struct stored *s = stored_at(n, key);
	struct Hawser__ChildSaRecord *m = NULL;

	if (s && key->kind == REC_CHILD_SA &&
	    record_child_sa_decode((struct view){ s->body, s->len }, &m) == ERR_OK) {
		n->taken[m->slot_in] = n->taken[m->slot_out] = false;
		record_child_sa_free(m);
	}
	forget_record(n, key);
	if (n->w->history)
		history_del(n->w->history, n->id, key);
}

void world_nat(struct world *w, int id, uint16_t shift)
{
	w->nat[id] = (struct world_nat){ true, addr_v4(0xcb007101u + (uint32_t)id), shift };
}

/* False: nobody is there. */
static bool through_nat(struct world *w, struct packet *p)
{
	for (int i = 0; i < 2; i++) {
		const struct world_nat *nat = &w->nat[i];
		uint16_t inside = (uint16_t)(p->to.port - nat->shift);

		if (!nat->on)
			continue;
		if (addr_equal(&p->from.addr, &w->node[i].addr)) {
			p->from.addr = nat->public;
			p->from.port = (uint16_t)(p->from.port + nat->shift);
		} else if (addr_equal(&p->to.addr, &nat->public)) {
			if (inside != 500 && inside != 4500)
				return false;
			p->to = (struct endpoint){ w->node[i].addr, inside };
		}
	}
	return true;
}

static void enqueue(struct world *w, const struct fx_send *s)
{
	if (w->packets == WORLD_PACKETS) {
		w->lost++;
		return;
	}
	struct packet *p = &w->packet[w->packets];
	p->from = s->local;
	p->to = s->remote;
	if (!through_nat(w, p)) {
		w->lost++;
		return;
	}
	w->packets++;
	p->len = s->bytes.len;
	p->bytes = malloc(p->len + 1);
	assert(p->bytes);
	memcpy(p->bytes, s->bytes.p, p->len);
	p->at_ms = w->now_ms + w->delay_ms + world_random(w, w->jitter_ms + 1);
}

static void send_message(struct node *n, const struct fx_send *s)
{
	struct world *w = n->w;

	if (w->trace && s->bytes.len >= 28)
		printf("%10lu node %d sends exchange %d flags %02x id %d of %02x%02x, %zu bytes\n",
		       w->now_ms, n->id, s->bytes.p[18], s->bytes.p[19], s->bytes.p[23],
		       s->bytes.p[0], s->bytes.p[1], s->bytes.len);
	n->sends++;
	n->last_after_anchor = s->after_anchor;
	if (w->history)
		history_sent(w->history, n->id, s->bytes);
	if (w->loss && world_random(w, 1000) < w->loss) {
		w->lost++;
		return;
	}
	enqueue(w, s);
	if (w->twice && world_random(w, 1000) < w->twice)
		enqueue(w, s);
}

static void add_job(struct node *n, struct effect *f)
{
	assert(n->jobs < WORLD_JOBS);
	n->job[n->jobs].job = f->job;
	n->job[n->jobs++].at_ms = n->w->now_ms + 1 + world_random(n->w, 5);
	f->job = NULL;
}

static void note_event(struct node *n, const struct effect *f)
{
	n->events[f->event]++;
	if (n->w->history) {
		history_note(n->w->history, n->w->now_ms, (uint64_t)f->event);
		history_text(n->w->history, f->text);
	}
	(void)snprintf(n->last_text[f->event], sizeof(n->last_text[0]), "%s", f->text);
	if (n->w->trace)
		printf("%10lu node %d event %d %s\n", n->w->now_ms, n->id, f->event, f->text);
}

static void commit(struct node *n, const struct effects *fx)
{
	n->commits++;
	for (size_t i = 0; i < fx->n; i++) {
		if (fx->at[i].kind == FX_PUT)
			put(n, &fx->at[i]);
		else if (fx->at[i].kind == FX_DEL)
			del(n, &fx->at[i].key);
	}
}

static bool writes(const struct effects *fx)
{
	for (size_t i = 0; i < fx->n; i++)
		if (fx->at[i].kind == FX_PUT || fx->at[i].kind == FX_DEL)
			return true;
	return false;
}

void node_run(struct node *n, struct effects *fx)
{
	assert(!fx->overrun);
	if (n->full && writes(fx)) {
		effects_done(fx);
		ike_turn_lost(n->ike);
		return;
	}
	bool dies = n->dies_in && --n->dies_in == 0 && fx->n;
	/* Before the transaction, or after it and some of the messages. */
	bool before = dies && world_random(n->w, 3) == 0;
	size_t until = dies ? world_random(n->w, (uint32_t)fx->n + 1) : fx->n;

	if (!before) {
		commit(n, fx);
		for (size_t i = 0; i < until; i++) {
			struct effect *f = &fx->at[i];

			if (f->kind == FX_SEND)
				send_message(n, &f->send);
			else if (f->kind == FX_EVENT)
				note_event(n, f);
			else if (f->kind == FX_JOB && !dies)
				add_job(n, f);
		}
	}
	effects_done(fx);
	if (dies)
		node_die(n);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void deliver(struct world *w, size_t i)
{
	struct packet p = w->packet[i];
	struct effects fx = { 0 };

	memmove(&w->packet[i], &w->packet[i + 1], (w->packets - i - 1) * sizeof(p));
	w->packets--;
	for (int k = 0; k < 2; k++) {
		struct node *n = &w->node[k];

		if (n->ike == NULL || !addr_equal(&n->addr, &p.to.addr))
			continue;
		w->delivered++;
		if (w->history)
			history_arrived(w->history, k, (struct view){ p.bytes, p.len });
		ike_datagram(n->ike, &p.to, &p.from, (struct view){ p.bytes, p.len }, &fx);
		node_run(n, &fx);
	}
	free(p.bytes);
}

static void finish_job(struct node *n, size_t i)
{
	struct job *job = n->job[i].job;
	struct effects fx = { 0 };

	n->job[i] = n->job[--n->jobs];
	job->run(job);
	ike_job_done(n->ike, job, &fx);
	node_run(n, &fx);
}

static uint64_t next_of(const struct world *w)
{
	uint64_t at = UINT64_MAX;

	for (size_t i = 0; !w->manual && i < w->packets; i++)
		at = w->packet[i].at_ms < at ? w->packet[i].at_ms : at;
	for (int k = 0; k < 2; k++) {
		const struct node *n = &w->node[k];

		for (size_t i = 0; i < n->jobs; i++)
			at = n->job[i].at_ms < at ? n->job[i].at_ms : at;
		if (n->ike && ike_next_due_ms(n->ike) < at)
			at = ike_next_due_ms(n->ike);
	}
	return at;
}

static bool step_node(struct node *n)
{
	struct effects fx = { 0 };

	for (size_t i = 0; i < n->jobs; i++)
		if (n->job[i].at_ms <= n->w->now_ms) {
			finish_job(n, i);
			return true;
		}
	if (n->ike == NULL || ike_next_due_ms(n->ike) > n->w->now_ms)
		return false;
	ike_timeout(n->ike, &fx);
	node_run(n, &fx);
	return true;
}

bool world_step(struct world *w, uint64_t until_ms)
{
	uint64_t at = next_of(w);

	if (at > until_ms)
		return false;
	if (at > w->now_ms)
		w->now_ms = at;
	for (size_t i = 0; !w->manual && i < w->packets; i++)
		if (w->packet[i].at_ms <= w->now_ms) {
			deliver(w, i);
			return true;
		}
	return step_node(&w->node[0]) || step_node(&w->node[1]);
}

void world_run(struct world *w, uint64_t ms)
{
	uint64_t until = w->now_ms + ms;
	size_t steps = 0;

	while (world_step(w, until))
		assert(++steps < 1000000);
	w->now_ms = until;
}

void world_jobs(struct world *w)
{
	for (int k = 0; k < 2; k++)
		while (w->node[k].jobs)
			finish_job(&w->node[k], 0);
}

void world_deliver(struct world *w, size_t i)
{
	assert(i < w->packets);
	deliver(w, i);
	world_jobs(w);
}

void world_lose(struct world *w, size_t i)
{
	assert(i < w->packets);
	free(w->packet[i].bytes);
	memmove(&w->packet[i], &w->packet[i + 1], (w->packets - i - 1) * sizeof(w->packet[0]));
	w->packets--;
}

/* ---- looking --------------------------------------------------------------------------------- */

static size_t count_kind(const struct node *n, uint8_t kind)
{
	size_t count = 0;

	for (size_t i = 0; i < n->stored; i++)
		count += n->store[i].key.kind == kind;
	return count;
}

size_t node_children(const struct node *n)
{
	return count_kind(n, REC_CHILD_SA);
}

size_t node_ike_sas(const struct node *n)
{
	return count_kind(n, REC_IKE_SA);
}

size_t node_slots(const struct node *n)
{
	size_t count = 0;

	for (size_t i = 0; i < WORLD_SLOTS; i++)
		count += n->taken[i];
	return count;
}

struct Hawser__ChildSaRecord *node_child(const struct node *n, size_t i)
{
	struct Hawser__ChildSaRecord *m = NULL;

	for (size_t k = 0; k < n->stored; k++)
		if (n->store[k].key.kind == REC_CHILD_SA && i-- == 0) {
			enum err e = record_child_sa_decode(
			        (struct view){ n->store[k].body, n->store[k].len }, &m);
			if (e != ERR_OK) {
				fprintf(stderr, "child record: %s\n", err_text(e));
				abort();
			}
			return m;
		}
	return NULL;
}

/* ---- a configuration ------------------------------------------------------------------------- */

static struct ike_ts subnet(uint32_t first)
{
	return (struct ike_ts){ 0, 0, 65535, addr_v4(first), addr_v4(first | 0xff) };
}

void world_conf(const struct world *w, int id, struct world_conf *c)
{
	struct ike_conf_gateway *g = &c->gateway;
	struct ike_conf_tunnel *t = &c->tunnel;

	memset(c, 0, sizeof(*c));
	strcpy(g->name, id ? "to-node-0" : "to-node-1");
	g->local = w->node[id].addr;
	g->peer[0] = w->node[1 - id].addr;
	g->peers = 1;
	g->psk = (struct view){ (const uint8_t *)"a shared secret", 15 };
	g->proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 256);
	g->proposal[0].ciphers = 1;
	g->proposal[0].prf[0] = alg_prf_by_id(PRF_HMAC_SHA2_256);
	g->proposal[0].prfs = 1;
	g->proposal[0].ke[0] = alg_ke_by_id(KE_CURVE25519);
	g->proposal[0].kes = 1;
	g->proposal[0].lifetime_s = 28800;
	g->proposals = 1;
	t->index = 131073;
	strcpy(t->vpn, "vpn");
	strcpy(t->gateway, g->name);
	t->proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 128);
	t->proposal[0].ciphers = 1;
	t->proposal[0].esn = true;
	t->proposal[0].lifetime_s = 3600;
	t->proposals = 1;
	t->window = 64;
	t->local[0] = subnet(id ? 0xc0a80200 : 0xc0a80100);
	t->remote[0] = subnet(id ? 0xc0a80100 : 0xc0a80200);
	t->locals = t->remotes = 1;
	t->establish = id ? IKE_ESTABLISH_RESPONDER_ONLY : IKE_ESTABLISH_IMMEDIATELY;
	c->conf = (struct ike_conf){ .gateway = g, .gateways = 1, .tunnel = t, .tunnels = 1 };
}
