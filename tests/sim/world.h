/* SPDX-License-Identifier: BSD-2-Clause */
/* A world for the IKE core: a virtual clock, a network that loses, doubles and reorders, and two
 * nodes with a store each, whose process may die at any moment. Everything but Diffie-Hellman is
 * drawn from one seed. Also used step by step, by the unit tests of exchanges, with `manual` set:
 * then packets wait until the test delivers them. */
#ifndef WORLD_H
#define WORLD_H
#include "history.h"
#include "ike.h"

enum { WORLD_SLOTS = 256, WORLD_PACKETS = 512, WORLD_RECORDS = 256, WORLD_JOBS = 64 };

struct world;

struct stored {
	struct record_key key;
	uint8_t *body; /* owns */
	size_t len;
};

struct node {
	struct env env; /* first */
	struct world *w;
	int id;
	struct addr addr;
	struct ike *ike; /* NULL: its process is dead */
	uint8_t wrap_key[32];
	struct stored store[WORLD_RECORDS];
	size_t stored;
	bool taken[WORLD_SLOTS];
	struct sa_usage usage[WORLD_SLOTS];
	struct {
		struct job *job;
		uint64_t at_ms;
	} job[WORLD_JOBS];
	size_t jobs;
	unsigned events[EVENT_MAX];
	char last_text[EVENT_MAX][EFFECT_TEXT_MAX];
	uint64_t puts, sends, commits;
	int last_after_anchor; /* of the last message sent */
	/* The process dies in the course of this many further lists of effects; 0: it does not. */
	unsigned dies_in;
	bool full; /* its store refuses */
};

struct packet {
	struct endpoint from, to; /* as they are on the wire at the receiver */
	uint8_t *bytes;           /* owns */
	size_t len;
	uint64_t at_ms;
};

/* `public` stands for the node's address, ports are shifted; what comes to others is lost. */
struct world_nat {
	bool on;
	struct addr public;
	uint16_t shift;
};

struct world {
	uint64_t seed, rng, now_ms;
	struct node node[2];
	struct packet packet[WORLD_PACKETS];
	size_t packets;
	bool manual;
	unsigned loss, twice; /* per thousand */
	unsigned delay_ms, jitter_ms;
	struct world_nat nat[2]; /* in front of each node */
	uint64_t lost, delivered, deaths;
	bool trace;
	struct history *history; /* borrowed; NULL: nobody writes it */
};

/* Node 0 is 10.0.0.1, node 1 is 10.0.0.2. No core runs yet. */
void world_init(struct world *w, uint64_t seed);
void world_done(struct world *w);
uint32_t world_random(struct world *w, uint32_t below);
/* Puts node id behind a NAT, 203.0.113.1 or .2, or changes its mapping. shift 0: a static one. */
void world_nat(struct world *w, int id, uint16_t shift);

/* Starts a node's process with a configuration, and gives it what its store has. */
void node_start(struct node *n, const struct ike_conf *conf);
/* Its process dies: the core's memory, its jobs, what was not yet done. */
void node_die(struct node *n);
/* Executes a list of effects and frees it; the process may die on the way. */
void node_run(struct node *n, struct effects *fx);

/* The next thing that happens; false when nothing would before until_ms. */
bool world_step(struct world *w, uint64_t until_ms);
void world_run(struct world *w, uint64_t ms);

/* manual: delivers the i-th waiting packet, or throws it away. Jobs run at once. */
void world_deliver(struct world *w, size_t i);
void world_lose(struct world *w, size_t i);
/* Runs all jobs that wait. */
void world_jobs(struct world *w);

/* How many child records a node's store has; the i-th, decoded (free it). */
size_t node_children(const struct node *n);
struct Hawser__ChildSaRecord *node_child(const struct node *n, size_t i);
size_t node_ike_sas(const struct node *n);
size_t node_slots(const struct node *n);

/* Do the children of both nodes mirror each other (SPIs, keys, selectors, lifetimes)? Returns what
 * is wrong, or NULL. */
const char *world_disagree(struct world *w);

/* A configuration for one node that fits that of the other; change it before node_start(). */
struct world_conf {
	struct ike_conf conf;
	struct ike_conf_gateway gateway;
	struct ike_conf_tunnel tunnel;
};
void world_conf(const struct world *w, int id, struct world_conf *ret);

#endif
