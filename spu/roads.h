/* SPDX-License-Identifier: BSD-2-Clause */
/* The two roads of a packet: frames in, frames out, nothing else.
 *
 * A road takes a burst of frames as a port received them and gives back those that go on, in the
 * order in which they came. Every other one it has freed and counted: by exactly one reason of
 * drops.def, as consumed, or it is held for a planned move. It allocates nothing, logs nothing and
 * waits for nobody; ports are the caller's. Data-plane thread. */
#ifndef ROADS_H
#define ROADS_H
#include "hold.h"
#include "icmp_error.h"
#include "iv_source.h"
#include "pkt.h"
#include "reasm.h"
#include "spill.h"
#include "tell.h"

struct roads {
	struct spu_slot *shm; /* ours: counters, events */
	struct sa_table sas;
	struct sa_runtime_table *runtime; /* borrowed */
	struct iv_source *ivs;            /* borrowed: for CBC */
	struct rte_mempool *pool;         /* borrowed: of fragments and answers */
	struct reasm reasm;
	struct spill line;    /* plain frames that take the outbound road before all others */
	struct spill ready;   /* encrypted ones, for the wire port */
	struct spill answers; /* for the fabric port */
	struct icmp_limit icmp_limit;
	uint16_t ip_id;   /* of IPv4 headers that may be fragmented, or that we make */
	uint32_t frag_id; /* of IPv6 fragments */
	struct hold hold;
	struct tell tell;
	uint64_t now_ms;   /* CLOCK_BOOTTIME, as of this burst */
	uint16_t wire_mtu; /* largest outer packet that the wire port takes */
	uint32_t marker;   /* number of a marker frame that was read, until the caller says so */
	bool marker_read;
	bool nic_missed;    /* an SA fell back: its session is to be deleted */
	bool nic_lost;      /* the NIC says, or shows, that its SA table is gone */
	struct burst burst; /* in work */
};

/* Encrypted frames of the wire port -> plain frames for the fabric port. n <= BURST. */
uint16_t inbound_run(struct roads *r, struct rte_mbuf **in, uint16_t n, struct rte_mbuf **ret_out);
/* Plain frames of the fabric port -> encrypted frames for the wire port. n <= BURST. */
uint16_t outbound_run(struct roads *r, struct rte_mbuf **in, uint16_t n, struct rte_mbuf **ret_out);
/* A burst of frames that were held and may go now takes the outbound road. False when none was
 * left; else *ret_n (perhaps 0) go on. */
bool outbound_release(struct roads *r, struct rte_mbuf **ret_out, uint16_t *ret_n);
/* After each of these two, until it says false: what they had no room for (fragments, and what came
 * behind them). At most BURST frames for the wire port each time. */
bool outbound_more(struct roads *r, struct rte_mbuf **ret_out, uint16_t *ret_n);
/* After that: answers to the senders, for the fabric port. At most BURST; 0: no more. */
uint16_t outbound_answers(struct roads *r, struct rte_mbuf **ret_out);

/* Their stages, in the order in which they are called (esp_in.c, esp_out.c). */
void esp_in_parse(struct roads *r);
void esp_in_find(struct roads *r);
void esp_in_prepare(struct roads *r);
void esp_in_engine(struct roads *r);
void esp_in_accept(struct roads *r);
void esp_in_finish(struct roads *r);
void esp_out_prepare(struct roads *r);
void esp_out_too_big(struct roads *r); /* too_big.c */
void esp_out_number(struct roads *r);
void esp_out_write(struct roads *r);
void esp_out_engine(struct roads *r);
void esp_out_split(struct roads *r); /* too_big.c */

/* What AH does otherwise (ah_in.c, ah_out.c), packet by packet within those stages. Before the
 * engine the outer header becomes what is authenticated; outbound it is put back behind it. */
bool ah_in_fits(struct pkt *p);
uint8_t ah_in_mute(struct pkt *p, struct pkt_own *own); /* a drop reason */
void ah_in_op(struct engine_op *op, const struct pkt *p, struct pkt_own *own);
void ah_out_write(struct pkt *p);
void ah_out_op(struct engine_op *op, const struct pkt *p, struct pkt_own *own);
void ah_out_finish(struct pkt *p, const struct pkt_own *own);

/* Both roads' beginning and end (roads.c). Begin reads the fabric header: frames of another kind
 * and version are dropped, markers consumed. End frees what does not go on. */
void road_begin(struct roads *r, struct rte_mbuf **in, uint16_t n, enum fabric_kind want);
uint16_t road_end(struct roads *r, struct rte_mbuf **ret_out);

#endif
