// SPDX-License-Identifier: BSD-2-Clause
#include "keeper_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum err address(const char *rundir, struct sockaddr_un *ret, struct why *why)
{
	int n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", rundir, KEEPER_SOCKET);

	ret->sun_family = AF_UNIX;
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path))
		return why_set(why, ERR_LENGTH,
		               "%s: path too long for a socket (%zu bytes at most)", rundir,
		               sizeof(ret->sun_path) - sizeof(KEEPER_SOCKET) - 1);
	return ERR_OK;
}

/* The process at the other end, which must be of our user. */
static enum err peer_of(int fd, uint32_t *ret_pid)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return err_from_errno(errno);
	if (cred.uid != geteuid())
		return ERR_DENIED;
	*ret_pid = (uint32_t)cred.pid;
	return ERR_OK;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static enum err connect_to(int fd, const struct sockaddr_un *a, struct why *why)
{
	uint32_t pid;

	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0)
		return why_set(why, err_from_errno(errno), "%s: %s", a->sun_path, strerror(errno));
	if (peer_of(fd, &pid) != ERR_OK)
		return why_set(why, ERR_DENIED, "%s: the keeper there is not ours", a->sun_path);
	return ERR_OK;
}

enum err keeper_link_connect(const char *rundir, int *ret_fd, struct why *why)
{
	struct sockaddr_un a = { 0 };

	TRY(address(rundir, &a, why));
	int fd = new_socket();
	if (fd < 0)
		return why_set(why, err_from_errno(errno), "socket: %s", strerror(errno));
	enum err e = connect_to(fd, &a, why);
	if (e != ERR_OK)
		(void)close(fd);
	else
		*ret_fd = fd;
	return e;
}

static enum err listen_at(int fd, const struct sockaddr_un *a, struct why *why)
{
	(void)unlink(a->sun_path); /* a flock in RUNDIR says that no keeper uses it */
	mode_t mask = umask(0077);
	int bad = bind(fd, (const struct sockaddr *)a, sizeof(*a));
	int no = errno;
	(void)umask(mask);
	if (bad == 0) {
		bad = listen(fd, 128);
		no = errno;
	}
	if (bad != 0)
		return why_set(why, err_from_errno(no), "%s: %s", a->sun_path, strerror(no));
	return ERR_OK;
}

enum err keeper_link_listen(const char *rundir, int *ret_fd, struct why *why)
{
	struct sockaddr_un a = { 0 };

	TRY(address(rundir, &a, why));
	int fd = new_socket();
	if (fd < 0)
		return why_set(why, err_from_errno(errno), "socket: %s", strerror(errno));
	enum err e = listen_at(fd, &a, why);
	if (e != ERR_OK)
		(void)close(fd);
	else
		*ret_fd = fd;
	return e;
}

enum err keeper_link_accept(int listen_fd, int *ret_fd, uint32_t *ret_pid)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return err_from_errno(errno);
	enum err e = peer_of(fd, ret_pid);
	if (e != ERR_OK)
		(void)close(fd);
	else
		*ret_fd = fd;
	return e;
}

static bool carries_fds(uint32_t kind)
{
	return kind == KEEPER_GIVE || kind == KEEPER_TAKE;
}

union rights {
	char room[CMSG_SPACE(KEEPER_MSG_FDS * sizeof(int))];
	struct cmsghdr align;
};

enum err keeper_link_send(int fd, const struct keeper_msg *m, const int *fds)
{
	struct keeper_msg out = *m;
	struct iovec iov = { &out, sizeof(out) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union rights rights = { { 0 } };

	if (m->n > KEEPER_MSG_FDS)
		return ERR_LENGTH;
	out.version = KEEPER_LINK_VERSION;
	if (carries_fds(m->kind) && m->n != 0) {
		msg.msg_control = rights.room;
		msg.msg_controllen = CMSG_SPACE(m->n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(m->n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, m->n * sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_from_errno(errno) : ERR_OK;
}

/* The descriptors that came; all of them are ours now, wanted or not. */
static uint32_t fds_of(struct msghdr *msg, int *ret_fds)
{
	uint32_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < got && n < KEEPER_MSG_FDS; i++)
			memcpy(&ret_fds[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}

static enum err check(const struct keeper_msg *m, size_t len, uint32_t n_fds, int flags)
{
	if (len == 0)
		return ERR_CLOSED;
	if (len < sizeof(m->version) || m->version != KEEPER_LINK_VERSION)
		return ERR_VERSION;
	if (len != sizeof(*m) || (flags & (MSG_TRUNC | MSG_CTRUNC)))
		return ERR_LENGTH;
	if (m->kind == 0 || m->kind >= KEEPER_KINDS)
		return ERR_UNKNOWN;
	if (m->n > KEEPER_MSG_FDS || n_fds != (carries_fds(m->kind) ? m->n : 0))
		return ERR_LENGTH;
	return ERR_OK;
}

enum err keeper_link_recv(int fd, struct keeper_msg *ret, int *ret_fds)
{
	struct iovec iov = { ret, sizeof(*ret) };
	union rights rights = { { 0 } };
	struct msghdr msg = { .msg_iov = &iov,
		              .msg_iovlen = 1,
		              .msg_control = rights.room,
		              .msg_controllen = sizeof(rights.room) };
	ssize_t len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (len < 0)
		return err_from_errno(errno);
	uint32_t n = fds_of(&msg, ret_fds);
	enum err e = check(ret, (size_t)len, n, msg.msg_flags);
	if (e != ERR_OK) {
		for (uint32_t i = 0; i < n; i++)
			(void)close(ret_fds[i]);
		return e;
	}
	ret->text[sizeof(ret->text) - 1] = '\0';
	for (uint32_t i = 0; i < ret->n; i++)
		ret->at[i].name[KEEPER_NAME_MAX - 1] = '\0';
	return ERR_OK;
}

enum err keeper_link_send_set(int fd, enum keeper_kind kind, const struct keeper_fds *set,
                              keeper_skip_fn *skip, const void *ctx)
{
	struct keeper_msg m = { .kind = kind, .slot = KEEPER_NO_SLOT };
	int fds[KEEPER_MSG_FDS];

	for (size_t i = 0; i < set->n; i++) {
		if (skip != NULL && skip(ctx, &set->at[i].name))
			continue;
		fds[m.n] = set->at[i].fd;
		m.at[m.n++] = set->at[i].name;
		if (m.n < KEEPER_MSG_FDS)
			continue;
		TRY(keeper_link_send(fd, &m, fds));
		m.n = 0;
	}
	return m.n == 0 ? ERR_OK : keeper_link_send(fd, &m, fds);
}

static enum err wait_for(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0 ? ERR_OK : n == 0 ? ERR_AGAIN : err_from_errno(errno);
}

/* All of it is put, or closed: the first failure is returned. */
static enum err take(struct keeper_fds *set, const struct keeper_msg *m, const int *fds)
{
	enum err first = ERR_OK;

	for (uint32_t i = 0; i < m->n; i++) {
		enum err e = keeper_fds_put(set, &m->at[i], fds[i]);

		if (first == ERR_OK)
			first = e;
	}
	return first;
}

/* The answers to a greeting, until READY. */
static enum err take_all(int fd, struct keeper_fds *set, int timeout_ms, struct why *why)
{
	struct keeper_msg m;
	int fds[KEEPER_MSG_FDS];

	for (;;) {
		TRY(wait_for(fd, timeout_ms));
		enum err e = keeper_link_recv(fd, &m, fds);
		if (e == ERR_AGAIN)
			continue;
		TRY(e);
		if (m.kind == KEEPER_READY)
			return ERR_OK;
		if (m.kind == KEEPER_REFUSED)
			return why_set(why, m.value > 0 && m.value < ERR_MAX ? m.value : ERR_DENIED,
			               "keeper: %s", m.text);
		if (m.kind == KEEPER_TAKE)
			TRY(take(set, &m, fds));
	}
}

static enum err greet(int fd, enum keeper_kind kind, int32_t slot, const struct keeper_fds *set)
{
	struct keeper_msg m = { .kind = kind, .slot = slot };

	TRY(keeper_link_send(fd, &m, NULL));
	TRY(keeper_link_send_set(fd, KEEPER_GIVE, set, NULL, NULL));
	m.kind = KEEPER_GIVEN;
	return keeper_link_send(fd, &m, NULL);
}

enum err keeper_link_hello(int fd, enum keeper_kind kind, int32_t slot, struct keeper_fds *set,
                           int timeout_ms, struct why *why)
{
	enum err e = greet(fd, kind, slot, set);

	if (e == ERR_OK)
		e = take_all(fd, set, timeout_ms, why);
	if (e != ERR_OK && why != NULL && why->text[0] == '\0')
		(void)why_set(why, e, "keeper: %s", err_text(e));
	return e;
}
