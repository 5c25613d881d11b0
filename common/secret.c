// SPDX-License-Identifier: BSD-2-Clause
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct secret *secret_new(size_t len)
{
	if (len > SIZE_MAX - sizeof(struct secret))
		return NULL;
	struct secret *s = calloc(1, sizeof(*s) + len);
	if (s == NULL)
		return NULL;
	s->len = len;
	s->cap = len;
	return s;
}

struct secret *secret_copy(struct view v)
{
	struct secret *s = secret_new(v.len);

	if (s != NULL && v.len)
		memcpy(s->b, v.p, v.len);
	return s;
}

void secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	secret_wipe(s->b, s->cap);
	free(s);
}

void secret_wipe(void *p, size_t len)
{
	if (p != NULL && len)
		explicit_bzero(p, len);
}

bool secret_equal(struct view a, struct view b)
{
	uint8_t diff = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		diff |= a.p[i] ^ b.p[i];
	return diff == 0;
}

static enum err read_all(int fd, struct secret *s, const char *path, struct why *why)
{
	size_t at = 0;

	while (at < s->len) {
		ssize_t n = read(fd, s->b + at, s->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		at += (size_t)n;
	}
	s->len = at;
	return ERR_OK;
}

static enum err read_file(int fd, const char *path, size_t max, struct secret **ret,
                          struct why *why)
{
	AUTO(secret_free) struct secret *s = NULL;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why_set(why, ERR_EXPECTED, "%s: not a regular file", path);
	if ((uint64_t)st.st_size > max)
		return why_set(why, ERR_LENGTH, "%s: larger than %zu bytes", path, max);
	s = secret_new((size_t)st.st_size);
	if (s == NULL)
		return why_set(why, ERR_MEMORY, "%s: out of memory", path);
	TRY(read_all(fd, s, path, why));
	*ret = STEAL(s);
	return ERR_OK;
}

enum err secret_read_file(const char *path, size_t max, struct secret **ret, struct why *why)
{
	/* Not blocking: a FIFO in the file's place is refused instead of waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
	enum err e = read_file(fd, path, max, ret, why);
	(void)close(fd);
	return e;
}
