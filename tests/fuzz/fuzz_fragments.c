// SPDX-License-Identifier: BSD-2-Clause
/* Reaches the reassembly of outer fragments, and what ICMP errors quote. An even first byte: what
 * follows is a quoted packet. An odd one: fragments of three bytes each say what they are: bit 0
 * over IPv6, bit 1 the last one, bits 2 and 3 the packet; offset and length in units of 8. A byte
 * of a fragment tells its place, so a packet that comes out is known to be put together right. */
#include "eal_dir.h"
#include "fuzz.h"
#include "pmtu.h"

#include <assert.h>
#include <rte_eal.h>
#include <stdlib.h>

enum { OVER_V6 = 1, LAST = 2, MBUFS = 511, V4_HEAD = 20, V6_HEAD = 48, ESP = 50 };

static struct roads roads;
static struct sa_engines engines;

static void set_up(void)
{
	static char word[][24] = { "fuzz",     "--no-huge",      "-m",          "32", "--no-shconf",
		                   "--no-pci", "--no-telemetry", "--iova-mode", "va", "--log-level",
		                   "error" };
	char *argv[ARRAY_LEN(word) + 1] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(word); i++)
		argv[i] = word[i];
	eal_dir_set("/tmp");
	assert(rte_eal_init((int)ARRAY_LEN(word), argv) >= 0);
	eal_dir_clean("/tmp");
	enum err e = port_meta_register(NULL);
	assert(e == ERR_OK);
	e = sa_table_init(&roads.sas, 64, &engines);
	assert(e == ERR_OK);
	roads.pool = rte_pktmbuf_pool_create("fuzz", MBUFS, 0, 0, 4096, SOCKET_ID_ANY);
	roads.shm = aligned_alloc(4096, sizeof(*roads.shm));
	assert(roads.pool != NULL && roads.shm != NULL);
	reasm_init(&roads.reasm, 1);
}

static uint8_t byte_at(size_t place)
{
	return (uint8_t)(place * 31 >> 3 ^ place);
}

static size_t head_make(uint8_t *ip, uint8_t mode, uint16_t first, uint16_t n)
{
	if (mode & OVER_V6) {
		memset(ip, 0, V6_HEAD);
		ip[0] = 0x60;
		put_be16(ip + 4, (uint16_t)(8 + n));
		ip[6] = 44;
		ip[40] = ESP;
		put_be16(ip + 42, (uint16_t)(first | !(mode & LAST)));
		ip[47] = mode >> 2 & 3;
		return V6_HEAD;
	}
	memset(ip, 0, V4_HEAD);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(V4_HEAD + n));
	ip[5] = mode >> 2 & 3;
	put_be16(ip + 6, (uint16_t)(first / 8 | (mode & LAST ? 0 : 0x2000)));
	ip[9] = ESP;
	return V4_HEAD;
}

static struct rte_mbuf *fragment(struct reader *r)
{
	uint8_t mode = rd_u8(r);
	uint16_t first = (uint16_t)(rd_u8(r) * 8), n = (uint16_t)(rd_u8(r) * 8);
	struct rte_mbuf *m = rte_pktmbuf_alloc(roads.pool);

	assert(m != NULL);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	memset(frame, 0, ETHER_LEN);
	size_t head = head_make(frame + ETHER_LEN, mode, first, n);
	for (uint16_t i = 0; i < n; i++)
		frame[ETHER_LEN + head + i] = byte_at((size_t)first + i);
	m->data_len = (uint16_t)(ETHER_LEN + head + n);
	m->pkt_len = m->data_len;
	*port_meta(m) = (struct fabric_hdr){ .kind = FABRIC_WIRE_IN };
	return m;
}

static void check_whole(struct rte_mbuf *m)
{
	struct view v = pkt_l3(m);
	struct ip_info info;
	enum err e = ip_info_read(v, &info);

	assert(e == ERR_OK && info.len == v.len && !info.later && ip_info_sum_ok(v.p, &info));
	size_t head = v.p[0] >> 4 == 4 ? 20 : 40;
	for (size_t i = head; i < v.len; i++)
		assert(v.p[i] == byte_at(i - head));
	rte_pktmbuf_free(m);
}

static void fragments(struct reader r)
{
	uint64_t in = 0, out = 0, dropped = 0;

	while (rd_left(&r) >= 3) {
		struct rte_mbuf *m = fragment(&r), *whole = NULL;
		enum drop_reason why =
		        reasm_add(&roads.reasm, roads.pool, m, roads.shm, in, &whole);

		in++;
		if (why != DROP_NONE) {
			dropped++;
			rte_pktmbuf_free(m);
		} else if (whole != NULL) {
			out++;
			check_whole(whole);
		}
	}
	reasm_clear(&roads.reasm, roads.shm, DROP_REASSEMBLY_TIMEOUT);
	for (int i = 0; i < DROP_ROOM; i++)
		dropped += roads.shm->drop[i];
	assert(in == out + dropped + roads.shm->stat[SPU_MERGED] && roads.reasm.held == 0);
	assert(rte_mempool_full(roads.pool));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct reader r = rd_of(data, size);

	if (!ready)
		set_up();
	ready = true;
	memset((void *)roads.shm, 0, sizeof(*roads.shm));
	if (rd_u8(&r) & 1)
		fragments(r);
	else
		assert(!pmtu_learn(&roads, rd_rest(&r), 0, 1400)); /* there is no SA */
	return 0;
}
