// SPDX-License-Identifier: BSD-2-Clause
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *t, size_t max)
{
	memset(t, 0, sizeof(*t));
	t->max = max;
}

void text_done(struct text *t)
{
	if (t->s)
		explicit_bzero(t->s, t->cap);
	free(t->s);
	memset(t, 0, sizeof(*t));
}

static bool room(struct text *t, size_t n)
{
	if (t->len + n < t->cap)
		return true;
	if (n >= t->max || t->len + n >= t->max)
		return false;
	size_t cap = t->cap ? t->cap * 2 : 1024;
	while (cap <= t->len + n)
		cap *= 2;
	char *bigger = calloc(1, cap);
	if (bigger == NULL)
		return false;
	if (t->s) {
		memcpy(bigger, t->s, t->len);
		explicit_bzero(t->s, t->cap);
	}
	free(t->s);
	t->s = bigger;
	t->cap = cap;
	return true;
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || t->bad || !room(t, (size_t)n)) {
		t->bad = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(t->s + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

const char *text_of(const struct text *t)
{
	return t->s ? t->s : "";
}
