/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters that outlive what counted them: of a tunnel over all its SAs, and what an operator has
 * cleared.
 *
 * A living SA counts in the run-time table. When it is deleted, the same transaction notes its
 * slots in the tunnel's record of totals; when every SPU has passed the deletion, its counters are
 * added to the record, and only then the slots come free. So nothing is lost and nothing is counted
 * twice wherever the routing engine is killed. The event loop's thread. */
#ifndef TOTALS_H
#define TOTALS_H
#include "record.h"
#include <stdbool.h>

struct daemon;
struct effects;
struct child;

/* Bytes are of inner packets. The order is that of the record: add at the end. */
enum total {
	TOTAL_ESP_BYTES_OUT,
	TOTAL_ESP_BYTES_IN,
	TOTAL_ESP_PACKETS_OUT,
	TOTAL_ESP_PACKETS_IN,
	TOTAL_AH_BYTES_IN,
	TOTAL_AH_BYTES_OUT,
	TOTAL_AH_PACKETS_IN,
	TOTAL_AH_PACKETS_OUT,
	TOTAL_AH_AUTH_FAILED,
	TOTAL_REPLAYED,
	TOTAL_ESP_AUTH_FAILED,
	TOTAL_DECRYPT_FAILED,
	TOTAL_BAD_HEADERS,
	TOTAL_BAD_TRAILERS,
	TOTALS
};

struct totals {
	uint64_t n[TOTALS];
};

/* What a record of totals says. */
struct totals_kept {
	uint32_t of; /* tunnel index, SPU slot, or TOTALS_OF_NODE */
	struct totals dead, cleared;
};
#define TOTALS_OF_NODE 64

/* Since they were cleared: of a tunnel; of an SPU (what it processed, wherever the anchors are
 * now); of the node: the sum of its tunnels, and the headers that belong to no SA. */
struct totals totals_of_tunnel(struct daemon *d, uint32_t tunnel);
struct totals totals_of_spu(struct daemon *d, uint8_t slot);
struct totals totals_of_node(struct daemon *d);

/* From now on they begin with 0. */
void totals_clear_tunnel(struct daemon *d, uint32_t tunnel, struct effects *fx);
void totals_clear_spu(struct daemon *d, uint8_t slot, struct effects *fx);
void totals_clear_node(struct daemon *d, struct effects *fx);
/* The tunnel is gone: the next one to have its index begins with 0. */
void totals_forget(struct daemon *d, uint32_t tunnel, struct effects *fx);

/* For a list of effects that deletes SAs: adds what is to be noted with them. */
void totals_note_dying(struct daemon *d, struct effects *fx);
/* Adds the counters of the SAs marked `buried` to their tunnels'. False: the store refused, they
 * stay as they are. */
bool totals_bury(struct daemon *d);

/* A record that the last process left. */
enum err totals_recorded(struct daemon *d, const struct record *r) MUST_CHECK;

#endif
