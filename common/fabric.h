/* SPDX-License-Identifier: BSD-2-Clause */
/* The fabric header: on the fabric, a frame's 12 address bytes are ours (design: the way of a
 * packet).
 *
 * Between the steering programs and an SPU's ports nothing is looked up twice and no frame is
 * copied to make room. The EtherType after it and the IP packet stay as they were. Included by BPF
 * and by user space: plain types only. Numbers are in network byte order on the wire, so that a
 * capture can be read by hand. The first byte is even, so that no device takes the frame for a
 * multicast. */
#ifndef FABRIC_H
#define FABRIC_H
#include <linux/types.h>

#define FABRIC_HDR_LEN 12
#define FABRIC_VERSION 1

enum fabric_kind {
	FABRIC_WIRE_IN = 0x10,  /* edge -> SPU's wire port: encrypted, for one of our addresses */
	FABRIC_WIRE_OUT = 0x12, /* SPU's wire port -> fabric: encrypted, to be routed */
	FABRIC_PLAIN_OUT =
	        0x14, /* edge or st0 -> SPU's fabric port: to be encrypted into `tunnel` */
	FABRIC_PLAIN_IN =
	        0x16,          /* SPU's fabric port -> fabric: decrypted, ingress is the st0 unit */
	FABRIC_TOO_BIG = 0x1a, /* WIRE_OUT on its way back: the route takes only `tunnel` bytes */
	FABRIC_MARKER =
	        0x18, /* planned move: `tunnel` is the marker's number; consumed by the SPU */
};

struct fabric_hdr {
	__u8 kind; /* enum fabric_kind */
	__u8 anchor;
	__be16 instance; /* routing instance, 0: the default one */
	__be32 tunnel;   /* tunnel index; 0 where there is none */
	__be32 ifindex;  /* ingress: WIRE_IN the edge interface, PLAIN_OUT the interface that the
	                  * packet  came in on, PLAIN_IN the st0 unit, WIRE_OUT 0 (the gateway
	                  * itself)
	                  */
};
_Static_assert(sizeof(struct fabric_hdr) == FABRIC_HDR_LEN, "two MAC addresses");

/* EtherType of a marker frame (experimental, IEEE 802). */
#define FABRIC_ETHERTYPE_MARKER 0x88b5

#endif
