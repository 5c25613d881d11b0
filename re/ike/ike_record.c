// SPDX-License-Identifier: BSD-2-Clause
/* The record of an IKE SA: what a restarted routing engine needs to go on with it (idea 2).
 *
 * It is put with each change, before the message that depends on it: after IKE_AUTH was sent, while
 * it is up, while our Delete is out. Earlier states are not recorded: a restart abandons them. The
 * keys are wrapped by AES-256-GCM, bound to the SA by its SPIs. */
#include "ike_frag.h"
#include "ike_priv.h"
#include "records.pb-c.h"
#include "secret.h"

enum { WRAP_NONCE = 12, WRAP_TAG = 16, WRAPPED = WRAP_NONCE + sizeof(struct ike_keys) + WRAP_TAG };

/* ---- wrapping -------------------------------------------------------------------------------- */

/* The 12-byte nonce is random: 4 bytes take the place of the salt, 8 that of the IV. */
struct wrap {
	uint8_t key[CIPHER_KEY_MAX], aad[16];
	struct ike_cipher_call call;
};

static void wrap_init(const struct ike *ike, const uint8_t spi_i[8], const uint8_t spi_r[8],
                      uint8_t *at, struct wrap *w)
{
	memcpy(w->key, ike->wrap_key, 32);
	memcpy(w->key + 32, at, 4);
	memcpy(w->aad, spi_i, 8);
	memcpy(w->aad + 8, spi_r, 8);
	w->call = (struct ike_cipher_call){ .cipher = alg_cipher_by_id(ENCR_AES_GCM_16, 256),
		                            .key = w->key,
		                            .iv = at + 4,
		                            .aad = { w->aad, 16 },
		                            .data = at + WRAP_NONCE,
		                            .len = sizeof(struct ike_keys),
		                            .tag = at + WRAP_NONCE + sizeof(struct ike_keys) };
}

static enum err wrap_keys(const struct ike_sa *sa, uint8_t out[WRAPPED])
{
	struct env *env = sa->ike->env;
	struct wrap w;

	env->random(env, out, WRAP_NONCE);
	memcpy(out + WRAP_NONCE, &sa->keys, sizeof(sa->keys));
	wrap_init(sa->ike, sa->spi_i, sa->spi_r, out, &w);
	enum err e = ike_encrypt(sa->ike->crypto, &w.call);
	secret_wipe(&w, sizeof(w));
	return e;
}

static enum err unwrap_keys(struct ike *ike, const Hawser__IkeSaRecord *m, struct ike_keys *ret)
{
	uint8_t buf[WRAPPED];
	struct wrap w;

	if (m->wrapped_keys.len != sizeof(buf))
		return ERR_LENGTH;
	memcpy(buf, m->wrapped_keys.data, sizeof(buf));
	wrap_init(ike, m->spi_i.data, m->spi_r.data, buf, &w);
	enum err e = ike_decrypt(ike->crypto, &w.call);
	if (e == ERR_OK)
		memcpy(ret, w.call.data, sizeof(*ret));
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

void ike_sa_put(struct ike_sa *sa, struct effects *fx)
{
	Hawser__IkeSaRecord m = HAWSER__IKE_SA_RECORD__INIT;
	uint8_t wrapped[WRAPPED], local[IKE_ID_BODY_MAX], peer[IKE_ID_BODY_MAX];
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
	m.local_id = bytes(local, ike_id_body(&sa->local_id, local));
	if (sa->peer_id.type != IKE_ID_NONE)
		m.peer_id = bytes(peer, ike_id_body(&sa->peer_id, peer));
	m.wrapped_keys = bytes(wrapped, sizeof(wrapped));
	ike_turn_put(sa);
	struct record_key key = record_key_ike_sa(ike_sa_our_spi(sa));
	if (wrap_keys(sa, wrapped) == ERR_OK &&
	    record_encode(&m.base, body, sizeof(body), &len) == ERR_OK) {
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

static enum err id_in(ProtobufCBinaryData b, struct ike_id *ret)
{
	struct payload_id id;

	if (b.len == 0)
		return ERR_OK;
	TRY(payload_id_read((struct view){ b.data, b.len }, &id));
	*ret = ike_id_of_payload(&id);
	return ERR_OK;
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
	TRY(unwrap_keys(sa->ike, m, &sa->keys));
	sa->keyed = sa->recorded = true;
	return ERR_OK;
}

static void take_times(struct ike_sa *sa, const Hawser__IkeSaRecord *m, uint64_t now)
{
	sa->created_ms = m->created_ms;
	sa->up_ms = sa->state == IKE_UP ? m->created_ms + !m->created_ms : 0;
	sa->soft_ms = time_in(m->soft_ms);
	sa->hard_ms = time_in(m->hard_ms);
	sa->give_up_ms = sa->delete_at_ms = sa->store_ms = UINT64_MAX;
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
	sa->children_created = m->children_created;
	sa->children_deleted = m->children_deleted;
	sa->bytes_in = m->bytes_in;
	sa->bytes_out = m->bytes_out;
	sa->packets_in = m->packets_in;
	sa->packets_out = m->packets_out;
	sa->replacing = m->replacing;
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
	if (sa->peer_id.type != IKE_ID_NONE)
		ike_hang_id(ike, sa);
	ike_offer_spi(sa, m->child_spi);
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
