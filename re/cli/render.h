/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies as people read them: tables and blocks, from the JSON document and nothing else.
 *
 * Whatever is absent in the document is shown as "-". Any thread. */
#ifndef RENDER_H
#define RENDER_H
#include "commands.h"
#include "text.h"

#define RENDER_MAX (256u << 20)

/* The reply of a command that worked. ERR_FULL when it does not fit. */
enum err cli_render(const struct cli_request *r, const json_t *reply, struct text *out) MUST_CHECK;

/* {"error": …} in one line or more. */
void cli_render_error(const json_t *reply, struct text *out);

#endif
