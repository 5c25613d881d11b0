// SPDX-License-Identifier: BSD-2-Clause
#include "sa_runtime.h"
#include "shm_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x6861777365727274ull /* "hawserrt" */
#define SLOTS_MAX (1u << 22)

enum { PAGE = 4096, BLOCK = 16 /* words: the ring of a window of 128 */, BOOT_TEXT = 40 };

/* The first page. What follows it in the file: entries, ring words, and one bit per block of ring
 * words (the routing engine's alone, made anew by each sweep). */
struct header {
	uint64_t magic;
	uint32_t layout;
	uint32_t slots;
	uint64_t file_len;
	uint8_t identity[16];
	char boot[BOOT_TEXT]; /* of the kernel under which it was made */
};
_Static_assert(sizeof(struct header) <= PAGE, "one page");

static size_t ring_words(uint32_t slots)
{
	return (size_t)slots * SA_RUNTIME_RING_ROOM;
}

static size_t blocks(uint32_t slots)
{
	return ring_words(slots) / BLOCK;
}

static size_t file_len(uint32_t slots)
{
	size_t len = PAGE + slots * sizeof(struct sa_runtime) +
	             ring_words(slots) * sizeof(uint64_t) + (blocks(slots) + 7) / 8;

	return (len + PAGE - 1) / PAGE * PAGE;
}

static enum err whole(const void *map, size_t len, struct why *why)
{
	const struct header *h = map;

	if (len < PAGE || h->magic != MAGIC || h->slots == 0 || h->slots > SLOTS_MAX)
		return why_set(why, ERR_CORRUPT, "run-time table: not one of ours");
	if (h->layout != SA_RUNTIME_LAYOUT)
		return why_set(why, ERR_VERSION, "run-time table: layout %u, not %u", h->layout,
		               SA_RUNTIME_LAYOUT);
	if (h->file_len != len || file_len(h->slots) != len)
		return why_set(why, ERR_CORRUPT, "run-time table: %zu bytes do not fit %u slots",
		               len, h->slots);
	return ERR_OK;
}

static void place(struct sa_runtime_table *t, void *map, size_t len)
{
	const struct header *h = map;

	*t = (struct sa_runtime_table){ .slots = h->slots, .map = map, .map_len = len };
	memcpy(t->identity, h->identity, sizeof(t->identity));
	t->at = (struct sa_runtime *)((uint8_t *)map + PAGE);
	t->rings = (_Atomic uint64_t *)(t->at + t->slots);
	t->ring_words = (uint32_t)ring_words(t->slots);
}

enum err sa_runtime_map(int fd, struct sa_runtime_table *ret, struct why *why)
{
	void *map;
	size_t len;

	TRY(shm_file_map(fd, &map, &len, why));
	enum err e = whole(map, len, why);
	if (e != ERR_OK)
		shm_file_unmap(map, len);
	else
		place(ret, map, len);
	return e;
}

void sa_runtime_unmap(struct sa_runtime_table *t)
{
	shm_file_unmap(t->map, t->map_len);
	*t = (struct sa_runtime_table){ 0 };
}

/* The kernel's random name for this boot; empty where there is none. */
static void boot_id(char ret[BOOT_TEXT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret, 0, BOOT_TEXT);
	if (fd < 0)
		return;
	if (read(fd, ret, BOOT_TEXT - 1) < 0)
		memset(ret, 0, BOOT_TEXT);
	(void)close(fd);
}

/* A directory that is no tmpfs keeps the file over a crash of the machine, and not its last pages:
 * keys and counters of different moments. Processes may die, the kernel's memory may not. */
static bool of_this_boot(const void *map)
{
	const struct header *h = map;
	char boot[BOOT_TEXT];

	boot_id(boot);
	return memcmp(h->boot, boot, sizeof(boot)) == 0;
}

static enum err create(const char *path, uint32_t slots, const uint8_t identity[16], void **ret_map,
                       int *ret_fd, struct why *why)
{
	size_t len = file_len(slots);

	TRY(shm_file_new(path, len, ret_map, ret_fd, why));
	struct header *h = *ret_map;
	*h = (struct header){ MAGIC, SA_RUNTIME_LAYOUT, slots, len, { 0 }, { 0 } };
	memcpy(h->identity, identity, sizeof(h->identity));
	boot_id(h->boot);
	enum err e = shm_file_publish(path, why);
	if (e != ERR_OK) {
		shm_file_unmap(*ret_map, len);
		(void)close(*ret_fd);
	}
	return e;
}

/* ERR_NOT_FOUND: there is none that may be used. */
static enum err open_whole(const char *path, void **ret_map, size_t *ret_len, int *ret_fd,
                           struct why *why)
{
	enum err e = shm_file_open(path, ret_map, ret_len, ret_fd, why);

	if (e == ERR_CORRUPT)
		return ERR_NOT_FOUND;
	TRY(e);
	if (whole(*ret_map, *ret_len, why) == ERR_OK && of_this_boot(*ret_map))
		return ERR_OK;
	shm_file_unmap(*ret_map, *ret_len);
	(void)close(*ret_fd);
	return ERR_NOT_FOUND;
}

enum err sa_runtime_create(const char *path, uint32_t slots, const uint8_t identity[16],
                           struct sa_runtime_table *ret, int *ret_fd, bool *ret_new,
                           struct why *why)
{
	void *map;
	size_t len;

	if (slots == 0)
		slots = SA_RUNTIME_SLOTS_DEFAULT;
	if (slots > SLOTS_MAX)
		return why_set(why, ERR_RANGE, "run-time table: at most %u slots", SLOTS_MAX);
	enum err e = open_whole(path, &map, &len, ret_fd, why);
	*ret_new = e == ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND) {
		len = file_len(slots);
		e = create(path, slots, identity, &map, ret_fd, why);
	}
	TRY(e);
	place(ret, map, len);
	return ERR_OK;
}

struct sa_runtime *sa_runtime_at(struct sa_runtime_table *t, uint32_t slot)
{
	return slot < t->slots ? &t->at[slot] : NULL;
}

/* ---- the ring area: blocks of 16 words, a bit each ------------------------------------------ */

static uint8_t *block_bits(struct sa_runtime_table *t)
{
	return (uint8_t *)(t->rings + t->ring_words);
}

static bool block_used(struct sa_runtime_table *t, size_t block)
{
	return block_bits(t)[block / 8] >> block % 8 & 1;
}

static void block_mark(struct sa_runtime_table *t, size_t first, size_t n, bool used)
{
	for (size_t i = first; i < first + n; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8), *at = &block_bits(t)[i / 8];

		*at = (uint8_t)(used ? *at | bit : *at & ~bit);
	}
}

static bool has_ring(const struct sa_runtime_table *t, const struct sa_runtime *sa)
{
	return sa->inbound && sa->window > SA_WINDOW_MIN && sa->window <= SA_WINDOW_MAX &&
	       sa->ring % BLOCK == 0 && sa->ring < t->ring_words &&
	       sa_runtime_ring_len(sa->window) <= t->ring_words - sa->ring;
}

static void ring_mark(struct sa_runtime_table *t, const struct sa_runtime *sa, bool used)
{
	if (has_ring(t, sa))
		block_mark(t, sa->ring / BLOCK, sa_runtime_ring_len(sa->window) / BLOCK, used);
}

static bool run_is_free(struct sa_runtime_table *t, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		if (block_used(t, i))
			return false;
	return true;
}

/* Lengths are powers of two and rings lie at multiples of their length, so holes stay usable. */
static enum err ring_find(struct sa_runtime_table *t, uint16_t window, uint32_t *ret_first_word)
{
	size_t n = sa_runtime_ring_len(window) / BLOCK;

	for (size_t i = 0; i + n <= blocks(t->slots); i += n)
		if (run_is_free(t, i, n)) {
			*ret_first_word = (uint32_t)(i * BLOCK);
			return ERR_OK;
		}
	return ERR_FULL;
}

/* ---- slots --------------------------------------------------------------------------------- */

static enum err slot_find(const struct sa_runtime_table *t, uint32_t *ret)
{
	for (uint32_t i = 0; i < t->slots; i++) {
		uint32_t slot = (t->next_slot + i) % t->slots;

		if (!atomic_load_explicit(&t->at[slot].in_use, memory_order_relaxed)) {
			*ret = slot;
			return ERR_OK;
		}
	}
	return ERR_FULL;
}

static bool window_ok(bool inbound, uint16_t window)
{
	if (window == 0)
		return true;
	return inbound && window >= SA_WINDOW_MIN && window <= SA_WINDOW_MAX &&
	       (window & (window - 1)) == 0;
}

static void clear_ring(struct sa_runtime_table *t, const struct sa_runtime *sa)
{
	for (uint32_t i = 0; i < sa_runtime_ring_len(sa->window); i++)
		atomic_store_explicit(&t->rings[sa->ring + i], 0, memory_order_relaxed);
}

enum err sa_runtime_take(struct sa_runtime_table *t, bool inbound, uint16_t window,
                         uint32_t *ret_slot)
{
	uint32_t slot, ring = 0;

	if (!window_ok(inbound, window))
		return ERR_RANGE;
	TRY(slot_find(t, &slot));
	if (window > SA_WINDOW_MIN)
		TRY(ring_find(t, window, &ring));
	struct sa_runtime *sa = &t->at[slot];
	memset((void *)sa, 0, sizeof(*sa));
	sa->inbound = inbound;
	sa->window = window;
	sa->ring = ring;
	if (window > SA_WINDOW_MIN) {
		clear_ring(t, sa);
		ring_mark(t, sa, true);
	}
	/* Last: killed before this, the routing engine's next sweep finds the slot free. */
	atomic_store_explicit(&sa->in_use, 1, memory_order_release);
	t->next_slot = (slot + 1) % t->slots;
	*ret_slot = slot;
	return ERR_OK;
}

void sa_runtime_give(struct sa_runtime_table *t, uint32_t slot)
{
	struct sa_runtime *sa = sa_runtime_at(t, slot);

	if (sa == NULL || !atomic_load_explicit(&sa->in_use, memory_order_relaxed))
		return;
	atomic_store_explicit(&sa->in_use, 0, memory_order_release);
	ring_mark(t, sa, false);
}

void sa_runtime_sweep(struct sa_runtime_table *t, bool (*used)(void *ctx, uint32_t slot), void *ctx)
{
	memset(block_bits(t), 0, (blocks(t->slots) + 7) / 8);
	for (uint32_t i = 0; i < t->slots; i++) {
		struct sa_runtime *sa = &t->at[i];

		if (!atomic_load_explicit(&sa->in_use, memory_order_relaxed))
			continue;
		if (used(ctx, i))
			ring_mark(t, sa, true);
		else
			atomic_store_explicit(&sa->in_use, 0, memory_order_release);
	}
}

/* ---- outbound numbers ---------------------------------------------------------------------- */

uint32_t sa_runtime_take_seq(struct sa_runtime *sa, uint32_t n, uint64_t *ret_first)
{
	uint64_t end = atomic_load_explicit(&sa->floor, memory_order_relaxed);

	/* Near the end the counter may run over it by a burst per thread, never further: what is
	 * above the end is given to nobody. */
	if (atomic_load_explicit(&sa->seq, memory_order_relaxed) >= end)
		return 0;
	uint64_t last = atomic_fetch_add_explicit(&sa->seq, n, memory_order_relaxed);
	if (last >= end)
		return 0;
	*ret_first = last + 1;
	return end - last < n ? (uint32_t)(end - last) : n;
}

void sa_runtime_skip(struct sa_runtime *sa, uint32_t packets)
{
	uint64_t first, floor = atomic_load(&sa->floor), to = atomic_load(&sa->seq) + packets;

	if (!sa->inbound) {
		(void)sa_runtime_take_seq(sa, packets, &first);
		return;
	}
	while (floor < to && !atomic_compare_exchange_weak(&sa->floor, &floor, to))
		;
}

void sa_runtime_set_end(struct sa_runtime *sa, uint64_t last)
{
	atomic_store_explicit(&sa->floor, last, memory_order_relaxed);
}

/* ---- volume limits ------------------------------------------------------------------------- */

static uint32_t admit_packets(struct sa_runtime *sa, uint64_t limit, uint32_t n)
{
	uint64_t seen = atomic_load_explicit(&sa->packets, memory_order_relaxed);

	for (;;) {
		uint64_t left = seen < limit ? limit - seen : 0;
		uint32_t take = left < n ? (uint32_t)left : n;

		if (take == 0 || atomic_compare_exchange_weak_explicit(
		                         &sa->packets, &seen, seen + take, memory_order_relaxed,
		                         memory_order_relaxed))
			return take;
	}
}

static uint32_t admit_bytes(struct sa_runtime *sa, uint64_t limit, const uint16_t *bytes,
                            uint32_t n)
{
	uint64_t seen = atomic_load_explicit(&sa->bytes, memory_order_relaxed);

	for (;;) {
		uint64_t left = seen < limit ? limit - seen : 0, sum = 0;
		uint32_t take = 0;

		while (take < n && sum + bytes[take] <= left)
			sum += bytes[take++];
		if (take == 0 || atomic_compare_exchange_weak_explicit(
		                         &sa->bytes, &seen, seen + sum, memory_order_relaxed,
		                         memory_order_relaxed))
			return take;
	}
}

/* Killed between the two, packets that were never sent stay counted: the limit comes a burst early,
 * never late. */
uint32_t sa_runtime_admit(struct sa_runtime *sa, const struct sa_limits *limits,
                          const uint16_t *bytes, uint32_t n, uint64_t now_ms)
{
	uint32_t some = admit_packets(sa, limits->hard_packets, n);
	uint32_t most = admit_bytes(sa, limits->hard_bytes, bytes, some);

	if (most < some)
		(void)atomic_fetch_sub_explicit(&sa->packets, some - most, memory_order_relaxed);
	if (most != 0)
		atomic_store_explicit(&sa->last_use_ms, now_ms, memory_order_relaxed);
	return most;
}

bool sa_runtime_soft(const struct sa_runtime *sa, const struct sa_limits *limits)
{
	return atomic_load_explicit(&sa->packets, memory_order_relaxed) >= limits->soft_packets ||
	       atomic_load_explicit(&sa->bytes, memory_order_relaxed) >= limits->soft_bytes;
}

void sa_runtime_usage(const struct sa_runtime *sa, struct sa_usage *ret)
{
	uint64_t seq = atomic_load(&sa->seq), end = atomic_load(&sa->floor);

	*ret = (struct sa_usage){
		.packets = atomic_load(&sa->packets),
		.bytes = atomic_load(&sa->bytes),
		.seq = !sa->inbound && seq > end ? end : seq,
		.last_use_ms = atomic_load(&sa->last_use_ms),
		.auth_failed = atomic_load(&sa->auth_failed),
		.replayed = atomic_load(&sa->replayed),
		.bad_headers = atomic_load(&sa->bad_headers),
		.bad_trailers = atomic_load(&sa->bad_trailers),
		.decrypt_failed = atomic_load(&sa->decrypt_failed),
		.engine = atomic_load(&sa->engine),
	};
}
