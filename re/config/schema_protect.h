/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of schema_protect.c, for schema_ike.c. */
#ifndef SCHEMA_PROTECT_H
#define SCHEMA_PROTECT_H
#include "schema.h"

extern const struct schema schema_ike_session[], schema_ike_blocklist[];

#endif
