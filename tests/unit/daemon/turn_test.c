// SPDX-License-Identifier: BSD-2-Clause
#include "turn.h"

#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An owner that notes what it is asked for, and how far the store was then. */
struct note {
	struct store *store;
	unsigned sent, events, jobs, recorded, woken;
	enum event_id event;
	uint64_t revision_at_send;
	uint8_t serving;
};

static void send_it(void *ctx, const struct fx_send *send)
{
	struct note *n = ctx;

	n->sent++;
	n->revision_at_send = store_revision(n->store);
	ck_assert_uint_eq(send->bytes.len, 3);
	ck_assert_mem_eq(send->bytes.p, "abc", 3);
}

static void event(void *ctx, enum event_id id, const char *text)
{
	struct note *n = ctx;

	(void)text;
	n->events++;
	n->event = id;
}

static void start(void *ctx, struct job *job)
{
	((struct note *)ctx)->jobs++;
	job->discard(job);
}

static void recorded(void *ctx, const struct record *r)
{
	struct note *n = ctx;

	ck_assert_uint_eq(r->revision, store_revision(n->store));
	n->recorded++;
}

static uint8_t serving(void *ctx, uint8_t anchor)
{
	(void)anchor;
	return ((struct note *)ctx)->serving;
}

static void wake(void *ctx)
{
	((struct note *)ctx)->woken++;
}

static char dir[] = "/tmp/hawser-turn-XXXXXX";
static struct store *store;
static struct node_shm *shm;
static struct note note;
static struct turn *turn;

static void open_store(size_t map_bytes)
{
	struct why why = { "" };

	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_msg(store_open(dir, STORE_WRITE, map_bytes, &store, &why) == ERR_OK, "%s",
	              why.text);
	shm = aligned_alloc(4096, (sizeof(*shm) + 4095) / 4096 * 4096);
	memset(shm, 0, sizeof(*shm));
	note = (struct note){ .store = store, .serving = 3 };
	struct turn_owner owner = { &note, send_it, event, start, recorded, serving, wake };
	turn = turn_new(store, shm, &owner);
}

static void setup(void)
{
	open_store(0);
}

static void teardown(void)
{
	char command[128];

	turn_free(turn);
	store_close(store);
	free(shm);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void put(struct effects *fx, uint32_t tunnel, size_t len)
{
	static uint8_t body[8192];
	struct record_key key = record_key_tunnel(tunnel);

	fx_put(fx, &key, (struct view){ body, len });
}

static void say(struct effects *fx, int after_anchor)
{
	struct fx_send s = { .bytes = { (const uint8_t *)"abc", 3 }, .after_anchor = after_anchor };

	fx_send(fx, &s);
}

START_TEST(records_are_in_the_store_before_the_message_leaves)
{
	struct effects fx = { 0 };

	say(&fx, -1); /* before the put in the list, all the same after it in effect */
	put(&fx, 131073, 10);
	ck_assert_int_eq(turn_run(turn, &fx, 0), ERR_OK);
	ck_assert_uint_eq(note.sent, 1);
	ck_assert_uint_eq(note.revision_at_send, 1);
	ck_assert_uint_eq(shm->revision, 1);
	ck_assert_uint_eq(note.recorded, 1);
	ck_assert_uint_eq(note.woken, 1);
}
END_TEST

START_TEST(a_turn_without_records_wakes_nobody)
{
	struct effects fx = { 0 };

	say(&fx, 7); /* nothing to wait for: no records of this turn */
	ck_assert_int_eq(turn_run(turn, &fx, 0), ERR_OK);
	ck_assert_uint_eq(note.sent, 1);
	ck_assert_uint_eq(note.woken, 0);
}
END_TEST

START_TEST(a_message_waits_for_the_spu_that_serves_its_anchor)
{
	struct effects fx = { 0 };

	put(&fx, 131073, 10);
	say(&fx, 7);
	ck_assert_int_eq(turn_run(turn, &fx, 1000), ERR_OK);
	ck_assert_uint_eq(note.sent, 0);
	ck_assert_uint_eq(turn_next_due_ms(turn), 1000 + TURN_WAIT_MS);
	shm->spu[2].applied = 1; /* another SPU's word is not enough */
	turn_flush(turn, 1001);
	ck_assert_uint_eq(note.sent, 0);
	shm->spu[3].applied = 1;
	turn_flush(turn, 1002);
	ck_assert_uint_eq(note.sent, 1);
	ck_assert_uint_eq(note.events, 0);
	ck_assert_uint_eq(turn_next_due_ms(turn), UINT64_MAX);
}
END_TEST

START_TEST(after_fifty_milliseconds_it_goes_and_is_counted)
{
	struct effects fx = { 0 };

	put(&fx, 131073, 10);
	say(&fx, 7);
	ck_assert_int_eq(turn_run(turn, &fx, 1000), ERR_OK);
	turn_flush(turn, 1000 + TURN_WAIT_MS - 1);
	ck_assert_uint_eq(note.sent, 0);
	turn_flush(turn, 1000 + TURN_WAIT_MS);
	ck_assert_uint_eq(note.sent, 1);
	ck_assert_uint_eq(turn_stats(turn)->late, 1);
	ck_assert_int_eq(note.event, EVENT_IPSEC_INSTALL_LATE);
}
END_TEST

START_TEST(nobody_serves_the_anchor)
{
	struct effects fx = { 0 };

	note.serving = ANCHOR_NOBODY;
	put(&fx, 131073, 10);
	say(&fx, 7);
	ck_assert_int_eq(turn_run(turn, &fx, 0), ERR_OK);
	ck_assert_uint_eq(note.sent, 1);
}
END_TEST

START_TEST(a_deletion_of_what_never_was_is_no_error)
{
	struct record_key key = record_key_tunnel(5);
	struct effects fx = { 0 };

	fx_del(&fx, &key);
	say(&fx, -1);
	ck_assert_int_eq(turn_run(turn, &fx, 0), ERR_OK);
	ck_assert_uint_eq(note.sent, 1);
}
END_TEST

static bool discarded;

static void discard(struct job *job)
{
	(void)job;
	discarded = true;
}

START_TEST(a_full_store_refuses_the_whole_turn)
{
	struct job job = { .discard = discard };
	struct effects fx = { 0 };
	enum err e = ERR_OK;
	uint32_t n = 0;

	teardown();
	open_store(1 << 20);
	while (!e && n < 1000) {
		put(&fx, ++n, 4096);
		e = turn_run(turn, &fx, 0);
	}
	ck_assert_msg(e == ERR_FULL, "%s after %u records", err_text(e), n);
	uint64_t before = store_revision(store);

	put(&fx, 5000, 4096);
	say(&fx, -1);
	fx_job(&fx, &job);
	ck_assert_int_eq(turn_run(turn, &fx, 0), ERR_FULL);
	ck_assert_uint_eq(note.sent, 0);
	ck_assert_uint_eq(note.jobs, 0);
	ck_assert(discarded);
	ck_assert_uint_eq(store_revision(store), before);
}
END_TEST

START_TEST(what_waits_at_the_end_is_freed)
{
	struct effects fx = { 0 };

	put(&fx, 131073, 10);
	say(&fx, 7);
	say(&fx, 7);
	ck_assert_int_eq(turn_run(turn, &fx, 0), ERR_OK);
}
END_TEST

TESTS_OF(turn)
{
	TCase *tc = tcase_create("turn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, records_are_in_the_store_before_the_message_leaves);
	tcase_add_test(tc, a_turn_without_records_wakes_nobody);
	tcase_add_test(tc, a_message_waits_for_the_spu_that_serves_its_anchor);
	tcase_add_test(tc, after_fifty_milliseconds_it_goes_and_is_counted);
	tcase_add_test(tc, nobody_serves_the_anchor);
	tcase_add_test(tc, a_deletion_of_what_never_was_is_no_error);
	tcase_add_test(tc, a_full_store_refuses_the_whole_turn);
	tcase_add_test(tc, what_waits_at_the_end_is_freed);
	return tc;
}
