// SPDX-License-Identifier: BSD-2-Clause
/* What a device has counted: the veth driver's statistics by name, and /proc/net/dev. */
#include "steer.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

#define STATS_MAX 4096

/* "rx_queue_0_xdp_packets": a queue's statistics, between prefix and suffix its number. */
static const struct {
	const char *prefix, *suffix;
	size_t at;
} fields[] = {
#define FIELD(field) offsetof(struct steer_device_counts, field)
	{ "rx_queue_", "_xdp_packets", FIELD(rx_xdp_packets) },
	{ "rx_queue_", "_xdp_redirect", FIELD(rx_xdp_redirect) },
	{ "rx_queue_", "_xdp_drops", FIELD(rx_xdp_drops) },
	{ "rx_queue_", "_drops", FIELD(rx_drops) },
	{ "tx_queue_", "_xdp_xmit", FIELD(tx_xdp_xmit) },
	{ "tx_queue_", "_xdp_xmit_errors", FIELD(tx_xdp_xmit_errors) },
#undef FIELD
};

static void add_statistic(struct steer_device_counts *c, const char *name, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t len = strlen(fields[i].prefix);

		if (strncmp(name, fields[i].prefix, len) != 0)
			continue;
		len += strspn(name + len, "0123456789");
		if (strcmp(name + len, fields[i].suffix) == 0)
			*(uint64_t *)(void *)((char *)c + fields[i].at) += value;
	}
}

static int ethtool(int sock, const char *ifname, void *command)
{
	struct ifreq req = { 0 };

	memcpy(req.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	req.ifr_data = command;
	return ioctl(sock, SIOCETHTOOL, &req);
}

static enum err read_driver(int sock, const char *ifname, struct steer_device_counts *c)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (ethtool(sock, ifname, &info))
		return errno == ENODEV ? ERR_NOT_FOUND : errno == EOPNOTSUPP ? ERR_OK : ERR_IO;
	uint32_t n = info.n_stats;
	if (n == 0 || n > STATS_MAX)
		return ERR_OK;
	/* Room to spare: a queue more between the calls makes the answer longer. */
	struct ethtool_gstrings *names =
	        calloc(1, sizeof(*names) + (size_t)STATS_MAX * ETH_GSTRING_LEN);
	struct ethtool_stats *stats = calloc(1, sizeof(*stats) + STATS_MAX * sizeof(uint64_t));
	enum err e = names && stats ? ERR_OK : ERR_MEMORY;
	if (e == ERR_OK) {
		*names = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS,
			                            .string_set = ETH_SS_STATS,
			                            .len = n };
		*stats = (struct ethtool_stats){ .cmd = ETHTOOL_GSTATS, .n_stats = n };
		if (ethtool(sock, ifname, names) || ethtool(sock, ifname, stats))
			e = ERR_IO;
	}
	for (uint32_t i = 0; e == ERR_OK && i < n && i < names->len && i < stats->n_stats; i++) {
		char name[ETH_GSTRING_LEN + 1] = { 0 };

		memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		add_statistic(c, name, stats->data[i]);
	}
	free(names);
	free(stats);
	return e;
}

/* name: rx bytes packets errs drop fifo frame compressed multicast, tx bytes packets errs drop */
static void read_device(const char *ifname, struct steer_device_counts *c)
{
	FILE *f = fopen("/proc/thread-self/net/dev", "re");
	char line[512];
	size_t len = strlen(ifname);

	while (f && fgets(line, sizeof(line), f)) {
		const char *p = line + strspn(line, " ");
		uint64_t rx = 0, tx = 0;

		if (strncmp(p, ifname, len) != 0 || p[len] != ':')
			continue;
		if (sscanf(p + len + 1,
		           "%*u %*u %*u %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &rx,
		           &tx) == 2) {
			c->rx_dropped = rx;
			c->tx_dropped = tx;
		}
	}
	if (f)
		(void)fclose(f);
}

enum err steer_device_counters(const char *ifname, struct steer_device_counts *ret)
{
	struct steer_device_counts c = { 0 };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return err_from_errno(errno);
	enum err e = read_driver(sock, ifname, &c);
	(void)close(sock);
	TRY(e);
	read_device(ifname, &c);
	*ret = c;
	return ERR_OK;
}
