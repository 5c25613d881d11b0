// SPDX-License-Identifier: BSD-2-Clause
#include "control.h"
#include "records.pb-c.h"

#include <stdio.h>

static void refused(struct control *c, const struct record_key *key, enum err e,
                    const struct why *why)
{
	char name[RECORD_KEY_TEXT_MAX];

	log_event(c->log, c->roads->now_ms, EVENT_SPU_RECORD_REFUSED, "%s: %s",
	          record_key_text(key, name), why->text[0] ? why->text : err_text(e));
}

/* ---------------------------------------------------------------- one kind of record each */

/* Settled 5.5: an old key never meets a young counter. */
static enum err apply_node(struct control *c, const struct record *r, struct why *why)
{
	Hawser__NodeRecord *m = NULL;
	bool known = false;

	(void)why;
	if (!r->deleted) {
		TRY(record_node_decode(r->body, &m));
		known = m->runtime_identity.len == sizeof(c->roads->runtime->identity) &&
		        memcmp(m->runtime_identity.data, c->roads->runtime->identity,
		               sizeof(c->roads->runtime->identity)) == 0;
		hawser__node_record__free_unpacked(m, NULL);
	}
	if (known == c->runtime_known)
		return ERR_OK;
	c->runtime_known = known;
	sa_table_clear(&c->roads->sas);
	return known ? ERR_AGAIN : ERR_OK; /* SAs that were left out before are read again */
}

static enum err apply_spu(struct control *c, const struct record *r, struct why *why)
{
	Hawser__SpuRecord *m = NULL;

	(void)why;
	if (r->deleted || r->key.len != 1 || r->key.b[0] != c->slot)
		return ERR_OK;
	TRY(record_spu_decode(r->body, &m));
	c->nic->allowed = m->offload == HAWSER__OFFLOAD__OFFLOAD_INLINE;
	hawser__spu_record__free_unpacked(m, NULL);
	return ERR_OK;
}

static void apply_anchor(struct control *c, const Hawser__AnchorsRecord *m, uint8_t anchor)
{
	uint8_t owner = m->owner.data[anchor];
	uint8_t from = m->moving_from.len == ANCHORS ? m->moving_from.data[anchor] : ANCHOR_NOBODY;

	if (owner == c->slot && from != ANCHOR_NOBODY && from != c->slot && from < SPU_SLOTS)
		hold_begin(&c->roads->hold, anchor, from, m->marker);
	else
		hold_cancel(&c->roads->hold, anchor);
	c->nic->owner[anchor] = owner;
	c->in_service |= owner == c->slot;
}

static enum err apply_anchors(struct control *c, const struct record *r, struct why *why)
{
	Hawser__AnchorsRecord *m = NULL;

	(void)why;
	c->in_service = false;
	if (r->deleted) {
		memset(c->nic->owner, ANCHOR_NOBODY, sizeof(c->nic->owner));
		return ERR_OK;
	}
	TRY(record_anchors_decode(r->body, &m));
	for (unsigned int i = 0; i < ANCHORS; i++)
		apply_anchor(c, m, (uint8_t)i);
	hawser__anchors_record__free_unpacked(m, NULL);
	return ERR_OK;
}

static enum encap_df df_of(Hawser__DfBit df)
{
	static const enum encap_df by_record[] = {
		[HAWSER__DF_BIT__DF_CLEAR] = ENCAP_DF_CLEAR,
		[HAWSER__DF_BIT__DF_SET] = ENCAP_DF_SET,
		[HAWSER__DF_BIT__DF_COPY] = ENCAP_DF_COPY,
	};

	return (size_t)df < ARRAY_LEN(by_record) ? by_record[df] : ENCAP_DF_CLEAR;
}

/* An empty one: no ICMP errors are made. */
static void answer_source(struct addr *ret, ProtobufCBinaryData b)
{
	if (b.len == 0 || addr_from_bytes(b.data, b.len, ret) != ERR_OK)
		*ret = (struct addr){ .family = ADDR_NONE };
}

static enum err apply_tunnel(struct control *c, const struct record *r, struct why *why)
{
	Hawser__TunnelRecord *m = NULL;

	(void)why;
	if (r->deleted) {
		if (r->key.len == 4)
			sa_table_tunnel_del(&c->roads->sas, get_be32(r->key.b));
		return ERR_OK;
	}
	TRY(record_tunnel_decode(r->body, &m));
	struct tunnel *tun = sa_table_tunnel_get(&c->roads->sas, m->index);
	if (tun != NULL) {
		tun->st0_ifindex = m->st0_ifindex;
		tun->instance = (uint16_t)m->instance;
		tun->df = (uint8_t)df_of(m->df_bit);
		tun->choice = (uint8_t)m->engine;
		tun->post_fragmentation = m->post_fragmentation;
		tun->copy_outer_dscp = m->copy_outer_dscp;
		tun->tcp_mss = (uint16_t)m->tcp_mss;
		tun->link_mtu = (uint16_t)m->link_mtu;
		answer_source(&tun->answer4, m->answer4);
		answer_source(&tun->answer6, m->answer6);
		tun->known = true;
		tun->asked++;
		sa_table_tunnel_changed(tun);
	}
	hawser__tunnel_record__free_unpacked(m, NULL);
	return tun != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err apply_child_sa(struct control *c, const struct record *r, struct why *why)
{
	Hawser__ChildSaRecord *m = NULL;
	struct sa *sa = NULL;

	if (!c->runtime_known)
		return ERR_OK;
	if (r->deleted) {
		if (r->key.len == 5 || r->key.len == 9)
			sa_table_del(&c->roads->sas, r->key.b[0], get_be32(r->key.b + 1),
			             r->key.len == 9 ? get_be32(r->key.b + 5) : 0);
		return ERR_OK;
	}
	TRY(record_child_sa_decode(r->body, &m));
	enum err e = sa_make(m, c->roads->runtime, &sa, why);
	if (e == ERR_OK)
		e = sa_table_put(&c->roads->sas, sa, why);
	record_child_sa_free(m);
	return e;
}

/* ---------------------------------------------------------------- the walk */

typedef enum err (*apply_fn)(struct control *c, const struct record *r, struct why *why);

static const apply_fn apply[REC_KINDS] = {
	[REC_NODE] = apply_node,     [REC_SPU] = apply_spu,           [REC_ANCHORS] = apply_anchors,
	[REC_TUNNEL] = apply_tunnel, [REC_CHILD_SA] = apply_child_sa,
};

/* A record that cannot be used is said and left out; the others are not held up by it. */
static enum err each(void *ctx, const struct record *r)
{
	struct control *c = ctx;
	struct why why = { 0 };

	spu_count(&c->roads->shm->progress, 1);
	if (r->key.kind >= REC_KINDS || apply[r->key.kind] == NULL)
		return ERR_OK;
	enum err e = apply[r->key.kind](c, r, &why);
	if (e == ERR_AGAIN)
		return e;
	if (e != ERR_OK)
		refused(c, &r->key, e, &why);
	return ERR_OK;
}

/* Nothing is in force yet, whatever the word says of a predecessor or of another store. */
static void start_over(struct control *c)
{
	c->applied = 0;
	__atomic_store_n((uint64_t *)&c->roads->shm->applied, 0, __ATOMIC_RELEASE);
}

enum err control_open(struct control *c, struct why *why)
{
	start_over(c);
	c->damaged = false;
	return store_open(c->path, STORE_READ, 0, &c->store, why);
}

void control_close(struct control *c)
{
	store_close(c->store);
	c->store = NULL;
}

struct self {
	Hawser__SpuRecord *m;
};

static enum err self_read(void *ctx, const struct record *r)
{
	struct self *s = ctx;

	return record_spu_decode(r->body, &s->m);
}

enum err control_self(struct control *c, Hawser__SpuRecord **ret, struct why *why)
{
	struct record_key key = record_key_spu(c->slot);
	struct self s = { 0 };
	enum err e = store_get(c->store, &key, self_read, &s);

	if (e != ERR_OK)
		return why_set(why, e, "no record of SPU %u: %s", c->slot, err_text(e));
	*ret = s.m;
	return ERR_OK;
}

/* The routing engine made the store anew: what the old one said is void. */
static void open_again(struct control *c)
{
	struct why why = { 0 };

	control_close(c);
	sa_table_clear(&c->roads->sas);
	c->runtime_known = false;
	if (control_open(c, &why) != ERR_OK)
		c->store = NULL; /* the next turn tries again */
}

static bool store_is_there(struct control *c)
{
	if (c->store == NULL || store_replaced(c->store))
		open_again(c);
	return c->store != NULL;
}

static void publish(struct control *c, uint64_t upto)
{
	c->applied = upto;
	nic_changed(c->nic);
	__atomic_store_n((uint64_t *)&c->roads->shm->applied, upto, __ATOMIC_RELEASE);
}

static void damaged(struct control *c, enum err e)
{
	if (!c->damaged)
		log_event(c->log, c->roads->now_ms, EVENT_SPU_RECORD_REFUSED,
		          "the store cannot be read after revision %llu: %s; going on with what is "
		          "known",
		          (unsigned long long)c->applied, err_text(e));
	c->damaged = true;
}

/* Whether there may be something to read: the revision moved, or something is left, or it is time
 * to look whether a store that could not be opened is there now. */
static bool due(struct control *c, uint64_t newest)
{
	uint64_t now = c->roads->now_ms;

	if (c->store == NULL && now - c->tried_ms < CONTROL_RETRY_MS)
		return false;
	return c->store == NULL || c->more || newest != c->seen;
}

bool control_turn(struct control *c)
{
	uint64_t newest = __atomic_load_n((uint64_t *)&c->node->revision, __ATOMIC_ACQUIRE);
	uint64_t upto = 0;

	if (!due(c, newest))
		return false;
	c->tried_ms = c->roads->now_ms;
	if (!store_is_there(c))
		return false;
	c->seen = newest;
	c->more = false;
	enum err e = store_newer(c->store, c->applied, CONTROL_BATCH, each, c, &upto);
	if (e == ERR_AGAIN) {
		start_over(c);
		c->more = true;
	} else if (e != ERR_OK) {
		damaged(c, e);
	} else if (upto != c->applied) {
		c->more = upto < newest;
		publish(c, upto);
	}
	return c->more;
}
