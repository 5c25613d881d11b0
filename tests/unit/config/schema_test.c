// SPDX-License-Identifier: BSD-2-Clause
#include "algorithms.h"
#include "inbound.h"
#include "runner.h"
#include "schema.h"
#include "tree.h"
#include "value.h"

#include <stdio.h>
#include <string.h>

/* Calls fn for every row under table, with its path. */
static void for_all(const struct schema *table, const char *path,
                    void (*fn)(const struct schema *row, const char *path))
{
	char deeper[TREE_PATH_MAX];

	for (const struct schema *row = table; row->word; row++) {
		int n = snprintf(deeper, sizeof(deeper), "%s%s%s", path, path[0] ? " " : "",
		                 row->word);
		ck_assert(n > 0 && (size_t)n < sizeof(deeper));
		fn(row, deeper);
		if (row->children)
			for_all(row->children, deeper, fn);
	}
}

static void row_is_sound(const struct schema *row, const char *path)
{
	bool valued = row->kind == LEAF || row->kind == LEAF_LIST || row->kind == LIST;

	ck_assert_msg(row->help && row->help[0], "%s: no help", path);
	ck_assert_msg(strlen(row->word) < 64, "%s: long word", path);
	ck_assert_msg(valued == (row->value.type != TYPE_NONE), "%s: kind and value", path);
	ck_assert_msg(row->kind != CONTAINER || row->children, "%s: a container of nothing", path);
	ck_assert_msg(row->kind != LATER || !row->children, "%s: refused, with children", path);
	if (row->value.type == TYPE_REFERENCE)
		ck_assert_msg(schema_at(row->value.words) &&
		                      schema_at(row->value.words)->kind == LIST,
		              "%s: refers to no list", path);
	for (const struct schema *other = row + 1; other->word; other++)
		ck_assert_msg(strcmp(row->word, other->word), "%s: twice", path);
}

START_TEST(rows_are_sound)
{
	for_all(schema_root.children, "", row_is_sound);
}
END_TEST

/* A default that is one value is a legal value. */
static void default_is_legal(const struct schema *row, const char *path)
{
	struct why why, note;

	if (row->kind != LEAF || row->def == NULL || strchr(row->def, ' '))
		return;
	ck_assert_msg(value_check(&row->value, row->def, &why, &note) == ERR_OK,
	              "%s: default %s: %s", path, row->def, why.text);
}

START_TEST(defaults_are_legal)
{
	for_all(schema_root.children, "", default_is_legal);
}
END_TEST

static void edges(const struct schema *row, const char *path)
{
	const struct schema_value *v = &row->value;
	char text[16];
	const struct {
		uint64_t x;
		bool ok;
	} at[] = { { v->min, true },
		   { v->max, true },
		   { (uint64_t)v->max + 1, false },
		   { (uint64_t)v->min - 1, false } };

	if (v->type != TYPE_UINT && v->type != TYPE_POWER2)
		return;
	for (size_t i = 0; i < ARRAY_LEN(at) - (v->min == 0); i++) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)at[i].x);
		enum err e = value_check(v, text, NULL, NULL);
		ck_assert_msg((e == ERR_OK) == at[i].ok, "%s %s: %s", path, text, err_text(e));
	}
}

START_TEST(range_edges)
{
	for_all(schema_root.children, "", edges);
}
END_TEST

static void words_are_legal(const struct schema *row, const char *path)
{
	char word[64];

	if (row->value.type != TYPE_WORD)
		return;
	for (size_t i = 0; schema_word(row->value.words, i, word, sizeof(word)); i++)
		ck_assert_msg(value_check(&row->value, word, NULL, NULL) == ERR_OK, "%s %s", path,
		              word);
	for (size_t i = 0; row->value.later && schema_word(row->value.later, i, word, sizeof(word));
	     i++)
		ck_assert_msg(value_check(&row->value, word, NULL, NULL) == ERR_UNSUPPORTED,
		              "%s %s", path, word);
}

START_TEST(known_words)
{
	for_all(schema_root.children, "", words_are_legal);
}
END_TEST

/* What the schema offers as algorithm, common/algorithms has, where it is used. */
START_TEST(algorithms_are_there)
{
	static const struct {
		const char *path;
		uint8_t use;
	} ciphers[] = { { "security ike proposal encryption-algorithm", ALG_IKE },
		        { "security ipsec proposal encryption-algorithm", ALG_SOFT } };
	char word[64];

	for (size_t c = 0; c < ARRAY_LEN(ciphers); c++) {
		const struct schema *row = schema_at(ciphers[c].path);

		for (size_t i = 0; schema_word(row->value.words, i, word, sizeof(word)); i++) {
			const struct alg_cipher *a = alg_cipher_by_name(word);

			/* null is there for IKE to be refused with its reason. */
			ck_assert_msg(a && (a->use & ciphers[c].use || !strcmp(word, "null")), "%s",
			              word);
		}
	}
	const struct schema *ke = schema_at("security ike proposal dh-group");
	for (size_t i = 0; schema_word(ke->value.words, i, word, sizeof(word)); i++)
		ck_assert_msg(alg_ke_by_name(word) != NULL, "%s", word);
	const struct schema *hash = schema_at("security ike proposal authentication-algorithm");
	for (size_t i = 0; schema_word(hash->value.words, i, word, sizeof(word)); i++)
		ck_assert_msg(alg_integ_by_name(word) != NULL, "%s", word);
}
END_TEST

/* The services of the schema are those of the table with the ports. */
START_TEST(inbound_words)
{
	static const struct {
		const char *path;
		const struct inbound_row *rows;
	} lists[] = {
		{ "security zones security-zone host-inbound-traffic system-services",
		  inbound_services },
		{ "security zones security-zone host-inbound-traffic protocols",
		  inbound_protocols },
	};
	char word[64];

	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		const char *words = schema_at(lists[l].path)->value.words;
		size_t n = 0, rows = 0, general = 0;

		for (size_t i = 0; lists[l].rows[i].name; i++, rows++)
			ck_assert_msg(schema_has_word(words, lists[l].rows[i].name), "%s",
			              lists[l].rows[i].name);
		for (; schema_word(words, n, word, sizeof(word)); n++)
			general += strcmp(word, "all") == 0 || strcmp(word, "any-service") == 0;
		ck_assert_uint_eq(n - general, rows);
		ck_assert_uint_lt(rows, 64);
	}
}
END_TEST

static const struct {
	const char *word, *want;
} spelled[] = {
	{ "propsal", "proposal" }, { "gatway", "gateway" }, { "prop", "proposal" },
	{ "gateways", "gateway" }, { "zebra", NULL },       { "x", NULL },
};

START_TEST(nearest_word)
{
	const char *near = schema_nearest(schema_ike, spelled[_i].word);

	ck_assert_msg(near == spelled[_i].want ||
	                      (near && spelled[_i].want && strcmp(near, spelled[_i].want) == 0),
	              "%s: %s", spelled[_i].word, near ? near : "none");
}
END_TEST

TESTS_OF(schema)
{
	TCase *tc = tcase_create("schema");

	tcase_add_test(tc, rows_are_sound);
	tcase_add_test(tc, defaults_are_legal);
	tcase_add_test(tc, range_edges);
	tcase_add_test(tc, known_words);
	tcase_add_test(tc, algorithms_are_there);
	tcase_add_test(tc, inbound_words);
	tcase_add_loop_test(tc, nearest_word, 0, ARRAY_LEN(spelled));
	return tc;
}
