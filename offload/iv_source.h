/* SPDX-License-Identifier: BSD-2-Clause */
/* Unpredictable IVs for CBC (RFC 3602 3), by the burst.
 *
 * A buffer of AES-256-CTR key stream. Each refill takes its first 32 bytes as the next key, so that
 * what was given out cannot be computed again from the memory; every 16 MB the kernel's random
 * bytes are mixed in. Allocates when opened only, never waits. One thread per source. */
#ifndef IV_SOURCE_H
#define IV_SOURCE_H
#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

struct iv_source;

enum err iv_source_open(struct iv_source **ret, struct why *why) MUST_CHECK;
void iv_source_close(struct iv_source *src); /* takes NULL */

/* n random bytes. False: the arithmetic failed, and nothing of out may be used. */
bool iv_source_fill(struct iv_source *src, uint8_t *out, size_t n) MUST_CHECK;

#endif
