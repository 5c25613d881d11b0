// SPDX-License-Identifier: BSD-2-Clause
/* The rules between statements: each breaks a sound configuration in one
 * place, and sees the message. */
#include "load.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *rule, *lines;
	bool error; /* or a warning */
	const char *says;
} cases[] = {
	{ "V-01", "set security ike gateway east ike-policy x", true,
	  "security ike gateway east ike-policy: policy \"x\" does not exist; known: east, other" },
	{ "V-01", "set security ike policy east proposals x", true,
	  "security ike policy east proposals: proposal \"x\" does not exist; known: cbc, modern" },
	{ "V-01", "set security ipsec vpn east ike gateway x", true,
	  "security ipsec vpn east ike gateway: gateway \"x\" does not exist; known: east, other" },
	{ "V-01", "set security ipsec vpn east ike ipsec-policy x", true,
	  "ipsec-policy: policy \"x\" does not exist; known: east, other" },
	{ "V-01", "deactivate security ike policy other", true,
	  "security ike gateway other ike-policy: policy \"other\" is deactivated" },
	{ "V-01", "set security zones security-zone trust interfaces eth7.0", true,
	  "security zones security-zone trust interfaces eth7.0: there is no such unit under "
	  "interfaces" },
	{ "V-01", "set security ike gateway east external-interface eth7.0", true,
	  "external-interface: \"eth7.0\" is no unit under interfaces" },
	{ "V-02",
	  "set security ike policy east proposals [ p1 p2 p3 ]\nset security ike proposal p1\n"
	  "set security ike proposal p2\nset security ike proposal p3",
	  true, "more than 4 proposals" },
	{ "V-02", "set security ike gateway east address 192.0.2.9", true,
	  "backup addresses are not supported in this version" },
	{ "V-10", "delete security ike gateway east address", true,
	  "security ike gateway east: address is missing" },
	{ "V-10", "set security ike gateway east dynamic hostname a.example.net", true,
	  "security ike gateway east dynamic: excludes address" },
	{ "V-11", "delete security ike gateway east ike-policy", true,
	  "security ike gateway east: ike-policy is missing" },
	{ "V-11", "delete security ike gateway east external-interface", true,
	  "security ike gateway east: external-interface is missing" },
	{ "V-12", "delete security ike policy east proposals", true,
	  "security ike policy east: no proposals; expected exactly one of: proposals, "
	  "proposal-set" },
	{ "V-12", "set security ike policy east proposal-set suiteb-gcm-128", true,
	  "security ike policy east: proposals and proposal-set exclude each other" },
	{ "scenario 14", "set security ike proposal modern lifetime-seconds 3600", true,
	  "security ike gateway east ike-policy: the proposals of policy \"east\" have different "
	  "lifetimes (\"cbc\" 28800, \"modern\" 3600 seconds)" },
	{ "sets of certificates",
	  "delete security ike policy east proposals\n"
	  "set security ike policy east proposal-set prime-256",
	  true, "\"prime-256\" authenticates by ECDSA certificates, which are not supported" },
	{ "V-13", "delete security ike policy east pre-shared-key", true,
	  "security ike policy east: pre-shared-key is missing" },
	{ "V-13", "set security ike proposal cbc authentication-method rsa-signatures", true,
	  "\"rsa-signatures\" is not supported in this version; supported: pre-shared-keys" },
	{ "one key",
	  "set security ike policy east pre-shared-key hexadecimal "
	  "00112233445566778899aabbccddeeff",
	  true,
	  "pre-shared-key: more than one value; expected exactly one of: ascii-text, hexadecimal" },
	{ "V-18", "set security ike gateway east local-identity inet 1.1.1.1", true,
	  "local-identity: more than one value; expected exactly one of: hostname, inet, inet6, "
	  "key-id" },
	{ "no value", "delete security ike gateway east local-identity hostname", true,
	  "security ike gateway east local-identity: no value" },
	{ "V-22", "set security ike gateway east dead-peer-detection threshold 3", false,
	  "dead-peer-detection threshold: fixed at 5 with IKEv2; ignored" },
	{ "DPD modes", "set security ike gateway east dead-peer-detection optimized", true,
	  "expected one of always-send, optimized, probe-idle-tunnel" },
	{ "V-24", "set security ike policy east mode main", false,
	  "security ike policy east mode: accepted, has no effect in this version" },
	{ "V-26",
	  "set security ike gateway twin ike-policy east address 192.0.2.2 external-interface "
	  "eth0.0 "
	  "remote-identity user-at-hostname east@example.net",
	  true,
	  "security ike gateway twin: has the address, external-interface and remote-identity of "
	  "gateway \"east\"" },
	{ "NAT", "set security ike gateway east no-nat-traversal", true,
	  "no-nat-traversal and force-udp-encapsulation exclude each other" },
	{ "scenario 55", "set security ike gateway east fragmentation size 499", true,
	  "security ike gateway east fragmentation size" },
	{ "scenario 55", "set security ike gateway east fragmentation size 1301", true,
	  "security ike gateway east fragmentation size" },
	{ "tunnel", "set security ike gateway east external-interface st0.0", true,
	  "IKE cannot go through the tunnel interface st0.0" },
	{ "V-30", "set security ipsec proposal gcm protocol ah", true,
	  "security ipsec proposal gcm encryption-algorithm: protocol ah does not encrypt" },
	{ "scenario 166",
	  "set security ipsec proposal gcm authentication-algorithm hmac-sha-256-128", true,
	  "authentication-algorithm: \"aes-128-gcm\" has integrity of its own; delete this" },
	{ "GMAC in ESP",
	  "set security ipsec proposal x encryption-algorithm aes-128-cbc "
	  "authentication-algorithm aes-gmac-192",
	  true,
	  "\"aes-gmac-192\" is of protocol ah; with esp the same is encryption-algorithm "
	  "null-aes-192-gmac" },
	{ "unauthenticated", "set security ipsec proposal gcm allow-unauthenticated-esp", true,
	  "security ipsec proposal gcm allow-unauthenticated-esp: not supported in this version" },
	{ "weak cipher", "set security ike proposal cbc encryption-algorithm 3des-cbc", false,
	  "security ike proposal cbc encryption-algorithm: \"3des-cbc\" is weak" },
	{ "weak hash", "set security ike proposal cbc authentication-algorithm md5", false,
	  "security ike proposal cbc authentication-algorithm: \"md5\" is weak" },
	{ "V-17", "set security ike proposal cbc dh-group group1", false,
	  "security ike proposal cbc dh-group: \"group1\" is weak" },
	{ "PFS", "set security ipsec policy east perfect-forward-secrecy keys group24", false,
	  "perfect-forward-secrecy keys: \"group24\" is weak" },
	{ "PFS", "set security ipsec policy east perfect-forward-secrecy", true,
	  "security ipsec policy east perfect-forward-secrecy: keys is missing" },
	{ "V-31", "delete security ipsec vpn east ike", true,
	  "security ipsec vpn east: ike is missing" },
	{ "V-32", "delete security ipsec vpn east ike gateway", true,
	  "security ipsec vpn east ike: gateway is missing" },
	{ "V-40",
	  "delete security zones security-zone untrust host-inbound-traffic system-services ike",
	  false, "zone \"untrust\" of eth0.0 does not let IKE in: the peer cannot reach us" },
	{ "V-41", "delete interfaces eth0 unit 0 family inet address 192.0.2.1/24", false,
	  "security ike gateway east external-interface: eth0.0 has no IPv4 address, as the peer's "
	  "is" },
	{ "V-48", "set security ipsec vpn east bind-interface st0.7", true,
	  "bind-interface: \"st0.7\" is no unit of st0 under interfaces; expected st0.N" },
	{ "V-48", "set security ipsec vpn east bind-interface eth0.0", true,
	  "bind-interface: \"eth0.0\" is no unit of st0" },
	{ "V-48", "delete security zones security-zone trust interfaces st0.0", false,
	  "interfaces st0 unit 0: st0.0 is in no zone: its traffic is dropped" },
	{ "no bind", "delete security ipsec vpn east bind-interface", true,
	  "security ipsec vpn east: bind-interface is missing" },
	{ "V-49",
	  "set security ipsec vpn third bind-interface st0.0 ike gateway other ipsec-policy other",
	  true,
	  "security ipsec vpn third: st0.0 is bound by vpn \"east\" too; set interfaces st0 unit 0 "
	  "multipoint" },
	{ "V-50",
	  "set security ipsec vpn third bind-interface st0.2 ike gateway east ipsec-policy other\n"
	  "set interfaces st0 unit 2 family inet",
	  true,
	  "security ipsec vpn third: vpn \"east\" has the same gateway and carries the same" },
	{ "V-51", "delete interfaces st0 unit 1 multipoint", true,
	  "next-hop-tunnel needs a multipoint unit of st0; add multipoint" },
	{ "V-51", "set interfaces st0 unit 1 family inet next-hop-tunnel 10.255.0.2 ipsec-vpn east",
	  true, "next-hop-tunnel 10.255.0.2: vpn \"east\" is bound to st0.0, not to st0.1" },
	{ "V-51",
	  "set interfaces st0 unit 1 family inet next-hop-tunnel 10.255.0.1 ipsec-vpn other", true,
	  "next-hop-tunnel 10.255.0.1: is the unit's own address" },
	{ "V-74", "set security ipsec vpn other ike proxy-identity remote ::/0", true,
	  "proxy-identity: local and remote are of different families" },
	{ "V-75", "delete security ipsec vpn other ike proxy-identity remote", true,
	  "security ipsec vpn other ike proxy-identity: remote is missing" },
	{ "selectors",
	  "set security ipsec vpn other traffic-selector a local-ip 10.1.0.0/24 remote-ip "
	  "10.3.0.0/24",
	  true, "proxy-identity and traffic-selector exclude each other" },
	{ "selectors",
	  "set security ipsec vpn east traffic-selector a local-ip 10.1.0.0/24 remote-ip "
	  "10.2.0.0/24\n"
	  "set security ipsec vpn east traffic-selector b local-ip 10.1.1.0/24 remote-ip "
	  "10.2.1.0/24",
	  true, "a second selector for IPv4 is not supported in this version" },
	{ "scenario 40", "set security ike policy east reauth-frequency 101", true,
	  "security ike policy east reauth-frequency: \"101\" is out of range; expected 0..100" },
	{ "scenario 51", "set security ike policy other reauth-frequency 100", false,
	  "security ike gateway other: reauth-frequency of policy \"other\" without "
	  "dead-peer-detection or nat-keepalive" },
	{ "scenario 140", "set security ike gateway east dead-peer-detection interval 61", true,
	  "dead-peer-detection interval: \"61\" is out of range; expected 0..60" },
	{ "scenario 140", "set security ike gateway east dead-peer-detection threshold 6", true,
	  "dead-peer-detection threshold: \"6\" is out of range; expected 1..5" },
	{ "scenario 140", "set security ipsec vpn east vpn-monitor", true,
	  "security ipsec vpn east vpn-monitor: not supported in this version" },
	{ "scenario 145",
	  "set interfaces st0 unit 2 family inet\n"
	  "set security ipsec vpn third bind-interface st0.2 ike gateway other ipsec-policy other\n"
	  "set security ipsec vpn third ike proxy-identity local 10.7.0.0/24 remote 10.8.0.0/24\n"
	  "set security ipsec vpn other establish-tunnels responder-only",
	  true,
	  "security ipsec vpn third: establish-tunnels on-traffic, but vpn \"other\" of the same "
	  "gateway has responder-only" },
	{ "scenario 146",
	  "delete security ike gateway other address\n"
	  "set security ike gateway other dynamic hostname spoke.example.net\n"
	  "set security ipsec vpn other establish-tunnels responder-only",
	  true,
	  "security ipsec vpn other establish-tunnels: responder-only is for peers with an "
	  "address" },
	{ "scenario 210",
	  "set interfaces st0 unit 2 family inet\n"
	  "set security ipsec vpn third bind-interface st0.2 ike gateway other ipsec-policy other\n"
	  "set security ipsec vpn third ike proxy-identity local 10.7.0.0/24 remote 10.8.0.0/24\n"
	  "set security ipsec vpn third establish-tunnels responder-only\n"
	  "set security ipsec vpn other establish-tunnels responder-only-no-rekey",
	  true,
	  "establish-tunnels responder-only, but vpn \"other\" of the same gateway has "
	  "responder-only-no-rekey" },
	{ "scenario 210",
	  "set security ike policy other reauth-frequency 2\n"
	  "set security ike gateway other dead-peer-detection\n"
	  "set security ipsec vpn other establish-tunnels responder-only-no-rekey",
	  true, "responder-only-no-rekey excludes reauth-frequency of policy \"other\"" },
	{ "idle time", "set security ipsec vpn other ike idle-time 59", true,
	  "security ipsec vpn other ike idle-time: \"59\" is out of range; expected 60..999999" },
	{ "idle time", "set security ipsec vpn east ike idle-time 60", false,
	  "with establish-tunnels immediately the SAs are negotiated anew" },
	{ "replay", "set security ipsec vpn east ike anti-replay-window-size 100", true,
	  "100 is no power of two; expected one in 64..4096" },
	{ "replay", "set security ipsec vpn east ike anti-replay-window-size 2048", true,
	  "2048 is not supported in this version; expected at most 1024" },
	{ "replay", "set security ipsec vpn other ike anti-replay-window-size 64", true,
	  "no-anti-replay and anti-replay-window-size exclude each other" },
	{ "zones", "set security zones security-zone untrust interfaces st0.0", true,
	  "security zones security-zone trust interfaces st0.0: is in zone \"untrust\" already" },
	{ "zones",
	  "set security zones security-zone untrust host-inbound-traffic system-services ikee",
	  true, "system-services: \"ikee\" is not known; did you mean ike?" },
	{ "a port without crypto", "set chassis fpc 3 pic 1 port vdev net_tap0", true,
	  "no such driver in this version; expected one of: net_af_packetN" },
	{ "a port without crypto", "set chassis fpc 3 pic 1 port vdev net_af_packet", true,
	  "no such driver" },
	{ "a port without crypto", "set chassis fpc 3 pic 1 port vdev net_af_packet0,iface=eth0",
	  true, "iface=eth0 is refused; expected iface=wire-3-1p" },
	{ "a port without crypto", "set chassis fpc 3 pic 1 port vdev net_af_packet0,qpairs=2",
	  true, "qpairs=2 is refused" },
	{ "a port without crypto",
	  "set chassis fpc 3 pic 1 port vdev net_af_packet0\n"
	  "set chassis fpc 3 pic 1 offload inline",
	  true, "port vdev has no crypto; expected software" },
	{ "a port without crypto",
	  "set chassis fpc 3 pic 1 port vdev net_af_packet0\n"
	  "set chassis fpc 3 pic 1 profile 82599",
	  true, "port vdev has no profile" },
	{ "devices", "set interfaces eth1 unit 0", true,
	  "its Linux device is also that of interfaces ge-0/0/1" },
	{ "devices", "set interfaces st0 device eth5", true, "st0 has no device" },
	{ "addresses", "set interfaces xe-0/1/0 unit 0 family inet address 192.0.2.1/24", true,
	  "the address is also that of interfaces eth0 unit 0 family inet address 192.0.2.1/24" },
	{ "units", "set interfaces eth0 unit 5 family inet address 192.0.3.1/24", true,
	  "interfaces eth0 unit 5: only unit 0 is supported in this version" },
	{ "units", "set interfaces eth0 unit 0 multipoint", true,
	  "multipoint is for units of st0 only" },
	{ "routes", "set routing-options static route 10.9.0.0/16 next-hop st0.9", true,
	  "routing-options static route 10.9.0.0/16 next-hop: \"st0.9\" is no unit under "
	  "interfaces" },
	{ "routes", "set routing-options static route 10.9.0.0/16 next-hop st0.1", true,
	  "st0.1 is multipoint, so the next hop chooses the tunnel" },
	{ "routes", "set routing-options static route 10.9.0.0/16 next-hop 2001:db8::1", true,
	  "2001:db8::1 is of another family than the route" },
	{ "routes", "set routing-options static route 10.9.0.0/16", true,
	  "routing-options static route 10.9.0.0/16: next-hop is missing" },
	{ "routes", "set routing-options static route 10.2.3.0/16 next-hop st0.0", true,
	  "route 10.2.0.0/16 is there twice" },
	{ "routes", "set routing-options static route 10.9.9.0/16 next-hop st0.0", false,
	  "taken as 10.9.0.0/16" },
	{ "empty", "set security ike policy none", true,
	  "security ike policy none: is empty; missing: pre-shared-key" },
	{ "empty", "set security ipsec vpn none", true,
	  "security ipsec vpn none: is empty; missing: bind-interface" },
	{ "deny-all", "delete security policies", false,
	  "security ipsec: security policies default-policy is deny-all" },
	{ "no SPU", "delete chassis", false, "there is no SPU: the VPNs will carry nothing" },
	{ "parse only",
	  "set security user-identification authentication-source local-authentication-table "
	  "disable",
	  false, "local-authentication-table disable: accepted, has no effect in this version" },
};

START_TEST(rules)
{
	char *base = load_file(EXAMPLES "/two-tunnels.conf");
	char *text = calloc(1, strlen(base) + strlen(cases[_i].lines) + 3);
	struct loaded l;

	(void)sprintf(text, "%s\n%s\n", base, cases[_i].lines);
	load_text(text, &l);
	ck_assert_msg((l.config == NULL) == cases[_i].error, "%s:\n%s", cases[_i].lines,
	              l.messages);
	ck_assert_msg(strstr(l.messages, cases[_i].says) != NULL, "%s: %s\nsays:\n%s",
	              cases[_i].rule, cases[_i].lines, l.messages);
	/* One mistake, one message. */
	ck_assert_msg(l.report.messages <= 2, "%s\nsays:\n%s", cases[_i].lines, l.messages);
	free(base);
	free(text);
	load_done(&l);
}
END_TEST

TESTS_OF(model_errors)
{
	TCase *tc = tcase_create("model_errors");

	tcase_add_loop_test(tc, rules, 0, ARRAY_LEN(cases));
	return tc;
}
