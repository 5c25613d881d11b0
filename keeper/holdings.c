// SPDX-License-Identifier: BSD-2-Clause
#include "holdings.h"

#include "sa_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum err put(struct holdings *h, const char *name, int32_t slot, uint32_t number, int fd)
{
	struct keeper_name n = keeper_name(name, slot, number);

	return fd < 0 ? err_from_errno(errno) : keeper_fds_put(&h->fds, &n, fd);
}

static enum err open_runtime(struct holdings *h, const char *rundir, struct why *why)
{
	struct sa_runtime_table table;
	uint8_t identity[16];
	char path[160];
	bool fresh;
	int fd;

	if (getrandom(identity, sizeof(identity), 0) != sizeof(identity))
		return why_set(why, ERR_IO, "getrandom: %s", strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/runtime", rundir);
	TRY(sa_runtime_create(path, SA_RUNTIME_SLOTS_DEFAULT, identity, &table, &fd, &fresh, why));
	sa_runtime_unmap(&table);
	return put(h, KEEPER_FD_RUNTIME, KEEPER_NO_SLOT, KEEPER_NO_NUMBER, fd);
}

enum err holdings_open(struct holdings *h, const char *rundir, struct why *why)
{
	uint8_t identity[16];
	char path[160];
	bool fresh;
	int fd;

	if (getrandom(identity, sizeof(identity), 0) != sizeof(identity))
		return why_set(why, ERR_IO, "getrandom: %s", strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/node", rundir);
	TRY(node_shm_create(path, identity, &h->shm, &fd, &fresh, why));
	TRY(put(h, KEEPER_FD_NODE, KEEPER_NO_SLOT, KEEPER_NO_NUMBER, fd));
	return open_runtime(h, rundir, why);
}

/* ---- sockets ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int family;
	uint16_t port;
} sockets[] = {
	{ KEEPER_FD_IKE4_500, AF_INET, 500 },
	{ KEEPER_FD_IKE4_4500, AF_INET, 4500 },
	{ KEEPER_FD_IKE6_500, AF_INET6, 500 },
	{ KEEPER_FD_IKE6_4500, AF_INET6, 4500 },
};

/* Packet information on: the socket is bound to the wildcard, messages say which address is meant.
 */
static bool prepare(int fd, int family)
{
	int on = 1;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0;
}

static int open_socket(int family, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const void *at = family == AF_INET ? (const void *)&v4 : (const void *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (prepare(fd, family) && bind(fd, at, len) == 0))
		return fd;
	int e = errno;
	close(fd);
	errno = e;
	return -1;
}

enum err holdings_open_sockets(struct holdings *h, struct why *why)
{
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		if (keeper_fds_find(&h->fds, sockets[i].name, KEEPER_NO_SLOT) >= 0)
			continue;
		int fd = open_socket(sockets[i].family, sockets[i].port);
		if (fd < 0 && errno == EAFNOSUPPORT)
			continue;
		if (fd < 0)
			return why_set(why, errno == EADDRINUSE ? ERR_BUSY : err_from_errno(errno),
			               "UDP port %u of %s: %s", sockets[i].port,
			               sockets[i].family == AF_INET ? "IPv4" : "IPv6",
			               strerror(errno));
		TRY(put(h, sockets[i].name, KEEPER_NO_SLOT, KEEPER_NO_NUMBER, fd));
	}
	return ERR_OK;
}

enum err holdings_open_events(struct holdings *h, int32_t slot)
{
	static const char *const names[] = { KEEPER_FD_TO_SPU, KEEPER_FD_TO_RE };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (keeper_fds_find(&h->fds, names[i], slot) < 0)
			TRY(put(h, names[i], slot, KEEPER_NO_NUMBER,
			        eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
	return ERR_OK;
}

/* ---- BPF ----------------------------------------------------------------------------------- */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A map, or a program, by its id; its name as the kernel has it. -1 when it is gone. */
static int by_id(uint32_t id, bool prog, char name[BPF_OBJ_NAME_LEN + 1])
{
	struct bpf_map_info map_info = { 0 };
	struct bpf_prog_info prog_info = { 0 };
	void *info = prog ? (void *)&prog_info : (void *)&map_info;
	union bpf_attr attr = { .map_id = id };
	int fd = bpf(prog ? BPF_PROG_GET_FD_BY_ID : BPF_MAP_GET_FD_BY_ID, &attr);

	if (fd < 0)
		return -1;
	union bpf_attr ask = { .info = { .bpf_fd = (uint32_t)fd,
		                         .info_len = prog ? sizeof(prog_info) : sizeof(map_info),
		                         .info = (uintptr_t)info } };
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &ask)) {
		close(fd);
		return -1;
	}
	(void)snprintf(name, BPF_OBJ_NAME_LEN + 1, "%s", prog ? prog_info.name : map_info.name);
	return fd;
}

/* An earlier mapping stays: a watcher may be about to store into it. It is one page, and only a new
 * data plane brings another array. */
static void map_alive(struct holdings *h, int fd)
{
	void *at = mmap(NULL, ALIVE_WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
	                fd, 0);

	if (at != MAP_FAILED)
		h->alive = at;
}

/* Whoever uses them checks names, kinds and sizes: an id may have become another's. */
void holdings_find_bpf(struct holdings *h)
{
	char name[BPF_OBJ_NAME_LEN + 1];

	for (uint32_t i = 0; i < ARRAY_LEN(h->shm->bpf_id); i++) {
		uint32_t id = h->shm->bpf_id[i] & ~NODE_BPF_PROG;
		int fd = id ? by_id(id, h->shm->bpf_id[i] & NODE_BPF_PROG, name) : -1;

		if (fd >= 0 && strcmp(name, ALIVE_MAP_NAME) == 0)
			map_alive(h, fd);
		if (fd >= 0 && put(h, name, KEEPER_NO_SLOT, i, fd))
			return;
	}
}

void holdings_take(struct holdings *h, const struct keeper_msg *m, const int *fds)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (strcmp(m->at[i].name, ALIVE_MAP_NAME) == 0)
			map_alive(h, fds[i]);
		(void)!keeper_fds_put(&h->fds, &m->at[i], fds[i]);
	}
}

void holdings_close(struct holdings *h)
{
	keeper_fds_close(&h->fds);
	if (h->alive)
		(void)munmap((void *)(uintptr_t)h->alive, ALIVE_WORDS * sizeof(uint64_t));
	node_shm_unmap(h->shm);
}
