// SPDX-License-Identifier: BSD-2-Clause
#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 16
#define MESSAGE_MAX 65535
#define MARKER_LEN 4
#define PORT_NATT 4500

struct udp {
	uv_poll_t poll[UDP_SOCKETS];
	int fd[UDP_SOCKETS];
	udp_fn fn;
	void *ctx;
	struct udp_stats stats;
	uint8_t buf[MESSAGE_MAX];
};

static const uint16_t ports[UDP_SOCKETS] = { 500, 4500, 500, 4500 };

union control {
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

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

/* What is IKE of a datagram on this port: everything on 500, what follows the marker on 4500. */
static bool ike_of(struct udp *u, uint16_t port, struct view *v)
{
	static const uint8_t marker[MARKER_LEN];
	struct reader r = rd_of_view(*v);

	if (port != PORT_NATT)
		return true;
	if (v->len == 1 && v->p[0] == 0xff) { /* RFC 3948 2.3 */
		u->stats.keepalives++;
		return false;
	}
	if (!view_equal(rd_view(&r, MARKER_LEN), (struct view){ marker, MARKER_LEN })) {
		u->stats.esp++;
		return false;
	}
	*v = rd_rest(&r);
	return true;
}

/* One message; false when there is none. */
static bool receive(struct udp *u, int i)
{
	struct sockaddr_storage from;
	union control control;
	struct iovec iov = { u->buf, sizeof(u->buf) };
	struct msghdr msg = { .msg_name = &from,
		              .msg_namelen = sizeof(from),
		              .msg_iov = &iov,
		              .msg_iovlen = 1,
		              .msg_control = control.buf,
		              .msg_controllen = sizeof(control.buf) };
	struct endpoint local = { .port = ports[i] }, remote;
	ssize_t n = recvmsg(u->fd[i], &msg, MSG_DONTWAIT);

	if (n < 0) /* an ICMP error comes once as an error; the next call goes on */
		return errno != EAGAIN && errno != EWOULDBLOCK && errno != EBADF;
	struct view v = { u->buf, (size_t)n };
	if (!local_of(&msg, &local.addr) || endpoint_from_sockaddr(&from, &remote) ||
	    !ike_of(u, ports[i], &v))
		return true;
	u->stats.received++;
	u->fn(u->ctx, &local, &remote, v);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;
	int i = (int)(poll - u->poll);

	(void)status;
	(void)events;
	/* A batch, so that timers and commands get their turn under a flood. */
	for (int n = 0; n < BATCH && receive(u, i); n++)
		;
}

enum err udp_open(uv_loop_t *loop, const int fd[UDP_SOCKETS], udp_fn fn, void *ctx,
                  struct udp **ret, struct why *why)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return ERR_MEMORY;
	u->fn = fn;
	u->ctx = ctx;
	memcpy(u->fd, fd, sizeof(u->fd));
	for (int i = 0; i < UDP_SOCKETS; i++) {
		u->poll[i].data = u;
		if (u->fd[i] < 0)
			continue;
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

void udp_send(struct udp *u, const struct endpoint *local, const struct endpoint *remote,
              struct view bytes)
{
	uint8_t marker[MARKER_LEN] = { 0 };
	struct sockaddr_storage to;
	union control control = { { 0 } };
	bool keepalive = bytes.len == 1 && bytes.p[0] == 0xff;
	bool natt = local->port == PORT_NATT;
	int i = (local->addr.family == ADDR_V6 ? UDP_V6_500 : UDP_V4_500) + natt;
	struct iovec iov[2] = { { marker, natt && !keepalive ? MARKER_LEN : 0 },
		                { (void *)(uintptr_t)bytes.p, bytes.len } };
	struct msghdr msg = { .msg_name = &to,
		              .msg_namelen = endpoint_to_sockaddr(remote, &to),
		              .msg_iov = iov,
		              .msg_iovlen = 2,
		              .msg_control = control.buf,
		              .msg_controllen = sizeof(control.buf) };

	msg.msg_controllen = put_local(&msg, &local->addr);
	if (u->fd[i] < 0 || sendmsg(u->fd[i], &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		u->stats.send_failed++;
	else
		u->stats.sent++;
}

const struct udp_stats *udp_stats(const struct udp *u)
{
	return &u->stats;
}
