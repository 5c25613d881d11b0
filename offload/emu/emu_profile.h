/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of a part, as data: what the emulated NIC can do when it plays it. Any thread. */
#ifndef EMU_PROFILE_H
#define EMU_PROFILE_H
#include <stdbool.h>
#include <stdint.h>

struct emu_profile {
	const char *name;
	bool security;         /* has inline crypto at all */
	uint16_t sas;          /* in each direction */
	uint16_t rx_addresses; /* distinct destinations of inbound SAs */
	bool wide;             /* every algorithm of emu_caps.c; else AES-128-GCM alone */
	bool esn;
	bool udp_encap;
	bool ip_options;     /* works on packets with IPv4 options or IPv6 extension headers */
	bool iv_from_packet; /* the sender chooses the IV; without it the part would */
	bool fast_metadata;  /* RTE_SEC_CTX_F_FAST_SET_MDATA */
};

/* The row of that name, or NULL. */
const struct emu_profile *emu_profile_by_name(const char *name);

/* All rows, ended by one without a name. */
extern const struct emu_profile emu_profiles[];

#endif
