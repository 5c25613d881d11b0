// SPDX-License-Identifier: BSD-2-Clause
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_init(struct config_report *r, const char *file)
{
	memset(r, 0, sizeof(*r));
	r->file = file;
}

void report_done(struct config_report *r)
{
	for (size_t i = 0; i < r->messages; i++)
		free(r->message[i].text);
	r->messages = 0;
}

static void PRINTF(4, 0) add(struct config_report *r, enum report_level level, uint32_t line,
                             const char *fmt, va_list ap)
{
	char text[768];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (r->messages == REPORT_MAX)
		return;
	char *copy = strdup(text);
	if (copy)
		r->message[r->messages++] = (struct report_message){ level, line, copy };
}

void report_error(struct config_report *r, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	r->errors++;
	va_start(ap, fmt);
	add(r, REPORT_ERROR, line, fmt, ap);
	va_end(ap);
}

void report_warning(struct config_report *r, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	r->warnings++;
	va_start(ap, fmt);
	add(r, REPORT_WARNING, line, fmt, ap);
	va_end(ap);
}

char *report_text(const struct config_report *r, size_t i, char *buf, size_t cap)
{
	const struct report_message *m = &r->message[i];
	const char *level = m->level == REPORT_ERROR ? "error" : "warning";

	if (m->line)
		(void)snprintf(buf, cap, "%s:%u: %s: %s", r->file, m->line, level, m->text);
	else
		(void)snprintf(buf, cap, "%s: %s: %s", r->file, level, m->text);
	return buf;
}
