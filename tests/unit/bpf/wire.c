// SPDX-License-Identifier: BSD-2-Clause
#include "wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <bpf/bpf.h>
#include <xdp/xsk.h>

#define WAIT_MS 5000
#define SPU_FRAMES 2048
#define SPU_FRAME 4096

int wire_open(const char *ifname)
{
	const struct sockaddr_ll at = { .sll_family = AF_PACKET,
		                        .sll_protocol = htons(ETH_P_ALL),
		                        .sll_ifindex = (int)bed_ifindex(ifname) };
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));

	ck_assert_msg(sock >= 0 && bind(sock, (const struct sockaddr *)&at, sizeof(at)) == 0,
	              "raw socket on %s: %s", ifname, strerror(errno));
	return sock;
}

void wire_send(int sock, const uint8_t *frame, size_t len)
{
	ck_assert_msg(send(sock, frame, len, 0) == (ssize_t)len, "send: %s", strerror(errno));
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

size_t wire_wait(int sock, bool (*fits)(const uint8_t *frame, size_t len), uint8_t *ret, size_t cap)
{
	int64_t until = now_ms() + WAIT_MS;

	for (int64_t left; (left = until - now_ms()) > 0;) {
		struct pollfd fd = { .fd = sock, .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);

		if (poll(&fd, 1, (int)left) <= 0)
			continue;
		ssize_t n = recvfrom(sock, ret, cap, 0, (struct sockaddr *)&from, &len);
		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING && fits(ret, (size_t)n))
			return (size_t)n;
	}
	return 0;
}

struct spu_sock {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	uint8_t *area;
};

/* The queue stays busy for some milliseconds after its last socket was closed: then -EBUSY. */
static int try_bind(struct spu_sock *s, const char *ifname)
{
	const struct xsk_umem_config memory = { .fill_size = SPU_FRAMES,
		                                .comp_size = 64,
		                                .frame_size = SPU_FRAME };
	const struct xsk_socket_config config = {
		.rx_size = SPU_FRAMES,
		.tx_size = 64,
		.libbpf_flags = XSK_LIBBPF_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY,
	};

	ck_assert_int_eq(xsk_umem__create(&s->umem, s->area, SPU_FRAMES * SPU_FRAME, &s->fill,
	                                  &s->comp, &memory),
	                 0);
	int failed = xsk_socket__create(&s->xsk, ifname, 0, s->umem, &s->rx, &s->tx, &config);
	if (failed)
		(void)xsk_umem__delete(s->umem);
	return failed;
}

struct spu_sock *spu_open(const char *ifname, enum steer_fd socks, uint32_t slot)
{
	struct spu_sock *s = calloc(1, sizeof(*s));
	int64_t until = now_ms() + WAIT_MS;
	uint32_t at = 0;
	int failed;

	ck_assert_ptr_nonnull(s);
	s->area = mmap(NULL, SPU_FRAMES * SPU_FRAME, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(s->area, MAP_FAILED);
	while ((failed = try_bind(s, ifname)) == -EBUSY && now_ms() < until)
		(void)poll(NULL, 0, 1);
	ck_assert_msg(failed == 0, "AF_XDP socket on %s: %s", ifname, strerror(-failed));
	ck_assert_uint_eq(xsk_ring_prod__reserve(&s->fill, SPU_FRAMES, &at), SPU_FRAMES);
	for (uint32_t i = 0; i < SPU_FRAMES; i++)
		*xsk_ring_prod__fill_addr(&s->fill, at + i) = (uint64_t)i * SPU_FRAME;
	xsk_ring_prod__submit(&s->fill, SPU_FRAMES);
	int fd = xsk_socket__fd(s->xsk);
	ck_assert_msg(bpf_map_update_elem(steer_fd(bed.steer, socks), &slot, &fd, BPF_ANY) == 0,
	              "socket of %s into the map: %s", ifname, strerror(errno));
	return s;
}

void spu_close(struct spu_sock *s)
{
	xsk_socket__delete(s->xsk);
	(void)xsk_umem__delete(s->umem);
	(void)munmap(s->area, SPU_FRAMES * SPU_FRAME);
	free(s);
}

size_t spu_receive(struct spu_sock *s, uint8_t *ret, size_t cap, int wait_ms)
{
	struct pollfd fd = { .fd = xsk_socket__fd(s->xsk), .events = POLLIN };
	uint32_t at = 0, back = 0;

	if (xsk_ring_cons__peek(&s->rx, 1, &at) == 0) {
		(void)poll(&fd, 1, wait_ms);
		if (xsk_ring_cons__peek(&s->rx, 1, &at) == 0)
			return 0;
	}
	const struct xdp_desc *d = xsk_ring_cons__rx_desc(&s->rx, at);
	size_t len = d->len < cap ? d->len : cap;
	uint64_t addr = d->addr;
	memcpy(ret, s->area + addr, len);
	xsk_ring_cons__release(&s->rx, 1);
	if (xsk_ring_prod__reserve(&s->fill, 1, &back) == 1) {
		*xsk_ring_prod__fill_addr(&s->fill, back) = addr;
		xsk_ring_prod__submit(&s->fill, 1);
	}
	return len;
}

uint64_t spu_lost(struct spu_sock *s)
{
	struct xdp_statistics stats;
	socklen_t len = sizeof(stats);

	ck_assert_int_eq(getsockopt(xsk_socket__fd(s->xsk), SOL_XDP, XDP_STATISTICS, &stats, &len),
	                 0);
	/* Without a free buffer both rx_dropped and rx_fill_ring_empty_descs count it. */
	return stats.rx_dropped + stats.rx_ring_full;
}
