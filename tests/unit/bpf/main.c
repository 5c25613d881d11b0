// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(edge) X(fabric) X(loader) X(real)
RUNNER("bpf", TESTS);
