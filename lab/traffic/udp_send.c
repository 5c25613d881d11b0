// SPDX-License-Identifier: BSD-2-Clause
/* Numbered packets at a steady rate. A number counts as sent when the kernel took the packet; what
 * it refuses is counted by errno and sent again, so numbers have no holes of the sender's making.
 */
#include "numbered.h"
#include "pace.h"
#include "traffic_socket.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 32u
#define REFUSALS 8u
#define WAIT_MIN_NS 100000u /* so that fast streams go out in batches */
#define WAIT_MAX_NS 100000000u

struct refusal {
	int error;
	uint64_t times;
};

struct sender {
	const struct traffic_options *o;
	struct traffic_address to;
	int stop_fd;
	int fds[TRAFFIC_FLOWS_MAX];
	uint64_t next[TRAFFIC_FLOWS_MAX]; /* sequence number of the flow's next packet */
	uint64_t sent, first_ns, last_ns;
	struct refusal refusals[REFUSALS];
	uint8_t *payloads; /* owns: BATCH times size */
};

static void note_refusal(struct sender *s, int error)
{
	for (size_t i = 0; i < REFUSALS; i++) {
		if (s->refusals[i].times != 0 && s->refusals[i].error != error)
			continue;
		s->refusals[i].error = error;
		s->refusals[i].times++;
		return;
	}
	s->refusals[REFUSALS - 1].times++;
}

/* Sends n packets of a flow; how many the kernel took. */
static unsigned int send_batch(struct sender *s, uint64_t flow, unsigned int n)
{
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	uint64_t now = traffic_real_ns();

	for (unsigned int i = 0; i < n; i++) {
		struct numbered p = { s->o->run, s->next[flow] + i, now, (uint16_t)flow };
		uint8_t *payload = s->payloads + i * s->o->size;

		numbered_write(&p, payload, s->o->size);
		parts[i] = (struct iovec){ payload, s->o->size };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &s->to.ss,
			                               .msg_namelen = s->to.len,
			                               .msg_iov = &parts[i],
			                               .msg_iovlen = 1 };
	}
	int took = sendmmsg(s->fds[flow], messages, n, MSG_DONTWAIT);
	if (took < 0) {
		note_refusal(s, errno);
		return 0;
	}
	s->next[flow] += (unsigned int)took;
	s->sent += (unsigned int)took;
	s->last_ns = now;
	if (s->first_ns == 0)
		s->first_ns = now;
	return (unsigned int)took;
}

/* Sends of what is due one batch per flow, so that no flow waits for another that is far behind;
 * packet k of the stream is packet k / flows of flow k % flows. False: the kernel refused some. */
static bool send_due(struct sender *s, uint64_t due)
{
	uint64_t flows = s->o->flows;
	bool all = true;

	for (uint64_t f = 0; f < flows; f++) {
		uint64_t want = due > f ? (due - f + flows - 1) / flows : 0;

		if (want > s->o->count)
			want = s->o->count;
		uint64_t left = want - s->next[f];
		unsigned int n = left < BATCH ? (unsigned int)left : BATCH;

		if (n > 0 && send_batch(s, f, n) < n)
			all = false;
	}
	return all;
}

static void stream(struct sender *s)
{
	const struct traffic_options *o = s->o;
	uint64_t start = traffic_mono_ns(), total = o->count * o->flows;
	uint64_t wait = 0;

	while (s->sent < total && !traffic_wait(s->stop_fd, -1, wait)) {
		uint64_t elapsed = traffic_mono_ns() - start;

		if (elapsed >= o->duration_s * PACE_NS_PER_S)
			break;
		bool all = send_due(s, pace_due(elapsed, o->pps));
		uint64_t when = pace_when_ns(s->sent, o->pps);
		elapsed = traffic_mono_ns() - start;
		wait = when > elapsed ? when - elapsed : 0;
		if (wait < WAIT_MIN_NS && (o->pps > PACE_NS_PER_S / WAIT_MIN_NS || !all))
			wait = WAIT_MIN_NS;
		if (wait > WAIT_MAX_NS)
			wait = WAIT_MAX_NS;
	}
}

static void report(const struct sender *s)
{
	printf("{\"role\":\"send\",\"sent\":%" PRIu64 ",\"first-ns\":%" PRIu64
	       ",\"last-ns\":%" PRIu64 ",\"flow\":[",
	       s->sent, s->first_ns, s->last_ns);
	for (uint64_t f = 0; f < s->o->flows; f++)
		printf("%s{\"flow\":%" PRIu64 ",\"sent\":%" PRIu64 "}", f ? "," : "", f,
		       s->next[f]);
	printf("],\"refused\":{");
	for (size_t i = 0; i < REFUSALS && s->refusals[i].times != 0; i++)
		printf("%s\"%s\":%" PRIu64, i ? "," : "", strerrorname_np(s->refusals[i].error),
		       s->refusals[i].times);
	printf("}}\n");
	fflush(stdout);
}

static enum err open_sockets(struct sender *s, struct why *why)
{
	for (uint64_t f = 0; f < s->o->flows; f++)
		TRY(traffic_socket_sender(s->o, f, &s->fds[f], why));
	return ERR_OK;
}

enum err udp_send(const struct traffic_options *o, struct why *why)
{
	if (o->to.len == 0)
		return why_set(why, ERR_MISSING, "send: --to ADDRESS is wanted");
	struct sender s = { .o = o, .to = o->to };
	memset(s.fds, -1, sizeof(s.fds));
	traffic_address_port(&s.to, (uint16_t)o->port);
	TRY(traffic_stop_open(&s.stop_fd, why));
	s.payloads = malloc(BATCH * o->size);
	enum err e = s.payloads ? open_sockets(&s, why) : ERR_MEMORY;
	if (e == ERR_OK) {
		stream(&s);
		report(&s);
	}
	for (uint64_t f = 0; f < o->flows; f++)
		if (s.fds[f] >= 0)
			close(s.fds[f]);
	close(s.stop_fd);
	free(s.payloads);
	return e;
}
