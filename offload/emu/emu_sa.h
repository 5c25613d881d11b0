/* SPDX-License-Identifier: BSD-2-Clause */
/* The NIC's SA memory: as many entries in each direction as the profile has, inbound ones found by
 * SPI and destination.
 *
 * An id names an entry and its generation, so that a packet or session that is older than the entry
 * finds nothing. The port's data-plane thread. */
#ifndef EMU_SA_H
#define EMU_SA_H
#include "addr.h"
#include "emu_cipher.h"
#include "emu_profile.h"

struct emu_sa {
	uint64_t id; /* 0: free */
	uint32_t spi;
	bool inbound, esn, udp;
	struct addr dst;
	uint64_t seq;              /* ESN: what the high half is inferred from */
	struct emu_cipher *cipher; /* owns */
	uint64_t packets, bytes, errors;
	uint32_t next; /* in its bucket, or free; index + 1 */
};

struct emu_sa_table;

enum err emu_sa_table_new(const struct emu_profile *profile, struct emu_sa_table **ret) MUST_CHECK;
void emu_sa_table_free(struct emu_sa_table *t); /* takes NULL */

/* Copies *sa in, with a new id, and takes its cipher. ERR_FULL, and the cipher stays the caller's,
 * when the part has no entry or no receive address left; ERR_DUPLICATE when an inbound SA of that
 * SPI and destination is there. */
enum err emu_sa_add(struct emu_sa_table *t, const struct emu_sa *sa, uint64_t *ret_id) MUST_CHECK;
void emu_sa_del(struct emu_sa_table *t, uint64_t id); /* an id of the past: nothing */
void emu_sa_clear(struct emu_sa_table *t);

/* NULL when there is none. */
struct emu_sa *emu_sa_by_id(struct emu_sa_table *t, uint64_t id);
struct emu_sa *emu_sa_find(struct emu_sa_table *t, uint32_t spi, const struct addr *dst);

#endif
