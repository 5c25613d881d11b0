// SPDX-License-Identifier: BSD-2-Clause
/* From records to SAs: what an SPU holds after each change of the store, and what it says of it. */
#include "control.h"
#include "record.h"
#include "records.pb-c.h"
#include "rig.h"
#include "scratch.h"

static struct rig *rig;
static struct scratch dir;
static struct store *writer;
static struct control control;
static struct nic nic;
static struct log logger;
static char path[160];

static void open_writer(void)
{
	struct why why = { "" };

	ck_assert_msg(store_open(path, STORE_WRITE, 8 << 20, &writer, &why) == ERR_OK, "%s",
	              why.text);
}

static void setup(void)
{
	struct why why = { "" };

	rig = rig_new(RIG_SOFT);
	dir = scratch_new();
	(void)snprintf(path, sizeof(path), "%s", scratch_path(&dir, "store"));
	open_writer();
	log_init(&logger, STDERR_FILENO, LOG_ERROR);
	nic_init(&nic, &rig->roads, 0);
	control = (struct control){
		.roads = &rig->roads, .nic = &nic, .node = rig->node, .log = &logger, .path = path
	};
	ck_assert_msg(control_open(&control, &why) == ERR_OK, "%s", why.text);
}

static void teardown(void)
{
	control_close(&control);
	store_close(writer);
	scratch_done(&dir);
	rig_free(rig);
}

/* What the routing engine does in a turn; a NULL body deletes. */
static uint64_t put(struct record_key key, const uint8_t *body, size_t len)
{
	uint64_t revision = 0;

	ck_assert_int_eq(store_begin(writer), ERR_OK);
	if (body)
		ck_assert_int_eq(store_put(writer, &key, (struct view){ body, len }), ERR_OK);
	else
		ck_assert_int_eq(store_del(writer, &key), ERR_OK);
	ck_assert_int_eq(store_commit(writer, &revision), ERR_OK);
	atomic_store(&rig->node->revision, revision);
	return revision;
}

static uint64_t put_node(const uint8_t identity[16])
{
	Hawser__NodeRecord m = HAWSER__NODE_RECORD__INIT;
	static uint8_t key[16];
	uint8_t body[256];
	size_t len = 0;

	m.runtime_identity = (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t)identity };
	m.anchor_key = (ProtobufCBinaryData){ 16, key };
	ck_assert_int_eq(record_encode(&m.base, body, sizeof(body), &len), ERR_OK);
	return put(record_key_node(), body, len);
}

static uint64_t put_child(const struct rig_sa *spec)
{
	uint8_t body[RECORD_BODY_MAX];
	size_t len = rig_record(rig, spec, body, sizeof(body));

	return put(record_key_child_sa(IPPROTO_NO_ESP, spec->spi_in), body, len);
}

static uint64_t applied(void)
{
	return atomic_load(&rig->node->spu[0].applied);
}

static void read_all(void)
{
	while (control_turn(&control))
		;
}

static const uint8_t foreign[16] = { 0xf0 };

START_TEST(a_record_becomes_an_sa_and_its_deletion_ends_it)
{
	(void)put_node(rig->runtime.identity);
	uint64_t revision = put_child(&(struct rig_sa){ .spi_in = 0x1107 });

	read_all();
	ck_assert_uint_eq(applied(), revision);
	ck_assert_uint_eq(rig->roads.sas.n_sas, 1);
	ck_assert_ptr_nonnull(sa_table_of(&rig->roads.sas, IPPROTO_NO_ESP, 0x1107, 0));
	revision = put(record_key_child_sa(IPPROTO_NO_ESP, 0x1107), NULL, 0);
	ck_assert_uint_lt(applied(), revision); /* not before it is so */
	read_all();
	ck_assert_uint_eq(applied(), revision);
	ck_assert_uint_eq(rig->roads.sas.n_sas, 0);
}
END_TEST

/* Settled 5.5: an old key never meets a young counter. */
START_TEST(sas_of_another_runtime_table_are_none_of_ours)
{
	(void)put_child(&(struct rig_sa){ .spi_in = 0x1107 }); /* before anything is known */
	read_all();
	ck_assert_uint_eq(rig->roads.sas.n_sas, 0);
	(void)put_node(foreign);
	read_all();
	ck_assert_uint_eq(rig->roads.sas.n_sas, 0);
	ck_assert(!control.runtime_known);
	(void)put_node(rig->runtime.identity); /* what was left out before is read again */
	read_all();
	ck_assert_uint_eq(rig->roads.sas.n_sas, 1);
	(void)put_node(foreign);
	read_all();
	ck_assert_uint_eq(rig->roads.sas.n_sas, 0);
}
END_TEST

START_TEST(a_slot_beyond_the_table_is_refused_and_holds_nothing_up)
{
	(void)put_node(rig->runtime.identity);
	(void)put_child(&(struct rig_sa){ .spi_in = 0x1107, .foreign_slot = true });
	uint64_t revision = put_child(&(struct rig_sa){ .spi_in = 0x1207 });

	read_all();
	ck_assert_uint_eq(applied(), revision);
	ck_assert_uint_eq(rig->roads.sas.n_sas, 1);
	ck_assert_ptr_null(sa_table_of(&rig->roads.sas, IPPROTO_NO_ESP, 0x1107, 0));
}
END_TEST

START_TEST(a_store_made_anew_voids_what_the_old_one_said)
{
	char aside[200];

	(void)put_node(rig->runtime.identity);
	uint64_t old = put_child(&(struct rig_sa){ .spi_in = 0x1107 });
	read_all();
	ck_assert_uint_eq(rig->roads.sas.n_sas, 1);
	store_close(writer);
	(void)snprintf(aside, sizeof(aside), "%s.aside", path);
	ck_assert_int_eq(rename(path, aside), 0);
	open_writer();
	ck_assert_int_eq(store_raise(writer, old), ERR_OK); /* as the routing engine does */
	uint64_t revision = put(record_key_tunnel(9), (const uint8_t *)"", 0);
	ck_assert_uint_gt(revision, old);
	read_all();
	ck_assert_uint_eq(rig->roads.sas.n_sas, 0);
	ck_assert(!control.runtime_known);
	ck_assert_uint_eq(applied(), revision);
}
END_TEST

START_TEST(much_is_read_in_parts_and_each_part_is_said)
{
	uint64_t revision = put_node(rig->runtime.identity), before;

	read_all();
	before = applied();
	for (uint32_t i = 0; i < CONTROL_BATCH + 5; i++)
		revision = put_child(&(struct rig_sa){ .spi_in = 0x1007 + i * 256 });
	ck_assert(control_turn(&control));
	ck_assert_uint_gt(applied(), before);
	ck_assert_uint_lt(applied(), revision);
	read_all();
	ck_assert_uint_eq(applied(), revision);
	ck_assert_uint_eq(rig->roads.sas.n_sas, CONTROL_BATCH + 5);
}
END_TEST

TESTS_OF(control)
{
	TCase *tc = tcase_create("control");

	eal_for(tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_record_becomes_an_sa_and_its_deletion_ends_it);
	tcase_add_test(tc, sas_of_another_runtime_table_are_none_of_ours);
	tcase_add_test(tc, a_slot_beyond_the_table_is_refused_and_holds_nothing_up);
	tcase_add_test(tc, a_store_made_anew_voids_what_the_old_one_said);
	tcase_add_test(tc, much_is_read_in_parts_and_each_part_is_said);
	return tc;
}
