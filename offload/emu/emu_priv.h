/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the emulated NIC: the device, and what its two kinds of wire (AF_XDP socket, memory loop)
 * and its inline crypto offer to it. One thread drives the bursts of a port; set-up is the main
 * thread's. */
#ifndef EMU_PRIV_H
#define EMU_PRIV_H
#include "emu_profile.h"
#include "errors.h"
#include <net/if.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#define EMU_DRIVER "net_hawser_emu"
#define EMU_BURST 64
#define EMU_MTU_MAX 3498
#define EMU_LOOP_NAME_MAX 20
#define EMU_FRAME_MIN 14u   /* addresses and EtherType */
#define EMU_FRAME_EXTRA 18u /* a veth takes its MTU, 14 bytes of header and a VLAN tag */

struct emu_xsk;
struct emu_security;
struct rte_eth_dev;
struct rte_eth_xstat;
struct rte_ring;

/* Counted by the device itself, beside what the kernel counts. */
struct emu_counters {
	uint64_t rx_packets, rx_bytes, rx_short;
	uint64_t tx_packets, tx_bytes;
	uint64_t tx_too_long, tx_short, tx_no_buffer;
};

struct emu_dev {
	const struct emu_profile *profile;
	struct rte_eth_dev *eth;  /* borrowed: it owns us */
	struct rte_mempool *pool; /* borrowed; given by the receive queue */
	char iface[IF_NAMESIZE];
	char loop[EMU_LOOP_NAME_MAX + 1];
	int xskmap_fd;
	uint32_t key;
	uint16_t mtu;
	uint16_t descriptors;
	struct emu_xsk *xsk;                /* owns, while started */
	struct rte_ring *loop_rx, *loop_tx; /* owned by both ends together */
	struct emu_security *security;      /* owns; NULL with profile "none" */
	struct emu_counters count;
	struct why why; /* of the last failed start */
};

/* The device of a port that is ours, or NULL. */
struct emu_dev *emu_dev_of_port(uint16_t port_id);

/* emu_afxdp.c: the socket. start fills dev->xsk or says why not in dev->why. */
enum err emu_xsk_start(struct emu_dev *dev) MUST_CHECK;
void emu_xsk_stop(struct emu_dev *dev);
int emu_xsk_fd(const struct emu_xsk *x);
uint16_t emu_xsk_rx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n);
/* How many frames emu_xsk_tx() takes now, at most n; all of those it takes, and owns. */
uint16_t emu_xsk_tx_room(struct emu_dev *dev, uint16_t n);
void emu_xsk_tx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n);
uint32_t emu_xsk_tx_waiting(const struct emu_xsk *x);
/* Moves waiting frames on; called also when nothing is to be sent. */
void emu_xsk_kick(struct emu_dev *dev);
uint64_t emu_xsk_rx_no_buffer(const struct emu_xsk *x);
/* The kernel's six numbers, in the order of emu_xsk_stat_names. */
#define EMU_XSK_STATS 6
extern const char *const emu_xsk_stat_names[EMU_XSK_STATS];
void emu_xsk_stats(const struct emu_xsk *x, uint64_t ret[EMU_XSK_STATS]);

/* emu_loop.c: two ports of one loop name, or one port with itself. */
enum err emu_loop_open(struct emu_dev *dev) MUST_CHECK;
void emu_loop_close(struct emu_dev *dev);
uint16_t emu_loop_rx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n);
uint16_t emu_loop_tx_room(struct emu_dev *dev, uint16_t n);
void emu_loop_tx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n);

#endif
