// SPDX-License-Identifier: BSD-2-Clause
#include "emu_port.h"
#include "emu_priv.h"

#include <bus_vdev_driver.h>
#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>

#define CHUNK 4096
#define NAME_MAX_LEN 24
#define POOL_CACHE 256
#define ANY_SOCKET ((unsigned int)SOCKET_ID_ANY)

/* ---------------------------------------------------------------- the pool */

/* Data room such that header, mbuf and data are one chunk. */
static uint16_t data_room(void)
{
	return (uint16_t)(CHUNK - sizeof(struct rte_mempool_objhdr) - sizeof(struct rte_mbuf));
}

static enum err populate(struct rte_mempool *mp, struct why *why)
{
	struct rte_pktmbuf_pool_private private = { .mbuf_data_room_size = data_room() };

	if (rte_mempool_set_ops_byname(mp, "ring_mp_mc", NULL) != 0)
		return why_set(why, ERR_NOT_FOUND, "DPDK's ring mempool driver is not linked in");
	rte_pktmbuf_pool_init(mp, &private);
	int ret = rte_mempool_populate_default(mp);

	if (ret < 0 || mp->populated_size != mp->size)
		return why_set(why, ERR_MEMORY, "no memory for %u packet buffers of %d bytes: %s",
		               mp->size, CHUNK, rte_strerror(-ret));
	if (mp->nb_mem_chunks != 1)
		return why_set(why, ERR_MEMORY,
		               "%u packet buffers lie in %u pieces of memory; one is needed",
		               mp->size, mp->nb_mem_chunks);
	rte_mempool_obj_iter(mp, rte_pktmbuf_init, NULL);
	return ERR_OK;
}

enum err emu_port_pool(const char *name, unsigned int n, struct rte_mempool **ret, struct why *why)
{
	unsigned int cache = n >= 2 * POOL_CACHE ? POOL_CACHE : 0;
	struct rte_mempool *mp = rte_mempool_create_empty(
	        name, n, (unsigned int)sizeof(struct rte_mbuf) + data_room(), cache,
	        sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY,
	        RTE_MEMPOOL_F_NO_IOVA_CONTIG | RTE_MEMPOOL_F_NO_SPREAD);

	if (mp == NULL)
		return why_set(why, ERR_MEMORY, "pool %s: %s", name, rte_strerror(rte_errno));
	enum err e = populate(mp, why);

	if (e != ERR_OK) {
		rte_mempool_free(mp);
		return e;
	}
	*ret = mp;
	return ERR_OK;
}

/* ---------------------------------------------------------------- the port */

static bool name_ok(const char *name, size_t max)
{
	return name && name[0] != '\0' && strlen(name) <= max &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

static enum err conf_check(const struct emu_port_conf *c, struct why *why)
{
	if (!name_ok(c->name, NAME_MAX_LEN))
		return why_set(why, ERR_VALUE, "port name \"%s\": at most %d of a-z, 0-9, _ and -",
		               c->name ? c->name : "", NAME_MAX_LEN);
	if (c->profile == NULL || emu_profile_by_name(c->profile) == NULL)
		return why_set(why, ERR_UNKNOWN,
		               "NIC profile \"%s\" is not known: none, generic or 82599",
		               c->profile ? c->profile : "");
	if ((c->iface == NULL) == (c->loop == NULL))
		return why_set(why, ERR_EXPECTED, "port %s: one of interface or loop", c->name);
	if (c->iface && (c->iface[0] == '\0' || strlen(c->iface) >= IF_NAMESIZE ||
	                 strpbrk(c->iface, ",=[]") != NULL))
		return why_set(why, ERR_VALUE, "port %s: bad interface name \"%s\"", c->name,
		               c->iface);
	if (c->loop && (strlen(c->loop) > EMU_LOOP_NAME_MAX || strpbrk(c->loop, ",=[]") != NULL ||
	                c->loop[0] == '\0' || strcmp(c->loop, "!") == 0))
		return why_set(why, ERR_VALUE, "port %s: bad loop name \"%s\"", c->name, c->loop);
	if (c->mtu > EMU_PORT_MTU)
		return why_set(why, ERR_RANGE, "port %s: MTU %u is above %d", c->name, c->mtu,
		               EMU_PORT_MTU);
	return ERR_OK;
}

enum err emu_port_open(const struct emu_port_conf *conf, uint16_t *ret_port_id, struct why *why)
{
	char name[64], args[160];
	uint16_t port = 0;

	TRY(conf_check(conf, why));
	unsigned int mtu = conf->mtu ? conf->mtu : EMU_PORT_MTU;
	(void)snprintf(name, sizeof(name), EMU_DRIVER "_%s", conf->name);
	if (conf->iface)
		(void)snprintf(args, sizeof(args), "profile=%s,mtu=%u,iface=%s,xskmap_fd=%d,key=%u",
		               conf->profile, mtu, conf->iface, conf->xskmap_fd, conf->key);
	else
		(void)snprintf(args, sizeof(args), "profile=%s,mtu=%u,loop=%s", conf->profile, mtu,
		               conf->loop);
	int ret = rte_vdev_init(name, args);
	if (ret != 0)
		return why_set(why, err_from_errno(-ret), "port %s (%s): %s", conf->name, args,
		               rte_strerror(-ret));
	if (rte_eth_dev_get_port_by_name(name, &port) != 0 || emu_dev_of_port(port) == NULL) {
		(void)rte_vdev_uninit(name);
		return why_set(why, ERR_NOT_FOUND, "port %s: not there after its start", name);
	}
	*ret_port_id = port;
	return ERR_OK;
}

static enum err start_step(struct emu_dev *dev, int ret, const char *what, struct why *why)
{
	if (ret == 0)
		return ERR_OK;
	if (dev->why.text[0] != '\0')
		return why_set(why, ERR_IO, "%s", dev->why.text);
	return why_set(why, err_from_errno(-ret), "%s: %s", what, rte_strerror(-ret));
}

enum err emu_port_start(uint16_t port_id, uint16_t descriptors, struct rte_mempool *pool,
                        struct why *why)
{
	struct emu_dev *dev = emu_dev_of_port(port_id);
	struct rte_eth_conf conf = { 0 };

	if (dev == NULL)
		return why_set(why, ERR_NOT_FOUND, "port %u is no emulated NIC", port_id);
	if (dev->security) {
		conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SECURITY;
		conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_SECURITY;
	}
	dev->why = (struct why){ 0 };
	TRY(start_step(dev, rte_eth_dev_configure(port_id, 1, 1, &conf), "configure", why));
	TRY(start_step(dev, rte_eth_rx_queue_setup(port_id, 0, descriptors, ANY_SOCKET, NULL, pool),
	               "receive queue", why));
	TRY(start_step(dev, rte_eth_tx_queue_setup(port_id, 0, descriptors, ANY_SOCKET, NULL),
	               "transmit queue", why));
	return start_step(dev, rte_eth_dev_start(port_id), "start", why);
}

int emu_port_fd(uint16_t port_id)
{
	struct emu_dev *dev = emu_dev_of_port(port_id);

	return dev && dev->xsk ? emu_xsk_fd(dev->xsk) : -1;
}

uint32_t emu_port_tx_waiting(uint16_t port_id)
{
	struct emu_dev *dev = emu_dev_of_port(port_id);

	return dev && dev->xsk ? emu_xsk_tx_waiting(dev->xsk) : 0;
}

void emu_port_close(uint16_t port_id)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	if (emu_dev_of_port(port_id) == NULL || rte_eth_dev_get_name_by_port(port_id, name) != 0)
		return;
	(void)rte_eth_dev_stop(port_id);
	(void)rte_eth_dev_close(port_id);
	(void)rte_vdev_uninit(name);
}
