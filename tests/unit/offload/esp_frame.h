/* SPDX-License-Identifier: BSD-2-Clause */
/* ESP packets for this folder's tests: built here byte by byte, not by the code under test. */
#ifndef ESP_FRAME_H
#define ESP_FRAME_H
#include "engine.h"
#include <rte_mbuf.h>

struct esp_frame {
	bool v6, udp, options, fragment;
	uint8_t dst_last; /* last byte of the destination; 0: 1 */
	uint32_t spi;
	uint64_t seq;
	uint8_t iv[8];
	uint8_t text[1600];
	uint32_t len; /* of the text */
	uint8_t icv[16];
};

/* A text of that length that depends on the seed. */
void esp_fill(struct esp_frame *f, uint32_t len, uint32_t seed);

/* The frame, from its 12 address bytes on. */
struct rte_mbuf *esp_build(struct rte_mempool *pool, const struct esp_frame *f);

/* Any ESP packet in the outer headers of f. */
struct rte_mbuf *esp_wrap(struct rte_mempool *pool, const struct esp_frame *f, struct view esp);

/* Where the ESP header is. */
uint8_t *esp_at(struct rte_mbuf *m, const struct esp_frame *f);

/* What the ESP code above the engines would ask. */
struct engine_op esp_op(struct rte_mbuf *m, const struct esp_frame *f, struct engine_session *s,
                        bool esn);

/* An SA of these frames: addresses as in esp_build(). */
struct engine_sa esp_sa(const struct esp_frame *f, bool inbound, const char *cipher, bool esn);

/* Hex into at most max bytes; how many. */
size_t esp_hex(const char *hex, uint8_t *into, size_t max);

#endif
