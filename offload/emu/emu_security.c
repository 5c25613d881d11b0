// SPDX-License-Identifier: BSD-2-Clause
#include "emu_security.h"

enum err emu_security_new(struct emu_dev *dev, struct emu_security **ret)
{
	(void)ret;
	return why_set(&dev->why, ERR_UNSUPPORTED, "inline crypto: %s", err_text(ERR_UNSUPPORTED));
}

void emu_security_free(struct emu_security *s)
{
	(void)s;
}

struct rte_security_ctx *emu_security_ctx(struct emu_security *s)
{
	(void)s;
	return NULL;
}

const struct emu_security_counters *emu_security_counters(const struct emu_security *s)
{
	static const struct emu_security_counters none;

	(void)s;
	return &none;
}

void emu_security_rx(struct emu_security *s, struct rte_mbuf **mbufs, uint16_t n)
{
	(void)s;
	(void)mbufs;
	(void)n;
}

bool emu_security_tx(struct emu_security *s, struct rte_mbuf *m)
{
	(void)s;
	return (m->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0;
}
