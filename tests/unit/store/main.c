// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(store) X(store_kill)
RUNNER("store", TESTS);
