// SPDX-License-Identifier: BSD-2-Clause
#include "tunnel.h"

#include "report.h"
#include "runner.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
        "set chassis fpc 0 pic 0 port emulated\n"
        "set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n"
        "set interfaces st0 unit 1 family inet address 10.9.1.1/30\n"
        "set interfaces st0 unit 2 family inet address 10.9.2.1/30\n"
        "set security zones security-zone u interfaces eth0.0\n"
        "set security zones security-zone u interfaces st0.1\n"
        "set security zones security-zone u interfaces st0.2\n"
        "set security zones security-zone u host-inbound-traffic system-services ike\n"
        "set security policies default-policy permit-all\n"
        "set security ike proposal p dh-group group19 encryption-algorithm aes-256-gcm\n"
        "set security ike policy k proposals p\n"
        "set security ike policy k pre-shared-key ascii-text sekret\n"
        "set security ike gateway g address 192.0.2.2\n"
        "set security ike gateway g ike-policy k\n"
        "set security ike gateway g external-interface eth0.0\n"
        "set security ike gateway g version v2-only\n"
        "set security ipsec proposal e protocol esp encryption-algorithm aes-128-gcm\n"
        "set security ipsec policy q proposals e\n";

static const char vpn_a[] =
        "set security ipsec vpn a bind-interface st0.1\n"
        "set security ipsec vpn a ike gateway g\n"
        "set security ipsec vpn a ike ipsec-policy q\n"
        "set security ipsec vpn a ike proxy-identity local 10.1.0.0/16 remote 10.2.0.0/16\n"
        "set security ipsec vpn a establish-tunnels immediately\n";

static const char vpn_b[] =
        "set security ipsec vpn b bind-interface st0.2\n"
        "set security ipsec vpn b ike gateway g\n"
        "set security ipsec vpn b ike ipsec-policy q\n"
        "set security ipsec vpn b ike proxy-identity local 10.3.0.0/16 remote 10.4.0.0/16\n";

/* A configuration of the head and these VPNs. */
static struct config *conf(const char *one, const char *two)
{
	struct config_report report;
	struct config *c = NULL;
	char text[8192], said[512] = "";

	(void)snprintf(text, sizeof(text), "%s%s%s", head, one, two);
	report_init(&report, "test.conf");
	enum err e = config_load("test.conf", rd_of(text, strlen(text)), &c, &report);
	if (report.messages)
		report_text(&report, 0, said, sizeof(said));
	ck_assert_msg(e == ERR_OK, "%s", said);
	report_done(&report);
	return c;
}

START_TEST(indexes_stay_with_their_vpns)
{
	struct tunnels t = { 0 };
	struct config *both = conf(vpn_a, vpn_b), *turned = conf(vpn_b, vpn_a);

	ck_assert_int_eq(tunnels_plan(&t, both), ERR_OK);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_str_eq(tunnels_find(&t, 131073)->vpn, "a");
	ck_assert_str_eq(tunnels_find(&t, 131074)->vpn, "b");

	ck_assert_int_eq(tunnels_plan(&t, turned), ERR_OK);
	ck_assert_str_eq(tunnels_find(&t, 131073)->vpn, "a");
	ck_assert_str_eq(tunnels_find(&t, 131074)->vpn, "b");
	ck_assert_ptr_eq(tunnels_find(&t, 131074)->conf, &turned->vpn[0]);
	tunnels_done(&t);
	config_free(both);
	config_free(turned);
}
END_TEST

START_TEST(a_vpn_that_goes_is_left_for_the_caller_and_its_index_comes_free)
{
	struct tunnels t = { 0 };
	struct config *both = conf(vpn_a, vpn_b), *b = conf(vpn_b, "");

	ck_assert_int_eq(tunnels_plan(&t, both), ERR_OK);
	ck_assert_int_eq(tunnels_plan(&t, b), ERR_OK);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_ptr_null(tunnels_find(&t, 131073)->conf);
	tunnels_prune(&t);
	ck_assert_ptr_null(tunnels_find(&t, 131073));
	ck_assert_ptr_nonnull(tunnels_find(&t, 131074));
	ck_assert_int_eq(tunnels_plan(&t, both), ERR_OK);
	ck_assert_str_eq(tunnels_find(&t, 131073)->vpn, "a");
	tunnels_done(&t);
	config_free(both);
	config_free(b);
}
END_TEST

START_TEST(what_a_record_tells_is_known_once)
{
	struct tunnel known = { .index = 131080, .vpn = "b", .engine = 2 };
	struct config *b = conf(vpn_b, vpn_a);
	struct tunnels t = { 0 };

	ck_assert_int_eq(tunnels_know(&t, &known), ERR_OK);
	ck_assert_int_eq(tunnels_know(&t, &known), ERR_DUPLICATE);
	ck_assert_int_eq(tunnels_plan(&t, b), ERR_OK);
	ck_assert_ptr_eq(tunnels_find(&t, 131080)->conf, &b->vpn[0]);
	ck_assert_uint_eq(tunnels_find(&t, 131080)->engine, 2);
	ck_assert_str_eq(tunnels_find(&t, 131073)->vpn, "a");
	tunnels_done(&t);
	config_free(b);
}
END_TEST

START_TEST(ike_is_told_what_the_configuration_says)
{
	struct tunnel_ike_conf k;
	struct tunnels t = { 0 };
	struct config *c = conf(vpn_a, vpn_b);
	char text[ADDR_TEXT_MAX];

	ck_assert_int_eq(tunnels_plan(&t, c), ERR_OK);
	ck_assert_int_eq(tunnels_ike_conf(&t, c, &k), ERR_OK);
	ck_assert_uint_eq(k.conf.gateways, 1);
	ck_assert_str_eq(addr_text(&k.gateway[0].local, text), "192.0.2.1");
	ck_assert_str_eq(addr_text(&k.gateway[0].peer[0], text), "192.0.2.2");
	ck_assert(view_equal(k.gateway[0].psk, (struct view){ (const uint8_t *)"sekret", 6 }));
	ck_assert_str_eq(k.gateway[0].proposal[0].cipher[0]->name, "aes-256-gcm");
	ck_assert_str_eq(k.gateway[0].proposal[0].ke[0]->name, "group19");

	ck_assert_uint_eq(k.conf.tunnels, 2);
	ck_assert_uint_eq(k.tunnel[0].index, 131073);
	ck_assert_int_eq(k.tunnel[0].establish, IKE_ESTABLISH_IMMEDIATELY);
	ck_assert_int_eq(k.tunnel[1].establish, IKE_ESTABLISH_ON_TRAFFIC);
	ck_assert_str_eq(addr_text(&k.tunnel[0].local[0].first, text), "10.1.0.0");
	ck_assert_str_eq(addr_text(&k.tunnel[0].local[0].last, text), "10.1.255.255");
	ck_assert_str_eq(addr_text(&k.tunnel[0].remote[0].first, text), "10.2.0.0");
	ck_assert_uint_eq(k.tunnel[0].remote[0].port_last, 65535);
	ck_assert_str_eq(k.tunnel[0].proposal[0].cipher[0]->name, "aes-128-gcm");
	tunnels_ike_conf_done(&k);
	tunnels_done(&t);
	config_free(c);
}
END_TEST

/* AES-GCM in UDP over IPv4: 1,500 less 60, to a multiple of 4, less 2. */
START_TEST(a_tunnel_takes_what_fits_in_any_case)
{
	struct config *c = conf(vpn_a, vpn_b);

	ck_assert_uint_eq(tunnel_inner_mtu(&c->vpn[0], 1500), 1438);
	ck_assert_uint_eq(tunnel_inner_mtu(&c->vpn[0], 1400), 1338);
	ck_assert_uint_eq(tunnel_inner_mtu(&c->vpn[0], 1300), 1280); /* IPv6 needs as much */
	ck_assert_uint_eq(tunnel_inner_mtu(&c->vpn[0], 0), 1280);
	config_free(c);
	c = conf("set security ipsec proposal e encryption-algorithm aes-256-cbc\n"
	         "set security ipsec proposal e authentication-algorithm hmac-sha-512\n",
	         vpn_a);
	/* 1,500 less 20, 8, 8, 16, 32, to a multiple of 16, less 2 */
	ck_assert_uint_eq(tunnel_inner_mtu(&c->vpn[0], 1500), 1406);
	config_free(c);
}
END_TEST

TESTS_OF(tunnel)
{
	TCase *tc = tcase_create("tunnel");

	tcase_add_test(tc, a_tunnel_takes_what_fits_in_any_case);
	tcase_add_test(tc, indexes_stay_with_their_vpns);
	tcase_add_test(tc, a_vpn_that_goes_is_left_for_the_caller_and_its_index_comes_free);
	tcase_add_test(tc, what_a_record_tells_is_known_once);
	tcase_add_test(tc, ike_is_told_what_the_configuration_says);
	return tc;
}
