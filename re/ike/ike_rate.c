// SPDX-License-Identifier: BSD-2-Clause
#include "ike_rate.h"

#include <stdlib.h>

struct window {
	struct hash_node by_key;
	struct list in_all;
	struct {
		uint64_t who, kind;
	} key;
	uint64_t until_ms;
	uint32_t count;
};

enum err ike_rates_init(struct ike_rates *r, const uint8_t key[16])
{
	list_init(&r->all);
	return hash_init(&r->by_key, key);
}

static void drop(struct ike_rates *r, struct window *w)
{
	hash_del(&r->by_key, &w->by_key);
	list_del(&w->in_all);
	free(w);
}

static struct window *oldest(const struct ike_rates *r)
{
	return list_empty(&r->all) ? NULL : CONTAINER_OF(r->all.next, struct window, in_all);
}

void ike_rates_done(struct ike_rates *r)
{
	while (r->all.next && oldest(r))
		drop(r, oldest(r));
	hash_done(&r->by_key);
}

/* Windows of one kind are equally long, so the oldest of all ends early enough. */
static void tidy(struct ike_rates *r, uint64_t now_ms)
{
	struct window *w = oldest(r);

	if (w && (w->until_ms <= now_ms || r->by_key.n >= IKE_RATE_WINDOWS_MAX))
		drop(r, w);
}

static struct window *begin(struct ike_rates *r, enum ike_rate kind, uint64_t who)
{
	struct window *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->key.who = who;
	w->key.kind = (uint64_t)kind;
	struct view key = { (const uint8_t *)&w->key, sizeof(w->key) };
	(void)!hash_put(&r->by_key, &w->by_key, key); /* was just looked for */
	list_add_tail(&w->in_all, &r->all);
	return w;
}

bool ike_rates_admit(struct ike_rates *r, const struct ike_conf_session *conf, enum ike_rate kind,
                     uint64_t who, uint64_t now_ms)
{
	struct {
		uint64_t who, kind;
	} key = { who, (uint64_t)kind };

	if (conf->rate[kind].count == 0)
		return true;
	struct hash_node *node =
	        hash_get(&r->by_key, (struct view){ (const uint8_t *)&key, sizeof(key) });
	struct window *w = node ? CONTAINER_OF(node, struct window, by_key) : NULL;
	if (w && w->until_ms <= now_ms) {
		drop(r, w);
		w = NULL;
	}
	if (w == NULL) {
		tidy(r, now_ms);
		w = begin(r, kind, who);
		if (w == NULL)
			return false; /* the peer asks again */
		w->until_ms = now_ms + conf->rate[kind].seconds * 1000ull;
	}
	if (w->count >= conf->rate[kind].count)
		return false;
	w->count++;
	return true;
}
