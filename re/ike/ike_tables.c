// SPDX-License-Identifier: BSD-2-Clause
/* Where the core finds things: SAs by our SPI, by the peer's first message, by who the peer is;
 * child SAs by their inbound SPI; and the heap of deadlines. */
#include "ike_priv.h"
#include "siphash.h"

#include <ctype.h>

enum { AT_ONCE = 1000 }; /* deadlines in one turn: its list of effects has an end */

enum err ike_tables_init(struct ike *ike)
{
	struct hash *const tables[] = { &ike->by_spi,   &ike->by_peer,  &ike->by_id,
		                        &ike->by_child, &ike->by_offer, &ike->tunnel_by_index };

	list_init(&ike->sas);
	list_init(&ike->gone);
	list_init(&ike->ended);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		uint8_t key[16];

		ike->env->random(ike->env, key, sizeof(key));
		TRY(hash_init(tables[i], key));
	}
	return ERR_OK;
}

static void free_all(struct list *sas)
{
	struct list *at, *after;

	list_each_safe (at, after, sas)
		ike_sa_free(ike_sa_at(at));
	list_init(sas);
}

void ike_tables_done(struct ike *ike)
{
	free_all(&ike->sas);
	ike_sweep(ike);
	hash_done(&ike->by_spi);
	hash_done(&ike->by_peer);
	hash_done(&ike->by_id);
	hash_done(&ike->by_child);
	hash_done(&ike->by_offer);
}

void ike_sweep(struct ike *ike)
{
	free_all(&ike->gone);
}

/* ---- SAs ------------------------------------------------------------------------------------- */

static struct view spi_view(const uint8_t spi[8])
{
	return (struct view){ spi, 8 };
}

void ike_hang(struct ike *ike, struct ike_sa *sa)
{
	/* Whoever drew or restored the SPI has seen that it is free. */
	(void)!hash_put(&ike->by_spi, &sa->by_spi, spi_view(ike_sa_our_spi(sa)));
	list_add_tail(&sa->in_all, &ike->sas);
	ike->stats.sas++;
}

struct ike_sa *ike_by_spi(struct ike *ike, const uint8_t spi[8])
{
	struct hash_node *node = hash_get(&ike->by_spi, spi_view(spi));

	return node ? CONTAINER_OF(node, struct ike_sa, by_spi) : NULL;
}

static struct view peer_key(uint8_t key[IKE_PEER_KEY], const uint8_t spi_i[8],
                            const struct addr *from)
{
	struct writer w = wr_of(key, IKE_PEER_KEY);

	wr_bytes(&w, spi_i, 8);
	wr_bytes(&w, from->b, addr_len(from));
	return wr_done(&w);
}

void ike_hang_peer(struct ike *ike, struct ike_sa *sa)
{
	struct view key = peer_key(sa->peer_key, sa->spi_i, &sa->remote.addr);

	/* Of two with one key the first is found; records of two such SAs can only come from a peer
	 * that chose it so. */
	(void)!hash_put(&ike->by_peer, &sa->by_peer, key);
}

struct ike_sa *ike_by_peer(struct ike *ike, const uint8_t spi_i[8], const struct addr *from)
{
	uint8_t bytes[IKE_PEER_KEY];
	struct hash_node *node = hash_get(&ike->by_peer, peer_key(bytes, spi_i, from));

	return node ? CONTAINER_OF(node, struct ike_sa, by_peer) : NULL;
}

/* ---- identities ------------------------------------------------------------------------------ */

/* SAs whose peers have one identity are a ring, and one of them is in the table. Identities that
 * ike_id_equal() calls equal have one key; whoever walks the ring asks it again. */
static uint64_t id_key(const struct ike *ike, const struct ike_id *id)
{
	uint8_t bytes[1 + IKE_ID_MAX] = { id->type };

	for (size_t i = 0; i < id->len; i++)
		bytes[1 + i] = (uint8_t)tolower(id->b[i]);
	return siphash(ike->by_id.key, bytes, 1u + id->len);
}

static struct view id_view(const struct ike_sa *sa)
{
	return (struct view){ (const uint8_t *)&sa->id_key, sizeof(sa->id_key) };
}

void ike_hang_id(struct ike *ike, struct ike_sa *sa)
{
	struct hash_node *first;

	sa->id_key = id_key(ike, ike_sa_peer_id(sa));
	first = hash_get(&ike->by_id, id_view(sa));
	if (first)
		list_add_tail(&sa->same_id, &CONTAINER_OF(first, struct ike_sa, by_id)->same_id);
	else
		(void)!hash_put(&ike->by_id, &sa->by_id, id_view(sa));
}

static void leave_ring(struct ike *ike, struct ike_sa *sa)
{
	struct ike_sa *next = CONTAINER_OF(sa->same_id.next, struct ike_sa, same_id);
	struct hash_node *first = hash_get(&ike->by_id, id_view(sa));

	list_del(&sa->same_id);
	if (first != &sa->by_id)
		return;
	hash_del(&ike->by_id, &sa->by_id);
	if (next != sa)
		(void)!hash_put(&ike->by_id, &next->by_id, id_view(next));
}

/* ---- SPIs of child SAs ----------------------------------------------------------------------- */

static struct view child_view(const uint32_t *spi)
{
	return (struct view){ (const uint8_t *)spi, sizeof(*spi) };
}

enum err ike_hang_child(struct ike *ike, struct child_sa *c)
{
	return hash_put(&ike->by_child, &c->by_spi, child_view(&c->spi_in));
}

void ike_unhang_child(struct ike *ike, struct child_sa *c)
{
	hash_del(&ike->by_child, &c->by_spi);
}

struct child_sa *ike_child_by_spi(struct ike *ike, uint32_t spi)
{
	struct hash_node *node = hash_get(&ike->by_child, child_view(&spi));

	return node ? CONTAINER_OF(node, struct child_sa, by_spi) : NULL;
}

void ike_offer_spi(struct ike_sa *sa, uint32_t spi)
{
	hash_del(&sa->ike->by_offer, &sa->by_offer);
	sa->child_spi = spi;
	if (spi)
		(void)!hash_put(&sa->ike->by_offer, &sa->by_offer, child_view(&sa->child_spi));
}

bool ike_spi_in_use(struct ike *ike, uint32_t spi)
{
	return ike_child_by_spi(ike, spi) || hash_get(&ike->by_offer, child_view(&spi));
}

/* ---- the end of an SA ------------------------------------------------------------------------ */

void ike_unhang(struct ike *ike, struct ike_sa *sa)
{
	hash_del(&ike->by_spi, &sa->by_spi);
	hash_del(&ike->by_peer, &sa->by_peer);
	hash_del(&ike->guard.by_source, &sa->by_source);
	leave_ring(ike, sa);
	ike_offer_spi(sa, 0);
	ike_due_at(ike, &sa->due, UINT64_MAX);
	list_del(&sa->of_tunnel);
	ike_gateway_leave(sa);
	list_del(&sa->of_turn);
	list_del(&sa->of_ended);
	list_del(&sa->in_all);
	list_add_tail(&sa->in_all, &ike->gone);
	ike->stats.sas--;
}

/* ---- deadlines ------------------------------------------------------------------------------- */

void ike_due_at(struct ike *ike, struct due *due, uint64_t ms)
{
	if (ms == UINT64_MAX)
		timers_cancel(&ike->timers, &due->timer);
	else if (!due->timer.armed || due->timer.due_ms != ms)
		timers_add(&ike->timers, &due->timer, ms);
}

uint64_t ike_next_due_ms(const struct ike *ike)
{
	return timers_next_due(&ike->timers);
}

void ike_timeout(struct ike *ike, struct effects *fx)
{
	uint64_t now = ike->env->now_ms(ike->env);
	struct timer *timer;

	ike_turn_begin(ike);
	for (int n = 0; n < AT_ONCE && (timer = timers_pop_due(&ike->timers, now)); n++) {
		struct due *due = (struct due *)timer;

		due->fire(ike, due, now, fx);
	}
	ike_sweep(ike);
}
