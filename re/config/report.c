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

/* Room for one more; when there is none, an error takes the place of the last warning. */
static struct report_message *place(struct config_report *r, enum report_level level)
{
	if (r->messages < REPORT_MAX)
		return &r->message[r->messages];
	for (size_t i = r->messages; level == REPORT_ERROR && i > 0; i--)
		if (r->message[i - 1].level == REPORT_WARNING)
			return &r->message[i - 1];
	return NULL;
}

static void PRINTF(4, 0) add(struct config_report *r, enum report_level level, uint32_t line,
                             const char *fmt, va_list ap)
{
	char text[768];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	struct report_message *at = place(r, level);
	char *copy = at ? strdup(text) : NULL;
	if (copy == NULL)
		return;
	free(at->text);
	*at = (struct report_message){ level, line, copy };
	if (at == &r->message[r->messages])
		r->messages++;
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

void report_sort(struct config_report *r)
{
	for (size_t i = 1; i < r->messages; i++) {
		struct report_message m = r->message[i];
		size_t at = i;

		for (; at > 0 && r->message[at - 1].line > m.line; at--)
			r->message[at] = r->message[at - 1];
		r->message[at] = m;
	}
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
