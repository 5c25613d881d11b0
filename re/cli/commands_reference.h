/* SPDX-License-Identifier: BSD-2-Clause */
/* docs/commands.md, printed from the table of commands. Pure. */
#ifndef COMMANDS_REFERENCE_H
#define COMMANDS_REFERENCE_H
#include "text.h"

#define COMMANDS_REFERENCE_MAX (1u << 20)

void commands_reference_write(struct text *out);

#endif
