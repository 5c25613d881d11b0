// SPDX-License-Identifier: BSD-2-Clause
/* Programs onto interfaces, by netlink: not by a bpf_link, which would end with its last
 * descriptor.
 */
#include "steer_priv.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const enum steer_fd prog_of_role[STEER_ROLES] = {
	[STEER_EDGE] = STEER_FD_hawser_edge,        [STEER_ST0] = STEER_FD_hawser_st0,
	[STEER_ST0_FAR] = STEER_FD_hawser_st0far,   [STEER_WIRE_RE] = STEER_FD_hawser_wire,
	[STEER_FABRIC_RE] = STEER_FD_hawser_fabric, [STEER_WIRE_SPU] = STEER_FD_hawser_port,
	[STEER_FABRIC_SPU] = STEER_FD_hawser_port,
};

/* For messages: the name, or the number where there is none any more. */
static const char *interface_text(uint32_t ifindex, char buf[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, buf))
		(void)snprintf(buf, IF_NAMESIZE, "#%u", ifindex);
	return buf;
}

static uint32_t prog_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* A descriptor of the program with this id if it is one of ours, by name; else -1. */
static int our_prog(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		for (int i = 0; i < STEER_FDS; i++)
			if (steer_fd_is_prog((enum steer_fd)i) &&
			    strcmp(info.name, steer_fd_name((enum steer_fd)i)) == 0)
				return fd;
	(void)close(fd);
	return -1;
}

static enum err attach_prog(uint32_t ifindex, int prog, const struct steer_xdp *now,
                            struct why *why)
{
	char name[IF_NAMESIZE];
	DECLARE_LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	uint32_t flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
	int old = -1;

	if (now->any_id) {
		old = now->native_id ? our_prog(now->native_id) : -1;
		if (old < 0)
			return why_set(why, ERR_BUSY,
			               "%s: another XDP program is attached; take it off first "
			               "(ip link set dev %s xdp off)",
			               interface_text(ifindex, name), name);
		opts.old_prog_fd = old;
		flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE;
	}
	int failed = bpf_xdp_attach((int)ifindex, prog, flags, &opts);
	if (old >= 0)
		(void)close(old);
	if (failed)
		return why_set(
		        why, err_from_errno(-failed),
		        "%s: XDP in native mode is refused: %s (its driver must have it; MTU at "
		        "most 3498)",
		        interface_text(ifindex, name), strerror(-failed));
	return ERR_OK;
}

enum err steer_attach(struct steer *s, uint32_t ifindex, const struct steer_iface *iface,
                      struct why *why)
{
	struct steer_xdp now;
	char name[IF_NAMESIZE];

	if (iface->role <= STEER_NONE || iface->role >= STEER_ROLES)
		return why_set(why, ERR_VALUE, "interface role %u", iface->role);
	int prog = s->fd[prog_of_role[iface->role]];
	int failed = steer_xdp_query(ifindex, &now);
	if (failed)
		return why_set(why, err_from_errno(-failed), "%s: %s",
		               interface_text(ifindex, name), strerror(-failed));
	TRY(steer_iface_set(s, ifindex, iface));
	if (now.native_id && now.native_id == prog_id(prog))
		return ERR_OK;
	return attach_prog(ifindex, prog, &now, why);
}

enum err steer_detach(struct steer *s, uint32_t ifindex, struct why *why)
{
	struct steer_xdp now;
	DECLARE_LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	char name[IF_NAMESIZE];
	int failed = steer_xdp_query(ifindex, &now);
	int old = !failed && now.native_id ? our_prog(now.native_id) : -1;

	if (old >= 0) {
		opts.old_prog_fd = old;
		failed =
		        bpf_xdp_detach((int)ifindex, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &opts);
		(void)close(old);
	}
	if (failed && failed != -ENODEV)
		return why_set(why, err_from_errno(-failed), "%s: %s",
		               interface_text(ifindex, name), strerror(-failed));
	return steer_iface_del(s, ifindex);
}
