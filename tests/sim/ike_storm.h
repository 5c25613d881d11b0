/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchanges without end between two nodes, in a network that loses a third, with processes that die
 * all the time; see ike_storm.c. */
#ifndef IKE_STORM_H
#define IKE_STORM_H
#include <stdbool.h>
#include <stdint.h>

struct ike_storm {
	uint64_t exchanges, seed;
	unsigned jobs; /* processes that share the rounds: the sums are the same with any number */
};

/* True: nothing went wrong, and all of it was the same when it was done again. */
bool ike_storm(const struct ike_storm *o);

#endif
