// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X)       \
	X(pure)        \
	X(hold)        \
	X(esp_vectors) \
	X(roads) X(flow) X(limits) X(control) X(frag) X(pmtu) X(reasm) X(size) X(mixed) X(takeover)
RUNNER("spu", TESTS);
