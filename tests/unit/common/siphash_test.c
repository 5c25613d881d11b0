// SPDX-License-Identifier: BSD-2-Clause
#include "siphash.h"
#include "errors.h"
#include "runner.h"

/* From the paper's reference implementation (vectors.h): key 00..0f, message 00, 01, 02, ... of
 * the given length; also the paper's appendix A (length 15). */
static const struct {
	size_t len;
	uint64_t want;
} vectors[] = {
	{ 0, 0x726fdb47dd0e0e31 },  { 1, 0x74f839c593dc67fd },  { 2, 0x0d6c8009d9a94f5a },
	{ 3, 0x85676696d7fb7e2d },  { 7, 0xab0200f58b01d137 },  { 8, 0x93f5f5799a932462 },
	{ 15, 0xa129ca6149be45e5 }, { 63, 0x958a324ceb064572 },
};

START_TEST(published_vectors)
{
	uint8_t key[16], message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	uint64_t got = siphash(key, message, vectors[_i].len);
	ck_assert_msg(got == vectors[_i].want, "length %zu: %016lx", vectors[_i].len, got);
}
END_TEST

TESTS_OF(siphash)
{
	TCase *tc = tcase_create("siphash");

	tcase_add_loop_test(tc, published_vectors, 0, ARRAY_LEN(vectors));
	return tc;
}
