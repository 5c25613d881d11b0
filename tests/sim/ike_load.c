// SPDX-License-Identifier: BSD-2-Clause
/* ike-load: many IKE peers in one process, to measure whoever is at the other end.
 *
 *     ike-load initiate|answer PEER FIRST COUNT GROUP [AT_ONCE]
 *
 * COUNT peers at the addresses from FIRST upward, all of them local here (a `local` route of a
 * whole prefix does), each with one tunnel to PEER under GROUP (a number of IANA's). `initiate`
 * brings AT_ONCE up at a time (32), `answer` waits for PEER to. A line of JSON says when all are
 * up, after how long, and how fast the first and the last tenth were. They stay until standard
 * input ends; nothing is told to PEER then. No packet goes through the tunnels. Its own arithmetic
 * runs in its one thread, so that it takes one core at most. */
#include "ike.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	FIRST_TUNNEL = 131073,
	COUNT_MAX = 1000000,
	AT_ONCE = 32,
	SOCKETS = 2,
	BATCH = 64,
	ROOM = 2048
};

static const uint16_t ports[SOCKETS] = { 500, 4500 };
static const char secret[] = "a secret for the lab";

struct load {
	struct env env; /* first */
	struct ike *ike;
	int fd[SOCKETS];
	bool initiate;
	struct addr peer;
	uint32_t first, count, at_once, slots;
	const struct alg_ke *ke;
	uint32_t begun, up;
	uint64_t start_ms, *up_ms; /* of the n-th that came up */
};

static void die(const char *what)
{
	fprintf(stderr, "ike-load: %s%s%s\n", what, errno ? ": " : "",
	        errno ? strerror(errno) : "");
	exit(EXIT_FAILURE);
}

/* ---- env ------------------------------------------------------------------------------------- */

static uint64_t env_now(struct env *env)
{
	struct timespec t;

	(void)env;
	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void env_random(struct env *env, void *p, size_t len)
{
	(void)env;
	if (getrandom(p, len, 0) != (ssize_t)len)
		die("no random bytes");
}

static enum err env_take(struct env *env, bool inbound, uint16_t window, uint32_t *ret)
{
	(void)inbound;
	(void)window;
	*ret = ((struct load *)env)->slots++;
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

static uint16_t env_epoch(struct env *env)
{
	(void)env;
	return 2;
}

static void env_skip(struct env *env, uint32_t slot, uint32_t packets)
{
	(void)env;
	(void)slot;
	(void)packets;
}

/* ---- sockets --------------------------------------------------------------------------------- */

static void open_sockets(struct load *l)
{
	int one = 1, bytes = 8 << 20;

	for (int i = 0; i < SOCKETS; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(ports[i]) };

		l->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (l->fd[i] < 0 ||
		    setsockopt(l->fd[i], IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) ||
		    bind(l->fd[i], (struct sockaddr *)&at, sizeof(at)))
			die("UDP");
		(void)setsockopt(l->fd[i], SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	}
}

union control {
	char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct cmsghdr align;
};

static void transmit(struct load *l, const struct fx_send *s)
{
	static uint8_t marker[4];
	int i = s->local.port == ports[1];
	bool byte = s->bytes.len == 1; /* a NAT keepalive */
	struct iovec iov[2] = { { marker, i && !byte ? sizeof(marker) : 0 },
		                { (void *)(uintptr_t)s->bytes.p, s->bytes.len } };
	struct in_pktinfo info = { 0 };
	struct sockaddr_storage to;
	union control control = { 0 };
	struct msghdr m = { .msg_name = &to,
		            .msg_namelen = endpoint_to_sockaddr(&s->remote, &to),
		            .msg_iov = iov,
		            .msg_iovlen = 2,
		            .msg_control = control.buf,
		            .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	memcpy(&info.ipi_spec_dst, s->local.addr.b, 4);
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	(void)!sendmsg(l->fd[i], &m, MSG_NOSIGNAL); /* what is lost is sent again */
}

/* ---- the core -------------------------------------------------------------------------------- */

static void begin_more(struct load *l, struct effects *fx)
{
	while (l->initiate && l->begun < l->count && l->begun < l->up + l->at_once)
		ike_acquire(l->ike, FIRST_TUNNEL + l->begun++, fx);
}

static double rate(const struct load *l, uint32_t from, uint32_t to)
{
	uint64_t ms = l->up_ms[to - 1] - (from ? l->up_ms[from - 1] : l->start_ms);

	return (to - from) * 1000.0 / (double)(ms ? ms : 1);
}

static void came_up(struct load *l)
{
	uint32_t tenth = l->count >= 10 ? l->count / 10 : 1;

	if (l->up == l->count) /* one that came up again */
		return;
	if (l->up == 0 && !l->initiate)
		l->start_ms = env_now(&l->env);
	l->up_ms[l->up++] = env_now(&l->env);
	if (l->up < l->count)
		return;
	printf("{\"up\": %u, \"seconds\": %.3f, \"first_per_s\": %.1f, \"last_per_s\": %.1f}\n",
	       l->up, (double)(l->up_ms[l->up - 1] - l->start_ms) / 1000, rate(l, 0, tenth),
	       rate(l, l->count - tenth, l->count));
	(void)fflush(stdout);
}

static void perform(struct load *l, struct effects *fx)
{
	if (fx->overrun)
		die("effects overrun");
	for (size_t i = 0; i < fx->n; i++) {
		struct effect *f = &fx->at[i];
		struct effects more = { 0 };

		if (f->kind == FX_SEND)
			transmit(l, &f->send);
		if (f->kind == FX_EVENT && f->event == EVENT_IKE_SA_UP) {
			came_up(l);
			begin_more(l, &more);
		}
		if (f->kind == FX_JOB) {
			struct job *job = STEAL(f->job);

			job->run(job);
			ike_job_done(l->ike, job, &more);
		}
		perform(l, &more);
	}
	effects_done(fx);
}

static void receive(struct load *l, int i)
{
	static uint8_t bytes[ROOM];

	for (int n = 0; n < BATCH; n++) {
		struct iovec iov = { bytes, sizeof(bytes) };
		struct sockaddr_storage from;
		union control control;
		struct msghdr m = { .msg_name = &from,
			            .msg_namelen = sizeof(from),
			            .msg_iov = &iov,
			            .msg_iovlen = 1,
			            .msg_control = control.buf,
			            .msg_controllen = sizeof(control.buf) };
		ssize_t len = recvmsg(l->fd[i], &m, 0);
		struct cmsghdr *c = len < 0 ? NULL : CMSG_FIRSTHDR(&m);
		struct endpoint local = { .port = ports[i] }, remote;
		size_t skip = i ? 4 : 0;
		struct in_pktinfo info;
		struct effects fx = { 0 };

		if (c == NULL)
			return;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		if ((size_t)len <= skip || endpoint_from_sockaddr(&from, &remote) ||
		    addr_from_bytes((uint8_t *)&info.ipi_addr, 4, &local.addr))
			continue;
		ike_datagram(l->ike, &local, &remote,
		             (struct view){ bytes + skip, (size_t)len - skip }, &fx);
		perform(l, &fx);
	}
}

static void loop(struct load *l)
{
	struct pollfd at[SOCKETS + 1] = { { l->fd[0], POLLIN, 0 },
		                          { l->fd[1], POLLIN, 0 },
		                          { 0, POLLIN, 0 } };
	struct effects fx = { 0 };

	l->start_ms = env_now(&l->env);
	begin_more(l, &fx);
	perform(l, &fx);
	while (!at[SOCKETS].revents) {
		uint64_t due = ike_next_due_ms(l->ike), now = env_now(&l->env);
		int wait = due == UINT64_MAX ? -1 : due > now ? (int)(due - now) : 0;

		if (poll(at, SOCKETS + 1, wait) < 0)
			die("poll");
		for (int i = 0; i < SOCKETS; i++)
			if (at[i].revents)
				receive(l, i);
		if (due <= env_now(&l->env)) {
			ike_timeout(l->ike, &fx);
			perform(l, &fx);
		}
	}
}

/* ---- configuration --------------------------------------------------------------------------- */

static void gateway(const struct load *l, uint32_t i, struct ike_conf_gateway *g)
{
	struct ike_conf_proposal *p = &g->proposal[0];

	(void)snprintf(g->name, sizeof(g->name), "peer-%u", i);
	g->local = addr_v4(l->first + i);
	g->peer[0] = l->peer;
	g->peers = 1;
	g->psk = (struct view){ (const uint8_t *)secret, sizeof(secret) - 1 };
	p->cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 256);
	p->prf[0] = alg_prf_by_id(PRF_HMAC_SHA2_256);
	p->ke[0] = l->ke;
	p->ciphers = p->prfs = p->kes = 1;
	g->proposals = 1;
}

static void tunnel(const struct load *l, uint32_t i, struct ike_conf_tunnel *t)
{
	struct ike_ts all = { 0, 0, UINT16_MAX, addr_v4(0), addr_v4(UINT32_MAX) };

	t->index = FIRST_TUNNEL + i;
	(void)snprintf(t->vpn, sizeof(t->vpn), "vpn-%u", i);
	(void)snprintf(t->gateway, sizeof(t->gateway), "peer-%u", i);
	t->proposal[0].cipher[0] = alg_cipher_by_id(ENCR_AES_GCM_16, 128);
	t->proposal[0].ciphers = 1;
	t->proposals = 1;
	t->window = 64;
	t->local[0] = t->remote[0] = all;
	t->locals = t->remotes = 1;
	t->establish = l->initiate ? IKE_ESTABLISH_ON_TRAFFIC : IKE_ESTABLISH_RESPONDER_ONLY;
}

static void configure(struct load *l)
{
	static const uint8_t wrap_key[32];
	struct ike_conf_gateway *g = calloc(l->count, sizeof(*g));
	struct ike_conf_tunnel *t = calloc(l->count, sizeof(*t));
	struct ike_conf conf = {
		.gateway = g, .gateways = l->count, .tunnel = t, .tunnels = l->count
	};
	struct effects fx = { 0 };
	struct why why = { 0 };

	l->up_ms = calloc(l->count, sizeof(*l->up_ms));
	if (g == NULL || t == NULL || l->up_ms == NULL)
		die("no memory");
	for (uint32_t i = 0; i < l->count; i++) {
		gateway(l, i, &g[i]);
		tunnel(l, i, &t[i]);
	}
	l->env = (struct env){ .now_ms = env_now,
		               .random = env_random,
		               .runtime_take = env_take,
		               .runtime_give = env_give,
		               .runtime_usage = env_usage,
		               .epoch = env_epoch,
		               .runtime_skip = env_skip };
	l->ike = ike_new(&l->env, wrap_key);
	if (l->ike == NULL || ike_configure(l->ike, &conf, &fx, &why) != ERR_OK)
		die("the core does not start");
	ike_restored(l->ike, &fx);
	perform(l, &fx);
	free(g);
	free(t);
}

static struct addr address(const char *text)
{
	struct addr a;
	uint8_t b[4];

	if (inet_pton(AF_INET, text, b) != 1 || addr_from_bytes(b, 4, &a) != ERR_OK)
		die("no IPv4 address");
	return a;
}

int main(int argc, char **argv)
{
	static struct load l;

	if (argc < 6 || argc > 7) {
		fprintf(stderr,
		        "usage: ike-load initiate|answer PEER FIRST COUNT GROUP [AT_ONCE]\n");
		return 2;
	}
	l.initiate = strcmp(argv[1], "initiate") == 0;
	l.peer = address(argv[2]);
	struct addr first = address(argv[3]);
	memcpy(&l.first, first.b, sizeof(l.first));
	l.first = ntohl(l.first);
	l.count = (uint32_t)strtoul(argv[4], NULL, 10);
	l.ke = alg_ke_by_id((uint16_t)strtoul(argv[5], NULL, 10));
	l.at_once = argc == 7 ? (uint32_t)strtoul(argv[6], NULL, 10) : AT_ONCE;
	if (l.count == 0 || l.count > COUNT_MAX || l.ke == NULL)
		die("COUNT or GROUP");
	open_sockets(&l);
	configure(&l);
	loop(&l);
	ike_free(l.ike);
	free(l.up_ms);
	return EXIT_SUCCESS;
}
