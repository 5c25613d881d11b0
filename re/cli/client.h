/* SPDX-License-Identifier: BSD-2-Clause */
/* The other side of RUNDIR/cli.sock, and words of a line. Used by the program hawser alone. */
#ifndef CLIENT_H
#define CLIENT_H
#include "commands.h"

#define CLIENT_WORDS_MAX 256
#define CLIENT_REPLY_MAX (256u << 20)

/* Exit statuses of hawser. */
enum { CLIENT_OK = 0, CLIENT_ERROR = 1, CLIENT_UNKNOWN = 2 };

/* One request, one reply; the caller owns it. */
enum err client_ask(const char *rundir, const struct cli_request *r, json_t **ret,
                    struct why *why) MUST_CHECK;

/* Runs one command: parses, asks, prints. Returns the exit status. */
int client_run(const char *rundir, const char *const *words, size_t n);

/* A line cut into words in place; "a b" is one word, | stands alone. */
enum err client_split(char *line, const char **words, size_t *ret_n, struct why *why) MUST_CHECK;

/* The interactive shell, until the end of the input. */
int interact(const char *rundir);

#endif
