// SPDX-License-Identifier: BSD-2-Clause
/* The software engine: which SA is worked on by which code, and bursts cut into runs of one kind.
 */
#include "engine_soft_priv.h"
#include "secret.h"

#include <stdlib.h>

#define CACHE_LINE 64

static struct soft *soft_of(struct engine *e)
{
	return (struct soft *)e; /* e is its first member */
}

/* ---------------------------------------------------------------- what it takes */

static enum err can_ah(const struct engine_sa *sa, struct why *why)
{
	if (sa->cipher)
		return why_set(why, ERR_VALUE, "software: AH does not encrypt");
	if (sa->integ == NULL || !(sa->integ->use & ALG_AH))
		return why_set(why, ERR_UNSUPPORTED, "software: AH with %s: %s",
		               sa->integ ? sa->integ->name : "no algorithm",
		               err_text(ERR_UNSUPPORTED));
	return ERR_OK;
}

static enum err can_esp(const struct engine_sa *sa, struct why *why)
{
	const struct alg_cipher *c = sa->cipher;
	const struct alg_integ *a = sa->integ;

	if (c == NULL || !(c->use & ALG_SOFT))
		return why_set(why, ERR_UNSUPPORTED, "software: cipher %s: %s",
		               c ? c->name : "none", err_text(ERR_UNSUPPORTED));
	if (a && c->icv_len != 0)
		return why_set(why, ERR_VALUE, "software: %s authenticates by itself", c->name);
	if (a && !(a->use & ALG_SOFT))
		return why_set(why, ERR_UNSUPPORTED, "software: ESP with %s: %s", a->name,
		               err_text(ERR_UNSUPPORTED));
	if (a == NULL && c->kind == ALG_KIND_NULL)
		return why_set(why, ERR_VALUE, "software: neither encryption nor authentication");
	return ERR_OK;
}

static enum err check_len(struct view key, size_t want, const char *name, struct why *why)
{
	if (key.len == want)
		return ERR_OK;
	return why_set(why, ERR_LENGTH,
	               "software: %s takes a key of %zu bytes with salt, this one has %zu", name,
	               want, key.len);
}

static enum err soft_can(struct engine *e, const struct engine_sa *sa, struct why *why)
{
	const struct alg_cipher *c = sa->cipher;
	const struct alg_integ *a = sa->integ;

	(void)e;
	TRY(check_len(sa->key, c ? (size_t)c->key_len + c->salt_len : 0, c ? c->name : "AH", why));
	TRY(check_len(sa->auth_key, a ? (size_t)a->key_len + a->salt_len : 0, a ? a->name : "none",
	              why));
	if (sa->protocol == IPPROTO_NO_ESP)
		return can_esp(sa, why);
	if (sa->protocol == IPPROTO_NO_AH)
		return can_ah(sa, why);
	return why_set(why, ERR_UNSUPPORTED, "software: protocol %u: %s", sa->protocol,
	               err_text(ERR_UNSUPPORTED));
}

static const struct soft_kind *kind_of(const struct engine_sa *sa)
{
	static const struct soft_kind *const by_cipher[] = {
		[ALG_KIND_NULL] = &soft_chain,    [ALG_KIND_CBC] = &soft_chain,
		[ALG_KIND_GCM] = &soft_gcm,       [ALG_KIND_GMAC] = &soft_gmac,
		[ALG_KIND_CHACHA] = &soft_chacha,
	};

	if (sa->cipher)
		return by_cipher[sa->cipher->kind];
	return sa->integ->salt_len ? &soft_gmac : &soft_chain;
}

/* ---------------------------------------------------------------- sessions */

static enum err soft_session_add(struct engine *e, const struct engine_sa *sa,
                                 struct engine_session **ret, struct why *why)
{
	TRY(soft_can(e, sa, why));
	const struct soft_kind *kind = kind_of(sa);
	size_t size = (kind->session_size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	struct engine_session *s = aligned_alloc(CACHE_LINE, size);

	if (s == NULL)
		return why_set(why, ERR_MEMORY, "software: no memory for a session");
	memset(s, 0, size);
	s->kind = kind;
	kind->init(soft_of(e), s, sa);
	*ret = s;
	return ERR_OK;
}

static void soft_session_del(struct engine *e, struct engine_session *s)
{
	(void)e;
	if (s == NULL)
		return;
	secret_wipe(s, s->kind->session_size);
	free(s);
}

/* ---------------------------------------------------------------- bursts */

/* How many ops from the first on are of its kind, at most a slice. */
static uint16_t run_of(const struct engine_op *ops, uint16_t n)
{
	const struct soft_kind *kind = ops[0].session->kind;
	uint16_t i = 1;

	while (i < n && i < SOFT_SLICE && ops[i].session->kind == kind)
		i++;
	return i;
}

static void soft_burst_out(struct engine *e, struct engine_op *ops, uint16_t n)
{
	struct soft *soft = soft_of(e);

	for (uint16_t at = 0, run; at < n; at = (uint16_t)(at + run)) {
		run = run_of(ops + at, (uint16_t)(n - at));
		ops[at].session->kind->seal(soft, ops + at, run);
	}
	soft_jobs_drain(soft);
}

static void soft_burst_in(struct engine *e, struct engine_op *ops, uint16_t n)
{
	struct soft *soft = soft_of(e);

	for (uint16_t at = 0, run; at < n; at = (uint16_t)(at + run)) {
		run = run_of(ops + at, (uint16_t)(n - at));
		ops[at].session->kind->open(soft, ops + at, run);
	}
	soft_jobs_drain(soft);
}

/* ---------------------------------------------------------------- life */

static void soft_close(struct engine *e)
{
	struct soft *soft = soft_of(e);

	free_mb_mgr(soft->mgr);
	secret_wipe(soft, sizeof(*soft));
	free(soft);
}

enum err engine_soft_open(struct engine **ret, struct why *why)
{
	struct soft *s = calloc(1, sizeof(*s));
	IMB_MGR *mgr = s ? alloc_mb_mgr(0) : NULL;

	if (mgr == NULL) {
		free(s);
		return why_set(why, ERR_MEMORY, "software: no memory for the cipher library");
	}
	init_mb_mgr_auto(mgr, NULL);
	int e = imb_get_errno(mgr);
	if (e != 0) {
		free_mb_mgr(mgr);
		free(s);
		return why_set(why, ERR_CRYPTO, "software: cipher library: %s",
		               imb_get_strerror(e));
	}
	s->mgr = mgr;
	s->e = (struct engine){ .id = SA_ENGINE_SOFT,
		                .name = "software",
		                .can = soft_can,
		                .session_add = soft_session_add,
		                .session_del = soft_session_del,
		                .burst_out = soft_burst_out,
		                .burst_in = soft_burst_in,
		                .close = soft_close };
	*ret = &s->e;
	return ERR_OK;
}
