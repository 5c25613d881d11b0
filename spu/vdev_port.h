/* SPDX-License-Identifier: BSD-2-Clause */
/* A wire port of one of DPDK's own software drivers: `chassis … port vdev ARGS`.
 *
 * Linked in is net_af_packet: a packet socket with rings on the SPU's end of its wire veth, where
 * the steering lets frames pass. It has no crypto, and knows nothing of fabric headers: struct
 * ports copies them (ports.h). EAL must be up; main thread. */
#ifndef VDEV_PORT_H
#define VDEV_PORT_H
#include "errors.h"
#include <stdint.h>

struct rte_mempool;

/* Makes and starts the port. args: "net_af_packet0[,key=value…]", as the configuration was checked;
 * iface, and the size of the rings' frames, are filled in. ret_fd: the driver's own socket, to
 * sleep on and to ask for what it lost (borrowed). */
enum err vdev_port_open(const char *args, const char *iface, struct rte_mempool *pool,
                        uint16_t *ret_port, int *ret_fd, struct why *why) MUST_CHECK;
void vdev_port_close(uint16_t port);

#endif
