// SPDX-License-Identifier: BSD-2-Clause
#include "expect.h"
#include "runner.h"

#include <time.h>

#include <string.h>

#define US "192.0.2.1"
#define US6 "2001:db8:1::1"
#define PEER "198.51.100.9"
#define PEER6 "2001:db8:9::9"
#define HOST "10.1.1.2"
#define HOST6 "2001:db8:2::2"
#define ESP .protocol = 50
#define AH .protocol = 51
#define UDP .protocol = 17
#define TCP .protocol = 6
#define PING .protocol = 1, .port = 8
#define TOO_BIG4 .protocol = 1, .port = 3, .code = 4
#define TOO_BIG6 .protocol = 58, .port = 2
#define SPI(anchor) .spi = 0xa1b2c300u | (anchor)
#define TO(anchor) .action = XDP_REDIRECT, .drop = DROP_NONE, .out = WIRE_IN, .arg = anchor
#define PASSES .action = XDP_PASS, .drop = DROP_NONE, .out = SAME
#define DROPS(reason) .action = XDP_DROP, .drop = DROP_##reason, .out = SAME
#define ENCRYPTS(tunnel) .action = XDP_REDIRECT, .drop = DROP_NONE, .out = PLAIN_OUT, .arg = tunnel
#define LEAVES(dst, src) \
	.action = XDP_REDIRECT, .drop = DROP_NONE, .out = ROUTED, .arg = dst, .source = src

/* clang-format off */
static const struct expect steering[] = {
	{ "ESP to its anchor's owner", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP of another anchor", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_1), .payload = 64 }, TO(ANCHOR_1) },
	{ "ESP over IPv6", "eth-u", { .src = PEER6, .dst = US6, ESP, SPI(ANCHOR_0), .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP by the interface of another address of ours", "eth-t", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .payload = 64 }, TO(ANCHOR_0) },
	{ "AH", "eth-u", { .src = PEER, .dst = US, AH, SPI(ANCHOR_1), .payload = 64 }, TO(ANCHOR_1) },
	{ "AH whose SPI differs from a reserved one in its first byte only", "eth-u", { .src = PEER, .dst = US, AH, .spi = 0x01000000 | ANCHOR_0, .payload = 64 }, TO(ANCHOR_0) },
	{ "AH over IPv6", "eth-u", { .src = PEER6, .dst = US6, AH, SPI(ANCHOR_1), .payload = 64 }, TO(ANCHOR_1) },
	{ "ESP in UDP", "eth-u", { .src = PEER, .dst = US, UDP, .port = 4500, SPI(ANCHOR_0), .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP in UDP over IPv6", "eth-u", { .src = PEER6, .dst = US6, UDP, .port = 4500, SPI(ANCHOR_0), .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP behind IPv4 options", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .extensions = "o", .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP behind IPv6 headers", "eth-u", { .src = PEER6, .dst = US6, ESP, SPI(ANCHOR_0), .extensions = "hdra", .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP behind a long IPv6 header", "eth-u", { .src = PEER6, .dst = US6, ESP, SPI(ANCHOR_0), .extensions = "DD", .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP in UDP behind an IPv6 header", "eth-u", { .src = PEER6, .dst = US6, UDP, .port = 4500, SPI(ANCHOR_1), .extensions = "d", .payload = 64 }, TO(ANCHOR_1) },
	{ "AH behind IPv4 options", "eth-u", { .src = PEER, .dst = US, AH, SPI(ANCHOR_0), .extensions = "o", .payload = 64 }, TO(ANCHOR_0) },
	{ "AH behind IPv6 headers", "eth-u", { .src = PEER6, .dst = US6, AH, SPI(ANCHOR_0), .extensions = "hdra", .payload = 64 }, TO(ANCHOR_0) },
	{ "AH behind a long IPv6 header", "eth-u", { .src = PEER6, .dst = US6, AH, SPI(ANCHOR_1), .extensions = "DD", .payload = 64 }, TO(ANCHOR_1) },
	{ "AH behind too many IPv6 headers", "eth-u", { .src = PEER6, .dst = US6, AH, SPI(ANCHOR_0), .extensions = "dddddddddd", .payload = 64 }, DROPS(MALFORMED) },
	{ "AH with a reserved SPI", "eth-u", { .src = PEER, .dst = US, AH, .spi = 255, .payload = 64 }, DROPS(UNKNOWN_SPI) },
	{ "transit AH is ordinary", "eth-u", { .src = PEER, .dst = HOST, AH, SPI(ANCHOR_0), .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "too many IPv6 headers", "eth-u", { .src = PEER6, .dst = US6, ESP, SPI(ANCHOR_0), .extensions = "dddddddddd", .payload = 64 }, DROPS(MALFORMED) },
	{ "ESP in a priority tag", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .vlan = { 1 }, .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP in two priority tags", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .vlan = { 1, 1 }, .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP over IPv6 in two priority tags", "eth-u", { .src = PEER6, .dst = US6, ESP, SPI(ANCHOR_0), .vlan = { 1, 1 }, .payload = 64 }, TO(ANCHOR_0) },
	{ "ESP of another VLAN", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .vlan = { 101 }, .payload = 64 }, PASSES },
	{ "ESP of another VLAN in two tags", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .vlan = { 1, 101 }, .payload = 64 }, PASSES },
	{ "ESP of another VLAN, a priority tag inside", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .vlan = { 101, 1 }, .payload = 64 }, PASSES },
	{ "ESP to another host's MAC address", "eth-u", { .mac = 0x77, .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .payload = 64 }, PASSES },
	{ "ESP whose owner is dead: the stand-in", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_STANDIN), .payload = 64 }, TO(ANCHOR_STANDIN) },
	{ "ESP whose owner and stand-in are dead", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_DEAD), .payload = 64 }, DROPS(NO_SPU) },
	{ "ESP of an anchor of nobody", "eth-u", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_NONE), .payload = 64 }, DROPS(NO_SPU) },
	{ "ESP with a reserved SPI", "eth-u", { .src = PEER, .dst = US, ESP, .spi = 7, .payload = 64 }, DROPS(UNKNOWN_SPI) },
	{ "ESP with SPI 0", "eth-u", { .src = PEER, .dst = US, ESP, .payload = 64 }, DROPS(UNKNOWN_SPI) },
	{ "ESP in UDP with a reserved SPI", "eth-u", { .src = PEER, .dst = US, UDP, .port = 4500, .spi = 255, .payload = 64 }, DROPS(UNKNOWN_SPI) },
	{ "a manual SPI", "eth-u", { .src = PEER, .dst = US, ESP, .spi = 300, .payload = 64 }, TO(ANCHOR_1) },
	{ "an SPI of that range that is not manual", "eth-u", { .src = PEER, .dst = US, ESP, .spi = 256 + ANCHOR_0, .payload = 64 }, TO(ANCHOR_0) },
	{ "transit ESP is ordinary", "eth-u", { .src = PEER, .dst = HOST, ESP, SPI(ANCHOR_0), .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "transit ESP in UDP is ordinary", "eth-u", { .src = PEER, .dst = HOST, UDP, .port = 4500, SPI(ANCHOR_0), .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "ESP by an interface in no zone", "eth-n", { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .payload = 64 }, DROPS(NO_ZONE) },
	{ "too big, said of ESP", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 50, SPI(ANCHOR_1) }, TO(ANCHOR_1) },
	{ "too big, said of ESP over IPv6", "eth-u", { .src = PEER6, .dst = US6, TOO_BIG6, .quotes = 50, SPI(ANCHOR_0) }, TO(ANCHOR_0) },
	{ "too big, said of AH", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 51, SPI(ANCHOR_1) }, TO(ANCHOR_1) },
	{ "too big, said of ESP in UDP", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 17, SPI(ANCHOR_1) }, TO(ANCHOR_1) },
	{ "too big, said of ESP in UDP over IPv6", "eth-u", { .src = PEER6, .dst = US6, TOO_BIG6, .quotes = 17, SPI(ANCHOR_1) }, TO(ANCHOR_1) },
	{ "too big, with eight bytes of ESP", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 50, .quoted = 8, SPI(ANCHOR_1) }, TO(ANCHOR_1) },
	{ "too big, with three bytes of ESP", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 50, .quoted = 3, SPI(ANCHOR_1) }, PASSES },
	{ "too big, with no SPI behind UDP", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 17, .quoted = 8, SPI(ANCHOR_1) }, PASSES },
	{ "too big, said of IKE on 4500", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 17 }, PASSES },
	{ "too big, said of TCP", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 6, SPI(ANCHOR_1) }, PASSES },
	{ "port unreachable, said of ESP", "eth-u", { .src = HOST, .dst = US, .protocol = 1, .port = 3, .code = 3, .quotes = 50, SPI(ANCHOR_1) }, PASSES },
	{ "time exceeded, said of ESP over IPv6", "eth-u", { .src = PEER6, .dst = US6, .protocol = 58, .port = 3, .quotes = 50, SPI(ANCHOR_1) }, PASSES },
	{ "too big, in a fragment", "eth-u", { .src = HOST, .dst = US, TOO_BIG4, .quotes = 50, .extensions = "f", SPI(ANCHOR_1) }, PASSES },
	{ "too big, for another host", "eth-u", { .src = PEER, .dst = HOST, TOO_BIG4, .quotes = 50, SPI(ANCHOR_1) }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "IKE on 500", "eth-u", { .src = PEER, .dst = US, UDP, .port = 500, .payload = 64 }, PASSES },
	{ "IKE on 4500: marker zero", "eth-u", { .src = PEER, .dst = US, UDP, .port = 4500, .payload = 0 }, PASSES },
	{ "NAT keepalive", "eth-u", { .src = PEER, .dst = US, UDP, .port = 4500, .payload = 1 }, PASSES },
	{ "IKE where the zone has none", "eth-t", { .src = PEER, .dst = US, UDP, .port = 500, .payload = 64 }, DROPS(HOST_INBOUND) },
	{ "the first fragment of ESP in UDP goes to the kernel", "eth-u", { .src = PEER, .dst = US, UDP, .port = 4500, SPI(ANCHOR_0), .extensions = "f", .payload = 64 }, PASSES },
	{ "a first fragment is judged by its port", "eth-t", { .src = PEER, .dst = US, UDP, .port = 4500, SPI(ANCHOR_0), .extensions = "f", .payload = 64 }, DROPS(HOST_INBOUND) },
	{ "and its later fragment", "eth-u", { .src = PEER, .dst = US, UDP, .extensions = "l", .payload = 64 }, PASSES },
};

static const struct expect host[] = {
	{ "ping, allowed", "eth-u", { .src = PEER, .dst = US, PING }, PASSES },
	{ "ping over IPv6, allowed", "eth-u", { .src = PEER6, .dst = US6, .protocol = 58, .port = 128 }, PASSES },
	{ "ping, not allowed", "eth-t", { .src = HOST, .dst = "10.1.1.1", PING }, DROPS(HOST_INBOUND) },
	{ "ssh, allowed", "eth-t", { .src = HOST, .dst = "10.1.1.1", TCP, .port = 22 }, PASSES },
	{ "ssh, not allowed", "eth-u", { .src = PEER, .dst = US, TCP, .port = 22 }, DROPS(HOST_INBOUND) },
	{ "TCP that answers", "eth-u", { .src = PEER, .dst = US, TCP, .port = 22, .tcp_flags = 0x12 }, PASSES },
	{ "TCP data", "eth-u", { .src = PEER, .dst = US, TCP, .port = 40000, .tcp_flags = 0x18 }, PASSES },
	{ "UDP that answers", "eth-u", { .src = PEER, .dst = US, UDP, .port = 32768, .payload = 9 }, PASSES },
	{ "UDP below the clients' ports", "eth-u", { .src = PEER, .dst = US, UDP, .port = 32767, .payload = 9 }, DROPS(HOST_INBOUND) },
	{ "UDP above the clients' ports", "eth-u", { .src = PEER, .dst = US, UDP, .port = 61000, .payload = 9 }, DROPS(HOST_INBOUND) },
	{ "echo reply", "eth-t", { .src = HOST, .dst = "10.1.1.1", .protocol = 1, .port = 0 }, PASSES },
	{ "unreachable", "eth-t", { .src = HOST, .dst = "10.1.1.1", .protocol = 1, .port = 3 }, PASSES },
	{ "timestamp request", "eth-u", { .src = PEER, .dst = US, .protocol = 1, .port = 13 }, DROPS(HOST_INBOUND) },
	{ "packet too big", "eth-t", { .src = HOST6, .dst = "2001:db8:2::1", .protocol = 58, .port = 2 }, PASSES },
	{ "ICMPv6 in IPv4", "eth-u", { .src = PEER, .dst = US, .protocol = 58, .port = 128 }, DROPS(HOST_INBOUND) },
	{ "neighbour solicitation", "eth-t", { .mac = 0xff, .src = "fe80::2", .dst = "ff02::1:ff00:1", .protocol = 58, .port = 135, .ttl = 255 }, PASSES },
	{ "neighbour advertisement", "eth-t", { .src = "fe80::2", .dst = "fe80::1", .protocol = 58, .port = 136, .ttl = 255 }, PASSES },
	{ "neighbour advertisement from beyond this link", "eth-t", { .src = "2001:db8::7", .dst = "2001:db8:2::1", .protocol = 58, .port = 136, .ttl = 64 }, DROPS(HOST_INBOUND) },
	{ "router advertisement", "eth-t", { .mac = 0xff, .src = "fe80::2", .dst = "ff02::1", .protocol = 58, .port = 134, .ttl = 255 }, DROPS(HOST_INBOUND) },
	{ "neighbour discovery where there is no zone", "eth-n", { .mac = 0xff, .src = "fe80::2", .dst = "ff02::1:ff00:1", .protocol = 58, .port = 135, .ttl = 255 }, PASSES },
	{ "OSPF, allowed", "eth-t", { .mac = 0xff, .src = HOST, .dst = "224.0.0.5", .protocol = 89, .payload = 44 }, PASSES },
	{ "OSPF, not allowed", "eth-u", { .mac = 0xff, .src = PEER, .dst = "224.0.0.5", .protocol = 89, .payload = 44 }, DROPS(HOST_INBOUND) },
	{ "broadcast", "eth-t", { .mac = 0xff, .src = HOST, .dst = "255.255.255.255", UDP, .port = 67, .payload = 44 }, DROPS(HOST_INBOUND) },
	{ "a unicast packet in a broadcast frame is not forwarded", "eth-t", { .mac = 0xff, .src = HOST, .dst = "198.51.100.7", UDP, .port = 67, .payload = 44 }, DROPS(HOST_INBOUND) },
	{ "ping where there is no zone", "eth-n", { .src = "10.9.9.2", .dst = "10.9.9.1", PING }, DROPS(NO_ZONE) },
	{ "ARP", "eth-t", { .mac = 0xff, .type = 0x0806 }, PASSES },
	{ "ARP where there is no zone", "eth-n", { .mac = 0xff, .type = 0x0806 }, PASSES },
	{ "LLDP", "eth-t", { .type = 0x88cc }, PASSES },
};

static const struct expect transit[] = {
	{ "trust to untrust", "eth-t", { .src = HOST, .dst = PEER, UDP, .port = 53, .payload = 64 }, LEAVES(MAC_U_PEER, MAC_ETH_U) },
	{ "trust to untrust, IPv6", "eth-t", { .src = HOST6, .dst = PEER6, UDP, .port = 53, .payload = 64 }, LEAVES(MAC_U_PEER, MAC_ETH_U) },
	{ "untrust to trust", "eth-u", { .src = PEER, .dst = HOST, UDP, .port = 53, .payload = 64 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "in a priority tag", "eth-t", { .src = HOST, .dst = PEER, UDP, .port = 53, .vlan = { 1 }, .payload = 64 }, LEAVES(MAC_U_PEER, MAC_ETH_U) },
	{ "a fragment", "eth-t", { .src = HOST, .dst = PEER, UDP, .port = 53, .extensions = "l", .payload = 64 }, LEAVES(MAC_U_PEER, MAC_ETH_U) },
	{ "a fragment, IPv6", "eth-t", { .src = HOST6, .dst = PEER6, UDP, .port = 53, .extensions = "f", .payload = 64 }, LEAVES(MAC_U_PEER, MAC_ETH_U) },
	{ "TTL 2 is enough", "eth-t", { .src = HOST, .dst = PEER, UDP, .ttl = 2, .payload = 64 }, LEAVES(MAC_U_PEER, MAC_ETH_U) },
	{ "TTL 1: the kernel answers", "eth-t", { .src = HOST, .dst = PEER, UDP, .ttl = 1, .payload = 64 }, PASSES },
	{ "hop limit 1: the kernel answers", "eth-t", { .src = HOST6, .dst = PEER6, UDP, .ttl = 1, .payload = 64 }, PASSES },
	{ "options: the kernel looks at them", "eth-t", { .src = HOST, .dst = PEER, UDP, .extensions = "o", .payload = 64 }, PASSES },
	{ "hop-by-hop: the kernel looks at it", "eth-t", { .src = HOST6, .dst = PEER6, UDP, .extensions = "h", .payload = 64 }, PASSES },
	{ "no neighbour: the kernel resolves", "eth-u", { .src = PEER, .dst = "10.1.1.77", UDP, .payload = 64 }, PASSES },
	{ "no neighbour: the kernel resolves, IPv6", "eth-u", { .src = PEER6, .dst = "2001:db8:2::77", UDP, .payload = 64 }, PASSES },
	{ "fits the route's MTU", "eth-u", { .src = PEER, .dst = "10.77.0.1", UDP, .payload = 972 }, LEAVES(MAC_T_PEER, MAC_ETH_T) },
	{ "too big for it: the kernel answers", "eth-u", { .src = PEER, .dst = "10.77.0.1", UDP, .payload = 973 }, PASSES },
	{ "blackhole", "eth-t", { .src = HOST, .dst = "10.91.0.1", UDP, .payload = 64 }, DROPS(NO_ROUTE) },
	{ "unreachable: the kernel answers", "eth-t", { .src = HOST, .dst = "10.92.0.1", UDP, .payload = 64 }, PASSES },
	{ "prohibited: the kernel answers", "eth-t", { .src = HOST, .dst = "10.93.0.1", UDP, .payload = 64 }, PASSES },
	{ "no route, and no service", "eth-t", { .src = HOST, .dst = "10.9.9.255", UDP, .port = 67, .payload = 64 }, DROPS(NO_ROUTE) },
	{ "out by an interface in no zone", "eth-t", { .src = HOST, .dst = "10.9.9.2", UDP, .payload = 64 }, DROPS(NO_ZONE) },
	{ "in by an interface in no zone", "eth-n", { .src = "10.9.9.2", .dst = PEER, UDP, .payload = 64 }, DROPS(NO_ZONE) },
	{ "from loopback", "eth-t", { .src = "127.0.0.1", .dst = PEER, UDP, .payload = 64 }, DROPS(MALFORMED) },
	{ "from a group", "eth-t", { .src = "224.0.0.9", .dst = PEER, UDP, .payload = 64 }, DROPS(MALFORMED) },
	{ "from this link only", "eth-t", { .src = "fe80::2", .dst = PEER6, UDP, .payload = 64 }, DROPS(MALFORMED) },
	{ "from nowhere", "eth-t", { .src = "::", .dst = PEER6, UDP, .payload = 64 }, DROPS(MALFORMED) },
	{ "into a tunnel", "eth-t", { .src = HOST, .dst = "10.2.0.5", UDP, .payload = 64 }, ENCRYPTS(TUNNEL_1) },
	{ "into a tunnel, IPv6", "eth-t", { .src = HOST6, .dst = "2001:db8:a::5", UDP, .payload = 64 }, ENCRYPTS(TUNNEL_1) },
	{ "into a tunnel, tagged", "eth-t", { .src = HOST, .dst = "10.2.0.5", UDP, .vlan = { 1, 1 }, .payload = 64 }, ENCRYPTS(TUNNEL_1) },
	{ "into a tunnel by its next hop", "eth-t", { .src = HOST, .dst = "10.3.0.5", UDP, .payload = 64 }, ENCRYPTS(TUNNEL_2) },
	{ "into a tunnel without an SA", "eth-t", { .src = HOST, .dst = "10.4.0.5", UDP, .payload = 64 }, DROPS(NO_SA) },
	{ "into no tunnel", "eth-t", { .src = HOST, .dst = "10.5.0.5", UDP, .payload = 64 }, DROPS(NO_TUNNEL) },
	{ "as big as the tunnel takes", "eth-t", { .src = HOST, .dst = "10.2.0.5", UDP, .payload = 1372 }, ENCRYPTS(TUNNEL_1) },
	{ "bigger: the kernel answers", "eth-t", { .src = HOST, .dst = "10.2.0.5", UDP, .payload = 1373 }, PASSES },
	{ "into a tunnel with TTL 1", "eth-t", { .src = HOST, .dst = "10.2.0.5", UDP, .ttl = 1, .payload = 64 }, PASSES },
};
/* clang-format on */

START_TEST(encrypted_packets_are_steered_by_their_spi)
{
	bed_reset();
	expect_row(&steering[_i], STEER_FD_hawser_edge, STEER_AT_EDGE);
}
END_TEST

START_TEST(the_gateway_takes_what_its_zone_allows)
{
	bed_reset();
	expect_row(&host[_i], STEER_FD_hawser_edge, STEER_AT_EDGE);
}
END_TEST

START_TEST(transit_goes_where_the_routes_say)
{
	bed_reset();
	expect_row(&transit[_i], STEER_FD_hawser_edge, STEER_AT_EDGE);
}
END_TEST

START_TEST(under_deny_all_nothing_is_forwarded)
{
	struct expect e = transit[_i];

	bed_reset();
	bed_permit(false);
	/* What no interface of a zone would take is dropped for that; all else is denied. */
	if (e.drop != DROP_MALFORMED && strcmp(e.on, "eth-n") != 0) {
		e.action = XDP_DROP;
		e.drop = DROP_POLICY;
		e.out = SAME;
	}
	expect_row(&e, STEER_FD_hawser_edge, STEER_AT_EDGE);
}
END_TEST

/* Written down by hand: ESP from 198.51.100.9 to 192.0.2.1, SPI 0xc0ffee07, sequence number 1. The
 * SPI's last byte on the wire is 07: anchor 7. */
START_TEST(the_anchor_can_be_read_by_hand)
{
	static const uint8_t esp[] = {
		0x02, 0x00, 0x00, 0x00, 0x00, 0x10, 0x02, 0x00, 0x00, 0x00, 0x00, 0x99, /* MACs */
		0x08, 0x00, 0x45, 0x00, 0x00, 0x2c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x32, /* IPv4 */
		0x59, 0x33, 0xc6, 0x33, 0x64, 0x09, 0xc0, 0x00, 0x02, 0x01,             /* to us */
		0xc0, 0xff, 0xee, 0x07, 0x00, 0x00, 0x00, 0x01,                         /* ESP */
		0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef,
		0xde, 0xad, 0xbe, 0xef,
	};

	bed_reset();
	struct run r = bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, "eth-u", esp, sizeof(esp));
	uint32_t i = bed_ifindex("eth-u");
	ck_assert_int_eq(r.action, XDP_REDIRECT);
	const uint8_t header[12] = { 0x10,      0x07, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(i >> 8),
		                     (uint8_t)i };
	ck_assert_mem_eq(r.out, header, sizeof(header));
	ck_assert_mem_eq(r.out + 12, esp + 12, sizeof(esp) - 12);
}
END_TEST

/* A frame that ends anywhere before its IP packet does is dropped as malformed, unchanged. */
START_TEST(a_frame_cut_short_anywhere_is_dropped)
{
	static const struct frame whole[] = {
		{ .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .payload = 20 },
		{ .src = PEER, .dst = US, AH, SPI(ANCHOR_0), .vlan = { 1, 1 }, .payload = 20 },
		{ .src = PEER,
		  .dst = US,
		  UDP,
		  .port = 4500,
		  SPI(ANCHOR_0),
		  .extensions = "o",
		  .payload = 20 },
		{ .src = PEER6,
		  .dst = US6,
		  UDP,
		  .port = 4500,
		  SPI(ANCHOR_0),
		  .extensions = "hdra",
		  .payload = 20 },
		{ .src = PEER6, .dst = US6, ESP, SPI(ANCHOR_0), .extensions = "D", .payload = 20 },
		{ .src = HOST, .dst = US, TCP, .port = 22 },
		{ .src = PEER, .dst = US, PING },
	};
	uint8_t frame[FRAME_MAX];
	size_t len = frame_make(&whole[_i], MAC_ETH_U, frame);

	bed_reset();
	for (size_t cut = 14; cut < len; cut++) {
		struct run r = bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, "eth-u", frame, cut);

		ck_assert_msg(r.action == XDP_DROP && r.drop == DROP_MALFORMED && r.dropped == 1,
		              "frame %d cut to %zu of %zu bytes: action %d, reason %d", _i, cut,
		              len, r.action, r.drop);
		ck_assert_mem_eq(r.out, frame, cut);
	}
}
END_TEST

/* The same for an IP packet that says that it ends there, in a frame that is long enough. Where its
 * headers do not fit it is malformed; it never goes anywhere without them. */
START_TEST(a_packet_that_ends_in_its_headers_is_dropped)
{
	static const struct {
		struct frame f;
		size_t need; /* bytes of IP packet that must be there */
	} packets[] = {
		{ { .src = PEER, .dst = US, ESP, SPI(ANCHOR_0), .payload = 20 }, 28 },
		{ { .src = PEER, .dst = US, AH, SPI(ANCHOR_0), .payload = 20 }, 32 },
		{ { .src = HOST, .dst = US, TCP, .port = 22, .tcp_flags = 0x10 }, 40 },
		{ { .src = PEER, .dst = US, PING }, 24 },
	};
	uint8_t frame[FRAME_MAX];
	size_t len = frame_make(&packets[_i].f, MAC_ETH_U, frame);

	bed_reset();
	for (size_t total = 0; total < len - 14; total++) {
		frame[16] = (uint8_t)(total >> 8);
		frame[17] = (uint8_t)total;
		struct run r = bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, "eth-u", frame, len);

		ck_assert_msg((r.drop == DROP_MALFORMED) == (total < packets[_i].need),
		              "packet %d of %zu bytes: action %d, reason %d", _i, total, r.action,
		              r.drop);
	}
}
END_TEST

/* Fragments of one ESP packet meet at one SPU, those of other packets elsewhere. */
START_TEST(fragments_of_a_packet_meet_at_one_spu)
{
	const struct frame first = {
		.src = PEER, .dst = US, ESP, SPI(1), .extensions = "f", .payload = 64
	};
	const struct frame later = {
		.src = PEER, .dst = US, ESP, SPI(1), .extensions = "l", .payload = 64
	};
	uint8_t a[FRAME_MAX], b[FRAME_MAX];
	size_t len_a = frame_make(&first, MAC_ETH_U, a), len_b = frame_make(&later, MAC_ETH_U, b);
	unsigned different = 0;

	bed_reset();
	for (unsigned i = 0; i < STEER_ANCHORS; i++)
		ck_assert_int_eq(steer_anchor_set(bed.steer, (uint8_t)i, 0, 1), ERR_OK);
	uint8_t before = 0;
	for (unsigned id = 1; id <= 64; id++) {
		a[18] = b[18] = 0;
		a[19] = b[19] = (uint8_t)id;
		struct run one = bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, "eth-u", a, len_a);
		struct run two = bed_run(STEER_FD_hawser_edge, STEER_AT_EDGE, "eth-u", b, len_b);

		ck_assert_int_eq(one.action, XDP_REDIRECT);
		ck_assert_int_eq(two.action, XDP_REDIRECT);
		ck_assert_mem_eq(one.out, two.out, 12);
		different += one.out[1] != before;
		before = one.out[1];
	}
	ck_assert_msg(different > 48, "only %u of 64 packets went to another anchor", different);
}
END_TEST

START_TEST(a_node_whose_lease_is_over_falls_silent)
{
	struct steer_settings set = { .permit_all = 1, .lease_limit_ms = 1000 };
	struct expect esp = steering[0],
	              arp = { "ARP", "eth-t", { .mac = 0xff, .type = 0x0806 }, PASSES };
	struct timespec now;

	bed_reset();
	ck_assert_int_eq(steer_settings_set(bed.steer, &set), ERR_OK);
	ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	bed.alive[ALIVE_LEASE] = (uint64_t)now.tv_sec * 1000;
	expect_row(&esp, STEER_FD_hawser_edge, STEER_AT_EDGE);
	expect_row(&arp, STEER_FD_hawser_edge, STEER_AT_EDGE);
	bed.alive[ALIVE_LEASE] = (uint64_t)(now.tv_sec - 3) * 1000;
	esp.action = arp.action = XDP_DROP;
	esp.drop = arp.drop = DROP_LEASE;
	esp.out = SAME;
	expect_row(&esp, STEER_FD_hawser_edge, STEER_AT_EDGE);
	expect_row(&arp, STEER_FD_hawser_edge, STEER_AT_EDGE);
}
END_TEST

TESTS_OF(edge)
{
	TCase *tc = tcase_create("edge");

	tcase_add_unchecked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_loop_test(tc, encrypted_packets_are_steered_by_their_spi, 0, ARRAY_LEN(steering));
	tcase_add_loop_test(tc, the_gateway_takes_what_its_zone_allows, 0, ARRAY_LEN(host));
	tcase_add_loop_test(tc, transit_goes_where_the_routes_say, 0, ARRAY_LEN(transit));
	tcase_add_loop_test(tc, under_deny_all_nothing_is_forwarded, 0, ARRAY_LEN(transit));
	tcase_add_test(tc, the_anchor_can_be_read_by_hand);
	tcase_add_loop_test(tc, a_frame_cut_short_anywhere_is_dropped, 0, 7);
	tcase_add_loop_test(tc, a_packet_that_ends_in_its_headers_is_dropped, 0, 4);
	tcase_add_test(tc, fragments_of_a_packet_meet_at_one_spu);
	tcase_add_test(tc, a_node_whose_lease_is_over_falls_silent);
	return tc;
}
