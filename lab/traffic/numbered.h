/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbered packet: what one UDP payload of the generator looks like.
 *
 *      0      magic "HwLb"          4  flow          6  length of the payload
 *      8      run: whose packet this is (a receiver counts others as foreign)
 *     16      sequence number, from 0 in each flow
 *     24      time of sending, CLOCK_REALTIME in ns
 *     32 ...  a pattern made from run, flow and sequence number
 *
 * Pure; any thread. */
#ifndef NUMBERED_H
#define NUMBERED_H
#include "errors.h"
#include "reader.h"

#define NUMBERED_MIN 32u
#define NUMBERED_MAX 65000u

struct numbered {
	uint64_t run, seq, sent_ns;
	uint16_t flow;
};

/* Writes the packet into size bytes (NUMBERED_MIN..NUMBERED_MAX). */
void numbered_write(const struct numbered *n, uint8_t *buf, size_t size);

/* ERR_UNKNOWN: not a numbered packet; ERR_CORRUPT: one, but its length or pattern is wrong. */
enum err numbered_read(struct view payload, struct numbered *ret) MUST_CHECK;

#endif
