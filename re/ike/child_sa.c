// SPDX-License-Identifier: BSD-2-Clause
#include "ike_priv.h"
#include "anchor.h"
#include "records.pb-c.h"
#include "secret.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t ip_protocol(const struct child_sa *c)
{
	return c->protocol == PROTO_AH ? IPPROTO_NO_AH : IPPROTO_NO_ESP;
}

static struct env *env_of(const struct ike_sa *sa)
{
	return sa->ike->env;
}

/* RFC 7296 2.17: the first keys are those the initiator of the exchange sends with. */
static enum err derive(const struct ike_sa *sa, const struct child_parts *p, struct child_sa *c)
{
	struct ike_seed seed = { .nonce_i = p->nonce_i,
		                 .nonce_r = p->nonce_r,
		                 .secret = p->secret };
	struct child_suite suite = { c->cipher, c->integ };
	int first = p->initiator ? CHILD_OUT : CHILD_IN;
	struct child_keys *const keys[2] = { &c->key[first], &c->key[1 - first] };

	return ike_keys_child(sa->ike->crypto, sa->choice.suite.prf, sa->keys.d, &seed, &suite,
	                      keys);
}

static enum err take_slots(struct env *env, struct child_sa *c)
{
	TRY(env->runtime_take(env, true, c->window, &c->slot_in));
	enum err e = env->runtime_take(env, false, 0, &c->slot_out);
	if (e != ERR_OK)
		env->runtime_give(env, c->slot_in);
	return e;
}

static enum err hang(struct ike_sa *sa, struct child_sa *c)
{
	struct tunnel *t = ike_tunnel_by_index(sa->ike, c->tunnel);

	TRY(ike_hang_child(sa->ike, c));
	c->sa = sa;
	list_add(&c->of_sa, &sa->children);
	list_init(&c->of_tunnel);
	if (t && list_empty(&t->children))
		t->used_ms = c->created_ms;
	if (t)
		list_add(&c->of_tunnel, &t->children);
	ike_idle_arm(c);
	sa->ike->stats.children++;
	return ERR_OK;
}

static void fill_parts(struct ike_sa *sa, const struct child_parts *p, struct child_sa *c)
{
	struct env *env = env_of(sa);
	uint64_t life = p->choice->lifetime_s * 1000ull;

	c->tunnel = p->tunnel->conf.index;
	c->spi_in = p->spi_in;
	c->spi_out = p->choice->spi;
	c->protocol = p->choice->protocol;
	c->cipher = p->choice->cipher;
	c->integ = p->choice->integ;
	c->esn = p->choice->esn;
	c->local_ts = *p->local;
	c->remote_ts = *p->remote;
	c->initiator = p->initiator;
	c->window = p->tunnel->conf.window;
	c->epoch = env->epoch(env);
	c->created_ms = ike_sa_now(sa);
	c->hard_ms = life ? c->created_ms + life : 0;
	c->hard_bytes = p->choice->lifetime_kb * 1024;
	c->hard_packets = p->choice->lifetime_packets;
	c->soft_ms = life ? c->created_ms + ike_soft_ms(sa->ike, p->initiator, life) : 0;
	c->next_ms = UINT64_MAX;
	c->serial = sa->ike->next_serial++;
}

enum err child_sa_new(struct ike_sa *sa, const struct child_parts *parts, struct child_sa **ret)
{
	struct child_sa *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_MEMORY;
	fill_parts(sa, parts, c);
	enum err e = derive(sa, parts, c);
	if (e == ERR_OK)
		e = take_slots(env_of(sa), c);
	if (e == ERR_OK)
		e = hang(sa, c); /* the SPI was seen to be free: it does not fail */
	if (e != ERR_OK) {
		child_sa_free(c);
		return e;
	}
	sa->children_created++;
	sa->ike->stats.children_up++;
	*ret = c;
	return ERR_OK;
}

void child_sa_move(struct child_sa *c, struct ike_sa *to, struct effects *fx)
{
	list_del(&c->of_sa);
	list_add_tail(&c->of_sa, &to->children);
	c->sa = to;
	to->children_created++;
	child_sa_put(to, c, fx);
}

bool child_sa_heard(const struct child_sa *c)
{
	struct env *env = env_of(c->sa);
	struct sa_usage in;

	return env->runtime_usage(env, c->slot_in, &in) == ERR_OK && in.last_use_ms != 0;
}

void child_sa_free(struct child_sa *c)
{
	if (c == NULL)
		return;
	secret_wipe(c, sizeof(*c));
	free(c);
}

void child_sa_drop(struct ike_sa *sa, struct child_sa *c, struct effects *fx)
{
	struct record_key key = record_key_child_sa(ip_protocol(c), c->spi_in);
	struct tunnel *t = ike_tunnel_by_index(sa->ike, c->tunnel);

	ike_unhang_child(sa->ike, c);
	list_del(&c->of_sa);
	list_del(&c->of_tunnel);
	ike_turn_del(sa->ike, &key, fx);
	if (!c->replaced)
		fx_event(fx, EVENT_IKE_CHILD_DOWN, "tunnel %u spi 0x%08x", c->tunnel, c->spi_in);
	sa->children_deleted++;
	sa->ike->stats.children--;
	sa->ike->stats.children_down++;
	if (t) { /* it may have to be made anew */
		ike_tunnel_note_use(t, c);
		ike_due_at(sa->ike, &t->due, ike_sa_now(sa));
	}
	child_sa_free(c);
}

struct child_sa *child_sa_by_spi_in(struct ike_sa *sa, uint32_t spi)
{
	struct child_sa *c = ike_child_by_spi(sa->ike, spi);

	return c && c->sa == sa ? c : NULL;
}

struct child_sa *child_sa_by_spi_out(struct ike_sa *sa, uint32_t spi)
{
	struct list *at;

	list_each (at, &sa->children)
		if (child_sa_at(at)->spi_out == spi)
			return child_sa_at(at);
	return NULL;
}

char *child_sa_suite_text(const struct child_sa *c, char buf[64])
{
	(void)snprintf(buf, 64, "%s%s%s",
	               c->protocol == PROTO_AH ? "ah"
	               : c->cipher             ? c->cipher->name
	                                       : "none",
	               c->integ ? "/" : "", c->integ ? c->integ->name : "");
	return buf;
}

/* ---- the record ------------------------------------------------------------------------------ */

static ProtobufCBinaryData bytes(const void *p, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)p };
}

struct selectors {
	Hawser__Selector s[IKE_SELECTORS_MAX], *p[IKE_SELECTORS_MAX];
};

static void fill_selectors(const struct ike_ts_list *l, struct selectors *ret)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ike_ts *ts = &l->at[i];

		hawser__selector__init(&ret->s[i]);
		ret->s[i].protocol = ts->protocol;
		ret->s[i].port_first = ts->port_first;
		ret->s[i].port_last = ts->port_last;
		ret->s[i].first = bytes(ts->first.b, addr_len(&ts->first));
		ret->s[i].last = bytes(ts->last.b, addr_len(&ts->last));
		ret->p[i] = &ret->s[i];
	}
}

/* A successor is asked for at nine tenths of a volume. */
static uint64_t soft_of(uint64_t hard)
{
	return hard - hard / 10;
}

static void fill(const struct ike_sa *sa, const struct child_sa *c, Hawser__ChildSaRecord *m)
{
	size_t key = child_cipher_key_len(c->cipher), auth = child_integ_key_len(c->integ);

	m->tunnel = c->tunnel;
	m->ike_spi = bytes(ike_sa_our_spi(sa), 8);
	m->anchor = sa->anchor;
	m->protocol = ip_protocol(c);
	m->spi_in = c->spi_in;
	m->spi_out = c->spi_out;
	m->cipher = c->cipher ? c->cipher->v2_id : 0;
	m->key_bits = c->cipher ? c->cipher->key_bits : 0;
	m->integ = c->integ ? c->integ->v2_id : INTEG_NONE;
	m->esn = c->esn;
	m->window = c->window;
	m->key_in = bytes(c->key[CHILD_IN].cipher, key);
	m->key_out = bytes(c->key[CHILD_OUT].cipher, key);
	m->auth_key_in = bytes(c->key[CHILD_IN].integ, auth);
	m->auth_key_out = bytes(c->key[CHILD_OUT].integ, auth);
	m->local = bytes(sa->local.addr.b, addr_len(&sa->local.addr));
	m->remote = bytes(sa->remote.addr.b, addr_len(&sa->remote.addr));
	m->udp_encap = sa->udp_encap;
	m->local_port = sa->local.port;
	m->remote_port = sa->remote.port;
	m->slot_in = c->slot_in;
	m->slot_out = c->slot_out;
	m->epoch = c->epoch;
	m->created_ms = c->created_ms;
	m->soft_ms = c->soft_ms;
	m->hard_ms = c->hard_ms;
	m->hard_bytes = c->hard_bytes;
	m->soft_bytes = soft_of(c->hard_bytes);
	m->hard_packets = c->hard_packets;
	m->soft_packets = soft_of(c->hard_packets);
	m->sending = c->sending;
	m->instance = sa->gw ? sa->gw->conf.instance : 0;
	m->serial = c->serial;
	m->initiator = c->initiator;
	m->state = child_fsm_number(c->state);
	m->next_ms = c->next_ms == UINT64_MAX ? 0 : c->next_ms;
	m->confirm_ms = c->confirm_ms;
	m->tries = c->tries;
}

void child_sa_put(struct ike_sa *sa, const struct child_sa *c, struct effects *fx)
{
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	struct selectors local, remote;
	uint8_t body[4096];
	size_t len;

	fill(sa, c, &m);
	fill_selectors(&c->local_ts, &local);
	fill_selectors(&c->remote_ts, &remote);
	m.n_local_ts = c->local_ts.n;
	m.local_ts = local.p;
	m.n_remote_ts = c->remote_ts.n;
	m.remote_ts = remote.p;
	struct record_key key = record_key_child_sa(ip_protocol(c), c->spi_in);
	ike_turn_put(sa);
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK)
		fx_put(fx, &key, (struct view){ body, len });
	else
		fx->overrun = true; /* 16 selectors always fit: never without a bug */
	secret_wipe(body, sizeof(body));
}

static enum err selectors_of(Hawser__Selector *const *s, size_t n, struct ike_ts_list *ret)
{
	if (n > IKE_SELECTORS_MAX)
		return ERR_LENGTH;
	for (size_t i = 0; i < n; i++) {
		struct ike_ts *ts = &ret->at[i];

		ts->protocol = (uint8_t)s[i]->protocol;
		ts->port_first = (uint16_t)s[i]->port_first;
		ts->port_last = (uint16_t)s[i]->port_last;
		TRY(addr_from_bytes(s[i]->first.data, s[i]->first.len, &ts->first));
		TRY(addr_from_bytes(s[i]->last.data, s[i]->last.len, &ts->last));
	}
	ret->n = n;
	return ERR_OK;
}

static void take_bytes(ProtobufCBinaryData from, uint8_t *to)
{
	struct reader r = rd_of(from.data, from.len);

	rd_bytes(&r, to, from.len);
}

/* Their lengths were held against the algorithms when the record was decoded. */
static void take_keys(const Hawser__ChildSaRecord *m, struct child_sa *c)
{
	take_bytes(m->key_in, c->key[CHILD_IN].cipher);
	take_bytes(m->key_out, c->key[CHILD_OUT].cipher);
	take_bytes(m->auth_key_in, c->key[CHILD_IN].integ);
	take_bytes(m->auth_key_out, c->key[CHILD_OUT].integ);
}

static enum err take_record(const Hawser__ChildSaRecord *m, struct child_sa *c)
{
	c->tunnel = m->tunnel;
	c->spi_in = m->spi_in;
	c->spi_out = m->spi_out;
	c->protocol = m->protocol == IPPROTO_NO_AH ? PROTO_AH : PROTO_ESP;
	if (m->cipher)
		c->cipher = alg_cipher_by_id((uint16_t)m->cipher, (uint16_t)m->key_bits);
	if (m->integ != INTEG_NONE)
		c->integ = alg_integ_by_id((uint16_t)m->integ);
	c->esn = m->esn;
	c->initiator = m->initiator;
	c->sending = m->sending;
	c->window = (uint16_t)m->window;
	take_keys(m, c);
	c->slot_in = m->slot_in;
	c->slot_out = m->slot_out;
	c->epoch = (uint16_t)m->epoch;
	c->created_ms = m->created_ms;
	c->soft_ms = m->soft_ms;
	c->hard_ms = m->hard_ms;
	c->hard_bytes = m->hard_bytes;
	c->hard_packets = m->hard_packets;
	c->next_ms = m->next_ms ? m->next_ms : UINT64_MAX;
	c->confirm_ms = m->confirm_ms;
	c->tries = (uint8_t)m->tries;
	/* Older versions did not say. */
	TRY(child_fsm_restore(c, m->state     ? m->state
	                         : m->sending ? child_fsm_number(CHILD_UP)
	                                      : child_fsm_number(CHILD_WAITING)));
	c->replaced = c->state == CHILD_REPLACED || c->state == CHILD_RETIRING ||
	              c->state == CHILD_LINGERING;
	c->serial = m->serial;
	TRY(selectors_of(m->local_ts, m->n_local_ts, &c->local_ts));
	return selectors_of(m->remote_ts, m->n_remote_ts, &c->remote_ts);
}

static enum err restore(struct ike *ike, const Hawser__ChildSaRecord *m)
{
	struct ike_sa *sa = ike_by_spi(ike, m->ike_spi.data);
	struct child_sa *c = calloc(1, sizeof(*c));
	enum err e = c ? take_record(m, c) : ERR_MEMORY;

	if (e == ERR_OK && sa == NULL)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = hang(sa, c);
	if (e != ERR_OK) {
		child_sa_free(c);
		return e;
	}
	if (c->serial >= ike->next_serial)
		ike->next_serial = c->serial + 1;
	return ERR_OK;
}

enum err child_sa_restore(struct ike *ike, struct view body)
{
	Hawser__ChildSaRecord *m = NULL;

	TRY(record_child_sa_decode(body, &m));
	enum err e = restore(ike, m);
	record_child_sa_free(m);
	return e;
}
