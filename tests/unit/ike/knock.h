/* SPDX-License-Identifier: BSD-2-Clause */
/* Strangers that knock at node 1: copies of node 0's first message under other SPIs and from other
 * addresses. */
#ifndef KNOCK_H
#define KNOCK_H
#include "ladder.h"

extern uint8_t first[2048]; /* the initiator's IKE_SA_INIT */
extern size_t first_len;
extern struct packet way; /* how it comes */

void lose_all(void);
void take(void);
void take_first(void);
void take_another(void);
void knock_with(const uint8_t *bytes, size_t len);
void knock(void);
void knock_times(int n);
void anybody(void);
unsigned notify_of(const struct packet *p);
void knock_with_cookie(uint8_t wrong);
const struct ike_stats *stats(void);

#endif
