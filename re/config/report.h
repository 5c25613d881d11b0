/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong, or odd, in a configuration: collected rather than stopped at the first.
 *
 * Each message is one line, "FILE:LINE: PATH: what is wrong; what would be right". Bounded: what
 * does not fit is counted. Init/done; any thread, one at a time. */
#ifndef REPORT_H
#define REPORT_H
#include "errors.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_MAX 50

enum report_level { REPORT_ERROR, REPORT_WARNING };

struct report_message {
	enum report_level level;
	uint32_t line; /* 0: the file as a whole */
	char *text;    /* owns; without "FILE:LINE: " */
};

struct config_report {
	const char *file; /* borrowed */
	struct report_message message[REPORT_MAX];
	size_t messages;
	size_t errors, warnings; /* all of them, also those beyond REPORT_MAX */
};

void report_init(struct config_report *r, const char *file);
void report_done(struct config_report *r);

void report_error(struct config_report *r, uint32_t line, const char *fmt, ...) PRINTF(3, 4);
void report_warning(struct config_report *r, uint32_t line, const char *fmt, ...) PRINTF(3, 4);

/* Puts the messages into the order of the file. */
void report_sort(struct config_report *r);

/* "FILE:LINE: error: text" of message i into buf; returns buf. */
char *report_text(const struct config_report *r, size_t i, char *buf, size_t cap);

#endif
