/* SPDX-License-Identifier: BSD-2-Clause */
/* Offload is a property of one SA direction, and may change while traffic flows (idea 6).
 *
 * One interface, several engines: `inline` (rte_security sessions on the wire port) and `soft`
 * (libIPSec_MB). The ESP code above is one and the same for all: it builds or parses headers and
 * fills ops; the engine does the arithmetic, or tells what the NIC has done. An engine belongs to
 * one SPU and is called by its data-plane thread only; session_add and session_del may allocate,
 * burst never does. Users see "inline" and "software". */
#ifndef ENGINE_H
#define ENGINE_H
#include "addr.h"
#include "algorithms.h"
#include "errors.h"
#include "reader.h"
#include "sa_runtime.h"

struct rte_mbuf;
struct engine_session; /* the engine's own */

/* What an engine must know of an SA direction. Borrowed for the call; keys are copied if kept. */
struct engine_sa {
	bool inbound;
	uint8_t protocol;                /* 50 or 51 */
	uint32_t spi;                    /* host order */
	const struct alg_cipher *cipher; /* NULL with AH */
	const struct alg_integ *integ;   /* NULL with an AEAD cipher */
	struct view key;                 /* cipher key, then salt; empty with AH and NULL */
	struct view auth_key; /* integrity key (GMAC in AH: then salt); empty with AEAD */
	bool esn;
	bool udp_encap;
	uint16_t local_port, remote_port;
	struct addr local, remote; /* outer */
	const struct sa_runtime *runtime;
};

enum engine_verdict {
	ENGINE_OK = 0,
	ENGINE_BAD_ICV,  /* inbound: authentication failed */
	ENGINE_NOT_DONE, /* inline: the packet is as it came, run soft on it. Inbound: the NIC
	                  * handed it up undecrypted; outbound: the NIC has lost its sessions */
	ENGINE_FAILED,   /* the arithmetic could not be done */
};

/* One packet. All headers of the burst are written before the engine is called: the cipher's loads
 * are wider than our stores. Pointers are into the mbuf, which is one segment.
 *
 * AEAD ciphers: payload, iv, aad, icv. NULL with GMAC (RFC 4543): the same, with len 0 and auth as
 * for an integrity algorithm, counted from the IV. Cipher and integrity algorithm: payload is
 * encrypted under iv, auth (which the payload is the end of) is authenticated after that. AH: only
 * auth, the packet from its outer header on, mutable fields and ICV zero; the caller puts them
 * back, and inbound icv points to its copy. With ESN and no AEAD cipher, esn is authenticated after
 * auth's last byte (RFC 4303 2.2.1, RFC 4302 2.5.1): during the call it may stand there, so that
 * four bytes of the mbuf's buffer must follow. With CBC and no integrity algorithm auth is not
 * looked at, and nothing is verified. */
struct engine_op {
	struct rte_mbuf *m;
	struct engine_session *session;
	uint8_t *payload;  /* first byte to encrypt or decrypt, in place */
	uint32_t len;      /* of it: padding and trailer included, ICV not; 0: nothing to encrypt */
	uint32_t auth_len; /* bytes authenticated by an integrity algorithm */
	const uint8_t *auth;
	const uint8_t *iv; /* CBC: one block. Else the 8 bytes that follow the salt in the nonce: in
	                    * the packet, or (implicit IV) in the caller's own memory */
	uint8_t *icv;      /* outbound: written; inbound: compared */
	uint8_t aad[12];   /* AEAD: SPI, then the sequence number's 4 or (ESN) 8 bytes */
	uint8_t aad_len;   /* 8 or 12; 0 without AEAD */
	uint8_t esn_len;   /* 4: esn counts; else 0 */
	uint8_t esn[4];    /* the sequence number's high half */
	uint8_t verdict;   /* enum engine_verdict, set by burst */
};

struct engine {
	enum sa_engine id;
	const char *name; /* as users see it: "inline", "software" */
	/* Whether this engine takes the SA at all; the reason why not in why. */
	enum err (*can)(struct engine *e, const struct engine_sa *sa, struct why *why);
	/* ERR_FULL when its table is full, ERR_UNSUPPORTED as for can(), ERR_IO when the device
	 * fails. */
	enum err (*session_add)(struct engine *e, const struct engine_sa *sa,
	                        struct engine_session **ret, struct why *why);
	void (*session_del)(struct engine *e, struct engine_session *session);
	/* Outbound: encrypts, or marks the mbufs so that the port's transmit does. What was marked
	 * goes to the port before the session is deleted. */
	void (*burst_out)(struct engine *e, struct engine_op *ops, uint16_t n);
	/* Inbound: decrypts and verifies, or tells from the mbuf's flags what the port has done.
	 * Either engine believes those flags: so a packet that the NIC decrypted before its SA fell
	 * back to soft is not decrypted twice. */
	void (*burst_in)(struct engine *e, struct engine_op *ops, uint16_t n);
	void (*close)(struct engine *e);
};

/* libIPSec_MB; OpenSSL for what that lacks. */
enum err engine_soft_open(struct engine **ret, struct why *why) MUST_CHECK;
/* rte_security inline crypto of a started ethdev port. ERR_UNSUPPORTED when the port has none. */
enum err engine_inline_open(uint16_t port_id, struct engine **ret, struct why *why) MUST_CHECK;
void engine_close(struct engine *e); /* takes NULL */

#endif
