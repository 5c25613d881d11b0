// SPDX-License-Identifier: BSD-2-Clause
#include "live.h"
#include "fabric.h"
#include "records.pb-c.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const ours[LIVE_SIDES] = { "w0", "f0" }, *const spus[LIVE_SIDES] = { "w1",
	                                                                                "f1" };

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* ---------------------------------------------------------------- links */

/* return bpf_redirect_map(&socks, LIVE_SLOT, XDP_DROP) */
static void attach(struct live *l, enum live_side side)
{
	l->xskmap[side] = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "socks", 4, 4, 64, NULL);
	ck_assert_int_ge(l->xskmap[side], 0);
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = l->xskmap[side] },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = LIVE_SLOT },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	l->prog[side] =
	        bpf_prog_load(BPF_PROG_TYPE_XDP, "to_sock", "BSD", insns, ARRAY_LEN(insns), NULL);
	ck_assert_int_ge(l->prog[side], 0);
	int index = (int)if_nametoindex(spus[side]);
	ck_assert_int_eq(bpf_xdp_attach(index, l->prog[side], XDP_FLAGS_DRV_MODE, NULL), 0);
}

static void listen_on(struct live *l, enum live_side side)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
		                  .sll_protocol = htons(ETH_P_ALL),
		                  .sll_ifindex = (int)if_nametoindex(ours[side]) };

	l->packet[side] = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	ck_assert_int_ge(l->packet[side], 0);
	ck_assert_int_eq(bind(l->packet[side], (struct sockaddr *)&at, sizeof(at)), 0);
}

static void links_up(struct live *l)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
	run("ip link add w0 mtu 3498 type veth peer name w1 mtu 3498");
	run("ip link add f0 mtu 3498 type veth peer name f1 mtu 3498");
	for (enum live_side side = 0; side < LIVE_SIDES; side++)
		attach(l, side);
	run("for i in w0 w1 f0 f1; do ip link set $i up; done");
	for (enum live_side side = 0; side < LIVE_SIDES; side++)
		listen_on(l, side);
}

/* ---------------------------------------------------------------- the keeper */

static void own(struct live *l, const char *name, int32_t slot, int fd)
{
	struct keeper_name n = keeper_name(name, slot, KEEPER_NO_NUMBER);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(keeper_fds_put(&l->fds, &n, fd), ERR_OK);
}

static void keeper_up(struct live *l)
{
	static const uint8_t identity[16] = { 9, 8, 7 };
	struct why why = { 0 };
	char path[96];
	bool is_new;
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/node", l->dir);
	ck_assert_msg(node_shm_create(path, identity, &l->node, &fd, &is_new, &why) == ERR_OK, "%s",
	              why.text);
	own(l, KEEPER_FD_NODE, KEEPER_NO_SLOT, fd);
	(void)snprintf(path, sizeof(path), "%s/runtime", l->dir);
	ck_assert_msg(sa_runtime_create(path, 512, identity, &l->runtime, &fd, &is_new, &why) ==
	                      ERR_OK,
	              "%s", why.text);
	own(l, KEEPER_FD_RUNTIME, KEEPER_NO_SLOT, fd);
	own(l, "wire_socks", KEEPER_NO_SLOT, dup(l->xskmap[LIVE_WIRE]));
	own(l, "fabric_socks", KEEPER_NO_SLOT, dup(l->xskmap[LIVE_FABRIC]));
	l->to_spu = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->to_re = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	own(l, KEEPER_FD_TO_SPU, LIVE_SLOT, l->to_spu);
	own(l, KEEPER_FD_TO_RE, LIVE_SLOT, l->to_re);
	l->spu = &l->node->spu[LIVE_SLOT];
	ck_assert_msg(keeper_link_listen(l->dir, &l->listen, &why) == ERR_OK, "%s", why.text);
}

static enum err next_message(struct live *l, struct keeper_msg *m, int *fds)
{
	struct pollfd p = { .fd = l->link, .events = POLLIN };

	(void)poll(&p, 1, 5000);
	return keeper_link_recv(l->link, m, fds);
}

size_t live_serve(struct live *l)
{
	struct pollfd p = { .fd = l->listen, .events = POLLIN };
	struct keeper_msg m, ready = { .kind = KEEPER_READY, .slot = LIVE_SLOT };
	int fds[KEEPER_MSG_FDS];
	uint32_t pid = 0;
	size_t given = 0;

	ck_assert_msg(poll(&p, 1, 10000) == 1, "the SPU does not connect");
	ck_assert_int_eq(keeper_link_accept(l->listen, &l->link, &pid), ERR_OK);
	do {
		ck_assert_int_eq(next_message(l, &m, fds), ERR_OK);
		for (uint32_t i = 0; m.kind == KEEPER_GIVE && i < m.n; i++, given++)
			(void)close(fds[i]);
	} while (m.kind != KEEPER_GIVEN);
	ck_assert_int_eq(keeper_link_send_set(l->link, KEEPER_TAKE, &l->fds, NULL, NULL), ERR_OK);
	ck_assert_int_eq(keeper_link_send(l->link, &ready, NULL), ERR_OK);
	return given;
}

/* ---------------------------------------------------------------- records */

static void commit(struct live *l)
{
	uint64_t revision = 0, one = 1;

	ck_assert_int_eq(store_commit(l->store, &revision), ERR_OK);
	atomic_store(&l->node->revision, revision);
	ck_assert_int_eq(write(l->to_spu, &one, sizeof(one)), (ssize_t)sizeof(one));
	if (l->pid > 0)
		LIVE_WAIT("the record is applied", atomic_load(&l->spu->applied) == revision);
}

void live_put(struct live *l, struct record_key key, const ProtobufCMessage *m)
{
	uint8_t body[RECORD_BODY_MAX];
	size_t len = 0;

	ck_assert_int_eq(record_encode(m, body, sizeof(body), &len), ERR_OK);
	ck_assert_int_eq(store_begin(l->store), ERR_OK);
	ck_assert_int_eq(store_put(l->store, &key, (struct view){ body, len }), ERR_OK);
	commit(l);
}

void live_del(struct live *l, struct record_key key)
{
	ck_assert_int_eq(store_begin(l->store), ERR_OK);
	ck_assert_int_eq(store_del(l->store, &key), ERR_OK);
	commit(l);
}

static void records_up(struct live *l, const char *profile)
{
	Hawser__NodeRecord node = HAWSER__NODE_RECORD__INIT;
	Hawser__SpuRecord spu = HAWSER__SPU_RECORD__INIT;
	static uint8_t anchor_key[16];
	char path[96];
	struct why why = { 0 };

	(void)snprintf(path, sizeof(path), "%s/store", l->dir);
	ck_assert_msg(store_open(path, STORE_WRITE, 0, &l->store, &why) == ERR_OK, "%s", why.text);
	node.runtime_identity = (ProtobufCBinaryData){ .len = 16, .data = l->runtime.identity };
	node.anchor_key = (ProtobufCBinaryData){ .len = 16, .data = anchor_key };
	live_put(l, record_key_node(), &node.base);
	spu.slot = LIVE_SLOT;
	spu.port = (char *)"emulated";
	spu.profile = (char *)profile;
	spu.weight = 1;
	spu.wire_ifname = (char *)spus[LIVE_WIRE];
	spu.fabric_ifname = (char *)spus[LIVE_FABRIC];
	spu.wire_ifindex = if_nametoindex(spus[LIVE_WIRE]);
	spu.fabric_ifindex = if_nametoindex(spus[LIVE_FABRIC]);
	live_put(l, record_key_spu(LIVE_SLOT), &spu.base);
}

/* ---------------------------------------------------------------- life */

/* Removes the folder when the test's process is gone, also when it failed half-way: then nothing of
 * ours runs any more in it. */
static void remove_afterwards(const char *dir)
{
	int ends[2];
	char c;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)setsid(); /* Check kills the whole group of a test that takes too long */
		(void)close(ends[1]);
		while (read(ends[0], &c, 1) > 0)
			;
		(void)execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[0]); /* the other end stays open as long as we live */
}

struct live *live_new(const char *profile)
{
	struct live *l = calloc(1, sizeof(*l));

	ck_assert_ptr_nonnull(l);
	l->link = -1;
	(void)snprintf(l->dir, sizeof(l->dir), "/tmp/hawser-live-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(l->dir));
	remove_afterwards(l->dir);
	links_up(l);
	keeper_up(l);
	records_up(l, profile);
	return l;
}

void live_start(struct live *l)
{
	char slot[8];

	(void)snprintf(slot, sizeof(slot), "%d", LIVE_SLOT);
	const char *program = getenv("HAWSER_SPU");

	ck_assert_msg(program != NULL, "HAWSER_SPU does not say which program (run by meson test)");
	l->pid = fork();
	ck_assert_int_ge(l->pid, 0);
	if (l->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl(program, "hawser-spu", "--slot", slot, "-d", l->dir, (char *)NULL);
		_exit(127);
	}
}

void live_wait_ready(struct live *l)
{
	LIVE_WAIT("the SPU is ready", atomic_load(&l->spu->state) == SPU_READY ||
	                                      atomic_load(&l->spu->state) == SPU_ACTIVE);
	ck_assert_uint_eq(atomic_load(&l->spu->applied), atomic_load(&l->node->revision));
}

int live_stop(struct live *l, int number)
{
	int status = 0;

	ck_assert_int_eq(kill(l->pid, number), 0);
	ck_assert_int_eq(waitpid(l->pid, &status, 0), l->pid);
	l->pid = 0;
	return status;
}

void live_free(struct live *l)
{
	if (l->pid > 0)
		(void)live_stop(l, SIGKILL);
	store_close(l->store);
	sa_runtime_unmap(&l->runtime);
	node_shm_unmap(l->node);
	keeper_fds_close(&l->fds);
	free(l);
}

/* ---------------------------------------------------------------- frames */

void live_send(struct live *l, enum live_side side, const struct fabric_hdr *meta, const void *ip,
               size_t len)
{
	uint8_t frame[LIVE_FRAME] = { 0 };
	size_t all = 14 + len < 60 ? 60 : 14 + len;
	uint8_t version = len ? *(const uint8_t *)ip >> 4 : 0;

	memcpy(frame, meta, sizeof(*meta));
	uint16_t type = htons(version == 4   ? ETH_P_IP
	                      : version == 6 ? ETH_P_IPV6
	                                     : FABRIC_ETHERTYPE_MARKER);
	memcpy(frame + 12, &type, sizeof(type));
	memcpy(frame + 14, ip, len);
	ck_assert_int_eq(send(l->packet[side], frame, all, 0), (ssize_t)all);
}

size_t live_receive(struct live *l, enum live_side side, uint8_t kind, uint8_t *ret_ip)
{
	struct pollfd p = { .fd = l->packet[side], .events = POLLIN };
	uint8_t frame[LIVE_FRAME];

	while (poll(&p, 1, 5000) == 1) {
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(l->packet[side], frame, sizeof(frame), 0,
		                     (struct sockaddr *)&from, &from_len);
		if (n < 14 || from.sll_pkttype == PACKET_OUTGOING || frame[0] != kind)
			continue;
		memcpy(ret_ip, frame + 14, (size_t)n - 14);
		return (size_t)n - 14;
	}
	return 0;
}
