/* SPDX-License-Identifier: BSD-2-Clause */
/* An SPU's two ports: frames in and out, all of them counted (settled: 5.10).
 *
 * Each is an ethdev port, and nothing above knows of which kind: a driver that is not ours leaves
 * the fabric header in the frame, and it is copied here. What comes in, also what the device had
 * no room for, is counted as received; what the device took and then could not send is counted as
 * dropped instead of sent. So per SPU: received = sent + dropped + consumed + held. Data-plane
 * thread. */
#ifndef PORTS_H
#define PORTS_H
#include "errors.h"
#include "node_shm.h"
#include <stdint.h>

struct rte_mbuf;

enum port_side { PORT_WIRE, PORT_FABRIC, PORT_SIDES };
enum { PORT_COUNTERS = 8 };

struct port {
	uint16_t id;
	int fd;         /* to sleep on with POLLIN; borrowed from the driver */
	bool is_packet; /* fd is a packet socket, and the driver is DPDK's */
};

struct ports {
	struct port at[PORT_SIDES];
	struct spu_slot *shm;
	uint64_t counter[PORT_SIDES][PORT_COUNTERS]; /* ids of the extended statistics */
	uint64_t seen[PORT_SIDES][PORT_COUNTERS];
	uint64_t sec_errors; /* frames that were marked for a session that the NIC has not */
};

/* The ports are started; looks up their statistics. */
void ports_init(struct ports *p, const struct port at[PORT_SIDES], struct spu_slot *shm);

/* At most max frames. */
uint16_t ports_rx(struct ports *p, enum port_side side, struct rte_mbuf **ret, uint16_t max);
/* Sends n frames (taken): what the ring has no room for is dropped, and counted. */
void ports_tx(struct ports *p, enum port_side side, struct rte_mbuf **m, uint16_t n);
/* Frames that the port has taken and the kernel has not. */
uint32_t ports_tx_waiting(const struct ports *p, enum port_side side);
/* Hands those on again. */
void ports_tx_again(struct ports *p, enum port_side side);
/* Adds to the counters what the devices say; seldom. Returns how many frames were lost for want of
 * their session. */
uint64_t ports_count(struct ports *p);

#endif
