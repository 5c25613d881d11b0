// SPDX-License-Identifier: BSD-2-Clause
/* What a predecessor left becomes ours (idea 2): the node's own record, tunnels, IKE and child SAs.
 *
 * The run-time table's identity is also in the node's record: where they differ, the counters are
 * young and the keys are old, so all SAs are deleted before anything is sent (settled: 5.5). */
#include "daemon_priv.h"

#include "records.pb-c.h"

#include <stdlib.h>
#include <string.h>

static enum err take_node(void *ctx, const struct record *r)
{
	Hawser__NodeRecord *m = NULL;
	struct daemon *d = ctx;

	TRY(record_node_decode(r->body, &m));
	memcpy(d->env.anchor_key, m->anchor_key.data, sizeof(d->env.anchor_key));
	d->epoch = (uint16_t)m->epoch;
	bool same = memcmp(m->runtime_identity.data, d->runtime.identity,
	                   sizeof(d->runtime.identity)) == 0;
	hawser__node_record__free_unpacked(m, NULL);
	return same ? ERR_OK : ERR_VERSION;
}

static void put_node(struct daemon *d)
{
	Hawser__NodeRecord m = HAWSER__NODE_RECORD__INIT;
	struct record_key key = record_key_node();
	struct effects fx = { 0 };
	uint8_t body[128];
	size_t len;

	m.runtime_identity =
	        (ProtobufCBinaryData){ sizeof(d->runtime.identity), d->runtime.identity };
	m.anchor_key = (ProtobufCBinaryData){ sizeof(d->env.anchor_key), d->env.anchor_key };
	m.node_id = d->env.node_id;
	m.epoch = d->epoch;
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK)
		fx_put(&fx, &key, (struct view){ body, len });
	daemon_turn(d, &fx);
}

/* Keys of records to delete: a walk may not write. */
struct keys {
	struct record_key *at; /* owns */
	size_t n;
};

static enum err collect(void *ctx, const struct record *r)
{
	struct keys *k = ctx;
	struct record_key *more = realloc(k->at, (k->n + 1) * sizeof(*more));

	if (more == NULL)
		return ERR_MEMORY;
	k->at = more;
	k->at[k->n++] = r->key;
	return ERR_OK;
}

static void delete_keys(struct daemon *d, struct keys *k)
{
	struct effects fx = { 0 };

	for (size_t i = 0; i < k->n; i++)
		fx_del(&fx, &k->at[i]);
	daemon_turn(d, &fx);
	free(k->at);
	*k = (struct keys){ 0 };
}

static void delete_all_sas(struct daemon *d)
{
	struct keys k = { 0 };

	(void)!store_each(d->store, REC_CHILD_SA, collect, &k);
	(void)!store_each(d->store, REC_IKE_SA, collect, &k);
	delete_keys(d, &k);
}

static enum err take_tunnel(void *ctx, const struct record *r)
{
	Hawser__TunnelRecord *m = NULL;
	struct daemon *d = ctx;

	TRY(record_tunnel_decode(r->body, &m));
	struct tunnel t = { .index = m->index,
		            .engine = (uint8_t)m->engine,
		            .anchor = (uint8_t)m->anchor };
	(void)strncpy(t.vpn, m->vpn, sizeof(t.vpn) - 1);
	hawser__tunnel_record__free_unpacked(m, NULL);
	(void)!tunnels_know(&d->tunnels, &t);
	return ERR_OK;
}

static enum err take_child(void *ctx, const struct record *r)
{
	children_recorded(ctx, r);
	return ERR_OK;
}

static enum err take_totals(void *ctx, const struct record *r)
{
	(void)!totals_recorded(ctx, r); /* one that makes no sense begins anew */
	return ERR_OK;
}

enum err resume_records(struct daemon *d, struct why *why)
{
	struct record_key key = record_key_node();
	enum err e = store_get(d->store, &key, take_node, d);

	(void)why;
	if (e) { /* a first start, another table, or a record that makes no sense */
		if (e == ERR_NOT_FOUND)
			d->env.random(&d->env, d->env.anchor_key, sizeof(d->env.anchor_key));
		else
			daemon_event(d, EVENT_RUNTIME_NEW, "%s", err_text(e));
		d->children.table_is_new = true;
		delete_all_sas(d);
		d->epoch = (uint16_t)(d->epoch + 2); /* of our own parity */
		put_node(d);
	}
	/* Children too, so that the steering keeps the tunnels that are up. */
	TRY(store_each(d->store, REC_CHILD_SA, take_child, d));
	TRY(store_each(d->store, REC_TOTALS, take_totals, d));
	return store_each(d->store, REC_TUNNEL, take_tunnel, d);
}

struct restore {
	struct daemon *d;
	struct keys bad;
};

static enum err restore_one(void *ctx, const struct record *r)
{
	struct restore *k = ctx;

	if (manual_sas_has(&r->key)) /* the configuration's, not IKE's */
		return ERR_OK;
	return ike_restore(k->d->ike, r) ? collect(&k->bad, r) : ERR_OK;
}

void resume_ike(struct daemon *d)
{
	struct restore k = { .d = d };
	struct effects fx = { 0 };

	(void)!store_each(d->store, REC_IKE_SA, restore_one, &k);
	(void)!store_each(d->store, REC_CHILD_SA, restore_one, &k);
	delete_keys(d, &k.bad);
	children_note_strays(d);
	ike_restored(d->ike, &fx);
	daemon_turn(d, &fx);
}
