// SPDX-License-Identifier: BSD-2-Clause
#include "hash.h"
#include "siphash.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_FIRST = 64 };

enum err hash_init(struct hash *h, const uint8_t key[16])
{
	struct hash_node **at = calloc(SIZE_FIRST, sizeof(struct hash_node *));

	if (at == NULL)
		return ERR_MEMORY;
	*h = (struct hash){ .at = at, .size = SIZE_FIRST };
	memcpy(h->key, key, sizeof(h->key));
	return ERR_OK;
}

void hash_done(struct hash *h)
{
	free(h->at);
	*h = (struct hash){ 0 };
}

static struct hash_node **chain(const struct hash *h, uint64_t hash)
{
	return &h->at[hash & (h->size - 1)];
}

static void grow(struct hash *h)
{
	struct hash bigger = {
		calloc(h->size * 2, sizeof(struct hash_node *)), h->size * 2, 0, { 0 }
	};

	if (bigger.at == NULL)
		return;
	for (size_t i = 0; i < h->size; i++)
		while (h->at[i] != NULL) {
			struct hash_node *node = h->at[i], **to = chain(&bigger, node->hash);

			h->at[i] = node->next;
			node->next = *to;
			*to = node;
		}
	free(h->at);
	h->at = bigger.at;
	h->size = bigger.size;
}

static struct hash_node *find(const struct hash *h, uint64_t hash, struct view key)
{
	for (struct hash_node *node = *chain(h, hash); node; node = node->next)
		if (node->hash == hash && view_equal(node->key, key))
			return node;
	return NULL;
}

enum err hash_put(struct hash *h, struct hash_node *node, struct view key)
{
	uint64_t hash = siphash(h->key, key.p, key.len);

	if (find(h, hash, key) != NULL)
		return ERR_DUPLICATE;
	if (h->n >= h->size)
		grow(h);
	struct hash_node **at = chain(h, hash);
	*node = (struct hash_node){ *at, hash, key };
	*at = node;
	h->n++;
	return ERR_OK;
}

struct hash_node *hash_get(const struct hash *h, struct view key)
{
	return find(h, siphash(h->key, key.p, key.len), key);
}

void hash_del(struct hash *h, struct hash_node *node)
{
	for (struct hash_node **at = chain(h, node->hash); *at; at = &(*at)->next)
		if (*at == node) {
			*at = node->next;
			h->n--;
			return;
		}
}

struct hash_node *hash_next(const struct hash *h, const struct hash_node *node)
{
	size_t i = 0;

	if (node != NULL && node->next != NULL)
		return node->next;
	if (node != NULL)
		i = (size_t)(node->hash & (h->size - 1)) + 1;
	for (; i < h->size; i++)
		if (h->at[i] != NULL)
			return h->at[i];
	return NULL;
}
