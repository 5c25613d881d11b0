// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(rtnl) X(turn)
RUNNER("daemon", TESTS);
