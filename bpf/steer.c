// SPDX-License-Identifier: BSD-2-Clause
#include "steer_priv.h"
#include "steer.skel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define PAGE 4096

/* What each descriptor must be: of another layout, it is of another version of us. */
static const struct {
	const char *name;
	uint32_t type, key, value; /* of maps */
} kinds[STEER_FDS] = {
#define MAP_KIND(map, bpf_type, key_size, value_size) \
	[STEER_FD_##map] = { #map, BPF_MAP_TYPE_##bpf_type, key_size, value_size }
	MAP_KIND(ifaces, HASH, 4, sizeof(struct steer_iface)),
	MAP_KIND(locals, HASH, sizeof(struct steer_local), 4),
	MAP_KIND(inbound, ARRAY, 4, sizeof(struct steer_inbound)),
	MAP_KIND(settings, ARRAY, 4, sizeof(struct steer_settings)),
	MAP_KIND(anchors, ARRAY, 4, sizeof(struct steer_anchor)),
	MAP_KIND(alive, ARRAY, 4, 8),
	MAP_KIND(manual_spis, HASH, sizeof(struct steer_manual), 4),
	MAP_KIND(tunnels, HASH, sizeof(struct steer_hop), sizeof(struct steer_tunnel)),
	MAP_KIND(nexthops, LRU_HASH, sizeof(struct steer_hop), 8),
	MAP_KIND(acquires, RINGBUF, 0, 0),
	MAP_KIND(counters, PERCPU_ARRAY, 4, 8),
	MAP_KIND(wire_ports, DEVMAP, 4, 4),
	MAP_KIND(fabric_ports, DEVMAP, 4, 4),
	MAP_KIND(wire_socks, XSKMAP, 4, 4),
	MAP_KIND(fabric_socks, XSKMAP, 4, 4),
#undef MAP_KIND
#define PROG_KIND(prog) [STEER_FD_##prog] = { .name = #prog },
	STEER_PROGS(PROG_KIND)
#undef PROG_KIND
};

const char *steer_fd_name(enum steer_fd n)
{
	return (unsigned)n < STEER_FDS ? kinds[n].name : "none";
}

bool steer_fd_is_prog(enum steer_fd n)
{
	return n >= STEER_FD_hawser_edge && n < STEER_FDS;
}

static struct steer *steer_new(void)
{
	struct steer *s = calloc(1, sizeof(*s));

	for (int i = 0; s && i < STEER_FDS; i++)
		s->fd[i] = -1;
	return s;
}

void steer_close(struct steer *s)
{
	if (!s)
		return;
	ring_buffer__free(s->acquire);
	if (s->alive)
		(void)munmap((void *)s->alive, PAGE);
	for (int i = 0; i < STEER_FDS; i++)
		if (s->fd[i] >= 0)
			(void)close(s->fd[i]);
	free(s);
}

int steer_fd(const struct steer *s, enum steer_fd n)
{
	return s->fd[n];
}

/* Everybody is nobody; the ports that the kernel gives to clients by default. */
static enum err fill_defaults(struct steer *s)
{
	const struct steer_settings settings = { .reply_first = 32768, .reply_last = 60999 };

	for (unsigned a = 0; a < STEER_ANCHORS; a++)
		TRY(steer_anchor_set(s, (uint8_t)a, STEER_NOBODY, STEER_NOBODY));
	return steer_settings_set(s, &settings);
}

/* Keeps descriptors of our own, so that the skeleton, with all that only loading needs, can go. */
static enum err take_descriptors(struct steer *s, const struct steer_bpf *skel)
{
	for (int i = 0; i < STEER_FDS; i++) {
		int fd = steer_fd_is_prog((enum steer_fd)i)
		                 ? bpf_program__fd(bpf_object__find_program_by_name(skel->obj,
		                                                                    kinds[i].name))
		                 : bpf_map__fd(
		                           bpf_object__find_map_by_name(skel->obj, kinds[i].name));

		s->fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (s->fd[i] < 0)
			return err_from_errno(errno);
	}
	return ERR_OK;
}

enum err steer_open(struct steer **ret, struct why *why)
{
	AUTO(steer_close) struct steer *s = steer_new();

	if (!s)
		return ERR_MEMORY;
	struct steer_bpf *skel = steer_bpf__open();
	if (!skel)
		return why_set(why, err_from_errno(errno), "steering programs: %s",
		               strerror(errno));
	int failed = steer_bpf__load(skel);
	enum err e;
	if (failed)
		e = why_set(why, err_from_errno(-failed),
		            "the kernel does not take the steering programs: %s (needs Linux 6.1, "
		            "CAP_NET_ADMIN and CAP_BPF)",
		            strerror(-failed));
	else
		e = take_descriptors(s, skel);
	steer_bpf__destroy(skel);
	TRY(e);
	TRY(fill_defaults(s));
	*ret = STEAL(s);
	return ERR_OK;
}

static enum err check_prog(int fd, enum steer_fd n, struct why *why)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return why_set(why, err_from_errno(errno), "%s: %s", kinds[n].name,
		               strerror(errno));
	if (info.type != BPF_PROG_TYPE_XDP || strcmp(info.name, kinds[n].name) != 0)
		return why_set(why, ERR_VERSION, "%s: the descriptor is of program \"%s\"",
		               kinds[n].name, info.name);
	return ERR_OK;
}

static enum err check_map(int fd, enum steer_fd n, struct why *why)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return why_set(why, err_from_errno(errno), "%s: %s", kinds[n].name,
		               strerror(errno));
	if (strcmp(info.name, kinds[n].name) != 0)
		return why_set(why, ERR_VERSION, "%s: the descriptor is of map \"%s\"",
		               kinds[n].name, info.name);
	if (info.type != kinds[n].type || info.key_size != kinds[n].key ||
	    info.value_size != kinds[n].value)
		return why_set(why, ERR_VERSION, "map %s is of another version", kinds[n].name);
	return ERR_OK;
}

static enum err check_all(const int fds[STEER_FDS], struct why *why)
{
	for (int i = 0; i < STEER_FDS; i++) {
		enum steer_fd n = (enum steer_fd)i;

		TRY(steer_fd_is_prog(n) ? check_prog(fds[i], n, why) : check_map(fds[i], n, why));
	}
	return ERR_OK;
}

enum err steer_adopt(const int fds[STEER_FDS], struct steer **ret, struct why *why)
{
	TRY(check_all(fds, why));
	struct steer *s = steer_new();
	if (!s)
		return ERR_MEMORY;
	memcpy(s->fd, fds, sizeof(s->fd));
	*ret = s;
	return ERR_OK;
}

enum err steer_adopt_ids(const uint32_t ids[STEER_FDS], struct steer **ret, struct why *why)
{
	AUTO(steer_close) struct steer *s = steer_new();

	if (!s)
		return ERR_MEMORY;
	for (int i = 0; i < STEER_FDS; i++) {
		s->fd[i] = steer_fd_is_prog((enum steer_fd)i) ? bpf_prog_get_fd_by_id(ids[i])
		                                              : bpf_map_get_fd_by_id(ids[i]);
		if (s->fd[i] < 0)
			return why_set(why, errno == ENOENT ? ERR_NOT_FOUND : err_from_errno(errno),
			               "%s with id %u: %s", kinds[i].name, ids[i], strerror(errno));
	}
	TRY(check_all(s->fd, why));
	*ret = STEAL(s);
	return ERR_OK;
}

enum err steer_ids(const struct steer *s, uint32_t ret_ids[STEER_FDS])
{
	uint32_t ids[STEER_FDS];

	for (int i = 0; i < STEER_FDS; i++) {
		union {
			struct bpf_prog_info prog;
			struct bpf_map_info map;
		} info;
		bool prog = steer_fd_is_prog((enum steer_fd)i);
		uint32_t len = prog ? sizeof(info.prog) : sizeof(info.map);

		memset(&info, 0, sizeof(info));
		if (bpf_obj_get_info_by_fd(s->fd[i], &info, &len))
			return err_from_errno(errno);
		ids[i] = prog ? info.prog.id : info.map.id;
	}
	memcpy(ret_ids, ids, sizeof(ids));
	return ERR_OK;
}

enum err steer_alive(struct steer *s, _Atomic uint64_t **ret)
{
	if (!s->alive) {
		void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		                s->fd[STEER_FD_alive], 0);

		if (at == MAP_FAILED)
			return err_from_errno(errno);
		s->alive = at;
	}
	*ret = s->alive;
	return ERR_OK;
}
