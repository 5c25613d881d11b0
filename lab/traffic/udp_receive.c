// SPDX-License-Identifier: BSD-2-Clause
/* Receives numbered packets and tallies them. Times are the kernel's, taken when the packet came in
 * (SO_TIMESTAMPNS), so a busy machine does not show as a gap; what this socket's own queue dropped
 * (SO_RXQ_OVFL) is reported apart from what was lost on the way. */
#include "numbered.h"
#include "pace.h"
#include "tally.h"
#include "traffic_socket.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32u
#define PAYLOAD_MAX 65536u
#define RANGES_MAX 4096u
#define WAIT_NS 100000000u

struct receiver {
	const struct traffic_options *o;
	int fd, stop_fd;
	uint64_t received, foreign, corrupt, queue_drops;
	struct tally tallies[TRAFFIC_FLOWS_MAX];
	uint8_t *payloads; /* owns: BATCH times PAYLOAD_MAX */
};

union control {
	char bytes[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
	struct cmsghdr align;
};

/* The kernel's time of a packet (now, where it gave none); notes the queue's drops. */
static uint64_t time_of(struct receiver *r, struct msghdr *m)
{
	uint64_t at = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS &&
		    c->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
			struct timespec t;

			memcpy(&t, CMSG_DATA(c), sizeof(t));
			at = (uint64_t)t.tv_sec * PACE_NS_PER_S + (uint64_t)t.tv_nsec;
		} else if (c->cmsg_type == SO_RXQ_OVFL &&
		           c->cmsg_len >= CMSG_LEN(sizeof(uint32_t))) {
			uint32_t drops;

			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			r->queue_drops = drops;
		}
	}
	return at ? at : traffic_real_ns();
}

static void take(struct receiver *r, struct view payload, uint64_t at_ns)
{
	struct numbered n;
	enum err e = numbered_read(payload, &n);

	if (e == ERR_CORRUPT) {
		r->corrupt++;
	} else if (e != ERR_OK || n.run != r->o->run || n.flow >= r->o->flows) {
		r->foreign++;
	} else {
		struct tally *t = &r->tallies[n.flow];
		uint64_t before = t->received;

		tally_add(t, n.seq, n.sent_ns, at_ns);
		r->received += t->received - before;
	}
}

/* Takes what waits in the socket, one batch. False: nothing waited. */
static bool take_batch(struct receiver *r)
{
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	union control controls[BATCH] = { 0 };

	for (unsigned int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ r->payloads + i * PAYLOAD_MAX, PAYLOAD_MAX };
		messages[i].msg_hdr =
		        (struct msghdr){ .msg_iov = &parts[i],
			                 .msg_iovlen = 1,
			                 .msg_control = controls[i].bytes,
			                 .msg_controllen = sizeof(controls[i].bytes) };
	}
	int n = recvmmsg(r->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct view payload = { parts[i].iov_base, messages[i].msg_len };
		uint64_t at = time_of(r, &messages[i].msg_hdr);

		take(r, payload, at);
	}
	return n > 0;
}

static void progress(const struct receiver *r)
{
	printf("{\"progress\":%" PRIu64 ",\"at-ns\":%" PRIu64 "}\n", r->received,
	       traffic_real_ns());
	fflush(stdout);
}

static void listen_for(struct receiver *r)
{
	const struct traffic_options *o = r->o;
	uint64_t start = traffic_mono_ns(), next = o->progress_ms * 1000000u;
	bool end = false;

	while (!end && r->received < o->count * o->flows) {
		uint64_t elapsed = traffic_mono_ns() - start;

		if (elapsed >= o->duration_s * PACE_NS_PER_S)
			break;
		if (o->progress_ms && elapsed >= next) {
			progress(r);
			next = elapsed + o->progress_ms * 1000000u;
		}
		end = traffic_wait(r->stop_fd, r->fd,
		                   WAIT_NS < o->progress_ms * 1000000u || !o->progress_ms
		                           ? WAIT_NS
		                           : o->progress_ms * 1000000u);
		take_batch(r);
	}
	for (unsigned int i = 0; i < 4096 && take_batch(r); i++)
		; /* what still waits; bounded, or a flood would keep us */
}

static void report_missing(const struct tally *t)
{
	uint64_t end = t->received ? t->highest + 1 : 0, from = 0, left_out = 0, n = 0;
	struct tally_range range;

	printf(",\"missing\":[");
	for (; tally_missing(t, end, &from, &range); n++) {
		if (n < RANGES_MAX)
			printf("%s[%" PRIu64 ",%" PRIu64 "]", n ? "," : "", range.first,
			       range.last);
		else
			left_out++;
	}
	printf("],\"missing-ranges-left-out\":%" PRIu64, left_out);
}

static void report_flow(const struct tally *t, uint64_t flow)
{
	printf("{\"flow\":%" PRIu64 ",\"received\":%" PRIu64 ",\"duplicated\":%" PRIu64
	       ",\"reordered\":%" PRIu64 ",\"beyond\":%" PRIu64,
	       flow, t->received, t->duplicated, t->reordered, t->beyond);
	if (t->received)
		printf(",\"highest\":%" PRIu64 ",\"first-ns\":%" PRIu64 ",\"last-ns\":%" PRIu64
		       ",\"longest-gap-ns\":%" PRIu64 ",\"gap-at-ns\":%" PRIu64
		       ",\"gap-after\":%" PRIu64 ",\"delay-mean-ns\":%" PRIu64
		       ",\"delay-max-ns\":%" PRIu64,
		       t->highest, t->first_ns, t->last_ns, t->gap_ns, t->gap_at_ns, t->gap_after,
		       t->delay_sum_ns / t->received, t->delay_max_ns);
	report_missing(t);
	printf("}");
}

static void report(const struct receiver *r)
{
	printf("{\"role\":\"receive\",\"received\":%" PRIu64 ",\"foreign\":%" PRIu64
	       ",\"corrupt\":%" PRIu64 ",\"queue-drops\":%" PRIu64 ",\"flow\":[",
	       r->received, r->foreign, r->corrupt, r->queue_drops);
	for (uint64_t f = 0; f < r->o->flows; f++) {
		printf("%s", f ? "," : "");
		report_flow(&r->tallies[f], f);
	}
	printf("]}\n");
	fflush(stdout);
}

static enum err open_all(struct receiver *r, struct why *why)
{
	struct traffic_address at = r->o->bind;
	int on = 1;

	traffic_address_port(&at, (uint16_t)r->o->port);
	for (uint64_t f = 0; f < r->o->flows; f++)
		TRY(tally_init(&r->tallies[f], r->o->count));
	r->payloads = malloc((size_t)BATCH * PAYLOAD_MAX);
	if (r->payloads == NULL)
		return why_set(why, ERR_MEMORY, "receive: out of memory");
	TRY(traffic_stop_open(&r->stop_fd, why));
	TRY(traffic_socket_bound(SOCK_DGRAM, &at, &r->fd, why));
	(void)setsockopt(r->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(r->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	return ERR_OK;
}

enum err udp_receive(const struct traffic_options *o, struct why *why)
{
	struct receiver r = { .o = o, .fd = -1, .stop_fd = -1 };

	if (o->bind.len == 0)
		return why_set(why, ERR_MISSING, "receive: --bind ADDRESS is wanted");
	enum err e = open_all(&r, why);
	if (e == ERR_OK) {
		printf("{\"ready\":true}\n");
		fflush(stdout);
		listen_for(&r);
		report(&r);
	}
	for (uint64_t f = 0; f < o->flows; f++)
		tally_done(&r.tallies[f]);
	if (r.fd >= 0)
		close(r.fd);
	if (r.stop_fd >= 0)
		close(r.stop_fd);
	free(r.payloads);
	return e;
}
