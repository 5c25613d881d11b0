// SPDX-License-Identifier: BSD-2-Clause
#include "udp.h"
#include "impair.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_AT_ONCE 128
#define SEND_AT_ONCE 64
#define MESSAGE_MAX 65535
#define SEND_MAX 2048 /* of a message in the queue; longer ones go by themselves */
#define RECEIVE_BUFFER (8 << 20)
#define MARKER_LEN 4
#define PORT_NATT 4500

union control {
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

/* What one call receives: kept between calls, so that pages are touched once. */
struct received {
	struct mmsghdr msg[RECEIVE_AT_ONCE];
	struct iovec iov[RECEIVE_AT_ONCE];
	struct sockaddr_storage from[RECEIVE_AT_ONCE];
	union control control[RECEIVE_AT_ONCE];
	struct datagram packet[RECEIVE_AT_ONCE];
	uint8_t bytes[RECEIVE_AT_ONCE][MESSAGE_MAX];
};

/* What waits to be sent by one call, all of it by one socket. */
struct queued {
	int socket;
	size_t n;
	struct mmsghdr msg[SEND_AT_ONCE];
	struct iovec iov[SEND_AT_ONCE];
	struct sockaddr_storage to[SEND_AT_ONCE];
	union control control[SEND_AT_ONCE];
	uint8_t bytes[SEND_AT_ONCE][SEND_MAX];
};

struct udp {
	uv_poll_t poll[UDP_SOCKETS];
	int fd[UDP_SOCKETS];
	udp_fn fn;
	udp_esp_fn esp_fn;
	void *ctx;
	struct udp_stats stats;
	struct received in;
	struct queued out;
};

static const uint16_t ports[UDP_SOCKETS] = { 500, 4500, 500, 4500 };

/* The local address of a received message. */
static bool local_of(struct msghdr *msg, struct addr *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return addr_from_bytes((uint8_t *)&info.ipi_addr, 4, ret) == ERR_OK;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return addr_from_bytes((uint8_t *)&info.ipi6_addr, 16, ret) == ERR_OK;
		}
	}
	return false;
}

enum content { IKE, ESP, KEEPALIVE };

/* What a datagram on this port is: everything on 500 is IKE, on 4500 what follows the marker (RFC
 * 3948 2). */
static enum content content_of(uint16_t port, struct view *v)
{
	static const uint8_t marker[MARKER_LEN];
	struct reader r = rd_of_view(*v);

	if (port != PORT_NATT)
		return IKE;
	if (v->len == 1 && v->p[0] == 0xff)
		return KEEPALIVE;
	if (!view_equal(rd_view(&r, MARKER_LEN), (struct view){ marker, MARKER_LEN }))
		return ESP;
	*v = rd_rest(&r);
	return IKE;
}

/* The i-th message of a call; false where it is none for IKE. */
static bool packet_of(struct udp *u, int socket, int i, struct datagram *ret)
{
	struct mmsghdr *m = &u->in.msg[i];

	ret->local.port = ports[socket];
	ret->bytes = (struct view){ u->in.bytes[i], m->msg_len };
	if (!local_of(&m->msg_hdr, &ret->local.addr) ||
	    endpoint_from_sockaddr(&u->in.from[i], &ret->remote) != ERR_OK)
		return false;
	enum content is = content_of(ports[socket], &ret->bytes);
	u->stats.keepalives += is == KEEPALIVE;
	u->stats.esp += is == ESP;
	if (is == ESP)
		u->esp_fn(u->ctx, &ret->local, &ret->remote, ret->bytes);
	return is == IKE && !impair(IMPAIR_DROP);
}

/* One call for each turn, so that timers and commands get theirs under a flood. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;
	int socket = (int)(poll - u->poll);
	size_t n = 0;

	(void)status;
	(void)events;
	for (size_t i = 0; i < RECEIVE_AT_ONCE; i++) {
		u->in.iov[i] = (struct iovec){ u->in.bytes[i], MESSAGE_MAX };
		u->in.msg[i].msg_hdr =
		        (struct msghdr){ .msg_name = &u->in.from[i],
			                 .msg_namelen = sizeof(u->in.from[i]),
			                 .msg_iov = &u->in.iov[i],
			                 .msg_iovlen = 1,
			                 .msg_control = u->in.control[i].buf,
			                 .msg_controllen = sizeof(u->in.control[i].buf) };
	}
	/* An ICMP error comes once as an error; the next call goes on. */
	int got = recvmmsg(u->fd[socket], u->in.msg, RECEIVE_AT_ONCE, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++)
		n += packet_of(u, socket, i, &u->in.packet[n]);
	u->stats.received += n;
	if (n)
		u->fn(u->ctx, u->in.packet, n);
}

/* Room for what comes while the loop is busy. The kernel's own limit holds where we may not pass
 * it.
 */
static void widen(int fd)
{
	int bytes = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

enum err udp_open(uv_loop_t *loop, const int fd[UDP_SOCKETS], udp_fn fn, udp_esp_fn esp_fn,
                  void *ctx, struct udp **ret, struct why *why)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return ERR_MEMORY;
	u->fn = fn;
	u->esp_fn = esp_fn;
	u->ctx = ctx;
	memcpy(u->fd, fd, sizeof(u->fd));
	for (int i = 0; i < UDP_SOCKETS; i++) {
		u->poll[i].data = u;
		if (u->fd[i] < 0)
			continue;
		widen(u->fd[i]);
		int e = uv_poll_init(loop, &u->poll[i], u->fd[i]);
		if (!e)
			e = uv_poll_start(&u->poll[i], UV_READABLE, on_readable);
		if (e) /* at start-up: the process ends, and what is open with it */
			return why_set(why, ERR_IO, "UDP port %u: %s", ports[i], uv_strerror(e));
	}
	*ret = u;
	return ERR_OK;
}

static void on_closed(uv_handle_t *h)
{
	struct udp *u = h->data;
	bool all = true;

	for (int i = 0; i < UDP_SOCKETS; i++) {
		if ((uv_handle_t *)&u->poll[i] == h)
			close(u->fd[i]), u->fd[i] = -1;
		all &= u->fd[i] < 0;
	}
	if (all)
		free(u);
}

void udp_close(struct udp *u)
{
	if (u == NULL)
		return;
	for (int i = 0; i < UDP_SOCKETS; i++)
		if (u->fd[i] >= 0)
			uv_close((uv_handle_t *)&u->poll[i], on_closed);
}

/* The source address as packet information; returns the length of the control message. */
static size_t put_local(struct msghdr *msg, const struct addr *local)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (local->family == ADDR_V4) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, local->b, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	struct in6_pktinfo info = { 0 };

	memcpy(&info.ipi6_addr, local->b, 16);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

/* Puts marker and message together; their length, or 0 where there is no room. */
static size_t compose(const struct endpoint *local, struct view bytes, uint8_t *to, size_t room)
{
	bool keepalive = bytes.len == 1 && bytes.p[0] == 0xff;
	size_t marker = local->port == PORT_NATT && !keepalive ? MARKER_LEN : 0;

	if (marker + bytes.len > room)
		return 0;
	memset(to, 0, marker);
	memcpy(to + marker, bytes.p, bytes.len);
	return marker + bytes.len;
}

/* The next place in the queue, where its bytes are in iov already. */
static void address(struct queued *q, const struct endpoint *local, const struct endpoint *remote)
{
	struct msghdr *m = &q->msg[q->n].msg_hdr;

	memset(&q->control[q->n], 0, sizeof(q->control[q->n]));
	*m = (struct msghdr){ .msg_name = &q->to[q->n],
		              .msg_namelen = endpoint_to_sockaddr(remote, &q->to[q->n]),
		              .msg_iov = &q->iov[q->n],
		              .msg_iovlen = 1,
		              .msg_control = q->control[q->n].buf,
		              .msg_controllen = sizeof(q->control[q->n].buf) };
	m->msg_controllen = put_local(m, &local->addr);
	q->n++;
}

void udp_flush(struct udp *u)
{
	struct queued *q = &u->out;
	size_t done = 0;

	while (done < q->n) {
		int n = sendmmsg(u->fd[q->socket], q->msg + done, (unsigned)(q->n - done),
		                 MSG_DONTWAIT | MSG_NOSIGNAL);

		u->stats.sent += n > 0 ? (uint64_t)n : 0;
		u->stats.send_failed += n <= 0; /* the first of them */
		done += n > 0 ? (size_t)n : 1;
	}
	q->n = 0;
}

/* One that is too long for the queue. */
static void send_alone(struct udp *u, const struct endpoint *local, const struct endpoint *remote,
                       struct view bytes)
{
	uint8_t whole[MARKER_LEN + UINT16_MAX];

	u->out.iov[0] = (struct iovec){ whole, compose(local, bytes, whole, sizeof(whole)) };
	address(&u->out, local, remote);
	udp_flush(u);
}

static void queue_message(struct udp *u, const struct endpoint *local,
                          const struct endpoint *remote, struct view bytes)
{
	int socket = (local->addr.family == ADDR_V6 ? UDP_V6_500 : UDP_V4_500) +
	             (local->port == PORT_NATT);
	struct queued *q = &u->out;

	if (u->fd[socket] < 0) {
		u->stats.send_failed++;
		return;
	}
	if (q->n == SEND_AT_ONCE || (q->n && q->socket != socket) ||
	    bytes.len > SEND_MAX - MARKER_LEN)
		udp_flush(u);
	q->socket = socket;
	if (bytes.len > SEND_MAX - MARKER_LEN) {
		send_alone(u, local, remote, bytes);
		return;
	}
	q->iov[q->n].iov_base = q->bytes[q->n];
	q->iov[q->n].iov_len = compose(local, bytes, q->bytes[q->n], SEND_MAX);
	address(q, local, remote);
}

void udp_send(struct udp *u, const struct endpoint *local, const struct endpoint *remote,
              struct view bytes)
{
	impair_send(queue_message, u, local, remote, bytes);
}

const struct udp_stats *udp_stats(const struct udp *u)
{
	return &u->stats;
}
