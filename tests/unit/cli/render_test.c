// SPDX-License-Identifier: BSD-2-Clause
#include "render.h"
#include "runner.h"
#include "words.h"

static const struct {
	const char *line, *reply, *want;
} cases[] = {
	{ "show security ike security-associations",
	  "{\"sa\":[{\"index\":5802591,\"state\":\"UP\",\"initiator-cookie\":\"d31d6833108fd69f\","
	  "\"responder-cookie\":\"9ddfe2ce133086aa\",\"mode\":\"IKEv2\",\"remote-address\":\"1.0.0."
	  "1\"}]}",
	  "Index   State  Initiator cookie  Responder cookie  Mode           Remote Address\n"
	  "5802591 UP     d31d6833108fd69f  9ddfe2ce133086aa  IKEv2          1.0.0.1\n" },
	{ "show security ike security-associations", "{\"sa\":[]}",
	  "Index   State  Initiator cookie  Responder cookie  Mode           Remote Address\n" },
	{ "show security ike security-associations detail",
	  "{\"sa\":[{\"index\":7,\"gateway\":\"east\",\"remote-address\":\"192.0.2.2\",\"fpc\":0,"
	  "\"pic\":1,"
	  "\"anchor\":9,\"kmd-instance\":1,\"role\":\"Initiator\",\"state\":\"UP\",\"initiator-"
	  "cookie\":\"a\","
	  "\"responder-cookie\":\"b\",\"exchange-type\":\"IKEv2\",\"authentication-method\":\"Pre-"
	  "shared-keys\","
	  "\"local\":\"192.0.2.1:500\",\"remote\":\"192.0.2.2:500\",\"expires-in-s\":28622,"
	  "\"peer-ike-id\":\"east.example.net\",\"encryption\":\"aes-256-gcm\","
	  "\"pseudo-random-function\":\"hmac-sha256\",\"diffie-hellman-group\":\"group31\",\"input-"
	  "bytes\":852,"
	  "\"output-bytes\":940,\"input-packets\":5,\"output-packets\":6,\"flags\":[\"IKE SA is "
	  "created\"],"
	  "\"ipsec-security-associations-created\":1,\"ipsec-security-associations-deleted\":0}]}",
	  "IKE peer 192.0.2.2, Index 7, Gateway Name: east\n"
	  "  Location: FPC 0, PIC 1, KMD-Instance 1, Anchor 9\n"
	  "  Role: Initiator, State: UP\n"
	  "  Initiator cookie: a, Responder cookie: b\n"
	  "  Exchange type: IKEv2, Authentication method: Pre-shared-keys\n"
	  "  Local: 192.0.2.1:500, Remote: 192.0.2.2:500\n"
	  "  Lifetime: Expires in 28622 seconds\n"
	  "  Local ike-id: -\n"
	  "  Peer ike-id: east.example.net\n"
	  "  Algorithms:\n"
	  "   Authentication        : -\n"
	  "   Encryption            : aes-256-gcm\n"
	  "   Pseudo random function: hmac-sha256\n"
	  "   Diffie-Hellman group  : group31\n"
	  "  Traffic statistics:\n"
	  "   Input  bytes  :                  852\n"
	  "   Output bytes  :                  940\n"
	  "   Input  packets:                    5\n"
	  "   Output packets:                    6\n"
	  "  Flags: IKE SA is created\n"
	  "  IPSec security associations: 1 created, 0 deleted\n" },
	{ "show security ipsec security-associations",
	  "{\"total-active-tunnels\":1,\"sa\":[{\"tunnel-index\":131073,\"algorithm\":\"ESP:aes-"
	  "gcm-128/none\","
	  "\"virtual-system\":\"root\",\"state\":\"installed\",\"port\":4500,\"remote-gateway\":"
	  "\"1.1.1.1\","
	  "\"inbound\":{\"spi\":\"0xac23df79\",\"hard-expires-in-s\":2532},"
	  "\"outbound\":{\"spi\":\"0xcbc9281a\",\"hard-expires-in-s\":2532}}]}",
	  "  Total active tunnels: 1\n"
	  "  ID      Algorithm            SPI      Life:sec/kb     Sta vsys Port  Gateway\n"
	  "  <131073 ESP:aes-gcm-128/none ac23df79   2532/ unlim   I   root 4500  1.1.1.1\n"
	  "  >131073 ESP:aes-gcm-128/none cbc9281a   2532/ unlim   I   root 4500  1.1.1.1\n" },
	{ "show security ipsec security-associations index 131073",
	  "{\"total-active-tunnels\":1,\"sa\":[{\"tunnel-index\":131073,\"virtual-system\":"
	  "\"root\",\"vpn-name\":\"v\","
	  "\"local-gateway\":\"192.0.2.1\",\"remote-gateway\":\"192.0.2.2\",\"port\":500,"
	  "\"local-identity\":[\"ipv4_subnet(any:0,[0..7]=0.0.0.0/"
	  "0)\"],\"remote-identity\":[\"x\",\"y\"],"
	  "\"version\":\"IKEv2\",\"df-bit\":\"clear\",\"bind-interface\":\"st0.0\",\"engine-"
	  "choice\":\"automatic\","
	  "\"fpc\":0,\"pic\":0,\"kmd-instance\":0,\"anchor\":4,\"mode\":\"tunnel\",\"type\":"
	  "\"dynamic\","
	  "\"state\":\"installed\",\"protocol\":\"ESP\",\"encryption\":\"aes-128-gcm\","
	  "\"anti-replay-service\":\"enabled\",\"anti-replay-window\":64,\"extended-sequence-"
	  "number\":true,"
	  "\"inbound\":{\"spi\":\"0x0000ac04\",\"aux-spi\":0,\"engine\":\"inline\",\"packets\":3,"
	  "\"bytes\":252,"
	  "\"sequence-number\":3,\"hard-expires-in-s\":10,\"soft-expires-in-s\":0}}]}",
	  "  ID: 131073 Virtual-system: root, VPN Name: v\n"
	  "  Local Gateway: 192.0.2.1, Remote Gateway: 192.0.2.2, Port: 500\n"
	  "  Local Identity: ipv4_subnet(any:0,[0..7]=0.0.0.0/0)\n"
	  "  Remote Identity: x\n"
	  "  Remote Identity: y\n"
	  "  Version: IKEv2\n"
	  "    DF-bit: clear, Bind-interface: st0.0, Engine choice: automatic\n"
	  "\n"
	  "    Location: FPC 0, PIC 0, KMD-Instance 0, Anchor 4\n"
	  "    Direction: inbound, SPI: 0x0000ac04, AUX-SPI: 0, VPN Monitoring: -\n"
	  "    Hard lifetime: Expires in 10 seconds\n"
	  "    Lifesize Remaining: Unlimited\n"
	  "    Soft lifetime: Expired\n"
	  "    Mode: tunnel, Type: dynamic, State: installed\n"
	  "    Protocol: ESP, Authentication: -, Encryption: aes-128-gcm\n"
	  "    Anti-replay service: counter-based enabled, Replay window size: 64\n"
	  "    Extended sequence number: yes, Sequence number: 3\n"
	  "    Engine: inline, Packets: 3, Bytes: 252\n" },
	{ "show security ipsec statistics",
	  "{\"virtual-system\":\"root\",\"encrypted-bytes\":536408,\"decrypted-bytes\":696696,"
	  "\"encrypted-packets\":1246,\"decrypted-packets\":888,\"ah-input-bytes\":0,\"ah-output-"
	  "bytes\":0,"
	  "\"ah-input-packets\":0,\"ah-output-packets\":0,\"ah-authentication-failures\":0,"
	  "\"replay-errors\":2,"
	  "\"esp-authentication-failures\":1,\"esp-decryption-failures\":0,\"bad-headers\":0,\"bad-"
	  "trailers\":0}",
	  "  Virtual-system: root\n"
	  "ESP Statistics:\n"
	  "  Encrypted bytes:                  536408\n"
	  "  Decrypted bytes:                  696696\n"
	  "  Encrypted packets:                  1246\n"
	  "  Decrypted packets:                   888\n"
	  "AH Statistics:\n"
	  "  Input bytes:                           0\n"
	  "  Output bytes:                          0\n"
	  "  Input packets:                         0\n"
	  "  Output packets:                        0\n"
	  "Errors:\n"
	  "  AH authentication failures: 0, Replay errors: 2\n"
	  "  ESP authentication failures: 1, ESP decryption failures: 0\n"
	  "  Bad headers: 0, Bad trailers: 0\n" },
	{ "show security flow drops",
	  "{\"in\":100,\"out\":90,\"held\":1,\"made\":0,\"merged\":0,\"consumed\":2,\"drop\":["
	  "{\"reason\":\"replayed or too old\",\"where\":\"spu-0-0\",\"packets\":4},"
	  "{\"reason\":\"no route\",\"where\":\"edge\",\"packets\":3}]}",
	  "in                         100\n"
	  "out                         90\n"
	  "held                         1\n"
	  "made                         0\n"
	  "merged                       0\n"
	  "consumed                     2\n"
	  "dropped                      7\n"
	  "\n"
	  "Reason                               Where                       Packets\n"
	  "replayed or too old                  spu-0-0                           4\n"
	  "no route                             edge                              3\n" },
	{ "show chassis spu",
	  "{\"spu\":[{\"fpc\":0,\"pic\":1,\"state\":\"active\",\"port\":\"emulated\",\"profile\":"
	  "\"82599\","
	  "\"offload\":\"inline\",\"weight\":100,\"anchors\":128,\"sas-inline\":2,\"sas-software\":"
	  "0,"
	  "\"packets-in\":10,\"packets-out\":11,\"cpu-percent\":2.25}]}",
	  "FPC PIC State    Port     Profile  Offload  Weight Anchors SAs inline SAs software   "
	  "Packets in  Packets out  CPU %\n"
	  "  0   1 active   emulated 82599    inline      100     128          2            0      "
	  "     10           11    2.2\n" },
	{ "clear security ike security-associations", "{\"cleared\":3}", "" },
	{ "show configuration", "{\"braces\":\"a {\\n}\\n\",\"set\":\"set a\\n\"}", "a {\n}\n" },
	{ "show configuration | display set", "{\"braces\":\"a {\\n}\\n\",\"set\":\"set a\\n\"}",
	  "set a\n" },
	{ "request system configuration load x",
	  "{\"file\":\"x\",\"warning\":[\"x:1: warning: odd\"]}",
	  "x:1: warning: odd\nload complete\n" },
	/* A document that is not what it should be shows dashes, and nothing worse. */
	{ "show chassis spu", "{\"spu\":[7]}",
	  "FPC PIC State    Port     Profile  Offload  Weight Anchors SAs inline SAs software   "
	  "Packets in  Packets out  CPU %\n"
	  "  -   - -        -        -        -             -       -          -            -      "
	  "      -            -      -\n" },
	{ "show security ipsec security-associations detail", "{\"sa\":{}}", "" },
};

START_TEST(tables)
{
	json_t *reply = json_loads(cases[_i].reply, 0, NULL);
	struct cli_request r;
	struct text out;
	struct why why = { 0 };
	struct words w;

	ck_assert_ptr_nonnull(reply);
	words_of(cases[_i].line, &w);
	ck_assert_msg(cli_parse(w.at, w.n, &r, &why) == ERR_OK, "%s", why.text);
	text_init(&out, RENDER_MAX);
	ck_assert_int_eq(cli_render(&r, reply, &out), ERR_OK);
	ck_assert_msg(strcmp(text_of(&out), cases[_i].want) == 0, "\n%s\ninstead of\n%s",
	              text_of(&out), cases[_i].want);
	text_done(&out);
	cli_request_done(&r);
	json_decref(reply);
}
END_TEST

START_TEST(errors)
{
	json_t *reply = cli_error("no such SPU", "fpc 5 pic 0", "one of show chassis spu");
	struct text out;

	text_init(&out, RENDER_MAX);
	cli_render_error(reply, &out);
	ck_assert_str_eq(text_of(&out),
	                 "error: fpc 5 pic 0: no such SPU; expected one of show chassis spu\n");
	text_done(&out);
	json_decref(reply);
}
END_TEST

TESTS_OF(render)
{
	TCase *tc = tcase_create("render");

	tcase_add_loop_test(tc, tables, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, errors);
	return tc;
}
