// SPDX-License-Identifier: BSD-2-Clause
#include "emu_fault.h"
#include "emu_security.h"

#include <ethdev_driver.h>

enum err emu_fault_inject(uint16_t port_id, enum emu_fault fault, uint32_t count, struct why *why)
{
	struct emu_dev *dev = emu_dev_of_port(port_id);

	if (dev == NULL || dev->security == NULL)
		return why_set(why, ERR_UNSUPPORTED,
		               "port %u is no emulated NIC with inline crypto", port_id);
	if (fault >= EMU_FAULTS)
		return why_set(why, ERR_VALUE, "no such fault");
	if (fault == EMU_FAULT_REFUSE || fault == EMU_FAULT_PASS) {
		emu_security_faults(dev->security)->left[fault] = count;
		return ERR_OK;
	}
	emu_security_forget(dev->security);
	if (fault == EMU_FAULT_RESET)
		(void)rte_eth_dev_callback_process(dev->eth, RTE_ETH_EVENT_INTR_RESET, NULL);
	return ERR_OK;
}

bool emu_faults_take(struct emu_faults *f, enum emu_fault fault)
{
	if (f->left[fault] == 0)
		return false;
	if (f->left[fault] != UINT32_MAX)
		f->left[fault]--;
	return true;
}
