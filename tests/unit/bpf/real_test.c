// SPDX-License-Identifier: BSD-2-Clause
/* Real frames through real veths: what a redirect does after the program has returned, and what the
 * kernel does with what it is handed. */
#include "expect.h"
#include "runner.h"
#include "wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define US "192.0.2.1"
#define PEER "198.51.100.9"
#define HOST "10.1.1.2"
#define REMOTE "10.2.0.5"

static bool is_arp_request(const uint8_t *p, size_t len)
{
	return len >= 42 && p[12] == 8 && p[13] == 6 && p[21] == 1;
}

static bool is_esp(const uint8_t *p, size_t len)
{
	return len > 34 && p[12] == 8 && p[13] == 0 && p[23] == 50;
}

static bool is_udp(const uint8_t *p, size_t len)
{
	return len > 34 && p[12] == 8 && p[13] == 0 && p[23] == 17;
}

static bool is_too_big(const uint8_t *p, size_t len)
{
	return len > 42 && p[12] == 8 && p[13] == 0 && p[23] == 1 && p[34] == 3 && p[35] == 4;
}

/* The router at the other end answers: that address is at this MAC address. */
static void answer_arp(int sock, const uint8_t *request, uint8_t mac)
{
	const uint8_t ours[6] = { 2, 0, 0, 0, 0, mac };
	uint8_t reply[42];

	memcpy(reply, request, sizeof(reply));
	memcpy(reply, request + 6, 6);
	memcpy(reply + 6, ours, 6);
	reply[21] = 2;
	memcpy(reply + 22, ours, 6); /* sender: the address that was asked for */
	memcpy(reply + 28, request + 38, 4);
	memcpy(reply + 32, request + 22, 10); /* target: who asked */
	wire_send(sock, reply, sizeof(reply));
}

/* ICMP echo carries a checksum that the kernel looks at. */
static void sum_icmp(uint8_t *frame, size_t len)
{
	uint32_t sum = 0;

	frame[36] = frame[37] = 0;
	for (size_t i = 34; i < len; i += 2)
		sum += (uint32_t)(frame[i] << 8 | (i + 1 < len ? frame[i + 1] : 0));
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame[36] = (uint8_t)(~sum >> 8);
	frame[37] = (uint8_t)~sum;
}

START_TEST(esp_reaches_the_socket_of_its_anchors_owner_or_stand_in)
{
	const struct frame esp = {
		.src = PEER, .dst = US, .protocol = 50, .spi = 0xa1b2c300 | ANCHOR_0, .payload = 64
	};
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(&esp, MAC_ETH_U, frame);
	int peer = wire_open("u-peer");
	struct spu_sock *one = spu_open("w0s", STEER_FD_wire_socks, 0);
	struct spu_sock *two = spu_open("w1s", STEER_FD_wire_socks, 1);

	bed_reset();
	wire_send(peer, frame, len);
	ck_assert_uint_eq(spu_receive(one, got, sizeof(got), 5000), len);
	ck_assert_uint_eq(got[0], FABRIC_WIRE_IN);
	ck_assert_uint_eq(got[1], ANCHOR_0);
	ck_assert_mem_eq(got + 12, frame + 12, len - 12);
	ck_assert_uint_eq(spu_receive(two, got, sizeof(got), 0), 0);
	bed.alive[0] = 0; /* one write */
	wire_send(peer, frame, len);
	ck_assert_uint_eq(spu_receive(two, got, sizeof(got), 5000), len);
	ck_assert_uint_eq(spu_receive(one, got, sizeof(got), 0), 0);
	spu_close(one);
	spu_close(two);
	(void)close(peer);
}
END_TEST

START_TEST(a_marker_from_our_end_reaches_the_socket)
{
	const struct frame marker = { .fabric = FABRIC_MARKER, .type = FABRIC_ETHERTYPE_MARKER };
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(&marker, 0, frame);
	int re = wire_open("w0");
	struct spu_sock *one = spu_open("w0s", STEER_FD_wire_socks, 0);

	wire_send(re, frame, len);
	ck_assert_uint_eq(spu_receive(one, got, sizeof(got), 5000), len);
	ck_assert_mem_eq(got, frame, len);
	spu_close(one);
	(void)close(re);
}
END_TEST

START_TEST(encrypted_packets_leave_also_to_a_neighbour_that_is_not_resolved)
{
	struct frame esp = { .fabric = FABRIC_WIRE_OUT,
		             .src = US,
		             .dst = PEER,
		             .protocol = 50,
		             .spi = 0x01020304,
		             .payload = 64 };
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(&esp, 0, frame);
	int spu = wire_open("w0s"), peer = wire_open("u-peer");
	const uint8_t macs[12] = { 2, 0, 0, 0, 0, MAC_U_PEER, 2, 0, 0, 0, 0, MAC_ETH_U };

	bed_reset();
	wire_send(spu, frame, len);
	ck_assert_uint_eq(wire_wait(peer, is_esp, got, sizeof(got)), len);
	ck_assert_mem_eq(got, macs, 12);
	ck_assert_mem_eq(got + 12, frame + 12, len - 12);
	/* The kernel gets it, asks for the neighbour, and forwards it: a packet of our own address.
	 */
	esp.dst = "192.0.2.77";
	len = frame_make(&esp, 0, frame);
	wire_send(spu, frame, len);
	ck_assert_msg(wire_wait(peer, is_arp_request, got, sizeof(got)) > 0, "nobody asked by ARP");
	answer_arp(peer, got, 0x77);
	ck_assert_uint_eq(wire_wait(peer, is_esp, got, sizeof(got)), len);
	ck_assert_uint_eq(got[5], 0x77);
	ck_assert_mem_eq(got + 34, frame + 34, len - 34);
	(void)close(spu);
	(void)close(peer);
}
END_TEST

START_TEST(decrypted_packets_arrive_also_at_a_host_that_is_not_resolved)
{
	const struct frame udp = { .fabric = FABRIC_PLAIN_IN,
		                   .ingress = "st0.1",
		                   .src = REMOTE,
		                   .dst = "10.1.1.78",
		                   .protocol = 17,
		                   .port = 53,
		                   .payload = 64 };
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(&udp, 0, frame);
	int spu = wire_open("f0s"), host = wire_open("t-peer");

	bed_reset();
	wire_send(spu, frame, len);
	ck_assert_msg(wire_wait(host, is_arp_request, got, sizeof(got)) > 0, "nobody asked by ARP");
	answer_arp(host, got, 0x78);
	ck_assert_uint_eq(wire_wait(host, is_udp, got, sizeof(got)), len);
	ck_assert_uint_eq(got[5], 0x78);
	ck_assert_uint_eq(got[22], 63);
	(void)close(spu);
	(void)close(host);
}
END_TEST

/* Through the tunnel: the answer of the gateway itself comes back to the SPU, to be encrypted. */
static void answers_into_the_tunnel(const struct frame *f, uint8_t type)
{
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(f, 0, frame);
	int spu = wire_open("f0s");
	struct spu_sock *sock = spu_open("f0s", STEER_FD_fabric_socks, 0);

	bed_reset();
	if (f->protocol == 1)
		sum_icmp(frame, len);
	wire_send(spu, frame, len);
	size_t n = spu_receive(sock, got, sizeof(got), 5000);
	ck_assert_msg(n > 34, "no answer came");
	ck_assert_uint_eq(got[0], FABRIC_PLAIN_OUT);
	ck_assert_uint_eq(got[1], ANCHOR_0);
	ck_assert_uint_eq((uint32_t)got[6] << 8 | got[7], TUNNEL_1 & 0xffff);
	ck_assert_uint_eq(got[23], 1);
	ck_assert_msg(got[34] == type, "ICMP type %u", got[34]);
	ck_assert_mem_eq(got + 30, frame + 26, 4);
	spu_close(sock);
	(void)close(spu);
}

START_TEST(a_ping_through_the_tunnel_is_answered)
{
	answers_into_the_tunnel(&(struct frame){ .fabric = FABRIC_PLAIN_IN,
	                                         .ingress = "st0.1",
	                                         .src = REMOTE,
	                                         .dst = "10.1.1.1",
	                                         .protocol = 1,
	                                         .port = 8,
	                                         .payload = 56 },
	                        0);
}
END_TEST

START_TEST(ttl_1_through_the_tunnel_is_answered)
{
	answers_into_the_tunnel(&(struct frame){ .fabric = FABRIC_PLAIN_IN,
	                                         .ingress = "st0.1",
	                                         .src = REMOTE,
	                                         .dst = HOST,
	                                         .protocol = 17,
	                                         .port = 53,
	                                         .ttl = 1,
	                                         .payload = 56 },
	                        11);
}
END_TEST

START_TEST(a_packet_too_big_for_the_tunnel_is_answered)
{
	const struct frame big = {
		.src = HOST, .dst = REMOTE, .protocol = 17, .port = 53, .payload = 1373
	};
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(&big, MAC_ETH_T, frame);
	int host = wire_open("t-peer");

	bed_reset();
	wire_send(host, frame, len);
	ck_assert_msg(wire_wait(host, is_too_big, got, sizeof(got)) > 0, "no ICMP came");
	ck_assert_uint_eq((unsigned)got[40] << 8 | got[41], 1400);
	(void)close(host);
}
END_TEST

static struct steer_counts counts(void)
{
	struct steer_counts c;

	ck_assert_int_eq(steer_counters(bed.steer, &c), ERR_OK);
	return c;
}

static struct steer_device_counts device(const char *ifname)
{
	struct steer_device_counts c;

	ck_assert_int_eq(steer_device_counters(ifname, &c), ERR_OK);
	return c;
}

/* Each of many frames is found again: in the socket, or in a counter that says where it was lost.
 */
START_TEST(under_overload_every_frame_is_accounted_for)
{
	enum { FRAMES = 20000 };
	const struct frame esp = {
		.src = PEER, .dst = US, .protocol = 50, .spi = 0xa1b2c300 | ANCHOR_0, .payload = 64
	};
	uint8_t frame[FRAME_MAX], got[FRAME_MAX];
	size_t len = frame_make(&esp, MAC_ETH_U, frame);
	int peer = wire_open("u-peer");
	struct spu_sock *sock = spu_open("w0s", STEER_FD_wire_socks, 0);

	bed_reset();
	struct steer_counts before = counts();
	struct steer_device_counts peer_before = device("u-peer"), w0_before = device("w0"),
	                           w0s_before = device("w0s");
	for (int i = 0; i < FRAMES; i++)
		wire_send(peer, frame, len);
	uint64_t received = 0;
	while (spu_receive(sock, got, sizeof(got), 500))
		received++;
	struct steer_counts c = counts();
	struct steer_device_counts peer_after = device("u-peer"), w0 = device("w0"),
	                           w0s = device("w0s");
#define GREW(field) (c.field - before.field)
	uint64_t lost_before_edge = peer_after.tx_dropped - peer_before.tx_dropped;
	uint64_t edge = GREW(stat[STEER_AT_EDGE][STEER_IN]);
	uint64_t steered = GREW(stat[STEER_AT_EDGE][STEER_REDIRECTED]);
	/* The kernel's own group reports come by here, too, and are dropped for that. */
	uint64_t port = GREW(stat[STEER_AT_SPU_WIRE][STEER_IN]) -
	                GREW(drop[STEER_AT_SPU_WIRE][DROP_BAD_FABRIC]);
	uint64_t to_socket = GREW(stat[STEER_AT_SPU_WIRE][STEER_REDIRECTED]);
	uint64_t no_room = w0.tx_xdp_xmit_errors - w0_before.tx_xdp_xmit_errors;
	uint64_t no_buffer = w0s.rx_drops - w0s_before.rx_drops;
	ck_assert_uint_eq(lost_before_edge + edge, FRAMES);
	ck_assert_uint_eq(steered, edge);
	ck_assert_msg(steered == w0.tx_xdp_xmit - w0_before.tx_xdp_xmit + no_room,
	              "%lu steered, %lu sent, %lu without room", steered,
	              w0.tx_xdp_xmit - w0_before.tx_xdp_xmit, no_room);
	ck_assert_uint_eq(port + no_room, steered);
	ck_assert_uint_eq(to_socket, port);
	ck_assert_msg(received + no_buffer == to_socket, "%lu received, %lu lost, of %lu", received,
	              no_buffer, to_socket);
	ck_assert_msg(no_buffer == spu_lost(sock), "device lost %lu, socket %lu", no_buffer,
	              spu_lost(sock));
	ck_assert_msg(received < FRAMES, "no overload: the test shows nothing");
	spu_close(sock);
	(void)close(peer);
}
END_TEST

TESTS_OF(real)
{
	TCase *tc = tcase_create("real");

	tcase_add_unchecked_fixture(tc, bed_setup, bed_teardown);
	tcase_add_test(tc, esp_reaches_the_socket_of_its_anchors_owner_or_stand_in);
	tcase_add_test(tc, a_marker_from_our_end_reaches_the_socket);
	tcase_add_test(tc, encrypted_packets_leave_also_to_a_neighbour_that_is_not_resolved);
	tcase_add_test(tc, decrypted_packets_arrive_also_at_a_host_that_is_not_resolved);
	tcase_add_test(tc, a_ping_through_the_tunnel_is_answered);
	tcase_add_test(tc, ttl_1_through_the_tunnel_is_answered);
	tcase_add_test(tc, a_packet_too_big_for_the_tunnel_is_answered);
	tcase_add_test(tc, under_overload_every_frame_is_accounted_for);
	return tc;
}
