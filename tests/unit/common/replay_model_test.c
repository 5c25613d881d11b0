// SPDX-License-Identifier: BSD-2-Clause
/* Every interleaving of two SPUs on one window (idea 3).
 *
 * replay.c is compiled a second time under other names, with a hook before each access to memory
 * that both write. There each SPU, a coroutine, hands over to the scheduler, which tries every
 * order of their steps, depth first. What came of it must be what some order gives in the simplest
 * model there is: a set of numbers, the highest, and two comparisons. */
#include "replay.h"
#include "replay_model.h"
#include "runner.h"
#include "scratch.h"

#include <ucontext.h>

void stepped_accept(const struct sa_runtime_table *t, struct sa_runtime *sa, const uint64_t *seq,
                    bool *ok, uint32_t n);

/* ThreadSanitizer does not; there is one thread here. */
#if defined(__SANITIZE_THREAD__)
#define KNOWS_COROUTINES 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KNOWS_COROUTINES 0
#endif
#endif
#ifndef KNOWS_COROUTINES
#define KNOWS_COROUTINES 1
#endif

enum { PACKETS = 3, DEPTH_MAX = 64, STACK = 256 * 1024 };

struct scenario {
	const char *what;
	uint16_t window;
	uint64_t before[4]; /* accepted beforehand; 0: none */
	uint64_t spu[2][PACKETS];
	uint32_t n[2];
};

/* ---- the two SPUs -------------------------------------------------------------------------- */

struct spu {
	ucontext_t context;
	bool done;
	bool ok[PACKETS];
	uint8_t *stack;
};

static ucontext_t scheduler;
static struct spu spus[2];
static struct spu *running;
static const struct scenario *scenario;
static _Atomic uint64_t rings[64];
static struct sa_runtime sa;
static struct sa_runtime_table table = { .at = &sa, .rings = rings, .slots = 1, .ring_words = 64 };

void replay_model_step(void)
{
	if (running != NULL)
		(void)swapcontext(&running->context, &scheduler);
}

static void spu_main(int i)
{
	stepped_accept(&table, &sa, scenario->spu[i], spus[i].ok, scenario->n[i]);
	spus[i].done = true;
	(void)swapcontext(&spus[i].context, &scheduler);
}

static void reset(void)
{
	memset((void *)rings, 0, sizeof(rings));
	memset((void *)&sa, 0, sizeof(sa));
	sa.inbound = 1;
	sa.window = scenario->window;
	running = NULL;
	for (size_t i = 0; i < ARRAY_LEN(scenario->before); i++) {
		bool ok;

		if (scenario->before[i])
			stepped_accept(&table, &sa, &scenario->before[i], &ok, 1);
	}
	for (int i = 0; i < 2; i++) {
		spus[i].done = false;
		memset(spus[i].ok, 0, sizeof(spus[i].ok));
		HOLDS(getcontext(&spus[i].context) == 0);
		spus[i].context.uc_stack.ss_sp = spus[i].stack;
		spus[i].context.uc_stack.ss_size = STACK;
		spus[i].context.uc_link = NULL;
		makecontext(&spus[i].context, (void (*)(void))spu_main, 1, i);
	}
}

/* One SPU goes on to its next step. */
static void step(int i)
{
	running = &spus[i];
	(void)swapcontext(&scheduler, &spus[i].context);
	running = NULL;
}

/* ---- the model ----------------------------------------------------------------------------- */

struct model {
	uint64_t seen[16], top;
	size_t n;
};

static bool model_has(const struct model *m, uint64_t seq)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->seen[i] == seq)
			return true;
	return false;
}

/* A packet is admitted (held against the edge, and the edge moved) and then marked. Between the two
 * another SPU may mark the same number first: then the edge has moved for a number that was
 * accepted there, which is as it should be. */
static bool model_admit(struct model *m, uint64_t seq)
{
	if (seq == 0 || seq + scenario->window <= m->top)
		return false;
	m->top = seq > m->top ? seq : m->top;
	return true;
}

static bool model_mark(struct model *m, uint64_t seq)
{
	if (model_has(m, seq))
		return false;
	m->seen[m->n++] = seq;
	return true;
}

/* How far each SPU is, and whether its packet is admitted but not marked yet. */
struct place {
	uint32_t at[2];
	bool admitted[2];
};

/* SPU i's next half step in the model; false where it contradicts what was seen. */
static bool half_step(struct model *m, struct place *p, int i)
{
	uint64_t seq = scenario->spu[i][p->at[i]];
	bool ok = spus[i].ok[p->at[i]];

	if (!p->admitted[i]) {
		p->admitted[i] = model_admit(m, seq);
		p->at[i] += !p->admitted[i];
		return p->admitted[i] || !ok;
	}
	p->admitted[i] = false;
	p->at[i]++;
	return model_mark(m, seq) == ok;
}

/* Whether some order of the half steps that are left gives the results seen. */
static bool explained(struct model m, struct place p)
{
	bool left = false;

	for (int i = 0; i < 2; i++) {
		struct model next = m;
		struct place then = p;

		if (p.at[i] == scenario->n[i])
			continue;
		left = true;
		if (half_step(&next, &then, i) && explained(next, then))
			return true;
	}
	return !left && m.top == atomic_load(&sa.seq);
}

static struct model model_start(void)
{
	struct model m = { .n = 0 };

	for (size_t i = 0; i < ARRAY_LEN(scenario->before); i++)
		if (scenario->before[i])
			(void)(model_admit(&m, scenario->before[i]) &&
			       model_mark(&m, scenario->before[i]));
	return m;
}

static void check_end(const uint8_t *order, size_t steps)
{
	char text[DEPTH_MAX + 1] = "";

	if (explained(model_start(), (struct place){ { 0, 0 }, { false, false } }))
		return;
	for (size_t i = 0; i < steps; i++)
		text[i] = (char)('A' + (order[i] & 1));
	ck_abort_msg("%s: order %s: A %d%d%d, B %d%d%d, top %lu: no order of the model gives this",
	             scenario->what, text, spus[0].ok[0], spus[0].ok[1], spus[0].ok[2],
	             spus[1].ok[0], spus[1].ok[1], spus[1].ok[2], atomic_load(&sa.seq));
}

/* Where one SPU is done there is no choice. */
enum { CHOSEN_A, CHOSEN_B, FORCED_A, FORCED_B };

/* Runs one order: as `order` says for its first n steps, then A as long as it can, then B. */
static size_t run(uint8_t *order, size_t n)
{
	size_t at = 0;

	reset();
	while (!spus[0].done || !spus[1].done) {
		HOLDS(at < DEPTH_MAX);
		if (spus[0].done || spus[1].done)
			order[at] = spus[0].done ? FORCED_B : FORCED_A;
		else if (at >= n)
			order[at] = CHOSEN_A;
		step(order[at++] & 1);
	}
	check_end(order, at);
	return at;
}

/* The next order: the last A that can become a B does. False when that was the last. */
static bool advance(uint8_t *order, size_t *n)
{
	for (size_t i = *n; i-- > 0;)
		if (order[i] == CHOSEN_A) {
			order[i] = CHOSEN_B;
			*n = i + 1;
			return true;
		}
	return false;
}

/* clang-format off */
static const struct scenario scenarios[] = {
	{ "the same new number", 64, { 0 }, { { 1 }, { 1 } }, { 1, 1 } },
	{ "the same number in the window", 64, { 100 }, { { 90 }, { 90 } }, { 1, 1 } },
	{ "a number that was seen", 64, { 100, 90 }, { { 90 }, { 90 } }, { 1, 1 } },
	{ "neighbours in one word", 64, { 100 }, { { 101 }, { 102 } }, { 1, 1 } },
	{ "neighbours in two words", 64, { 100 }, { { 111 }, { 112 } }, { 1, 1 } },
	{ "both cross into a new word", 64, { 100 }, { { 112 }, { 113 } }, { 1, 1 } },
	{ "the edge moves under a late one", 64, { 100 }, { { 37 }, { 101 } }, { 1, 1 } },
	{ "the edge moves exactly so far", 64, { 100 }, { { 38 }, { 101 } }, { 1, 1 } },
	{ "its word is taken over", 64, { 100 }, { { 100 - 60 }, { 40 + 128 } }, { 1, 1 } },
	{ "its word is taken over twice", 64, { 100 }, { { 41 }, { 169, 297 } }, { 1, 2 } },
	{ "a late one, seen by both, and a leap", 64, { 100 }, { { 50 }, { 50, 500 } }, { 1, 2 } },
	{ "a leap, then the late one again", 64, { 100 }, { { 50 }, { 200, 50 } }, { 1, 2 } },
	{ "bursts that overlap in one word", 64, { 16 }, { { 17, 18 }, { 18, 17 } }, { 2, 2 } },
	{ "a burst with its own duplicate", 64, { 16 }, { { 17, 17 }, { 17 } }, { 2, 1 } },
	{ "three in a run against one", 64, { 16 }, { { 17, 18, 19 }, { 18 } }, { 3, 1 } },
	{ "runs over a word's end", 64, { 30 }, { { 31, 32 }, { 32, 31 } }, { 2, 2 } },
	{ "opposite ends of the window", 64, { 100 }, { { 37, 101 }, { 101, 37 } }, { 2, 2 } },
	{ "leaps of a whole ring", 64, { 10 }, { { 138 }, { 10 + 256 } }, { 1, 1 } },
	{ "leaps back and forth", 64, { 10 }, { { 138, 11 }, { 266, 139 } }, { 2, 2 } },
	{ "zero", 64, { 0 }, { { 0 }, { 1 } }, { 1, 1 } },
	{ "a larger window", 128, { 300 }, { { 173, 301 }, { 301 } }, { 2, 1 } },
	{ "a larger window's ring goes round", 128, { 300 }, { { 180 }, { 180 + 256 } }, { 1, 1 } },
};
/* clang-format on */

static void make_stacks(void)
{
	for (int i = 0; i < 2; i++) {
		spus[i].stack = malloc(STACK);
		ck_assert_ptr_nonnull(spus[i].stack);
	}
}

static void free_stacks(void)
{
	for (int i = 0; i < 2; i++)
		free(spus[i].stack);
}

START_TEST(every_interleaving_is_some_order_of_the_model)
{
	uint8_t order[DEPTH_MAX] = { 0 };
	size_t n = 0, orders = 0;

	scenario = &scenarios[_i];
	do {
		n = run(order, n);
		orders++;
	} while (advance(order, &n));
	ck_assert_uint_gt(orders, 20); /* the steps are really stepped */
	printf("%s: %zu orders\n", scenario->what, orders);
}
END_TEST

TESTS_OF(replay_model)
{
	TCase *tc = tcase_create("replay_model");

	tcase_add_checked_fixture(tc, make_stacks, free_stacks);
	tcase_add_loop_test(tc, every_interleaving_is_some_order_of_the_model, 0,
	                    KNOWS_COROUTINES ? ARRAY_LEN(scenarios) : 0);
	return tc;
}
