/* SPDX-License-Identifier: BSD-2-Clause */
/* Manual SAs: keys by hand, no IKE (MAN-01 to MAN-03).
 *
 * The routing engine writes their child SA records itself. SPI and keys are the same in both
 * directions; both nonces and replay windows are left alone, since numbers begin anew with each
 * run-time table: so only ciphers whose IVs are drawn are taken. Pure. */
#ifndef MANUAL_H
#define MANUAL_H
#include "env.h"
#include "record.h"
#include "tunnel.h"

/* Whether the tunnel is one, and complete enough to be. */
bool manual_is(const struct tunnel *t);
struct record_key manual_key(const struct tunnel *t);
/* BH-SPU-35: as if IKE had been spoken between the two addresses, on port 500. */
uint8_t manual_anchor(const struct env *env, const struct tunnel *t);

/* What is not of the configuration. */
struct manual_slots {
	uint32_t in, out; /* in the run-time table */
	uint64_t created_ms;
};
/* The body of its record. */
enum err manual_record(const struct env *env, const struct tunnel *t, const struct manual_slots *s,
                       uint8_t *body, size_t cap, size_t *ret_len) MUST_CHECK;

#endif
