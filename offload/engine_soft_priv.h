/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the software engine: one file per way of working, chosen for good when a session is made.
 *
 * AES-GCM and GMAC are computed at once by direct calls (the library's job interface costs 30
 * cycles more per packet); ChaCha20-Poly1305 and cipher with hash are jobs that the library works
 * on several at a time. Jobs keep what they need beside the packet in the engine's scratch, and are
 * all finished when a burst returns. Data-plane thread. */
#ifndef ENGINE_SOFT_PRIV_H
#define ENGINE_SOFT_PRIV_H
#include "engine_priv.h"

#include <intel-ipsec-mb.h>
#include <string.h>

#define SOFT_SLICE 32 /* ops that are worked on together */
#define SOFT_SALT_LEN 4
#define SOFT_IV_LEN 8 /* beside a salt */
#define SOFT_AEAD_ICV_LEN 16
#define SOFT_TAG_MAX 64 /* the longest digest */

/* What belongs to a job until it is done. */
struct soft_scratch {
	uint8_t nonce[16];
	uint8_t tag[SOFT_TAG_MAX];
	uint8_t after[4]; /* what stood behind the authenticated bytes, where ESN is now */
};

struct soft {
	struct engine e;
	IMB_MGR *mgr;    /* owns */
	uint16_t queued; /* jobs, and entries of scratch in use */
	struct soft_scratch scratch[SOFT_SLICE];
};

/* A way of working. Its session begins with struct engine_session. */
struct soft_kind {
	size_t session_size;
	void (*init)(struct soft *soft, struct engine_session *s, const struct engine_sa *sa);
	/* At most SOFT_SLICE ops, each with a session of this kind. The verdicts are set now, or by
	 * soft_jobs_drain(). */
	void (*seal)(struct soft *soft, struct engine_op *ops, uint16_t n);
	void (*open)(struct soft *soft, struct engine_op *ops, uint16_t n);
};

struct engine_session {
	const struct soft_kind *kind;
	uint8_t salt[SOFT_SALT_LEN];
};

extern const struct soft_kind soft_gcm;    /* AES-GCM */
extern const struct soft_kind soft_gmac;   /* AES-GMAC, in ESP and in AH */
extern const struct soft_kind soft_chacha; /* ChaCha20-Poly1305 */
extern const struct soft_kind soft_chain;  /* CBC or NULL and HMAC; AH by HMAC */

/* Finishes every job, so that scratch is free again. */
void soft_jobs_drain(struct soft *soft);

/* Salt, then the packet's IV (RFC 4106 4, RFC 7634 2). */
static inline void soft_nonce(const struct engine_op *op, uint8_t nonce[12])
{
	memcpy(nonce, op->session->salt, SOFT_SALT_LEN);
	memcpy(nonce + SOFT_SALT_LEN, op->iv, SOFT_IV_LEN);
}

#endif
