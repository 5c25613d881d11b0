// SPDX-License-Identifier: BSD-2-Clause
#include "expect.h"
#include "runner.h"

#include <string.h>

#define US "192.0.2.1"
#define US6 "2001:db8:1::1"
#define PEER "198.51.100.9"
#define PEER6 "2001:db8:9::9"
#define HOST "10.1.1.2"
#define HOST6 "2001:db8:2::2"
#define REMOTE "10.2.0.5"
#define REMOTE6 "2001:db8:a::5"
#define ESP .protocol = 50, .spi = 0xa1b2c3d4
#define UDP .protocol = 17
#define TCP .protocol = 6
#define PING .protocol = 1, .port = 8
#define OUT .fabric = FABRIC_WIRE_OUT
#define IN(st0) .fabric = FABRIC_PLAIN_IN, .ingress = st0
#define DROPS(reason) .action = XDP_DROP, .drop = DROP_##reason, .out = SAME
#define SENDS(dst, src) \
	.action = XDP_REDIRECT, .drop = DROP_NONE, .out = SENT, .arg = dst, .source = src
#define LEAVES(dst, src) \
	.action = XDP_REDIRECT, .drop = DROP_NONE, .out = ROUTED, .arg = dst, .source = src
#define TO_KERNEL(mac) \
	.action = XDP_REDIRECT, .drop = DROP_NONE, .out = HANDED, .arg = mac, .source = mac
#define TO_ST0(mac) \
	.action = XDP_REDIRECT, .drop = DROP_NONE, .out = HANDED, .arg = mac, .source = mac
#define ENCRYPTS(tunnel) .action = XDP_REDIRECT, .drop = DROP_NONE, .out = PLAIN_OUT, .arg = tunnel
#define ENCRYPTS_OURS(tunnel, st0)                                                     \
	.action = XDP_REDIRECT, .drop = DROP_NONE, .out = PLAIN_OUT_GW, .arg = tunnel, \
	.source = 0, .ingress = st0

/* clang-format off */
static const struct expect wire[] = {
	{ "encrypted, to the peer", "w0", { OUT, .src = US, .dst = PEER, ESP, .payload = 64 }, SENDS(MAC_U_PEER, MAC_ETH_U) },
	{ "encrypted, to the peer, IPv6", "w0", { OUT, .src = US6, .dst = PEER6, ESP, .payload = 64 }, SENDS(MAC_U_PEER, MAC_ETH_U) },
	{ "in UDP, by the other SPU", "w1", { OUT, .src = US, .dst = PEER, UDP, .port = 4500, .spi = 0xa1b2c3d4, .payload = 64 }, SENDS(MAC_U_PEER, MAC_ETH_U) },
	{ "a fragment of it", "w0", { OUT, .src = US, .dst = PEER, ESP, .extensions = "l", .payload = 64 }, SENDS(MAC_U_PEER, MAC_ETH_U) },
	{ "TTL 1 leaves: it was sent here", "w0", { OUT, .src = US, .dst = PEER, ESP, .ttl = 1, .payload = 64 }, SENDS(MAC_U_PEER, MAC_ETH_U) },
	{ "no neighbour: the kernel forwards", "w0", { OUT, .src = US, .dst = "192.0.2.77", ESP, .payload = 64 }, TO_KERNEL(MAC_W0) },
	{ "no neighbour: the kernel forwards, IPv6", "w0", { OUT, .src = US6, .dst = "2001:db8:1::77", ESP, .payload = 64 }, TO_KERNEL(MAC_W0) },
	{ "too big, and not to be fragmented: back", "w0", { OUT, .src = US, .dst = "10.77.0.1", ESP, .payload = 1000 }, .action = XDP_REDIRECT, .drop = DROP_NONE, .out = BOUNCED, .arg = 1000 },
	{ "too big: the kernel fragments", "w0", { OUT, .src = US, .dst = "10.77.0.1", ESP, .extensions = "n", .payload = 1000 }, TO_KERNEL(MAC_W0) },
	{ "unreachable: the kernel answers", "w0", { OUT, .src = US, .dst = "10.92.0.1", ESP, .payload = 64 }, TO_KERNEL(MAC_W0) },
	{ "blackhole", "w0", { OUT, .src = US, .dst = "10.91.0.1", ESP, .payload = 64 }, DROPS(NO_ROUTE) },
	{ "no route", "w0", { OUT, .src = US, .dst = "10.1.1.1", ESP, .payload = 64 }, DROPS(NO_ROUTE) },
	{ "into a tunnel again", "w0", { OUT, .src = US, .dst = REMOTE, ESP, .payload = 64 }, DROPS(NO_ROUTE) },
	{ "of another kind", "w0", { .fabric = FABRIC_PLAIN_IN, .ingress = "st0.1", .src = US, .dst = PEER, ESP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "without a fabric header", "w0", { .src = US, .dst = PEER, ESP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "sent round for the kernel", "w0", { .from_mac = MAC_W0, .src = US, .dst = PEER, ESP, .payload = 64 }, .action = XDP_PASS },
	{ "of a routing instance that is not there", "w0", { OUT, .instance = 1, .src = US, .dst = PEER, ESP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "no IP packet", "w0", { OUT, .type = 0x0806 }, DROPS(MALFORMED) },
};

static const struct expect plain[] = {
	{ "decrypted, to a host", "f0", { IN("st0.1"), .src = REMOTE, .dst = HOST, UDP, .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "decrypted, to a host, IPv6", "f0", { IN("st0.1"), .src = REMOTE6, .dst = HOST6, UDP, .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "from the other SPU", "f1", { IN("st0.2"), .src = "10.3.0.5", .dst = HOST, UDP, .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "to the next tunnel", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.3.0.5", UDP, .payload = 64 }, ENCRYPTS(TUNNEL_2), .ingress = "st0.1" },
	{ "back into its own tunnel", "f1", { IN("st0.1"), .src = REMOTE, .dst = "10.2.0.6", UDP, .payload = 64 }, ENCRYPTS(TUNNEL_1), .ingress = "st0.1" },
	{ "to the next tunnel, without an SA", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.4.0.5", UDP, .payload = 64 }, DROPS(NO_SA) },
	{ "to the gateway: ping, allowed", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.1.1.1", PING }, TO_ST0(MAC_ST0_1) },
	{ "to the gateway: ssh, not allowed", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.1.1.1", TCP, .port = 22 }, DROPS(HOST_INBOUND) },
	{ "to the gateway: ssh, allowed by the other zone", "f0", { IN("st0.2"), .src = "10.3.0.5", .dst = "10.1.1.1", TCP, .port = 22 }, TO_ST0(MAC_ST0_2) },
	{ "to the gateway: TCP that answers", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.255.0.1", TCP, .port = 40000, .tcp_flags = 0x12 }, TO_ST0(MAC_ST0_1) },
	{ "to the gateway: ESP inside", "f0", { IN("st0.1"), .src = REMOTE, .dst = US, ESP, .payload = 64 }, DROPS(HOST_INBOUND) },
	{ "OSPF to all routers, allowed", "f0", { IN("st0.2"), .src = "10.3.0.5", .dst = "224.0.0.5", .protocol = 89, .payload = 44 }, TO_ST0(MAC_ST0_2) },
	{ "OSPF to all routers, not allowed", "f0", { IN("st0.1"), .src = REMOTE, .dst = "224.0.0.5", .protocol = 89, .payload = 44 }, DROPS(HOST_INBOUND) },
	{ "TTL 1: the kernel answers by st0", "f0", { IN("st0.1"), .src = REMOTE, .dst = HOST, UDP, .ttl = 1, .payload = 64 }, TO_ST0(MAC_ST0_1) },
	{ "hop limit 1: the kernel answers by st0", "f0", { IN("st0.1"), .src = REMOTE6, .dst = HOST6, UDP, .ttl = 1, .payload = 64 }, TO_ST0(MAC_ST0_1) },
	{ "no neighbour: the kernel resolves", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.1.1.77", UDP, .payload = 64 }, TO_ST0(MAC_ST0_1) },
	{ "too big: the kernel answers by st0", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.77.0.1", UDP, .payload = 973 }, TO_ST0(MAC_ST0_1) },
	{ "unreachable: the kernel answers by st0", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.92.0.1", UDP, .payload = 64 }, TO_ST0(MAC_ST0_1) },
	{ "blackhole", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.91.0.1", UDP, .payload = 64 }, DROPS(NO_ROUTE) },
	{ "out by an interface in no zone", "f0", { IN("st0.1"), .src = REMOTE, .dst = "10.9.9.2", UDP, .payload = 64 }, DROPS(NO_ZONE) },
	{ "from a group", "f0", { IN("st0.1"), .src = "224.0.0.1", .dst = HOST, UDP, .payload = 64 }, DROPS(MALFORMED) },
	{ "as if from an interface that is no st0", "f0", { IN("eth-t"), .src = REMOTE, .dst = HOST, UDP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "as if from no interface", "f0", { .fabric = FABRIC_PLAIN_IN, .src = REMOTE, .dst = HOST, UDP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "of another kind", "f0", { OUT, .src = US, .dst = PEER, ESP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "no IP packet", "f0", { IN("st0.1"), .type = 0x0806 }, DROPS(MALFORMED) },
};

static const struct expect st0[] = {
	{ "of the gateway, into the tunnel", "far1", { .src = "10.255.0.1", .dst = REMOTE, UDP, .payload = 64 }, ENCRYPTS_OURS(TUNNEL_1, "st0.1") },
	{ "of the gateway, into the tunnel, IPv6", "far1", { .src = US6, .dst = REMOTE6, UDP, .payload = 64 }, ENCRYPTS_OURS(TUNNEL_1, "st0.1") },
	{ "by its next hop", "far2", { .src = US, .dst = "10.3.0.5", UDP, .payload = 64 }, ENCRYPTS_OURS(TUNNEL_2, "st0.2") },
	{ "TTL 1 is the kernel's to judge", "far1", { .src = US, .dst = REMOTE, UDP, .ttl = 1, .payload = 64 }, ENCRYPTS_OURS(TUNNEL_1, "st0.1") },
	{ "to a group on a point-to-point unit", "far1", { .src = "10.255.0.1", .dst = "224.0.0.5", .protocol = 89, .payload = 44 }, ENCRYPTS_OURS(TUNNEL_1, "st0.1") },
	{ "to a group on a multipoint unit", "far2", { .src = US, .dst = "224.0.0.5", .protocol = 89, .payload = 44 }, DROPS(NO_TUNNEL) },
	{ "without an SA", "far2", { .src = US, .dst = "10.4.0.5", UDP, .payload = 64 }, DROPS(NO_SA) },
	{ "the kernel's group reports", "far1", { .mac = 0xff, .src = "fe80::1", .dst = "ff02::16", .protocol = 58, .port = 143 }, DROPS(NO_ROUTE) },
	{ "the kernel's router solicitations", "far1", { .mac = 0xff, .src = "fe80::1", .dst = "ff02::2", .protocol = 58, .port = 133 }, DROPS(NO_ROUTE) },
	{ "no IP packet", "far1", { .type = 0x0806 }, DROPS(MALFORMED) },
};

static const struct expect ports[] = {
	{ "encrypted, without a socket", "w0s", { .fabric = FABRIC_WIRE_IN, .src = PEER, .dst = US, ESP, .payload = 64 }, DROPS(NO_SOCKET) },
	{ "one that comes back, without a socket", "w0s", { .fabric = FABRIC_TOO_BIG, .src = US, .dst = PEER, ESP, .payload = 64 }, DROPS(NO_SOCKET) },
	{ "a marker, without a socket", "w0s", { .fabric = FABRIC_MARKER, .type = FABRIC_ETHERTYPE_MARKER }, DROPS(NO_SOCKET) },
	{ "plaintext on the wire port", "w0s", { .fabric = FABRIC_PLAIN_OUT, .src = HOST, .dst = REMOTE, UDP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "something of the kernel's", "w0s", { .mac = 0xff, .src = "fe80::1", .dst = "ff02::16", .protocol = 58, .port = 143 }, DROPS(BAD_FABRIC) },
};

static const struct expect fabric_ports[] = {
	{ "to be encrypted, without a socket", "f1s", { .fabric = FABRIC_PLAIN_OUT, .src = HOST, .dst = REMOTE, UDP, .payload = 64 }, DROPS(NO_SOCKET) },
	{ "a marker, without a socket", "f1s", { .fabric = FABRIC_MARKER, .type = FABRIC_ETHERTYPE_MARKER }, DROPS(NO_SOCKET) },
	{ "one that comes back on the fabric port", "f1s", { .fabric = FABRIC_TOO_BIG, .src = US, .dst = PEER, ESP, .payload = 64 }, DROPS(BAD_FABRIC) },
	{ "encrypted on the fabric port", "f1s", { .fabric = FABRIC_WIRE_IN, .src = PEER, .dst = US, ESP, .payload = 64 }, DROPS(BAD_FABRIC) },
};
/* clang-format on */

START_TEST(encrypted_packets_leave)
{
	bed_reset();
	bed_permit(false); /* the gateway's own packets need no policy */
	expect_row(&wire[_i], STEER_FD_hawser_wire, STEER_AT_WIRE);
}
END_TEST

START_TEST(decrypted_packets_go_where_the_routes_say)
{
	bed_reset();
	expect_row(&plain[_i], STEER_FD_hawser_fabric, STEER_AT_FABRIC);
}
END_TEST

START_TEST(under_deny_all_decrypted_packets_reach_the_gateway_only)
{
	struct expect e = plain[_i];
	bool ours = e.drop == DROP_HOST_INBOUND || e.drop == DROP_BAD_FABRIC ||
	            e.drop == DROP_MALFORMED || strncmp(e.what, "to the gateway", 14) == 0 ||
	            strncmp(e.what, "OSPF", 4) == 0;

	bed_reset();
	bed_permit(false);
	if (!ours) {
		e.action = XDP_DROP;
		e.drop = DROP_POLICY;
		e.out = SAME;
	}
	expect_row(&e, STEER_FD_hawser_fabric, STEER_AT_FABRIC);
}
END_TEST

START_TEST(what_the_kernel_routes_to_st0_is_encrypted)
{
	bed_reset();
	bed_permit(false);
	expect_row(&st0[_i], STEER_FD_hawser_st0far, STEER_AT_ST0_FAR);
}
END_TEST

START_TEST(st0_hands_to_the_kernel)
{
	const struct expect e = { "received on st0",
		                  "st0.1",
		                  { .src = REMOTE, .dst = "10.1.1.1", PING },
		                  .action = XDP_PASS };

	bed_reset();
	expect_row(&e, STEER_FD_hawser_st0, STEER_AT_ST0);
}
END_TEST

START_TEST(a_wire_port_without_a_socket_drops_and_counts)
{
	expect_row(&ports[_i], STEER_FD_hawser_port, STEER_AT_SPU_WIRE);
}
END_TEST

START_TEST(a_wire_port_of_a_packet_socket_passes_what_is_its_own)
{
	struct expect e = ports[_i];
	struct steer_iface iface;
	uint32_t w0s = bed_ifindex("w0s");

	bed_reset();
	ck_assert_int_eq(steer_iface_get(bed.steer, w0s, &iface), ERR_OK);
	iface.pass = 1;
	ck_assert_int_eq(steer_iface_set(bed.steer, w0s, &iface), ERR_OK);
	if (e.drop == DROP_NO_SOCKET) {
		e.action = XDP_PASS;
		e.drop = DROP_NONE;
		e.to_socket = true;
	}
	expect_row(&e, STEER_FD_hawser_port, STEER_AT_SPU_WIRE);
	iface.pass = 0;
	ck_assert_int_eq(steer_iface_set(bed.steer, w0s, &iface), ERR_OK);
}
END_TEST

START_TEST(a_fabric_port_without_a_socket_drops_and_counts)
{
	expect_row(&fabric_ports[_i], STEER_FD_hawser_port, STEER_AT_SPU_FABRIC);
}
END_TEST

START_TEST(an_st0_in_no_zone_takes_and_sends_nothing)
{
	struct expect in = plain[2];
	const struct expect out = { "to the next tunnel",
		                    "f0",
		                    { IN("st0.1"), .src = REMOTE, .dst = "10.3.0.5", UDP,
		                      .payload = 64 },
		                    DROPS(NO_ZONE) };
	struct steer_iface iface, zoneless;

	bed_reset();
	ck_assert_int_eq(steer_iface_get(bed.steer, bed_ifindex("st0.2"), &iface), ERR_OK);
	zoneless = iface;
	zoneless.zone = 0;
	ck_assert_int_eq(steer_iface_set(bed.steer, bed_ifindex("st0.2"), &zoneless), ERR_OK);
	in.action = XDP_DROP;
	in.drop = DROP_NO_ZONE;
	in.out = SAME;
	expect_row(&in, STEER_FD_hawser_fabric, STEER_AT_FABRIC);
	expect_row(&out, STEER_FD_hawser_fabric, STEER_AT_FABRIC);
	ck_assert_int_eq(steer_iface_set(bed.steer, bed_ifindex("st0.2"), &iface), ERR_OK);
}
END_TEST

/* No SPU lives: nothing is encrypted, and nothing leaves in the clear instead. */
START_TEST(without_an_spu_nothing_enters_a_tunnel)
{
	struct expect e = st0[0];

	bed_reset();
	for (int i = 0; i < STEER_SLOTS; i++)
		bed.alive[i] = 0;
	e.action = XDP_DROP;
	e.drop = DROP_NO_SPU;
	e.out = SAME;
	expect_row(&e, STEER_FD_hawser_st0far, STEER_AT_ST0_FAR);
}
END_TEST

TESTS_OF(fabric)
{
	TCase *tc = tcase_create("fabric");

	tcase_add_unchecked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_loop_test(tc, encrypted_packets_leave, 0, ARRAY_LEN(wire));
	tcase_add_loop_test(tc, decrypted_packets_go_where_the_routes_say, 0, ARRAY_LEN(plain));
	tcase_add_loop_test(tc, under_deny_all_decrypted_packets_reach_the_gateway_only, 0,
	                    ARRAY_LEN(plain));
	tcase_add_loop_test(tc, what_the_kernel_routes_to_st0_is_encrypted, 0, ARRAY_LEN(st0));
	tcase_add_test(tc, st0_hands_to_the_kernel);
	tcase_add_loop_test(tc, a_wire_port_without_a_socket_drops_and_counts, 0, ARRAY_LEN(ports));
	tcase_add_loop_test(tc, a_wire_port_of_a_packet_socket_passes_what_is_its_own, 0,
	                    ARRAY_LEN(ports));
	tcase_add_loop_test(tc, a_fabric_port_without_a_socket_drops_and_counts, 0,
	                    ARRAY_LEN(fabric_ports));
	tcase_add_test(tc, an_st0_in_no_zone_takes_and_sends_nothing);
	tcase_add_test(tc, without_an_spu_nothing_enters_a_tunnel);
	return tc;
}
