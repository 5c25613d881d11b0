// SPDX-License-Identifier: BSD-2-Clause
#include "addr.h"
#include "runner.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
	const char *text;
	enum err want;
	const char *back;
} prefixes[] = {
	{ "10.1.2.3/24", ERR_OK, "10.1.2.3/24" },
	{ "10.1.2.3", ERR_OK, "10.1.2.3/32" },
	{ "0.0.0.0/0", ERR_OK, "0.0.0.0/0" },
	{ "2001:DB8:0::1/64", ERR_OK, "2001:db8::1/64" },
	{ "::", ERR_OK, "::/128" },
	{ "::ffff:192.0.2.1/128", ERR_OK, "::ffff:192.0.2.1/128" },
	{ "10.1.2.3/33", ERR_RANGE, NULL },
	{ "2001:db8::/129", ERR_RANGE, NULL },
	{ "10.1.2.3/999", ERR_RANGE, NULL },
	{ "10.1.2.3/", ERR_SYNTAX, NULL },
	{ "10.1.2.3/+8", ERR_SYNTAX, NULL },
	{ "10.1.2.3/8 ", ERR_SYNTAX, NULL },
	{ "10.1.2.3/0008", ERR_SYNTAX, NULL },
	{ "10.1.2", ERR_SYNTAX, NULL },
	{ "10.1.2.256", ERR_SYNTAX, NULL },
	{ "2001:db8:::1", ERR_SYNTAX, NULL },
	{ "", ERR_SYNTAX, NULL },
	{ "/8", ERR_SYNTAX, NULL },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", ERR_SYNTAX, NULL },
};

START_TEST(a_prefix_is_read_and_written_back)
{
	struct prefix p = { .len = 77 };
	char buf[PREFIX_TEXT_MAX];
	enum err e = prefix_parse(prefixes[_i].text, &p);

	ck_assert_msg(e == prefixes[_i].want, "\"%s\": got \"%s\"", prefixes[_i].text, err_text(e));
	if (e == ERR_OK)
		ck_assert_str_eq(prefix_text(&p, buf), prefixes[_i].back);
	else
		ck_assert_msg(p.len == 77, "\"%s\" changed the result", prefixes[_i].text);
}
END_TEST

static struct prefix prefix(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, &p) == ERR_OK, "%s", text);
	return p;
}

static const struct {
	const char *prefix, *first, *last, *inside, *outside;
} ranges[] = {
	{ "10.1.2.3/24", "10.1.2.0", "10.1.2.255", "10.1.2.77", "10.1.3.0" },
	{ "10.1.2.3/31", "10.1.2.2", "10.1.2.3", "10.1.2.2", "10.1.2.4" },
	{ "10.1.2.3/32", "10.1.2.3", "10.1.2.3", "10.1.2.3", "10.1.2.2" },
	{ "172.16.9.1/12", "172.16.0.0", "172.31.255.255", "172.31.0.1", "172.32.0.0" },
	{ "10.0.0.0/0", "0.0.0.0", "255.255.255.255", "192.0.2.1", "::" },
	{ "2001:db8::1/63", "2001:db8::", "2001:db8:0:1:ffff:ffff:ffff:ffff",
	  "2001:db8:0:1::", "2001:db8:0:2::" },
	{ "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::1", "0.0.0.0" },
};

START_TEST(a_prefix_knows_its_first_last_and_members)
{
	struct prefix p = prefix(ranges[_i].prefix);
	struct addr first = prefix_first(&p), last = prefix_last(&p);
	struct addr inside = prefix(ranges[_i].inside).addr,
	            outside = prefix(ranges[_i].outside).addr;
	char buf[ADDR_TEXT_MAX];

	ck_assert_str_eq(addr_text(&first, buf), ranges[_i].first);
	ck_assert_str_eq(addr_text(&last, buf), ranges[_i].last);
	ck_assert(prefix_has(&p, &first));
	ck_assert(prefix_has(&p, &last));
	ck_assert_msg(prefix_has(&p, &inside), "%s in %s", ranges[_i].inside, ranges[_i].prefix);
	ck_assert_msg(!prefix_has(&p, &outside), "%s in %s", ranges[_i].outside, ranges[_i].prefix);
}
END_TEST

START_TEST(addresses_are_ordered_by_family_then_value)
{
	static const char *const order[] = { "0.0.0.0", "10.0.0.1", "10.0.0.2", "255.0.0.0",
		                             "::",      "::1",      "2001::",   "ff02::1" };

	for (size_t a = 0; a < ARRAY_LEN(order); a++)
		for (size_t b = 0; b < ARRAY_LEN(order); b++) {
			struct addr x = prefix(order[a]).addr, y = prefix(order[b]).addr;

			ck_assert_int_eq(addr_cmp(&x, &y) < 0, a < b);
			ck_assert_int_eq(addr_cmp(&x, &y) > 0, a > b);
			ck_assert_int_eq(addr_equal(&x, &y), a == b);
		}
}
END_TEST

START_TEST(any_is_the_zero_of_its_family)
{
	struct addr v4 = prefix("0.0.0.0").addr, v6 = prefix("::").addr, one = prefix("::1").addr;

	ck_assert(addr_is_any(&v4));
	ck_assert(addr_is_any(&v6));
	ck_assert(!addr_is_any(&one));
}
END_TEST

START_TEST(bytes_and_numbers_become_addresses)
{
	static const uint8_t bytes[16] = { 192, 0, 2, 1 };
	struct addr from_bytes, from_number = addr_v4(0xc0000201);
	char buf[ADDR_TEXT_MAX];

	ck_assert_int_eq(addr_from_bytes(bytes, 4, &from_bytes), ERR_OK);
	ck_assert(addr_equal(&from_bytes, &from_number));
	ck_assert_str_eq(addr_text(&from_number, buf), "192.0.2.1");
	ck_assert_int_eq(addr_from_bytes(bytes, 16, &from_bytes), ERR_OK);
	ck_assert_str_eq(addr_text(&from_bytes, buf), "c000:201::");
	ck_assert_int_eq(addr_from_bytes(bytes, 5, &from_bytes), ERR_LENGTH);
	ck_assert_str_eq(addr_text(&(struct addr){ 0 }, buf), "none");
}
END_TEST

static const struct {
	const char *addr;
	uint16_t port;
	const char *text;
} endpoints[] = {
	{ "192.0.2.1", 500, "192.0.2.1:500" },
	{ "2001:db8::1", 4500, "[2001:db8::1]:4500" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535,
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
};

START_TEST(an_endpoint_goes_through_a_sockaddr_and_back)
{
	struct endpoint e = { prefix(endpoints[_i].addr).addr, endpoints[_i].port }, back;
	struct sockaddr_storage ss;
	char buf[ENDPOINT_TEXT_MAX];
	bool v4 = e.addr.family == ADDR_V4;

	ck_assert_str_eq(endpoint_text(&e, buf), endpoints[_i].text);
	ck_assert_uint_eq(endpoint_to_sockaddr(&e, &ss),
	                  v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	ck_assert_int_eq(ss.ss_family, v4 ? AF_INET : AF_INET6);
	ck_assert_int_eq(endpoint_from_sockaddr(&ss, &back), ERR_OK);
	ck_assert(endpoint_equal(&e, &back));
	back.port++;
	ck_assert(!endpoint_equal(&e, &back));
	ss.ss_family = AF_UNIX;
	ck_assert_int_eq(endpoint_from_sockaddr(&ss, &back), ERR_UNSUPPORTED);
}
END_TEST

START_TEST(a_sockaddr_is_in_network_order)
{
	struct endpoint e = { addr_v4(0xc0000201), 500 };
	struct sockaddr_storage ss;
	struct sockaddr_in in;

	(void)endpoint_to_sockaddr(&e, &ss);
	memcpy(&in, &ss, sizeof(in));
	ck_assert_uint_eq(in.sin_port, htons(500));
	ck_assert_uint_eq(in.sin_addr.s_addr, htonl(0xc0000201));
}
END_TEST

TESTS_OF(addr)
{
	TCase *tc = tcase_create("addr");

	tcase_add_loop_test(tc, a_prefix_is_read_and_written_back, 0, ARRAY_LEN(prefixes));
	tcase_add_loop_test(tc, a_prefix_knows_its_first_last_and_members, 0, ARRAY_LEN(ranges));
	tcase_add_test(tc, addresses_are_ordered_by_family_then_value);
	tcase_add_test(tc, any_is_the_zero_of_its_family);
	tcase_add_test(tc, bytes_and_numbers_become_addresses);
	tcase_add_loop_test(tc, an_endpoint_goes_through_a_sockaddr_and_back, 0,
	                    ARRAY_LEN(endpoints));
	tcase_add_test(tc, a_sockaddr_is_in_network_order);
	return tc;
}
