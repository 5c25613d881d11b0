/* SPDX-License-Identifier: BSD-2-Clause */
/* How often an authenticated peer may ask for what costs us: so many in so many seconds.
 *
 * One window for each peer, or tunnel, and kind; it begins with the first exchange in it and
 * outlives the IKE SA that it was counted under. Bounded: of too many the oldest goes. */
#ifndef IKE_RATE_H
#define IKE_RATE_H
#include "hash.h"
#include "ike_conf.h"
#include "list.h"

#define IKE_RATE_WINDOWS_MAX 65536

struct ike_rates {
	struct hash by_key;
	struct list all; /* the oldest window first */
};

enum err ike_rates_init(struct ike_rates *r, const uint8_t key[16]) MUST_CHECK;
void ike_rates_done(struct ike_rates *r);
/* May it? Then it is counted. who: a peer's or a tunnel's number. */
bool ike_rates_admit(struct ike_rates *r, const struct ike_conf_session *conf, enum ike_rate kind,
                     uint64_t who, uint64_t now_ms);

#endif
