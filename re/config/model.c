// SPDX-License-Identifier: BSD-2-Clause
#include "model_priv.h"

#include "grammar.h"
#include "secret.h"
#include "validate.h"
#include "value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void PRINTF(3, 0) say(const struct tree_node *n, char *buf, const char *fmt, va_list ap)
{
	char path[TREE_PATH_MAX], text[600];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	tree_path(n, path, sizeof(path));
	(void)snprintf(buf, 1200, "%s%s%s", path, path[0] ? ": " : "", text);
}

void build_error(struct build *b, const struct tree_node *n, const char *fmt, ...)
{
	char buf[1200];
	va_list ap;

	va_start(ap, fmt);
	say(n, buf, fmt, ap);
	va_end(ap);
	report_error(b->report, n->line, "%s", buf);
}

void build_warning(struct build *b, const struct tree_node *n, const char *fmt, ...)
{
	char buf[1200];
	va_list ap;

	va_start(ap, fmt);
	say(n, buf, fmt, ap);
	va_end(ap);
	report_warning(b->report, n->line, "%s", buf);
}

enum err build_array(struct build *b, const struct tree_node *parent, const char *word, size_t size,
                     void **ret, size_t *ret_n)
{
	size_t n = tree_count(parent, word);

	*ret = NULL;
	*ret_n = 0;
	if (n == 0)
		return ERR_OK;
	if (n > (strcmp(word, "route") ? BUILD_ENTRIES_MAX : BUILD_ROUTES_MAX)) {
		build_error(b, parent, "more than %d of %s", BUILD_ENTRIES_MAX, word);
		return ERR_FULL;
	}
	*ret = calloc(n, size);
	*ret_n = *ret ? n : 0;
	return *ret ? ERR_OK : ERR_MEMORY;
}

const char *build_value(const struct tree_node *parent, const char *word)
{
	const char *v = tree_value(parent, word);
	const struct schema *row = v ? NULL : schema_find(parent->schema->children, word);

	return row ? row->def : v;
}

uint32_t build_uint(const struct tree_node *parent, const char *word)
{
	const char *v = build_value(parent, word);

	return v ? value_uint(v) : 0;
}

bool build_is(const struct tree_node *parent, const char *word, const char *text)
{
	const char *v = build_value(parent, word);

	return v && strcmp(v, text) == 0;
}

void build_name(char *buf, size_t cap, const char *name)
{
	(void)snprintf(buf, cap, "%s", name);
}

static enum err build(struct build *b)
{
	TRY(build_chassis(b));
	TRY(build_interfaces(b));
	TRY(build_zones(b));
	TRY(build_ike(b));
	TRY(build_ipsec(b));
	TRY(build_tunnel_hops(b));
	TRY(build_routes(b));
	build_warn_whole(b);
	return ERR_OK;
}

enum err config_load(const char *file, struct reader text, struct config **ret_config,
                     struct config_report *report)
{
	AUTO(config_free) struct config *c = calloc(1, sizeof(*c));

	report->file = file;
	if (c == NULL || (c->tree = tree_new()) == NULL)
		return ERR_MEMORY;
	enum err read = grammar_read(c->tree, text, report);
	validate_tree(c->tree, report);
	struct build b = { c, c->tree, report };
	enum err built = build(&b);
	report_sort(report);
	TRY(built);
	if (read || report->errors)
		return read ? read : ERR_VALUE;
	*ret_config = STEAL(c);
	return ERR_OK;
}

static void units_free(struct config_interface *i)
{
	for (size_t u = 0; u < i->units; u++) {
		free(i->unit[u].address);
		free(i->unit[u].next_hop_tunnel);
	}
	free(i->unit);
}

static void ike_policy_done(struct config_ike_policy *p)
{
	secret_free(p->psk);
	secret_free(p->ppk);
	free(p->set);
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->interfaces; i++)
		units_free(&c->interface[i]);
	for (size_t i = 0; i < c->ike_policies; i++)
		ike_policy_done(&c->ike_policy[i]);
	for (size_t i = 0; i < c->ipsec_policies; i++)
		free(c->ipsec_policy[i].set);
	free(c->spu);
	free(c->interface);
	free(c->zone);
	free(c->route);
	for (size_t i = 0; i < c->blocklists; i++)
		free(c->blocklist[i].rule);
	free(c->blocklist);
	free(c->ike_proposal);
	free(c->ike_policy);
	free(c->gateway);
	free(c->ipsec_proposal);
	free(c->ipsec_policy);
	for (size_t i = 0; i < c->vpns; i++)
		build_manual_free(c->vpn[i].manual);
	free(c->vpn);
	tree_free(c->tree);
	free(c);
}

const struct config_zone *config_zone_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->zones; i++)
		if (strcmp(c->zone[i].name, name) == 0)
			return &c->zone[i];
	return NULL;
}

const struct config_unit *config_unit_find(const struct config *c, const char *name)
{
	char interface[VALUE_NAME_MAX + 1];
	uint32_t unit;

	if (!value_unit(name, interface, &unit))
		return NULL;
	for (size_t i = 0; i < c->interfaces; i++) {
		const struct config_interface *in = &c->interface[i];

		if (strcmp(in->name, interface))
			continue;
		for (size_t u = 0; u < in->units; u++)
			if (in->unit[u].unit == unit)
				return &in->unit[u];
	}
	return NULL;
}

const struct config_gateway *config_gateway_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->gateways; i++)
		if (strcmp(c->gateway[i].name, name) == 0)
			return &c->gateway[i];
	return NULL;
}

const struct config_vpn *config_vpn_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->vpns; i++)
		if (strcmp(c->vpn[i].name, name) == 0)
			return &c->vpn[i];
	return NULL;
}
