/* SPDX-License-Identifier: BSD-2-Clause */
/* Our algorithms in the words of rte_cryptodev, which is how an inline-crypto driver says what it
 * offers and is told what to do. Any thread. */
#ifndef NIC_XFORM_H
#define NIC_XFORM_H
#include "engine.h"
#include <rte_cryptodev.h>

/* What one session needs. Points into itself (a driver may keep a pointer to a key): never copy it.
 */
struct nic_xforms {
	struct rte_crypto_sym_xform first, second; /* chained as the direction wants it */
	uint8_t key[32];
	uint8_t auth_key[64];
};

/* The SA's algorithms are ones that caps_can() takes. */
void nic_xforms_fill(struct nic_xforms *ret, const struct engine_sa *sa);

/* Which rows of alg_ciphers and of alg_integs a list of capabilities has, one bit each. */
uint32_t nic_xform_ciphers(const struct rte_cryptodev_capabilities *list);
uint32_t nic_xform_integs(const struct rte_cryptodev_capabilities *list);

#endif
