// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(live)
RUNNER("spu-live", TESTS);
