// SPDX-License-Identifier: BSD-2-Clause
/* Manual SAs made true: their records, and the steering's map of SPIs that a user picked. */
#include "daemon_priv.h"

#include "manual.h"
#include "records.pb-c.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#define MANUAL_KEY_LEN 9 /* protocol, SPI, tunnel */

bool manual_sas_has(const struct record_key *key)
{
	return key->kind == REC_CHILD_SA && key->len == MANUAL_KEY_LEN;
}

static bool same_key(const struct record_key *a, const struct record_key *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

/* ---- what is there and not wanted ---------------------------------------------------------- */

struct gone {
	struct daemon *d;
	struct effects *fx;
};

static uint32_t spi_of(const struct record_key *key)
{
	struct reader r = rd_of(key->b, key->len);

	rd_skip(&r, 1); /* protocol */
	return rd_u32(&r);
}

static enum err look_for_gone(void *ctx, const struct record *r)
{
	struct gone *g = ctx;

	if (!manual_sas_has(&r->key))
		return ERR_OK;
	for (size_t i = 0; i < g->d->tunnels.n; i++) {
		struct record_key want;

		if (!manual_is(&g->d->tunnels.at[i]))
			continue;
		want = manual_key(&g->d->tunnels.at[i]);
		if (same_key(&want, &r->key))
			return ERR_OK;
	}
	fx_del(g->fx, &r->key);
	(void)!steer_manual_del(g->d->steer, 0, spi_of(&r->key));
	return ERR_OK;
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static enum err slots_of_record(void *ctx, const struct record *r)
{
	Hawser__ChildSaRecord *m = NULL;
	struct manual_slots *s = ctx;

	TRY(record_child_sa_decode(r->body, &m));
	*s = (struct manual_slots){ m->slot_in, m->slot_out, m->created_ms };
	record_child_sa_free(m);
	return ERR_OK;
}

static enum err take_slots(struct daemon *d, struct manual_slots *s)
{
	TRY(d->env.runtime_take(&d->env, true, 0, &s->in));
	enum err e = d->env.runtime_take(&d->env, false, 0, &s->out);
	if (e)
		d->env.runtime_give(&d->env, s->in);
	s->created_ms = daemon_now_ms(d);
	return e;
}

/* Another key or address is another SA, with counters of its own: the old one's are added to the
 * tunnel's, as with any that is deleted. */
static enum err put_sa(struct daemon *d, const struct tunnel *t, struct effects *fx)
{
	struct record_key key = manual_key(t);
	struct manual_slots s = { 0 };
	uint8_t body[1024];
	size_t len;
	bool known = store_get(d->store, &key, slots_of_record, &s) == ERR_OK;

	if (known) {
		TRY(manual_record(&d->env, t, &s, body, sizeof(body), &len));
		known = daemon_has_record(d, &key, (struct view){ body, len });
	}
	if (!known) {
		TRY(take_slots(d, &s));
		TRY(manual_record(&d->env, t, &s, body, sizeof(body), &len));
		fx_del(fx, &key);
		fx_put(fx, &key, (struct view){ body, len });
	}
	secret_wipe(body, sizeof(body));
	return ERR_OK;
}

void manual_sas_apply(struct daemon *d)
{
	struct effects fx = { 0 };
	struct gone gone = { d, &fx };

	(void)!store_each(d->store, REC_CHILD_SA, look_for_gone, &gone);
	for (size_t i = 0; i < d->tunnels.n; i++) {
		struct tunnel *t = &d->tunnels.at[i];

		if (!manual_is(t))
			continue;
		enum err e = put_sa(d, t, &fx);
		if (e)
			daemon_event(d, EVENT_IKE_INTERNAL, "manual SA of vpn %s: %s", t->vpn,
			             err_text(e));
		(void)!steer_manual_set(d->steer, 0, t->conf->manual->spi,
		                        manual_anchor(&d->env, t));
	}
	daemon_turn(d, &fx);
}

/* ---- show ------------------------------------------------------------------------------------ */

static struct ike_ts range_of(const struct prefix *p)
{
	return (struct ike_ts){ .port_last = UINT16_MAX,
		                .first = prefix_first(p),
		                .last = prefix_last(p) };
}

static void describe(struct daemon *d, const struct tunnel *t, const struct child *c,
                     struct ike_child_info *i)
{
	const struct config_manual *m = t->conf->manual;

	*i = (struct ike_child_info){ .tunnel = t->index,
		                      .state = "installed",
		                      .anchor = c->anchor,
		                      .sending = true,
		                      .spi_in = m->spi,
		                      .spi_out = m->spi,
		                      .slot_in = c->slot_in,
		                      .slot_out = c->slot_out,
		                      .protocol = m->protocol,
		                      .cipher = m->cipher,
		                      .integ = m->integ,
		                      .local = { m->local, 500 },
		                      .remote = { m->remote, 500 } };
	memcpy(i->vpn, t->vpn, sizeof(i->vpn));
	for (size_t k = 0; k < t->conf->selectors; k++) {
		i->local_ts[i->local_n++] = range_of(&t->conf->selector[k].local);
		i->remote_ts[i->remote_n++] = range_of(&t->conf->selector[k].remote);
	}
	(void)!d->env.runtime_usage(&d->env, c->slot_in, &i->in);
	(void)!d->env.runtime_usage(&d->env, c->slot_out, &i->out);
}

void manual_sas_each(struct daemon *d, bool (*fn)(void *ctx, const struct ike_child_info *),
                     void *ctx)
{
	for (size_t k = 0; k < d->children.n; k++) {
		const struct child *c = d->children.at[k];
		const struct tunnel *t = tunnels_find(&d->tunnels, c->tunnel);
		struct ike_child_info info;

		if (!manual_sas_has(&c->key) || c->gone_revision || t == NULL || !manual_is(t))
			continue;
		describe(d, t, c, &info);
		if (!fn(ctx, &info))
			return;
	}
}
