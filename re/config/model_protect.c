// SPDX-License-Identifier: BSD-2-Clause
/* security ike session, security ike blocklists; gateways without an address. */
#include "model_priv.h"

#include "ere.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HALF_OPEN_MAX = 300, HALF_OPEN_TIMEOUT_S = 60 };

/* ---- session -------------------------------------------------------------------------------- */

/* A threshold at or above the limit is never reached: the limit is first. */
static void warn_unreachable(struct build *b, const struct tree_node *n, uint32_t at, uint32_t max)
{
	if (n && at >= max)
		build_warning(b, n, "is unreachable: at max-count %u new sessions are refused%s",
		              max, max == HALF_OPEN_MAX ? " (the default)" : "");
}

static void build_thresholds(struct build *b, struct config_session *s,
                             const struct tree_node *half_open)
{
	const struct tree_node *n = tree_child(half_open, "thresholds");
	const struct tree_node *cookie = tree_child(n, "send-cookie");
	const struct tree_node *reduce = tree_child(n, "reduce-timeout");
	uint32_t max = s->half_open_max ? s->half_open_max : HALF_OPEN_MAX;

	if (cookie)
		s->cookie_at = value_uint(cookie->name);
	warn_unreachable(b, cookie, s->cookie_at, max);
	if (reduce == NULL)
		return;
	s->reduce_at = value_uint(reduce->name);
	s->reduced_timeout_s = build_uint(reduce, "timeout");
	warn_unreachable(b, reduce, s->reduce_at, max);
	if (tree_same(reduce))
		build_error(b, tree_same(reduce), "a second threshold; expected one");
	if (s->reduced_timeout_s >= s->half_open_timeout_s)
		build_error(b, reduce, "timeout %u is not below half-open timeout %u",
		            s->reduced_timeout_s, s->half_open_timeout_s);
}

static uint32_t backoff(const struct tree_node *half_open, const char *word)
{
	const struct tree_node *v = tree_child(tree_child(half_open, "backoff-timeouts"), word);

	return v ? value_uint(v->name) : 0;
}

static void build_rates(struct config_session *s, const struct tree_node *session)
{
	static const char *const words[CONFIG_RATES] = { "ike-rekey", "ipsec-rekey", "keepalive" };
	const struct tree_node *rates =
	        tree_child(tree_child(session, "full-open"), "incoming-exchange-max-rates");

	for (int i = 0; i < CONFIG_RATES; i++) {
		const struct tree_node *v = tree_child(rates, words[i]);

		if (v)
			value_rate(v->name, &s->rate[i].count, &s->rate[i].seconds);
	}
}

static void build_session(struct build *b, const struct tree_node *ike)
{
	const struct tree_node *session = tree_child(ike, "session");
	const struct tree_node *half_open = tree_child(session, "half-open");
	struct config_session *s = &b->c->session;

	s->half_open_timeout_s = HALF_OPEN_TIMEOUT_S;
	if (tree_child(half_open, "max-count"))
		s->half_open_max = build_uint(half_open, "max-count");
	if (tree_child(half_open, "timeout"))
		s->half_open_timeout_s = build_uint(half_open, "timeout");
	s->discard_duplicate = tree_child(half_open, "discard-duplicate") != NULL;
	s->backoff_init_s = backoff(half_open, "init-phase-failure");
	s->backoff_auth_s = backoff(half_open, "auth-phase-failure");
	build_thresholds(b, s, half_open);
	build_rates(s, session);
}

/* ---- blocklists ----------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum config_id_type type;
} id_types[] = {
	{ "inet", CONFIG_ID_IPV4_ADDR },        { "inet6", CONFIG_ID_IPV6_ADDR },
	{ "hostname", CONFIG_ID_FQDN },         { "user-at-hostname", CONFIG_ID_RFC822_ADDR },
	{ "distinguished-name", CONFIG_ID_DN }, { "key-id", CONFIG_ID_KEY_ID },
};

/* A dot that stands for any character, outside of brackets, without a repetition behind it. */
static bool has_bare_dot(const char *p)
{
	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '[')
			p += p[1] == 0 ? 0 : 1 + strcspn(p + 2, "]");
		else if (*p == '.' && (p[1] == 0 || strchr("*+?{", p[1]) == NULL))
			return true;
		if (*p == 0)
			return false;
	}
	return false;
}

static void build_pattern(struct build *b, struct config_rule *r, const struct tree_node *match)
{
	const struct tree_node *n = tree_child(match, "id-pattern");
	struct why why = { "" };
	struct ere *e = NULL;

	if (n == NULL)
		return;
	bool starred = n->name[0] == '*'; /* RX-02: as shells have it */
	(void)snprintf(r->pattern, sizeof(r->pattern), "%s%s", starred ? "." : "", n->name);
	if (starred)
		build_warning(b, n, "a leading * is read as .*: \"%s\"", r->pattern);
	if ((r->id_type == CONFIG_ID_FQDN || r->id_type == CONFIG_ID_RFC822_ADDR) &&
	    has_bare_dot(r->pattern))
		build_warning(b, n, "an unescaped dot matches any character; \\. is a dot");
	if (ere_new(r->pattern, false, &e, &why))
		build_error(b, n, "\"%s\" is no regular expression: %s", r->pattern, why.text);
	ere_free(e);
}

static bool name_fits(struct build *b, const struct tree_node *n, char name[CONFIG_LIST_NAME_MAX])
{
	if (strlen(n->name) >= CONFIG_LIST_NAME_MAX) {
		build_error(b, n, "a name of %zu characters; expected 1..%d", strlen(n->name),
		            CONFIG_LIST_NAME_MAX - 1);
		return false;
	}
	build_name(name, CONFIG_LIST_NAME_MAX, n->name);
	return true;
}

static void build_rule(struct build *b, struct config_rule *r, const struct tree_node *n)
{
	const struct tree_node *match = tree_child(n, "match"), *then = tree_child(n, "then");
	const char *type = tree_value(match, "id-type");
	bool discard = tree_child(then, "discard") != NULL;

	if (!name_fits(b, n, r->name))
		return;
	for (size_t i = 0; type && i < ARRAY_LEN(id_types); i++)
		if (strcmp(id_types[i].word, type) == 0)
			r->id_type = id_types[i].type;
	r->peer_responds = match && build_is(match, "role", "responder");
	r->reject = tree_child(then, "reject") != NULL;
	if (tree_child(then, "backoff"))
		r->backoff_s = build_uint(then, "backoff");
	if (then && r->reject == discard)
		build_error(b, then, "expected one of: discard, reject");
	if (r->id_type == CONFIG_ID_DN)
		build_warning(b, match,
		              "distinguished names come with certificates, which this version "
		              "has not: no peer matches");
	build_pattern(b, r, match);
}

static enum err build_rules(struct build *b, struct config_blocklist *l, const struct tree_node *n)
{
	const struct tree_node *rule = tree_child(n, "rule");
	void *array;

	TRY(build_array(b, n, "rule", sizeof(l->rule[0]), &array, &l->rules));
	l->rule = array;
	if (l->rules > CONFIG_LISTS_MAX)
		build_error(b, n, "%zu rules; expected at most %d", l->rules, CONFIG_LISTS_MAX);
	for (size_t i = 0; rule && i < l->rules; rule = tree_same(rule), i++)
		build_rule(b, &l->rule[i], rule);
	return ERR_OK;
}

static enum err build_blocklists(struct build *b, const struct tree_node *ike)
{
	const struct tree_node *n = tree_child(ike, "blocklists");
	void *array;

	TRY(build_array(b, ike, "blocklists", sizeof(b->c->blocklist[0]), &array,
	                &b->c->blocklists));
	b->c->blocklist = array;
	if (b->c->blocklists > CONFIG_LISTS_MAX)
		build_error(b, n, "%zu blocklists; expected at most %d", b->c->blocklists,
		            CONFIG_LISTS_MAX);
	for (size_t i = 0; n && i < b->c->blocklists; n = tree_same(n), i++) {
		(void)name_fits(b, n, b->c->blocklist[i].name);
		TRY(build_rules(b, &b->c->blocklist[i], n));
	}
	return ERR_OK;
}

enum err build_protection(struct build *b, const struct tree_node *ike)
{
	build_session(b, ike);
	return build_blocklists(b, ike);
}

const struct config_blocklist *build_blocklist_find(const struct build *b, const char *name)
{
	for (size_t i = 0; name && i < b->c->blocklists; i++)
		if (strcmp(b->c->blocklist[i].name, name) == 0)
			return &b->c->blocklist[i];
	return NULL;
}
