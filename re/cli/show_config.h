/* SPDX-License-Identifier: BSD-2-Clause */
/* What `show configuration` and `request system configuration load` answer. Any thread. */
#ifndef SHOW_CONFIG_H
#define SHOW_CONFIG_H
#include "commands.h"
#include "model.h"
#include "report.h"

/* The reply for a configuration and a request with its path; {"error": …} when nothing is there.
 * NULL without memory. The caller owns it. */
json_t *show_config_reply(const struct config *c, const struct cli_request *r);

/* The reply of a load: ok or not, with the report's messages. */
json_t *show_config_load_reply(const char *file, const struct config_report *report, bool ok);

#endif
