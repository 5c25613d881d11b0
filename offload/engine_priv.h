/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engines share. Data-plane thread. */
#ifndef ENGINE_PRIV_H
#define ENGINE_PRIV_H
#include "engine.h"
#include <rte_mbuf.h>

/* What the port says about a received packet; false when it has not touched it. */
bool engine_nic_verdict(const struct rte_mbuf *m, uint8_t *ret_verdict);

#endif
