// SPDX-License-Identifier: BSD-2-Clause
#include "emu_sa.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 8192u
#define ID_BITS 20 /* of the index; the generation stands above */

struct rx_address {
	struct addr addr;
	uint32_t users;
};

struct emu_sa_table {
	uint16_t per_direction, addresses_max;
	uint32_t used[2];       /* outbound, inbound */
	uint32_t entries, free; /* index + 1 */
	uint64_t generation;
	uint32_t bucket[BUCKETS];     /* index + 1 */
	struct rx_address *addresses; /* owns */
	struct emu_sa at[];
};

static void all_free(struct emu_sa_table *t)
{
	t->free = 0;
	for (uint32_t i = t->entries; i-- > 0;) {
		t->at[i].next = t->free;
		t->free = i + 1;
	}
}

enum err emu_sa_table_new(const struct emu_profile *profile, struct emu_sa_table **ret)
{
	uint32_t entries = 2u * profile->sas;
	struct emu_sa_table *t = calloc(1, sizeof(*t) + entries * sizeof(t->at[0]));

	if (t == NULL)
		return ERR_MEMORY;
	t->addresses = calloc(profile->rx_addresses, sizeof(t->addresses[0]));
	if (t->addresses == NULL) {
		free(t);
		return ERR_MEMORY;
	}
	t->per_direction = profile->sas;
	t->addresses_max = profile->rx_addresses;
	t->entries = entries;
	all_free(t);
	*ret = t;
	return ERR_OK;
}

void emu_sa_clear(struct emu_sa_table *t)
{
	for (uint32_t i = 0; i < t->entries; i++) {
		emu_cipher_free(t->at[i].cipher);
		t->at[i] = (struct emu_sa){ 0 };
	}
	memset(t->bucket, 0, sizeof(t->bucket));
	memset(t->addresses, 0, t->addresses_max * sizeof(t->addresses[0]));
	t->used[0] = t->used[1] = 0;
	all_free(t);
}

void emu_sa_table_free(struct emu_sa_table *t)
{
	if (t == NULL)
		return;
	emu_sa_clear(t);
	free(t->addresses);
	free(t);
}

/* The entry of that address or, when there is none, a free one; NULL when full. Set-up only. */
static struct rx_address *address(struct emu_sa_table *t, const struct addr *a)
{
	struct rx_address *spare = NULL;

	for (uint32_t i = 0; i < t->addresses_max; i++) {
		struct rx_address *x = &t->addresses[i];

		if (x->users > 0 && addr_equal(&x->addr, a))
			return x;
		if (x->users == 0 && spare == NULL)
			spare = x;
	}
	return spare;
}

static uint32_t *bucket_of(struct emu_sa_table *t, uint32_t spi)
{
	return &t->bucket[(spi * 2654435761u) >> 19]; /* 32 - 13 bits; SPIs are random anyway */
}

struct emu_sa *emu_sa_find(struct emu_sa_table *t, uint32_t spi, const struct addr *dst)
{
	for (uint32_t i = *bucket_of(t, spi); i != 0; i = t->at[i - 1].next) {
		struct emu_sa *sa = &t->at[i - 1];

		if (sa->spi == spi && addr_equal(&sa->dst, dst))
			return sa;
	}
	return NULL;
}

enum err emu_sa_add(struct emu_sa_table *t, const struct emu_sa *sa, uint64_t *ret_id)
{
	struct rx_address *rx = NULL;

	if (t->free == 0 || t->used[sa->inbound] >= t->per_direction)
		return ERR_FULL;
	if (sa->inbound) {
		if (emu_sa_find(t, sa->spi, &sa->dst))
			return ERR_DUPLICATE;
		rx = address(t, &sa->dst);
		if (rx == NULL)
			return ERR_FULL;
	}
	uint32_t index = t->free - 1;
	struct emu_sa *mine = &t->at[index];

	t->free = mine->next;
	*mine = *sa;
	mine->id = ++t->generation << ID_BITS | index;
	mine->next = 0;
	t->used[sa->inbound]++;
	if (rx) {
		uint32_t *bucket = bucket_of(t, sa->spi);

		rx->addr = sa->dst;
		rx->users++;
		mine->next = *bucket;
		*bucket = index + 1;
	}
	*ret_id = mine->id;
	return ERR_OK;
}

struct emu_sa *emu_sa_by_id(struct emu_sa_table *t, uint64_t id)
{
	uint64_t index = id & ((1u << ID_BITS) - 1);

	if (id == 0 || index >= t->entries || t->at[index].id != id)
		return NULL;
	return &t->at[index];
}

static void unlink_inbound(struct emu_sa_table *t, const struct emu_sa *sa)
{
	uint32_t index = (uint32_t)(sa - t->at);
	uint32_t *link = bucket_of(t, sa->spi);

	while (*link != index + 1)
		link = &t->at[*link - 1].next;
	*link = sa->next;
	address(t, &sa->dst)->users--;
}

void emu_sa_del(struct emu_sa_table *t, uint64_t id)
{
	struct emu_sa *sa = emu_sa_by_id(t, id);

	if (sa == NULL)
		return;
	if (sa->inbound)
		unlink_inbound(t, sa);
	t->used[sa->inbound]--;
	emu_cipher_free(sa->cipher);
	*sa = (struct emu_sa){ .next = t->free };
	t->free = (uint32_t)(sa - t->at) + 1;
}
