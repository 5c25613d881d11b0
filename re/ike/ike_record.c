// SPDX-License-Identifier: BSD-2-Clause
/* The record of an IKE SA: what a restarted routing engine needs to go on with it (idea 2).
 *
 * It is put with each change, before the message that depends on it: after IKE_AUTH was sent, while
 * it is up, while our Delete is out. Earlier states are not recorded: a restart abandons them. The
 * keys are wrapped by AES-256-GCM, bound to the SA by its SPIs. */
#include "ex_child.h"
#include "ike_frag.h"
#include "ike_priv.h"
#include "records.pb-c.h"
#include "secret.h"

#include <stdlib.h>

enum { WRAP_NONCE = 12, WRAP_TAG = 16, WRAP_EXTRA = WRAP_NONCE + WRAP_TAG, SECRET_MAX = 1024 };

_Static_assert(sizeof(struct ike_keys) <= SECRET_MAX, "keys fit into what is unwrapped");

/* ---- wrapping -------------------------------------------------------------------------------- */

/* The 12-byte nonce is random: 4 bytes take the place of the salt, 8 that of the IV. In place: the
 * secret stands between nonce and tag. */
struct wrap {
	uint8_t key[CIPHER_KEY_MAX], aad[16];
	struct ike_cipher_call call;
};

/* w->aad is there. */
static void wrap_init(const struct ike *ike, uint8_t *at, size_t len, struct wrap *w)
{
	memcpy(w->key, ike->wrap_key, 32);
	memcpy(w->key + 32, at, 4);
	w->call = (struct ike_cipher_call){ .cipher = alg_cipher_by_id(ENCR_AES_GCM_16, 256),
		                            .key = w->key,
		                            .iv = at + 4,
		                            .aad = { w->aad, 16 },
		                            .data = at + WRAP_NONCE,
		                            .len = len,
		                            .tag = at + WRAP_NONCE + len };
}

/* out has len + WRAP_EXTRA bytes. */
static enum err wrap(const struct ike_sa *sa, const void *secret, size_t len, uint8_t *out)
{
	struct env *env = sa->ike->env;
	struct wrap w;

	env->random(env, out, WRAP_NONCE);
	memcpy(out + WRAP_NONCE, secret, len);
	memcpy(w.aad, sa->spi_i, 8);
	memcpy(w.aad + 8, sa->spi_r, 8);
	wrap_init(sa->ike, out, len, &w);
	enum err e = ike_encrypt(sa->ike->crypto, &w.call);
	secret_wipe(&w, sizeof(w));
	return e;
}

/* The secret's length is known by the caller; ret is written on success only. */
static enum err unwrap(struct ike *ike, const Hawser__IkeSaRecord *m, ProtobufCBinaryData from,
                       void *ret, size_t len)
{
	uint8_t buf[SECRET_MAX + WRAP_EXTRA];
	struct wrap w;

	if (len > SECRET_MAX || from.len != len + WRAP_EXTRA)
		return ERR_LENGTH;
	memcpy(buf, from.data, from.len);
	memcpy(w.aad, m->spi_i.data, 8);
	memcpy(w.aad + 8, m->spi_r.data, 8);
	wrap_init(ike, buf, len, &w);
	enum err e = ike_decrypt(ike->crypto, &w.call);
	if (e == ERR_OK)
		memcpy(ret, w.call.data, len);
	secret_wipe(&w, sizeof(w));
	secret_wipe(buf, sizeof(buf));
	return e;
}

/* ---- out ------------------------------------------------------------------------------------- */

static ProtobufCBinaryData bytes(const void *p, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)p };
}

static ProtobufCBinaryData bytes_of(const struct blob *b)
{
	return bytes(b->p, b->len);
}

static uint64_t time_out(uint64_t ms)
{
	return ms == UINT64_MAX ? 0 : ms;
}

static uint64_t time_in(uint64_t ms)
{
	return ms ? ms : UINT64_MAX;
}

static void fill_negotiated(const struct ike_sa *sa, Hawser__IkeSaRecord *m)
{
	const struct ike_suite *s = &sa->choice.suite;

	m->spi_i = bytes(sa->spi_i, 8);
	m->spi_r = bytes(sa->spi_r, 8);
	m->initiator = sa->initiator;
	m->gateway = sa->gw ? sa->gw->conf.name : (char *)(uintptr_t) "";
	m->local = bytes(sa->local.addr.b, addr_len(&sa->local.addr));
	m->local_port = sa->local.port;
	m->remote = bytes(sa->remote.addr.b, addr_len(&sa->remote.addr));
	m->remote_port = sa->remote.port;
	m->encr = s->cipher->v2_id;
	m->key_bits = s->cipher->key_bits;
	m->prf = s->prf->v2_id;
	m->integ = s->integ ? s->integ->v2_id : INTEG_NONE;
	m->ke = s->ke->v2_id;
	m->nat_local = sa->natd.local;
	m->nat_remote = sa->natd.remote;
	m->udp_encap = sa->udp_encap;
	m->anchor = sa->anchor;
	m->index = sa->index;
	m->lifetime_s = sa->choice.lifetime_s;
	m->fragmentation = sa->fragmentation;
}

static void fill_progress(const struct ike_sa *sa, Hawser__IkeSaRecord *m)
{
	m->next_request = sa->win.next_request;
	m->next_expected = sa->win.next_expected;
	m->pending_request = bytes_of(&sa->win.request);
	m->message_id_sync = sa->mid_sync;
	m->replay_sync = sa->replay_sync;
	m->sync_claim = sa->sync.claim;
	m->sync_pending = sa->sync.retry_ms != UINT64_MAX;
	m->sync_seen = sa->sync.seen;
	m->mobike = sa->mobike;
	m->mobike_id = sa->mobike_id;
	if (sa->challenged || sa->wish_challenge)
		m->challenge = bytes(sa->challenge, sa->challenged ? sizeof(sa->challenge) : 1);
	m->ppk_agreed = sa->ppk_agreed;
	m->ppk = sa->ppk;
	m->width = sa->win.width;
	m->peer_width = sa->peer_width;
	m->created_ms = sa->created_ms;
	m->soft_ms = time_out(sa->soft_ms);
	m->hard_ms = time_out(sa->hard_ms);
	m->children_created = sa->children_created;
	m->children_deleted = sa->children_deleted;
	m->bytes_in = sa->bytes_in;
	m->bytes_out = sa->bytes_out;
	m->packets_in = sa->packets_in;
	m->packets_out = sa->packets_out;
	m->tunnel = sa->tunnel ? sa->tunnel->conf.index : 0;
	m->replacing = sa->replacing;
	m->stray_spi = sa->stray_spi;
	m->delete_at_ms = time_out(sa->delete_at_ms);
	m->no_more = sa->no_more;
	m->tries = sa->tries;
	m->replaced = sa->replaced;
	m->rekeys = sa->rekeys;
	m->reauth_ms = time_out(sa->reauth_ms);
	if (ike_reauth_takes_over(sa))
		m->takes_over = bytes(sa->takes_over, 8);
	if (sa->target == IKE_AUTH_SENT) {
		m->nonce_i = bytes_of(&sa->nonce_i);
		m->nonce_r = bytes_of(&sa->nonce_r);
		m->init_response = bytes_of(&sa->init_response);
		m->child_spi = sa->child_spi;
	}
}

static void add_answer(void *ctx, struct view answer)
{
	wr_view(ctx, answer);
}

/* The message and what it points to. */
struct creation_out {
	Hawser__Creation m;
	uint8_t wrapped[DH_PRIVATE_MAX + WRAP_EXTRA];
};

static enum err fill_private(const struct ike_sa *sa, const struct creation *cr,
                             struct creation_out *out)
{
	uint8_t private[DH_PRIVATE_MAX];
	size_t len;

	if (cr->dh == NULL)
		return ERR_OK;
	TRY(dh_key_save(cr->ke, cr->dh, private, &len));
	enum err e = wrap(sa, private, len, out->wrapped);
	secret_wipe(private, sizeof(private));
	out->m.wrapped_private = bytes(out->wrapped, len + WRAP_EXTRA);
	out->m.public_value = bytes(dh_key_public(cr->dh), cr->ke->public_len);
	return e;
}

static enum err fill_creation(const struct ike_sa *sa, struct creation_out *out)
{
	const struct creation *cr = sa->create;
	Hawser__Creation *m = &out->m;

	hawser__creation__init(m);
	m->kind = (uint32_t)cr->kind + 1;
	m->tunnel = cr->tunnel;
	m->spi_old = cr->spi_old;
	m->spi_in = cr->spi_in;
	if (cr->kind == CREATE_REKEY_IKE)
		m->spi = bytes(cr->spi_i, 8);
	m->nonce = bytes_of(&cr->nonce_i);
	m->ke = cr->ke ? cr->ke->v2_id : 0;
	m->restarts = cr->restarts;
	m->n_peer_deleted = cr->peer_deleted_n;
	m->peer_deleted = (uint32_t *)(uintptr_t)cr->peer_deleted;
	if (cr->rival.nonce_len) {
		m->rival_spi = cr->rival.spi_in;
		m->rival_ike_spi = bytes(cr->rival.ike_spi, 8);
		m->rival_nonce = bytes(cr->rival.nonce, cr->rival.nonce_len);
	}
	return fill_private(sa, cr, out);
}

/* m: a copy, since what it gets here is only good for the call. */
static enum err encode(const struct ike_sa *sa, Hawser__IkeSaRecord m, uint8_t *body, size_t *len)
{
	uint8_t wrapped[sizeof(sa->keys) + WRAP_EXTRA];
	struct creation_out creation;

	TRY(wrap(sa, &sa->keys, sizeof(sa->keys), wrapped));
	m.wrapped_keys = bytes(wrapped, sizeof(wrapped));
	if (ex_child_asking(sa)) {
		TRY(fill_creation(sa, &creation));
		m.creation = &creation.m;
	}
	return record_encode(&m.base, body, RECORD_BODY_MAX, len);
}

void ike_sa_put(struct ike_sa *sa, struct effects *fx)
{
	Hawser__IkeSaRecord m = HAWSER__IKE_SA_RECORD__INIT;
	uint8_t local[IKE_ID_BODY_MAX], peer[IKE_ID_BODY_MAX];
	uint8_t body[RECORD_BODY_MAX], answers[IKE_WINDOW_BYTES];
	struct writer w = wr_of(answers, sizeof(answers));
	size_t len = 0;

	m.state = ike_fsm_number(sa->target);
	if (m.state == 0)
		return; /* a restart abandons it */
	fill_negotiated(sa, &m);
	fill_progress(sa, &m);
	ike_window_each_answer(&sa->win, add_answer, &w);
	m.last_response = bytes(answers, wr_done(&w).len);
	m.local_id = bytes(local, ike_id_body(ike_sa_local_id(sa), local));
	if (sa->peer_id)
		m.peer_id = bytes(peer, ike_id_body(ike_sa_peer_id(sa), peer));
	ike_turn_put(sa);
	struct record_key key = record_key_ike_sa(ike_sa_our_spi(sa));
	if (encode(sa, m, body, &len) == ERR_OK) {
		fx_put(fx, &key, (struct view){ body, len });
		sa->recorded = true;
	} else {
		fx->overrun = true; /* nothing of this turn may leave */
	}
}

/* ---- in -------------------------------------------------------------------------------------- */

static enum err endpoint_in(ProtobufCBinaryData a, uint32_t port, struct endpoint *ret)
{
	ret->port = (uint16_t)port;
	return addr_from_bytes(a.data, a.len, &ret->addr);
}

static enum err id_in(ProtobufCBinaryData b, struct ike_id **ret)
{
	struct payload_id id;

	if (b.len == 0)
		return ERR_OK;
	TRY(payload_id_read((struct view){ b.data, b.len }, &id));
	struct ike_id of = ike_id_of_payload(&id);
	return ike_id_keep(ret, &of);
}

static enum err blob_in(struct blob *b, ProtobufCBinaryData from)
{
	return from.len ? blob_set(b, (struct view){ from.data, from.len }) : ERR_OK;
}

static enum err take_negotiated(struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	struct ike_suite *s = &sa->choice.suite;

	s->cipher = alg_cipher_by_id((uint16_t)m->encr, (uint16_t)m->key_bits);
	s->integ = m->integ == INTEG_NONE ? NULL : alg_integ_by_id((uint16_t)m->integ);
	s->prf = alg_prf_by_id((uint16_t)m->prf);
	s->ke = sa->ke = alg_ke_by_id((uint16_t)m->ke);
	sa->choice.lifetime_s = m->lifetime_s;
	sa->fragmentation = m->fragmentation;
	memcpy(sa->spi_i, m->spi_i.data, 8);
	memcpy(sa->spi_r, m->spi_r.data, 8);
	sa->initiator = m->initiator;
	sa->anchor = (uint8_t)m->anchor;
	sa->index = m->index;
	sa->natd = (struct ike_natd){ true, m->nat_local, m->nat_remote };
	sa->udp_encap = m->udp_encap;
	sa->gw = ike_gateway_by_name(sa->ike, m->gateway);
	TRY(endpoint_in(m->local, m->local_port, &sa->local));
	TRY(endpoint_in(m->remote, m->remote_port, &sa->remote));
	TRY(id_in(m->local_id, &sa->local_id));
	TRY(id_in(m->peer_id, &sa->peer_id));
	TRY(unwrap(sa->ike, m, m->wrapped_keys, &sa->keys, sizeof(sa->keys)));
	sa->keyed = sa->recorded = true;
	return ERR_OK;
}

static void take_times(struct ike_sa *sa, const Hawser__IkeSaRecord *m, uint64_t now)
{
	sa->created_ms = m->created_ms;
	sa->up_ms = sa->state == IKE_UP ? m->created_ms + !m->created_ms : 0;
	sa->soft_ms = time_in(m->soft_ms);
	sa->hard_ms = time_in(m->hard_ms);
	sa->give_up_ms = sa->store_ms = UINT64_MAX;
	sa->delete_at_ms = time_in(m->delete_at_ms);
	sa->reauth_ms = time_in(m->reauth_ms);
	sa->heard_ms = now;
	sa->keepalive_ms = m->nat_local && sa->state == IKE_UP ? now : UINT64_MAX;
	ike_dpd_arm(sa, now);
}

static enum err take_answers(struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	struct reader all = rd_of(m->last_response.data, m->last_response.len);
	struct view one;
	uint32_t id;

	while (ike_frag_next_message(&all, &one, &id))
		TRY(ike_window_restore_answer(&sa->win, id, one));
	return ERR_OK;
}

static enum err take_private(struct ike_sa *sa, const Hawser__IkeSaRecord *m, struct creation *cr)
{
	const Hawser__Creation *c = m->creation;
	uint8_t private[DH_PRIVATE_MAX];
	size_t len = c->wrapped_private.len - WRAP_EXTRA;

	if (c->wrapped_private.len <= WRAP_EXTRA || len > sizeof(private))
		return ERR_LENGTH;
	TRY(unwrap(sa->ike, m, c->wrapped_private, private, len));
	enum err e =
	        dh_key_load(cr->ke, (struct view){ private, len },
	                    (struct view){ c->public_value.data, c->public_value.len }, &cr->dh);
	secret_wipe(private, sizeof(private));
	return e;
}

static void take_rival(const Hawser__Creation *c, struct rival *r)
{
	if (c->rival_nonce.len == 0 || c->rival_ike_spi.len != sizeof(r->ike_spi))
		return;
	r->spi_in = c->rival_spi;
	memcpy(r->ike_spi, c->rival_ike_spi.data, sizeof(r->ike_spi));
	r->nonce_len = (uint16_t)c->rival_nonce.len;
	memcpy(r->nonce, c->rival_nonce.data, c->rival_nonce.len);
}

/* What an answer to come will be read with. */
static enum err take_creation(struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	const Hawser__Creation *c = m->creation;
	struct creation *cr;

	if (c == NULL)
		return ERR_OK;
	if (m->pending_request.len == 0)
		return ERR_MISSING;
	sa->create = cr = calloc(1, sizeof(*cr));
	if (cr == NULL)
		return ERR_MEMORY;
	cr->kind = (enum create_kind)(c->kind - 1);
	cr->initiator = true;
	cr->tunnel = c->tunnel;
	cr->spi_old = c->spi_old;
	cr->spi_in = c->spi_in;
	if (c->spi.len)
		memcpy(cr->spi_i, c->spi.data, 8);
	cr->ke = c->ke ? alg_ke_by_id((uint16_t)c->ke) : NULL;
	cr->restarts = (uint8_t)c->restarts;
	for (size_t i = 0; i < c->n_peer_deleted && i < PEER_DELETED_MAX; i++)
		cr->peer_deleted[cr->peer_deleted_n++] = c->peer_deleted[i];
	take_rival(c, &cr->rival);
	ex_child_restore(cr);
	TRY(blob_in(&cr->nonce_i, c->nonce));
	return cr->ke ? take_private(sa, m, cr) : ERR_OK;
}

static void take_extensions(struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	sa->mobike = m->mobike;
	sa->mobike_id = m->mobike_id;
	sa->challenged = m->challenge.len == sizeof(sa->challenge);
	if (sa->challenged)
		memcpy(sa->challenge, m->challenge.data, sizeof(sa->challenge));
	sa->wish_challenge = sa->wish_probe = m->challenge.len && !sa->challenged;
	sa->ppk_agreed = m->ppk_agreed;
	sa->ppk = m->ppk;
}

static enum err take_progress(struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	uint64_t now = ike_sa_now(sa);

	TRY(blob_in(&sa->win.request, m->pending_request));
	TRY(take_answers(sa, m));
	TRY(blob_in(&sa->nonce_i, m->nonce_i));
	TRY(blob_in(&sa->nonce_r, m->nonce_r));
	TRY(blob_in(&sa->init_response, m->init_response));
	sa->win.width = m->width >= 1 && m->width <= IKE_WINDOW ? m->width : 1;
	sa->peer_width = m->peer_width;
	sa->win.next_request = m->next_request;
	sa->win.next_expected = m->next_expected;
	if (m->pending_request.len) { /* it may never have left: again, from the start */
		sa->win.policy = sa->state == IKE_DELETING ? retry_delete : retry_normal;
		sa->win.retry_ms = now;
	}
	sa->mid_sync = m->message_id_sync;
	sa->replay_sync = m->replay_sync;
	sa->sync.claim = m->sync_claim;
	sa->sync.seen = m->sync_seen;
	if (m->sync_pending) { /* a claim of its own */
		sa->sync.retry_ms = now;
		sa->win.retry_ms = UINT64_MAX;
	}
	take_extensions(sa, m);
	sa->children_created = m->children_created;
	sa->children_deleted = m->children_deleted;
	sa->bytes_in = m->bytes_in;
	sa->bytes_out = m->bytes_out;
	sa->packets_in = m->packets_in;
	sa->packets_out = m->packets_out;
	sa->replacing = m->replacing;
	sa->stray_spi = m->stray_spi;
	sa->no_more = m->no_more;
	sa->tries = (uint8_t)m->tries;
	sa->replaced = m->replaced;
	sa->rekeys = m->rekeys;
	if (m->takes_over.len == 8)
		memcpy(sa->takes_over, m->takes_over.data, 8);
	TRY(take_creation(sa, m));
	take_times(sa, m, now);
	return ERR_OK;
}

static enum err take_record(struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	TRY(ike_fsm_restore(sa, m->state));
	TRY(take_negotiated(sa, m));
	TRY(take_progress(sa, m));
	if (ike_by_spi(sa->ike, ike_sa_our_spi(sa)))
		return ERR_DUPLICATE;
	if (sa->state == IKE_AUTH_SENT &&
	    (sa->nonce_i.len == 0 || sa->nonce_r.len == 0 || sa->init_response.len == 0 ||
	     sa->win.request.len == 0 || !sa->initiator))
		return ERR_MISSING;
	return ERR_OK;
}

static void hang(struct ike *ike, struct ike_sa *sa, const Hawser__IkeSaRecord *m)
{
	if (sa->index >= ike->next_index)
		ike->next_index = sa->index + 1;
	ike_hang(ike, sa);
	if (!sa->initiator)
		ike_hang_peer(ike, sa);
	if (sa->peer_id)
		ike_hang_id(ike, sa);
	ike_offer_spi(sa, m->child_spi);
	ex_child_rehang(sa);
	if (sa->state == IKE_UP)
		ike_gateway_join(sa);
	ike_tunnel_join(sa, ike_tunnel_by_index(ike, m->tunnel));
	if (sa->state == IKE_AUTH_SENT && sa->tunnel) {
		sa->negotiating = true;
		sa->tunnel->negotiating++;
	}
}

enum err ike_sa_restore(struct ike *ike, struct view body)
{
	Hawser__IkeSaRecord *m = NULL;
	struct ike_sa *sa;

	TRY(record_ike_sa_decode(body, &m));
	sa = ike_sa_alloc(ike);
	enum err e = sa ? take_record(sa, m) : ERR_MEMORY;
	if (e == ERR_OK)
		hang(ike, sa, m);
	else
		ike_sa_free(sa);
	record_ike_sa_free(m);
	return e;
}
