// SPDX-License-Identifier: BSD-2-Clause
/* set chassis … */
#include "schema.h"

/* clang-format off */
static const struct schema pic[] = {
	{ "offload", LEAF, WORDS("inline software"), NULL, "inline", EFFECT_NONE, MARK_HAWSER,
	  "Which engine SAs get first: the NIC's where it can, or software", NULL },
	{ "port", LEAF, WORDS_LATER("emulated", "pci vdev"), NULL, "emulated", EFFECT_NONE, MARK_HAWSER,
	  "The NIC of this SPU: emulated is Hawser's own, on a veth", NULL },
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
