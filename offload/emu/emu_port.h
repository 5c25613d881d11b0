/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated inline-crypto NIC as an SPU brings it up: a DPDK port on an AF_XDP socket or on a
 * memory loop.
 *
 * After emu_port_start() it is an ethdev port like any other: rte_eth_rx_burst(port, 0, ...) and
 * rte_eth_tx_burst(port, 0, ...), one queue each way, statistics by rte_eth_stats_get() and
 * rte_eth_xstats_get(), rte_security by rte_eth_dev_get_sec_ctx() unless the profile is "none".
 * Every received mbuf has its fabric header in port_meta(m); on transmit port_meta(m) is written
 * over the frame's 12 address bytes. Frames start with these 14 bytes (addresses, EtherType).
 *
 * Transmit that returns fewer than it was given has taken the rest not at all: the caller keeps
 * or frees those. What it takes it sends, or counts as an error (xstats, below).
 * EAL must be up. Open, start and close from the main thread; bursts from one thread per port. */
#ifndef EMU_PORT_H
#define EMU_PORT_H
#include "errors.h"
#include <stdint.h>

struct rte_mempool;

/* One received or sent frame needs one mbuf of such a pool: one chunk of 4,096 bytes. */
#define EMU_PORT_MTU 3498 /* the fabric's veths; longer frames are refused and counted */

struct emu_port_conf {
	const char *name;    /* unique in the process, [a-z0-9_-], at most 24: "wire", "fabric" */
	const char *profile; /* "none" (the fabric port), "generic", "82599" */
	const char *iface;   /* AF_XDP on queue 0 of this interface of the current namespace ... */
	int xskmap_fd;       /* ... put into this XSKMAP (borrowed) ... */
	uint32_t key;        /* ... at this index */
	const char *loop;    /* or, with iface NULL: the two ports of one loop name are joined; a
	                      * name that ends in "!" joins the port with itself */
	uint16_t mtu;        /* 0: EMU_PORT_MTU */
};

/* A pool of n mbufs in one chunk of memory, so that it can be the umem of one port or of several:
 * a frame received on one of them leaves by another without a copy. */
enum err emu_port_pool(const char *name, unsigned int n, struct rte_mempool **ret,
                       struct why *why) MUST_CHECK;

/* Makes the port; nothing is bound yet. */
enum err emu_port_open(const struct emu_port_conf *conf, uint16_t *ret_port_id,
                       struct why *why) MUST_CHECK;

/* Configures one queue each way with that many descriptors (a power of two, from 2,048 on), fills
 * them from the pool, binds the socket (again every 200 microseconds while the kernel still holds
 * that of a dead predecessor, for at most 2 s), puts it into the XSKMAP and starts the port. */
enum err emu_port_start(uint16_t port_id, uint16_t descriptors, struct rte_mempool *pool,
                        struct why *why) MUST_CHECK;

/* To sleep on with POLLIN when receive has found nothing for a while; -1 for a memory loop. */
int emu_port_fd(uint16_t port_id);

/* Frames that transmit has taken and the kernel has not: call rte_eth_tx_burst() (with 0 frames is
 * enough) once more before sleeping while it is not 0. */
uint32_t emu_port_tx_waiting(uint16_t port_id);

/* Stops and removes the port; its mbufs return to their pools. */
void emu_port_close(uint16_t port_id);

/* Names of extended statistics, beside rte_eth_stats (ipackets, opackets, ibytes, obytes):
 *   rx_dropped rx_ring_full rx_invalid_descs rx_fill_ring_empty tx_invalid_descs
 *   tx_ring_empty                        what the kernel says in XDP_STATISTICS: a frame that did
 *                                        not reach us is in rx_dropped or in rx_ring_full
 *   tx_too_long tx_short tx_no_buffer    refused on transmit
 *   tx_sec_errors                        marked for encryption, and no session or not ESP
 *   rx_sec_ok rx_sec_failed rx_sec_missed   decrypted; bad ICV; ESP without a session
 *   tx_sec_ok                            encrypted */

#endif
