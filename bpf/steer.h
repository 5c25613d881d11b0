/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads, attaches and feeds the steering programs (ideas 1 and 4 of docs/architecture.md).
 *
 * A struct steer is a set of descriptors: the maps and programs of shared.h. steer_open() makes
 * them, steer_adopt() takes those that a predecessor made: from the keeper, or by id. The programs
 * stay attached and the maps keep their contents when every process is dead, so a new routing
 * engine adopts and reconciles, and neither it nor an SPU that restarts loads or attaches anything.
 *
 * All functions act in the network namespace of the calling thread (devmaps and attachments are
 * resolved there). The routing engine's loop thread only; steer_counters() any thread. Needs
 * CAP_NET_ADMIN and CAP_BPF, steer_adopt_ids() CAP_SYS_ADMIN. */
#ifndef STEER_H
#define STEER_H
#include "addr.h"
#include "errors.h"
#include "shared.h"
#include <stdbool.h>
#include <stdint.h>

struct steer;

/* Numbers of the descriptors: maps, then programs. An interface between programs (the keeper hands
 * them on by number, node_shm.h has their ids by number): add at the end of the lists. */
enum steer_fd {
#define STEER_FD(name) STEER_FD_##name,
	STEER_MAPS(STEER_FD) STEER_PROGS(STEER_FD)
#undef STEER_FD
	        STEER_FDS
};

/* "ifaces", "hawser_edge": the kernel's name of it, too. */
const char *steer_fd_name(enum steer_fd n);
bool steer_fd_is_prog(enum steer_fd n);

/* ---- life ---------------------------------------------------------------------------------- */

/* Loads programs and maps; attaches nothing. All anchors have nobody, the policy is deny-all. */
enum err steer_open(struct steer **ret, struct why *why) MUST_CHECK;
/* Takes descriptors of a predecessor (all STEER_FDS, by number). Checks names and sizes:
 * ERR_VERSION when they are of another layout; then the caller still owns them, else *ret does. */
enum err steer_adopt(const int fds[STEER_FDS], struct steer **ret, struct why *why) MUST_CHECK;
/* The same by the ids that steer_ids() gave. ERR_NOT_FOUND when one is gone. */
enum err steer_adopt_ids(const uint32_t ids[STEER_FDS], struct steer **ret,
                         struct why *why) MUST_CHECK;
/* Closes the descriptors; what is attached stays attached. Takes NULL. */
void steer_close(struct steer *s);
AUTO_DEFINE(struct steer, steer_close);

/* Borrowed descriptor: for the keeper, and for SPUs (wire_socks, fabric_socks, alive). */
int steer_fd(const struct steer *s, enum steer_fd n);
enum err steer_ids(const struct steer *s, uint32_t ret_ids[STEER_FDS]) MUST_CHECK;

/* ---- interfaces ---------------------------------------------------------------------------- */

/* Writes the map entry, then attaches the role's program in native mode, unless it is there
 * already. Another program that is attached is an error (ERR_BUSY), never replaced; a program of an
 * earlier load of ours, under the same name, is replaced in one step. */
enum err steer_attach(struct steer *s, uint32_t ifindex, const struct steer_iface *iface,
                      struct why *why) MUST_CHECK;
/* Detaches our program, then removes the map entry. An interface that is gone is no error. */
enum err steer_detach(struct steer *s, uint32_t ifindex, struct why *why) MUST_CHECK;
/* The entry alone: zone, MAC address, profile changed. */
enum err steer_iface_set(struct steer *s, uint32_t ifindex,
                         const struct steer_iface *iface) MUST_CHECK;
enum err steer_iface_get(struct steer *s, uint32_t ifindex, struct steer_iface *ret) MUST_CHECK;
enum err steer_iface_del(struct steer *s, uint32_t ifindex) MUST_CHECK;
/* Calls fn for each interface that the map has; fn may delete the entry it is given. */
void steer_iface_each(struct steer *s,
                      void (*fn)(void *ctx, uint32_t ifindex, const struct steer_iface *iface),
                      void *ctx);

/* The SPU's two ports: ifindexes of our ends of its veths; 0 takes them out. */
enum err steer_port_set(struct steer *s, uint8_t slot, uint32_t wire, uint32_t fabric,
                        struct why *why) MUST_CHECK;

/* ---- anchors ------------------------------------------------------------------------------- */

enum err steer_anchor_set(struct steer *s, uint8_t anchor, uint8_t owner,
                          uint8_t standin) MUST_CHECK;
/* The alive words (alive_words.h), mapped shared and writable; unmapped by steer_close(). */
enum err steer_alive(struct steer *s, _Atomic uint64_t **ret) MUST_CHECK;
enum err steer_manual_set(struct steer *s, uint16_t instance, uint32_t spi,
                          uint8_t anchor) MUST_CHECK;
enum err steer_manual_del(struct steer *s, uint16_t instance, uint32_t spi) MUST_CHECK;

/* ---- addresses, tunnels, zones ------------------------------------------------------------- */

enum err steer_local_set(struct steer *s, uint16_t instance, const struct addr *a) MUST_CHECK;
enum err steer_local_del(struct steer *s, uint16_t instance, const struct addr *a) MUST_CHECK;
void steer_local_each(struct steer *s,
                      void (*fn)(void *ctx, uint16_t instance, const struct addr *a), void *ctx);

/* next_hop NULL or of family ADDR_NONE: every next hop on that st0 unit. */
enum err steer_tunnel_set(struct steer *s, uint32_t st0_ifindex, const struct addr *next_hop,
                          const struct steer_tunnel *t) MUST_CHECK;
enum err steer_tunnel_del(struct steer *s, uint32_t st0_ifindex,
                          const struct addr *next_hop) MUST_CHECK;
void steer_tunnel_each(struct steer *s,
                       void (*fn)(void *ctx, const struct steer_hop *hop,
                                  const struct steer_tunnel *t),
                       void *ctx);

/* Fills one profile of host-inbound traffic: asks allows() for every UDP and TCP port, ICMP type
 * and protocol (the signature of inbound_allows() in re/config). Profiles 1..STEER_INBOUNDS - 1. */
typedef bool steer_allows_fn(const void *ctx, uint8_t family, uint8_t protocol, uint16_t port);
enum err steer_inbound_set(struct steer *s, uint8_t profile, steer_allows_fn *allows,
                           const void *ctx) MUST_CHECK;

enum err steer_settings_set(struct steer *s, const struct steer_settings *settings) MUST_CHECK;

/* ---- events, counters ---------------------------------------------------------------------- */

/* A descriptor that becomes readable when traffic needs a tunnel; borrowed. steer_acquire_read()
 * calls fn for what is there (at most max events) and returns how many. */
enum err steer_acquire_fd(struct steer *s, int *ret_fd, struct why *why) MUST_CHECK;
int steer_acquire_read(struct steer *s, int max,
                       void (*fn)(void *ctx, const struct steer_acquire *), void *ctx);

struct steer_counts {
	uint64_t stat[STEER_WHERES][STEER_STATS]; /* enum steer_stat */
	uint64_t drop[STEER_WHERES][DROP_MAX];
};
/* Sums over all CPUs. */
enum err steer_counters(const struct steer *s, struct steer_counts *ret) MUST_CHECK;

/* What an interface has counted (ETHTOOL_GSTATS of the veth driver, summed over its queues; 0 where
 * the driver has no such counter; and the device's own). A redirect may fail after the program has
 * returned, so that the program counted REDIRECTED; where such a frame went:
 * - into a veth (devmap, st0's far end): tx_xdp_xmit_errors of that end when the peer's ring of 256
 *   frames is full; its peer's program sees tx_xdp_xmit frames;
 * - to an AF_XDP socket without room: rx_drops of the SPU's end, and XDP_STATISTICS of the socket;
 * - what a socket sends into a veth whose peer's ring is full: tx_dropped of that end. */
struct steer_device_counts {
	uint64_t rx_xdp_packets;         /* frames that its program took */
	uint64_t rx_xdp_redirect;        /* of these: redirected, and it worked */
	uint64_t rx_xdp_drops;           /* of these: dropped by the program */
	uint64_t rx_drops;               /* lost before the program, or by a redirect that failed */
	uint64_t tx_xdp_xmit;            /* redirected into this end, and handed to its peer */
	uint64_t tx_xdp_xmit_errors;     /* redirected into this end, and lost */
	uint64_t rx_dropped, tx_dropped; /* the device's own counters */
};
enum err steer_device_counters(const char *ifname, struct steer_device_counts *ret) MUST_CHECK;

/* Next hops that the programs used, and when (CLOCK_BOOTTIME, ms): so that neighbours that only XDP
 * uses are probed. Deletes entries older than forget_ms. */
void steer_nexthops(struct steer *s, uint64_t now_ms, uint64_t forget_ms,
                    void (*fn)(void *ctx, uint32_t ifindex, const struct addr *next_hop,
                               uint64_t used_ms),
                    void *ctx);

#endif
