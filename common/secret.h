/* SPDX-License-Identifier: BSD-2-Clause */
/* Key bytes: wiped when freed, never printed, ceiling given at birth. Any thread, one at a time. */
#ifndef SECRET_H
#define SECRET_H
#include "errors.h"
#include "reader.h"

struct secret {
	size_t len, cap;
	uint8_t b[];
};

/* A zeroed secret of len bytes (len == cap). NULL when memory is out. */
struct secret *secret_new(size_t len);
/* A copy of what v shows. */
struct secret *secret_copy(struct view v);
/* Wipes and frees; takes NULL. */
void secret_free(struct secret *s);
AUTO_DEFINE(struct secret, secret_free);

static inline struct view secret_view(const struct secret *s)
{
	return s ? (struct view){ s->b, s->len } : (struct view){ NULL, 0 };
}

/* Overwrites bytes so that no compiler leaves it out. */
void secret_wipe(void *p, size_t len);

/* Equal, in a time that depends on the length alone. */
bool secret_equal(struct view a, struct view b);

/* Reads a whole file of at most max bytes. */
enum err secret_read_file(const char *path, size_t max, struct secret **ret,
                          struct why *why) MUST_CHECK;

#endif
