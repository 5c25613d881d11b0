/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that say where they belong: a stream of any length made from a seed, so that a receiver
 * finds the first byte that is wrong, missing or moved. Pure; any thread. */
#ifndef PATTERN_H
#define PATTERN_H
#include "reader.h"

/* Writes bytes offset .. offset + n - 1 of the stream. */
void pattern_fill(uint8_t *buf, size_t n, uint64_t seed, uint64_t offset);

/* How many bytes from the start are right: v.len when all are. */
size_t pattern_check(struct view v, uint64_t seed, uint64_t offset);

#endif
