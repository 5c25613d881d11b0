// SPDX-License-Identifier: BSD-2-Clause
#include "runner.h"
#include "value.h"

#include <string.h>

#define K255                                                                                       \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"8901234567890123456789012345678901234567890123456789012345678901234567890123456789012345" \
	"6789012345678901234567890123456789012345678901234567890123456789012345678901234"
#define N63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
	enum schema_type type;
	const char *text;
	bool ok;
	const char *says; /* part of the error, or of the warning when it is ok */
} cases[] = {
	{ TYPE_NAME, "10.1.1.2", true, "" },
	{ TYPE_NAME, N63, true, "" },
	{ TYPE_NAME, N63 "x", false, "1 to 63 letters" },
	{ TYPE_NAME, "", false, "1 to 63 letters" },
	{ TYPE_NAME, "a b", false, "1 to 63 letters" },
	{ TYPE_ADDRESS4, "192.0.2.1", true, "" },
	{ TYPE_ADDRESS4, "2001:db8::1", false, "expected an IPv4 address" },
	{ TYPE_ADDRESS6, "192.0.2.1", false, "expected an IPv6 address" },
	{ TYPE_PEER, "192.0.2.1", true, "" },
	{ TYPE_PEER, "1111::1112/64", true, "the length of 1111::1112/64 is dropped" },
	{ TYPE_PEER, "0.0.0.0", false, "one host" },
	{ TYPE_PEER, "gw.example.net", false, "host names of peers are not supported" },
	{ TYPE_PEER, "300.1.1.1", false, "expected an IPv4 or IPv6 address" },
	{ TYPE_PREFIX, "10.0.0.0/8", true, "" },
	{ TYPE_PREFIX, "10.1.0.0/8", true, "taken as 10.0.0.0/8" },
	{ TYPE_PREFIX, "10.0.0.0", false, "expected address/length" },
	{ TYPE_PREFIX, "10.0.0.0/33", false, "expected address/length" },
	{ TYPE_PREFIX6, "10.0.0.0/8", false, "expected IPv6 address/length" },
	{ TYPE_HOST4, "192.0.2.1/24", true, "" },
	{ TYPE_HOST4, "192.0.2.1", false, "such as 192.0.2.1/24" },
	{ TYPE_HOST4, "0.0.0.0/0", false, "such as 192.0.2.1/24" },
	{ TYPE_HOST6, "2001:db8::1/64", true, "" },
	{ TYPE_HOST6, "192.0.2.1/24", false, "such as 2001:db8::1/64" },
	{ TYPE_INTERFACE, "ge-0/0/3", true, "" },
	{ TYPE_INTERFACE, "eth1.0", false, "without its unit" },
	{ TYPE_INTERFACE, "3com", false, "without its unit" },
	{ TYPE_DEVICE, "enp1s0f0np0", true, "" },
	{ TYPE_DEVICE, "a2345678901234567", false, "at most 15" },
	{ TYPE_DEVICE, "a/b", false, "at most 15" },
	{ TYPE_UNIT, "ge-0/0/3.0", true, "" },
	{ TYPE_UNIT, "eth1", true, "" },
	{ TYPE_UNIT, "eth1.x", false, "interface.unit" },
	{ TYPE_UNIT, "eth1.65536", false, "interface.unit" },
	{ TYPE_NEXT_HOP, "st0.1", true, "" },
	{ TYPE_NEXT_HOP, "2001:db8::1", true, "" },
	{ TYPE_NEXT_HOP, "eth0.0", false, "an address, or st0.N" },
	{ TYPE_NEXT_HOP, "::", false, "an address, or st0.N" },
	{ TYPE_HOSTNAME, "gw.example.net", true, "" },
	{ TYPE_HOSTNAME, "gw..net", false, "a domain name" },
	{ TYPE_EMAIL, "user@example.net", true, "" },
	{ TYPE_EMAIL, "user", false, "user@host" },
	{ TYPE_EMAIL, "a@b@c", false, "user@host" },
	{ TYPE_KEY_TEXT, "0123456789abcdef", true, "" },
	{ TYPE_KEY_TEXT, "short", true, "a key of 5 bytes is easily guessed" },
	{ TYPE_KEY_TEXT, K255, true, "" },
	{ TYPE_KEY_TEXT, K255 "x", false, "a key of 256 characters; expected 1..255" },
	{ TYPE_KEY_TEXT, "", false, "a key of 0 characters" },
	{ TYPE_KEY_TEXT, "$9$LbHX-wg4Z", true, "a key of 2 bytes" },
	{ TYPE_KEY_TEXT, "$9$LbHX-wg4", false, "damaged" },
	{ TYPE_KEY_HEX, "00112233445566778899aabbccddeeFF", true, "" },
	{ TYPE_KEY_HEX, "001", false, "3 hexadecimal digits; expected an even number" },
	{ TYPE_KEY_HEX, "00112g", false, "character 6 is no hexadecimal digit" },
	{ TYPE_KEY_HEX, K255 K255, true, "" },
	{ TYPE_KEY_HEX, K255 K255 "00", false, "expected an even number, 2..510" },
	{ TYPE_KEY_HEX, K255 K255 K255, false, "expected an even number, 2..510" },
	{ TYPE_HEX, "0a", true, "" },
};

START_TEST(checked)
{
	struct schema_value v = { cases[_i].type, 0, 0, NULL, NULL };
	struct why why = { 0 }, note = { 0 };
	enum err e = value_check(&v, cases[_i].text, &why, &note);
	const char *said = e ? why.text : note.text;

	ck_assert_msg((e == ERR_OK) == cases[_i].ok, "%s: %s", cases[_i].text, why.text);
	ck_assert_msg(strstr(said, cases[_i].says) && (cases[_i].says[0] || !said[0]), "%s: \"%s\"",
	              cases[_i].text, said);
}
END_TEST

START_TEST(keys_are_never_said)
{
	static const char *const keys[] = { "secret-key-with-a-g", "$9$secret", "secre" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		for (int type = TYPE_KEY_TEXT; type <= TYPE_KEY_HEX; type++) {
			struct schema_value v = { (enum schema_type)type, 0, 0, NULL, NULL };
			struct why why = { 0 }, note = { 0 };

			(void)!value_check(&v, keys[i], &why, &note);
			ck_assert_msg(!strstr(why.text, "secre") && !strstr(note.text, "secre"),
			              "%s%s", why.text, note.text);
		}
}
END_TEST

START_TEST(hexadecimal_bytes)
{
	static const uint8_t want[] = { 0x00, 0x9a, 0xff };
	uint8_t buf[VALUE_KEY_MAX];
	size_t len = 0;

	ck_assert_int_eq(value_key(TYPE_HEX, "009aFF", buf, &len, NULL), ERR_OK);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(buf, want, 3);
}
END_TEST

TESTS_OF(value)
{
	TCase *tc = tcase_create("value");

	tcase_add_loop_test(tc, checked, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, keys_are_never_said);
	tcase_add_test(tc, hexadecimal_bytes);
	return tc;
}
