// SPDX-License-Identifier: BSD-2-Clause
/* Which XDP programs an interface has. libbpf's bpf_xdp_query() lists every link of the namespace
 * to find one, and to attach on the chance that nothing is there is told to all who watch links: a
 * gateway with many tunnels would pay for either. So: one question about one link. */
#include "steer_priv.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct question {
	struct nlmsghdr head;
	struct ifinfomsg link;
	struct rtattr mask_head;
	uint32_t mask;
};

static uint32_t number_of(const struct rtattr *a)
{
	uint32_t id = 0;

	if (RTA_PAYLOAD(a) >= sizeof(id))
		memcpy(&id, RTA_DATA(a), sizeof(id));
	return id;
}

static void read_xdp(const struct rtattr *xdp, struct steer_xdp *ret)
{
	size_t left = RTA_PAYLOAD(xdp);

	for (const struct rtattr *a = RTA_DATA(xdp); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_XDP_PROG_ID)
			ret->any_id = number_of(a);
		else if (a->rta_type == IFLA_XDP_DRV_PROG_ID)
			ret->native_id = number_of(a);
	}
}

static int read_answer(const struct nlmsghdr *head, struct steer_xdp *ret)
{
	if (head->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
	if (head->nlmsg_type != RTM_NEWLINK ||
	    head->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		return -EPROTO;
	const struct ifinfomsg *link = NLMSG_DATA(head);
	size_t left = IFLA_PAYLOAD(head);

	for (const struct rtattr *a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == IFLA_XDP)
			read_xdp(a, ret);
	return 0;
}

static int ask(int fd, uint32_t ifindex, struct steer_xdp *ret)
{
	struct question q = {
		.head = { .nlmsg_len = sizeof(q),
		          .nlmsg_type = RTM_GETLINK,
		          .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_index = (int)ifindex },
		.mask_head = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_SKIP_STATS,
	};
	_Alignas(struct nlmsghdr) char answer[16384];

	if (send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	ssize_t n = recv(fd, answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	const struct nlmsghdr *head = (const void *)answer;
	return NLMSG_OK(head, (size_t)n) ? read_answer(head, ret) : -EPROTO;
}

int steer_xdp_query(uint32_t ifindex, struct steer_xdp *ret)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	*ret = (struct steer_xdp){ 0 };
	if (fd < 0)
		return -errno;
	int failed = ask(fd, ifindex, ret);
	(void)close(fd);
	return failed;
}
