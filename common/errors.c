// SPDX-License-Identifier: BSD-2-Clause
#include "errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERR_TEXT(name, text) [ERR_##name] = text,
static const char *const texts[] = { ERRORS(ERR_TEXT) };
#undef ERR_TEXT

const char *err_text(enum err e)
{
	return (unsigned)e < ARRAY_LEN(texts) ? texts[e] : "unknown error";
}

enum err why_set(struct why *why, enum err e, const char *fmt, ...)
{
	va_list ap;

	if (why == NULL)
		return e;
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return e;
}

enum err why_prefix(struct why *why, enum err e, const char *fmt, ...)
{
	char rest[sizeof(why->text)];
	va_list ap;

	if (why == NULL)
		return e;
	memcpy(rest, why->text, sizeof(rest));
	va_start(ap, fmt);
	int n = vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(why->text))
		(void)snprintf(why->text + n, sizeof(why->text) - (size_t)n, ": %s", rest);
	return e;
}

/* clang-format off */
static const struct {
	int no;
	enum err e;
} errnos[] = {
	{ 0, ERR_OK },              { ENOENT, ERR_NOT_FOUND },   { ESRCH, ERR_NOT_FOUND },
	{ ENODEV, ERR_NOT_FOUND },  { ENXIO, ERR_NOT_FOUND },    { EEXIST, ERR_DUPLICATE },
	{ ENOMEM, ERR_MEMORY },     { ENOSPC, ERR_FULL },        { ENOBUFS, ERR_FULL },
	{ EAGAIN, ERR_AGAIN },      { EINTR, ERR_AGAIN },        { EBUSY, ERR_BUSY },
	{ EACCES, ERR_DENIED },     { EPERM, ERR_DENIED },       { EINVAL, ERR_VALUE },
	{ ERANGE, ERR_RANGE },      { EPIPE, ERR_CLOSED },       { ECONNRESET, ERR_CLOSED },
	{ ECONNREFUSED, ERR_CLOSED },{ EOPNOTSUPP, ERR_UNSUPPORTED },
};
/* clang-format on */

enum err err_from_errno(int no)
{
	for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
		if (errnos[i].no == no)
			return errnos[i].e;
	return ERR_IO;
}
