/* SPDX-License-Identifier: BSD-2-Clause */
/* Files on tmpfs that several processes map.
 *
 * All room is reserved when a file is made (posix_fallocate): a full tmpfs is an error then, not a
 * SIGBUS at some later packet. A file appears under its name only when it is whole, so whoever
 * opens it sees all of it or nothing. Any thread. */
#ifndef SHM_FILE_H
#define SHM_FILE_H
#include "errors.h"
#include <stdint.h>

/* Maps an existing file by name, read and write; *ret_fd belongs to the caller. ERR_NOT_FOUND where
 * there is none. */
enum err shm_file_open(const char *path, void **ret_map, size_t *ret_len, int *ret_fd,
                       struct why *why) MUST_CHECK;
/* Makes PATH.new, a file of len zero bytes, and maps it. */
enum err shm_file_new(const char *path, size_t len, void **ret_map, int *ret_fd,
                      struct why *why) MUST_CHECK;
/* Renames what shm_file_new() made to path, in the place of whatever has that name. */
enum err shm_file_publish(const char *path, struct why *why) MUST_CHECK;
/* Maps by descriptor, which is borrowed. */
enum err shm_file_map(int fd, void **ret_map, size_t *ret_len, struct why *why) MUST_CHECK;
void shm_file_unmap(void *map, size_t len);

#endif
