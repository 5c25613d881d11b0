/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program should make of a frame: one row of the tests' tables, and its check. */
#ifndef EXPECT_H
#define EXPECT_H
#include "bed.h"
#include "frame.h"
#include <linux/bpf.h>

enum becomes {
	SAME,         /* the frame as it came: passed or dropped */
	WIRE_IN,      /* untagged, with a fabric header for the SPU's wire port */
	PLAIN_OUT,    /* untagged, one hop less, with a fabric header for its fabric port */
	PLAIN_OUT_GW, /* the same, not forwarded: the TTL stays */
	ROUTED,       /* one hop less, MAC addresses of egress and neighbour */
	SENT,         /* not forwarded, MAC addresses of egress and neighbour */
	BOUNCED,      /* with a fabric header that says how much the route takes */
	HANDED,       /* MAC addresses of the interface that the kernel takes it on */
};

struct expect {
	const char *what;
	const char *on; /* interface */
	struct frame in;
	int action; /* XDP_... */
	enum drop_reason drop;
	enum becomes out;
	uint32_t arg; /* anchor, tunnel, MTU, or the last byte of the destination's MAC address */
	uint32_t source;     /* the last byte of the source's MAC address */
	bool to_socket;      /* passed, and counted as redirected */
	const char *ingress; /* in the fabric header, where it is not `on` */
};

/* Runs the program on the row's frame and compares verdict, frame, counters. */
void expect_row(const struct expect *e, enum steer_fd prog, enum steer_where where);

/* The anchor of a tunnel of the bed. */
uint8_t expect_anchor(uint32_t tunnel);

#endif
