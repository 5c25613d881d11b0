// SPDX-License-Identifier: BSD-2-Clause
#include "client.h"

#include "render.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum err client_connect(const char *rundir, int *ret_fd, struct why *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/cli.sock", rundir);

	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return why_set(why, ERR_LENGTH, "%s: the path is too long for a socket", rundir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return why_set(why, err_from_errno(errno), "socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		int no = errno;

		(void)close(fd);
		return why_set(why, err_from_errno(no), "%s: %s; is hawserd running there?",
		               sun.sun_path, strerror(no));
	}
	*ret_fd = fd;
	return ERR_OK;
}

static enum err send_all(int fd, const char *p, size_t len, struct why *why)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_set(why, err_from_errno(errno), "send: %s", strerror(errno));
		p += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

/* A line of any length up to the ceiling, into a buffer that grows. */
struct line {
	char *s; /* owns */
	size_t len, cap;
};

static enum err grow(struct line *l, struct why *why)
{
	if (l->len < l->cap)
		return ERR_OK;
	if (l->cap >= CLIENT_REPLY_MAX)
		return why_set(why, ERR_LENGTH, "the reply is too long");
	size_t cap = l->cap ? l->cap * 2 : 65536;
	char *s = realloc(l->s, cap);
	if (s == NULL)
		return why_set(why, ERR_MEMORY, "out of memory");
	l->s = s;
	l->cap = cap;
	return ERR_OK;
}

static enum err receive_line(int fd, struct line *l, struct why *why)
{
	for (;;) {
		TRY(grow(l, why));
		ssize_t n = recv(fd, l->s + l->len, l->cap - l->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_set(why, err_from_errno(errno), "receive: %s", strerror(errno));
		if (n == 0)
			return why_set(why, ERR_CLOSED, "the routing engine closed the connection");
		const char *end = memchr(l->s + l->len, '\n', (size_t)n);
		l->len += (size_t)n;
		if (end) {
			l->len = (size_t)(end - l->s);
			return ERR_OK;
		}
	}
}

static enum err exchange(int fd, const char *request, json_t **ret, struct why *why)
{
	struct line l = { 0 };
	enum err e = send_all(fd, request, strlen(request), why);

	if (e == ERR_OK)
		e = send_all(fd, "\n", 1, why);
	if (e == ERR_OK)
		e = receive_line(fd, &l, why);
	if (e == ERR_OK && (*ret = json_loadb(l.s, l.len, 0, NULL)) == NULL)
		e = why_set(why, ERR_SYNTAX, "the reply is no JSON");
	free(l.s);
	return e;
}

enum err client_ask(const char *rundir, const struct cli_request *r, json_t **ret, struct why *why)
{
	char *request = cli_request_write(r);
	int fd = -1;
	enum err e = request ? client_connect(rundir, &fd, why) : ERR_MEMORY;

	if (e == ERR_OK)
		e = exchange(fd, request, ret, why);
	if (fd >= 0)
		(void)close(fd);
	free(request);
	return e;
}

/* Prints a reply in the form that was asked for. Returns the exit status. */
static int show(const struct cli_request *r, const json_t *reply)
{
	bool failed = json_object_get(reply, "error") != NULL;
	struct text out;

	if (r->display == CLI_JSON) {
		(void)json_dumpf(reply, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		(void)putchar('\n');
		return failed ? CLIENT_ERROR : CLIENT_OK;
	}
	text_init(&out, RENDER_MAX);
	if (failed)
		cli_render_error(reply, &out);
	else if (cli_render(r, reply, &out))
		(void)fprintf(stderr, "error: the reply is too long to be shown\n");
	(void)fputs(text_of(&out), failed ? stderr : stdout);
	text_done(&out);
	return failed ? CLIENT_ERROR : CLIENT_OK;
}

int client_run(const char *rundir, const char *const *words, size_t n)
{
	struct cli_request r = { 0 };
	struct why why = { 0 };
	json_t *reply = NULL;
	enum err e = cli_parse(words, n, &r, &why);
	int status = e == ERR_UNKNOWN ? CLIENT_UNKNOWN : CLIENT_ERROR;

	if (e == ERR_OK)
		e = client_ask(rundir, &r, &reply, &why);
	if (e) {
		reply = cli_error(why.text[0] ? why.text : err_text(e), NULL, NULL);
		(void)show(&r, reply);
	} else {
		status = show(&r, reply);
	}
	json_decref(reply);
	cli_request_done(&r);
	return status;
}

/* One word that begins at p, ended by a zero. Returns where the next one may begin; NULL for an
 * open quote. */
static char *cut(char *p)
{
	char *to = p;
	bool quoted = false;

	for (; *p && (quoted || (*p != ' ' && *p != '\t' && *p != '\n')); p++) {
		if (*p == '"')
			quoted = !quoted;
		else
			*to++ = *p;
	}
	char *next = *p ? p + 1 : p;
	*to = 0;
	return quoted ? NULL : next;
}

enum err client_split(char *line, const char **words, size_t *ret_n, struct why *why)
{
	size_t n = 0;
	char *p = line + strspn(line, " \t\n");

	while (*p) {
		if (n == CLIENT_WORDS_MAX)
			return why_set(why, ERR_LENGTH, "more than %d words", CLIENT_WORDS_MAX);
		words[n++] = p;
		p = cut(p);
		if (p == NULL)
			return why_set(why, ERR_SYNTAX, "a quote is not closed");
		p += strspn(p, " \t\n");
	}
	*ret_n = n;
	return ERR_OK;
}
