/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from a description, so that a table of tests says what matters and no more. */
#ifndef FRAME_H
#define FRAME_H
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 2048

/* Zero means the usual: TTL 64, to the interface's own MAC address. */
struct frame {
	uint8_t mac;      /* last byte of the destination; 0xff: broadcast */
	uint8_t from_mac; /* last byte of the source */
	uint16_t vlan[2]; /* tags, outer first: VID + 1 */
	const char *src, *dst;
	uint8_t ttl;
	uint8_t protocol;
	/* IPv6 extension headers in order: h hop-by-hop, d destination options, r routing,
	 * f first fragment, l later fragment, a atomic fragment, D one of 64 bytes.
	 * IPv4: o options, f first fragment, l later fragment, n may be fragmented. */
	const char *extensions;
	uint16_t port;       /* destination; ICMP: type */
	uint8_t tcp_flags;   /* 0: SYN */
	uint8_t code;        /* of ICMP */
	uint8_t quotes;      /* ICMP: protocol of the packet that it is about, with `spi` */
	uint16_t quoted;     /* bytes of it behind its IP header; 0: 16 */
	uint32_t spi;        /* ESP, AH, or the four bytes after UDP */
	uint16_t payload;    /* bytes behind the layer 4 header (UDP: the SPI is in it, if set) */
	uint16_t type;       /* EtherType, where it is not IP */
	uint8_t fabric;      /* instead of addresses: a fabric header of this kind */
	uint16_t instance;   /* in it */
	const char *ingress; /* in it: the interface that is named as the ingress */
};

/* Writes the frame, returns its length. mac: the interface's, when f->mac is 0. */
size_t frame_make(const struct frame *f, uint8_t mac, uint8_t out[FRAME_MAX]);
/* The same packet one hop later: TTL less, IPv4 checksum computed anew. */
void frame_hop(uint8_t *frame);
/* Removes VLAN tags. Returns the new length. */
size_t frame_untag(uint8_t *frame, size_t len);

#endif
