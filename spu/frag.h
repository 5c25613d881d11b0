/* SPDX-License-Identifier: BSD-2-Clause */
/* One packet becomes fragments: an inner IPv4 one before it is encrypted, an outer one after.
 *
 * Each fragment is a frame of its own in one piece, with the Ethernet header and the fabric header
 * of the whole; librte_ip_frag would chain header and payload, which neither cipher engines nor
 * the emulated NIC take. Nothing is lost on failure. Data-plane thread. */
#ifndef FRAG_H
#define FRAG_H
#include "errors.h"
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

/* 3,500 bytes through 576, and some more for packets that are fragmented again. */
enum { FRAG_MAX = 16 };

/* Splits the frame's IP packet into fragments of at most mtu bytes each (a multiple of 8 of payload
 * but for the last), in order. id: of IPv6 fragments. Returns how many; the frame is freed then. 0,
 * and nothing is changed, where there is no buffer, no room for 8 bytes, or more than FRAG_MAX
 * would be needed. The packet's header has been looked at (its length is that of the frame). */
uint16_t frag_split(struct rte_mempool *pool, struct rte_mbuf *m, uint32_t mtu, uint32_t id,
                    struct rte_mbuf *ret[FRAG_MAX]);

#endif
