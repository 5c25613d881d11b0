// SPDX-License-Identifier: BSD-2-Clause
#include "cli_server.h"

#include "daemon_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536
#define CLIENTS_MAX 32

struct cli_server {
	uv_pipe_t listener;
	struct daemon *d;
	unsigned clients;
	char path[PATH_ROOM];
};

struct client {
	uv_pipe_t pipe;
	struct cli_server *server;
	size_t len;
	char line[LINE_MAX_BYTES];
};

struct answer {
	uv_write_t write;
	char *text; /* owns */
};

/* In the order of enum cli_id. */
static json_t *(*const handlers[CLI_COMMANDS])(struct daemon *, const struct cli_request *) = {
	[CLI_SHOW_IKE_SA] = show_ike_sas,
	[CLI_SHOW_IKE_ACTIVE_PEER] = show_ike_active_peers,
	[CLI_SHOW_IKE_PEERS] = show_ike_peers,
	[CLI_SHOW_IKE_STATS] = show_ike_stats,
	[CLI_SHOW_IPSEC_SA] = show_ipsec_sas,
	[CLI_SHOW_IPSEC_STATISTICS] = show_ipsec_statistics,
	[CLI_SHOW_IPSEC_COMPLIANCE] = show_ipsec_compliance,
	[CLI_SHOW_CHASSIS_SPU] = show_chassis_spus,
	[CLI_SHOW_FLOW_DROPS] = show_flow_drops,
	[CLI_SHOW_CONFIGURATION] = show_configuration,
	[CLI_CLEAR_IKE_SA] = clear_ike_sas,
	[CLI_CLEAR_IKE_PEERS] = clear_ike_peers,
	[CLI_CLEAR_IKE_STATS] = clear_ike_stats,
	[CLI_CLEAR_IPSEC_SA] = clear_ipsec_sas,
	[CLI_CLEAR_IPSEC_STATISTICS] = clear_ipsec_statistics,
	[CLI_REQUEST_OFFLOAD] = request_offload,
	[CLI_REQUEST_IPSEC_REKEY] = request_ipsec_rekey,
	[CLI_REQUEST_IKE_REKEY] = request_ike_rekey,
	[CLI_REQUEST_ANCHOR] = request_anchor,
	[CLI_REQUEST_LOAD] = request_load,
};

/* ---- what handlers use --------------------------------------------------------------------- */

long long cli_number(json_t *args, const char *name, long long otherwise)
{
	json_t *v = json_object_get(args, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

const char *cli_word(json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

bool cli_spu_matches(struct daemon *d, json_t *args, uint8_t slot)
{
	const struct config_spu *c = &d->spus.at[slot].conf;
	long long fpc = cli_number(args, "fpc", -1), pic = cli_number(args, "pic", -1);

	return (fpc < 0 || c->fpc == fpc) && (pic < 0 || c->pic == pic);
}

/* An error object when the filters name a part that is not there (DEC-G32), else NULL. */
static json_t *check_spu(struct daemon *d, json_t *args)
{
	if (cli_number(args, "fpc", -1) < 0 && cli_number(args, "pic", -1) < 0)
		return NULL;
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].wanted && cli_spu_matches(d, args, slot))
			return NULL;
	return cli_error("no such SPU", "fpc, pic", "one of show chassis spu");
}

void cli_put_location(struct daemon *d, json_t *to, uint8_t anchor)
{
	uint8_t slot = spus_serving(d, anchor);

	json_object_set_new(to, "anchor", json_integer(anchor));
	if (slot < SPU_SLOTS) {
		json_object_set_new(to, "fpc", json_integer(d->spus.at[slot].conf.fpc));
		json_object_set_new(to, "pic", json_integer(d->spus.at[slot].conf.pic));
	}
	json_object_set_new(to, "kmd-instance", json_integer(anchor % 4));
}

/* ---- one line ------------------------------------------------------------------------------ */

static char *answer_to(struct daemon *d, const char *line, size_t len)
{
	struct cli_request request;
	struct why why = { "" };
	json_t *reply;

	if (cli_request_read(line, len, &request, &why)) {
		reply = cli_error(why.text, NULL, NULL);
	} else {
		reply = check_spu(d, request.args);
		if (reply == NULL)
			reply = handlers[request.command->id](d, &request);
		cli_request_done(&request);
	}
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	json_decref(reply);
	return text;
}

/* ---- the socket ---------------------------------------------------------------------------- */

static void on_client_closed(uv_handle_t *h)
{
	struct client *c = h->data;

	c->server->clients--;
	free(c);
}

static void on_written(uv_write_t *write, int status)
{
	struct answer *a = write->data;

	(void)status;
	free(a->text);
	free(a);
}

static void reply_line(struct client *c, size_t len)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return;
	a->text = answer_to(c->server->d, c->line, len);
	a->write.data = a;
	static char newline[] = "\n";
	uv_buf_t bufs[] = { uv_buf_init(a->text, a->text ? (unsigned)strlen(a->text) : 0),
		            uv_buf_init(newline, 1) };
	if (a->text == NULL ||
	    uv_write(&a->write, (uv_stream_t *)&c->pipe, bufs, ARRAY_LEN(bufs), on_written)) {
		free(a->text);
		free(a);
	}
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->line + c->len, (unsigned)(sizeof(c->line) - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	char *end;

	(void)buf;
	if (n < 0 || c->len + (size_t)n == sizeof(c->line)) { /* gone, or a line without end */
		uv_close((uv_handle_t *)&c->pipe, on_client_closed);
		return;
	}
	c->len += (size_t)n;
	while ((end = memchr(c->line, '\n', c->len)) != NULL) {
		size_t len = (size_t)(end - c->line);

		reply_line(c, len);
		c->len -= len + 1;
		memmove(c->line, end + 1, c->len);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct cli_server *s = listener->data;
	struct client *c = status ? NULL : malloc(sizeof(*c));

	if (c == NULL)
		return;
	c->server = s;
	c->len = 0;
	uv_pipe_init(listener->loop, &c->pipe, 0);
	c->pipe.data = c;
	s->clients++;
	/* One too many is taken and closed: libuv listens no more until it is taken. */
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) || s->clients > CLIENTS_MAX ||
	    uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read))
		uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

enum err cli_server_start(struct daemon *d, struct why *why)
{
	struct cli_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_MEMORY;
	d->cli = s;
	s->d = d;
	daemon_path(d, "cli.sock", s->path);
	(void)unlink(s->path); /* a predecessor's */
	uv_pipe_init(&d->loop, &s->listener, 0);
	s->listener.data = s;
	mode_t mask = umask(0177);
	int e = uv_pipe_bind(&s->listener, s->path);
	umask(mask);
	if (!e)
		e = uv_listen((uv_stream_t *)&s->listener, 8, on_connection);
	return e ? why_set(why, ERR_IO, "%s: %s", s->path, uv_strerror(e)) : ERR_OK;
}

static void on_listener_closed(uv_handle_t *h)
{
	free(h->data);
}

void cli_server_stop(struct daemon *d)
{
	if (d->cli == NULL)
		return;
	(void)unlink(d->cli->path);
	uv_close((uv_handle_t *)&d->cli->listener, on_listener_closed);
	d->cli = NULL;
}
