// SPDX-License-Identifier: BSD-2-Clause
#include "hash.h"
#include "list.h"
#include "runner.h"
#include "scratch.h"

struct thing {
	uint32_t key;
	struct hash_node node;
	struct list list;
	bool seen;
};

static struct view key_of(const struct thing *t)
{
	return (struct view){ (const uint8_t *)&t->key, sizeof(t->key) };
}

START_TEST(what_is_put_is_found_until_it_is_deleted)
{
	static struct thing things[5000];
	static const uint8_t key[16] = { 1 };
	struct hash h;
	struct thing twin = { .key = 77 };

	ck_assert_int_eq(hash_init(&h, key), ERR_OK);
	for (uint32_t i = 0; i < ARRAY_LEN(things); i++) {
		things[i].key = i;
		HOLDS(hash_get(&h, key_of(&things[i])) == NULL);
		HOLDS(hash_put(&h, &things[i].node, key_of(&things[i])) == ERR_OK);
	}
	ck_assert_int_eq(hash_put(&h, &twin.node, key_of(&twin)), ERR_DUPLICATE);
	for (uint32_t i = 0; i < ARRAY_LEN(things); i += 2)
		hash_del(&h, &things[i].node);
	for (uint32_t i = 0; i < ARRAY_LEN(things); i++)
		ck_assert_ptr_eq(hash_get(&h, key_of(&things[i])), i % 2 ? &things[i].node : NULL);
	ck_assert_uint_eq(h.n, ARRAY_LEN(things) / 2);
	size_t n = 0;
	for (struct hash_node *at = hash_next(&h, NULL); at; at = hash_next(&h, at)) {
		struct thing *t = CONTAINER_OF(at, struct thing, node);

		HOLDS(!t->seen && t->key % 2 == 1);
		t->seen = true;
		n++;
	}
	ck_assert_uint_eq(n, h.n);
	hash_done(&h);
}
END_TEST

START_TEST(lists)
{
	struct list head, *at, *after;
	struct thing a = { .key = 1 }, b = { .key = 2 }, c = { .key = 3 };
	uint32_t sum = 0;

	list_init(&head);
	ck_assert(list_empty(&head));
	ck_assert_ptr_null(list_pop(&head));
	list_add_tail(&a.list, &head);
	list_add_tail(&b.list, &head);
	list_add(&c.list, &head);
	list_each (at, &head)
		sum = sum * 10 + CONTAINER_OF(at, struct thing, list)->key;
	ck_assert_uint_eq(sum, 312);
	list_each_safe (at, after, &head)
		if (at == &a.list)
			list_del(at);
	list_del(&a.list);
	ck_assert_ptr_eq(list_pop(&head), &c.list);
	ck_assert_ptr_eq(list_pop(&head), &b.list);
	ck_assert(list_empty(&head));
}
END_TEST

TESTS_OF(hash)
{
	TCase *tc = tcase_create("hash");

	tcase_add_test(tc, what_is_put_is_found_until_it_is_deleted);
	tcase_add_test(tc, lists);
	return tc;
}
