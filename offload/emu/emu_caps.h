/* SPDX-License-Identifier: BSD-2-Clause */
/* What a profile can do, in rte_security's words, and what a session's words mean. Any thread. */
#ifndef EMU_CAPS_H
#define EMU_CAPS_H
#include "emu_cipher.h"
#include "emu_profile.h"
#include <rte_cryptodev.h>
#include <rte_security.h>

/* Egress, ingress, end. */
struct emu_caps {
	struct rte_security_capability security[3];
};

void emu_caps_fill(struct emu_caps *caps, const struct emu_profile *profile);

/* The suite of a session within the profile's capabilities, keys borrowed from conf. False: it is
 * none of those. */
bool emu_caps_suite(const struct emu_profile *profile, const struct rte_security_session_conf *conf,
                    struct emu_suite *ret) MUST_CHECK;

#endif
