// SPDX-License-Identifier: BSD-2-Clause
/* Reaches both roads by frames as no steering program may send them: any fabric header, any
 * EtherType, any packet; and ICMP errors that quote ESP of an SA that there is. A frame is a byte,
 * the 12 bytes of the fabric header, a byte of length in fours, the packet. Of the byte, bit 0: the
 * outbound road; bit 1: the EtherType is the other one; bit 2: it stands in the fabric header's
 * place what it should be; bit 3: an ICMP error, whose checksum is set right, around ESP of ours.
 * Every frame is accounted for, and no path is learned to be too small. */
#include "eal_dir.h"
#include "fuzz.h"
#include "pmtu.h"
#include "records.pb-c.h"

#include <arpa/inet.h>
#include <assert.h>
#include <rte_eal.h>
#include <stdlib.h>

enum { OUTWARDS = 1, OTHER_TYPE = 2, RIGHT_HEADER = 4, ICMP_ERROR = 8 };
enum { TUNNEL = 131073, SPI_OUT = 0x2000, MBUFS = 1023, SLOTS = 4, FRAMES_MAX = 64 };
enum { V4 = 0, V6 = 1, FAMILIES };

static struct {
	struct roads roads;
	struct sa_engines engines;
	struct sa_runtime_table runtime;
	uint64_t in, out;
} bed;

static uint8_t local[FAMILIES][16] = { { 192, 0, 2, 1 }, { 0x20, 1, 0xd, 0xb8, 1 } };
static uint8_t remote[FAMILIES][16] = { { 198, 51, 100, 2 }, { 0x20, 1, 0xd, 0xb8, 2 } };

static void eal_up(void)
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
}

static void any(Hawser__Selector *s, uint8_t *first, uint8_t *last, size_t len)
{
	hawser__selector__init(s);
	memset(last, 0xff, len);
	s->first = (ProtobufCBinaryData){ .len = len, .data = first };
	s->last = (ProtobufCBinaryData){ .len = len, .data = last };
	s->port_last = UINT16_MAX;
}

static void add_sa(unsigned int family)
{
	static uint8_t key[20] = { 1 };
	uint8_t zero[16] = { 0 }, ones4[16], ones6[16];
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	Hawser__Selector v4, v6, *both[2] = { &v4, &v6 };
	size_t len = family == V4 ? 4 : 16;
	struct sa *sa = NULL;

	any(&v4, zero, ones4, 4);
	any(&v6, zero, ones6, 16);
	m.protocol = IPPROTO_NO_ESP;
	m.cipher = ENCR_AES_GCM_16;
	m.key_bits = 128;
	m.key_in = m.key_out = (ProtobufCBinaryData){ .len = sizeof(key), .data = key };
	m.tunnel = TUNNEL + family;
	m.spi_in = 0x1000 + family;
	m.spi_out = SPI_OUT + family;
	m.local = (ProtobufCBinaryData){ .len = len, .data = local[family] };
	m.remote = (ProtobufCBinaryData){ .len = len, .data = remote[family] };
	m.local_ts = m.remote_ts = both;
	m.n_local_ts = m.n_remote_ts = 2;
	m.sending = true;
	m.slot_in = 2 * family;
	m.slot_out = 2 * family + 1;
	enum err e = sa_make(&m, &bed.runtime, &sa, NULL);
	assert(e == ERR_OK);
	e = sa_table_put(&bed.roads.sas, sa, NULL);
	assert(e == ERR_OK);
	sa->tunnel->known = true;
	sa->tunnel->df = family == V4 ? ENCAP_DF_COPY : ENCAP_DF_CLEAR;
	sa->tunnel->post_fragmentation = family == V6;
	sa->tunnel->answer4 = addr_v4(0xc0a80101);
	sa_table_tunnel_changed(sa->tunnel);
}

static void set_up(void)
{
	struct roads *r = &bed.roads;

	eal_up();
	bed.runtime.at = aligned_alloc(64, SLOTS * sizeof(struct sa_runtime));
	r->shm = aligned_alloc(4096, sizeof(*r->shm));
	assert(bed.runtime.at != NULL && r->shm != NULL);
	memset((void *)bed.runtime.at, 0, SLOTS * sizeof(struct sa_runtime));
	bed.runtime.slots = SLOTS;
	enum err e = engine_soft_open(&bed.engines.by[SA_ENGINE_SOFT], NULL);
	assert(e == ERR_OK);
	e = sa_table_init(&r->sas, 16, &bed.engines);
	assert(e == ERR_OK);
	r->pool = rte_pktmbuf_pool_create("fuzz", MBUFS, 0, 0, 4096, SOCKET_ID_ANY);
	assert(r->pool != NULL);
	r->runtime = &bed.runtime;
	r->wire_mtu = 1500;
	reasm_init(&r->reasm, 1);
	for (unsigned int family = 0; family < FAMILIES; family++)
		add_sa(family);
}

/* As if nothing had come before. */
static void forget(void)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct sa_runtime *rt = &bed.runtime.at[i];

		rt->window = i % 2 ? 0 : SA_WINDOW_MIN;
		rt->seq = 100;
		rt->floor = i % 2 ? UINT32_MAX : 0;
		memset((void *)rt->words, 0, sizeof(rt->words));
		rt->path_mtu = 0;
	}
	memset((void *)bed.roads.shm, 0, sizeof(*bed.roads.shm));
	bed.roads.icmp_limit = (struct icmp_limit){ 0 };
	bed.roads.tell = (struct tell){ 0 };
	bed.in = bed.out = 0;
}

/* ---------------------------------------------------------------- ICMP that quotes us */

static size_t v4_error(uint8_t *ip, struct view code)
{
	size_t n = 28 + 28;

	memset(ip, 0, n);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)n);
	ip[8] = 9;
	ip[9] = 1;
	memcpy(ip + 12, remote[V4], 4);
	memcpy(ip + 16, local[V4], 4);
	ip[20] = 3;
	ip[21] = 4;
	uint8_t *q = ip + 28;
	q[0] = 0x45;
	put_be16(q + 2, 1400);
	q[9] = IPPROTO_NO_ESP;
	memcpy(q + 12, local[V4], 4);
	memcpy(q + 16, remote[V4], 4);
	put_be32(q + 20, SPI_OUT + V4);
	put_be32(q + 24, 50);
	for (size_t i = 0; i + 1 < code.len; i += 2) /* where, and what else stands there */
		ip[20 + code.p[i] % 36] ^= code.p[i + 1];
	put_be16(ip + 22, 0);
	put_be16(ip + 22, csum_fold(csum_add(0, ip + 20, n - 20)));
	put_be16(ip + 10, csum_fold(csum_add(0, ip, 20)));
	return n;
}

static size_t v6_error(uint8_t *ip, struct view code)
{
	size_t n = 40 + 8 + 48;

	memset(ip, 0, n);
	ip[0] = 0x60;
	put_be16(ip + 4, (uint16_t)(n - 40));
	ip[6] = 58;
	ip[7] = 9;
	memcpy(ip + 8, remote[V6], 16);
	memcpy(ip + 24, local[V6], 16);
	ip[40] = 2;
	uint8_t *q = ip + 48;
	q[0] = 0x60;
	put_be16(q + 4, 1400);
	q[6] = IPPROTO_NO_ESP;
	memcpy(q + 8, local[V6], 16);
	memcpy(q + 24, remote[V6], 16);
	put_be32(q + 40, SPI_OUT + V6);
	put_be32(q + 44, 50);
	for (size_t i = 0; i + 1 < code.len; i += 2)
		ip[40 + code.p[i] % 56] ^= code.p[i + 1];
	put_be16(ip + 42, 0);
	uint64_t sum = csum_add(0, ip + 8, 32) + (n - 40) + 58;
	put_be16(ip + 42, csum_fold(csum_add(sum, ip + 40, n - 40)));
	return n;
}

/* ---------------------------------------------------------------- frames */

static void header_of(struct rte_mbuf *m, uint8_t mode, const uint8_t *bytes)
{
	struct fabric_hdr *meta = port_meta(m);

	memcpy(meta, bytes, sizeof(*meta));
	if (!(mode & RIGHT_HEADER))
		return;
	meta->kind = mode & OUTWARDS ? FABRIC_PLAIN_OUT : FABRIC_WIRE_IN;
	meta->instance = 0;
	meta->tunnel = htonl(TUNNEL + (bytes[0] & 1u));
}

static struct rte_mbuf *frame(struct reader *r, uint8_t mode)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.roads.pool);
	struct view header = rd_view(r, FABRIC_HDR_LEN);
	size_t want = rd_u8(r) * 4u;
	struct view body = rd_view(r, want < rd_left(r) ? want : rd_left(r));

	assert(m != NULL);
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *), *ip = p + ETHER_LEN;
	size_t len = body.len;
	memset(p, 0, ETHER_LEN);
	if (mode & ICMP_ERROR)
		len = mode & OTHER_TYPE ? v6_error(ip, body) : v4_error(ip, body);
	else if (len != 0)
		memcpy(ip, body.p, len);
	bool six = len != 0 && ip[0] >> 4 == 6;
	if (mode & OTHER_TYPE && !(mode & ICMP_ERROR))
		six = !six;
	put_be16(p + 12, six ? ETHERTYPE_V6 : ETHERTYPE_V4);
	m->data_len = (uint16_t)(ETHER_LEN + len);
	m->pkt_len = m->data_len;
	static const uint8_t none[FABRIC_HDR_LEN];
	header_of(m, mode, header.len ? header.p : none);
	return m;
}

static void gone(struct rte_mbuf **m, uint16_t n)
{
	bed.out += n;
	rte_pktmbuf_free_bulk(m, n);
}

static void take(struct rte_mbuf *m, bool outwards)
{
	struct rte_mbuf *out[BURST];
	struct roads *r = &bed.roads;
	uint16_t n = outwards ? outbound_run(r, &m, 1, out) : inbound_run(r, &m, 1, out);

	bed.in++;
	do
		gone(out, n);
	while (outbound_more(r, out, &n));
	while ((n = outbound_answers(r, out)) != 0)
		gone(out, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct reader r = rd_of(data, size);
	struct spu_slot *shm;
	uint64_t dropped = 0;

	if (!ready)
		set_up();
	ready = true;
	forget();
	shm = bed.roads.shm;
	for (unsigned int i = 0; i < FRAMES_MAX && rd_left(&r) > FABRIC_HDR_LEN + 1; i++) {
		uint8_t mode = rd_u8(&r);

		take(frame(&r, mode), mode & OUTWARDS);
	}
	reasm_clear(&bed.roads.reasm, shm, DROP_REASSEMBLY_TIMEOUT);
	for (int i = 0; i < DROP_ROOM; i++)
		dropped += shm->drop[i];
	assert(bed.in + shm->stat[SPU_MADE] ==
	       bed.out + dropped + shm->stat[SPU_MERGED] + shm->stat[SPU_CONSUMED]);
	assert(rte_mempool_full(bed.roads.pool));
	for (unsigned int i = 0; i < FAMILIES; i++) {
		uint16_t mtu = bed.runtime.at[2 * i + 1].path_mtu;
		assert(mtu == 0 || mtu >= (i == V4 ? 576 : 1280));
	}
	return 0;
}
