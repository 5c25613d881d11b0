// SPDX-License-Identifier: BSD-2-Clause
/* A configuration file becomes the one in force: checked whole, then made true part by part. A file
 * with an error changes nothing; what the file named leaves out is taken away (settled: 1.23). */
#include "daemon_priv.h"

#include "records.pb-c.h"
#include "grammar.h"
#include "report.h"
#include "secret.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_FORCE \
	"config" /* in RUNDIR: a copy of what is in force, for a routing engine that restarts */

/* Says every message of the report in the log, and the first error to whoever waits. */
static void tell(struct daemon *d, const struct config_report *report, struct why *why)
{
	bool first = true;
	char text[768];

	for (size_t i = 0; i < report->messages; i++) {
		bool error = report->message[i].level == REPORT_ERROR;

		report_text(report, i, text, sizeof(text));
		daemon_event(d, error ? EVENT_CONFIG_REFUSED : EVENT_CONFIG_WARNING, "%s", text);
		if (error && first)
			(void)why_set(why, ERR_VALUE, "%s", text);
		first &= !error;
	}
}

static enum err load(struct daemon *d, const char *file, struct config **ret,
                     struct secret **ret_text, struct config_report *report, struct why *why)
{
	AUTO(secret_free) struct secret *text = NULL;

	TRY(secret_read_file(file, GRAMMAR_FILE_MAX, &text, why));
	enum err e = config_load(file, rd_of_view(secret_view(text)), ret, report);
	tell(d, report, why);
	if (!e)
		*ret_text = STEAL(text);
	return e;
}

/* The copy of what was in force when a predecessor ended; NULL when there is none. Nobody waits for
 * what it says: it has been said. */
static struct config *load_copy(struct daemon *d)
{
	AUTO(secret_free) struct secret *text = NULL;
	struct config_report report;
	struct config *c = NULL;
	char path[PATH_ROOM];

	daemon_path(d, IN_FORCE, path);
	if (secret_read_file(path, GRAMMAR_FILE_MAX, &text, NULL))
		return NULL;
	report_init(&report, path);
	if (config_load(path, rd_of_view(secret_view(text)), &c, &report))
		c = NULL;
	report_done(&report);
	return c;
}

/* The copy is written beside and renamed, so that it is always whole. */
static void keep_copy(struct daemon *d, const struct secret *of)
{
	struct view text = secret_view(of);
	char path[PATH_ROOM], part[PATH_ROOM];
	int fd;

	daemon_path(d, IN_FORCE, path);
	daemon_path(d, IN_FORCE ".new", part);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	bool ok = write(fd, text.p, text.len) == (ssize_t)text.len;
	close(fd);
	if (!ok || rename(part, path))
		(void)unlink(part);
}

/* ---- tunnels ------------------------------------------------------------------------------- */

static Hawser__DfBit df_of(enum config_df df)
{
	return df == CONFIG_DF_SET    ? HAWSER__DF_BIT__DF_SET
	       : df == CONFIG_DF_COPY ? HAWSER__DF_BIT__DF_COPY
	                              : HAWSER__DF_BIT__DF_CLEAR;
}

/* The record's body; its length, or 0. */
static size_t encode_tunnel(struct daemon *d, const struct tunnel *t, uint8_t *body, size_t room)
{
	Hawser__TunnelRecord m = HAWSER__TUNNEL_RECORD__INIT;
	struct addr answer4, answer6;
	size_t len = 0;

	m.index = t->index;
	m.vpn = (char *)(uintptr_t)t->vpn;
	m.manual = t->conf->manual != NULL;
	m.gateway = (char *)(uintptr_t)(m.manual ? "" : t->conf->gateway->name);
	m.st0_unit = t->conf->bind->unit;
	m.st0_ifindex = dataplane_st0(d->dataplane, t->conf->bind, &m.mtu);
	m.df_bit = df_of(t->conf->df);
	m.engine = (Hawser__EngineChoice)t->engine;
	m.anchor = t->anchor;
	m.post_fragmentation = t->conf->post_fragmentation;
	m.copy_outer_dscp = t->conf->copy_outer_dscp;
	m.tcp_mss = t->conf->tcp_mss;
	m.link_mtu = dataplane_link_mtu(d->dataplane, t->conf->gateway);
	dataplane_answer_source(d->dataplane, t->conf, ADDR_V4, &answer4);
	dataplane_answer_source(d->dataplane, t->conf, ADDR_V6, &answer6);
	m.answer4 = (ProtobufCBinaryData){ addr_len(&answer4), answer4.b };
	m.answer6 = (ProtobufCBinaryData){ addr_len(&answer6), answer6.b };
	return record_encode(&m.base, body, room, &len) ? 0 : len;
}

void apply_put_tunnel(struct daemon *d, const struct tunnel *t, struct effects *fx)
{
	struct record_key key = record_key_tunnel(t->index);
	uint8_t body[512];
	size_t len = encode_tunnel(d, t, body, sizeof(body));

	if (len)
		fx_put(fx, &key, (struct view){ body, len });
}

/* An unchanged record is not put again: an SPU takes each put for a wish. */
static void put_changed_tunnel(struct daemon *d, const struct tunnel *t, struct effects *fx)
{
	struct record_key key = record_key_tunnel(t->index);
	uint8_t body[512];
	struct view v = { body, encode_tunnel(d, t, body, sizeof(body)) };

	if (v.len && !daemon_has_record(d, &key, v))
		fx_put(fx, &key, v);
}

/* Whether the configuration has the tunnel at that next hop. */
static bool wants_hop(struct daemon *d, const struct tunnel *t, const struct steer_hop *hop,
                      const struct addr *next_hop)
{
	const struct config_unit *unit = t->conf->bind;
	uint32_t mtu;

	if (dataplane_st0(d->dataplane, unit, &mtu) != hop->ifindex)
		return false;
	if (hop->family == ADDR_NONE)
		return !unit->multipoint;
	for (size_t i = 0; i < unit->next_hop_tunnels; i++)
		if (unit->next_hop_tunnel[i].vpn == t->conf &&
		    addr_equal(&unit->next_hop_tunnel[i].next_hop, next_hop))
			return true;
	return false;
}

static void drop_hop(void *ctx, const struct steer_hop *hop, const struct steer_tunnel *s)
{
	struct daemon *d = ctx;
	struct tunnel *t = tunnels_find(&d->tunnels, s->tunnel);
	struct addr next_hop = { .family = hop->family };

	memcpy(next_hop.b, hop->addr, sizeof(next_hop.b));
	if (t == NULL || t->conf == NULL || !wants_hop(d, t, hop, &next_hop))
		(void)!steer_tunnel_del(d->steer, hop->ifindex, &next_hop);
}

/* Records and hops of the tunnels, as the configuration and the links are now. */
static void put_tunnels(struct daemon *d)
{
	struct effects fx = { 0 };

	for (size_t i = 0; i < d->tunnels.n; i++) {
		struct tunnel *t = &d->tunnels.at[i];
		struct record_key key = record_key_tunnel(t->index);

		if (t->conf) {
			put_changed_tunnel(d, t, &fx);
			continue;
		}
		fx_del(&fx, &key);
		totals_forget(d, t->index, &fx);
	}
	daemon_turn(d, &fx);
	steer_tunnel_each(d->steer, drop_hop, d);
}

static enum err apply_tunnels(struct daemon *d, const struct config *c, struct why *why)
{
	struct tunnel_ike_conf ike_conf;
	struct effects fx = { 0 };

	TRY(tunnels_plan(&d->tunnels, c));
	put_tunnels(d);
	tunnels_prune(&d->tunnels);

	TRY(tunnels_ike_conf(&d->tunnels, c, &ike_conf));
	enum err e = ike_configure(d->ike, &ike_conf.conf, &fx, why);
	tunnels_ike_conf_done(&ike_conf);
	daemon_turn(d, &fx);
	manual_sas_apply(d);
	children_kick(d);
	return e;
}

/* Links came or went: an st0 unit that was made anew has another number. */
void apply_links(struct daemon *d)
{
	dataplane_refresh(d->dataplane);
	put_tunnels(d);
	children_kick(d);
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Asks IKE before anything is touched: what it refuses changes nothing. */
static enum err check(struct daemon *d, const struct config *c, struct why *why)
{
	struct tunnel_ike_conf ike_conf;
	struct tunnels trial = { 0 };
	enum err e = tunnels_copy(&trial, &d->tunnels);

	if (!e)
		e = tunnels_plan(&trial, c);
	tunnels_prune(&trial);
	if (!e)
		e = tunnels_ike_conf(&trial, c, &ike_conf);
	if (!e) {
		e = ike_conf_check(&ike_conf.conf, why);
		tunnels_ike_conf_done(&ike_conf);
	}
	tunnels_done(&trial);
	return e;
}

/* Makes c the one in force; `was` (may be NULL) is the one that the kernel has now. */
static enum err put_in_force(struct daemon *d, const struct config *was, struct config *c,
                             struct why *why)
{
	devices_units_go(d, was, c);
	TRY(dataplane_apply(d->dataplane, was, c, why));
	d->config = c;
	TRY(spus_apply(d, c, why));
	return apply_tunnels(d, c, why);
}

/* Half of c may be in force: what was before comes back. */
static void go_back(struct daemon *d, const struct config *c, struct config *old)
{
	tunnels_forget_conf(&d->tunnels); /* they may point into c */
	d->config = old;
	if (old)
		(void)!put_in_force(d, c, old, NULL);
	else
		dataplane_forget(d->dataplane);
}

/* Takes c. `was` stays the caller's, where it is not the one in force. */
static enum err make_true(struct daemon *d, const struct config *was, struct config *c,
                          struct why *why)
{
	struct config *old = d->config;
	enum err e = check(d, c, why);

	if (!e) {
		e = put_in_force(d, was, c, why);
		if (e)
			go_back(d, c, old);
	}
	config_free(e ? c : old);
	return e;
}

static enum err apply_over(struct daemon *d, const struct config *was, const char *file,
                           struct config_report *report, struct why *why)
{
	AUTO(secret_free) struct secret *text = NULL;
	struct config *c;

	TRY(load(d, file, &c, &text, report, why));
	TRY(make_true(d, was, c, why));
	keep_copy(d, text);
	(void)malloc_trim(0); /* text and trees were many times what is kept */
	daemon_event(d, EVENT_CONFIG_COMMIT, "%s", file);
	return ERR_OK;
}

enum err apply_file(struct daemon *d, const char *file, struct config_report *report,
                    struct why *why)
{
	return apply_over(d, d->config, file, report, why);
}

enum err apply_again(struct daemon *d)
{
	struct config_report report;
	struct why why = { "" };

	report_init(&report, d->config_file);
	enum err e = apply_file(d, d->config_file, &report, &why);
	if (e && report.errors == 0) /* else all has been said */
		daemon_event(d, EVENT_CONFIG_REFUSED, "%s", why.text[0] ? why.text : err_text(e));
	report_done(&report);
	return e;
}

/* At the start: the file that we were started with, over what a predecessor had in force; where the
 * file has become wrong since, a routing engine that restarts goes on with that. */
enum err apply_first(struct daemon *d, struct why *why)
{
	struct config *was = load_copy(d);
	struct config_report report;

	report_init(&report, d->config_file);
	enum err e = apply_over(d, was, d->config_file, &report, why);
	report_done(&report);
	if (e == ERR_OK || was == NULL) {
		config_free(was);
		return e;
	}
	daemon_event(d, EVENT_CONFIG_REFUSED, "%s; going on with what was in force", why->text);
	return make_true(d, NULL, was, why);
}
