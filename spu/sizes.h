/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a packet is once it is encrypted, and how long one may be for what the path takes.
 *
 *     outer = front + (inner + trailer, rounded up to align) + back
 *
 * front: outer headers, ESP or AH header, IV. align, trailer: RFC 4303 2.4 to 2.6, with the
 * cipher's block where that is larger; AH has neither. back: what follows, the ICV of ESP. Pure;
 * any thread. */
#ifndef SIZES_H
#define SIZES_H
#include <stdint.h>

struct sizes {
	uint16_t front, back;
	uint8_t align; /* a power of two */
	uint8_t trailer;
};

static inline uint32_t sizes_outer(const struct sizes *s, uint32_t inner)
{
	uint32_t unit = s->align;

	return s->front + ((inner + s->trailer + unit - 1) & ~(unit - 1)) + s->back;
}

/* The largest inner packet whose outer one is no longer than `outer`; 0: none. */
static inline uint32_t sizes_inner_max(const struct sizes *s, uint32_t outer)
{
	uint32_t around = (uint32_t)s->front + s->back;

	if (outer <= around)
		return 0;
	uint32_t room = (outer - around) & ~((uint32_t)s->align - 1);
	return room > s->trailer ? room - s->trailer : 0;
}

#endif
