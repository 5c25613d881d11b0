// SPDX-License-Identifier: BSD-2-Clause
/* security ipsec vpn V manual: what commit says of keys by hand (MAN-01 to 04, V-31 to V-36). */
#include "algorithms.h"
#include "load.h"
#include "runner.h"
#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V "set security ipsec vpn hand "
#define M V "manual "
#define AUTH M "authentication algorithm hmac-sha1-96 key "
#define ENC M "encryption algorithm "
#define TWENTY "12345678901234567890"

static const char base[] =
        "set chassis fpc 0 pic 0\n"
        "set security policies default-policy permit-all\n"
        "set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n"
        "set interfaces st0 unit 0 family inet\n"
        "set interfaces st0 unit 1 family inet\n"
        "set security zones security-zone z interfaces eth0.0\n"
        "set security zones security-zone z interfaces st0.0\n"
        "set security zones security-zone z interfaces st0.1\n" V "bind-interface st0.0\n" M
        "gateway 192.0.2.2 external-interface eth0.0 protocol esp spi 300\n" AUTH
        "ascii-text " TWENTY "\n" ENC "aes-128-cbc key ascii-text 0123456789abcdef\n";

static const struct {
	const char *what, *lines;
	bool error;
	const char *says;
} cases[] = {
	{ "173: whole", "", false, "manual: the SA never expires" },
	{ "IKE-005", "", false, "the peer is not authenticated" },
	{ "IKE-005", "", false, "SPI and keys are fixed" },
	{ "IKE-005", "", false, "up as soon as both ends are configured" },
	{ "174: the lowest SPI", M "spi 256", false, "the SA never expires" },
	{ "174: the highest SPI", M "spi 16639", false, "the SA never expires" },
	{ "174: a reserved SPI", M "spi 255", true, "256..16639" },
	{ "174: beyond the highest SPI", M "spi 16640", true, "256..16639" },
	{ "175: a short key", AUTH "ascii-text 1234567890123456789", true,
	  "expected 20 characters of ascii-text or 40 hexadecimal digits" },
	{ "175: hexadecimal",
	  "delete security ipsec vpn hand manual authentication key ascii-text\n" AUTH
	  "hexadecimal 0102030405060708090a0b0c0d0e0f1011121314",
	  false, "the SA never expires" },
	{ "176: a cipher that counts", ENC "aes-128-gcm", true, "aes-128-cbc" },
	{ "169: K2 = K3", ENC "3des-cbc key ascii-text abcdefghijklmnopijklmnop", false,
	  "the second and the third part of the key are equal" },
	{ "169: K1 = K2", ENC "3des-cbc key ascii-text abcdefghabcdefghijklmnop", false,
	  "the first and the second part of the key are equal" },
	{ "169: modern",
	  "set security ipsec crypto-profile modern\n" ENC
	  "3des-cbc key ascii-text abcdefghijklmnopijklmnop",
	  true, "crypto-profile modern does not allow it" },
	{ "214: weak",
	  "delete security ipsec vpn hand manual encryption key\n" ENC
	  "des-cbc key hexadecimal 0101010101010101",
	  false, "weak or semi-weak key of DES" },
	{ "214: semi-weak, other parity",
	  "delete security ipsec vpn hand manual encryption key\n" ENC
	  "des-cbc key hexadecimal 1ee01ee00ef00ef0",
	  false, "weak or semi-weak key of DES" },
	{ "34: transport mode", "set security ipsec security-association a mode transport", true,
	  "transport mode is not supported" },
	{ "V-31: neither", "delete security ipsec vpn hand manual", true,
	  "ike is missing; expected it, or manual" },
	{ "V-31: both", V "ike no-anti-replay", true, "ike and manual exclude each other" },
	{ "V-33: no SPI", "delete security ipsec vpn hand manual spi", true, "spi is missing" },
	{ "V-33: AH encrypts", M "protocol ah", true, "AH does not encrypt" },
	{ "V-34: an SPI twice",
	  "set security ipsec vpn more bind-interface st0.1\n"
	  "set security ipsec vpn more manual gateway 192.0.2.3 external-interface eth0.0 protocol "
	  "esp spi 300\n"
	  "set security ipsec vpn more manual authentication algorithm hmac-sha1-96 key "
	  "ascii-text " TWENTY,
	  true, "spi: is also that of vpn \"hand\"" },
	{ "V-36", V "establish-tunnels immediately", false, "has no effect with manual keys" },
	{ "V-37, V-41: no such address", M "gateway 2001:db8::2", false, "has no IPv6 address" },
	{ "in clear", "delete security ipsec vpn hand manual encryption", false,
	  "there is no encryption" },
};

START_TEST(scenario_169_174_to_176_214_rules_of_manual_keys)
{
	char text[4096];
	struct loaded l;

	(void)snprintf(text, sizeof(text), "%s%s\n", base, cases[_i].lines);
	load_text(text, &l);
	ck_assert_msg((l.config == NULL) == cases[_i].error, "%s:\n%s", cases[_i].what, l.messages);
	ck_assert_msg(strstr(l.messages, cases[_i].says) != NULL, "%s: says:\n%s", cases[_i].what,
	              l.messages);
	ck_assert_msg(strstr(l.messages, "1234567890") == NULL, "a key is shown:\n%s", l.messages);
	load_done(&l);
}
END_TEST

START_TEST(a_manual_vpn_is_complete)
{
	struct loaded l;

	load_text(base, &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	const struct config_manual *m = config_vpn_find(l.config, "hand")->manual;
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->spi, 300);
	ck_assert_uint_eq(m->protocol, PROTO_ESP);
	ck_assert_str_eq(m->cipher->name, "aes-128-cbc");
	ck_assert_str_eq(m->integ->name, "hmac-sha1-96");
	ck_assert_mem_eq(secret_view(m->auth_key).p, TWENTY, 20);
	ck_assert_uint_eq(m->local.family, ADDR_V4);
	ck_assert_ptr_null(config_vpn_find(l.config, "hand")->gateway);
	load_done(&l);
}
END_TEST

TESTS_OF(manual)
{
	TCase *tc = tcase_create("manual");

	tcase_add_loop_test(tc, scenario_169_174_to_176_214_rules_of_manual_keys, 0,
	                    ARRAY_LEN(cases));
	tcase_add_test(tc, a_manual_vpn_is_complete);
	return tc;
}
