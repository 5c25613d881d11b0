// SPDX-License-Identifier: BSD-2-Clause
#include "node_shm.h"

#include <ctype.h>

#define DROP(name, text) [DROP_##name] = { text, #name },
static const struct {
	const char *text, *upper;
} rows[DROP_MAX] = {
#include "drops.def"
};
#undef DROP

#define NAME_ROOM 32
/* Written once before main(), so that names need no column of their own in drops.def. */
static char names[DROP_MAX][NAME_ROOM];

__attribute__((constructor)) static void make_names(void)
{
	for (size_t i = 0; i < DROP_MAX; i++)
		for (size_t k = 0; k + 1 < NAME_ROOM && rows[i].upper[k]; k++) {
			char c = rows[i].upper[k];

			names[i][k] = c == '_' ? '-' : (char)tolower((unsigned char)c);
		}
}

const char *drop_text(enum drop_reason r)
{
	return (unsigned)r < DROP_MAX ? rows[r].text : "unknown reason";
}

const char *drop_name(enum drop_reason r)
{
	return (unsigned)r < DROP_MAX ? names[r] : "unknown";
}
