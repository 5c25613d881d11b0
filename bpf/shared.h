/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract between the steering programs and user space: maps, keys, values.
 * docs/architecture.md, "How the programs meet", says how they work together.
 *
 * Included by BPF and by user space. Nothing is pinned: whoever needs a map is handed its
 * descriptor, or finds it by id and name. Maps keep their contents over every process's death, so a
 * new routing engine reconciles them, it does not fill them anew. Numbers are in host order unless
 * the type says __be. Padding is always zero, keys are compared as bytes. */
#ifndef SHARED_H
#define SHARED_H
#include "alive_words.h"
#include "drops.h"
#include "fabric.h"
#include <linux/types.h>

#define STEER_LAYOUT 2
#define STEER_SLOTS 64
#define STEER_ANCHORS 256
#define STEER_NOBODY 255 /* as a slot: no SPU */

/* Every map: name, and what it is. Names are at most 15 characters: they are how a map is found
 * again by id. */
#define STEER_MAPS(X)                                                      \
	X(ifaces)       /* u32 ifindex -> struct steer_iface */            \
	X(locals)       /* struct steer_local -> u32 1 */                  \
	X(inbound)      /* u32 profile -> struct steer_inbound */          \
	X(settings)     /* u32 0 -> struct steer_settings */               \
	X(anchors)      /* u32 anchor -> struct steer_anchor */            \
	X(alive)        /* u32 word -> u64, mmapable (alive_words.h) */    \
	X(manual_spis)  /* struct steer_manual -> u32 anchor */            \
	X(tunnels)      /* struct steer_hop -> struct steer_tunnel */      \
	X(nexthops)     /* struct steer_hop -> u64 boot time in ms, LRU */ \
	X(acquires)     /* ring buffer of struct steer_acquire */          \
	X(counters)     /* u32 index -> u64 per CPU (steer_counter()) */   \
	X(wire_ports)   /* devmap: slot -> our end of its wire veth */     \
	X(fabric_ports) /* devmap: slot -> our end of its fabric veth */   \
	X(wire_socks)   /* xskmap: slot -> the SPU's socket, wire port */  \
	X(fabric_socks) /* xskmap: slot -> the SPU's socket, fabric port */

/* Every program: name (at most 15 characters), and what it is attached to. */
#define STEER_PROGS(X)                                              \
	X(hawser_edge)   /* configured interfaces */                \
	X(hawser_wire)   /* our end of an SPU's wire veth */        \
	X(hawser_fabric) /* our end of an SPU's fabric veth */      \
	X(hawser_port)   /* the SPU's end of both: to its socket */ \
	X(hawser_st0)    /* st0.N */                                \
	X(hawser_st0far) /* the far end of st0.N */

/* What an interface is to us. */
enum steer_role {
	STEER_NONE = 0,
	STEER_EDGE,      /* a configured interface */
	STEER_ST0,       /* st0.N: the kernel's side */
	STEER_ST0_FAR,   /* its peer: what the kernel sends into st0.N comes out here */
	STEER_WIRE_RE,   /* our end of an SPU's wire veth */
	STEER_FABRIC_RE, /* our end of an SPU's fabric veth */
	STEER_WIRE_SPU,  /* the SPU's ends of them */
	STEER_FABRIC_SPU,
	STEER_ROLES
};

struct steer_iface {
	__u8 role;      /* enum steer_role */
	__u8 slot;      /* SPU, for the four last roles */
	__u16 zone;     /* EDGE, ST0: 1.., 0 is in no zone: its traffic is dropped */
	__u16 instance; /* routing instance; 0: the default one */
	__u8 inbound;   /* EDGE, ST0: index into map inbound */
	__u8 pass;      /* WIRE_SPU: the SPU's port is a packet socket, not an AF_XDP one */
	__u8 mac[6];    /* its own address */
	__u16 pad2;
	__u32 peer; /* ifindex of the veth's other end; 0 for EDGE */
};

/* One of our own addresses. IPv4 in the first four bytes, the rest zero. */
struct steer_local {
	__u16 instance;
	__u8 family; /* 4, 6 */
	__u8 pad;
	__u8 addr[16]; /* network order */
};

/* What the gateway itself takes on the interfaces that name this profile: bit maps by UDP and TCP
 * port, ICMP and ICMPv6 type, and IP protocol of each family. Bit n is word n / 64, bit n % 64.
 * Profile 0 is left empty: nothing. */
#define STEER_INBOUNDS 64
struct steer_inbound {
	__u64 udp[1024];
	__u64 tcp[1024];
	__u64 icmp[4];
	__u64 icmp6[4];
	__u64 proto4[4];
	__u64 proto6[4];
};

struct steer_settings {
	__u32 permit_all;     /* security policies default-policy permit-all */
	__u32 lease_limit_ms; /* 0: no cluster, the lease word is not looked at */
	/* Destination ports on which answers to our own UDP sockets come in
	 * (net.ipv4.ip_local_port_range). */
	__u16 reply_first;
	__u16 reply_last;
	__u32 pad;
};

/* Who serves an anchor: slots, or STEER_NOBODY. */
struct steer_anchor {
	__u8 owner;
	__u8 standin;
	__u16 pad;
};

/* SPIs that a user picked (manual SAs) say nothing about the anchor; only 256..16639 is asked. */
#define STEER_MANUAL_FIRST 256
#define STEER_MANUAL_LAST 16639
struct steer_manual {
	__u32 spi;
	__u16 instance;
	__u16 pad;
};

/* A next hop on an interface; family 0 and zeros: any. */
struct steer_hop {
	__u32 ifindex; /* map tunnels: of st0.N */
	__u8 family;   /* 4, 6, 0 */
	__u8 pad[3];
	__u8 addr[16]; /* network order, IPv4 in the first four bytes */
};

struct steer_tunnel {
	__u32 tunnel; /* index */
	__u8 anchor;
	__u8 has_sa; /* 0: drop, and say so in the acquire ring */
	__u16 mtu;   /* larger packets go to the kernel by st0.N, which answers; 0: no limit here */
};

/* "This tunnel is needed": a packet found it without an SA. */
#define STEER_ACQUIRE_RING 65536
struct steer_acquire {
	__u32 tunnel;
	__u32 ifindex; /* ingress; st0.N for the gateway's own packets */
	__u8 family;   /* of the packet: 4, 6 */
	__u8 protocol;
	__u16 pad;
	__u8 src[16];
	__u8 dst[16];
};

/* Counters: for each place, what came in and what became of it. A program takes a frame (IN) and
 * counts it exactly once more: PASSED (to the kernel), REDIRECTED (to another of our programs or
 * to an SPU's socket), LEFT (redirected out of a configured interface), or a drop reason. A frame
 * from a wire port that the kernel is to forward is taken twice at AT_WIRE: REDIRECTED to the
 * veth's other end, then PASSED.
 * What a redirect loses after the program has returned (a full device queue, no socket buffer) is
 * counted by the device: steer_device_counters(). */
enum steer_where {
	STEER_AT_EDGE = 0,
	STEER_AT_WIRE,     /* our end of the wire veths */
	STEER_AT_FABRIC,   /* our end of the fabric veths */
	STEER_AT_SPU_WIRE, /* the SPUs' ends */
	STEER_AT_SPU_FABRIC,
	STEER_AT_ST0,
	STEER_AT_ST0_FAR,
	STEER_WHERES
};
enum steer_stat { STEER_IN, STEER_PASSED, STEER_REDIRECTED, STEER_LEFT, STEER_STATS };
#define STEER_STAT_ROOM 64 /* then DROP_ROOM reasons */
#define STEER_COUNTERS (STEER_WHERES * (STEER_STAT_ROOM + DROP_ROOM))

static inline __u32 steer_counter(enum steer_where where, enum steer_stat stat)
{
	return (__u32)where * (STEER_STAT_ROOM + DROP_ROOM) + (__u32)stat;
}

static inline __u32 steer_drop_counter(enum steer_where where, enum drop_reason reason)
{
	return (__u32)where * (STEER_STAT_ROOM + DROP_ROOM) + STEER_STAT_ROOM + (__u32)reason;
}

#endif
