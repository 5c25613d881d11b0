// SPDX-License-Identifier: BSD-2-Clause
/* The soak of the data path: soak [SEED [PACKETS]].
 *
 * Random sizes, algorithms, engines, moves, new SAs, NICs that refuse, pass and forget, SPUs that
 * start anew, fragments, a wire that reorders within the windows and repeats: each packet arrives
 * once, none is refused but the repeated ones, every one is counted, nothing leaks. */
#include "soak.h"
#include "env.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { EVENT_EVERY = 10, TIME_EVERY = 4, SAY_EVERY = 1000000, MANY = 1000000 };

static uint64_t seed, packets;

void soak_die(const struct soak *s, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "soak %lu %lu: after %lu packets: ", s->seed, packets,
	              s->tally.packets);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	for (int k = 0; k < SIDES * SPUS; k++)
		for (uint8_t d = 1; d < DROP_ROOM; d++)
			if (s->rig[k / SPUS][k % SPUS]->node->spu[0].drop[d] != 0)
				(void)fprintf(stderr, "  gateway %d, SPU %d: %lu x %s\n", k / SPUS,
				              k % SPUS,
				              s->rig[k / SPUS][k % SPUS]->node->spu[0].drop[d],
				              drop_text(d));
	exit(EXIT_FAILURE);
}

uint64_t soak_random(struct soak *s)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return s->random * 0x2545f4914f6cdd1du;
}

/* ---------------------------------------------------------------- beginning, end */

static struct soak *soak_new(void)
{
	struct soak *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->seed = seed;
	s->random = seed * 0x9e3779b97f4a7c15u | 1;
	s->left = packets;
	s->spi = 0x10000;
	for (int side = 0; side < SIDES; side++) {
		for (int spu = 0; spu < SPUS; spu++) { /* one of four has no NIC */
			struct rig *rig = rig_new(side == 1 && spu == 1 ? RIG_SOFT : RIG_INLINE);

			s->rig[side][spu] = rig;
			rig->roads.ip_id = (uint16_t)soak_random(s);
			rig->roads.frag_id = (uint32_t)(soak_random(s) >> 32);
			nic_init(&s->nic[side][spu], &rig->roads, (uint8_t)spu);
			s->nic[side][spu].allowed = true;
		}
		s->rig[side][1]->roads.runtime = &s->rig[side][0]->runtime;
	}
	soak_tunnels_make(s);
	return s;
}

static void drain(struct soak *s)
{
	for (int to = 0; to < SIDES; to++)
		for (uint32_t t = 0; t < TUNNELS; t++)
			soak_arrive(s, to, t, true);
}

static uint64_t sum(const struct soak *s, enum spu_stat stat)
{
	uint64_t n = 0;

	for (int k = 0; k < SIDES * SPUS; k++)
		n += rig_stat(s->rig[k / SPUS][k % SPUS], stat);
	return n;
}

/* in + made = out + dropped + merged + consumed, for each SPU; only repeated ones were dropped. */
static void check_sums(struct soak *s)
{
	for (int k = 0; k < SIDES * SPUS; k++) {
		struct rig *rig = s->rig[k / SPUS][k % SPUS];
		uint64_t in = s->in[k / SPUS][k % SPUS] + rig_stat(rig, SPU_MADE);
		uint64_t out = s->out[k / SPUS][k % SPUS] + rig_stat(rig, SPU_MERGED) +
		               rig_stat(rig, SPU_CONSUMED) + rig->roads.reasm.held;
		uint64_t replayed = rig->node->spu[0].drop[DROP_REPLAY];

		if (in != out + rig_drops(rig))
			soak_die(s, "SPU %d: %lu in, %lu out", k, in, out + rig_drops(rig));
		if (rig_drops(rig) != replayed)
			soak_die(s, "SPU %d: dropped %lu, replayed %lu", k, rig_drops(rig),
			         replayed);
		s->tally.refused += replayed;
	}
	if (s->tally.refused != s->tally.repeated)
		soak_die(s, "%lu packets were repeated, %lu refused", s->tally.repeated,
		         s->tally.refused);
	if (s->tally.delivered != s->tally.packets)
		soak_die(s, "%lu packets arrived of %lu", s->tally.delivered, s->tally.packets);
}

static void check_algorithms(struct soak *s)
{
	for (uint32_t i = 0; alg_ciphers[i].name != NULL; i++)
		if ((alg_ciphers[i].use & ALG_SOFT) && !s->tally.cipher[i])
			soak_die(s, "no SA had %s", alg_ciphers[i].name);
	for (uint32_t i = 0; alg_integs[i].name != NULL; i++)
		if (((alg_integs[i].use & ALG_SOFT) && !s->tally.integ[i]) ||
		    ((alg_integs[i].use & ALG_AH) && !s->tally.ah[i]))
			soak_die(s, "no SA had %s", alg_integs[i].name);
}

static void soak_free(struct soak *s)
{
	soak_tunnels_drop(s);
	for (int side = 0; side < SIDES; side++) { /* the second one uses the first one's table */
		rig_free(s->rig[side][1]);
		rig_free(s->rig[side][0]);
	}
	free(s);
}

/* ---------------------------------------------------------------- the soak */

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(const struct soak *s, double since)
{
	const struct tally *t = &s->tally;
	double took = seconds() - since;

	(void)printf("soak %lu %lu: %lu packets, %lu bytes, each arrived once; %.1f s, %.0f a "
	             "second\n",
	             s->seed, packets, t->packets, t->bytes, took, (double)t->packets / took);
	(void)printf("  %lu sent again, all refused; %lu fragments made, %lu merged\n", t->repeated,
	             sum(s, SPU_MADE), sum(s, SPU_MERGED));
	(void)printf(
	        "  %lu SAs renewed, %lu anchors moved, %lu SPUs started anew, %lu engines asked "
	        "for\n",
	        t->rekeys, t->moves, t->restarts, t->choices);
	(void)printf("  %lu NIC faults, %lu directions given to a NIC, %lu taken back\n", t->faults,
	             sum(s, SPU_PROMOTIONS), sum(s, SPU_DEMOTIONS));
}

static void turn(struct soak *s)
{
	int side = (int)soak_below(s, SIDES), spu = (int)soak_below(s, SPUS);

	soak_send(s, side, spu, s->left < UINT32_MAX ? (uint32_t)s->left : UINT32_MAX);
	soak_arrive(s, (int)soak_below(s, SIDES), soak_below(s, TUNNELS), false);
	if (soak_below(s, TIME_EVERY) == 0)
		soak_nics(s);
	if (soak_below(s, EVENT_EVERY) == 0)
		soak_event(s);
}

START_TEST(soak)
{
	rig_eal_up();
	struct soak *s = soak_new();
	double since = seconds();
	uint64_t told = 0;

	while (s->left != 0) {
		turn(s);
		if (s->tally.packets / SAY_EVERY == told)
			continue;
		told = s->tally.packets / SAY_EVERY;
		(void)fprintf(stderr, "%lu million packets, %.0f s\n", told, seconds() - since);
	}
	drain(s);
	check_sums(s);
	if (packets >= MANY)
		check_algorithms(s);
	say(s, since);
	soak_free(s);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("soak");
	TCase *tc = tcase_create("soak");

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	packets = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000000;
	(void)setenv("CK_DEFAULT_TIMEOUT", "0", 1);
	tcase_add_test(tc, soak);
	suite_add_tcase(suite, tc);
	SRunner *sr = srunner_create(suite);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_SILENT);
	int failed = srunner_ntests_failed(sr);
	TestResult **results = srunner_failures(sr);
	if (failed != 0)
		(void)fprintf(stderr, "soak %lu %lu: %s:%d: %s\n", seed, packets,
		              tr_lfile(results[0]), tr_lno(results[0]), tr_msg(results[0]));
	free(results);
	srunner_free(sr);
	return failed != 0;
}
