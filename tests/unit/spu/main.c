// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(esp_vectors) X(roads)
RUNNER("spu", TESTS);
