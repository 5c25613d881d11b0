/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX extended regular expressions that match a whole text in linear time.
 *
 * For patterns that an operator writes and texts that a stranger picks: a pattern becomes a bounded
 * program (Thompson), whose states are all followed at once, so time is at most the length of the
 * text times the size of the program, whatever both are. Syntax errors say where. The C library's
 * regcomp() says no place, knows \1 (which no linear engine can), and depends on the locale.
 * Known: . [] [^] [:class:] * + ? {m,n} () | ^ $ and \ before punctuation. Any thread. */
#ifndef ERE_H
#define ERE_H
#include "errors.h"
#include "reader.h"

struct ere;

/* fold: letters match both cases (ASCII). On ERR_SYNTAX why says what is wrong, and at which
 * character, counted from 1. */
enum err ere_new(const char *pattern, bool fold, struct ere **ret, struct why *why) MUST_CHECK;
void ere_free(struct ere *e); /* takes NULL */

/* Does the whole text match? */
bool ere_match(const struct ere *e, struct view text);

#endif
