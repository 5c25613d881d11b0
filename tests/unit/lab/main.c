// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(numbered) X(pace) X(pattern) X(tally) X(traffic_options)
RUNNER("lab", TESTS);
