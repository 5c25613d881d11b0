/* SPDX-License-Identifier: BSD-2-Clause */
/* EAL makes a folder dpdk/rte below $RUNTIME_DIRECTORY (else below /run), also when it is told to
 * share nothing and puts nothing into it. It is made where the caller says, and taken away again.
 * Before and after rte_eal_init(), main thread. */
#ifndef EAL_DIR_H
#define EAL_DIR_H
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void eal_dir_set(const char *dir)
{
	(void)setenv("RUNTIME_DIRECTORY", dir, 1);
}

/* A folder that another process has just made anew is not missed by it either. */
static inline void eal_dir_clean(const char *dir)
{
	static const char *const folders[] = { "dpdk/rte", "dpdk" };
	char path[256];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		(void)rmdir(path);
	}
}

#endif
