// SPDX-License-Identifier: BSD-2-Clause
#include "algorithms.h"
#include "load.h"
#include "runner.h"

#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config *gateway_of_the_lab(struct loaded *l)
{
	char *text = load_file(EXAMPLES "/two-tunnels.conf");

	load_text(text, l);
	free(text);
	ck_assert_msg(l->config != NULL, "%s", l->messages);
	ck_assert_str_eq(l->messages, "");
	return l->config;
}

START_TEST(chassis)
{
	struct loaded l;
	const struct config *c = gateway_of_the_lab(&l);

	ck_assert_uint_eq(c->spus, 2);
	ck_assert_uint_eq(c->spu[0].slot, 0);
	ck_assert_int_eq(c->spu[0].offload, CONFIG_OFFLOAD_INLINE);
	ck_assert_int_eq(c->spu[0].profile, CONFIG_PROFILE_82599);
	ck_assert_uint_eq(c->spu[0].weight, 100);
	ck_assert_uint_eq(c->spu[1].slot, 1 * CONFIG_PICS_MAX + 3);
	ck_assert_uint_eq(c->spu[1].fpc, 1);
	ck_assert_uint_eq(c->spu[1].pic, 3);
	ck_assert_int_eq(c->spu[1].offload, CONFIG_OFFLOAD_SOFTWARE);
	ck_assert_int_eq(c->spu[1].profile, CONFIG_PROFILE_GENERIC);
	load_done(&l);
}
END_TEST

START_TEST(interfaces)
{
	struct loaded l;
	const struct config *c = gateway_of_the_lab(&l);
	const struct config_unit *u = config_unit_find(c, "ge-0/0/1.0");

	ck_assert_ptr_nonnull(u);
	ck_assert_str_eq(u->device, "eth1");
	ck_assert_ptr_eq(config_unit_find(c, "ge-0/0/1"), u);
	ck_assert_str_eq(u->zone->name, "trust");
	ck_assert_uint_eq(u->zone->index, 2);
	ck_assert_str_eq(config_unit_find(c, "xe-0/1/0.0")->device, "xe-0-1-0");
	ck_assert_str_eq(config_unit_find(c, "lo0.0")->device, "lo");
	ck_assert_int_eq(config_unit_find(c, "lo0.0")->interface->kind, CONFIG_IF_LOOPBACK);
	u = config_unit_find(c, "st0.1");
	ck_assert_str_eq(u->device, "st0.1");
	ck_assert(u->multipoint && u->interface->kind == CONFIG_IF_TUNNEL);
	ck_assert_uint_eq(u->next_hop_tunnels, 1);
	ck_assert_ptr_eq(u->next_hop_tunnel[0].vpn, config_vpn_find(c, "other"));
	u = config_unit_find(c, "eth0");
	ck_assert_uint_eq(u->addresses, 2);
	ck_assert_uint_eq(u->address[0].addr.b[3], 1); /* host bits kept */
	ck_assert_uint_eq(u->address[1].len, 64);
	ck_assert_ptr_null(config_unit_find(c, "eth9.0"));
	load_done(&l);
}
END_TEST

START_TEST(routes)
{
	struct loaded l;
	const struct config *c = gateway_of_the_lab(&l);
	char text[PREFIX_TEXT_MAX];

	ck_assert(c->permit_all);
	ck_assert_uint_eq(c->routes, 4);
	ck_assert_str_eq(prefix_text(&c->route[0].to, text), "10.2.0.0/16");
	ck_assert_ptr_eq(c->route[0].hop[0].unit, config_unit_find(c, "st0.0"));
	ck_assert_uint_eq(c->route[2].hops, 2);
	ck_assert_uint_eq(c->route[2].hop[0].addr.family, ADDR_V4);
	ck_assert_str_eq(prefix_text(&c->route[3].to, text), "2001:db8:2::/48");
	load_done(&l);
}
END_TEST

START_TEST(ike_as_written)
{
	struct loaded l;
	const struct config *c = gateway_of_the_lab(&l);
	const struct config_gateway *g = config_gateway_find(c, "east");
	const struct config_ike_proposal *p = g->policy->proposal[0];

	ck_assert_uint_eq(g->policy->proposals, 2);
	ck_assert_uint_eq(p->ciphers, 1);
	ck_assert_str_eq(p->cipher[0]->name, "aes-256-cbc");
	ck_assert_uint_eq(p->integ[0]->v2_id, INTEG_HMAC_SHA2_384_192);
	ck_assert_uint_eq(p->prf[0]->v2_id, PRF_HMAC_SHA2_384);
	ck_assert_uint_eq(p->ke[0]->v2_id, KE_MODP_2048);
	ck_assert_uint_eq(p->lifetime_s, 28800);
	ck_assert_uint_eq(g->policy->psk->len, 26);
	ck_assert_mem_eq(g->policy->psk->b, "a key of twenty-six letter", 26);
	ck_assert_ptr_eq(g->external, config_unit_find(c, "eth0.0"));
	ck_assert_uint_eq(g->local.b[3], 1);
	ck_assert_int_eq(g->local_id.type, CONFIG_ID_FQDN);
	ck_assert_str_eq((const char *)g->local_id.bytes, "west.example.net");
	ck_assert_int_eq(g->remote_id.type, CONFIG_ID_RFC822_ADDR);
	ck_assert(g->dpd && g->dpd_mode == CONFIG_DPD_ALWAYS_SEND);
	ck_assert_uint_eq(g->dpd_interval_s, 3);
	ck_assert(g->nat_traversal && g->force_udp_encapsulation);
	ck_assert(g->fragmentation && g->fragment_size == 1300); /* scenario 55 */
	load_done(&l);
}
END_TEST

START_TEST(ike_defaults)
{
	struct loaded l;
	const struct config *c = gateway_of_the_lab(&l);
	const struct config_gateway *g = config_gateway_find(c, "other");
	const struct config_ike_proposal *p = g->policy->proposal[0];

	ck_assert_uint_eq(p->ciphers, 2); /* the modern profile */
	ck_assert_str_eq(p->cipher[0]->name, "aes-256-gcm");
	ck_assert_str_eq(p->cipher[1]->name, "aes-128-gcm");
	ck_assert_uint_eq(p->integs, 0);
	ck_assert_uint_eq(p->prf[0]->v2_id, PRF_HMAC_SHA2_384);
	ck_assert_uint_eq(p->prf[1]->v2_id, PRF_HMAC_SHA2_256);
	ck_assert_uint_eq(p->kes, 4);
	ck_assert_uint_eq(p->ke[0]->v2_id, KE_CURVE25519);
	ck_assert_uint_eq(p->ke[3]->v2_id, KE_MODP_2048);
	ck_assert_uint_eq(p->lifetime_s, 28800);
	ck_assert(!g->dpd && g->nat_traversal && !g->force_udp_encapsulation);
	ck_assert(!g->fragmentation);
	ck_assert_uint_eq(g->nat_keepalive_s, 5);
	ck_assert_int_eq(g->local_id.type, CONFIG_ID_NONE);
	ck_assert_uint_eq(g->local.family, ADDR_V6);
	load_done(&l);
}
END_TEST

/* An AEAD cipher named alone has PRF SHA-256; a hash beside it is the PRF's. */
START_TEST(ike_aead_prf)
{
	struct loaded l;

	load_text("set security ike proposal a encryption-algorithm aes-256-gcm\n"
	          "set security ike proposal b encryption-algorithm aes-256-gcm "
	          "authentication-algorithm sha-512\n"
	          "set security ike proposal c encryption-algorithm aes-128-cbc\n",
	          &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	const struct config_ike_proposal *p = l.config->ike_proposal;
	ck_assert(p[0].prfs == 1 && p[0].prf[0]->v2_id == PRF_HMAC_SHA2_256 && p[0].integs == 0);
	ck_assert(p[1].prfs == 1 && p[1].prf[0]->v2_id == PRF_HMAC_SHA2_512 && p[1].integs == 0);
	ck_assert(p[2].integs == 1 && p[2].integ[0]->v2_id == INTEG_HMAC_SHA2_256_128);
	load_done(&l);
}
END_TEST

START_TEST(ipsec)
{
	struct loaded l;
	const struct config *c = gateway_of_the_lab(&l);
	const struct config_vpn *east = config_vpn_find(c, "east"),
	                        *other = config_vpn_find(c, "other");
	char text[PREFIX_TEXT_MAX];

	ck_assert_ptr_eq(east->gateway, config_gateway_find(c, "east"));
	ck_assert_ptr_eq(east->bind, config_unit_find(c, "st0.0"));
	ck_assert_int_eq(east->establish, CONFIG_ESTABLISH_IMMEDIATELY);
	ck_assert_int_eq(east->df, CONFIG_DF_COPY);
	ck_assert_uint_eq(east->replay_window, 1024);
	ck_assert_uint_eq(east->policy->proposal[0]->ciphers, 1);
	ck_assert(east->policy->proposal[0]->esn);
	ck_assert_uint_eq(east->policy->proposal[0]->lifetime_s, 3600);
	/* st0.0 has both families, and nothing else is said. */
	ck_assert_uint_eq(east->selectors, 2);
	ck_assert_str_eq(prefix_text(&east->selector[0].local, text), "0.0.0.0/0");
	ck_assert_str_eq(prefix_text(&east->selector[1].remote, text), "::/0");
	ck_assert_uint_eq(other->selectors, 1);
	ck_assert_str_eq(prefix_text(&other->selector[0].local, text), "10.1.0.0/24");
	ck_assert_str_eq(prefix_text(&other->selector[0].remote, text), "10.3.0.0/24");
	ck_assert_int_eq(other->establish, CONFIG_ESTABLISH_ON_TRAFFIC);
	ck_assert_int_eq(other->df, CONFIG_DF_CLEAR);
	ck_assert_uint_eq(other->replay_window, 0);
	ck_assert_uint_eq(other->policy->proposal[0]->ciphers, 2);
	load_done(&l);
}
END_TEST

START_TEST(what_is_done_to_packets_in_passing)
{
	struct loaded l;
	static const char *const mss[] = { "", "set security flow tcp-mss ipsec-vpn\n",
		                           "set security flow tcp-mss ipsec-vpn mss 1350\n" };
	static const uint32_t want[] = { 0, 1320, 1350 };
	char *text = load_file(EXAMPLES "/two-tunnels.conf"), all[16384];

	load_text(text, &l);
	ck_assert(!config_vpn_find(l.config, "east")->post_fragmentation);
	ck_assert(!config_vpn_find(l.config, "east")->copy_outer_dscp);
	struct text set;
	text_init(&set, 1 << 20);
	ck_assert_int_eq(grammar_write(tree_root(l.config->tree), GRAMMAR_SET, &set), ERR_OK);
	load_done(&l);
	for (size_t i = 0; i < ARRAY_LEN(mss); i++) {
		(void)snprintf(all, sizeof(all),
		               "%sset security ipsec vpn east fragmentation post-encryption\n"
		               "set security ipsec vpn east copy-outer-dscp\n%s",
		               text_of(&set), mss[i]);
		load_text(all, &l);
		ck_assert_msg(l.config != NULL, "%s", l.messages);
		const struct config_vpn *east = config_vpn_find(l.config, "east");
		ck_assert(east->post_fragmentation && east->copy_outer_dscp);
		ck_assert_uint_eq(east->tcp_mss, want[i]);
		load_done(&l);
	}
	text_done(&set);
	free(text);
}
END_TEST

/* What is shown can be loaded, and means the same. */
START_TEST(shown_loads_again)
{
	struct loaded l, again;
	struct text out;
	const struct config *c = gateway_of_the_lab(&l);

	text_init(&out, 1 << 20);
	ck_assert_int_eq(grammar_write(tree_root(c->tree), _i ? GRAMMAR_SET : GRAMMAR_BRACES, &out),
	                 ERR_OK);
	load_text(text_of(&out), &again);
	ck_assert_msg(again.config != NULL, "%s\n%s", again.messages, text_of(&out));
	ck_assert(secret_equal(secret_view(c->ike_policy[0].psk),
	                       secret_view(again.config->ike_policy[0].psk)));
	ck_assert_uint_eq(again.config->vpns, c->vpns);
	ck_assert_uint_eq(again.config->routes, c->routes);
	text_done(&out);
	load_done(&l);
	load_done(&again);
}
END_TEST

TESTS_OF(model)
{
	TCase *tc = tcase_create("model");

	tcase_add_test(tc, chassis);
	tcase_add_test(tc, interfaces);
	tcase_add_test(tc, routes);
	tcase_add_test(tc, ike_as_written);
	tcase_add_test(tc, ike_defaults);
	tcase_add_test(tc, ike_aead_prf);
	tcase_add_test(tc, ipsec);
	tcase_add_test(tc, what_is_done_to_packets_in_passing);
	tcase_add_loop_test(tc, shown_loads_again, 0, 2);
	return tc;
}
