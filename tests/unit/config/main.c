// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X)                                                                        \
	X(crypto)                                                                       \
	X(dollar9)                                                                      \
	X(lex)                                                                          \
	X(schema)                                                                       \
	X(value)                                                                        \
	X(inbound) X(grammar) X(model) X(model_errors) X(manual) X(protect) X(examples) \
	        X(reference)
RUNNER("config", TESTS);
