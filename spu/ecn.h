/* SPDX-License-Identifier: BSD-2-Clause */
/* Congestion marks through a tunnel: the tables of RFC 6040, nothing else. Pure; any thread. */
#ifndef ECN_H
#define ECN_H
#include <stdint.h>

enum ecn { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };
enum { ECN_MASK = 3, ECN_DROP = 0xff };

/* RFC 6040 4.1, normal mode: the outer field is a copy of the inner one. */
static inline uint8_t ecn_encapsulate(uint8_t inner)
{
	return inner & ECN_MASK;
}

/* RFC 6040 4.2, figure 4: the field of the packet that goes on, or ECN_DROP: congestion was marked
 * on the way of a packet whose sender does not understand the mark. */
static inline uint8_t ecn_decapsulate(uint8_t inner, uint8_t outer)
{
	static const uint8_t out[4][4] = {
		/* clang-format off */
		/* outer:            Not-ECT      ECT(1)       ECT(0)       CE */
		[ECN_NOT_ECT] = { ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, ECN_DROP },
		[ECN_ECT1]    = { ECN_ECT1,    ECN_ECT1,    ECN_ECT1,    ECN_CE },
		[ECN_ECT0]    = { ECN_ECT0,    ECN_ECT1,    ECN_ECT0,    ECN_CE },
		[ECN_CE]      = { ECN_CE,      ECN_CE,      ECN_CE,      ECN_CE },
		/* clang-format on */
	};

	return out[inner & ECN_MASK][outer & ECN_MASK];
}

#endif
