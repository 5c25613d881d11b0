// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X)                                                                                 \
	X(errors)                                                                                \
	X(reader)                                                                                \
	X(writer)                                                                                \
	X(addr)                                                                                  \
	X(siphash) X(secret) X(anchor) X(effects) X(timers) X(hash) X(log) X(record) X(node_shm) \
	        X(sa_runtime) X(replay) X(replay_model)
RUNNER("common", TESTS);
