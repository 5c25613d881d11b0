/* SPDX-License-Identifier: BSD-2-Clause */
/* What a NIC does on bad days, on request. The port's data-plane thread, between bursts. */
#ifndef EMU_FAULT_H
#define EMU_FAULT_H
#include "errors.h"
#include <stdint.h>

enum emu_fault {
	EMU_FAULT_REFUSE, /* the next `count` sessions are refused as if the table were full */
	EMU_FAULT_PASS,   /* the next `count` packets of a session are handed up undecrypted */
	EMU_FAULT_FORGET, /* the SA table is lost, silently: inbound is handed up undecrypted,
	                   * marked outbound frames are not sent (in the clear never), and counted
	                   */
	EMU_FAULT_RESET,  /* the same, with RTE_ETH_EVENT_INTR_RESET as drivers raise it */
	EMU_FAULTS
};

/* UINT32_MAX: until it is set to 0. ERR_UNSUPPORTED where the port has no inline crypto. */
enum err emu_fault_inject(uint16_t port_id, enum emu_fault fault, uint32_t count,
                          struct why *why) MUST_CHECK;

#endif
