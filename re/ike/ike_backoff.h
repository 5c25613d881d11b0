/* SPDX-License-Identifier: BSD-2-Clause */
/* Peers that failed, were blocked, or may not come again for a while.
 *
 * One entry for each of {our address, the peer's address, its port where a NAT is between}; the
 * latest failure counts. Bounded: of too many the oldest goes. Kept until then, until the peer is
 * up, or until somebody clears it; not kept over a restart. */
#ifndef IKE_BACKOFF_H
#define IKE_BACKOFF_H
#include "hash.h"
#include "ike.h"
#include "list.h"

#define IKE_BACKOFF_MAX 10000
enum { BACKOFF_KEY_MAX = 16 + 16 + 2 };

struct backoff_entry {
	struct hash_node by_key;
	struct list in_all;
	uint8_t key[BACKOFF_KEY_MAX];
	struct ike_peer_info info;
};

struct ike_backoff {
	struct hash by_key;
	struct list all; /* in_all, the oldest first */
};

enum err ike_backoff_init(struct ike_backoff *b, const uint8_t key[16]) MUST_CHECK;
void ike_backoff_done(struct ike_backoff *b);
/* Remembers it; nat: the port is part of who it is. Without memory it is not remembered. */
void ike_backoff_note(struct ike_backoff *b, const struct ike_peer_info *info, bool nat);
/* The entry of a peer at these ends, or NULL. */
struct ike_peer_info *ike_backoff_find(const struct ike_backoff *b, const struct endpoint *local,
                                       const struct endpoint *remote);
void ike_backoff_forget(struct ike_backoff *b, const struct endpoint *local,
                        const struct endpoint *remote);
/* Those of one kind; returns how many there were. */
uint32_t ike_backoff_clear(struct ike_backoff *b, enum ike_peers which, uint64_t now_ms);
bool ike_backoff_is(const struct ike_peer_info *info, enum ike_peers which, uint64_t now_ms);

#endif
