// SPDX-License-Identifier: BSD-2-Clause
/* Thousands of handshakes over a network that loses, doubles and reorders, with processes that die
 * at random moments and are started again from their records.
 *
 * usage: ike_sim [WORLDS [SEED]]
 *        ike_sim --exchanges N [SEED [JOBS]]    exchanges without end: ike_storm.c
 *
 * Each world draws its configuration and its troubles from its seed, runs for some virtual minutes,
 * becomes quiet, and is then judged: exactly one tunnel is up, both ends agree on SPIs, keys and
 * selectors, no SA is half done, no record and no slot is left over. A failure prints the seed. */
#include "ike_storm.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct trouble {
	unsigned loss, twice, jitter_ms, deaths;
	bool rekeys, pfs;
	bool nat, both_initiate, short_lives, full;
};

static struct trouble draw_trouble(struct world *w)
{
	struct trouble t = {
		.loss = world_random(w, 4) * 100,
		.twice = world_random(w, 3) * 150,
		.jitter_ms = world_random(w, 3) * 200,
		.deaths = world_random(w, 2) * (1 + world_random(w, 6)),
		.nat = world_random(w, 4) == 0,
		.short_lives = world_random(w, 3) == 0,
		.full = world_random(w, 4) == 0,
		.rekeys = world_random(w, 2) == 0,
		.pfs = world_random(w, 3) == 0,
	};

	t.both_initiate = !t.nat && world_random(w, 3) == 0;
	t.rekeys &= !t.full && !t.both_initiate && t.loss <= 100;
	return t;
}

static const uint16_t groups[] = { KE_CURVE25519, KE_CURVE25519, KE_CURVE25519, KE_ECP_256 };

/* Identities so long, and packets so small, that IKE_AUTH goes in fragments both ways. */
static void draw_fragments(struct world *w, struct world_conf c[2])
{
	if (world_random(w, 3))
		return;
	for (int i = 0; i < 2; i++) {
		struct ike_id *mine = &c[i].gateway.local_id;

		mine->type = IKE_ID_FQDN;
		mine->len = 250;
		memset(mine->b, 'a' + i, mine->len);
		c[1 - i].gateway.remote_id = *mine;
		c[i].gateway.fragment_size = (uint16_t)(500 + world_random(w, 2) * 76);
	}
	c[world_random(w, 2)].gateway.no_fragmentation = world_random(w, 4) == 0;
}

static void draw_conf(struct world *w, const struct trouble *t, struct world_conf c[2])
{
	for (int i = 0; i < 2; i++) {
		world_conf(w, i, &c[i]);
		c[i].gateway.dpd = true;
		c[i].gateway.dpd_interval_s = 10;
		c[i].gateway.dpd_mode = IKE_DPD_ALWAYS;
		if (t->both_initiate)
			c[i].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
		if (t->pfs)
			c[i].tunnel.pfs = alg_ke_by_id(KE_CURVE25519);
		if (t->short_lives) {
			c[i].tunnel.proposal[0].lifetime_s = 180;
			c[i].gateway.proposal[0].lifetime_s = 180 + world_random(w, 2) * 7200;
			/* Not behind a NAT: there an end may not be reached to begin anew. */
			c[i].gateway.reauth_every = t->nat ? 0 : world_random(w, 4);
		}
		c[i].gateway.proposal[0].ke[1] = alg_ke_by_id(KE_ECP_256);
		c[i].gateway.proposal[0].kes = 2;
		c[i].gateway.proposal[0].ke[0] =
		        alg_ke_by_id(groups[world_random(w, ARRAY_LEN(groups))]);
		if (c[i].gateway.proposal[0].ke[0]->v2_id == KE_ECP_256)
			c[i].gateway.proposal[0].kes = 1;
	}
	if (t->nat) { /* the responder sees another address than the initiator's */
		c[1].gateway.peers = 0;
		c[1].gateway.peer[0] = (struct addr){ 0 };
		c[1].gateway.remote_id = (struct ike_id){ IKE_ID_FQDN, 6, "node-0" };
		c[0].gateway.local_id = (struct ike_id){ IKE_ID_FQDN, 6, "node-0" };
	}
	draw_fragments(w, c);
	/* One of the two must be able to do what the other asks. */
	bool p256_only_0 = c[0].gateway.proposal[0].kes == 1;
	bool p256_only_1 = c[1].gateway.proposal[0].kes == 1;
	if (p256_only_0 != p256_only_1 && world_random(w, 2))
		c[p256_only_0].gateway.force_udp_encap = true;
}

static bool note_index(void *ctx, const struct ike_sa_info *i)
{
	if (i->up)
		*(uint32_t *)ctx = i->index;
	return true;
}

/* A side rekeys at will, its IKE SA, its child or both. */
static void rekey(struct world *w, struct node *n)
{
	struct effects fx = { 0 };
	uint32_t what = world_random(w, 4), index = 0;

	if (n->ike && (what & 1)) {
		(void)!ike_rekey_child(n->ike, 131073, &fx);
		node_run(n, &fx);
	}
	if (n->ike && (what & 2)) {
		ike_each_sa(n->ike, note_index, &index);
		(void)!ike_rekey_ike(n->ike, index, &fx);
		node_run(n, &fx);
	}
}

static void trouble_time(struct world *w, const struct trouble *t, struct world_conf c[2])
{
	unsigned deaths = t->deaths;

	for (int i = 0; i < 60; i++) {
		struct node *n = &w->node[world_random(w, 2)];

		if (deaths && n->ike && n->dies_in == 0 && world_random(w, 4) == 0) {
			n->dies_in = 1 + world_random(w, 6);
			deaths--;
		}
		n->full = t->full && world_random(w, 3) == 0; /* its store, for a while */
		for (int k = 0; t->rekeys && k < 2; k++)
			rekey(w, &w->node[k]);
		if (t->nat && world_random(w, 6) == 0) /* it forgot the mapping */
			world_nat(w, 0, (uint16_t)(10000 + world_random(w, 40000)));
		world_run(w, 500 + world_random(w, 5000));
		n->full = false;
		for (int k = 0; k < 2; k++)
			if (w->node[k].ike == NULL)
				node_start(&w->node[k], &c[k].conf);
	}
	for (int k = 0; k < 2; k++)
		w->node[k].dies_in = 0;
}

static bool all_up(void *ctx, const struct ike_sa_info *i)
{
	if (!i->up)
		*(const char **)ctx = i->state;
	return true;
}

struct tally {
	size_t children, sending;
};

static bool tally_child(void *ctx, const struct ike_child_info *i)
{
	struct tally *t = ctx;

	t->children++;
	t->sending += i->sending;
	return true;
}

static const char *judge(struct world *w)
{
	const char *wrong = world_disagree(w);

	for (int k = 0; k < 2 && !wrong; k++) {
		struct node *n = &w->node[k];
		struct tally t = { 0 };
		struct ike_stats s;

		ike_each_sa(n->ike, all_up, &wrong);
		ike_each_child(n->ike, tally_child, &t);
		ike_stats(n->ike, &s);
		if (wrong)
			return wrong;
		if (t.children != node_children(n))
			return "the core and its records do not have the same children";
		if (t.children == 0)
			return "the tunnel is not up";
		if (t.children > 1)
			return "the tunnel is doubled";
		if (t.sending != t.children)
			return "a child does not send";
		if (node_ike_sas(n) != s.sas || s.sas != 1)
			return "an IKE SA too many, or too few";
		if (s.half_open)
			return "half-open SAs are left";
	}
	return wrong;
}

/* Quiet: nobody dies, nothing is lost; a renewal may be under way, so look until all is well. */
static const char *settle(struct world *w)
{
	const char *wrong = NULL;

	w->loss = w->twice = 0;
	w->jitter_ms = 0;
	for (int i = 0; i < 90; i++) {
		world_run(w, 5000);
		wrong = judge(w);
		if (wrong == NULL)
			return NULL;
	}
	return wrong;
}

static bool one_world(uint64_t seed, uint64_t *up, uint64_t *deaths)
{
	static struct world w;
	struct world_conf c[2];

	world_init(&w, seed);
	struct trouble t = draw_trouble(&w);
	draw_conf(&w, &t, c);
	w.trace = getenv("TRACE") != NULL;
	w.loss = t.loss;
	w.twice = t.twice;
	w.jitter_ms = t.jitter_ms;
	if (t.nat)
		world_nat(&w, 0, 10000);
	node_start(&w.node[1], &c[1].conf);
	node_start(&w.node[0], &c[0].conf);
	trouble_time(&w, &t, c);
	const char *wrong = settle(&w);
	if (wrong)
		printf("seed %lu: %s (loss %u, twice %u, jitter %u, deaths %lu%s%s%s%s)\n", seed,
		       wrong, t.loss, t.twice, t.jitter_ms, w.deaths, t.nat ? ", nat" : "",
		       t.both_initiate ? ", both initiate" : "",
		       t.short_lives ? ", short lives" : "", t.full ? ", full store" : "");
	*up += w.node[0].events[EVENT_IKE_SA_UP] + w.node[1].events[EVENT_IKE_SA_UP];
	*deaths += w.deaths;
	world_done(&w);
	return wrong == NULL;
}

static int storm(char **argv)
{
	struct ike_storm o = { strtoull(argv[2], NULL, 10), (uint64_t)time(NULL) * 1000, 1 };

	if (argv[3])
		o.seed = strtoull(argv[3], NULL, 10);
	if (argv[3] && argv[4])
		o.jobs = (unsigned)strtoul(argv[4], NULL, 10);
	/* What waits in a thread's cache counts as allocated: none, so that the heap can be
	 * counted.
	 */
	if (getenv("GLIBC_TUNABLES") == NULL &&
	    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0) == 0)
		(void)execv("/proc/self/exe", argv);
	return ike_storm(&o) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--exchanges") == 0)
		return storm(argv);
	unsigned long worlds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) * 1000;
	uint64_t up = 0, deaths = 0;
	unsigned long bad = 0;

	printf("ike_sim: %lu worlds from seed %lu\n", worlds, seed);
	for (unsigned long i = 0; i < worlds; i++)
		bad += !one_world(seed + i, &up, &deaths);
	printf("ike_sim: %lu IKE SAs came up, processes died %lu times, %lu worlds went wrong\n",
	       up, deaths, bad);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
