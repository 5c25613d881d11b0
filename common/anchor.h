/* SPDX-License-Identifier: BSD-2-Clause */
/* The SPI carries the anchor (idea 1).
 *
 * 256 logical SPUs, the anchors. Every SPI that we choose has the anchor in its last byte on the
 * wire, the node that chose it in bit 8, is never 0 to 255, and is random otherwise. Steering needs
 * no table of SAs: a packet says itself where it belongs. Any thread. */
#ifndef ANCHOR_H
#define ANCHOR_H
#include "addr.h"
#include "env.h"

#define ANCHORS 256
#define ANCHOR_NOBODY 255 /* in tables of slots: no SPU */
#define SPU_SLOTS 64

/* The anchor of an ESP or AH SPI, host order. */
static inline uint8_t anchor_of_spi(uint32_t spi)
{
	return (uint8_t)spi;
}

/* The anchor of one of our IKE SPIs: its last byte. */
static inline uint8_t anchor_of_ike_spi(const uint8_t spi[8])
{
	return spi[7];
}

/* The node that chose the SPI. */
static inline uint8_t anchor_node_of_spi(uint32_t spi)
{
	return (uint8_t)(spi >> 8 & 1);
}

/* SipHash-2-4 under env->anchor_key of our address, the peer's, our port and the peer's, so that
 * both directions of an exchange agree; version 1 of the function. */
uint8_t anchor_of_endpoints(const struct env *env, const struct endpoint *local,
                            const struct endpoint *remote);

/* A random SPI of this node for the anchor; the caller draws again while it is in use. */
uint32_t anchor_new_spi(struct env *env, uint8_t anchor);
void anchor_new_ike_spi(struct env *env, uint8_t anchor, uint8_t ret_spi[8]);

#endif
