/* SPDX-License-Identifier: BSD-2-Clause */
/* The routing engine as main() sees it. */
#ifndef DAEMON_H
#define DAEMON_H
#include "errors.h"

struct daemon;

/* Connects to the keeper, takes over what a predecessor left, applies the configuration. On an
 * error the process ends. */
enum err daemon_start(struct daemon *d, struct why *why) MUST_CHECK;
/* Runs until SIGTERM; returns the exit status. */
int daemon_run(struct daemon *d);

/* Exit status for a configuration that is refused at the first start: starting again will not help.
 */
#define DAEMON_EXIT_CONFIG 78

#endif
