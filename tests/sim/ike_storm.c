// SPDX-License-Identifier: BSD-2-Clause
/* Rounds of some thousand exchanges each, every one with its own seed and run twice.
 *
 * A round: the tunnels come up in calm; then three of ten messages are lost, others are doubled and
 * overtake each other, both nodes rekey and delete children and IKE SAs whenever they like, alone,
 * several things at once and both at once, and each process dies every few dozen turns, between any
 * of the effects of its turn, and is built again from its records. Then it is calm again, and all
 * of it is judged: each tunnel has one pair of child SAs, the same at both ends; IKE SAs, records
 * and slots are as many as they should be; the heap is as large as before the storm. On the way the
 * history is looked at (history.h). */
#include "ike_storm.h"
#include "world.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ROUND = 2000,    /* exchanges */
	TUNNELS_MAX = 3, /* of the one gateway */
	STEPS_MAX = 200000,
	CALM_MS = 70000, /* SAs that are gone are kept for a while, to repeat an answer */
	CALMS_MAX = 12,
	BAD_MAX = 20, /* rounds that go wrong, then it ends */
	JOBS_MAX = 64,
	HEAP_BYTES = 32768, /* more than before the storm: answers that are kept, grown tables */
};

struct storm {
	struct world w;
	struct history history;
	struct world_conf c[2];
	struct ike_conf_tunnel tunnel[2][TUNNELS_MAX];
	size_t tunnels;
	unsigned deaths; /* per thousand steps a process is told to die */
	bool full;       /* stores refuse now and then */
	size_t heap;
	const char *wrong;
};

struct result {
	uint64_t digest, exchanges, deaths, puts, sends, lost;
	uint64_t rekeyed, ike_rekeyed;
	unsigned bad; /* rounds */
	char wrong[HISTORY_TEXT];
};

/* ---- what it is about ------------------------------------------------------------------------ */

static void add_tunnels(struct storm *s, int id)
{
	struct world_conf *c = &s->c[id];

	for (size_t i = 0; i < s->tunnels; i++) {
		struct ike_conf_tunnel *t = &s->tunnel[id][i];

		*t = c->tunnel;
		t->index += (uint32_t)i;
		(void)snprintf(t->vpn, sizeof(t->vpn), "vpn-%zu", i);
		t->local[0].first.b[1] = t->local[0].last.b[1] = (uint8_t)(168 + i);
		t->remote[0].first.b[1] = t->remote[0].last.b[1] = (uint8_t)(168 + i);
	}
	c->conf.tunnel = s->tunnel[id];
	c->conf.tunnels = s->tunnels;
}

static void draw(struct storm *s)
{
	struct world *w = &s->w;
	bool both = world_random(w, 2), lives = world_random(w, 3) == 0;
	const struct alg_ke *pfs = world_random(w, 4) ? NULL : alg_ke_by_id(KE_CURVE25519);

	s->tunnels = world_random(w, 2) ? 1 : 1 + world_random(w, TUNNELS_MAX);
	s->deaths = 5 + world_random(w, 40);
	s->full = world_random(w, 8) == 0;
	for (int i = 0; i < 2; i++) {
		struct world_conf *c = &s->c[i];

		world_conf(w, i, c);
		c->gateway.dpd = true;
		c->gateway.dpd_interval_s = 10;
		c->gateway.dpd_mode = IKE_DPD_ALWAYS;
		if (both)
			c->tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
		if (lives) {
			c->tunnel.proposal[0].lifetime_s = 180 + world_random(w, 600);
			c->gateway.proposal[0].lifetime_s = 300 + world_random(w, 900);
		}
		c->tunnel.pfs = pfs;
		add_tunnels(s, i);
	}
}

/* ---- what is wished for ---------------------------------------------------------------------- */

enum wish { REKEY_CHILD, REKEY_IKE, CLEAR_CHILD, CLEAR_IKE, ACQUIRE };

struct act {
	unsigned share;
	enum wish first, second; /* the same: one thing only */
	bool both;               /* nodes, at the same moment */
};

static const struct act acts[] = {
	{ 20, REKEY_CHILD, REKEY_CHILD, false }, { 20, REKEY_CHILD, REKEY_CHILD, true },
	{ 6, REKEY_IKE, REKEY_IKE, false },      { 6, REKEY_IKE, REKEY_IKE, true },
	{ 4, REKEY_CHILD, REKEY_IKE, false },    { 4, REKEY_CHILD, REKEY_IKE, true },
	{ 4, REKEY_IKE, REKEY_CHILD, true },     { 2, CLEAR_CHILD, CLEAR_CHILD, false },
	{ 2, CLEAR_CHILD, CLEAR_CHILD, true },   { 2, CLEAR_CHILD, REKEY_CHILD, true },
	{ 1, CLEAR_IKE, CLEAR_IKE, false },      { 1, CLEAR_IKE, CLEAR_IKE, true },
	{ 1, REKEY_IKE, CLEAR_IKE, true },       { 2, ACQUIRE, ACQUIRE, true },
};

static bool pick_sa(void *ctx, const struct ike_sa_info *i)
{
	if (i->up)
		*(uint32_t *)ctx = i->index; /* the last: any of them is as good */
	return true;
}

static void wish(struct storm *s, struct node *n, enum wish what)
{
	struct effects fx = { 0 };
	uint32_t sa = 0, tunnel;

	if (n->ike == NULL)
		return;
	ike_each_sa(n->ike, pick_sa, &sa);
	if (s->w.trace)
		printf("%10lu node %d wish %d\n", s->w.now_ms, n->id, (int)what);
	tunnel = s->c[0].tunnel.index + world_random(&s->w, (uint32_t)s->tunnels);
	if (what == REKEY_CHILD)
		(void)!ike_rekey_child(n->ike, tunnel, &fx);
	else if (what == REKEY_IKE)
		(void)!ike_rekey_ike(n->ike, sa, &fx);
	else if (what == CLEAR_CHILD)
		(void)!ike_clear_child(n->ike, tunnel, &fx);
	else if (what == CLEAR_IKE)
		(void)!ike_clear_ike(n->ike, sa, &fx);
	else
		ike_acquire(n->ike, tunnel, &fx);
	node_run(n, &fx);
}

static const struct act *draw_act(struct world *w)
{
	uint32_t all = 0, x;
	size_t i = 0;

	for (size_t k = 0; k < ARRAY_LEN(acts); k++)
		all += acts[k].share;
	for (x = world_random(w, all); x >= acts[i].share; i++)
		x -= acts[i].share;
	return &acts[i];
}

static void act(struct storm *s)
{
	const struct act *a = draw_act(&s->w);
	int from = (int)world_random(&s->w, 2);

	for (int k = 0; k < 1 + a->both; k++) {
		struct node *n = &s->w.node[(from + k) % 2];

		wish(s, n, k && a->both ? a->second : a->first);
		if (!a->both && a->second != a->first)
			wish(s, n, a->second);
	}
}

/* ---- the storm ------------------------------------------------------------------------------- */

static void start_the_dead(struct storm *s)
{
	for (int k = 0; k < 2; k++)
		if (s->w.node[k].ike == NULL)
			node_start(&s->w.node[k], &s->c[k].conf);
}

static void rage(struct storm *s, uint64_t exchanges)
{
	struct world *w = &s->w;

	w->loss = 300;
	w->twice = 100;
	w->jitter_ms = 50 + world_random(w, 400);
	for (unsigned i = 0; i < STEPS_MAX && s->history.exchanges < exchanges; i++) {
		struct node *n = &w->node[world_random(w, 2)];

		if (n->ike && n->dies_in == 0 && world_random(w, 1000) < s->deaths)
			n->dies_in = 1 + world_random(w, 20);
		n->full = s->full && world_random(w, 50) == 0;
		if (world_random(w, 3) == 0)
			act(s);
		world_run(w, world_random(w, 1500));
		n->full = false;
		start_the_dead(s);
		if (s->history.wrong[0])
			break;
	}
	if (s->history.exchanges < exchanges && !s->history.wrong[0])
		s->wrong = "stuck: no more exchanges";
	w->loss = w->twice = 0;
	w->jitter_ms = 1;
	for (int k = 0; k < 2; k++)
		w->node[k].dies_in = 0;
}

/* ---- the judgement --------------------------------------------------------------------------- */

struct tally {
	const struct storm *s;
	size_t children, of[TUNNELS_MAX];
	const char *wrong;
};

static bool tally_child(void *ctx, const struct ike_child_info *i)
{
	struct tally *t = ctx;
	size_t at = i->tunnel - t->s->c[0].tunnel.index;

	t->children++;
	if (at >= t->s->tunnels)
		t->wrong = "a child of no tunnel";
	else if (++t->of[at] > 1)
		t->wrong = "a tunnel is doubled";
	if (!i->sending)
		t->wrong = "a child does not send";
	return true;
}

static bool tally_sa(void *ctx, const struct ike_sa_info *i)
{
	struct tally *t = ctx;

	if (!i->up)
		t->wrong = i->state;
	return true;
}

static const char *judge_node(const struct storm *s, const struct node *n)
{
	struct tally t = { .s = s };
	struct ike_stats stats;

	ike_each_child(n->ike, tally_child, &t);
	ike_each_sa(n->ike, tally_sa, &t);
	ike_stats(n->ike, &stats);
	if (t.wrong)
		return t.wrong;
	if (t.children != s->tunnels)
		return "a tunnel is not up";
	if (t.children != node_children(n))
		return "the core and its records do not have the same children";
	if (node_ike_sas(n) != stats.sas)
		return "the core and its records do not have the same IKE SAs";
	if (stats.sas > s->tunnels)
		return "more IKE SAs than tunnels";
	if (n->stored != node_children(n) + node_ike_sas(n))
		return "a record too many";
	return stats.half_open ? "half-open SAs are left" : NULL;
}

static const char *judge(struct storm *s)
{
	const char *wrong = world_disagree(&s->w);

	for (int k = 0; k < 2 && !wrong; k++)
		wrong = judge_node(s, &s->w.node[k]);
	if (node_ike_sas(&s->w.node[0]) != node_ike_sas(&s->w.node[1]) && !wrong)
		wrong = "one end has an IKE SA that the other has not";
	return wrong;
}

static const char *calm(struct storm *s)
{
	const char *wrong = NULL;

	for (int i = 0; i < CALMS_MAX; i++) {
		world_run(&s->w, CALM_MS);
		wrong = judge(s);
		if (wrong == NULL)
			return NULL;
	}
	return wrong;
}

static size_t heap(void)
{
	return mallinfo2().uordblks;
}

/* ---- a round --------------------------------------------------------------------------------- */

static void run(struct storm *s, uint64_t exchanges)
{
	for (int k = 1; k >= 0; k--)
		node_start(&s->w.node[k], &s->c[k].conf);
	s->wrong = calm(s);
	if (s->wrong)
		return;
	s->heap = heap();
	rage(s, exchanges);
	if (s->wrong == NULL && s->history.wrong[0] == '\0')
		s->wrong = calm(s);
	if (s->wrong == NULL && heap() > s->heap + HEAP_BYTES)
		s->wrong = "the heap has grown";
	if (s->wrong == NULL && s->history.wrong[0])
		s->wrong = s->history.wrong;
}

static bool show_child(void *ctx, const struct ike_child_info *i)
{
	printf("  node %d: child of tunnel %u under IKE SA %u, SPI in 0x%08x out 0x%08x%s\n",
	       *(int *)ctx, i->tunnel, i->ike_index, i->spi_in, i->spi_out,
	       i->sending ? "" : ", does not send");
	return true;
}

static bool show_sa(void *ctx, const struct ike_sa_info *i)
{
	printf("  node %d: IKE SA %u, %s, SPI %02x%02x%02x%02x...\n", *(int *)ctx, i->index,
	       i->state, i->spi_i[0], i->spi_i[1], i->spi_i[2], i->spi_i[3]);
	return true;
}

static void show(const struct storm *s)
{
	for (int k = 0; k < 2; k++) {
		if (s->w.node[k].ike == NULL)
			continue;
		ike_each_sa(s->w.node[k].ike, show_sa, &k);
		ike_each_child(s->w.node[k].ike, show_child, &k);
	}
	printf("  heap %zu, before the storm %zu\n", heap(), s->heap);
}

static void one_round(uint64_t seed, uint64_t exchanges, struct result *r)
{
	static struct storm s;

	memset(&s, 0, sizeof(s));
	world_init(&s.w, seed);
	history_init(&s.history);
	s.w.history = &s.history;
	s.w.trace = getenv("TRACE") != NULL;
	draw(&s);
	run(&s, exchanges);
	*r = (struct result){ .digest = s.history.digest,
		              .exchanges = s.history.exchanges,
		              .deaths = s.w.deaths,
		              .lost = s.w.lost };
	for (int k = 0; k < 2; k++) {
		r->puts += s.w.node[k].puts;
		r->sends += s.w.node[k].sends;
		r->rekeyed += s.w.node[k].events[EVENT_IKE_CHILD_REKEYED];
		r->ike_rekeyed += s.w.node[k].events[EVENT_IKE_SA_REKEYED];
	}
	if (s.wrong && s.w.trace)
		show(&s);
	if (s.wrong)
		(void)snprintf(r->wrong, sizeof(r->wrong), "%s (%zu tunnels, deaths %u%s)", s.wrong,
		               s.tunnels, s.deaths, s.full ? ", full stores" : "");
	world_done(&s.w);
}

/* In any order: the sum is the same however the rounds are shared out. */
static void sum_up(struct result *all, const struct result *r)
{
	all->digest += r->digest;
	all->exchanges += r->exchanges;
	all->deaths += r->deaths;
	all->puts += r->puts;
	all->sends += r->sends;
	all->lost += r->lost;
	all->rekeyed += r->rekeyed;
	all->ike_rekeyed += r->ike_rekeyed;
	all->bad += r->bad;
}

static void twice(uint64_t seed, uint64_t exchanges, struct result *all)
{
	struct result first, again;

	one_round(seed, exchanges, &first);
	one_round(seed, exchanges, &again);
	if (first.wrong[0] == '\0' && first.digest != again.digest)
		(void)snprintf(first.wrong, sizeof(first.wrong),
		               "not the same again: digest %016lx, then %016lx", first.digest,
		               again.digest);
	first.bad = first.wrong[0] != '\0';
	if (first.bad)
		printf("ike-sim --exchanges %lu %lu: %s\n", exchanges, seed, first.wrong);
	sum_up(all, &first);
}

/* Every jobs-th round. */
static void share(const struct ike_storm *o, unsigned job, struct result *all)
{
	uint64_t rounds = (o->exchanges + ROUND - 1) / ROUND;
	uint64_t each = o->exchanges < ROUND ? o->exchanges : ROUND;

	one_round(o->seed, each / 10, all); /* what OpenSSL allocates once */
	*all = (struct result){ 0 };
	for (uint64_t i = job; i < rounds && all->bad < BAD_MAX; i += o->jobs)
		twice(o->seed + i, each, all);
}

/* In a process of its own; its result comes through the descriptor. -1: there is none. */
static int fork_share(const struct ike_storm *o, unsigned job)
{
	struct result r;
	int ends[2];

	if (pipe(ends) != 0)
		return -1;
	if (fork() == 0) {
		share(o, job, &r);
		(void)fflush(stdout);
		_exit(write(ends[1], &r, sizeof(r)) == sizeof(r) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	(void)close(ends[1]);
	return ends[0];
}

static void run_shares(const struct ike_storm *o, struct result *all)
{
	struct result r;
	int from[JOBS_MAX];

	for (unsigned job = 0; job < o->jobs; job++)
		from[job] = fork_share(o, job);
	for (unsigned job = 0; job < o->jobs; job++) {
		if (read(from[job], &r, sizeof(r)) == sizeof(r))
			sum_up(all, &r);
		else
			all->bad++; /* it ended before its time: an assertion */
		(void)close(from[job]);
	}
}

bool ike_storm(const struct ike_storm *o)
{
	struct result all = { 0 };

	if (o->jobs == 0 || o->jobs > JOBS_MAX) {
		fprintf(stderr, "ike-sim: 1 to %d jobs\n", JOBS_MAX);
		return false;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ike-sim: %lu exchanges from seed %lu, all of them twice\n", o->exchanges, o->seed);
	if (o->jobs == 1)
		share(o, 0, &all);
	else
		run_shares(o, &all);
	printf("ike-sim: %lu exchanges, %lu child SAs and %lu IKE SAs rekeyed, %lu deaths, %lu "
	       "records put, %lu of %lu messages lost, digest %016lx, %u rounds went wrong\n",
	       all.exchanges, all.rekeyed, all.ike_rekeyed, all.deaths, all.puts, all.lost,
	       all.sends, all.digest, all.bad);
	return all.bad == 0;
}
