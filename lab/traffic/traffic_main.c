// SPDX-License-Identifier: BSD-2-Clause
/* hawser-traffic: numbered packets and checked streams, for the lab. */
#include "traffic_socket.h"
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct mode {
	const char *name, *help;
	enum err (*run)(const struct traffic_options *o, struct why *why);
} modes[] = {
	{ "send",        "numbered UDP packets to --to",                 udp_send },
	{ "receive",     "receive and tally them at --bind",             udp_receive },
	{ "tcp-send",    "one TCP stream to --to",                       tcp_send },
	{ "tcp-receive", "receive one at --bind, checking every byte",   tcp_receive },
};
/* clang-format on */

static void help(FILE *f)
{
	fprintf(f, "usage: hawser-traffic MODE [--OPTION VALUE]...\nmodes:\n");
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		fprintf(f, "  %-12s %s\n", modes[i].name, modes[i].help);
	fprintf(f, "options:\n");
	traffic_options_help(f);
	fprintf(f,
	        "The report is one JSON object per line; SIGTERM ends a mode with its report.\n");
}

int main(int argc, char **argv)
{
	struct traffic_options o;
	struct why why = { "" };

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		help(stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(modes); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		enum err e = traffic_options_read(argc - 2, argv + 2, &o, &why);

		if (e == ERR_OK)
			e = modes[i].run(&o, &why);
		if (e != ERR_OK)
			fprintf(stderr, "hawser-traffic: %s\n", *why.text ? why.text : err_text(e));
		return e == ERR_OK ? 0 : 1;
	}
	help(stderr);
	return 2;
}
