/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a packet is dropped: the reasons of drops.def as numbers, for user space and BPF alike. */
#ifndef DROPS_H
#define DROPS_H

enum drop_reason {
#define DROP(name, text) DROP_##name,
#include "drops.def"
#undef DROP
	DROP_MAX
};
#define DROP_ROOM 64 /* counters reserved for reasons, so that adding one keeps the layout */
_Static_assert(DROP_MAX <= DROP_ROOM, "a new layout version is due");

#endif
