/* SPDX-License-Identifier: BSD-2-Clause */
/* What a profile can do, in rte_security's words. Any thread. */
#ifndef EMU_CAPS_H
#define EMU_CAPS_H
#include "emu_profile.h"
#include <rte_cryptodev.h>
#include <rte_security.h>

/* Egress, ingress, end. The crypto capabilities are part of it, so it must not be copied. */
struct emu_caps {
	struct rte_security_capability security[3];
	struct rte_cryptodev_capabilities crypto[2];
};

void emu_caps_fill(struct emu_caps *caps, const struct emu_profile *profile);

#endif
