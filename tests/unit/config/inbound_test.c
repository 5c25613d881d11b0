// SPDX-License-Identifier: BSD-2-Clause
#include "inbound.h"
#include "errors.h"
#include "load.h"
#include "runner.h"

#include <netinet/in.h>

#define ZONE(what)                                                                                 \
	"interfaces { eth0 { unit 0 { family inet { address 192.0.2.1/24; } } } }\n"               \
	"security { zones { security-zone z { interfaces { eth0.0; } host-inbound-traffic { " what \
	" } } } }\n"

static const struct {
	const char *what, *text;
	uint8_t family, protocol;
	uint16_t port;
	bool want;
} cases[] = {
	{ "ike is 500", ZONE("system-services ike;"), 4, IPPROTO_UDP, 500, true },
	{ "and 4500", ZONE("system-services ike;"), 6, IPPROTO_UDP, 4500, true },
	{ "ike is not ssh", ZONE("system-services ike;"), 4, IPPROTO_TCP, 22, false },
	{ "nothing lets nothing in", ZONE(""), 4, IPPROTO_UDP, 500, false },
	{ "ping is an echo request", ZONE("system-services ping;"), 4, IPPROTO_ICMP, 8, true },
	{ "and not an answer", ZONE("system-services ping;"), 4, IPPROTO_ICMP, 0, false },
	{ "also of IPv6", ZONE("system-services ping;"), 6, IPPROTO_ICMPV6, 128, true },
	{ "all are the known services", ZONE("system-services all;"), 4, IPPROTO_TCP, 22, true },
	{ "but no other port", ZONE("system-services all;"), 4, IPPROTO_TCP, 5201, false },
	{ "any-service is any port", ZONE("system-services any-service;"), 4, IPPROTO_TCP, 5201,
	  true },
	{ "but no routing protocol", ZONE("system-services any-service;"), 4, 89, 0, false },
	{ "except one", ZONE("system-services { all; ssh { except; } }"), 4, IPPROTO_TCP, 22,
	  false },
	{ "leaves the others", ZONE("system-services { all; ssh { except; } }"), 4, IPPROTO_TCP, 23,
	  true },
	{ "ospf is protocol 89", ZONE("protocols ospf;"), 4, 89, 0, true },
	{ "for IPv4", ZONE("protocols ospf;"), 6, 89, 0, false },
	{ "all protocols", ZONE("protocols { all; bgp { except; } }"), 4, IPPROTO_TCP, 179, false },
	{ "the interface's own",
	  "interfaces { eth0 { unit 0; } }\n"
	  "security { zones { security-zone z { interfaces { eth0.0 { host-inbound-traffic { "
	  "system-services ssh; } } } host-inbound-traffic { system-services ike; } } } }",
	  4, IPPROTO_UDP, 500, false },
};

START_TEST(lets_in)
{
	struct loaded l;

	load_text(cases[_i].text, &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	bool got = inbound_allows(&config_unit_find(l.config, "eth0.0")->inbound, cases[_i].family,
	                          cases[_i].protocol, cases[_i].port);
	ck_assert_msg(got == cases[_i].want, "%s", cases[_i].what);
	load_done(&l);
}
END_TEST

TESTS_OF(inbound)
{
	TCase *tc = tcase_create("inbound");

	tcase_add_loop_test(tc, lets_in, 0, ARRAY_LEN(cases));
	return tc;
}
