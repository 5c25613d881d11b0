/* SPDX-License-Identifier: BSD-2-Clause */
/* IKEv2 messages: header, chain of payloads, what they hold; and how ours are built (RFC 7296 3.1,
 * 3.2, 3.14).
 *
 * Reading goes in steps that each do a whole job: header, outer chain, SK opened (payload_sk.c),
 * inner chain, rules (ike_rules.c), content. Views live as long as the bytes. Any thread. */
#ifndef IKE_MESSAGE_H
#define IKE_MESSAGE_H
#include "payload.h"

/* RFC 7296 3.1 */
enum ike_exchange {
	EX_IKE_SA_INIT = 34,
	EX_IKE_AUTH = 35,
	EX_CREATE_CHILD_SA = 36,
	EX_INFORMATIONAL = 37,
};
enum { IKE_FLAG_INITIATOR = 0x08, IKE_FLAG_VERSION = 0x10, IKE_FLAG_RESPONSE = 0x20 };
enum { IKE_HEADER_LEN = 28, IKE_VERSION_2 = 0x20 };

#define IKE_MESSAGE_MAX 49152 /* what we read, whole or from fragments; longer ones are dropped */
#define IKE_INIT_MAX 8192     /* of IKE_SA_INIT, which each half-open SA keeps */
#define IKE_OUT_MAX 40960     /* what we write, before it is fragmented */
#define IKE_FRAGMENTS_MAX 32  /* of one message, in or out */
#define IKE_FRAGMENT_MAX 1300 /* the largest datagram with a fragment */
#define IKE_PAYLOADS_MAX 48

struct ike_header {
	uint8_t spi_i[8], spi_r[8];
	uint8_t next, version, exchange, flags;
	uint32_t id, length;
};

struct ike_payload {
	uint8_t type;
	bool critical;
	struct view body;
};

struct ike_payloads {
	struct ike_payload at[IKE_PAYLOADS_MAX];
	size_t n;
	uint8_t inner; /* the first payload inside, when the last of the chain is SK */
};

/* Reads the header; ERR_LENGTH unless it counts the message's bytes exactly. Its version is not
 * checked: the caller decides what to say. */
enum err ike_header_read(struct view message, struct ike_header *ret) MUST_CHECK;
/* The chain that begins with a payload of type first. SK ends it. */
enum err ike_payloads_read(struct reader r, uint8_t first, struct ike_payloads *ret) MUST_CHECK;

/* Where payloads stand: in the clear or inside SK. */
enum ike_where { IKE_CLEAR, IKE_ENCRYPTED };

/* Which payloads a message may and must have (ike_rules.c). ERR_UNSUPPORTED names in *ret_type a
 * critical payload that we do not know (2.5); ERR_SYNTAX one that is missing, too often there or
 * out of place. */
enum err ike_rules_check(const struct ike_header *h, enum ike_where where,
                         const struct ike_payloads *p, uint8_t *ret_type) MUST_CHECK;

#define IKE_NOTIFIES_MAX 24
#define IKE_DELETES_MAX 4

/* What the payloads hold, each read whole. Absent ones are empty. */
struct ike_content {
	struct view sa;
	struct payload_ke ke;
	struct view nonce;
	struct payload_id idi, idr;
	struct payload_auth auth;
	struct ike_ts tsi[IKE_SELECTORS_MAX], tsr[IKE_SELECTORS_MAX];
	size_t tsi_n, tsr_n;
	bool has_sa, has_ke, has_idr, has_auth, has_ts;
	struct payload_notify notify[IKE_NOTIFIES_MAX]; /* more than this: the rest is ignored */
	size_t notifies;
	struct payload_delete deletes[IKE_DELETES_MAX];
	size_t deletes_n;
};

/* Any payload that does not read as it should gives its error. */
enum err ike_content_read(const struct ike_payloads *p, struct ike_content *ret) MUST_CHECK;
/* The first notify of a type, the first error; or NULL. */
const struct payload_notify *ike_content_notify(const struct ike_content *c, uint16_t type);
const struct payload_notify *ike_content_error(const struct ike_content *c);

/* ---- building -------------------------------------------------------------------------------- */

struct ike_out {
	struct writer w;
	size_t next_at;    /* where the type of the next payload goes */
	size_t payload_at; /* the payload that is open */
	size_t sk_at;      /* the SK payload; 0: in the clear */
	uint8_t buf[IKE_OUT_MAX];
	uint8_t sent[IKE_FRAGMENTS_MAX * IKE_FRAGMENT_MAX]; /* the fragments, where it needs any */
};

void ike_out_begin(struct ike_out *o, const struct ike_header *h);
/* Opens a payload's generic header; write the body to o->w, then close. */
void ike_out_open(struct ike_out *o, enum payload_type type);
void ike_out_close(struct ike_out *o);
void ike_out_notify(struct ike_out *o, uint16_t type, struct view data);
/* A message in the clear is complete: patches the length. Empty view when it did not fit. */
struct view ike_out_finish(struct ike_out *o);

#endif
