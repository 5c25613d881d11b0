// SPDX-License-Identifier: BSD-2-Clause
#include "emu_priv.h"

#include <ethdev_driver.h>
#include <rte_ring.h>
#include <stdio.h>
#include <string.h>

#define LOOP_SLOTS 4096

static bool joined_with_itself(const struct emu_dev *dev)
{
	return dev->loop[strlen(dev->loop) - 1] == '!';
}

/* The other end, or NULL; *ret_ends says how many others there are. */
static struct emu_dev *other_end(const struct emu_dev *dev, int *ret_ends)
{
	struct emu_dev *found = NULL;

	*ret_ends = 0;
	for (uint16_t port = 0; port < RTE_MAX_ETHPORTS; port++) {
		struct emu_dev *other = emu_dev_of_port(port);

		if (other == NULL || other == dev || strcmp(other->loop, dev->loop) != 0)
			continue;
		found = other;
		++*ret_ends;
	}
	return found;
}

static struct rte_ring *new_ring(const struct emu_dev *dev, char which)
{
	char name[RTE_RING_NAMESIZE];

	(void)snprintf(name, sizeof(name), "emu%c_%s", which, dev->loop);
	return rte_ring_create(name, LOOP_SLOTS, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

enum err emu_loop_open(struct emu_dev *dev)
{
	int ends = 0;
	struct emu_dev *other = other_end(dev, &ends);

	if (ends > 1 || (ends == 1 && joined_with_itself(dev)))
		return why_set(&dev->why, ERR_DUPLICATE, "loop %s has its ends already", dev->loop);
	if (other) {
		dev->loop_rx = other->loop_tx;
		dev->loop_tx = other->loop_rx;
		return ERR_OK;
	}
	dev->loop_rx = new_ring(dev, 'a');
	dev->loop_tx = joined_with_itself(dev) ? dev->loop_rx : new_ring(dev, 'b');
	if (dev->loop_rx == NULL || dev->loop_tx == NULL) {
		rte_ring_free(dev->loop_rx);
		rte_ring_free(dev->loop_tx);
		dev->loop_rx = dev->loop_tx = NULL;
		return why_set(&dev->why, ERR_MEMORY, "no memory for loop %s", dev->loop);
	}
	return ERR_OK;
}

static void drain(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_sc_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
}

/* The rings go with the last end; until then frames wait in them. */
void emu_loop_close(struct emu_dev *dev)
{
	int ends = 0;

	if (dev->loop_rx == NULL)
		return;
	drain(dev->loop_rx);
	if (other_end(dev, &ends) == NULL) {
		drain(dev->loop_tx);
		if (dev->loop_tx != dev->loop_rx)
			rte_ring_free(dev->loop_tx);
		rte_ring_free(dev->loop_rx);
	}
	dev->loop_rx = dev->loop_tx = NULL;
}

uint16_t emu_loop_rx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n)
{
	uint16_t got = (uint16_t)rte_ring_sc_dequeue_burst(dev->loop_rx, (void **)mbufs, n, NULL);

	for (uint16_t i = 0; i < got; i++) {
		mbufs[i]->ol_flags = 0;
		mbufs[i]->packet_type = 0;
		mbufs[i]->tx_offload = 0;
		mbufs[i]->port = dev->eth->data->port_id;
	}
	return got;
}

uint16_t emu_loop_tx_room(struct emu_dev *dev, uint16_t n)
{
	unsigned int room = rte_ring_free_count(dev->loop_tx);

	return room < n ? (uint16_t)room : n;
}

void emu_loop_tx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n)
{
	unsigned int put = rte_ring_sp_enqueue_burst(dev->loop_tx, (void **)mbufs, n, NULL);

	/* emu_loop_tx_room() promised the room, and there is one producer. */
	rte_pktmbuf_free_bulk(mbufs + put, n - put);
}
