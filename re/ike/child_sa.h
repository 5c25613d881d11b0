/* SPDX-License-Identifier: BSD-2-Clause */
/* A child SA pair (RFC 7296 2.9, 2.17): what was negotiated, its keys, and its record.
 *
 * Lives under one IKE SA and belongs to one tunnel. Once its record is put, the SPUs have it; the
 * IKE core touches it again only to let it send, and to delete it. The event loop's thread. */
#ifndef CHILD_SA_H
#define CHILD_SA_H
#include "child_fsm.h"
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
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with AEAD */
	uint8_t protocol;                /* PROTO_ESP or PROTO_AH */
	bool esn;
	bool initiator;               /* of the exchange that made it (LT-03) */
	bool sending;                 /* the peer is known to have it */
	bool wish_delete, wish_rekey; /* wait for the window */
	bool replaced;                /* its end is no news */
	bool ours_to_delete;          /* as soon as it is replaced */
	bool spent;                   /* carries no more; its successor is on its way */
	uint8_t tries;                /* rekeys that failed */
	enum child_state state;       /* written by child_fsm.c alone */
	uint16_t window, epoch;
	struct child_keys key[2]; /* inbound, outbound */
	struct ike_ts_list local_ts, remote_ts;
	uint32_t slot_in, slot_out;
	uint64_t created_ms, soft_ms, hard_ms; /* 0: no end */
	uint64_t hard_bytes, hard_packets;     /* of each direction; 0: no end */
	/* When something is due; UINT64_MAX: never. WAITING: the next look whether the peer uses
	 * it; UP: a rekey; REPLACED: our Delete; LINGERING: its end. */
	uint64_t next_ms;
	uint64_t confirm_ms; /* WAITING: the last look */
	uint64_t idle_ms;    /* the next look whether the tunnel is idle; 0: never */
	uint64_t serial;
};

enum { CHILD_IN = 0, CHILD_OUT = 1 };

static inline struct child_sa *child_sa_at(struct list *of_sa)
{
	return CONTAINER_OF(of_sa, struct child_sa, of_sa);
}

/* Still of use: neither replaced nor on its way out. */
static inline bool child_sa_alive(const struct child_sa *c)
{
	return (c->state == CHILD_WAITING || c->state == CHILD_UP) && !c->wish_delete;
}

/* What a child SA is made of. All borrowed for the call. */
struct child_parts {
	struct tunnel *tunnel;
	const struct child_choice *choice;
	uint32_t spi_in;
	const struct ike_ts_list *local, *remote;
	struct view nonce_i, nonce_r;
	struct view secret; /* of its own Diffie-Hellman; empty: none */
	bool initiator;     /* we are, of this exchange */
};

/* Takes the slots, derives the keys, and hangs it under the SA, in CHILD_NEW: let a step follow.
 */
enum err child_sa_new(struct ike_sa *sa, const struct child_parts *parts,
                      struct child_sa **ret) MUST_CHECK;
/* Under another IKE SA, which takes over from its own (RFC 7296 2.8). */
void child_sa_move(struct child_sa *child, struct ike_sa *to, struct effects *fx);
/* A packet of the peer was accepted on it. */
bool child_sa_heard(const struct child_sa *child);
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
/* By ours, under this SA. */
struct child_sa *child_sa_by_spi_in(struct ike_sa *sa, uint32_t spi);

#endif
