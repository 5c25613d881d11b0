// SPDX-License-Identifier: BSD-2-Clause
#include "vdev_port.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The ring's headers take 66 bytes of a frame, and the driver wants it to fit into an mbuf. It
 * looks for the frames one right after the other, so they have to fill their blocks, which are of
 * whole pages. */
#define RING "framesz=3840,blocksz=61440"
enum { DESCRIPTORS = 512, NAME_LEN = 32 };

static bool is_packet_socket(int fd, unsigned int ifindex)
{
	struct sockaddr_ll at = { 0 };
	socklen_t len = sizeof(at);

	return getsockname(fd, (struct sockaddr *)&at, &len) == 0 && at.sll_family == AF_PACKET &&
	       (unsigned int)at.sll_ifindex == ifindex;
}

/* The driver keeps its socket for itself; nobody else in this process has one on the interface. */
static int find_socket(const char *iface)
{
	unsigned int ifindex = if_nametoindex(iface);
	DIR *all = opendir("/proc/self/fd");
	int found = -1;

	for (struct dirent *e; all && found < 0 && (e = readdir(all)) != NULL;) {
		char *end = NULL;
		long fd = strtol(e->d_name, &end, 10);

		if (end != e->d_name && *end == '\0' && is_packet_socket((int)fd, ifindex))
			found = (int)fd;
	}
	if (all)
		(void)closedir(all);
	return found;
}

static enum err step(int ret, const char *name, const char *what, struct why *why)
{
	return ret == 0 ? ERR_OK
	                : why_set(why, err_from_errno(-ret), "port %s: %s: %s", name, what,
	                          rte_strerror(-ret));
}

static enum err start(const char *name, uint16_t port, struct rte_mempool *pool, struct why *why)
{
	const struct rte_eth_conf conf = { 0 };
	const unsigned int any = (unsigned int)SOCKET_ID_ANY;

	TRY(step(rte_eth_dev_configure(port, 1, 1, &conf), name, "configure", why));
	TRY(step(rte_eth_rx_queue_setup(port, 0, DESCRIPTORS, any, NULL, pool), name,
	         "receive queue", why));
	TRY(step(rte_eth_tx_queue_setup(port, 0, DESCRIPTORS, any, NULL), name, "transmit queue",
	         why));
	return step(rte_eth_dev_start(port), name, "start", why);
}

enum err vdev_port_open(const char *args, const char *iface, struct rte_mempool *pool,
                        uint16_t *ret_port, int *ret_fd, struct why *why)
{
	size_t name_len = strcspn(args, ",");
	char name[NAME_LEN], all[256];
	uint16_t port = 0;

	if (name_len >= sizeof(name))
		return why_set(why, ERR_LENGTH, "port vdev %s: a name of %zu characters", args,
		               name_len);
	(void)snprintf(name, sizeof(name), "%.*s", (int)name_len, args);
	bool named = strstr(args + name_len, ",iface=") != NULL;
	int len = snprintf(all, sizeof(all), "%s%s%s%s%s",
	                   args[name_len] ? args + name_len + 1 : "", args[name_len] ? "," : "",
	                   named ? "" : "iface=", named ? "" : iface, named ? RING : "," RING);
	if (len < 0 || (size_t)len >= sizeof(all))
		return why_set(why, ERR_LENGTH, "port vdev %s: too long", args);
	TRY(step(rte_vdev_init(name, all), name, all, why));
	enum err e = step(rte_eth_dev_get_port_by_name(name, &port), name, "after its start", why);
	if (e == ERR_OK)
		e = start(name, port, pool, why);
	if (e == ERR_OK && (*ret_fd = find_socket(iface)) < 0)
		e = why_set(why, ERR_NOT_FOUND, "port %s: no packet socket on %s", name, iface);
	if (e != ERR_OK) {
		(void)rte_vdev_uninit(name);
		return e;
	}
	*ret_port = port;
	return ERR_OK;
}

void vdev_port_close(uint16_t port)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	if (rte_eth_dev_get_name_by_port(port, name) != 0)
		return;
	(void)rte_eth_dev_stop(port);
	(void)rte_eth_dev_close(port);
	(void)rte_vdev_uninit(name);
}
