// SPDX-License-Identifier: BSD-2-Clause
/* show configuration, request system configuration load FILE: the documents are re/cli's. */
#include "cli_server.h"

#include "daemon_priv.h"

#include "report.h"
#include "show_config.h"

json_t *show_configuration(struct daemon *d, const struct cli_request *r)
{
	return show_config_reply(d->config, r);
}

json_t *request_load(struct daemon *d, const struct cli_request *r)
{
	const char *file = cli_arg_text(r, "file");
	struct config_report report;
	struct why why = { "" };
	json_t *reply;

	report_init(&report, file);
	enum err e = apply_file(d, file, &report, &why);
	if (e && report.errors == 0) /* no error in the text: the file or the interfaces */
		reply = cli_error(why.text, file, "a configuration that can be put in force");
	else
		reply = show_config_load_reply(file, &report, e == ERR_OK);
	report_done(&report);
	return reply;
}
