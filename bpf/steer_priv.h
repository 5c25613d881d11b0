/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the loader: what a struct steer holds. */
#ifndef STEER_PRIV_H
#define STEER_PRIV_H
#include "steer.h"

struct ring_buffer; /* libbpf */

struct steer {
	int fd[STEER_FDS];           /* owns */
	_Atomic uint64_t *alive;     /* mapped; NULL until asked for */
	struct ring_buffer *acquire; /* owns; NULL until asked for */
	void (*acquire_fn)(void *ctx, const struct steer_acquire *a); /* during one read */
	void *acquire_ctx;
	int acquire_max, acquire_got;
};

/* A map's value under a key. */
enum err steer_map_put(const struct steer *s, enum steer_fd map, const void *key,
                       const void *value) MUST_CHECK;
enum err steer_map_get(const struct steer *s, enum steer_fd map, const void *key,
                       void *ret_value) MUST_CHECK;
/* A key that is not there is no error. */
enum err steer_map_remove(const struct steer *s, enum steer_fd map, const void *key) MUST_CHECK;

/* Calls fn for each entry of a hash map. fn may remove the entry that it is given. Keys have at
 * most STEER_KEY_MAX bytes, values STEER_VALUE_MAX. */
#define STEER_KEY_MAX 32
#define STEER_VALUE_MAX 32
typedef void steer_entry_fn(void *ctx, const void *key, const void *value);
void steer_map_each(const struct steer *s, enum steer_fd map, steer_entry_fn *fn, void *ctx);

/* The XDP programs of an interface by their ids; 0: none. Returns 0, or a negative errno. */
struct steer_xdp {
	uint32_t any_id, native_id;
};
int steer_xdp_query(uint32_t ifindex, struct steer_xdp *ret);

#endif
