// SPDX-License-Identifier: BSD-2-Clause
#include "shm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum err shm_file_map(int fd, void **ret_map, size_t *ret_len, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return why_set(why, err_from_errno(errno), "shared memory: %s", strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return why_set(why, ERR_CORRUPT, "shared memory: empty or not a file");
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return why_set(why, err_from_errno(errno), "shared memory: %s", strerror(errno));
	*ret_map = map;
	*ret_len = (size_t)st.st_size;
	return ERR_OK;
}

void shm_file_unmap(void *map, size_t len)
{
	if (map != NULL)
		(void)munmap(map, len);
}

enum err shm_file_open(const char *path, void **ret_map, size_t *ret_len, int *ret_fd,
                       struct why *why)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
	enum err e = shm_file_map(fd, ret_map, ret_len, why);
	if (e != ERR_OK) {
		(void)close(fd);
		return why_prefix(why, e, "%s", path);
	}
	*ret_fd = fd;
	return ERR_OK;
}

static enum err reserve(int fd, const char *path, size_t len, void **ret_map, struct why *why)
{
	size_t got;
	int no = posix_fallocate(fd, 0, (off_t)len);

	if (no != 0)
		return why_set(why, err_from_errno(no), "%s: no room for %zu bytes: %s", path, len,
		               strerror(no));
	return shm_file_map(fd, ret_map, &got, why);
}

static enum err next_name(const char *path, char ret[PATH_MAX], struct why *why)
{
	if (snprintf(ret, PATH_MAX, "%s.new", path) >= PATH_MAX)
		return why_set(why, ERR_LENGTH, "%s: path too long", path);
	return ERR_OK;
}

enum err shm_file_new(const char *path, size_t len, void **ret_map, int *ret_fd, struct why *why)
{
	char next[PATH_MAX];

	TRY(next_name(path, next, why));
	(void)unlink(next); /* what an earlier attempt left */
	int fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return why_set(why, err_from_errno(errno), "%s: %s", next, strerror(errno));
	enum err e = reserve(fd, next, len, ret_map, why);
	if (e != ERR_OK) {
		(void)unlink(next);
		(void)close(fd);
		return e;
	}
	*ret_fd = fd;
	return ERR_OK;
}

enum err shm_file_publish(const char *path, struct why *why)
{
	char next[PATH_MAX];

	TRY(next_name(path, next, why));
	if (rename(next, path) != 0)
		return why_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
	return ERR_OK;
}
