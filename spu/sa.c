// SPDX-License-Identifier: BSD-2-Clause
#include "sa.h"

#include <stdlib.h>

static struct engine_sa describe(const struct sa *sa, bool inbound)
{
	const struct sa_half *h = inbound ? &sa->in : &sa->out;

	return (struct engine_sa){
		.inbound = inbound,
		.protocol = sa->protocol,
		.spi = h->spi,
		.cipher = sa->cipher,
		.integ = sa->integ,
		.key = secret_view(h->key),
		.auth_key = secret_view(h->auth_key),
		.esn = sa->esn,
		.udp_encap = sa->udp,
		.local_port = sa->local_port,
		.remote_port = sa->remote_port,
		.local = sa->local,
		.remote = sa->remote,
		.runtime = h->runtime,
	};
}

static enum err session_add(const struct sa_engines *e, struct sa *sa, bool inbound,
                            enum sa_engine id, struct why *why)
{
	struct sa_half *h = inbound ? &sa->in : &sa->out;
	struct engine_sa what = describe(sa, inbound);

	TRY(e->by[id]->can(e->by[id], &what, why));
	return e->by[id]->session_add(e->by[id], &what, &h->session[id], why);
}

static void session_del(const struct sa_engines *e, struct sa_half *h, enum sa_engine id)
{
	if (h->session[id] != NULL)
		e->by[id]->session_del(e->by[id], h->session[id]);
	h->session[id] = NULL;
}

void sa_free(const struct sa_engines *e, struct sa *sa)
{
	if (sa == NULL)
		return;
	for (enum sa_engine id = SA_ENGINE_SOFT; id <= SA_ENGINE_INLINE; id++) {
		session_del(e, &sa->in, id);
		session_del(e, &sa->out, id);
	}
	secret_free(sa->in.key);
	secret_free(sa->in.auth_key);
	secret_free(sa->out.key);
	secret_free(sa->out.auth_key);
	free(sa->ts);
	free(sa);
}

enum err sa_open(const struct sa_engines *e, struct sa *sa, struct why *why)
{
	if (sa->in.session[SA_ENGINE_SOFT] == NULL)
		TRY(session_add(e, sa, true, SA_ENGINE_SOFT, why));
	if (sa->out.session[SA_ENGINE_SOFT] == NULL)
		TRY(session_add(e, sa, false, SA_ENGINE_SOFT, why));
	return ERR_OK;
}

static bool same_half(const struct sa_half *a, const struct sa_half *b)
{
	return a->spi == b->spi && a->slot == b->slot && a->runtime == b->runtime &&
	       secret_equal(secret_view(a->key), secret_view(b->key)) &&
	       secret_equal(secret_view(a->auth_key), secret_view(b->auth_key));
}

static bool same_crypto(const struct sa *a, const struct sa *b)
{
	return a->protocol == b->protocol && a->cipher == b->cipher && a->integ == b->integ &&
	       a->esn == b->esn && same_half(&a->in, &b->in) && same_half(&a->out, &b->out);
}

static bool same_headers(const struct sa *a, const struct sa *b)
{
	return a->udp == b->udp && a->local_port == b->local_port &&
	       a->remote_port == b->remote_port && addr_equal(&a->local, &b->local) &&
	       addr_equal(&a->remote, &b->remote);
}

static void move_session(struct sa_half *to, struct sa_half *from, enum sa_engine id)
{
	to->session[id] = STEAL(from->session[id]);
	if (id != SA_ENGINE_INLINE)
		return;
	to->engine = from->engine;
	to->promote = from->promote;
	to->asked = from->asked;
	from->engine = SA_ENGINE_SOFT;
}

void sa_inherit(struct sa *sa, struct sa *old)
{
	if (!same_crypto(sa, old))
		return;
	sa->in.told_ms = old->in.told_ms;
	sa->out.told_ms = old->out.told_ms;
	sa->in.soft_told_ms = old->in.soft_told_ms;
	sa->in.hard_told_ms = old->in.hard_told_ms;
	sa->out.soft_told_ms = old->out.soft_told_ms;
	sa->out.hard_told_ms = old->out.hard_told_ms;
	move_session(&sa->in, &old->in, SA_ENGINE_SOFT);
	move_session(&sa->out, &old->out, SA_ENGINE_SOFT);
	if (!same_headers(sa, old))
		return;
	move_session(&sa->in, &old->in, SA_ENGINE_INLINE);
	move_session(&sa->out, &old->out, SA_ENGINE_INLINE);
}

enum err sa_promote(const struct sa_engines *e, struct sa *sa, bool inbound, struct why *why)
{
	struct sa_half *h = inbound ? &sa->in : &sa->out;

	if (e->by[SA_ENGINE_INLINE] == NULL)
		return why_set(why, ERR_UNSUPPORTED, "this SPU's port has no inline crypto");
	/* RFC 8200 8.1: the checksum is over the ciphertext, which only the NIC would see. */
	if (!inbound && encap_wants_checksum(&sa->encap))
		return why_set(why, ERR_UNSUPPORTED, "ESP in UDP over IPv6 needs a checksum");
	if (h->session[SA_ENGINE_INLINE] == NULL)
		TRY(session_add(e, sa, inbound, SA_ENGINE_INLINE, why));
	h->engine = SA_ENGINE_INLINE;
	return ERR_OK;
}

void sa_demote(const struct sa_engines *e, struct sa *sa, bool inbound)
{
	struct sa_half *h = inbound ? &sa->in : &sa->out;

	session_del(e, h, SA_ENGINE_INLINE);
	h->engine = SA_ENGINE_SOFT;
}
