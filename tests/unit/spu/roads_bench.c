// SPDX-License-Identifier: BSD-2-Clause
/* Cycles per packet of the two roads in software: AES-128-GCM, bursts of 32, without ports.
 *
 * An SA that is its own peer encrypts a burst and decrypts what came of it. The lengths take turns,
 * and what is shown is the tenth of the runs that was least disturbed: so two builds can be
 * compared on a machine that does something else as well. meson test --benchmark; the argument is
 * how often. */
#include "rig.h"
#include "seal.h"

#include <rte_cycles.h>
#include <stdio.h>

enum { RUNS = 20000 };
static const uint16_t lengths[] = { 64, 512, 1420 };

struct lane {
	struct rte_mbuf *m[BURST];    /* the same ones, all the time */
	struct fabric_hdr meta;       /* of a plain frame */
	uint8_t frame[RIG_FRAME_MAX]; /* likewise */
	uint16_t len;                 /* of it */
	uint64_t *cycles[2];          /* by enum rig_road: of each run */
};

static size_t runs = RUNS;

static void lane_init(struct lane *l, struct rig *rig, uint16_t len)
{
	struct plain_spec spec = { .payload = (uint16_t)(len - IP_V4_LEN - 8) };
	uint8_t ip[SEAL_MAX];
	size_t n = plain_make(&spec, ip);

	ck_assert_uint_eq(n, len);
	for (int i = 0; i < BURST; i++)
		l->m[i] = rig_mbuf(rig, RIG_OUT, ip, n);
	l->len = rte_pktmbuf_data_len(l->m[0]);
	l->meta = *port_meta(l->m[0]);
	memcpy(l->frame, rte_pktmbuf_mtod(l->m[0], uint8_t *), l->len);
	for (int road = 0; road < 2; road++) {
		l->cycles[road] = calloc(runs, sizeof(uint64_t));
		ck_assert_ptr_nonnull(l->cycles[road]);
	}
}

static void lane_done(struct lane *l)
{
	rte_pktmbuf_free_bulk(l->m, BURST);
	free(l->cycles[RIG_IN]);
	free(l->cycles[RIG_OUT]);
}

static void fill(struct lane *l)
{
	for (int i = 0; i < BURST; i++) {
		rte_pktmbuf_reset(l->m[i]);
		memcpy(rte_pktmbuf_append(l->m[i], l->len), l->frame, l->len);
		*port_meta(l->m[i]) = l->meta;
	}
}

/* No assertion of Check's where nothing is wrong: each writes to a file. */
static uint64_t timed(struct rig *rig, enum rig_road road, struct lane *l)
{
	struct rte_mbuf *out[BURST];
	uint64_t start = rte_rdtsc_precise();
	uint16_t n = road == RIG_IN ? inbound_run(&rig->roads, l->m, BURST, out)
	                            : outbound_run(&rig->roads, l->m, BURST, out);
	uint64_t took = rte_rdtsc_precise() - start;

	if (n != BURST)
		ck_abort_msg("of %u frames of %u bytes %u came out", BURST, l->len, n);
	return took;
}

static void run(struct rig *rig, struct lane *l, size_t at)
{
	fill(l);
	l->cycles[RIG_OUT][at] = timed(rig, RIG_OUT, l);
	for (int i = 0; i < BURST; i++)
		port_meta(l->m[i])->kind = FABRIC_WIRE_IN;
	l->cycles[RIG_IN][at] = timed(rig, RIG_IN, l);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static unsigned int tenth(uint64_t *cycles)
{
	qsort(cycles, runs, sizeof(*cycles), by_value);
	return (unsigned int)(cycles[runs / 10] / BURST);
}

START_TEST(measure)
{
	static const uint8_t key[20] = { 1, 2, 3 };
	struct lane lane[ARRAY_LEN(lengths)] = { 0 };

	rig_eal_up();
	struct rig *rig = rig_new(RIG_SOFT);
	(void)rig_sa(rig, &(struct rig_sa){ .local = "192.0.2.1",
	                                    .remote = "192.0.2.1",
	                                    .spi_in = 0x1007,
	                                    .spi_out = 0x1007,
	                                    .key_in = key,
	                                    .key_out = key });
	for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
		lane_init(&lane[l], rig, lengths[l]);
	for (size_t i = 0; i < runs; i++)
		for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
			run(rig, &lane[l], i);
	(void)printf("cycles per packet: AES-128-GCM in software, bursts of %d\n", BURST);
	(void)printf("%6s %9s %9s\n", "bytes", "outbound", "inbound");
	for (size_t l = 0; l < ARRAY_LEN(lengths); l++) {
		(void)printf("%6u %9u %9u\n", lengths[l], tenth(lane[l].cycles[RIG_OUT]),
		             tenth(lane[l].cycles[RIG_IN]));
		lane_done(&lane[l]);
	}
	rig_free(rig);
}
END_TEST

/* The rig asserts as Check's, so it needs one around it. */
int main(int argc, char **argv)
{
	Suite *s = suite_create("roads-bench");
	TCase *tc = tcase_create("measure");
	SRunner *sr = srunner_create(s);

	if (argc > 1)
		runs = strtoul(argv[1], NULL, 10);
	tcase_add_test(tc, measure);
	suite_add_tcase(s, tc);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_SILENT);
	int failed = srunner_ntests_failed(sr);
	TestResult **results = srunner_failures(sr);
	if (failed != 0)
		(void)fprintf(stderr, "roads-bench: %s\n", tr_msg(results[0]));
	free((void *)results);
	srunner_free(sr);
	return failed != 0;
}
