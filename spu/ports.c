// SPDX-License-Identifier: BSD-2-Clause
#include "ports.h"
#include "emu_port.h"
#include "pkt.h"

#include <linux/if_packet.h>
#include <rte_ethdev.h>
#include <sys/socket.h>

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

void ports_init(struct ports *p, const struct port at[PORT_SIDES], struct spu_slot *shm)
{
	*p = (struct ports){ .at = { at[PORT_WIRE], at[PORT_FABRIC] }, .shm = shm };
	for (unsigned int side = 0; side < PORT_SIDES; side++)
		for (size_t i = 0; i < ARRAY_LEN(counters); i++)
			if (rte_eth_xstats_get_id_by_name(p->at[side].id, counters[i].name,
			                                  &p->counter[side][i]) != 0)
				p->counter[side][i] = UINT64_MAX;
}

/* What our own driver does itself (emu_dev.c). The steering lets no shorter frames pass. */
static uint16_t take_headers(struct ports *p, struct rte_mbuf **m, uint16_t n)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (rte_pktmbuf_data_len(m[i]) < ETHER_LEN) {
			spu_count(&p->shm->drop[DROP_MALFORMED], 1);
			rte_pktmbuf_free(m[i]);
			continue;
		}
		memcpy(port_meta(m[i]), rte_pktmbuf_mtod(m[i], void *), FABRIC_HDR_LEN);
		m[kept++] = m[i];
	}
	return kept;
}

static void put_headers(struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		memcpy(rte_pktmbuf_mtod(m[i], void *), port_meta(m[i]), FABRIC_HDR_LEN);
}

uint16_t ports_rx(struct ports *p, enum port_side side, struct rte_mbuf **ret, uint16_t max)
{
	uint16_t n = rte_eth_rx_burst(p->at[side].id, 0, ret, max);

	if (n == 0)
		return 0;
	spu_count(&p->shm->stat[rx_stat[side]], n);
	return p->at[side].is_packet ? take_headers(p, ret, n) : n;
}

void ports_tx(struct ports *p, enum port_side side, struct rte_mbuf **m, uint16_t n)
{
	if (n == 0)
		return;
	uint16_t id = p->at[side].id;
	if (p->at[side].is_packet)
		put_headers(m, n);
	uint16_t sent = rte_eth_tx_burst(id, 0, m, n);
	if (sent < n) /* the first call may have made room */
		sent = (uint16_t)(sent + rte_eth_tx_burst(id, 0, m + sent, (uint16_t)(n - sent)));
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
	    rte_eth_xstats_get_by_id(p->at[side].id, &p->counter[side][i], &now, 1) != 1)
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

/* Frames for which the packet socket's ring had no room; the kernel counts from the last look. */
static void count_socket(struct ports *p, unsigned int side)
{
	struct tpacket_stats s = { 0 };
	socklen_t len = sizeof(s);

	if (getsockopt(p->at[side].fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) != 0 ||
	    s.tp_drops == 0)
		return;
	spu_count(&p->shm->drop[DROP_RX_RING_FULL], s.tp_drops);
	spu_count(&p->shm->stat[rx_stat[side]], s.tp_drops);
}

uint64_t ports_count(struct ports *p)
{
	p->sec_errors = 0;
	for (unsigned int side = 0; side < PORT_SIDES; side++) {
		if (p->at[side].is_packet)
			count_socket(p, side);
		for (size_t i = 0; i < ARRAY_LEN(counters); i++)
			count_one(p, side, i);
	}
	return p->sec_errors;
}

uint32_t ports_tx_waiting(const struct ports *p, enum port_side side)
{
	return emu_port_tx_waiting(p->at[side].id); /* of another driver: 0 */
}

void ports_tx_again(struct ports *p, enum port_side side)
{
	(void)rte_eth_tx_burst(p->at[side].id, 0, NULL, 0);
}
