// SPDX-License-Identifier: BSD-2-Clause
#include "traffic_options.h"
#include "numbered.h"
#include "pace.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, ADDRESS };

struct option_row {
	const char *name;
	enum kind kind;
	size_t at;
	uint64_t min, max, def;
	const char *help;
};

#define AT(field) offsetof(struct traffic_options, field)

/* clang-format off */
static const struct option_row rows[] = {
	{ "to",          ADDRESS, AT(to),          0, 0, 0,                    "where to send" },
	{ "from",        ADDRESS, AT(from),        0, 0, 0,                    "source address of what is sent" },
	{ "bind",        ADDRESS, AT(bind),        0, 0, 0,                    "address to receive at" },
	{ "port",        NUMBER,  AT(port),        1, UINT16_MAX, 7000,        "destination port" },
	{ "source-port", NUMBER,  AT(source_port), 0, UINT16_MAX, 0,           "source port of flow 0, the next above it; 0: any" },
	{ "size",        NUMBER,  AT(size),        NUMBERED_MIN, NUMBERED_MAX, 200, "bytes of UDP payload" },
	{ "pps",         NUMBER,  AT(pps),         1, PACE_PPS_MAX, 1000,      "packets per second, all flows together" },
	{ "count",       NUMBER,  AT(count),       1, TRAFFIC_COUNT_MAX, TRAFFIC_COUNT_MAX, "packets per flow; a receiver ends when all came" },
	{ "flows",       NUMBER,  AT(flows),       1, TRAFFIC_FLOWS_MAX, 1,    "flows, each with its own source port and numbers" },
	{ "duration",    NUMBER,  AT(duration_s),  1, 3600, 60,                "end after this many seconds at the latest" },
	{ "run",         NUMBER,  AT(run),         0, UINT64_MAX, 0,           "number that both ends must agree on" },
	{ "progress",    NUMBER,  AT(progress_ms), 0, 60000, 0,                "print progress every so many ms; 0: never" },
	{ "bytes",       NUMBER,  AT(bytes),       1, (uint64_t)1 << 40, (uint64_t)1 << 40, "length of the TCP stream" },
	{ "df",          NUMBER,  AT(df),          0, 1, 0,                    "1: never fragment, also beyond the path MTU" },
};
/* clang-format on */

static enum err address_read(const char *text, struct traffic_address *ret)
{
	struct traffic_address a = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&a.ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a.ss;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		a.len = sizeof(*in);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		a.len = sizeof(*in6);
	} else {
		return ERR_SYNTAX;
	}
	*ret = a;
	return ERR_OK;
}

void traffic_address_port(struct traffic_address *a, uint16_t port)
{
	if (a->ss.ss_family == AF_INET)
		((struct sockaddr_in *)&a->ss)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)&a->ss)->sin6_port = htons(port);
}

static enum err number_read(const char *text, const struct option_row *row, uint64_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long x = strtoull(text, &end, 0);
	if (errno || end == text || *end != 0 || text[0] == '-')
		return ERR_SYNTAX;
	if (x < row->min || x > row->max)
		return ERR_RANGE;
	*ret = x;
	return ERR_OK;
}

static enum err row_read(const struct option_row *row, const char *text, struct traffic_options *o,
                         struct why *why)
{
	char *field = (char *)o + row->at;

	if (row->kind == ADDRESS) {
		if (address_read(text, (struct traffic_address *)(void *)field))
			return why_set(why, ERR_SYNTAX,
			               "--%s %s: an IPv4 or IPv6 address is wanted", row->name,
			               text);
		return ERR_OK;
	}
	if (number_read(text, row, (uint64_t *)(void *)field))
		return why_set(why, ERR_RANGE,
		               "--%s %s: a number from %" PRIu64 " to %" PRIu64 " is wanted",
		               row->name, text, row->min, row->max);
	return ERR_OK;
}

static const struct option_row *row_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, rows[i].name) == 0)
			return &rows[i];
	return NULL;
}

enum err traffic_options_read(int argc, char **argv, struct traffic_options *ret, struct why *why)
{
	struct traffic_options o = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].kind == NUMBER)
			*(uint64_t *)(void *)((char *)&o + rows[i].at) = rows[i].def;
	for (int i = 0; i < argc; i += 2) {
		const struct option_row *row = row_find(argv[i]);

		if (row == NULL)
			return why_set(why, ERR_UNKNOWN, "%s: no such option", argv[i]);
		if (i + 1 == argc)
			return why_set(why, ERR_MISSING, "%s: a value must follow", argv[i]);
		TRY(row_read(row, argv[i + 1], &o, why));
	}
	*ret = o;
	return ERR_OK;
}

void traffic_options_help(FILE *f)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct option_row *r = &rows[i];

		if (r->kind == ADDRESS)
			fprintf(f, "  --%-12s ADDRESS  %s\n", r->name, r->help);
		else
			fprintf(f,
			        "  --%-12s NUMBER   %s (%" PRIu64 "..%" PRIu64 ", default %" PRIu64
			        ")\n",
			        r->name, r->help, r->min, r->max, r->def);
	}
}
