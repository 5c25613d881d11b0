/* SPDX-License-Identifier: BSD-2-Clause */
/* When a packet of a steady stream is due. Pure; any thread. */
#ifndef PACE_H
#define PACE_H
#include <stdint.h>

#define PACE_NS_PER_S 1000000000u
#define PACE_PPS_MAX 10000000u

/* How many packets of a stream of pps are due elapsed_ns after its start: the first at once. */
static inline uint64_t pace_due(uint64_t elapsed_ns, uint64_t pps)
{
	uint64_t s = elapsed_ns / PACE_NS_PER_S, ns = elapsed_ns % PACE_NS_PER_S;

	return s * pps + ns * pps / PACE_NS_PER_S + 1;
}

/* How long after the start packet n (from 0) is due. */
static inline uint64_t pace_when_ns(uint64_t n, uint64_t pps)
{
	uint64_t left = n % pps * PACE_NS_PER_S;

	return n / pps * PACE_NS_PER_S + left / pps + (left % pps != 0);
}

#endif
