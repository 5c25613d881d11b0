// SPDX-License-Identifier: BSD-2-Clause
/* One TCP connection with a stream whose every byte says where it belongs. The receiver checks all
 * of it and answers with the number of bytes that were right, which the sender reports too: so the
 * sender's rate is one of bytes that arrived. */
#include "pace.h"
#include "pattern.h"
#include "traffic_socket.h"
#include "writer.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536u

struct stream {
	const struct traffic_options *o;
	int fd, stop_fd;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	uint64_t bytes, start_ns, end_ns, gap_ns;
	uint64_t confirmed; /* sender: what the receiver says was right */
	bool corrupt;       /* receiver: byte number `bytes` was wrong */
	uint8_t *buf;       /* owns: CHUNK */
};

static bool over(const struct stream *s)
{
	return traffic_mono_ns() >= s->deadline_ns;
}

/* A blocking call gives up after this time, so that the deadline is looked at. */
static void set_patience(int fd, time_t s)
{
	struct timeval t = { s, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static enum err failed(struct why *why, const char *what)
{
	return why_set(why, err_from_errno(errno), "%s: %s", what, strerror(errno));
}

/* Notes the longest silence between two successful reads or writes. */
static void note_progress(struct stream *s, size_t n)
{
	uint64_t now = traffic_mono_ns();

	if (s->bytes == 0)
		s->start_ns = now;
	else if (now - s->end_ns > s->gap_ns)
		s->gap_ns = now - s->end_ns;
	s->end_ns = now;
	s->bytes += n;
}

static void report(const struct stream *s, const char *role)
{
	uint64_t ns = s->end_ns - s->start_ns;
	double mbit = ns ? (double)s->bytes * 8e3 / (double)ns : 0;

	printf("{\"role\":\"%s\",\"bytes\":%" PRIu64 ",\"seconds\":%.6f,\"mbit-per-s\":%.3f"
	       ",\"longest-gap-ns\":%" PRIu64,
	       role, s->bytes, (double)ns / 1e9, mbit, s->gap_ns);
	if (strcmp(role, "tcp-send") == 0)
		printf(",\"confirmed\":%" PRIu64 "}\n", s->confirmed);
	else
		printf(",\"corrupt\":%s}\n", s->corrupt ? "true" : "false");
	fflush(stdout);
}

/* The receiver's answer: 8 bytes, how many bytes were right. */
static void read_answer(struct stream *s)
{
	uint8_t answer[8];
	size_t got = 0;

	while (got < sizeof(answer)) {
		ssize_t n = recv(s->fd, answer + got, sizeof(answer) - got, 0);

		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR) || over(s))
			return;
	}
	struct reader r = rd_of(answer, sizeof(answer));
	s->confirmed = rd_u64(&r);
	s->end_ns = traffic_mono_ns();
}

static enum err send_all(struct stream *s, struct why *why)
{
	uint64_t length = s->o->bytes;
	uint64_t end = traffic_mono_ns() + s->o->duration_s * PACE_NS_PER_S;

	s->start_ns = s->end_ns = traffic_mono_ns();
	while (s->bytes < length && traffic_mono_ns() < end && !traffic_wait(s->stop_fd, -1, 0)) {
		uint64_t left = length - s->bytes;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		pattern_fill(s->buf, n, s->o->run, s->bytes);
		ssize_t took = send(s->fd, s->buf, n, MSG_NOSIGNAL);
		if (took > 0)
			note_progress(s, (size_t)took);
		else if (errno != EAGAIN && errno != EINTR)
			return failed(why, "send");
	}
	shutdown(s->fd, SHUT_WR);
	/* What is in flight may take its time, but not for ever. */
	s->deadline_ns = traffic_mono_ns() + 10 * (uint64_t)PACE_NS_PER_S;
	read_answer(s);
	return ERR_OK;
}

static enum err open_sender(struct stream *s, struct why *why)
{
	struct traffic_address to = s->o->to, from = s->o->from;

	traffic_address_port(&to, (uint16_t)s->o->port);
	if (from.len == 0) {
		from.ss.ss_family = to.ss.ss_family;
		from.len = to.len;
	}
	TRY(traffic_socket_bound(SOCK_STREAM, &from, &s->fd, why));
	set_patience(s->fd, (time_t)s->o->duration_s); /* also connect() takes no longer */
	if (connect(s->fd, (const struct sockaddr *)&to.ss, to.len) < 0)
		return failed(why, "connect");
	set_patience(s->fd, 1);
	return ERR_OK;
}

/* Takes one connection; gives up at the deadline or when asked to end. */
static enum err open_receiver(struct stream *s, struct why *why)
{
	struct traffic_address at = s->o->bind;
	int fd;

	traffic_address_port(&at, (uint16_t)s->o->port);
	TRY(traffic_socket_bound(SOCK_STREAM, &at, &fd, why));
	if (listen(fd, 1) < 0) {
		enum err e = failed(why, "listen");

		close(fd);
		return e;
	}
	printf("{\"ready\":true}\n");
	fflush(stdout);
	bool stop = traffic_wait(s->stop_fd, fd, s->deadline_ns - traffic_mono_ns());
	s->fd = stop || over(s) ? -1 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	if (s->fd < 0)
		return why_set(why, ERR_CLOSED, "tcp-receive: nobody connected");
	set_patience(s->fd, 1);
	return ERR_OK;
}

static void answer(struct stream *s)
{
	uint8_t buf[8];
	struct writer w = wr_of(buf, sizeof(buf));

	wr_u64(&w, s->bytes);
	(void)send(s->fd, buf, sizeof(buf), MSG_NOSIGNAL); /* the sender reports its absence */
}

static enum err receive_all(struct stream *s, struct why *why)
{
	while (!over(s) && !traffic_wait(s->stop_fd, -1, 0)) {
		ssize_t n = recv(s->fd, s->buf, CHUNK, 0);

		if (n == 0)
			break;
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			return failed(why, "receive");
		}
		struct view v = { s->buf, (size_t)n };
		size_t right = pattern_check(v, s->o->run, s->bytes);
		note_progress(s, right);
		if (right != v.len) {
			s->corrupt = true;
			break;
		}
	}
	answer(s);
	return ERR_OK;
}

static enum err run(const struct traffic_options *o, bool sends, struct why *why)
{
	struct stream s = { .o = o, .fd = -1, .stop_fd = -1 };

	s.deadline_ns = traffic_mono_ns() + o->duration_s * PACE_NS_PER_S;
	s.buf = malloc(CHUNK);
	enum err e = s.buf ? traffic_stop_open(&s.stop_fd, why) : ERR_MEMORY;
	if (e == ERR_OK)
		e = sends ? open_sender(&s, why) : open_receiver(&s, why);
	if (e == ERR_OK)
		e = sends ? send_all(&s, why) : receive_all(&s, why);
	if (s.fd >= 0 && s.start_ns)
		report(&s, sends ? "tcp-send" : "tcp-receive");
	if (s.fd >= 0)
		close(s.fd);
	if (s.stop_fd >= 0)
		close(s.stop_fd);
	free(s.buf);
	return e;
}

enum err tcp_send(const struct traffic_options *o, struct why *why)
{
	if (o->to.len == 0)
		return why_set(why, ERR_MISSING, "tcp-send: --to ADDRESS is wanted");
	return run(o, true, why);
}

enum err tcp_receive(const struct traffic_options *o, struct why *why)
{
	if (o->bind.len == 0)
		return why_set(why, ERR_MISSING, "tcp-receive: --bind ADDRESS is wanted");
	return run(o, false, why);
}
