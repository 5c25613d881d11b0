/* SPDX-License-Identifier: BSD-2-Clause */
/* Diffie-Hellman as a job for the thread pool (RFC 7296 2.7, RFC 6989).
 *
 * A job makes a key pair, or derives the shared secret, or both: an initiator needs them at
 * different times, a responder at once. run() touches only the job. The peer's value is checked
 * before it is used: for MODP 1 < y < p - 1 (safe primes: RFC 6989 2.1), for group 24 that it is in
 * the subgroup too (2.2), for ECP that the point is on the curve (2.3), for Curve25519 and Curve448
 * that the result is not zero (RFC 8031 5). */
#ifndef IKE_DH_H
#define IKE_DH_H
#include "algorithms.h"
#include "effects.h"
#include "secret.h"

#define DH_PUBLIC_MAX 512 /* MODP-4096 */

struct dh_key; /* a key pair */

struct dh_job {
	struct job job;
	uint8_t spi[8]; /* ours, of the SA that waits */
	uint32_t turn;  /* of the SA, so that a late answer is known as late */
	const struct alg_ke *ke;
	struct dh_key *key;    /* owns; made by the job when NULL */
	struct secret *secret; /* owns; the result when there was a peer's value */
	uint8_t peer[DH_PUBLIC_MAX];
	size_t peer_len; /* 0: only make a key pair */
	uint8_t public[DH_PUBLIC_MAX];
	enum err result;
};

struct dh_job *dh_job_new(const struct alg_ke *ke, const uint8_t spi[8], uint32_t turn);
/* ERR_LENGTH when the value has not the length of the group; nothing is set then. */
enum err dh_job_peer(struct dh_job *j, struct view value) MUST_CHECK;
void dh_job_free(struct dh_job *j); /* takes NULL */
AUTO_DEFINE(struct dh_job, dh_job_free);
void dh_key_free(struct dh_key *k); /* takes NULL */
/* The same key pair once more, for a job beside its owner. NULL when memory is out. */
struct dh_key *dh_key_share(const struct alg_ke *ke, const struct dh_key *k) MUST_CHECK;
/* Its public value as on the wire, ke->public_len bytes; lives as long as the key. */
const uint8_t *dh_key_public(const struct dh_key *k);

/* The private value as bytes, for the record of an exchange that a restart goes on with. */
#define DH_PRIVATE_MAX 512
enum err dh_key_save(const struct alg_ke *ke, const struct dh_key *k, uint8_t out[DH_PRIVATE_MAX],
                     size_t *ret_len) MUST_CHECK;
/* public: as on the wire. */
enum err dh_key_load(const struct alg_ke *ke, struct view private, struct view public,
                     struct dh_key **ret) MUST_CHECK;

#endif
