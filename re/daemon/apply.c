// SPDX-License-Identifier: BSD-2-Clause
/* A configuration file becomes the one in force: checked whole, then made true part by part. A file
 * with an error changes nothing; what the file named leaves out is taken away (settled: 1.23). */
#include "daemon_priv.h"

#include "records.pb-c.h"
#include "grammar.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_FORCE \
	"config" /* in RUNDIR: a copy of what is in force, for a routing engine that restarts */

/* Reads the whole file; *ret is the caller's to free. */
static enum err read_file(const char *file, struct view *ret, struct why *why)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return why_set(why, err_from_errno(errno), "%s: %s", file, strerror(errno));
	uint8_t *buf = fstat(fd, &st) == 0 && st.st_size <= GRAMMAR_FILE_MAX
	                       ? malloc((size_t)st.st_size + 1)
	                       : NULL;
	ssize_t n = buf ? read(fd, buf, (size_t)st.st_size) : -1;
	close(fd);
	if (n < 0) {
		free(buf);
		return why_set(why, ERR_LENGTH, "%s: cannot be read, or is larger than %u bytes",
		               file, GRAMMAR_FILE_MAX);
	}
	*ret = (struct view){ buf, (size_t)n };
	return ERR_OK;
}

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

static enum err load(struct daemon *d, const char *file, struct config **ret, struct view *ret_text,
                     struct config_report *report, struct why *why)
{
	struct view text;

	TRY(read_file(file, &text, why));
	enum err e = config_load(file, rd_of_view(text), ret, report);
	tell(d, report, why);
	if (e)
		free((void *)(uintptr_t)text.p);
	else
		*ret_text = text;
	return e;
}

/* The copy is written beside and renamed, so that it is always whole. */
static void keep_copy(struct daemon *d, struct view text)
{
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

void apply_put_tunnel(struct daemon *d, const struct tunnel *t, struct effects *fx)
{
	Hawser__TunnelRecord m = HAWSER__TUNNEL_RECORD__INIT;
	struct record_key key = record_key_tunnel(t->index);
	uint8_t body[512];
	size_t len;

	m.index = t->index;
	m.vpn = (char *)(uintptr_t)t->vpn;
	m.gateway = (char *)(uintptr_t)t->conf->gateway->name;
	m.st0_unit = t->conf->bind->unit;
	m.st0_ifindex = dataplane_st0(d->dataplane, t->conf->bind, &m.mtu);
	m.df_bit = df_of(t->conf->df);
	m.engine = (Hawser__EngineChoice)t->engine;
	m.anchor = t->anchor;
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK)
		fx_put(fx, &key, (struct view){ body, len });
}

static void drop_hop(void *ctx, const struct steer_hop *hop, const struct steer_tunnel *s)
{
	struct daemon *d = ctx;
	struct tunnel *t = tunnels_find(&d->tunnels, s->tunnel);
	struct addr next_hop = { .family = hop->family };
	uint32_t mtu;

	memcpy(next_hop.b, hop->addr, sizeof(next_hop.b));
	if (t == NULL || t->conf == NULL ||
	    dataplane_st0(d->dataplane, t->conf->bind, &mtu) != hop->ifindex)
		(void)!steer_tunnel_del(d->steer, hop->ifindex, &next_hop);
}

static enum err apply_tunnels(struct daemon *d, const struct config *c, struct why *why)
{
	struct tunnel_ike_conf ike_conf;
	struct effects fx = { 0 };

	TRY(tunnels_plan(&d->tunnels, c));
	for (size_t i = 0; i < d->tunnels.n; i++) {
		struct tunnel *t = &d->tunnels.at[i];
		struct record_key key = record_key_tunnel(t->index);

		if (t->conf)
			apply_put_tunnel(d, t, &fx);
		else
			fx_del(&fx, &key);
	}
	daemon_turn(d, &fx);
	steer_tunnel_each(d->steer, drop_hop, d);
	tunnels_prune(&d->tunnels);

	TRY(tunnels_ike_conf(&d->tunnels, c, &ike_conf));
	enum err e = ike_configure(d->ike, &ike_conf.conf, &fx, why);
	tunnels_ike_conf_done(&ike_conf);
	daemon_turn(d, &fx);
	children_kick(d);
	return e;
}

static enum err make_true(struct daemon *d, struct config *c, struct why *why)
{
	struct config *old = d->config;

	TRY(dataplane_apply(d->dataplane, old, c, why));
	d->config = c;
	enum err e = spus_apply(d, c, why);
	if (!e)
		e = apply_tunnels(d, c, why);
	config_free(old);
	return e;
}

enum err apply_file(struct daemon *d, const char *file, struct config_report *report,
                    struct why *why)
{
	struct config *c;
	struct view text;

	TRY(load(d, file, &c, &text, report, why));
	enum err e = make_true(d, c, why);
	if (e && d->config != c) { /* the interfaces refused it: what was in force comes back */
		if (d->config)
			(void)!dataplane_apply(d->dataplane, c, d->config, NULL);
		config_free(c);
	}
	if (!e) {
		keep_copy(d, text);
		daemon_event(d, EVENT_CONFIG_COMMIT, "%s", file);
	}
	free((void *)(uintptr_t)text.p);
	return e;
}

enum err apply_again(struct daemon *d, struct why *why)
{
	struct config_report report;

	report_init(&report, d->config_file);
	enum err e = apply_file(d, d->config_file, &report, why);
	report_done(&report);
	return e;
}

/* At the start: the file that we were started with; where it has become wrong since the last
 * commit, a routing engine that restarts goes on with what was in force. */
enum err apply_first(struct daemon *d, struct why *why)
{
	char path[PATH_ROOM];
	struct config_report report;
	struct why ignored = { "" };
	enum err e = apply_again(d, why);

	daemon_path(d, IN_FORCE, path);
	if (e == ERR_OK || d->config != NULL || access(path, R_OK) != 0)
		return e;
	report_init(&report, path);
	e = apply_file(d, path, &report, &ignored);
	report_done(&report);
	return e;
}
