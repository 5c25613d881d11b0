// SPDX-License-Identifier: BSD-2-Clause
/* set chassis … */
#include "schema.h"

/* clang-format off */
static const struct schema port[] = {
	{ "emulated", FLAG, NO_VALUE, NULL, NULL, EFFECT_NONE, 0,
	  "Hawser's own NIC with inline crypto, emulated on a veth", NULL },
	NOT_YET("pci", "A NIC by its PCI address"),
	{ "vdev", LEAF, TEXT(1, 127), NULL, NULL, EFFECT_NONE, 0,
	  "A port without crypto of one of DPDK's own drivers: net_af_packetN[,iface=IF][,framecnt=N]", NULL },
	{ 0 }
};

static const struct schema pic[] = {
	{ "offload", LEAF, WORDS("inline software"), NULL, "inline; with port vdev software", EFFECT_NONE, MARK_HAWSER,
	  "Which engine SAs get first: the NIC's where it can, or software", NULL },
	{ "port", CONTAINER, NO_VALUE, NULL, "emulated", EFFECT_NONE, MARK_HAWSER | MARK_JOIN | MARK_ONE,
	  "The NIC of this SPU", port },
	{ "profile", LEAF, WORDS("generic 82599"), NULL, "generic", EFFECT_NONE, MARK_HAWSER,
	  "Limits of the emulated NIC: 82599 takes AES-GCM-128 only, 1024 SAs, no ESN", NULL },
	{ "weight", LEAF, UINT(1, 255), NULL, "100", EFFECT_NONE, MARK_HAWSER,
	  "Share of the anchors, in proportion to the weights of the others", NULL },
	{ 0 }
};

static const struct schema fpc[] = {
	{ "pic", LIST, UINT(0, 3), NULL, NULL, EFFECT_NONE, MARK_BARE, "One SPU", pic },
	{ 0 }
};

const struct schema schema_chassis[] = {
	NOT_YET("anchor", "Pins an anchor to an SPU"),
	NOT_YET("cluster", "Two nodes as one gateway"),
	{ "fpc", LIST, UINT(0, 15), NULL, NULL, EFFECT_NONE, MARK_FULL, "A slot with up to four SPUs", fpc },
	{ 0 }
};
