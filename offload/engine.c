// SPDX-License-Identifier: BSD-2-Clause
#include "engine_priv.h"

void engine_close(struct engine *e)
{
	if (e)
		e->close(e);
}

bool engine_nic_verdict(const struct rte_mbuf *m, uint8_t *ret_verdict)
{
	if ((m->ol_flags & RTE_MBUF_F_RX_SEC_OFFLOAD) == 0)
		return false;
	*ret_verdict = m->ol_flags & RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED ? ENGINE_BAD_ICV : ENGINE_OK;
	return true;
}
