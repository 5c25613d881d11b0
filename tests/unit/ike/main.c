// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"

#define TESTS(X)                                                                            \
	X(message)                                                                          \
	X(keys)                                                                             \
	X(dh)                                                                               \
	X(proposal)                                                                         \
	X(match)                                                                            \
	X(window)                                                                           \
	X(fsm)                                                                              \
	X(guard)                                                                            \
	X(guard_peers)                                                                      \
	X(blocklist)                                                                        \
	X(exchange)                                                                         \
	X(frag)                                                                             \
	X(hostile) X(sync) X(refusal) X(life) X(lifetime) X(reauth) X(nat) X(mobike) X(ppk) \
	        X(rekey) X(overtaken) X(tables)
RUNNER("ike", TESTS);
