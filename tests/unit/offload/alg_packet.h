/* SPDX-License-Identifier: BSD-2-Clause */
/* One packet of any suite, built here byte by byte and sealed by OpenSSL: what the engines' work is
 * compared with. Buffers are as long as the packet, with a margin on both sides that nobody may
 * write to. */
#ifndef ALG_PACKET_H
#define ALG_PACKET_H
#include "engine.h"
#include <rte_mbuf.h>

#define ALG_MARGIN 96
#define ALG_SUITES_MAX 80

struct alg_suite {
	const struct alg_cipher *cipher; /* NULL: AH */
	const struct alg_integ *integ;
	bool esn;
	char name[64];
};

struct alg_packet {
	const struct alg_suite *suite;
	uint32_t spi, text_len;
	uint64_t seq;
	uint8_t key[40], auth_key[64], implicit_iv[8], icv_aside[64];
	struct rte_mbuf m;
	uint8_t *all; /* owns: margin, packet, margin */
	size_t all_len;
	uint8_t *at; /* ESP: SPI. AH: IP header */
	uint8_t *iv, *text, *icv;
	uint8_t icv_len;
};

/* Every suite of the tables that runs in software, each with and without ESN. Returns how many. */
size_t alg_suites(struct alg_suite suites[2 * ALG_SUITES_MAX]);

/* Whether the suite takes a text of that length: whole blocks only with CBC. */
bool alg_fits(const struct alg_suite *s, uint32_t text_len);

/* Keys, sequence number, IV and text depend on the seed; the ICV is zero. */
void alg_packet_init(struct alg_packet *p, const struct alg_suite *s, uint32_t text_len,
                     uint32_t seed);
void alg_packet_done(struct alg_packet *p);

/* Seals it by OpenSSL. */
void alg_packet_seal(struct alg_packet *p);

/* What the code above the engines would ask, from what is in the packet now. Inbound AH takes the
 * ICV out of the packet. */
struct engine_op alg_packet_op(struct alg_packet *p, struct engine_session *s, bool inbound);
struct engine_sa alg_packet_sa(const struct alg_packet *p, bool inbound);

#endif
