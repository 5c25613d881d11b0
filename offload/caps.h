/* SPDX-License-Identifier: BSD-2-Clause */
/* What a port's inline crypto can do: rte_security's capabilities, read once, as the few questions
 * that an SA asks. Any thread. */
#ifndef CAPS_H
#define CAPS_H
#include "engine.h"

struct caps_way {                 /* of one direction */
	bool esp_tunnel;          /* inline crypto at all */
	uint32_t ciphers, integs; /* a bit for each row of alg_ciphers and alg_integs */
	bool esn;
	bool udp_encap;
	bool iv_from_packet; /* the sender chooses the IV */
	bool stats;          /* it counts; some drivers refuse a session that asks for it */
};

struct caps {
	struct caps_way out, in;
};

/* ERR_UNSUPPORTED when the port has no inline crypto. */
enum err caps_read(uint16_t port_id, struct caps *ret, struct why *why) MUST_CHECK;

/* Whether the SA can go inline; ERR_UNSUPPORTED, and why not in words that users see. */
enum err caps_can(const struct caps *caps, const struct engine_sa *sa, struct why *why) MUST_CHECK;

#endif
