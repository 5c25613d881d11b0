// SPDX-License-Identifier: BSD-2-Clause
#include "rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUTE_PROTOCOL (RTPROT_STATIC + 100) /* so that we remove ours alone */

struct rtnl {
	struct mnl_socket *nl; /* owns */
	unsigned seq, port;
	uint8_t buf[32768];
};

enum err rtnl_open(struct rtnl **ret, struct why *why)
{
	AUTO(rtnl_close) struct rtnl *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_MEMORY;
	r->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (r->nl == NULL || mnl_socket_bind(r->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return why_set(why, err_from_errno(errno), "rtnetlink socket: %s", strerror(errno));
	r->port = mnl_socket_get_portid(r->nl);
	*ret = STEAL(r);
	return ERR_OK;
}

void rtnl_close(struct rtnl *r)
{
	if (r == NULL)
		return;
	if (r->nl)
		mnl_socket_close(r->nl);
	free(r);
}

static struct nlmsghdr *request(struct rtnl *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(r->buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++r->seq;
	return h;
}

/* Sends the request and hands each answer to cb, until the kernel's acknowledgement. */
static enum err talk(struct rtnl *r, struct nlmsghdr *h, mnl_cb_t cb, void *ctx)
{
	unsigned seq = h->nlmsg_seq;

	if (mnl_socket_sendto(r->nl, h, h->nlmsg_len) < 0)
		return err_from_errno(errno);
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(r->nl, r->buf, sizeof(r->buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		int more = mnl_cb_run(r->buf, (size_t)n, seq, r->port, cb, ctx);
		if (more < 0)
			return err_from_errno(errno);
		if (more == MNL_CB_STOP)
			return ERR_OK;
	}
}

static enum err command(struct rtnl *r, struct nlmsghdr *h)
{
	h->nlmsg_flags |= NLM_F_ACK;
	return talk(r, h, NULL, NULL);
}

/* Where the wish is that something is (not) there, its being (not) there already is success. */
static enum err already(enum err e, enum err fine)
{
	return e == fine ? ERR_OK : e;
}

static struct ifinfomsg *link_request(struct nlmsghdr *h, uint32_t ifindex)
{
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)ifindex;
	return ifi;
}

struct link_walk {
	rtnl_link_fn fn;
	void *ctx;
};

struct link_found {
	struct rtnl_link link;
	uint32_t group;
};

static int on_link_attr(const struct nlattr *a, void *data)
{
	struct link_found *found = data;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		(void)snprintf(found->link.name, sizeof(found->link.name), "%s",
		               mnl_attr_get_str(a));
		break;
	case IFLA_MTU:
		found->link.mtu = mnl_attr_get_u32(a);
		break;
	case IFLA_GROUP:
		found->group = mnl_attr_get_u32(a);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == sizeof(found->link.mac))
			memcpy(found->link.mac, mnl_attr_get_payload(a), sizeof(found->link.mac));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *h, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	struct link_walk *walk = data;
	struct link_found found = { .link = { .ifindex = (uint32_t)ifi->ifi_index,
		                              .up = ifi->ifi_flags & IFF_UP,
		                              .carrier = ifi->ifi_flags & IFF_RUNNING } };

	if (mnl_attr_parse(h, sizeof(*ifi), on_link_attr, &found) < 0)
		return MNL_CB_ERROR;
	walk->fn(walk->ctx, &found.link, found.group);
	return MNL_CB_OK;
}

enum err rtnl_link_each(struct rtnl *r, rtnl_link_fn fn, void *ctx)
{
	struct link_walk walk = { fn, ctx };
	struct nlmsghdr *h = request(r, RTM_GETLINK, NLM_F_DUMP);

	link_request(h, 0);
	return talk(r, h, on_link, &walk);
}

static void keep_link(void *ctx, const struct rtnl_link *link, uint32_t group)
{
	(void)group;
	*(struct rtnl_link *)ctx = *link;
}

enum err rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *ret)
{
	struct rtnl_link link = { 0 };
	struct link_walk walk = { keep_link, &link };
	struct nlmsghdr *h = request(r, RTM_GETLINK, NLM_F_ACK);

	link_request(h, 0);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	TRY(talk(r, h, on_link, &walk));
	if (link.ifindex == 0)
		return ERR_NOT_FOUND;
	*ret = link;
	return ERR_OK;
}

/* What both ends of a new veth are told. */
static void put_end(struct nlmsghdr *h, const char *name, uint32_t mtu)
{
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	mnl_attr_put_u32(h, IFLA_GROUP, RTNL_GROUP);
}

/* IPv6 makes no link-local address by itself. The kernel takes this for a link that exists only. */
static void no_link_local(struct rtnl *r, const char *name)
{
	struct rtnl_link link;

	if (rtnl_link_get(r, name, &link))
		return;
	struct nlmsghdr *h = request(r, RTM_NEWLINK, 0);
	link_request(h, link.ifindex);
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(h, AF_INET6);
	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
	(void)!command(r, h); /* a kernel without IPv6 makes none either */
}

enum err rtnl_veth_make(struct rtnl *r, const char *name, const char *peer, uint32_t mtu,
                        bool noarp, struct why *why)
{
	struct rtnl_link there;

	if (rtnl_link_get(r, name, &there) == ERR_OK && rtnl_link_get(r, peer, &there) == ERR_OK)
		return ERR_OK;
	struct nlmsghdr *h = request(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *ifi = link_request(h, 0);

	if (noarp) {
		ifi->ifi_flags |= IFF_NOARP;
		ifi->ifi_change |= IFF_NOARP;
	}
	put_end(h, name, mtu);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	struct nlattr *other = mnl_attr_nest_start(h, VETH_INFO_PEER);
	link_request(h, 0);
	put_end(h, peer, mtu);
	mnl_attr_nest_end(h, other);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	enum err e = command(r, h);
	if (e)
		return why_set(why, e, "interface %s: cannot make the veth: %s", name,
		               e == ERR_DUPLICATE ? "another interface has its name, or its peer's"
		                                  : err_text(e));
	no_link_local(r, name);
	no_link_local(r, peer);
	return ERR_OK;
}

enum err rtnl_link_up(struct rtnl *r, uint32_t ifindex, bool up)
{
	struct nlmsghdr *h = request(r, RTM_NEWLINK, 0);
	struct ifinfomsg *ifi = link_request(h, ifindex);

	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	return command(r, h);
}

enum err rtnl_link_mtu(struct rtnl *r, uint32_t ifindex, uint32_t mtu)
{
	struct nlmsghdr *h = request(r, RTM_NEWLINK, 0);

	link_request(h, ifindex);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return command(r, h);
}

enum err rtnl_link_del(struct rtnl *r, uint32_t ifindex)
{
	struct nlmsghdr *h = request(r, RTM_DELLINK, 0);

	link_request(h, ifindex);
	return already(command(r, h), ERR_NOT_FOUND);
}

enum err rtnl_group_del(struct rtnl *r)
{
	struct nlmsghdr *h = request(r, RTM_DELLINK, 0);

	link_request(h, 0);
	mnl_attr_put_u32(h, IFLA_GROUP, RTNL_GROUP);
	return already(command(r, h), ERR_NOT_FOUND);
}

static uint8_t af_of(const struct addr *a)
{
	return a->family == ADDR_V6 ? AF_INET6 : AF_INET;
}

static struct nlmsghdr *addr_request(struct rtnl *r, uint16_t type, uint16_t flags,
                                     uint32_t ifindex, const struct prefix *p)
{
	struct nlmsghdr *h = request(r, type, flags);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));

	ifa->ifa_family = af_of(&p->addr);
	ifa->ifa_prefixlen = p->len;
	ifa->ifa_index = ifindex;
	mnl_attr_put(h, IFA_LOCAL, addr_len(&p->addr), p->addr.b);
	mnl_attr_put(h, IFA_ADDRESS, addr_len(&p->addr), p->addr.b);
	return h;
}

enum err rtnl_addr_set(struct rtnl *r, uint32_t ifindex, const struct prefix *p, bool nodad)
{
	struct nlmsghdr *h = addr_request(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, p);

	if (nodad && p->addr.family == ADDR_V6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
	return already(command(r, h), ERR_DUPLICATE);
}

enum err rtnl_addr_del(struct rtnl *r, uint32_t ifindex, const struct prefix *p)
{
	enum err e = command(r, addr_request(r, RTM_DELADDR, 0, ifindex, p));

	/* EADDRNOTAVAIL has no number of its own among ours. */
	return e == ERR_IO || e == ERR_NOT_FOUND ? ERR_OK : e;
}

struct addr_walk {
	rtnl_addr_fn fn;
	void *ctx;
};

/* IFA_LOCAL is ours where both are there: IFA_ADDRESS is then a point-to-point peer's. */
static int on_addr_attr(const struct nlattr *a, void *data)
{
	const struct nlattr **ours = data;
	uint16_t type = mnl_attr_get_type(a);

	if (type == IFA_LOCAL || (type == IFA_ADDRESS && *ours == NULL))
		*ours = a;
	return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *h, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	struct addr_walk *walk = data;
	struct prefix p = { .len = ifa->ifa_prefixlen };
	const struct nlattr *ours = NULL;

	if (mnl_attr_parse(h, sizeof(*ifa), on_addr_attr, &ours) < 0)
		return MNL_CB_ERROR;
	if (ours && addr_from_bytes(mnl_attr_get_payload(ours), mnl_attr_get_payload_len(ours),
	                            &p.addr) == ERR_OK)
		walk->fn(walk->ctx, ifa->ifa_index, &p);
	return MNL_CB_OK;
}

enum err rtnl_addr_each(struct rtnl *r, rtnl_addr_fn fn, void *ctx)
{
	struct addr_walk walk = { fn, ctx };
	struct nlmsghdr *h = request(r, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(h, sizeof(*ifa));

	ifa->ifa_family = AF_UNSPEC;
	return talk(r, h, on_addr, &walk);
}

static struct nlmsghdr *route_request(struct rtnl *r, uint16_t type, uint16_t flags,
                                      const struct prefix *to)
{
	struct nlmsghdr *h = request(r, type, flags);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));

	rt->rtm_family = af_of(&to->addr);
	rt->rtm_dst_len = to->len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = ROUTE_PROTOCOL;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put(h, RTA_DST, addr_len(&to->addr), to->addr.b);
	return h;
}

static void put_hops(struct nlmsghdr *h, const struct rtnl_hop *hop, size_t hops)
{
	struct nlattr *all = mnl_attr_nest_start(h, RTA_MULTIPATH);

	for (size_t i = 0; i < hops; i++) {
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(h);

		memset(nh, 0, sizeof(*nh));
		nh->rtnh_ifindex = (int)hop[i].ifindex;
		h->nlmsg_len += (uint32_t)sizeof(*nh);
		if (hop[i].via.family != ADDR_NONE)
			mnl_attr_put(h, RTA_GATEWAY, addr_len(&hop[i].via), hop[i].via.b);
		nh->rtnh_len = (uint16_t)((uint8_t *)mnl_nlmsg_get_payload_tail(h) - (uint8_t *)nh);
	}
	mnl_attr_nest_end(h, all);
}

enum err rtnl_route_set(struct rtnl *r, const struct prefix *to, const struct rtnl_hop *hop,
                        size_t hops)
{
	if (hops == 0 || hops > RTNL_HOPS_MAX)
		return ERR_RANGE;
	struct nlmsghdr *h = route_request(r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, to);

	if (hops > 1) {
		put_hops(h, hop, hops);
		return command(r, h);
	}
	if (hop->via.family != ADDR_NONE)
		mnl_attr_put(h, RTA_GATEWAY, addr_len(&hop->via), hop->via.b);
	else
		((struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_scope = RT_SCOPE_LINK;
	if (hop->ifindex)
		mnl_attr_put_u32(h, RTA_OIF, hop->ifindex);
	return command(r, h);
}

enum err rtnl_route_del(struct rtnl *r, const struct prefix *to)
{
	struct nlmsghdr *h = route_request(r, RTM_DELROUTE, 0, to);

	((struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_scope = RT_SCOPE_NOWHERE;
	return already(command(r, h), ERR_NOT_FOUND);
}

enum err rtnl_neigh_probe(struct rtnl *r, uint32_t ifindex, const struct addr *a)
{
	struct nlmsghdr *h = request(r, RTM_NEWNEIGH, NLM_F_CREATE);
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));

	nd->ndm_family = af_of(a);
	nd->ndm_ifindex = (int)ifindex;
	nd->ndm_flags = NTF_USE;
	nd->ndm_state = NUD_NONE;
	mnl_attr_put(h, NDA_DST, addr_len(a), a->b);
	return command(r, h);
}

enum err rtnl_monitor_open(int *ret_fd, struct why *why)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
		                  .nl_groups =
		                          RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return why_set(why, err_from_errno(errno), "rtnetlink socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		enum err e = err_from_errno(errno);

		close(fd);
		return why_set(why, e, "rtnetlink groups: %s", err_text(e));
	}
	*ret_fd = fd;
	return ERR_OK;
}

bool rtnl_monitor_drain(int fd)
{
	uint8_t buf[8192];
	bool any = false;

	/* What is lost on overflow (ENOBUFS) does not matter: the state is read anew. */
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			return any;
		any = true;
	}
}
