/* SPDX-License-Identifier: BSD-2-Clause */
/* Two gateways of two SPUs each, on memory ports, joined by a wire that reorders and repeats.
 *
 * Each gateway's SPUs share one run-time table, as SPUs of one node do, and have every SA. A tunnel
 * has packets both ways, numbered; the ledger of each way knows which are under way. Everything is
 * drawn from one seed. Main thread. */
#ifndef SOAK_H
#define SOAK_H
#include "nic.h"
#include "rig.h"

enum { SIDES = 2, SPUS = 2, TUNNELS = 24, GENS = 2 };
enum { LEDGER = 4096, QUEUE = 2048, PACKET_MIN = 64, PACKET_MAX = 1500 };
enum { SUITES_MAX = 64 }; /* rows of the tables of algorithms */

/* One SA pair of a tunnel: both gateways' views of it, in all four SPUs. */
struct pair {
	bool live, icv, slow;
	struct rig_sa spec[SIDES];
	struct sa *at[SIDES][SPUS];
	uint8_t key[SIDES][36], auth[SIDES][64]; /* by who sends */
	uint32_t last[SIDES];                    /* number on the wire, by who sends */
	bool numbered[SIDES];
	uint8_t told; /* how many SPUs send by it already */
};

/* A packet under way, in units of 8 bytes: fragments of it may come one by one. */
struct entry {
	uint64_t number, units[3];
	uint16_t n_units;
	bool open;
};

struct way {
	uint64_t next, delivered;
	struct entry at[LEDGER];
	struct rte_mbuf *queue[QUEUE]; /* owns: frames on the wire */
	uint16_t n, target;            /* so many at a time are shuffled and arrive */
};

enum fragments { FRAG_NONE, FRAG_INNER, FRAG_OUTER };

struct soak_tunnel {
	uint8_t outer; /* 4, 6 */
	enum fragments frag;
	uint16_t window, path_mtu;
	struct pair pair[GENS];
	uint8_t cur;           /* the older one of two, else the only one */
	uint8_t owner[SIDES];  /* SPU */
	struct way way[SIDES]; /* by who sends */
};

struct tally {
	uint64_t packets, bytes, delivered, repeated, refused;
	uint64_t moves, rekeys, restarts, faults, choices;
	bool cipher[SUITES_MAX], integ[SUITES_MAX], ah[SUITES_MAX];
};

struct soak {
	uint64_t seed, random, left; /* packets to be sent yet */
	struct rig *rig[SIDES][SPUS];
	struct nic nic[SIDES][SPUS];
	uint64_t in[SIDES][SPUS], out[SIDES][SPUS];
	struct soak_tunnel tunnel[TUNNELS];
	struct tally tally;
	uint32_t spi;
};

/* Says where and why, and ends the program: a soak ends with its first mistake. */
_Noreturn void soak_die(const struct soak *s, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
uint64_t soak_random(struct soak *s);
static inline uint32_t soak_below(struct soak *s, uint32_t n)
{
	return (uint32_t)((soak_random(s) >> 32) * n >> 32);
}

/* soak_sas.c: SAs, and what happens to them. */
void soak_tunnels_make(struct soak *s);
void soak_event(struct soak *s); /* one, drawn */
void soak_nics(struct soak *s);  /* a step of each, and of time */
void soak_tunnels_drop(struct soak *s);

/* soak_ledger.c: what a packet looks like, and which have arrived. */
size_t soak_packet(struct soak *s, uint32_t tunnel, int from, uint8_t *ip);
void soak_arrived(struct soak *s, int at, uint32_t tunnel, const uint8_t *ip, size_t len);

/* soak_wire.c: packets out, over the wire, and in. */
void soak_send(struct soak *s, int side, int spu, uint32_t max);
void soak_arrive(struct soak *s, int to, uint32_t tunnel, bool all); /* and of some others */

#endif
