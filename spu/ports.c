// SPDX-License-Identifier: BSD-2-Clause
#include "ports.h"

#include <rte_ethdev.h>

static const enum spu_stat rx_stat[PORT_SIDES] = { SPU_WIRE_RX, SPU_FABRIC_RX };
static const enum spu_stat tx_stat[PORT_SIDES] = { SPU_WIRE_TX, SPU_FABRIC_TX };

/* What a device counts of its own: frames that it got and we never saw, and frames that it took
 * and did not send. One that does not know a name does not lose frames so. */
static const struct {
	const char *name;
	bool rx;
	uint8_t drop;
} counters[] = {
	{ "rx_ring_full", true, DROP_RX_RING_FULL },
	{ "rx_dropped", true, DROP_NO_BUFFER }, /* XDP_STATISTICS: no room in the fill ring */
	{ "tx_too_long", false, DROP_TOO_BIG },
	{ "tx_short", false, DROP_MALFORMED },
	{ "tx_no_buffer", false, DROP_NO_BUFFER },
	{ "tx_invalid_descs", false, DROP_NO_SOCKET },
	{ "tx_sec_errors", false, DROP_CRYPTO },
};
_Static_assert(ARRAY_LEN(counters) <= PORT_COUNTERS, "room in struct ports");

void ports_init(struct ports *p, uint16_t wire, uint16_t fabric, struct spu_slot *shm)
{
	*p = (struct ports){ .id = { wire, fabric }, .shm = shm };
	for (unsigned int side = 0; side < PORT_SIDES; side++)
		for (size_t i = 0; i < ARRAY_LEN(counters); i++)
			if (rte_eth_xstats_get_id_by_name(p->id[side], counters[i].name,
			                                  &p->counter[side][i]) != 0)
				p->counter[side][i] = UINT64_MAX;
}

uint16_t ports_rx(struct ports *p, enum port_side side, struct rte_mbuf **ret, uint16_t max)
{
	uint16_t n = rte_eth_rx_burst(p->id[side], 0, ret, max);

	if (n != 0)
		spu_count(&p->shm->stat[rx_stat[side]], n);
	return n;
}

void ports_tx(struct ports *p, enum port_side side, struct rte_mbuf **m, uint16_t n)
{
	if (n == 0)
		return;
	uint16_t sent = rte_eth_tx_burst(p->id[side], 0, m, n);
	if (sent < n) /* the first call may have made room */
		sent = (uint16_t)(sent +
		                  rte_eth_tx_burst(p->id[side], 0, m + sent, (uint16_t)(n - sent)));
	spu_count(&p->shm->stat[tx_stat[side]], sent);
	if (sent == n)
		return;
	spu_count(&p->shm->drop[DROP_TX_RING_FULL], (uint64_t)(n - sent));
	rte_pktmbuf_free_bulk(m + sent, (unsigned int)(n - sent));
}

static void count_one(struct ports *p, unsigned int side, size_t i)
{
	uint64_t now = 0;

	if (p->counter[side][i] == UINT64_MAX ||
	    rte_eth_xstats_get_by_id(p->id[side], &p->counter[side][i], &now, 1) != 1)
		return;
	uint64_t more = now - p->seen[side][i];
	if (more == 0)
		return;
	p->seen[side][i] = now;
	spu_count(&p->shm->drop[counters[i].drop], more);
	if (counters[i].rx)
		spu_count(&p->shm->stat[rx_stat[side]], more);
	else
		spu_count(&p->shm->stat[tx_stat[side]], 0 - more);
	if (counters[i].drop == DROP_CRYPTO)
		p->sec_errors += more;
}

uint64_t ports_count(struct ports *p)
{
	p->sec_errors = 0;
	for (unsigned int side = 0; side < PORT_SIDES; side++)
		for (size_t i = 0; i < ARRAY_LEN(counters); i++)
			count_one(p, side, i);
	return p->sec_errors;
}
