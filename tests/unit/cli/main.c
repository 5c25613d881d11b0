// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(request) X(complete) X(render) X(show_config) X(commands_reference)
RUNNER("cli", TESTS);
