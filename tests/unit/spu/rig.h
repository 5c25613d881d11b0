/* SPDX-License-Identifier: BSD-2-Clause */
/* The two roads on a bench: one SPU's context, SAs by description, packets in and out.
 *
 * With RIG_SOFT frames go straight into the roads. With RIG_INLINE they come and go through the
 * emulated NIC on a memory loop, as a peer's frames would, and every SA is promoted. */
#ifndef RIG_H
#define RIG_H
#include "roads.h"
#include "runner.h"

enum rig_engine { RIG_SOFT, RIG_INLINE, RIG_ENGINES };
enum rig_road { RIG_IN, RIG_OUT };
enum { RIG_FRAME_MAX = 2048, RIG_NOW = 1000000, RIG_TUNNEL = 131073, RIG_ST0 = 77, RIG_ANCHOR = 7 };

struct rig {
	struct roads roads;
	struct node_shm *node; /* slot 0 is ours */
	struct sa_runtime_table runtime;
	struct sa_engines engines;
	enum rig_engine kind;
	struct rte_mempool *pool;
	uint16_t wire, far; /* ports of the loop; far is the peer's */
	char runtime_path[64];
	uint32_t slots; /* taken */
};

/* What differs from SA to SA; zero is a sensible default for most. */
struct rig_sa {
	const char *local, *remote; /* outer; NULL: 192.0.2.1, 198.51.100.2 */
	uint32_t spi_in, spi_out;   /* 0: 0x1007, 0x2000 */
	uint8_t protocol;           /* 0: ESP */
	uint8_t anchor;             /* 0: RIG_ANCHOR */
	uint16_t cipher, bits;      /* 0, 0 with ESP: AES-GCM of 128 */
	uint16_t integ;
	const uint8_t *key_in, *key_out; /* NULL: fixed; as long as the algorithms' rows say */
	const uint8_t *auth_in, *auth_out;
	bool udp, esn, not_sending, foreign_slot, manual;
	uint16_t local_port, remote_port; /* 0: 4500 */
	uint16_t window, epoch, instance;
	uint64_t hard_ms, serial;
	uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets;
	const struct sa *slots_of;        /* another SPU's view of the same SA */
	uint32_t tunnel;                  /* 0: RIG_TUNNEL */
	const char *ts_local, *ts_remote; /* prefix; NULL: everything of both families */
	uint8_t ts_proto;
	uint16_t ts_port_first, ts_port_last; /* of the remote side; 0, 0: all */
};

void eal_for(TCase *tc);
void rig_eal_up(void); /* without a test case */

struct rig *rig_new(enum rig_engine kind);
void rig_free(struct rig *rig);
/* As new, but for the memory: no SAs, no tunnels' options, counters at zero. */
void rig_clear(struct rig *rig);
/* A known tunnel; RIG_TUNNEL is there from the start. */
struct tunnel *rig_tunnel(struct rig *rig, uint32_t index);
struct sa *rig_sa(struct rig *rig, const struct rig_sa *spec);
/* The same, and whether the NIC gets it is the caller's business. */
struct sa *rig_sa_put(struct rig *rig, const struct rig_sa *spec);
/* Its record's body, as the routing engine would write it; returns the length. */
size_t rig_record(struct rig *rig, const struct rig_sa *spec, uint8_t *body, size_t cap);
/* Demotes or promotes both directions. */
void rig_promote(struct rig *rig, struct sa *sa, bool nic);
/* As if seq - 1 packets had passed: outbound seq is taken next, inbound it is expected next. */
void rig_seq(struct rig *rig, struct sa *sa, uint64_t seq);

struct rig_result {
	uint8_t drop; /* what the packet was dropped for; DROP_NONE: passed, consumed or held */
	bool consumed;
	size_t len; /* IP packet that came out; 0: none */
	uint8_t ip[RIG_FRAME_MAX];
	struct fabric_hdr meta; /* of it */
};

/* Takes one IP packet along a road. */
struct rig_result rig_run(struct rig *rig, enum rig_road road, const void *ip, size_t len);
/* An mbuf with that packet, as the port would hand it up. */
struct rte_mbuf *rig_mbuf(struct rig *rig, enum rig_road road, const void *ip, size_t len);

/* A frame for the wire port, as the peer gets it. */
struct rte_mbuf *rig_wire(struct rig *rig, struct rte_mbuf *m);

uint64_t rig_stat(const struct rig *rig, enum spu_stat s);
uint64_t rig_drops(const struct rig *rig);
/* in + made = out + dropped + merged + consumed + held */
void rig_sums_up(const struct rig *rig, uint64_t in, uint64_t out);
const char *rig_engine_name(enum rig_engine kind);

#endif
