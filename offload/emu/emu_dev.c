// SPDX-License-Identifier: BSD-2-Clause
#include "emu_priv.h"
#include "emu_security.h"
#include "port_meta.h"

#include <ethdev_vdev.h>
#include <rte_ether.h>
#include <rte_kvargs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- bursts */

static uint16_t wire_rx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n)
{
	return dev->xsk ? emu_xsk_rx(dev, mbufs, n) : emu_loop_rx(dev, mbufs, n);
}

/* What came off the wire becomes packets with their fabric header beside them. */
static uint16_t emu_rx_burst(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
	struct emu_dev *dev = queue;
	uint16_t got = wire_rx(dev, mbufs, n);
	uint16_t kept = 0;

	for (uint16_t i = 0; i < got; i++) {
		struct rte_mbuf *m = mbufs[i];

		if (m->data_len < EMU_FRAME_MIN) {
			dev->count.rx_short++;
			rte_pktmbuf_free(m);
			continue;
		}
		memcpy(port_meta(m), rte_pktmbuf_mtod(m, void *), FABRIC_HDR_LEN);
		dev->count.rx_bytes += m->pkt_len;
		mbufs[kept++] = m;
	}
	dev->count.rx_packets += kept;
	if (dev->security)
		emu_security_rx(dev->security, mbufs, kept);
	return kept;
}

/* A frame that we may write into, and that the wire can take: itself or a copy; NULL and counted
 * when it must be refused. */
static struct rte_mbuf *own_frame(struct emu_dev *dev, struct rte_mbuf *m)
{
	bool ours = m->nb_segs == 1 && RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
	            (dev->xsk == NULL || m->pool == dev->pool);

	if (ours)
		return m;
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, dev->pool, 0, UINT32_MAX);

	if (copy && copy->nb_segs > 1) {
		rte_pktmbuf_free(copy);
		copy = NULL;
	}
	if (copy == NULL)
		dev->count.tx_no_buffer++;
	rte_pktmbuf_free(m);
	return copy;
}

static struct rte_mbuf *frame_for_wire(struct emu_dev *dev, struct rte_mbuf *m)
{
	uint64_t *refused = m->pkt_len < EMU_FRAME_MIN ? &dev->count.tx_short
	                    : m->pkt_len > (uint32_t)dev->mtu + EMU_FRAME_EXTRA
	                            ? &dev->count.tx_too_long
	                            : NULL;

	if (refused) {
		++*refused;
		rte_pktmbuf_free(m);
		return NULL;
	}
	m = own_frame(dev, m);
	if (m && dev->security && !emu_security_tx(dev->security, m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	if (m)
		memcpy(rte_pktmbuf_mtod(m, void *), port_meta(m), FABRIC_HDR_LEN);
	return m;
}

static uint16_t emu_tx_burst(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
	struct emu_dev *dev = queue;
	struct rte_mbuf *out[EMU_BURST];
	uint16_t taken = 0;

	do {
		uint16_t want = (uint16_t)RTE_MIN(n - taken, EMU_BURST);
		uint16_t room = dev->xsk ? emu_xsk_tx_room(dev, want) : emu_loop_tx_room(dev, want);
		uint16_t k = 0;

		for (uint16_t i = 0; i < room; i++) {
			struct rte_mbuf *m = frame_for_wire(dev, mbufs[taken + i]);

			if (m == NULL)
				continue;
			dev->count.tx_bytes += m->pkt_len;
			out[k++] = m;
		}
		dev->count.tx_packets += k;
		if (dev->xsk)
			emu_xsk_tx(dev, out, k);
		else
			emu_loop_tx(dev, out, k);
		taken = (uint16_t)(taken + room);
		if (room < want)
			break;
	} while (taken < n);
	if (dev->xsk)
		emu_xsk_kick(dev);
	return taken;
}

/* ---------------------------------------------------------------- device operations */

static int emu_configure(struct rte_eth_dev *eth)
{
	(void)eth;
	return 0;
}

static int emu_start(struct rte_eth_dev *eth)
{
	struct emu_dev *dev = eth->data->dev_private;

	if (dev->loop[0] == '\0' && dev->xsk == NULL && emu_xsk_start(dev) != ERR_OK)
		return -EIO;
	eth->data->dev_link.link_status = RTE_ETH_LINK_UP;
	return 0;
}

static int emu_stop(struct rte_eth_dev *eth)
{
	struct emu_dev *dev = eth->data->dev_private;

	emu_xsk_stop(dev);
	eth->data->dev_started = 0;
	eth->data->dev_link.link_status = RTE_ETH_LINK_DOWN;
	return 0;
}

static int emu_close(struct rte_eth_dev *eth)
{
	struct emu_dev *dev = eth->data->dev_private;

	if (dev == NULL)
		return 0;
	emu_xsk_stop(dev);
	if (dev->loop[0] != '\0')
		emu_loop_close(dev);
	emu_security_free(dev->security);
	dev->security = NULL;
	eth->security_ctx = NULL;
	eth->data->mac_addrs = NULL; /* part of nothing that rte_free() knows */
	return 0;
}

static int emu_infos_get(struct rte_eth_dev *eth, struct rte_eth_dev_info *info)
{
	const struct emu_dev *dev = eth->data->dev_private;

	info->max_mac_addrs = 1;
	info->max_rx_pktlen = (uint32_t)dev->mtu + EMU_FRAME_EXTRA;
	info->max_mtu = dev->mtu;
	info->min_mtu = 68;
	info->max_rx_queues = 1;
	info->max_tx_queues = 1;
	info->rx_desc_lim =
	        (struct rte_eth_desc_lim){ .nb_max = 32768, .nb_min = 2048, .nb_align = 1 };
	info->tx_desc_lim = info->rx_desc_lim;
	if (dev->security) {
		info->rx_offload_capa = RTE_ETH_RX_OFFLOAD_SECURITY;
		info->tx_offload_capa = RTE_ETH_TX_OFFLOAD_SECURITY;
	}
	return 0;
}

static int emu_rx_queue_setup(struct rte_eth_dev *eth, uint16_t queue, uint16_t n,
                              unsigned int socket, const struct rte_eth_rxconf *conf,
                              struct rte_mempool *pool)
{
	struct emu_dev *dev = eth->data->dev_private;

	(void)socket;
	(void)conf;
	if (!rte_is_power_of_2(n))
		return -EINVAL;
	dev->pool = pool;
	dev->descriptors = n;
	eth->data->rx_queues[queue] = dev;
	return 0;
}

static int emu_tx_queue_setup(struct rte_eth_dev *eth, uint16_t queue, uint16_t n,
                              unsigned int socket, const struct rte_eth_txconf *conf)
{
	(void)n; /* as many as the receive ring has */
	(void)socket;
	(void)conf;
	eth->data->tx_queues[queue] = eth->data->dev_private;
	return 0;
}

static int emu_link_update(struct rte_eth_dev *eth, int wait)
{
	(void)eth;
	(void)wait;
	return 0;
}

static int emu_mtu_set(struct rte_eth_dev *eth, uint16_t mtu)
{
	struct emu_dev *dev = eth->data->dev_private;

	dev->mtu = mtu;
	return 0;
}

/* ---------------------------------------------------------------- statistics */

static uint64_t tx_errors(const struct emu_dev *dev)
{
	return dev->count.tx_too_long + dev->count.tx_short + dev->count.tx_no_buffer +
	       (dev->security ? emu_security_counters(dev->security)->tx_errors : 0);
}

static int emu_stats_get(struct rte_eth_dev *eth, struct rte_eth_stats *stats)
{
	const struct emu_dev *dev = eth->data->dev_private;
	uint64_t kernel[EMU_XSK_STATS] = { 0 };

	if (dev->xsk)
		emu_xsk_stats(dev->xsk, kernel);
	stats->ipackets = dev->count.rx_packets;
	stats->ibytes = dev->count.rx_bytes;
	stats->ierrors = dev->count.rx_short;
	/* An empty fill ring is why a frame was dropped, and no second loss. */
	stats->imissed = kernel[0] + kernel[3];
	stats->rx_nombuf = dev->xsk ? emu_xsk_rx_no_buffer(dev->xsk) : 0;
	stats->opackets = dev->count.tx_packets;
	stats->obytes = dev->count.tx_bytes;
	stats->oerrors = tx_errors(dev);
	return 0;
}

static int emu_stats_reset(struct rte_eth_dev *eth)
{
	struct emu_dev *dev = eth->data->dev_private;

	dev->count = (struct emu_counters){ 0 };
	return 0;
}

#define OWN_STATS 8
static const char *const own_stat_names[OWN_STATS] = {
	"rx_short",      "tx_too_long", "tx_short",  "tx_no_buffer",
	"tx_sec_errors", "tx_sec_ok",   "rx_sec_ok", "rx_sec_failed",
};
#define SEC_MISSED "rx_sec_missed"
#define STATS (OWN_STATS + 1 + EMU_XSK_STATS)

static int emu_xstats_get_names(struct rte_eth_dev *eth, struct rte_eth_xstat_name *names,
                                unsigned int n)
{
	(void)eth;
	if (names == NULL || n < STATS)
		return STATS;
	for (unsigned int i = 0; i < STATS; i++) {
		const char *name = i < OWN_STATS    ? own_stat_names[i]
		                   : i == OWN_STATS ? SEC_MISSED
		                                    : emu_xsk_stat_names[i - OWN_STATS - 1];
		(void)snprintf(names[i].name, sizeof(names[i].name), "%s", name);
	}
	return STATS;
}

static int emu_xstats_get(struct rte_eth_dev *eth, struct rte_eth_xstat *stats, unsigned int n)
{
	const struct emu_dev *dev = eth->data->dev_private;
	static const struct emu_security_counters none;
	const struct emu_security_counters *sec =
	        dev->security ? emu_security_counters(dev->security) : &none;
	uint64_t value[STATS] = { dev->count.rx_short, dev->count.tx_too_long,
		                  dev->count.tx_short, dev->count.tx_no_buffer,
		                  sec->tx_errors,      sec->tx_ok,
		                  sec->rx_ok,          sec->rx_failed,
		                  sec->rx_missed };

	if (stats == NULL || n < STATS)
		return STATS;
	if (dev->xsk)
		emu_xsk_stats(dev->xsk, value + OWN_STATS + 1);
	for (unsigned int i = 0; i < STATS; i++)
		stats[i] = (struct rte_eth_xstat){ .id = i, .value = value[i] };
	return STATS;
}

static const struct eth_dev_ops emu_ops = {
	.dev_configure = emu_configure,
	.dev_start = emu_start,
	.dev_stop = emu_stop,
	.dev_close = emu_close,
	.dev_infos_get = emu_infos_get,
	.rx_queue_setup = emu_rx_queue_setup,
	.tx_queue_setup = emu_tx_queue_setup,
	.link_update = emu_link_update,
	.mtu_set = emu_mtu_set,
	.stats_get = emu_stats_get,
	.stats_reset = emu_stats_reset,
	.xstats_get = emu_xstats_get,
	.xstats_get_names = emu_xstats_get_names,
};

struct emu_dev *emu_dev_of_port(uint16_t port_id)
{
	if (!rte_eth_dev_is_valid_port(port_id) || rte_eth_devices[port_id].dev_ops != &emu_ops)
		return NULL;
	return rte_eth_devices[port_id].data->dev_private;
}

/* ---------------------------------------------------------------- devargs and life */

static int take_text(const char *key, const char *value, void *opaque)
{
	struct emu_dev *dev = opaque;
	char *into = strcmp(key, "iface") == 0 ? dev->iface : dev->loop;
	size_t room = into == dev->iface ? sizeof(dev->iface) : sizeof(dev->loop);

	if (value == NULL || value[0] == '\0' || strlen(value) >= room)
		return -EINVAL;
	memcpy(into, value, strlen(value) + 1);
	return 0;
}

static int take_number(const char *key, const char *value, void *opaque)
{
	struct emu_dev *dev = opaque;
	char *end = NULL;

	if (value == NULL)
		return -EINVAL;
	errno = 0;
	unsigned long x = strtoul(value, &end, 10);
	if (end == value || *end != '\0' || errno != 0 || x > INT32_MAX)
		return -EINVAL;
	if (strcmp(key, "xskmap_fd") == 0)
		dev->xskmap_fd = (int)x;
	else if (strcmp(key, "key") == 0)
		dev->key = (uint32_t)x;
	else if (x >= 68 && x <= EMU_MTU_MAX)
		dev->mtu = (uint16_t)x;
	else
		return -EINVAL;
	return 0;
}

static int take_profile(const char *key, const char *value, void *opaque)
{
	struct emu_dev *dev = opaque;

	(void)key;
	dev->profile = value ? emu_profile_by_name(value) : NULL;
	return dev->profile ? 0 : -EINVAL;
}

static int take_args(struct emu_dev *dev, const char *args)
{
	static const char *const keys[] = { "profile", "iface", "xskmap_fd", "key",
		                            "loop",    "mtu",   NULL };
	struct rte_kvargs *kv = rte_kvargs_parse(args ? args : "", keys);

	if (kv == NULL)
		return -EINVAL;
	dev->profile = emu_profile_by_name("generic");
	dev->xskmap_fd = -1;
	dev->mtu = EMU_MTU_MAX;
	int ret = rte_kvargs_process(kv, "profile", take_profile, dev);
	if (ret == 0)
		ret = rte_kvargs_process(kv, "iface", take_text, dev);
	if (ret == 0)
		ret = rte_kvargs_process(kv, "loop", take_text, dev);
	for (int i = 0; ret == 0 && keys[i]; i++)
		if (strchr("xkm", keys[i][0]))
			ret = rte_kvargs_process(kv, keys[i], take_number, dev);
	rte_kvargs_free(kv);
	if (ret == 0 && (dev->iface[0] == '\0') == (dev->loop[0] == '\0'))
		ret = -EINVAL; /* one wire, not none and not two */
	return ret;
}

static int emu_probe(struct rte_vdev_device *vdev)
{
	static struct rte_ether_addr address = { .addr_bytes = { 2, 0, 0, 0, 0, 1 } };
	struct rte_eth_dev *eth;

	if (port_meta_register(NULL) != ERR_OK)
		return -ENOMEM;
	eth = rte_eth_vdev_allocate(vdev, sizeof(struct emu_dev));
	if (eth == NULL)
		return -ENOMEM;
	struct emu_dev *dev = eth->data->dev_private;
	int ret = take_args(dev, rte_vdev_device_args(vdev));

	dev->eth = eth;
	eth->dev_ops = &emu_ops;
	eth->rx_pkt_burst = emu_rx_burst;
	eth->tx_pkt_burst = emu_tx_burst;
	eth->data->mac_addrs = &address;
	eth->data->promiscuous = 1;
	eth->data->dev_link = (struct rte_eth_link){ .link_speed = RTE_ETH_SPEED_NUM_100G,
		                                     .link_duplex = RTE_ETH_LINK_FULL_DUPLEX };
	if (ret == 0 && dev->loop[0] != '\0' && emu_loop_open(dev) != ERR_OK)
		ret = -EEXIST;
	if (ret == 0 && dev->profile->security)
		ret = emu_security_new(dev, &dev->security) == ERR_OK ? 0 : -ENOMEM;
	if (ret != 0) {
		(void)emu_close(eth);
		rte_eth_dev_release_port(eth);
		return ret;
	}
	if (dev->security)
		eth->security_ctx = emu_security_ctx(dev->security);
	rte_eth_dev_probing_finish(eth);
	return 0;
}

static int emu_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *eth = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	if (eth == NULL)
		return 0;
	(void)emu_close(eth);
	return rte_eth_dev_release_port(eth);
}

static struct rte_vdev_driver emu_driver = {
	.probe = emu_probe,
	.remove = emu_remove,
};

RTE_PMD_REGISTER_VDEV(net_hawser_emu, emu_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_hawser_emu, "profile=none|generic|82599 "
                                              "iface=<name> xskmap_fd=<int> key=<int> "
                                              "loop=<name> mtu=<int>");
