/* SPDX-License-Identifier: BSD-2-Clause */
/* Outer fragments become the packet again that the peer's gateway sent, before it is decrypted.
 *
 * The steering sends all fragments of one packet to one SPU. Each fragment's bytes go to their
 * place in a buffer at once and its frame is freed, so a packet under way costs one buffer,
 * whatever it is made of. librte_ip_frag was looked at: it takes overlapping fragments, chains
 * frames, and ends at eight of them.
 *
 * What an attacker can do is bounded: REASM_PACKETS under way, the oldest goes where one more
 * comes; REASM_PARTS fragments of a packet; REASM_MS of time; the longest packet is what a buffer
 * takes. Fragments that overlap refuse the packet, and with it all that still comes of it (RFC 5722
 * 4; for IPv4 too, where nobody honest makes any). Every fragment is counted: merged, dropped, or
 * held. Data-plane thread. */
#ifndef REASM_H
#define REASM_H
#include "list.h"
#include "node_shm.h"

struct rte_mbuf;
struct rte_mempool;

enum { REASM_PACKETS = 128, REASM_CHAINS = 256, REASM_PARTS = 16, REASM_MS = 5000 };
enum { REASM_HEAD_MAX = 128 }; /* of the headers in front of the fragmented part */

/* RFC 791 3.2, RFC 8200 4.5: what belongs together. */
struct reasm_key {
	uint8_t src[16], dst[16];
	uint32_t id;
	uint16_t instance;
	uint8_t family; /* 4, 6 */
	uint8_t proto;
};

struct reasm_part {
	uint16_t first, end; /* bytes of the fragmented part */
};

struct reasm_packet {
	struct list by_age, by_key;
	struct reasm_key key;
	struct rte_mbuf *m; /* owns; NULL: refused, what still comes is dropped */
	uint64_t since_ms;
	uint16_t held;  /* fragments in it, not yet counted */
	uint16_t parts; /* in order, apart */
	uint16_t total; /* length of the fragmented part; 0 while the last one is missing */
	uint16_t have;  /* bytes of it */
	uint16_t head_len;
	uint8_t ecn_seen; /* a bit for each field (RFC 3168 5.3) */
	struct reasm_part part[REASM_PARTS];
	uint8_t head[REASM_HEAD_MAX]; /* of the first fragment, without fragment header */
};

struct reasm {
	struct list free, by_age; /* oldest first */
	struct list chain[REASM_CHAINS];
	struct reasm_packet at[REASM_PACKETS];
	uint32_t held; /* fragments */
	uint64_t seed; /* of the chains: nobody outside may choose one */
};

void reasm_init(struct reasm *r, uint64_t seed);
/* Forgets all that is under way, counting its fragments as `reason`. */
void reasm_clear(struct reasm *r, struct spu_slot *shm, enum drop_reason reason);

/* Takes a fragment of ESP or AH (its outer header has been looked at). DROP_NONE: *ret is the
 * packet, whole, or NULL while something is missing; the frame was taken in both cases. Another
 * reason: the frame is still the caller's. */
enum drop_reason reasm_add(struct reasm *r, struct rte_mempool *pool, struct rte_mbuf *m,
                           struct spu_slot *shm, uint64_t now_ms, struct rte_mbuf **ret);

/* Drops what has waited too long; cheap when there is none. */
void reasm_expire(struct reasm *r, struct spu_slot *shm, uint64_t now_ms);

#endif
