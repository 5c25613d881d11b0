/* SPDX-License-Identifier: BSD-2-Clause */
/* A child SA pair (RFC 7296 2.9, 2.17): what was negotiated, its keys, and its record.
 *
 * Lives under one IKE SA and belongs to one tunnel. Once its record is put, the SPUs have it; the
 * IKE core touches it again only to let it send, and to delete it. The event loop's thread. */
#ifndef CHILD_SA_H
#define CHILD_SA_H
#include "effects.h"
#include "env.h"
#include "hash.h"
#include "ike_keys.h"
#include "ike_proposal.h"
#include "ike_ts.h"
#include "list.h"

struct ike;
struct ike_sa;
struct tunnel;

struct child_sa {
	struct ike_sa *sa; /* borrowed: its owner */
	struct list of_sa, of_tunnel;
	struct hash_node by_spi;         /* by spi_in */
	uint32_t tunnel;                 /* index, as in the record */
	uint32_t spi_in, spi_out;        /* host order */
	uint8_t protocol;                /* PROTO_ESP or PROTO_AH */
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with AEAD */
	bool esn, initiator;
	bool sending; /* the peer is known to have it */
	uint16_t window;
	struct child_keys key[2]; /* inbound, outbound */
	struct ike_ts_list local_ts, remote_ts;
	uint32_t slot_in, slot_out;
	uint16_t epoch;
	uint64_t created_ms, soft_ms, hard_ms; /* 0: no end */
	uint64_t hard_bytes, hard_packets;     /* of each direction; 0: no end */
	uint64_t confirm_ms; /* when it may send at the latest; UINT64_MAX: it does */
	uint64_t serial;
	bool wish_delete; /* waits for the window */
	bool deleting;    /* our Delete is on its way */
};

enum { CHILD_IN = 0, CHILD_OUT = 1 };

static inline struct child_sa *child_sa_at(struct list *of_sa)
{
	return CONTAINER_OF(of_sa, struct child_sa, of_sa);
}

/* Takes the slots, derives the keys, and hangs it under the SA. nonces as of the exchange. */
enum err child_sa_new(struct ike_sa *sa, const struct child_choice *choice, uint32_t spi_in,
                      struct tunnel *t, struct child_sa **ret) MUST_CHECK;
/* Its record as it is now. */
void child_sa_put(struct ike_sa *sa, const struct child_sa *child, struct effects *fx);
/* Deletes the record, unhangs, wipes, frees. */
void child_sa_drop(struct ike_sa *sa, struct child_sa *child, struct effects *fx);
/* Wipes and frees without a word (the whole core ends). */
void child_sa_free(struct child_sa *child);
/* From a record; hangs it under its IKE SA. ERR_NOT_FOUND when that is not there. */
enum err child_sa_restore(struct ike *ike, struct view body) MUST_CHECK;

/* "aes-256-gcm", "aes-128-cbc/hmac-sha-256-128", "ah/hmac-sha1-96"; buf has 64 bytes. */
char *child_sa_suite_text(const struct child_sa *child, char buf[64]);

struct child_sa *child_sa_by_spi_out(struct ike_sa *sa, uint32_t spi);

#endif
