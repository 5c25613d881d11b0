// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

/* clang-format off */
#define TESTS(X) \
	X(errors) X(reader) X(wipe) X(writer) X(addr) X(siphash) X(secret) X(set_aside) X(anchor) X(effects) X(timers) \
	X(hash) X(ere) X(log) X(record) X(node_shm) X(sa_runtime) X(replay) X(replay_model)
/* clang-format on */
RUNNER("common", TESTS);
