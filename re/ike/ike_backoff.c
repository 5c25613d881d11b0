// SPDX-License-Identifier: BSD-2-Clause
#include "ike_backoff.h"
#include "writer.h"

#include <stdlib.h>

enum err ike_backoff_init(struct ike_backoff *b, const uint8_t key[16])
{
	list_init(&b->all);
	return hash_init(&b->by_key, key);
}

static void drop(struct ike_backoff *b, struct backoff_entry *e)
{
	hash_del(&b->by_key, &e->by_key);
	list_del(&e->in_all);
	free(e);
}

static struct backoff_entry *oldest(const struct ike_backoff *b)
{
	return CONTAINER_OF(b->all.next, struct backoff_entry, in_all);
}

void ike_backoff_done(struct ike_backoff *b)
{
	while (b->all.next && !list_empty(&b->all))
		drop(b, oldest(b));
	hash_done(&b->by_key);
}

static struct view key_of(uint8_t key[BACKOFF_KEY_MAX], const struct endpoint *local,
                          const struct endpoint *remote, bool nat)
{
	struct writer w = wr_of(key, BACKOFF_KEY_MAX);

	wr_bytes(&w, local->addr.b, addr_len(&local->addr));
	wr_bytes(&w, remote->addr.b, addr_len(&remote->addr));
	if (nat)
		wr_u16(&w, remote->port);
	return wr_done(&w);
}

static struct backoff_entry *find(const struct ike_backoff *b, const struct endpoint *local,
                                  const struct endpoint *remote, bool nat)
{
	uint8_t key[BACKOFF_KEY_MAX];
	struct hash_node *node = hash_get(&b->by_key, key_of(key, local, remote, nat));

	return node ? CONTAINER_OF(node, struct backoff_entry, by_key) : NULL;
}

/* With the port or without it: what is known of a peer does not say which before it is found. */
static struct backoff_entry *find_either(const struct ike_backoff *b, const struct endpoint *local,
                                         const struct endpoint *remote)
{
	struct backoff_entry *e = b->by_key.n ? find(b, local, remote, false) : NULL;

	return e || b->by_key.n == 0 ? e : find(b, local, remote, true);
}

struct ike_peer_info *ike_backoff_find(const struct ike_backoff *b, const struct endpoint *local,
                                       const struct endpoint *remote)
{
	struct backoff_entry *e = find_either(b, local, remote);

	return e ? &e->info : NULL;
}

void ike_backoff_forget(struct ike_backoff *b, const struct endpoint *local,
                        const struct endpoint *remote)
{
	struct backoff_entry *e = find_either(b, local, remote);

	if (e)
		drop(b, e);
}

void ike_backoff_note(struct ike_backoff *b, const struct ike_peer_info *info, bool nat)
{
	struct backoff_entry *e = find(b, &info->local, &info->remote, nat);
	uint32_t times = e ? e->info.times : 0;

	if (e) /* it is the newest now */
		list_del(&e->in_all);
	else if (b->by_key.n >= IKE_BACKOFF_MAX)
		drop(b, oldest(b));
	if (e == NULL) {
		e = calloc(1, sizeof(*e));
		if (e == NULL)
			return;
		/* No other entry has the key: it was just looked for. */
		(void)!hash_put(&b->by_key, &e->by_key,
		                key_of(e->key, &info->local, &info->remote, nat));
	}
	e->info = *info;
	e->info.times = times + 1;
	list_add_tail(&e->in_all, &b->all);
}

bool ike_backoff_is(const struct ike_peer_info *info, enum ike_peers which, uint64_t now_ms)
{
	switch (which) {
	case IKE_PEERS_BLOCKED:
		return info->reason == IKE_FAILED_BLOCKED;
	case IKE_PEERS_FAILED:
		return info->reason != IKE_FAILED_BLOCKED;
	case IKE_PEERS_BACKOFF:
		return info->until_ms > now_ms;
	case IKE_PEERS_ALL:
		return true;
	case IKE_PEERS_IN_PROGRESS: /* are no entries, but SAs */
		break;
	}
	return false;
}

uint32_t ike_backoff_clear(struct ike_backoff *b, enum ike_peers which, uint64_t now_ms)
{
	struct list *at, *after;
	uint32_t n = 0;

	list_each_safe (at, after, &b->all) {
		struct backoff_entry *e = CONTAINER_OF(at, struct backoff_entry, in_all);

		if (!ike_backoff_is(&e->info, which, now_ms))
			continue;
		drop(b, e);
		n++;
	}
	return n;
}
