// SPDX-License-Identifier: BSD-2-Clause
#include "manual.h"

#include "algorithms.h"
#include "anchor.h"
#include "records.pb-c.h"
#include "secret.h"

enum { IKE_PORT = 500 };

bool manual_is(const struct tunnel *t)
{
	return t->conf && t->conf->manual && t->conf->manual->local.family != ADDR_NONE;
}

static uint8_t protocol_of(const struct config_manual *m)
{
	return m->protocol == PROTO_AH ? IPPROTO_NO_AH : IPPROTO_NO_ESP;
}

struct record_key manual_key(const struct tunnel *t)
{
	const struct config_manual *m = t->conf->manual;

	return record_key_manual_sa(protocol_of(m), m->spi, t->index);
}

uint8_t manual_anchor(const struct env *env, const struct tunnel *t)
{
	struct endpoint local = { t->conf->manual->local, IKE_PORT };
	struct endpoint remote = { t->conf->manual->remote, IKE_PORT };

	return anchor_of_endpoints(env, &local, &remote);
}

static ProtobufCBinaryData bytes(const void *p, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)p };
}

static ProtobufCBinaryData key_of(const struct secret *s)
{
	struct view v = s ? secret_view(s) : (struct view){ 0 };

	return bytes(v.p, v.len);
}

struct side {
	Hawser__Selector s[CONFIG_SELECTORS_MAX], *p[CONFIG_SELECTORS_MAX];
	struct addr first[CONFIG_SELECTORS_MAX], last[CONFIG_SELECTORS_MAX];
};

static void fill_side(struct side *side, const struct config_vpn *v, bool local)
{
	for (size_t i = 0; i < v->selectors; i++) {
		const struct prefix *p = local ? &v->selector[i].local : &v->selector[i].remote;
		Hawser__Selector *s = side->p[i] = &side->s[i];

		hawser__selector__init(s);
		side->first[i] = prefix_first(p);
		side->last[i] = prefix_last(p);
		s->first = bytes(side->first[i].b, addr_len(&side->first[i]));
		s->last = bytes(side->last[i].b, addr_len(&side->last[i]));
		s->port_last = UINT16_MAX;
	}
}

static void fill(Hawser__ChildSaRecord *m, const struct config_manual *c)
{
	m->protocol = protocol_of(c);
	m->spi_in = m->spi_out = c->spi;
	if (c->cipher) {
		m->cipher = c->cipher->v2_id;
		m->key_bits = c->cipher->key_bits;
	}
	m->integ = c->integ->v2_id;
	m->key_in = m->key_out = key_of(c->cipher_key);
	m->auth_key_in = m->auth_key_out = key_of(c->auth_key);
	m->local = bytes(c->local.b, addr_len(&c->local));
	m->remote = bytes(c->remote.b, addr_len(&c->remote));
	m->local_port = m->remote_port = IKE_PORT;
	m->sending = true;
	m->manual = true;
}

enum err manual_record(const struct env *env, const struct tunnel *t, const struct manual_slots *s,
                       uint8_t *body, size_t cap, size_t *ret_len)
{
	static const uint8_t no_ike_sa[8];
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	struct side local, remote;

	fill(&m, t->conf->manual);
	fill_side(&local, t->conf, true);
	fill_side(&remote, t->conf, false);
	m.n_local_ts = m.n_remote_ts = t->conf->selectors;
	m.local_ts = local.p;
	m.remote_ts = remote.p;
	m.ike_spi = bytes(no_ike_sa, sizeof(no_ike_sa));
	m.tunnel = t->index;
	m.anchor = manual_anchor(env, t);
	m.slot_in = s->in;
	m.slot_out = s->out;
	m.created_ms = s->created_ms;
	return record_encode(&m.base, body, cap, ret_len);
}
