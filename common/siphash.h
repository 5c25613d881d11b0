/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for tables and tags. Any thread. */
#ifndef SIPHASH_H
#define SIPHASH_H
#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint8_t key[16], const void *p, size_t len);

#endif
