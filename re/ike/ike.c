// SPDX-License-Identifier: BSD-2-Clause
/* The core's way in: datagrams to their SAs, jobs, wishes. */
#include "ike_frag.h"
#include "ike_mid_sync.h"
#include "ex_child.h"
#include "ike_priv.h"
#include "secret.h"

#include <stdlib.h>

struct ike *ike_new(struct env *env, const uint8_t wrap_key[32])
{
	struct ike *ike = calloc(1, sizeof(*ike));

	if (ike == NULL)
		return NULL;
	ike->env = env;
	memcpy(ike->wrap_key, wrap_key, 32);
	ike->next_index = 1;
	ike->next_serial = 1;
	ike_turn_init(ike);
	ike_frag_init(ike);
	ike->crypto = ike_crypto_new();
	if (ike_tables_init(ike) != ERR_OK || ike_guard_init(ike) != ERR_OK ||
	    ike->crypto == NULL) {
		ike_free(ike);
		return NULL;
	}
	return ike;
}

void ike_free(struct ike *ike)
{
	if (ike == NULL)
		return;
	ike_tables_done(ike);
	ike_guard_done(ike);
	ike_conf_free(ike);
	ike_turn_free(ike);
	ike_crypto_free(ike->crypto);
	secret_wipe(ike->wrap_key, sizeof(ike->wrap_key));
	free(ike);
}

enum { TELL_AGAIN_MS = 60000 };

/* ---- datagrams ------------------------------------------------------------------------------- */

static void invalid(struct ike *ike, const struct ike_in *in, enum err e, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	ike->stats.malformed++;
	fx_event(fx, EVENT_IKE_MESSAGE_INVALID, "from %s: %s", endpoint_text(&in->remote, from),
	         err_text(e));
}

static void unexpected(struct ike *ike, const struct ike_in *in, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	ike->stats.unexpected++;
	fx_event(fx, EVENT_IKE_MESSAGE_UNEXPECTED, "from %s: exchange %u, message ID %u",
	         endpoint_text(&in->remote, from), in->h.exchange, in->h.id);
}

/* Does the answer belong to what we asked? */
static bool answers(const struct ike_sa *sa, const struct ike_in *in)
{
	struct reader r = rd_of_view(blob_view(&sa->win.request));

	rd_skip(&r, 18);
	return rd_u8(&r) == in->h.exchange;
}

static void dispatch(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	if (in->h.exchange == EX_IKE_AUTH)
		ex_auth_receive(sa, in, fx);
	else if (in->h.exchange == EX_INFORMATIONAL)
		ex_info_receive(sa, in, fx);
	else if (in->h.exchange == EX_CREATE_CHILD_SA)
		ex_child_receive(sa, in, fx);
	else
		unexpected(sa->ike, in, fx);
	if (sa->state == IKE_GONE)
		return;
	ike_sa_pump(sa, fx);
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
}

static void answer_again(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	struct fx_send send = { in->local, in->remote, ike_window_answer_to(&sa->win, in->h.id),
		                -1 };

	if (sa->unstored) {
		send.after_anchor = sa->anchor;
		ike_sa_store_again(sa, fx);
	}
	ike_sa_send_as(sa, &send, fx);
	sa->ike->stats.duplicates++;
}

/* Verifies and decrypts what may be of use; says what is not. */
static bool open_message(struct ike_sa *sa, struct ike_in *in, enum ike_arrival arrival,
                         uint8_t *plain, struct effects *fx)
{
	struct ike_stats *stats = &sa->ike->stats;
	char from[ENDPOINT_TEXT_MAX];
	struct view body;
	enum err e = ike_sa_outer(in, &body);

	if (e != ERR_OK) {
		if (!ike_stray_hint(sa, in, fx))
			invalid(sa->ike, in, e, fx);
		return false;
	}
	if (in->skf.total && arrival == IKE_NEW && !ike_frag_wanted(sa, in, fx))
		return false;
	e = ike_sa_open(sa, in, body, plain);
	if (e == ERR_OK)
		return true;
	stats->bad_icv++;
	stats->fragments_bad += in->skf.total != 0;
	if (ike_guard_may_say(sa->ike, SAID_STRANGER))
		fx_event(fx, EVENT_IKE_MESSAGE_BAD_ICV, "from %s: %s",
		         endpoint_text(&in->remote, from), err_text(e));
	return false;
}

/* RFC 7296 2.3: an authentic request beyond the window is told of by one of ours, once a minute. */
static void note_ahead(struct ike_sa *sa, struct ike_in *in, uint8_t *plain, struct effects *fx)
{
	uint64_t now = ike_sa_now(sa);
	struct view body;

	unexpected(sa->ike, in, fx);
	if (sa->state != IKE_UP || sa->tell_ms > now || ike_sa_outer(in, &body) != ERR_OK ||
	    ike_sa_open(sa, in, body, plain) != ERR_OK)
		return;
	sa->tell_ms = now + TELL_AGAIN_MS;
	sa->ahead_id = in->h.id;
	sa->wish_tell = sa->wish_probe = true;
	ike_sa_pump(sa, fx);
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
}

/* A request that asks for nothing but an answer (2.4). */
static bool is_probe(const struct ike_in *in)
{
	return in->h.exchange == EX_INFORMATIONAL && !(in->h.flags & IKE_FLAG_RESPONSE) &&
	       in->error == ERR_OK && in->c.notifies == 0 && in->c.deletes_n == 0;
}

/* RFC 6311: its message ID says nothing. */
static bool synced(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	if (in->skf.total)
		return false;
	ike_sa_read(in);
	if (!ike_mid_sync_receive(sa, in, fx))
		return false;
	sa->heard_ms = ike_sa_now(sa);
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
	return true;
}

static void to_sa(struct ike_sa *sa, struct ike_in *in, struct effects *fx)
{
	bool response = in->h.flags & IKE_FLAG_RESPONSE;
	bool maybe_sync = ike_mid_sync_possible(sa, &in->h);
	enum ike_arrival arrival = ike_window_judge(&sa->win, response, in->h.id);
	bool fits =
	        (arrival == IKE_NEW || arrival == IKE_DUPLICATE) && (!response || answers(sa, in));
	uint8_t plain[IKE_MESSAGE_MAX];

	if (sa->keyed && arrival == IKE_AHEAD && !maybe_sync) {
		note_ahead(sa, in, plain, fx);
		return;
	}
	if (!sa->keyed || (!fits && !maybe_sync)) {
		unexpected(sa->ike, in, fx);
		return;
	}
	if (!open_message(sa, in, arrival, plain, fx))
		return;
	sa->packets_in++;
	sa->bytes_in += in->message.len;
	if (maybe_sync && synced(sa, in, fx))
		return;
	if (!fits) {
		unexpected(sa->ike, in, fx);
		return;
	}
	if (arrival == IKE_DUPLICATE) {
		if (in->skf.number <= 1) /* RFC 7383 2.6.1: one answer to all fragments */
			answer_again(sa, in, fx);
		return;
	}
	if (in->skf.total && !ike_frag_collect(sa, in, plain))
		return;
	ike_sa_read(in);
	sa->heard_ms = ike_sa_now(sa); /* fresh, not sent again by anybody (2.4) */
	ike_nat_heard(sa, in, fx);
	if (is_probe(in) && !ike_guard_rate(sa, IKE_RATE_KEEPALIVE, 0, fx))
		return; /* as if lost: the peer asks again */
	if (!response)
		ike_window_work(&sa->win, in->h.id);
	dispatch(sa, in, fx);
}

static void protected(struct ike *ike, struct ike_in *in, struct effects *fx)
{
	/* The flag says who was the SA's initiator: the sender, then our SPI is the responder's. */
	bool from_initiator = in->h.flags & IKE_FLAG_INITIATOR;
	const uint8_t *ours = from_initiator ? in->h.spi_r : in->h.spi_i;
	const uint8_t *theirs = from_initiator ? in->h.spi_i : in->h.spi_r;
	struct ike_sa *sa = ike_by_spi(ike, ours);

	if (sa == NULL || sa->initiator == from_initiator ||
	    memcmp(sa->initiator ? sa->spi_r : sa->spi_i, theirs, 8) != 0)
		ike_stray_spi(ike, in, fx);
	else
		to_sa(sa, in, fx);
}

static void datagram(struct ike *ike, struct ike_in *in, struct effects *fx)
{
	enum err e = ike_header_read(in->message, &in->h);

	if (e != ERR_OK) {
		invalid(ike, in, e, fx);
	} else if ((in->h.version & 0xf0) != IKE_VERSION_2) {
		ike_stray_version(ike, in, fx);
	} else if (in->h.exchange == EX_IKE_SA_INIT) {
		ex_init_receive(ike, in, fx);
	} else {
		protected(ike, in, fx);
	}
}

/* A first message of somebody: what can wait, and what a flood is made of. */
static bool begins(struct view bytes)
{
	struct reader r = rd_of_view(bytes);

	rd_skip(&r, 8);
	uint64_t spi_r = rd_u64(&r);
	rd_skip(&r, 2);
	return rd_u8(&r) == EX_IKE_SA_INIT && spi_r == 0 && !r.bad;
}

static void take(struct ike *ike, const struct datagram *p, struct effects *fx)
{
	struct ike_in in = { .local = p->local, .remote = p->remote, .message = p->bytes };

	ike->stats.datagrams_in++;
	if (p->bytes.len == 1 && p->bytes.p[0] == 0xff)
		return; /* a NAT keepalive (RFC 3948 2.3) */
	datagram(ike, &in, fx);
	ike_sweep(ike);
}

void ike_datagrams(struct ike *ike, const struct datagram *p, size_t n, struct effects *fx)
{
	ike_turn_begin(ike);
	for (size_t i = 0; i < n; i++)
		if (!begins(p[i].bytes))
			take(ike, &p[i], fx);
	for (size_t i = 0; i < n; i++)
		if (begins(p[i].bytes))
			take(ike, &p[i], fx);
}

void ike_datagram(struct ike *ike, const struct endpoint *local, const struct endpoint *remote,
                  struct view bytes, struct effects *fx)
{
	const struct datagram p = { *local, *remote, bytes };

	ike_datagrams(ike, &p, 1, fx);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

/* Of IKE_SA_INIT. */
static void init_job(struct ike_sa *sa, struct dh_job *j, struct effects *fx)
{
	enum ike_event ev = j->result != ERR_OK ? EV_JOB_FAILED
	                    : j->peer_len == 0  ? EV_KEY_READY
	                                        : EV_SECRET;

	if (sa->job_turn != j->turn)
		return; /* it was for a question that is no more */
	if (ev == EV_JOB_FAILED && sa->state == IKE_ANSWERING) {
		struct ike_who who = ike_who_of(sa, NULL);

		ike_guard_failed(sa->ike, &who, IKE_FAILED_INIT, "invalid KE value", fx);
	}
	if (ike_step(sa, ev, j, fx) != ERR_OK && sa->state == IKE_GONE)
		fx_event(fx, EVENT_IKE_INTERNAL, "index %u", sa->index);
}

void ike_job_done(struct ike *ike, struct job *job, struct effects *fx)
{
	struct dh_job *j = (struct dh_job *)job;
	struct ike_sa *sa = ike_by_spi(ike, j->spi);

	ike_turn_begin(ike);
	if (sa) {
		if (sa->create || sa->answering)
			ex_child_job(sa, j, fx);
		else
			init_job(sa, j, fx);
		ike_sa_pump(sa, fx);
		if (sa->state != IKE_GONE)
			ike_sa_touch(sa);
	}
	dh_job_free(j);
	ike_sweep(ike);
}

/* ---- wishes ---------------------------------------------------------------------------------- */

void ike_acquire(struct ike *ike, uint32_t tunnel, struct effects *fx)
{
	struct tunnel *t = ike_tunnel_by_index(ike, tunnel);

	ike_turn_begin(ike);
	if (t == NULL || ike_tunnel_mode(t) >= IKE_ESTABLISH_RESPONDER_ONLY)
		return;
	if (!ike_tunnel_has_child(t) && !t->negotiating)
		fx_event(fx, EVENT_IPSEC_ACQUIRE, "vpn %s", t->conf.vpn);
	t->wanted = true;
	ike_tunnel_poll(ike, t, fx);
	ike_sweep(ike);
}

static void delete_sa(struct ike_sa *sa, struct effects *fx)
{
	if (sa->state == IKE_UP || sa->state == IKE_REPLACED) {
		sa->wish_delete = true;
		ike_sa_pump(sa, fx);
	} else if (sa->state != IKE_DELETING) {
		(void)!ike_step(sa, EV_DELETE, NULL, fx);
	}
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
}

void ike_delete_sa(struct ike_sa *sa, struct effects *fx)
{
	delete_sa(sa, fx);
}

enum err ike_clear_ike(struct ike *ike, uint32_t index, struct effects *fx)
{
	struct list *at;

	ike_turn_begin(ike);
	list_each (at, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (sa->index != index || sa->state == IKE_ENDED)
			continue;
		delete_sa(sa, fx);
		ike_sweep(ike);
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

/* Had it any of this tunnel? */
static bool wish_children_gone(struct ike_sa *sa, uint32_t tunnel)
{
	struct list *at;
	bool found = false;

	list_each (at, &sa->children)
		if (child_sa_at(at)->tunnel == tunnel && child_sa_at(at)->state != CHILD_LINGERING)
			found = child_sa_at(at)->wish_delete = true;
	return found;
}

enum err ike_clear_child(struct ike *ike, uint32_t tunnel, struct effects *fx)
{
	struct list *at, *after;
	bool found = false;

	ike_turn_begin(ike);
	list_each_safe (at, after, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (!wish_children_gone(sa, tunnel))
			continue;
		found = true;
		ike_sa_pump(sa, fx);
		if (sa->state != IKE_GONE)
			ike_sa_touch(sa);
	}
	ike_sweep(ike);
	return found ? ERR_OK : ERR_NOT_FOUND;
}

static void pump(struct ike_sa *sa, struct effects *fx)
{
	ike_sa_pump(sa, fx);
	if (sa->state != IKE_GONE)
		ike_sa_touch(sa);
	ike_sweep(sa->ike);
}

enum err ike_rekey_ike(struct ike *ike, uint32_t index, struct effects *fx)
{
	struct list *at;

	ike_turn_begin(ike);
	list_each (at, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (sa->index != index || sa->state != IKE_UP)
			continue;
		sa->wish_rekey = true;
		pump(sa, fx);
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

enum err ike_rekey_child(struct ike *ike, uint32_t tunnel, struct effects *fx)
{
	struct tunnel *t = ike_tunnel_by_index(ike, tunnel);
	struct child_sa *c = t ? ike_tunnel_child(t) : NULL;

	ike_turn_begin(ike);
	if (c == NULL || c->state != CHILD_UP || c->sa->state != IKE_UP)
		return ERR_NOT_FOUND;
	c->wish_rekey = true;
	pump(c->sa, fx);
	return ERR_OK;
}

void ike_delete_all(struct ike *ike, struct effects *fx)
{
	struct list *at, *after;

	ike_turn_begin(ike);
	ike->started = false; /* nothing is made anew */
	list_each_safe (at, after, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		sa->wish_delete = true;
		ike_sa_pump(sa, fx); /* says so where the window is free */
		if (sa->state != IKE_GONE)
			ike_sa_discard(sa, fx);
	}
	ike_sweep(ike);
}

enum err ike_sync_message_ids(struct ike *ike, uint32_t index, struct effects *fx)
{
	struct list *at;

	ike_turn_begin(ike);
	list_each (at, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);

		if (sa->index != index || sa->state == IKE_ENDED)
			continue;
		enum err e = ike_mid_sync_begin(sa, fx);
		ike_sa_touch(sa);
		return e;
	}
	return ERR_NOT_FOUND;
}

void ike_child_exhausted(struct ike *ike, uint32_t spi, struct effects *fx)
{
	struct child_sa *c = ike_child_by_spi(ike, spi);

	ike_turn_begin(ike);
	if (c && c->sa->state == IKE_UP) {
		ike_tunnel_rekey(c, fx);
		ike_sa_pump(c->sa, fx);
		ike_sa_touch(c->sa);
	}
	ike_sweep(ike);
}

void ike_child_ended(struct ike *ike, uint32_t spi, struct effects *fx)
{
	struct child_sa *c = ike_child_by_spi(ike, spi);

	ike_turn_begin(ike);
	if (c && c->sa->state == IKE_UP && child_sa_alive(c)) {
		const struct creation *cr = c->sa->create;

		c->spent = true;
		ike_tunnel_rekey(c, fx);
		if (!c->wish_rekey && !(cr && cr->kind == CREATE_REKEY && cr->spi_old == spi))
			c->wish_delete = true;
		ike_sa_pump(c->sa, fx);
		ike_sa_touch(c->sa);
	}
	ike_sweep(ike);
}

enum err ike_restore(struct ike *ike, const struct record *record)
{
	if (record->deleted)
		return ERR_NOT_FOUND;
	if (record->key.kind == REC_IKE_SA)
		return ike_sa_restore(ike, record->body);
	if (record->key.kind == REC_CHILD_SA)
		return child_sa_restore(ike, record->body);
	return ERR_EXPECTED;
}
