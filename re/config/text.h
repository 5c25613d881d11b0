/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that grows up to a ceiling given at birth. Init/done; any thread, one at a time. */
#ifndef TEXT_H
#define TEXT_H
#include "errors.h"
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *s; /* owns; always ends with a zero once anything was added */
	size_t len, cap, max;
	bool bad; /* did not fit, or memory was out: what is there is not complete */
};

void text_init(struct text *t, size_t max);
void text_done(struct text *t); /* wipes */

void text_add(struct text *t, const char *fmt, ...) PRINTF(2, 3);

/* The text, or "" when nothing was added. */
const char *text_of(const struct text *t);

#endif
