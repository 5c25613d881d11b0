// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(link) X(hawserd)
RUNNER("keeper", TESTS);
