// SPDX-License-Identifier: BSD-2-Clause
#include "replay.h"
#include "runner.h"
#include "scratch.h"

#include <pthread.h>

/* A table in plain memory: one inbound entry of any window. */
static _Atomic uint64_t rings[512];
static struct sa_runtime sa;
static struct sa_runtime_table table;

static void start(uint16_t window)
{
	memset((void *)rings, 0, sizeof(rings));
	memset((void *)&sa, 0, sizeof(sa));
	sa.inbound = 1;
	sa.window = window;
	table = (struct sa_runtime_table){
		.at = &sa, .rings = rings, .slots = 1, .ring_words = 512
	};
}

static bool accept(uint64_t seq)
{
	bool check = replay_check(&table, &sa, seq), ok = false;

	replay_accept(&table, &sa, &seq, &ok, 1);
	HOLDS_MSG(check == ok, "%lu: check says %d, accept %d", seq, check, ok);
	return ok;
}

static const uint16_t windows[] = { 64, 128, 256, 512, 1024, 2048, 4096 };

/* Each number of the window, with top at each place of a word: fresh once, then never again; the
 * first outside never. */
static void every_position(uint16_t window, uint64_t top)
{
	start(window);
	HOLDS(accept(top));
	HOLDS_MSG(!accept(top - window), "window %u top %lu: the edge is open", window, top);
	HOLDS(!accept(top - window - 1));
	for (uint64_t back = 1; back < window; back++) {
		HOLDS_MSG(accept(top - back), "window %u top %lu back %lu: refused", window, top,
		          back);
		HOLDS_MSG(!accept(top - back), "window %u top %lu back %lu: twice", window, top,
		          back);
	}
	HOLDS(!accept(top));
	HOLDS(accept(top + 1));
	HOLDS(!accept(top - window + 1)); /* has just fallen out, and was seen */
}

START_TEST(every_bit_position_of_every_window)
{
	uint16_t window = windows[_i];

	for (uint64_t off = 0; off < 17; off++) {
		every_position(window, 10000 + off);
		every_position(window,
		               (1ull << 32) + off); /* the window spans the low half's end */
		every_position(window, (1ull << 48) - 20 + off);
	}
}
END_TEST

START_TEST(zero_and_what_no_tag_can_hold_are_refused)
{
	start(64);
	ck_assert(!accept(0));
	ck_assert(!accept(1ull << 52));
	ck_assert(!accept(UINT64_MAX));
	ck_assert(accept((1ull << 52) - 1));
}
END_TEST

START_TEST(nothing_at_or_below_the_floor)
{
	start(64);
	atomic_store(&sa.floor, 1000);
	ck_assert(!accept(1000));
	ck_assert(!accept(999));
	ck_assert(accept(1001));
}
END_TEST

START_TEST(without_a_window_everything_passes_and_top_is_kept)
{
	start(0);
	ck_assert(accept(5) && accept(5) && accept(3));
	ck_assert_uint_eq(atomic_load(&sa.seq), 5);
}
END_TEST

START_TEST(an_entry_that_points_outside_the_table_accepts_nothing)
{
	start(4096);
	sa.ring = 1;
	ck_assert(!accept(5));
	sa.ring = UINT32_MAX;
	ck_assert(!accept(5));
}
END_TEST

START_TEST(a_burst_is_as_its_packets_one_by_one)
{
	uint32_t seed = scratch_seed("bursts");
	static struct sa_runtime single, burst;

	for (int round = 0; round < 2000; round++) {
		uint64_t seq[32], base = 500 + scratch_draw(&seed, 1000);
		bool one[32], all[32];

		for (int i = 0; i < 32; i++)
			seq[i] = base + scratch_draw(&seed, round % 2 ? 40 : 200);
		if (round % 10 == 0) {
			start(64);
			single = burst = sa;
		}
		for (int i = 0; i < 32; i++)
			replay_accept(&table, &single, &seq[i], &one[i], 1);
		replay_accept(&table, &burst, seq, all, 32);
		for (int i = 0; i < 32; i++)
			HOLDS_MSG(one[i] == all[i], "round %d, packet %d", round, i);
		HOLDS((single.seq) == (burst.seq));
	}
}
END_TEST

/* Against a set and two comparisons (RFC 4303 3.4.3). */
START_TEST(long_random_walks_as_a_set_would_have_them)
{
	enum { NUMBERS = 60000 };
	static bool seen[NUMBERS];
	uint32_t seed = scratch_seed("walks");
	uint16_t window = windows[_i];
	uint64_t top = 0;

	start(window);
	memset(seen, 0, sizeof(seen));
	for (uint64_t i = 0; i < NUMBERS - 1; i++) {
		uint32_t jump = scratch_draw(&seed, 100);
		uint64_t ahead = top + 1 + (jump == 0 ? scratch_draw(&seed, 3u * window) : 0);
		uint64_t behind = scratch_draw(&seed, 2u * window);
		uint64_t seq = jump < 50 || behind > top ? ahead : top - behind;

		if (seq >= NUMBERS)
			break;
		bool want = seq != 0 && seq + window > top && !seen[seq];
		HOLDS_MSG(accept(seq) == want, "window %u: %lu with top %lu", window, seq, top);
		seen[seq] |= want;
		top = want && seq > top ? seq : top;
		HOLDS((atomic_load(&sa.seq)) == (top));
	}
}
END_TEST

/* ---- ESN (RFC 4303 appendix A) ------------------------------------------------------------- */

static const struct {
	const char *what;
	uint64_t top;
	uint32_t wire;
	uint64_t want;
} esn[] = {
	{ "first packet", 0, 1, 1 },
	{ "low subspace, far ahead", 0, 0x7fffffff, 0x7fffffff },
	{ "before the first wrap there is nothing", 10, 0xfffffff0, 0xfffffff0 },
	{ "case A, in the window", 0x100000100, 0xff, 0x1000000ff },
	{ "case A, top itself", 0x100000100, 0x100, 0x100000100 },
	{ "case A, the window's last", 0x100000100, 0xc1, 0x1000000c1 },
	{ "case A, below the window means the next subspace", 0x100000100, 0xc0, 0x2000000c0 },
	{ "case A, ahead", 0x100000100, 0xffffffff, 0x1ffffffff },
	{ "case A, top at the end, wrapped", 0x1ffffffff, 0, 0x200000000 },
	{ "case A, exactly W - 1", 0x10000003f, 0, 0x100000000 },
	{ "case B, W - 2: one belongs to the subspace before", 0x10000003e, 0xffffffff,
	  0x0ffffffff },
	{ "case B, in the old subspace", 0x200000005, 0xffffffd0, 0x1ffffffd0 },
	{ "case B, window's first", 0x200000005, 0xffffffc6, 0x1ffffffc6 },
	{ "case B, below the window is ahead", 0x200000005, 0xffffffc5, 0x2ffffffc5 },
	{ "case B, in the new subspace", 0x200000005, 4, 0x200000004 },
	{ "case B, ahead", 0x200000005, 0x1000, 0x200001000 },
};

START_TEST(the_high_half_is_inferred)
{
	start(64);
	atomic_store(&sa.seq, esn[_i].top);
	uint64_t got = replay_infer(&sa, esn[_i].wire, true);
	ck_assert_msg(got == esn[_i].want, "%s: %lx, want %lx", esn[_i].what, got, esn[_i].want);
	ck_assert_uint_eq(replay_infer(&sa, esn[_i].wire, false), esn[_i].wire);
}
END_TEST

START_TEST(inference_finds_what_was_sent)
{
	uint32_t seed = scratch_seed("esn");

	for (size_t w = 0; w < ARRAY_LEN(windows); w++)
		for (int i = 0; i < 2000; i++) {
			uint64_t top = ((uint64_t)1 << 32) - 5000 + scratch_draw(&seed, 10000);
			uint64_t sent = top + scratch_draw(&seed, 1u << 30);

			if (i % 2)
				sent = top - scratch_draw(&seed, windows[w]);
			start(windows[w]);
			atomic_store(&sa.seq, top);
			HOLDS((replay_infer(&sa, (uint32_t)sent, true)) == (sent));
		}
}
END_TEST

/* ---- two SPUs as threads (TSan sees these) ------------------------------------------------- */

enum { NUMBERS = 200000 };
static uint8_t accepted[NUMBERS + 4096];

struct spu {
	uint32_t seed;
	uint64_t n, twice;
};
static _Atomic uint64_t sent;

static void *spu_main(void *arg)
{
	struct spu *s = arg;

	for (;;) {
		uint64_t seq[16], next = atomic_fetch_add(&sent, 8);
		bool ok[16];

		if (next >= NUMBERS)
			return NULL;
		for (int i = 0; i < 16; i++) { /* half new, half of the near past */
			uint64_t back = scratch_draw(&s->seed, sa.window);

			seq[i] = i < 8 ? next + (uint64_t)i : next > back ? next - back : 1;
		}
		replay_accept(&table, &sa, seq, ok, 16);
		for (int i = 0; i < 16; i++) {
			if (!ok[i])
				continue;
			s->n++;
			s->twice += __atomic_fetch_add(&accepted[seq[i]], 1, __ATOMIC_RELAXED) != 0;
		}
	}
}

START_TEST(threads_on_one_window_accept_nothing_twice)
{
	uint32_t seed = scratch_seed("threads");
	struct spu spu[4];
	pthread_t thread[4];
	uint64_t n = 0;

	start(windows[_i]);
	memset(accepted, 0, sizeof(accepted));
	atomic_store(&sent, 1);
	for (uint32_t i = 0; i < 4; i++) {
		spu[i] = (struct spu){ .seed = seed + i };
		ck_assert_int_eq(pthread_create(&thread[i], NULL, spu_main, &spu[i]), 0);
	}
	for (uint32_t i = 0; i < 4; i++) {
		(void)pthread_join(thread[i], NULL);
		ck_assert_uint_eq(spu[i].twice, 0);
		n += spu[i].n;
	}
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_le(n, NUMBERS + 8);
}
END_TEST

TESTS_OF(replay)
{
	TCase *tc = tcase_create("replay");

	tcase_add_loop_test(tc, every_bit_position_of_every_window, 0, ARRAY_LEN(windows));
	tcase_add_test(tc, zero_and_what_no_tag_can_hold_are_refused);
	tcase_add_test(tc, nothing_at_or_below_the_floor);
	tcase_add_test(tc, without_a_window_everything_passes_and_top_is_kept);
	tcase_add_test(tc, an_entry_that_points_outside_the_table_accepts_nothing);
	tcase_add_test(tc, a_burst_is_as_its_packets_one_by_one);
	tcase_add_loop_test(tc, long_random_walks_as_a_set_would_have_them, 0, ARRAY_LEN(windows));
	tcase_add_loop_test(tc, the_high_half_is_inferred, 0, ARRAY_LEN(esn));
	tcase_add_test(tc, inference_finds_what_was_sent);
	tcase_add_loop_test(tc, threads_on_one_window_accept_nothing_twice, 0, ARRAY_LEN(windows));
	return tc;
}
