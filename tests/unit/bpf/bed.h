/* SPDX-License-Identifier: BSD-2-Clause */
/* The test bed: a network namespace of its own with real veths, routes and neighbours.
 *
 *   u-peer -- eth-u (zone 1)   wire veths   w0/w0s w1/w1s   (slots 0, 1)
 *   t-peer -- eth-t (zone 2)   fabric veths f0/f0s f1/f1s
 *   n-peer -- eth-n (no zone)  st0.1/far1 (zone 3), st0.2/far2 (zone 3, two next hops)
 *
 * eth-u 192.0.2.1/24 2001:db8:1::1/64, default route by 192.0.2.2 and 2001:db8:1::2
 * eth-t 10.1.1.1/24  2001:db8:2::1/64, neighbours .2 known, others not
 * st0.1 10.2.0.0/16 2001:db8:a::/48; st0.2 10.3.0.0/16 by 10.254.0.2, 10.4.0.0/16 by 10.254.0.3
 * Made once per test case (an unchecked fixture), gone with the process. */
#ifndef BED_H
#define BED_H
#include "steer.h"
#include <stddef.h>

/* MAC addresses end in these: 02:00:00:00:00:xx. */
enum {
	MAC_ETH_U = 0x10,
	MAC_U_PEER,
	MAC_ETH_T,
	MAC_T_PEER,
	MAC_ETH_N,
	MAC_W0 = 0x20,
	MAC_F0 = 0x30,
	MAC_ST0_1 = 0x41,
	MAC_ST0_2 = 0x42
};

/* Anchors and tunnels of the bed. */
enum {
	ANCHOR_0 = 0x07,       /* owner slot 0, stand-in slot 1 */
	ANCHOR_1 = 0x09,       /* owner slot 1, stand-in slot 0 */
	ANCHOR_NONE = 0xee,    /* nobody */
	ANCHOR_DEAD = 0xdd,    /* owner and stand-in are dead */
	ANCHOR_STANDIN = 0xcc, /* the owner is dead, the stand-in is slot 1 */
	TUNNEL_1 = 131073,     /* st0.1, any next hop, ANCHOR_0, MTU 1400 */
	TUNNEL_2 = 131074,     /* st0.2, 10.254.0.2, ANCHOR_1 */
	TUNNEL_3 = 131075,     /* st0.2, 10.254.0.3, no SA */
	SLOT_DEAD = 5
};

struct bed {
	struct steer *steer;
	_Atomic uint64_t *alive;
};
extern struct bed bed;

void bed_setup(void);
void bed_teardown(void);
uint32_t bed_ifindex(const char *name);
/* Runs "ip" on lines of commands. */
void bed_ip(const char *lines);
/* Restores alive words and settings. */
void bed_reset(void);
void bed_permit(bool permit_all);

struct run {
	int action; /* XDP_... */
	uint8_t out[2048];
	size_t len;
	int drop;                            /* the reason that was counted; 0 none */
	int in, passed, redirected, dropped; /* what the program counted */
};
/* Runs a program on a frame as if received on the interface. */
struct run bed_run(enum steer_fd prog, enum steer_where where, const char *ifname,
                   const uint8_t *frame, size_t len);

#endif
