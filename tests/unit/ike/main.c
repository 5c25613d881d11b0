// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(message) X(keys)
RUNNER("ike", TESTS);
