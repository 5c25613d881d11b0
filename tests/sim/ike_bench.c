// SPDX-License-Identifier: BSD-2-Clause
/* Handshakes per second of two IKE cores against each other in one thread, beside the bare X25519
 * of the same OpenSSL in the same run: the ratio is the figure, times are this machine's.
 *
 * usage: ike_bench [HANDSHAKES [STANDING]]
 *
 * A handshake is IKE_SA_INIT and IKE_AUTH of both sides (PSK, X25519, AES-GCM-256, PRF SHA2-256),
 * with both sides' jobs and records encoded, from the wish to both sides up. Its arithmetic is two
 * key pairs and two secrets. STANDING further tunnels of other peers are up meanwhile. Deleting the
 * SA before the next one is not counted. */
#include "ike.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PACKETS_MAX = 16, FIRST_TUNNEL = 131073, PEERS_MAX = 20000 };

struct side {
	struct env env; /* first */
	struct ike *ike;
	uint32_t slots;
	uint64_t now_ms, up;
	uint32_t index; /* of the IKE SA that came up last */
};

struct packet {
	struct side *to;
	struct endpoint local, remote; /* as the receiver sees them */
	uint8_t bytes[2048];
	size_t len;
};

struct bench {
	struct side side[2];
	struct packet packet[PACKETS_MAX];
	size_t first, packets;
};

static void die(const char *what)
{
	fprintf(stderr, "ike_bench: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- env ------------------------------------------------------------------------------------- */

static uint64_t env_now(struct env *env)
{
	return ((struct side *)env)->now_ms;
}

static void env_random(struct env *env, void *p, size_t len)
{
	(void)env;
	if (RAND_bytes(p, (int)len) != 1)
		die("no random bytes");
}

static enum err env_take(struct env *env, bool inbound, uint16_t window, uint32_t *ret)
{
	(void)inbound;
	(void)window;
	*ret = ((struct side *)env)->slots++;
	return ERR_OK;
}

static void env_give(struct env *env, uint32_t slot)
{
	(void)env;
	(void)slot;
}

static enum err env_usage(struct env *env, uint32_t slot, struct sa_usage *ret)
{
	(void)env;
	(void)slot;
	*ret = (struct sa_usage){ 0 };
	return ERR_OK;
}

static void env_skip(struct env *env, uint32_t slot, uint32_t packets)
{
	(void)env;
	(void)slot;
	(void)packets;
}

static uint16_t env_epoch(struct env *env)
{
	(void)env;
	return 2;
}

/* ---- two cores ------------------------------------------------------------------------------- */

static void post(struct bench *b, struct side *from, const struct fx_send *s)
{
	struct packet *p = &b->packet[(b->first + b->packets++) % PACKETS_MAX];

	if (b->packets > PACKETS_MAX || s->bytes.len > sizeof(p->bytes))
		die("too many packets, or too long");
	p->to = from == &b->side[0] ? &b->side[1] : &b->side[0];
	p->local = s->remote;
	p->remote = s->local;
	p->len = s->bytes.len;
	memcpy(p->bytes, s->bytes.p, p->len);
}

static void perform(struct bench *b, struct side *s, struct effects *fx)
{
	struct effects more = { 0 };
	struct job *job = NULL;

	if (fx->overrun)
		die("effects overrun");
	for (size_t i = 0; i < fx->n; i++) {
		struct effect *f = &fx->at[i];

		if (f->kind == FX_SEND)
			post(b, s, &f->send);
		if (f->kind == FX_EVENT && f->event == EVENT_IKE_SA_UP) {
			s->up++;
			(void)sscanf(f->text, "index %u", &s->index);
		}
		if (f->kind == FX_JOB)
			job = STEAL(f->job);
	}
	effects_done(fx);
	if (job == NULL)
		return;
	job->run(job);
	ike_job_done(s->ike, job, &more);
	perform(b, s, &more);
}

static void run(struct bench *b)
{
	while (b->packets) {
		struct packet *p = &b->packet[b->first];
		struct effects fx = { 0 };

		ike_datagram(p->to->ike, &p->local, &p->remote, (struct view){ p->bytes, p->len },
		             &fx);
		b->first = (b->first + 1) % PACKETS_MAX;
		b->packets--;
		perform(b, p->to, &fx);
	}
}

static void handshake(struct bench *b, uint32_t tunnel)
{
	uint64_t want[2] = { b->side[0].up + 1, b->side[1].up + 1 };
	struct effects fx = { 0 };

	ike_acquire(b->side[0].ike, tunnel, &fx);
	perform(b, &b->side[0], &fx);
	run(b);
	if (b->side[0].up != want[0] || b->side[1].up != want[1])
		die("the tunnel did not come up");
}

/* Deletes the SA, and waits until the responder has forgotten it too. */
static void clear(struct bench *b)
{
	struct effects fx = { 0 };

	if (ike_clear_ike(b->side[0].ike, b->side[0].index, &fx) != ERR_OK)
		die("no such SA");
	perform(b, &b->side[0], &fx);
	run(b);
	for (int i = 0; i < 2; i++) {
		struct effects late = { 0 };

		b->side[i].now_ms += 60000;
		ike_timeout(b->side[i].ike, &late);
		perform(b, &b->side[i], &late);
	}
}

/* ---- configuration --------------------------------------------------------------------------- */

static struct addr addr_of(int side, uint32_t peer)
{
	return addr_v4((side ? 0x0a800000u : 0x0a000000u) + peer);
}

static struct ike_ts subnet(uint32_t first)
{
	return (struct ike_ts){ 0, 0, 65535, addr_v4(first), addr_v4(first | 0xff) };
}

static void gateway(int side, uint32_t peer, struct ike_conf_gateway *g)
{
	struct ike_conf_proposal *p = &g->proposal[0];

	(void)snprintf(g->name, sizeof(g->name), "peer-%u", peer);
	g->local = addr_of(side, peer);
	g->peer[0] = addr_of(1 - side, peer);
	g->peers = 1;
	g->psk = (struct view){ (const uint8_t *)"a shared secret", 15 };
	p->cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 256);
	p->prf[0] = alg_prf_by_id(PRF_HMAC_SHA2_256);
	p->ke[0] = alg_ke_by_id(KE_CURVE25519);
	p->ciphers = p->prfs = p->kes = 1;
	g->proposals = 1;
}

static void tunnel(int side, uint32_t peer, struct ike_conf_tunnel *t)
{
	t->index = FIRST_TUNNEL + peer;
	(void)snprintf(t->vpn, sizeof(t->vpn), "vpn-%u", peer);
	(void)snprintf(t->gateway, sizeof(t->gateway), "peer-%u", peer);
	t->proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 128);
	t->proposal[0].ciphers = 1;
	t->proposals = 1;
	t->window = 64;
	t->local[0] = subnet(side ? 0xc0a80200 : 0xc0a80100);
	t->remote[0] = subnet(side ? 0xc0a80100 : 0xc0a80200);
	t->locals = t->remotes = 1;
	t->establish = side ? IKE_ESTABLISH_RESPONDER_ONLY : IKE_ESTABLISH_ON_TRAFFIC;
}

static void start(struct side *s, int side, uint32_t peers)
{
	static const uint8_t wrap_key[32];
	struct ike_conf_gateway *g = calloc(peers, sizeof(*g));
	struct ike_conf_tunnel *t = calloc(peers, sizeof(*t));
	struct ike_conf conf = { .gateway = g, .gateways = peers, .tunnel = t, .tunnels = peers };
	struct effects fx = { 0 };
	struct why why = { 0 };

	if (g == NULL || t == NULL)
		die("no memory");
	for (uint32_t i = 0; i < peers; i++) {
		gateway(side, i, &g[i]);
		tunnel(side, i, &t[i]);
	}
	s->env = (struct env){ env_now,   env_random,    env_take, env_give, env_usage,
		               env_epoch, (uint8_t)side, { 0 },    env_skip };
	s->ike = ike_new(&s->env, wrap_key);
	s->now_ms = 1000000;
	if (s->ike == NULL || ike_configure(s->ike, &conf, &fx, &why) != ERR_OK)
		die("the core does not start");
	ike_restored(s->ike, &fx);
	effects_done(&fx);
	free(g);
	free(t);
}

/* ---- the bare arithmetic --------------------------------------------------------------------- */

/* A key pair and a secret, as each side of a handshake needs. */
static void bare(EVP_PKEY *peer)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	uint8_t secret[32];
	size_t len = sizeof(secret);

	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1 || EVP_PKEY_derive(ctx, secret, &len) != 1)
		die("X25519");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static uint64_t time_bare(uint32_t n)
{
	EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	uint64_t from = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	for (uint32_t i = 0; i < n; i++)
		bare(peer);
	uint64_t took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - from;
	EVP_PKEY_free(peer);
	return took;
}

static uint64_t time_handshakes(struct bench *b, uint32_t n, uint32_t peer)
{
	uint64_t took = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t from = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		handshake(b, FIRST_TUNNEL + peer);
		took += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - from;
		clear(b);
	}
	return took;
}

int main(int argc, char **argv)
{
	enum { ROUNDS = 10 };
	static struct bench b;
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
	unsigned long standing = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	uint32_t each = (uint32_t)(n / ROUNDS ? n / ROUNDS : 1), peers = (uint32_t)standing + 1;
	uint64_t shake = 0, raw = 0;

	if (standing >= PEERS_MAX || n > 10000000)
		die("usage: ike_bench [HANDSHAKES [STANDING]]");
	start(&b.side[0], 0, peers);
	start(&b.side[1], 1, peers);
	for (uint32_t i = 0; i < standing; i++)
		handshake(&b, FIRST_TUNNEL + i);
	(void)time_handshakes(&b, 20, peers - 1); /* warm */
	for (int i = 0; i < ROUNDS; i++) { /* in turns: what else the machine does hits both */
		shake += time_handshakes(&b, each, peers - 1);
		raw += time_bare(2 * each);
	}
	double us = (double)shake / each / ROUNDS / 1000,
	       bare_us = (double)raw / each / ROUNDS / 1000;
	printf("handshakes, both sides, one thread, %lu SAs standing: %.1f us each, %.0f per "
	       "second\n"
	       "bare X25519 of both sides (two key pairs, two secrets): %.1f us\n"
	       "ratio: %.2f\n",
	       standing, us, 1e6 / us, bare_us, us / bare_us);
	ike_free(b.side[0].ike);
	ike_free(b.side[1].ike);
	return EXIT_SUCCESS;
}
