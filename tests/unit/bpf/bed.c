// SPDX-License-Identifier: BSD-2-Clause
#include "bed.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <bpf/bpf.h>

struct bed bed;

void bed_ip(const char *lines)
{
	FILE *f = popen("ip -batch -", "w");

	ck_assert_msg(f != NULL, "ip: %s", strerror(errno));
	(void)fputs(lines, f);
	ck_assert_msg(pclose(f) == 0, "ip failed on:\n%s", lines);
}

uint32_t bed_ifindex(const char *name)
{
	uint32_t i = if_nametoindex(name);

	ck_assert_msg(i != 0, "no interface %s", name);
	return i;
}

/* Of this namespace: /proc/sys/net follows whoever opens it. */
static void set_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0 && write(fd, value, strlen(value)) > 0, "%s: %s", path,
	              strerror(errno));
	(void)close(fd);
}

/* A veth whose end has no program takes redirected frames only with GRO on. */
static void set_gro(const char *name)
{
	struct ethtool_value on = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq req = { .ifr_data = (void *)&on };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(req.ifr_name, IFNAMSIZ, "%s", name);
	ck_assert_msg(ioctl(sock, SIOCETHTOOL, &req) == 0, "gro of %s: %s", name, strerror(errno));
	(void)close(sock);
}

static void make_links(void)
{
	bed_ip("link set lo up\n"
	       "link add eth-u address 02:00:00:00:00:10 type veth peer name u-peer address "
	       "02:00:00:00:00:11\n"
	       "link add eth-t address 02:00:00:00:00:12 type veth peer name t-peer address "
	       "02:00:00:00:00:13\n"
	       "link add eth-n address 02:00:00:00:00:14 type veth peer name n-peer\n"
	       "link add w0 address 02:00:00:00:00:20 mtu 3498 type veth peer name w0s mtu 3498\n"
	       "link add w1 address 02:00:00:00:00:21 mtu 3498 type veth peer name w1s mtu 3498\n"
	       "link add f0 address 02:00:00:00:00:30 mtu 3498 type veth peer name f0s mtu 3498\n"
	       "link add f1 address 02:00:00:00:00:31 mtu 3498 type veth peer name f1s mtu 3498\n"
	       "link add st0.1 address 02:00:00:00:00:41 type veth peer name far1\n"
	       "link add st0.2 address 02:00:00:00:00:42 type veth peer name far2\n"
	       "link set st0.1 arp off mtu 1400\n"
	       "link set st0.2 arp off\n");
}

/* Before they are up: the kernel's own neighbour discovery would be counted among the tests'
 * frames. Where addresses of IPv6 are not needed it is off, elsewhere there is no link-local
 * address. */
static void quieten_links(void)
{
	static const char *const off[] = { "u-peer", "t-peer", "n-peer", "w0s", "w1s",
		                           "f0s",    "f1s",    "far1",   "far2" };
	static const char *const ours[] = { "w0", "w1", "f0", "f1", "st0.1", "st0.2" };
	char text[96];

	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		(void)snprintf(text, sizeof(text), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
		               off[i]);
		set_sysctl(text, "1");
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		(void)snprintf(text, sizeof(text), "link set %s addrgenmode none\n", ours[i]);
		bed_ip(text);
	}
}

static void start_links(void)
{
	static const char *const all[] = { "eth-u", "u-peer", "eth-t", "t-peer", "eth-n", "n-peer",
		                           "w0",    "w0s",    "w1",    "w1s",    "f0",    "f0s",
		                           "f1",    "f1s",    "st0.1", "far1",   "st0.2", "far2" };
	char line[64];
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		(void)snprintf(line, sizeof(line), "link set %s up\n", all[i]);
		bed_ip(line);
	}
	set_gro("u-peer");
	set_gro("t-peer");
}

static void make_routes(void)
{
	bed_ip("addr add 192.0.2.1/24 dev eth-u\n"
	       "addr add 2001:db8:1::1/64 dev eth-u nodad\n"
	       "addr add 10.1.1.1/24 dev eth-t\n"
	       "addr add 2001:db8:2::1/64 dev eth-t nodad\n"
	       "addr add 10.9.9.1/24 dev eth-n\n"
	       "addr add 10.255.0.1/30 dev st0.1\n"
	       "neigh replace 192.0.2.2 lladdr 02:00:00:00:00:11 dev eth-u nud permanent\n"
	       "neigh replace 2001:db8:1::2 lladdr 02:00:00:00:00:11 dev eth-u nud permanent\n"
	       "neigh replace 10.1.1.2 lladdr 02:00:00:00:00:13 dev eth-t nud permanent\n"
	       "neigh replace 2001:db8:2::2 lladdr 02:00:00:00:00:13 dev eth-t nud permanent\n"
	       "neigh replace 10.9.9.2 lladdr 02:00:00:00:00:13 dev eth-n nud permanent\n"
	       "route add 10.77.0.0/16 via 10.1.1.2 mtu lock 1000\n"
	       "route add default via 192.0.2.2\n"
	       "route add default via 2001:db8:1::2\n"
	       "route add 10.2.0.0/16 dev st0.1\n"
	       "route add 2001:db8:a::/48 dev st0.1\n"
	       "route add 10.3.0.0/16 via 10.254.0.2 dev st0.2 onlink\n"
	       "route add 10.4.0.0/16 via 10.254.0.3 dev st0.2 onlink\n"
	       "route add 10.5.0.0/16 via 10.254.0.9 dev st0.2 onlink\n"
	       "route add blackhole 10.91.0.0/16\n"
	       "route add unreachable 10.92.0.0/16\n"
	       "route add prohibit 10.93.0.0/16\n"
	       "route add throw 10.94.0.0/16\n");
}

static void interface_is(const char *name, enum steer_role role, struct steer_iface iface)
{
	struct why why = { { 0 } };
	struct ifreq req = { 0 };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(req.ifr_name, IFNAMSIZ, "%s", name);
	ck_assert_int_eq(ioctl(sock, SIOCGIFHWADDR, &req), 0);
	(void)close(sock);
	memcpy(iface.mac, req.ifr_hwaddr.sa_data, 6);
	iface.role = (uint8_t)role;
	ck_assert_msg(steer_attach(bed.steer, bed_ifindex(name), &iface, &why) == ERR_OK, "%s",
	              why.text);
}

static void attach_all(void)
{
	interface_is("eth-u", STEER_EDGE, (struct steer_iface){ .zone = 1, .inbound = 1 });
	interface_is("eth-t", STEER_EDGE, (struct steer_iface){ .zone = 2, .inbound = 2 });
	interface_is("eth-n", STEER_EDGE, (struct steer_iface){ .zone = 0 });
	interface_is("st0.1", STEER_ST0,
	             (struct steer_iface){ .zone = 3, .inbound = 1, .peer = bed_ifindex("far1") });
	interface_is("st0.2", STEER_ST0,
	             (struct steer_iface){ .zone = 3, .inbound = 2, .peer = bed_ifindex("far2") });
	interface_is("far1", STEER_ST0_FAR, (struct steer_iface){ .peer = bed_ifindex("st0.1") });
	interface_is("far2", STEER_ST0_FAR, (struct steer_iface){ .peer = bed_ifindex("st0.2") });
	for (uint8_t slot = 0; slot < 2; slot++) {
		static const char *const ports[2][4] = { { "w0", "w0s", "f0", "f0s" },
			                                 { "w1", "w1s", "f1", "f1s" } };
		struct steer_iface iface = { .slot = slot, .peer = bed_ifindex(ports[slot][1]) };
		struct why why = { { 0 } };

		interface_is(ports[slot][0], STEER_WIRE_RE, iface);
		interface_is(ports[slot][1], STEER_WIRE_SPU, iface);
		interface_is(ports[slot][2], STEER_FABRIC_RE, iface);
		interface_is(ports[slot][3], STEER_FABRIC_SPU, iface);
		ck_assert_msg(steer_port_set(bed.steer, slot, bed_ifindex(ports[slot][0]),
		                             bed_ifindex(ports[slot][2]), &why) == ERR_OK,
		              "%s", why.text);
	}
}

/* Profile 1 is untrust: ike and ping. Profile 2 is trust: ssh and ospf. */
static bool allows_untrust(const void *ctx, uint8_t family, uint8_t protocol, uint16_t port)
{
	(void)ctx;
	if (protocol == 17)
		return port == 500 || port == 4500;
	return (family == 4 && protocol == 1 && port == 8) ||
	       (family == 6 && protocol == 58 && port == 128);
}

static bool allows_trust(const void *ctx, uint8_t family, uint8_t protocol, uint16_t port)
{
	(void)ctx;
	return (protocol == 6 && port == 22) || (family == 4 && protocol == 89);
}

static void fill_tables(void)
{
	static const char *const locals[] = { "192.0.2.1",     "2001:db8:1::1", "10.1.1.1",
		                              "2001:db8:2::1", "10.9.9.1",      "10.255.0.1" };
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(locals); i++) {
		ck_assert_int_eq(addr_parse(locals[i], &a), ERR_OK);
		ck_assert_int_eq(steer_local_set(bed.steer, 0, &a), ERR_OK);
	}
	ck_assert_int_eq(steer_inbound_set(bed.steer, 1, allows_untrust, NULL), ERR_OK);
	ck_assert_int_eq(steer_inbound_set(bed.steer, 2, allows_trust, NULL), ERR_OK);
	ck_assert_int_eq(steer_anchor_set(bed.steer, ANCHOR_0, 0, 1), ERR_OK);
	ck_assert_int_eq(steer_anchor_set(bed.steer, ANCHOR_1, 1, 0), ERR_OK);
	ck_assert_int_eq(steer_anchor_set(bed.steer, ANCHOR_DEAD, SLOT_DEAD, SLOT_DEAD), ERR_OK);
	ck_assert_int_eq(steer_anchor_set(bed.steer, ANCHOR_STANDIN, SLOT_DEAD, 1), ERR_OK);
	ck_assert_int_eq(steer_tunnel_set(bed.steer, bed_ifindex("st0.1"), NULL,
	                                  &(struct steer_tunnel){ TUNNEL_1, ANCHOR_0, 1, 1400 }),
	                 ERR_OK);
	ck_assert_int_eq(addr_parse("10.254.0.2", &a), ERR_OK);
	ck_assert_int_eq(steer_tunnel_set(bed.steer, bed_ifindex("st0.2"), &a,
	                                  &(struct steer_tunnel){ TUNNEL_2, ANCHOR_1, 1, 0 }),
	                 ERR_OK);
	ck_assert_int_eq(addr_parse("10.254.0.3", &a), ERR_OK);
	ck_assert_int_eq(steer_tunnel_set(bed.steer, bed_ifindex("st0.2"), &a,
	                                  &(struct steer_tunnel){ TUNNEL_3, ANCHOR_1, 0, 0 }),
	                 ERR_OK);
	ck_assert_int_eq(steer_manual_set(bed.steer, 0, 300, ANCHOR_1), ERR_OK);
}

void bed_permit(bool permit_all)
{
	const struct steer_settings settings = { .permit_all = permit_all,
		                                 .reply_first = 32768,
		                                 .reply_last = 60999 };

	ck_assert_int_eq(steer_settings_set(bed.steer, &settings), ERR_OK);
}

void bed_reset(void)
{
	for (int i = 0; i < ALIVE_WORDS; i++)
		bed.alive[i] = i < 2;
	bed_permit(true);
}

void bed_setup(void)
{
	static const char *const forwards[] = { "eth-u", "eth-t", "eth-n", "w0",   "w1",
		                                "f0",    "f1",    "st0.1", "st0.2" };
	char path[96];
	struct why why = { { 0 } };

	ck_assert_msg(unshare(CLONE_NEWNET) == 0,
	              "a network namespace of our own: %s (run as root)", strerror(errno));
	set_sysctl("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	set_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0");
	set_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	make_links();
	quieten_links();
	start_links();
	set_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	set_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	for (size_t i = 0; i < ARRAY_LEN(forwards); i++) {
		(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter",
		               forwards[i]);
		set_sysctl(path, "0");
	}
	set_sysctl("/proc/sys/net/ipv4/conf/w0/accept_local", "1");
	set_sysctl("/proc/sys/net/ipv4/conf/w1/accept_local", "1");
	make_routes();
	ck_assert_msg(steer_open(&bed.steer, &why) == ERR_OK, "%s", why.text);
	ck_assert_int_eq(steer_alive(bed.steer, &bed.alive), ERR_OK);
	attach_all();
	fill_tables();
	bed_reset();
}

void bed_teardown(void)
{
	steer_close(bed.steer);
	bed.steer = NULL;
}

static struct run run_once(enum steer_fd prog, enum steer_where where, const char *ifname,
                           const uint8_t *frame, size_t len)
{
	struct steer_counts before, after;
	struct run r = { .drop = 0 };
	struct xdp_md ctx = { .data_end = (uint32_t)len, .ingress_ifindex = bed_ifindex(ifname) };
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
	                    .data_size_in = (uint32_t)len, .data_out = r.out,
	                    .data_size_out = sizeof(r.out), .ctx_in = &ctx,
	                    .ctx_size_in = sizeof(ctx), .repeat = 1);

	ck_assert_int_eq(steer_counters(bed.steer, &before), ERR_OK);
	ck_assert_msg(bpf_prog_test_run_opts(steer_fd(bed.steer, prog), &opts) == 0,
	              "BPF_PROG_TEST_RUN on %s: %s", ifname, strerror(errno));
	ck_assert_int_eq(steer_counters(bed.steer, &after), ERR_OK);
	r.action = (int)opts.retval;
	r.len = opts.data_size_out;
	r.in = (int)(after.stat[where][STEER_IN] - before.stat[where][STEER_IN]);
	r.passed = (int)(after.stat[where][STEER_PASSED] - before.stat[where][STEER_PASSED]);
	for (int stat = STEER_REDIRECTED; stat <= STEER_LEFT; stat++)
		r.redirected += (int)(after.stat[where][stat] - before.stat[where][stat]);
	for (int i = 0; i < DROP_MAX; i++)
		if (after.drop[where][i] != before.drop[where][i]) {
			r.drop = i;
			r.dropped += (int)(after.drop[where][i] - before.drop[where][i]);
		}
	return r;
}

/* Should the kernel send something of its own just then, the program is run again. */
struct run bed_run(enum steer_fd prog, enum steer_where where, const char *ifname,
                   const uint8_t *frame, size_t len)
{
	struct run r = run_once(prog, where, ifname, frame, len);

	for (int i = 0; i < 10 && r.in > 1; i++)
		r = run_once(prog, where, ifname, frame, len);
	return r;
}
