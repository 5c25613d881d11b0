/* SPDX-License-Identifier: BSD-2-Clause */
/* The one table of operational commands: words, arguments, help, privilege, and the reply's layout.
 *
 * Parsing, completion, `?`, the server's dispatch and the JSON that commands answer with all come
 * from the rows of commands.c; what is in no row does not exist. The program hawser makes a request
 * of words (cli_parse), sends it as one line of JSON, and renders the one document that comes back
 * (render.h); the server reads the request (cli_request_read) and calls its handler by the
 * command's id. Words may be shortened as long as one command is meant. Any thread.
 *
 * On RUNDIR/cli.sock (a stream socket), one line each way and as many rounds as one likes:
 *   -> {"command": "show security ike security-associations", "args": {"index": 7, "detail": true}}
 *   <- {"sa": [ … ]}                   or  {"error": {"what": "…", "path": "…", "expected": "…"}}
 */
#ifndef COMMANDS_H
#define COMMANDS_H
#include "errors.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_id {
	CLI_SHOW_IKE_SA,
	CLI_SHOW_IKE_ACTIVE_PEER,
	CLI_SHOW_IKE_PEERS,
	CLI_SHOW_IKE_STATS,
	CLI_SHOW_IPSEC_SA,
	CLI_SHOW_IPSEC_STATISTICS,
	CLI_SHOW_IPSEC_COMPLIANCE,
	CLI_SHOW_CHASSIS_SPU,
	CLI_SHOW_FLOW_DROPS,
	CLI_SHOW_CONFIGURATION,
	CLI_CLEAR_IKE_SA,
	CLI_CLEAR_IKE_PEERS,
	CLI_CLEAR_IKE_STATS,
	CLI_CLEAR_IPSEC_SA,
	CLI_CLEAR_IPSEC_STATISTICS,
	CLI_REQUEST_OFFLOAD,
	CLI_REQUEST_IPSEC_REKEY,
	CLI_REQUEST_IKE_REKEY,
	CLI_REQUEST_ANCHOR,
	CLI_REQUEST_LOAD,
	CLI_COMMANDS
};

enum cli_privilege { CLI_VIEW, CLI_CLEAR, CLI_CONTROL };

enum cli_arg_type {
	CLI_FLAG,    /* the word alone; JSON true */
	CLI_UINT,    /* min..max; a JSON integer */
	CLI_WORD,    /* one of words; a JSON string */
	CLI_ADDRESS, /* an IP address; a JSON string in normal form */
	CLI_FILE,    /* a path, made absolute by the client; a JSON string */
	CLI_PATH,    /* all words that follow, of the configuration; a JSON array of strings */
};

struct cli_arg {
	const char *word; /* stands before the value; NULL: the value stands alone */
	const char *key;  /* in the JSON args */
	enum cli_arg_type type;
	uint32_t min, max;
	const char *words; /* CLI_WORD: separated by blanks */
	bool must;
	const char *help;
};

struct cli_command {
	enum cli_id id;
	const char *words; /* "show security ike security-associations" */
	enum cli_privilege privilege;
	const struct cli_arg *args; /* ended by a row without key */
	const char *help;
	const char *reply; /* the layout of the JSON document, for whoever produces or reads it */
};

/* In the order of enum cli_id; CLI_COMMANDS rows. */
extern const struct cli_command cli_commands[];

enum cli_display { CLI_TEXT, CLI_JSON, CLI_SET, CLI_INHERITANCE };

struct cli_request {
	const struct cli_command *command;
	json_t *args; /* owns; an object */
	enum cli_display display;
};

void cli_request_done(struct cli_request *r);

/* Words of the command line, with an optional `| display json|set` behind them. ERR_UNKNOWN for an
 * unknown command, with the nearest known one in why; other errors for wrong arguments. On an error
 * ret has nothing but the display that was asked for. */
enum err cli_parse(const char *const *words, size_t n, struct cli_request *ret,
                   struct why *why) MUST_CHECK;

/* A request as one line of JSON, without the line end; the caller frees it. NULL without memory. */
char *cli_request_write(const struct cli_request *r);

/* Such a line back; everything is checked as cli_parse() does. */
enum err cli_request_read(const char *line, size_t len, struct cli_request *ret,
                          struct why *why) MUST_CHECK;

/* Arguments of a request: what was given, or the default. */
bool cli_arg_flag(const struct cli_request *r, const char *key);
bool cli_arg_uint(const struct cli_request *r, const char *key, uint32_t *ret);
const char *cli_arg_text(const struct cli_request *r, const char *key); /* NULL: not given */

/* {"error": …} for the reply. path and expected may be NULL. */
json_t *cli_error(const char *what, const char *path, const char *expected);

#endif
