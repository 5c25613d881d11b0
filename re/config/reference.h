/* SPDX-License-Identifier: BSD-2-Clause */
/* docs/configuration.md, printed from the schema. Pure. */
#ifndef REFERENCE_H
#define REFERENCE_H
#include "text.h"

#define REFERENCE_MAX (1u << 20)

void reference_write(struct text *out);

#endif
