// SPDX-License-Identifier: BSD-2-Clause
/* INFORMATIONAL (RFC 7296 1.4): Delete of children and of the IKE SA, probes, errors. */
#include "ex_child.h"
#include "ike_mobike.h"
#include "ike_priv.h"

enum { DELETES_AT_ONCE = 60 };

static const struct view nothing = { NULL, 0 };

/* SPIs for Delete payloads, one for each protocol. */
struct spi_lists {
	uint8_t esp_bytes[4 * DELETES_AT_ONCE], ah_bytes[4 * DELETES_AT_ONCE];
	struct writer esp, ah;
};

static void lists_init(struct spi_lists *l)
{
	l->esp = wr_of(l->esp_bytes, sizeof(l->esp_bytes));
	l->ah = wr_of(l->ah_bytes, sizeof(l->ah_bytes));
}

static void put_delete(struct ike_out *o, uint8_t protocol, struct view spis)
{
	struct payload_delete d = { protocol, protocol == PROTO_IKE ? 0 : 4,
		                    (uint16_t)(spis.len / 4), spis };

	ike_out_open(o, PL_DELETE);
	payload_delete_write(&o->w, &d);
	ike_out_close(o);
}

static void put_lists(struct ike_out *o, const struct spi_lists *l)
{
	if (wr_len(&l->esp))
		put_delete(o, PROTO_ESP, wr_done(&l->esp));
	if (wr_len(&l->ah))
		put_delete(o, PROTO_AH, wr_done(&l->ah));
}

/* ---- answering ------------------------------------------------------------------------------- */

/* RFC 7296 1.4.1: each of the peer's SPIs that we know is deleted with its pair, and the answer
 * names our halves; not those that our own Delete, which is on its way, names (2.25.1). */
static void delete_children(struct ike_sa *sa, const struct payload_delete *d,
                            struct spi_lists *ours, struct effects *fx)
{
	struct reader r = rd_of_view(d->list);

	while (d->protocol != PROTO_IKE && rd_left(&r) != 0) {
		uint32_t spi = rd_u32(&r);
		struct child_sa *c = child_sa_by_spi_out(sa, spi);

		if (c == NULL)
			ex_child_peer_deleted(sa, spi);
		if (c == NULL || c->protocol != d->protocol || c->state == CHILD_LINGERING)
			continue;
		if (c->state != CHILD_DELETING && c->state != CHILD_RETIRING)
			wr_u32(d->protocol == PROTO_AH ? &ours->ah : &ours->esp, c->spi_in);
		(void)child_step(c, CHILD_EV_DELETED, fx);
	}
}

enum err ex_info_answer(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	struct spi_lists ours;
	struct ike_out o;

	lists_init(&ours);
	for (size_t i = 0; i < in->c.deletes_n; i++)
		delete_children(sa, &in->c.deletes[i], &ours, fx);
	ike_reauth_told(sa, &in->c);
	ike_sa_out(sa, &o, EX_INFORMATIONAL, true);
	put_lists(&o, &ours);
	TRY(ike_mobike_answer(sa, in, &o, fx));
	return ike_sa_answer(sa, in, ike_sa_seal(sa, &o, true), -1, fx);
}

enum err ex_info_answer_delete(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	struct ike_out o;

	ike_sa_out(sa, &o, EX_INFORMATIONAL, true);
	TRY(ike_sa_answer(sa, in, ike_sa_seal(sa, &o, true), -1, fx));
	ike_sa_end(sa, fx);
	return ERR_OK;
}

enum err ex_info_answer_error(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	const struct ike_in *in = arg;
	bool critical = in->error == ERR_UNSUPPORTED;
	struct ike_out o;

	ike_sa_out(sa, &o, in->h.exchange, true);
	if (critical)
		ike_out_notify(&o, N_UNSUPPORTED_CRITICAL_PAYLOAD,
		               (struct view){ &in->bad_type, 1 });
	else
		ike_out_notify(&o, N_INVALID_SYNTAX, nothing);
	TRY(ike_sa_answer(sa, in, ike_sa_seal(sa, &o, true), -1, fx));
	if (sa->target == IKE_ENDED)
		ike_sa_end(sa, fx);
	return ERR_OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* RFC 7296 2.3: the message ID that was beyond our window. */
static void put_ahead(struct ike_out *o, uint32_t id)
{
	uint8_t data[4];
	struct writer w = wr_of(data, sizeof(data));

	wr_u32(&w, id);
	ike_out_notify(o, N_INVALID_MESSAGE_ID, wr_done(&w));
}

enum err ex_info_probe(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct retry_policy policy = ike_dpd_policy(sa);
	struct ike_out o;

	(void)arg;
	sa->wish_probe = false;
	ike_sa_out(sa, &o, EX_INFORMATIONAL, false);
	if (sa->wish_tell)
		put_ahead(&o, sa->ahead_id);
	sa->wish_tell = false;
	ike_mobike_challenge(sa, &o);
	return ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &policy, fx);
}

static bool waits_for_delete(const struct child_sa *c)
{
	return c->wish_delete &&
	       (c->state == CHILD_WAITING || c->state == CHILD_UP || c->state == CHILD_REPLACED);
}

bool ex_info_deletes_wait(const struct ike_sa *sa)
{
	struct list *at;

	list_each (at, &sa->children)
		if (waits_for_delete(child_sa_at(at)))
			return true;
	return sa->stray_spi != 0;
}

/* All that wait for it in one payload (1.4.1). It may be what tells the peer to send on the one
 * that took over: so the SPU has that first. */
enum err ex_info_delete_child(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct spi_lists l;
	struct list *at;
	struct ike_out o;
	size_t n = 1;

	(void)arg;
	lists_init(&l);
	if (sa->stray_spi) /* of whatever protocol: it is drawn from one pool */
		wr_u32(&l.esp, sa->stray_spi);
	sa->stray_spi = 0;
	list_each (at, &sa->children) {
		struct child_sa *c = child_sa_at(at);

		if (!waits_for_delete(c) || n == DELETES_AT_ONCE)
			continue;
		n++;
		wr_u32(c->protocol == PROTO_AH ? &l.ah : &l.esp, c->spi_in);
		(void)child_step(c, CHILD_EV_DELETE, fx); /* it stays */
	}
	ike_sa_out(sa, &o, EX_INFORMATIONAL, false);
	put_lists(&o, &l);
	return ike_sa_ask_after(sa, ike_sa_seal(sa, &o, false), &retry_normal, sa->anchor, fx);
}

static enum err ask_delete(struct ike_sa *sa, uint16_t notify, struct effects *fx)
{
	struct ike_out o;

	sa->wish_delete = sa->wish_probe = false;
	ike_sa_out(sa, &o, EX_INFORMATIONAL, false);
	if (notify)
		ike_out_notify(&o, notify, nothing);
	put_delete(&o, PROTO_IKE, nothing);
	return ike_sa_ask(sa, ike_sa_seal(sa, &o, false), &retry_delete, fx);
}

enum err ex_info_delete(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	(void)arg;
	return ask_delete(sa, 0, fx);
}

/* The responder did not prove who it is, but believes that the SA is up (2.21.2). */
enum err ex_info_delete_unauthenticated(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct tunnel *t = sa->tunnel;

	(void)arg;
	ike_window_answered(&sa->win);
	if (sa->negotiating) {
		sa->negotiating = false;
		ike_tunnel_failed(sa->ike, t);
	}
	return ask_delete(sa, N_AUTHENTICATION_FAILED, fx);
}

/* An answer to a Delete of ours: the pair is gone whatever it says. To a probe: all is well. */
enum err ex_info_reply(struct ike_sa *sa, const void *arg, struct effects *fx)
{
	struct list *at, *after;

	ike_window_answered(&sa->win);
	if (!ike_mobike_answered(sa, arg)) { /* RFC 4555 3.7: it does not get what we send there */
		fx_event(fx, EVENT_IKE_MOVE_UNPROVEN, "index %u gateway %s", sa->index,
		         sa->gw ? sa->gw->conf.name : "-");
		sa->wish_delete = true;
	}
	list_each_safe (at, after, &sa->children)
		if (child_sa_at(at)->state == CHILD_DELETING ||
		    child_sa_at(at)->state == CHILD_RETIRING)
			(void)child_step(child_sa_at(at), CHILD_EV_DELETED, fx);
	ike_sa_put(sa, fx);
	return ERR_OK;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static bool deletes_ike_sa(const struct ike_content *m)
{
	for (size_t i = 0; i < m->deletes_n; i++)
		if (m->deletes[i].protocol == PROTO_IKE)
			return true;
	return false;
}

static enum ike_event classify(const struct ike_in *in)
{
	if (in->h.flags & IKE_FLAG_RESPONSE)
		return EV_REPLY;
	if (in->error == ERR_UNSUPPORTED)
		return EV_NOT_UNDERSTOOD;
	if (in->error != ERR_OK)
		return EV_BAD_REQUEST;
	return deletes_ike_sa(&in->c) ? EV_PEER_DELETE : EV_REQUEST;
}

void ex_info_receive(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	const struct payload_notify *error = in->error == ERR_OK ? ike_content_error(&in->c) : NULL;
	char to[ENDPOINT_TEXT_MAX], what[32];

	if (error)
		fx_event(fx, EVENT_IKE_PEER_REFUSED, "gateway %s peer %s: %s",
		         sa->gw ? sa->gw->conf.name : "-", endpoint_text(&sa->remote, to),
		         notify_text(error->type, what));
	enum ike_event ev = classify(in);
	/* 2.25.2: the peer closes what we rekey: what it made for it takes over. */
	if (ev == EV_PEER_DELETE && sa->state == IKE_UP && ex_child_asking(sa))
		(void)ike_rekey_yield(sa, sa->create, fx);
	(void)!ike_step(sa, ev, in, fx);
}
