// SPDX-License-Identifier: BSD-2-Clause
#include "sa_table.h"

#include <stdlib.h>

enum { CHAINS_MIN = 64, CHAINS_MAX = 1 << 20 };

enum err sa_table_init(struct sa_table *t, uint32_t sas, const struct sa_engines *engines)
{
	uint32_t chains = CHAINS_MIN;

	while (chains < sas && chains < CHAINS_MAX)
		chains *= 2;
	*t = (struct sa_table){ .mask = chains - 1, .engines = *engines };
	t->by_spi = calloc(chains, sizeof(struct sa *));
	t->by_out = calloc(chains, sizeof(struct sa *));
	t->tunnels = calloc(chains, sizeof(struct tunnel *));
	if (t->by_spi != NULL && t->by_out != NULL && t->tunnels != NULL)
		return ERR_OK;
	sa_table_done(t);
	return ERR_MEMORY;
}

void sa_table_done(struct sa_table *t)
{
	if (t->by_spi != NULL && t->by_out != NULL && t->tunnels != NULL) {
		sa_table_clear(t);
		for (uint32_t i = 0; i <= t->mask; i++)
			while (t->tunnels[i] != NULL) {
				struct tunnel *tun = t->tunnels[i];
				t->tunnels[i] = tun->next;
				free(tun);
			}
	}
	free(t->by_spi);
	free(t->by_out);
	free(t->tunnels);
	*t = (struct sa_table){ 0 };
}

static struct tunnel **tunnel_link(struct sa_table *t, uint32_t index)
{
	struct tunnel **link = &t->tunnels[sa_table_hash(index) & t->mask];

	while (*link != NULL && (*link)->index != index)
		link = &(*link)->next;
	return link;
}

struct tunnel *sa_table_tunnel_get(struct sa_table *t, uint32_t index)
{
	struct tunnel **link = tunnel_link(t, index);

	if (*link == NULL) {
		*link = calloc(1, sizeof(struct tunnel));
		if (*link != NULL)
			(*link)->index = index;
	}
	return *link;
}

/* A tunnel lives as long as its record or one of its SAs. */
static void tunnel_drop(struct sa_table *t, uint32_t index)
{
	struct tunnel **link = tunnel_link(t, index);
	struct tunnel *tun = *link;

	if (tun == NULL || tun->known || tun->sas != NULL)
		return;
	*link = tun->next;
	free(tun);
}

void sa_table_tunnel_changed(struct tunnel *tun)
{
	for (struct sa *sa = tun->sas; sa != NULL; sa = sa->next_of_tunnel)
		sa->encap.df = tun->df;
}

void sa_table_tunnel_del(struct sa_table *t, uint32_t index)
{
	struct tunnel *tun = sa_table_tunnel(t, index);

	if (tun != NULL)
		tun->known = false;
	tunnel_drop(t, index);
}

/* A rekeyed SA takes the same way as the one before it: what was learned of that holds on. */
static void inherit_path(const struct sa *sa, const struct tunnel *tun)
{
	const struct sa *old = tun->sas;

	while (old != NULL &&
	       !(addr_equal(&old->remote, &sa->remote) && old->out.runtime->path_mtu != 0))
		old = old->next_of_tunnel;
	if (old != NULL && old->out.runtime != sa->out.runtime && sa->out.runtime->path_mtu == 0)
		sa_runtime_learn_mtu(sa->out.runtime, old->out.runtime->path_mtu,
		                     old->out.runtime->path_mtu_ms);
}

static void link_in(struct sa_table *t, struct sa *sa, struct tunnel *tun)
{
	struct sa **head = &t->by_spi[sa_table_hash(sa->in.spi) & t->mask];
	struct sa **at = &tun->sas;

	inherit_path(sa, tun);
	sa->next_spi = *head;
	*head = sa;
	head = &t->by_out[sa_table_hash(sa->out.spi) & t->mask];
	sa->next_out = *head;
	*head = sa;
	while (*at != NULL && (*at)->serial > sa->serial)
		at = &(*at)->next_of_tunnel;
	sa->next_of_tunnel = *at;
	*at = sa;
	sa->tunnel = tun;
	sa->encap.df = tun->df;
	t->n_sas++;
}

/* Takes an SA out of its lists; its tunnel may be without SAs then. */
static void link_out(struct sa_table *t, struct sa *sa)
{
	struct sa **link = &t->by_spi[sa_table_hash(sa->in.spi) & t->mask];
	struct sa **at = &sa->tunnel->sas;

	while (*link != sa)
		link = &(*link)->next_spi;
	*link = sa->next_spi;
	link = &t->by_out[sa_table_hash(sa->out.spi) & t->mask];
	while (*link != sa)
		link = &(*link)->next_out;
	*link = sa->next_out;
	while (*at != sa)
		at = &(*at)->next_of_tunnel;
	*at = sa->next_of_tunnel;
	sa->next_spi = sa->next_out = sa->next_of_tunnel = NULL;
	t->n_sas--;
}

static void remove_sa(struct sa_table *t, struct sa *sa)
{
	uint32_t tunnel = sa->tunnel_index;

	link_out(t, sa);
	sa_free(&t->engines, sa);
	tunnel_drop(t, tunnel);
}

struct sa *sa_table_of(const struct sa_table *t, uint8_t protocol, uint32_t spi, uint32_t by_hand)
{
	struct sa *sa = sa_table_chain(t, spi);

	while (sa != NULL &&
	       (sa->in.spi != spi || sa->protocol != protocol || sa->by_hand != by_hand))
		sa = sa->next_spi;
	return sa;
}

enum err sa_table_put(struct sa_table *t, struct sa *sa, struct why *why)
{
	struct sa *old = sa_table_of(t, sa->protocol, sa->in.spi, sa->by_hand);
	struct tunnel *tun = sa_table_tunnel_get(t, sa->tunnel_index);
	enum err e = tun != NULL ? ERR_OK : ERR_MEMORY;

	/* The old one goes only when the new one can work: it takes over what still fits. */
	if (e == ERR_OK && old != NULL)
		sa_inherit(sa, old);
	if (e == ERR_OK)
		e = sa_open(&t->engines, sa, why);
	if (e != ERR_OK) {
		if (old != NULL)
			sa_inherit(old, sa);
		sa_free(&t->engines, sa);
		tunnel_drop(t, tun != NULL ? tun->index : 0);
		return e;
	}
	link_in(t, sa, tun);
	if (old != NULL)
		remove_sa(t, old);
	return ERR_OK;
}

void sa_table_del(struct sa_table *t, uint8_t protocol, uint32_t spi, uint32_t by_hand)
{
	struct sa *sa = sa_table_of(t, protocol, spi, by_hand);

	if (sa != NULL)
		remove_sa(t, sa);
}

void sa_table_clear(struct sa_table *t)
{
	for (uint32_t i = 0; i <= t->mask; i++)
		while (t->by_spi[i] != NULL)
			remove_sa(t, t->by_spi[i]);
}

void sa_table_each(struct sa_table *t, uint32_t chain, void (*fn)(void *ctx, struct sa *sa),
                   void *ctx)
{
	for (struct sa *sa = t->by_spi[chain & t->mask]; sa != NULL; sa = sa->next_spi)
		fn(ctx, sa);
}
