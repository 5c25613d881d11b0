/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK for this folder's tests: started in each test's own process (its memory without hugepages
 * is shared with forked children, so one start for all would let tests see each other); no shared
 * files, so it runs under ASan and beside others. */
#ifndef EAL_H
#define EAL_H
#include <check.h>
#include <rte_mbuf.h>
#include <stdint.h>

/* Adds the fixture that starts DPDK. */
void eal_for(TCase *tc);

/* A pool, and a port joined with itself, of that profile. The test's process forgets them. */
struct rte_mempool *eal_pool(unsigned int n);
uint16_t eal_loop(const char *profile, struct rte_mempool *pool);

/* A frame: fabric addresses, then what is given, from the EtherType on. */
struct rte_mbuf *eal_frame(struct rte_mempool *pool, const void *bytes, size_t len);

/* A statistic by its name. */
uint64_t eal_xstat(uint16_t port, const char *name);

#endif
