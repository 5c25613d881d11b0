// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X)    \
	X(promote)  \
	X(engine)   \
	X(soft_alg) \
	X(soft_vectors) X(alg_docs) X(nic_alg) X(iv_source) X(emu_security) X(emu_loop) X(emu_afxdp)
RUNNER("offload", TESTS);
