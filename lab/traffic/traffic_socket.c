// SPDX-License-Identifier: BSD-2-Clause
#include "traffic_socket.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (16 << 20)

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t traffic_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t traffic_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

enum err traffic_stop_open(int *ret_fd, struct why *why)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return why_set(why, err_from_errno(errno), "signalfd: %s", strerror(errno));
	*ret_fd = fd;
	return ERR_OK;
}

bool traffic_wait(int stop_fd, int fd, uint64_t timeout_ns)
{
	struct pollfd p[2] = { { .fd = stop_fd, .events = POLLIN },
		               { .fd = fd, .events = POLLIN } };
	struct timespec t = { (time_t)(timeout_ns / 1000000000u),
		              (long)(timeout_ns % 1000000000u) };

	return ppoll(p, 2, &t, NULL) > 0 && (p[0].revents & POLLIN);
}

static enum err failed(int fd, struct why *why, const char *what)
{
	int e = errno;

	close(fd);
	return why_set(why, err_from_errno(e), "%s: %s", what, strerror(e));
}

static void set(int fd, int level, int option, int value)
{
	/* Each of these only makes a report better: a kernel that lacks one is no failure. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static void set_buffers(int fd)
{
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES);
}

enum err traffic_socket_bound(int type, const struct traffic_address *at, int *ret_fd,
                              struct why *why)
{
	int fd = socket(at->ss.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return why_set(why, err_from_errno(errno), "socket: %s", strerror(errno));
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* TCP sizes its own buffers by the path; large ones only hide a stall. */
	if (type == SOCK_DGRAM)
		set_buffers(fd);
	if (bind(fd, (const struct sockaddr *)&at->ss, at->len) < 0)
		return failed(fd, why, "bind");
	*ret_fd = fd;
	return ERR_OK;
}

enum err traffic_socket_sender(const struct traffic_options *o, uint64_t flow, int *ret_fd,
                               struct why *why)
{
	struct traffic_address from = o->from;
	bool v4 = o->to.ss.ss_family == AF_INET;
	int fd;

	if (from.len == 0) {
		from.ss.ss_family = o->to.ss.ss_family;
		from.len = o->to.len;
	}
	if (from.ss.ss_family != o->to.ss.ss_family)
		return why_set(why, ERR_VALUE, "--from and --to: one family for both is wanted");
	traffic_address_port(&from, (uint16_t)(o->source_port ? o->source_port + flow : 0));
	TRY(traffic_socket_bound(SOCK_DGRAM, &from, &fd, why));
	if (v4)
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, o->df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
	else
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		    o->df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
	*ret_fd = fd;
	return ERR_OK;
}
