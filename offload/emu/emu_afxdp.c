// SPDX-License-Identifier: BSD-2-Clause
/* An AF_XDP socket of our own on queue 0 of a veth, its umem the mbuf pool itself.
 *
 * A chunk is a pool element from its mempool header on; the kernel writes behind 256 bytes of its
 * own headroom and ours, which together end where an mbuf's data starts. */
#include "emu_priv.h"

#include <ethdev_driver.h>
#include <linux/bpf.h>
#include <rte_mempool.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xdp/xsk.h>

#define CHUNK 4096u
#define CHUNK_SHIFT 12
#define KERNEL_HEADROOM 256u /* XDP_PACKET_HEADROOM */
#define BIND_RETRY_NS 200000
#define BIND_RETRIES 10000 /* 2 s: a dead predecessor's socket holds the queue for 1 to 25 ms */

struct emu_xsk {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	uint8_t *base;        /* of the umem: the pool's memory from a page's start on */
	uint32_t to_mbuf;     /* from a chunk's start to its mbuf */
	uint32_t to_data;     /* from a chunk's start to its buf_addr */
	uint32_t fill_wanted; /* chunks that the fill ring lacks */
	uint32_t comp_wanted; /* frames given to the kernel, not yet seen in the completion ring */
	uint64_t no_buffer;
	uint8_t *held; /* by chunk number: 1 while the kernel has it */
	size_t chunks;
	int fd;
};

const char *const emu_xsk_stat_names[EMU_XSK_STATS] = {
	"rx_dropped",   "rx_invalid_descs",   "tx_invalid_descs",
	"rx_ring_full", "rx_fill_ring_empty", "tx_ring_empty",
};

static struct rte_mbuf *mbuf_of(const struct emu_xsk *x, uint64_t addr)
{
	return (struct rte_mbuf *)(void *)(x->base + xsk_umem__extract_addr(addr) + x->to_mbuf);
}

static uint64_t chunk_of(const struct emu_xsk *x, const struct rte_mbuf *m)
{
	return (uint64_t)((const uint8_t *)m - x->base) - x->to_mbuf;
}

static void hold(struct emu_xsk *x, uint64_t addr, uint8_t held)
{
	x->held[xsk_umem__extract_addr(addr) >> CHUNK_SHIFT] = held;
}

/* ---------------------------------------------------------------- set-up */

/* The whole pool in one piece, elements of at least one chunk: else frames would overlap. */
static enum err take_pool(struct emu_dev *dev, struct emu_xsk *x, size_t *ret_size)
{
	struct rte_mempool *mp = dev->pool;
	size_t element = (size_t)mp->header_size + mp->elt_size + mp->trailer_size;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (mp->nb_mem_chunks != 1)
		return why_set(&dev->why, ERR_VALUE, "pool %s: %u pieces of memory; one is needed",
		               mp->name, mp->nb_mem_chunks);
	if (element < CHUNK)
		return why_set(&dev->why, ERR_VALUE, "pool %s: elements of %zu bytes; at least %u",
		               mp->name, element, CHUNK);
	struct rte_mempool_memhdr *mem = STAILQ_FIRST(&mp->mem_list);
	uint64_t start = (uint64_t)mem->addr & ~(page - 1);

	x->base = (uint8_t *)start;
	*ret_size = (size_t)((uint64_t)mem->addr + mem->len - start);
	x->to_mbuf = mp->header_size;
	x->to_data = x->to_mbuf + (uint32_t)sizeof(struct rte_mbuf) + rte_pktmbuf_priv_size(mp);
	x->chunks = (*ret_size >> CHUNK_SHIFT) + 1;
	x->held = calloc(x->chunks, 1);
	if (x->held == NULL)
		return why_set(&dev->why, ERR_MEMORY, "no memory");
	return ERR_OK;
}

static enum err make_umem(struct emu_dev *dev, struct emu_xsk *x)
{
	size_t size = 0;

	TRY(take_pool(dev, x, &size));
	struct xsk_umem_config conf = {
		.fill_size = dev->descriptors,
		.comp_size = dev->descriptors,
		.frame_size = CHUNK,
		.frame_headroom = x->to_data + RTE_PKTMBUF_HEADROOM - KERNEL_HEADROOM,
		.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG,
	};
	int ret = xsk_umem__create(&x->umem, x->base, size, &x->fill, &x->comp, &conf);

	if (ret != 0)
		return why_set(&dev->why, err_from_errno(-ret), "umem of %zu bytes: %s", size,
		               strerror(-ret));
	return ERR_OK;
}

static enum err bind_socket(struct emu_dev *dev, struct emu_xsk *x)
{
	struct xsk_socket_config conf = {
		.rx_size = dev->descriptors,
		.tx_size = dev->descriptors,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
	};
	struct timespec pause = { 0, BIND_RETRY_NS };
	int ret = 0;

	for (int i = 0; i < BIND_RETRIES; i++) {
		ret = xsk_socket__create(&x->xsk, dev->iface, 0, x->umem, &x->rx, &x->tx, &conf);
		if (ret != -EBUSY)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (ret != 0)
		return why_set(&dev->why, err_from_errno(-ret), "AF_XDP socket on %s: %s",
		               dev->iface, strerror(-ret));
	x->fd = xsk_socket__fd(x->xsk);
	int buffer = 16 << 20; /* else sk_sndbuf stops us at some 80 frames in flight */
	if (setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) != 0)
		(void)setsockopt(x->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	return ERR_OK;
}

static enum err put_into_map(struct emu_dev *dev, struct emu_xsk *x)
{
	union bpf_attr attr = { 0 };
	uint32_t fd = (uint32_t)x->fd;

	attr.map_fd = (uint32_t)dev->xskmap_fd;
	attr.key = (uint64_t)(uintptr_t)&dev->key;
	attr.value = (uint64_t)(uintptr_t)&fd;
	if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) == 0)
		return ERR_OK;
	int e = errno;
	return why_set(&dev->why, err_from_errno(e), "XSKMAP entry %u for %s: %s", dev->key,
	               dev->iface, strerror(e));
}

/* Gives the kernel as many empty chunks as the fill ring lacks. */
static void refill(struct emu_dev *dev, struct emu_xsk *x)
{
	struct rte_mbuf *fresh[EMU_BURST];

	while (x->fill_wanted > 0) {
		uint32_t n = RTE_MIN(x->fill_wanted, (uint32_t)EMU_BURST);
		uint32_t at = 0;

		if (rte_pktmbuf_alloc_bulk(dev->pool, fresh, n) != 0) {
			x->no_buffer += n;
			return;
		}
		if (xsk_ring_prod__reserve(&x->fill, n, &at) != n) {
			rte_pktmbuf_free_bulk(fresh, n);
			return;
		}
		for (uint32_t i = 0; i < n; i++) {
			uint64_t chunk = chunk_of(x, fresh[i]);

			*xsk_ring_prod__fill_addr(&x->fill, at + i) = chunk;
			hold(x, chunk, 1);
		}
		xsk_ring_prod__submit(&x->fill, n);
		x->fill_wanted -= n;
	}
}

enum err emu_xsk_start(struct emu_dev *dev)
{
	struct emu_xsk *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return why_set(&dev->why, ERR_MEMORY, "no memory");
	dev->xsk = x;
	x->fd = -1;
	enum err e = make_umem(dev, x);
	if (e == ERR_OK)
		e = bind_socket(dev, x);
	if (e == ERR_OK) {
		x->fill_wanted = dev->descriptors;
		refill(dev, x);
		e = put_into_map(dev, x);
	}
	if (e != ERR_OK)
		emu_xsk_stop(dev);
	return e;
}

static void free_if_held(struct rte_mempool *mp, void *opaque, void *obj, unsigned int index)
{
	struct emu_xsk *x = opaque;

	(void)mp;
	(void)index;
	if (x->held[chunk_of(x, obj) >> CHUNK_SHIFT])
		rte_pktmbuf_free_seg(obj);
}

/* Frames that the kernel still counts as its own were copied into its buffers or never looked at,
 * and after the socket is gone it writes to none. */
void emu_xsk_stop(struct emu_dev *dev)
{
	struct emu_xsk *x = dev->xsk;

	if (x == NULL)
		return;
	if (x->xsk)
		xsk_socket__delete(x->xsk);
	if (x->umem)
		(void)xsk_umem__delete(x->umem);
	dev->xsk = NULL;
	if (x->held)
		(void)rte_mempool_obj_iter(dev->pool, free_if_held, x);
	free(x->held);
	free(x);
}

/* ---------------------------------------------------------------- bursts */

uint16_t emu_xsk_rx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n)
{
	struct emu_xsk *x = dev->xsk;
	uint32_t at = 0;
	uint32_t got = xsk_ring_cons__peek(&x->rx, n, &at);

	for (uint32_t i = 0; i < got; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&x->rx, at + i);
		struct rte_mbuf *m = mbuf_of(x, d->addr);

		hold(x, d->addr, 0);
		m->data_off = (uint16_t)(xsk_umem__extract_offset(d->addr) - x->to_data);
		m->data_len = (uint16_t)d->len;
		m->pkt_len = d->len;
		m->port = dev->eth->data->port_id;
		mbufs[i] = m;
	}
	if (got > 0) {
		xsk_ring_cons__release(&x->rx, got);
		x->fill_wanted += got;
	}
	if (x->fill_wanted >= EMU_BURST)
		refill(dev, x);
	return (uint16_t)got;
}

/* Takes back what the kernel has sent. */
static void complete(struct emu_xsk *x)
{
	struct rte_mbuf *done[EMU_BURST];

	while (x->comp_wanted > 0) {
		uint32_t at = 0;
		uint32_t n = xsk_ring_cons__peek(&x->comp, EMU_BURST, &at);

		if (n == 0)
			return;
		for (uint32_t i = 0; i < n; i++) {
			uint64_t addr = *xsk_ring_cons__comp_addr(&x->comp, at + i);

			hold(x, addr, 0);
			done[i] = mbuf_of(x, addr);
		}
		xsk_ring_cons__release(&x->comp, n);
		x->comp_wanted -= n;
		rte_pktmbuf_free_bulk(done, n);
	}
}

/* As many as the transmit ring takes, and as the completion ring can give back. */
uint16_t emu_xsk_tx_room(struct emu_dev *dev, uint16_t n)
{
	struct emu_xsk *x = dev->xsk;

	complete(x);
	uint32_t ring = xsk_prod_nb_free(&x->tx, n);
	uint32_t back = x->comp.size - x->comp_wanted;
	uint32_t room = RTE_MIN(ring, back);

	return room < n ? (uint16_t)room : n;
}

void emu_xsk_tx(struct emu_dev *dev, struct rte_mbuf **mbufs, uint16_t n)
{
	struct emu_xsk *x = dev->xsk;
	uint32_t at = 0;

	if (n == 0)
		return;
	if (xsk_ring_prod__reserve(&x->tx, n, &at) != n) {
		rte_pktmbuf_free_bulk(mbufs, n); /* the room was promised to us */
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = mbufs[i];
		struct xdp_desc *d = xsk_ring_prod__tx_desc(&x->tx, at + i);
		uint64_t chunk = chunk_of(x, m);

		d->addr = chunk | (uint64_t)(x->to_data + m->data_off)
		                          << XSK_UNALIGNED_BUF_OFFSET_SHIFT;
		d->len = m->pkt_len;
		d->options = 0;
		hold(x, chunk, 1);
	}
	xsk_ring_prod__submit(&x->tx, n);
	x->comp_wanted += n;
}

uint32_t emu_xsk_tx_waiting(const struct emu_xsk *x)
{
	return *x->tx.producer - __atomic_load_n(x->tx.consumer, __ATOMIC_ACQUIRE);
}

/* One sendto() moves at most 32 frames and then says EAGAIN, which it also says when the socket's
 * buffer is full: go on only while it gets somewhere. */
void emu_xsk_kick(struct emu_dev *dev)
{
	struct emu_xsk *x = dev->xsk;
	uint32_t waiting = emu_xsk_tx_waiting(x);

	while (waiting > 0) {
		(void)sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		uint32_t left = emu_xsk_tx_waiting(x);

		if (left >= waiting)
			break;
		waiting = left;
	}
}

int emu_xsk_fd(const struct emu_xsk *x)
{
	return x->fd;
}

uint64_t emu_xsk_rx_no_buffer(const struct emu_xsk *x)
{
	return x->no_buffer;
}

void emu_xsk_stats(const struct emu_xsk *x, uint64_t ret[EMU_XSK_STATS])
{
	struct xdp_statistics s = { 0 };
	socklen_t len = sizeof(s);

	(void)getsockopt(x->fd, SOL_XDP, XDP_STATISTICS, &s, &len);
	ret[0] = s.rx_dropped;
	ret[1] = s.rx_invalid_descs;
	ret[2] = s.tx_invalid_descs;
	ret[3] = s.rx_ring_full;
	ret[4] = s.rx_fill_ring_empty_descs;
	ret[5] = s.tx_ring_empty_descs;
}
