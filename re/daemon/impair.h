/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose, in test builds only (meson option `impairments`): the same ones that the
 * simulator has, for topology tests. In any other build nothing of it is there.
 *
 * HAWSER_IMPAIR in the environment of hawserd names what happens, in how many of a thousand cases:
 *
 *   drop=300,twice=100,replay=50,corrupt=20,refuse=50,late=100,seed=7
 *
 * Of messages: lost (those that come in, too), sent twice, an earlier one sent again, one byte
 * changed. Of turns that send: the store refuses their records; the SPU's word that it has them is
 * not heard. Each case is said on standard error: "impair: drop 17" is the seventeenth. The event
 * loop's thread. */
#ifndef IMPAIR_H
#define IMPAIR_H
#include "addr.h"
#include "reader.h"
#include <stdbool.h>

enum impairment {
	IMPAIR_DROP,
	IMPAIR_TWICE,
	IMPAIR_REPLAY,
	IMPAIR_CORRUPT,
	IMPAIR_REFUSE,
	IMPAIR_LATE,
	IMPAIRMENTS
};

struct udp;
typedef void impair_send_fn(struct udp *u, const struct endpoint *local,
                            const struct endpoint *remote, struct view bytes);

#ifdef HAWSER_IMPAIRMENTS
/* Does it happen now? Then it is said. */
bool impair(enum impairment what);
/* Sends by `send`: not at all, once, or more. */
void impair_send(impair_send_fn *send, struct udp *u, const struct endpoint *local,
                 const struct endpoint *remote, struct view bytes);
#else
static inline bool impair(enum impairment what)
{
	(void)what;
	return false;
}

static inline void impair_send(impair_send_fn *send, struct udp *u, const struct endpoint *local,
                               const struct endpoint *remote, struct view bytes)
{
	send(u, local, remote, bytes);
}
#endif

#endif
