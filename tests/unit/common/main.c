// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(errors) X(reader) X(writer) X(addr)
RUNNER("common", TESTS);
