// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(emu_loop) X(emu_afxdp)
RUNNER("offload", TESTS);
