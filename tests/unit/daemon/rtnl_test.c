// SPDX-License-Identifier: BSD-2-Clause
/* rtnetlink against the kernel, in a network namespace of the test's own. Needs root. */
#include "rtnl.h"

#include "runner.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct rtnl *r;
static int monitor = -1;
static struct why why;

static void setup(void)
{
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "a network namespace takes root");
	ck_assert_msg(rtnl_open(&r, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(rtnl_monitor_open(&monitor, &why) == ERR_OK, "%s", why.text);
}

static void teardown(void)
{
	rtnl_close(r);
	close(monitor);
}

static uint32_t make(const char *name, const char *peer)
{
	struct rtnl_link link;

	ck_assert_msg(rtnl_veth_make(r, name, peer, 1400, true, &why) == ERR_OK, "%s", why.text);
	ck_assert_int_eq(rtnl_link_get(r, name, &link), ERR_OK);
	ck_assert_int_eq(rtnl_link_up(r, link.ifindex, true), ERR_OK);
	return link.ifindex;
}

static struct prefix net4(uint32_t addr, uint8_t len)
{
	return (struct prefix){ .addr = addr_v4(addr), .len = len };
}

START_TEST(what_is_there_is_not_made_again_and_nobody_is_told)
{
	struct rtnl_link before, after;

	make("one", "one-p");
	ck_assert_int_eq(rtnl_link_get(r, "one", &before), ERR_OK);
	ck_assert(rtnl_monitor_drain(monitor));
	make("one", "one-p");
	ck_assert_int_eq(rtnl_link_get(r, "one", &after), ERR_OK);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	ck_assert_msg(!rtnl_monitor_drain(monitor), "who listens would look again, for ever");
	ck_assert_uint_eq(after.mtu, 1400);
	ck_assert(after.up);
}
END_TEST

START_TEST(a_name_that_is_anothers_is_said)
{
	make("one", "one-p");
	ck_assert_int_eq(rtnl_veth_make(r, "one-p", "two", 1400, true, &why), ERR_DUPLICATE);
	ck_assert_ptr_nonnull(strstr(why.text, "interface one-p"));
	ck_assert_ptr_nonnull(strstr(why.text, "another interface has its name"));
}
END_TEST

static void count(void *ctx, uint32_t ifindex, const struct prefix *p)
{
	(void)ifindex;
	(void)p;
	++*(unsigned *)ctx;
}

static unsigned addresses(void)
{
	unsigned n = 0;

	ck_assert_int_eq(rtnl_addr_each(r, count, &n), ERR_OK);
	return n;
}

START_TEST(addresses_come_and_go)
{
	uint32_t ifindex = make("one", "one-p");
	struct prefix p = net4(0x0a000001, 24), q = { .len = 64 };
	uint8_t b[16] = { 0xfd, [15] = 1 };

	ck_assert_int_eq(addr_from_bytes(b, 16, &q.addr), ERR_OK);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rtnl_addr_set(r, ifindex, &p, false), ERR_OK);
		ck_assert_int_eq(rtnl_addr_set(r, ifindex, &q, true), ERR_OK);
		ck_assert_uint_eq(addresses(), 2);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rtnl_addr_del(r, ifindex, &p), ERR_OK);
		ck_assert_int_eq(rtnl_addr_del(r, ifindex, &q), ERR_OK);
		ck_assert_uint_eq(addresses(), 0);
	}
}
END_TEST

START_TEST(routes_are_replaced_and_removed)
{
	uint32_t one = make("one", "one-p"), two = make("two", "two-p");
	struct prefix here = net4(0x0a000001, 24), to = net4(0x0a010000, 16);
	struct rtnl_hop by_device = { .ifindex = one };
	struct rtnl_hop shared[2] = { { .ifindex = one }, { .ifindex = two } };
	struct rtnl_hop by_address = { .via = addr_v4(0x0a000002) };
	struct rtnl_hop nowhere = { .via = addr_v4(0x0b000002) };

	ck_assert_int_eq(rtnl_addr_set(r, one, &here, false), ERR_OK);
	ck_assert_int_eq(rtnl_route_set(r, &to, &by_device, 1), ERR_OK);
	ck_assert_int_eq(rtnl_route_set(r, &to, shared, 2), ERR_OK);
	ck_assert_int_eq(rtnl_route_set(r, &to, &by_address, 1), ERR_OK);
	ck_assert_int_ne(rtnl_route_set(r, &to, &nowhere, 1), ERR_OK);
	ck_assert_int_eq(rtnl_route_del(r, &to), ERR_OK);
	ck_assert_int_eq(rtnl_route_del(r, &to), ERR_OK);
	/* Not ours: the kernel's own route to the subnet. */
	struct prefix subnet = net4(0x0a000000, 24);
	ck_assert_int_eq(rtnl_route_del(r, &subnet), ERR_OK);
	ck_assert_int_eq(rtnl_route_set(r, &to, &by_address, 1), ERR_OK);
}
END_TEST

START_TEST(all_of_our_group_go_at_once)
{
	struct rtnl_link link;

	make("one", "one-p");
	make("two", "two-p");
	ck_assert_int_eq(rtnl_group_del(r), ERR_OK);
	ck_assert_int_eq(rtnl_link_get(r, "one", &link), ERR_NOT_FOUND);
	ck_assert_int_eq(rtnl_link_get(r, "two-p", &link), ERR_NOT_FOUND);
	ck_assert_int_eq(rtnl_link_get(r, "lo", &link), ERR_OK);
	ck_assert_int_eq(rtnl_group_del(r), ERR_OK);
}
END_TEST

TESTS_OF(rtnl)
{
	TCase *tc = tcase_create("rtnl");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_there_is_not_made_again_and_nobody_is_told);
	tcase_add_test(tc, a_name_that_is_anothers_is_said);
	tcase_add_test(tc, addresses_come_and_go);
	tcase_add_test(tc, routes_are_replaced_and_removed);
	tcase_add_test(tc, all_of_our_group_go_at_once);
	return tc;
}
