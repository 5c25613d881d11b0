/* SPDX-License-Identifier: BSD-2-Clause */
/* A damaged store is kept for whoever wants to know, beside the new one: RUNDIR/store becomes
 * RUNDIR/store.aside. One is kept, the last: they hold keys of child SAs. Keeper or routing engine,
 * while nobody writes it. */
#ifndef SET_ASIDE_H
#define SET_ASIDE_H
#include "errors.h"

#define SET_ASIDE_STORE "store.aside"

enum err set_aside_store(const char *rundir) MUST_CHECK;

#endif
