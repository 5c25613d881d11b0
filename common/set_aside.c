// SPDX-License-Identifier: BSD-2-Clause
#include "set_aside.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const char *const parts[] = { "/data.mdb", "/lock.mdb", "" };

enum err set_aside_store(const char *rundir)
{
	char from[256], to[256];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int n = snprintf(to, sizeof(to), "%s/" SET_ASIDE_STORE "%s", rundir, parts[i]);

		if (n < 0 || (size_t)n >= sizeof(to))
			return ERR_LENGTH;
		if ((parts[i][0] ? unlink(to) : rmdir(to)) && errno != ENOENT)
			return err_from_errno(errno);
	}
	(void)snprintf(from, sizeof(from), "%s/store", rundir);
	return rename(from, to) ? err_from_errno(errno) : ERR_OK;
}
