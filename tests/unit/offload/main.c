// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X) X(promote) X(engine) X(emu_security) X(emu_loop) X(emu_afxdp)
RUNNER("offload", TESTS);
