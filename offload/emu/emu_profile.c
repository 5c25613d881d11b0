// SPDX-License-Identifier: BSD-2-Clause
#include "emu_profile.h"

#include <stddef.h>
#include <string.h>

/* 82599: what DPDK 22.11's ixgbe driver and the part's datasheet allow (ixgbe_ipsec.h: 1,024 SAs in
 * each direction, 128 receive addresses). */
/* clang-format off */
const struct emu_profile emu_profiles[] = {
	/* name      security sas   rx_addr wide   esn    udp    options iv     fast */
	{ "none",    false,   0,    0,      false, false, false, false,  false, false },
	{ "generic", true,    4096, 4096,   true,  true,  true,  true,   true,  true },
	{ "82599",   true,    1024, 128,    false, false, false, false,  true,  false },
	{ 0 }
};
/* clang-format on */

const struct emu_profile *emu_profile_by_name(const char *name)
{
	for (const struct emu_profile *p = emu_profiles; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}
