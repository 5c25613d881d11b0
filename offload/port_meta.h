/* SPDX-License-Identifier: BSD-2-Clause */
/* What a port knows about a packet besides its bytes: the fabric header, as an mbuf field.
 *
 * The port fills it on receive (from the frame's first 12 bytes on the fabric, or as a constant of
 * a VF) and reads it on transmit, so that nothing above the ports knows which kind they are. One
 * dynamic field, registered by whoever comes first. Data-plane thread. */
#ifndef PORT_META_H
#define PORT_META_H
#include "errors.h"
#include "fabric.h"
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

/* Registers the field (again: harmless) and sets port_meta_offset. */
enum err port_meta_register(struct why *why) MUST_CHECK;
extern int port_meta_offset;

static inline struct fabric_hdr *port_meta(struct rte_mbuf *m)
{
	return RTE_MBUF_DYNFIELD(m, (size_t)port_meta_offset, struct fabric_hdr *);
}

#endif
