/* SPDX-License-Identifier: BSD-2-Clause */
/* What a fuzz target defines: libFuzzer calls it, or replay_main.c over a corpus. */
#ifndef FUZZ_H
#define FUZZ_H
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
