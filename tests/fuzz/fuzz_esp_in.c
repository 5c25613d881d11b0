// SPDX-License-Identifier: BSD-2-Clause
/* Reaches the inbound road. The fuzzer is given the key: with an odd first byte what follows is
 * sealed, so that it arrives behind the ICV as payload and trailer; with an even one it is the
 * outer packet as the wire brings it. Bit 1: over IPv6; bit 2: in UDP; bit 3: ESN. */
#include "eal_dir.h"
#include "fuzz.h"
#include "records.pb-c.h"
#include "roads.h"

#include <assert.h>
#include <rte_eal.h>
#include <stdlib.h>

enum { SEALED = 1, OVER_V6 = 2, IN_UDP = 4, WITH_ESN = 8, VARIANTS = 8, SPI = 0x1007 };
enum { TUNNEL = 131073, DATA_MAX = 1500, MBUFS = 63 };

static struct {
	struct roads roads;
	struct sa_engines engines;
	struct sa_runtime_table runtime;
	struct spu_slot *shm;
	struct rte_mempool *pool;
	uint8_t key[20];
} bed;

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
	bed.pool = rte_pktmbuf_pool_create("fuzz", MBUFS, 0, 0, 4096, SOCKET_ID_ANY);
	assert(bed.pool != NULL);
}

static void any(Hawser__Selector *s, uint8_t *first, uint8_t *last, size_t len)
{
	hawser__selector__init(s);
	memset(last, 0xff, len);
	s->first = (ProtobufCBinaryData){ .len = len, .data = first };
	s->last = (ProtobufCBinaryData){ .len = len, .data = last };
	s->port_last = UINT16_MAX;
}

/* One SA for each outer form; both families inside. */
static void add_sa(unsigned int variant)
{
	static uint8_t local[16] = { 192, 0, 2, 1 }, remote[16] = { 198, 51, 100, 2 };
	uint8_t zero[16] = { 0 }, ones4[16], ones6[16];
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	Hawser__Selector v4, v6, *both[2] = { &v4, &v6 };
	size_t len = variant & OVER_V6 >> 1 ? 16 : 4;
	struct sa *sa = NULL;

	any(&v4, zero, ones4, 4);
	any(&v6, zero, ones6, 16);
	m.tunnel = TUNNEL;
	m.protocol = IPPROTO_NO_ESP;
	m.spi_in = SPI + (variant << 8);
	m.spi_out = SPI;
	m.cipher = ENCR_AES_GCM_16;
	m.key_bits = 128;
	m.key_in = m.key_out = (ProtobufCBinaryData){ .len = sizeof(bed.key), .data = bed.key };
	m.local = (ProtobufCBinaryData){ .len = len, .data = local };
	m.remote = (ProtobufCBinaryData){ .len = len, .data = remote };
	m.udp_encap = variant & IN_UDP >> 1;
	m.esn = variant & WITH_ESN >> 1;
	m.local_port = m.remote_port = 4500;
	m.local_ts = m.remote_ts = both;
	m.n_local_ts = m.n_remote_ts = 2;
	m.slot_in = 2 * variant;
	m.slot_out = 2 * variant + 1;
	enum err e = sa_make(&m, &bed.runtime, &sa, NULL);
	assert(e == ERR_OK);
	e = sa_table_put(&bed.roads.sas, sa, NULL);
	assert(e == ERR_OK);
}

static void set_up(void)
{
	eal_up();
	bed.shm = aligned_alloc(4096, sizeof(*bed.shm));
	bed.runtime.at = aligned_alloc(64, 2 * VARIANTS * sizeof(struct sa_runtime));
	assert(bed.shm != NULL && bed.runtime.at != NULL);
	memset((void *)bed.runtime.at, 0, 2 * VARIANTS * sizeof(struct sa_runtime));
	bed.runtime.slots = 2 * VARIANTS;
	for (unsigned int i = 0; i < 2 * VARIANTS; i++)
		bed.runtime.at[i].window = i % 2 ? 0 : SA_WINDOW_MIN;
	enum err e = engine_soft_open(&bed.engines.by[SA_ENGINE_SOFT], NULL);
	assert(e == ERR_OK);
	e = sa_table_init(&bed.roads.sas, 64, &bed.engines);
	assert(e == ERR_OK);
	bed.roads.shm = bed.shm;
	bed.roads.runtime = &bed.runtime;
	bed.roads.pool = bed.pool;
	reasm_init(&bed.roads.reasm, 1);
	for (unsigned int i = 0; i < VARIANTS; i++)
		add_sa(i);
	sa_table_tunnel_get(&bed.roads.sas, TUNNEL)->known = true;
}

static struct sa *sa_of(uint8_t mode)
{
	unsigned int variant = mode >> 1 & (VARIANTS - 1u);

	return sa_table_of(&bed.roads.sas, IPPROTO_NO_ESP, SPI + (variant << 8), 0);
}

/* A deterministic window: as if nothing had come before. */
static void forget(struct sa *sa)
{
	struct sa_runtime *rt = sa->in.runtime;

	rt->seq = rt->floor = 0;
	memset((void *)rt->words, 0, sizeof(rt->words));
	memset((void *)bed.shm, 0, sizeof(*bed.shm));
}

/* The peer's side of the SA: headers turned round, one key for both. */
static size_t seal(struct sa *sa, const uint8_t *data, size_t size, uint8_t *ip)
{
	struct encap_spec spec = { .local = sa->remote,
		                   .remote = sa->local,
		                   .udp = sa->udp,
		                   .local_port = 4500,
		                   .remote_port = 4500 };
	struct encap encap;
	enum err e = encap_make(&encap, &spec);
	assert(e == ERR_OK);
	uint8_t *esp = ip + encap.len, *payload = esp + ESP_LEN + NONCE_IV_LEN;
	struct pkt p = { .esp = esp, .sa = sa, .seq = 1 };
	struct engine_op op = { .session = sa->out.session[SA_ENGINE_SOFT],
		                .payload = payload,
		                .len = (uint32_t)size,
		                .iv = esp + ESP_LEN,
		                .icv = payload + size };

	memcpy(payload, data, size);
	put_be32(esp, sa->in.spi);
	put_be32(esp + 4, 1);
	put_be64(esp + ESP_LEN, 1);
	pkt_aad(&op, &p);
	bed.engines.by[SA_ENGINE_SOFT]->burst_out(bed.engines.by[SA_ENGINE_SOFT], &op, 1);
	assert(op.verdict == ENGINE_OK);
	uint16_t esp_len = (uint16_t)(ESP_LEN + NONCE_IV_LEN + size + 16);
	encap_write(&encap, ip, esp_len, (struct encap_inner){ .tos = 0 });
	return encap.len + (size_t)esp_len;
}

static struct rte_mbuf *frame_of(uint8_t mode, const uint8_t *data, size_t size)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
	uint8_t room[DATA_MAX + 128], *ip = room;
	size_t len = size;

	assert(m != NULL);
	if (mode & SEALED)
		len = seal(sa_of(mode), data, size, room);
	else
		memcpy(room, data, size);
	uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(ETHER_LEN + len));
	assert(at != NULL);
	memset(at, 0, ETHER_LEN);
	put_be16(at + 12, mode & OVER_V6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
	if (len)
		memcpy(at + ETHER_LEN, ip, len);
	*port_meta(m) = (struct fabric_hdr){ .kind = FABRIC_WIRE_IN };
	return m;
}

/* What came out is a whole IP packet, of the length of its frame. */
static void check_out(struct rte_mbuf *m)
{
	struct ip_info info;
	enum err e = ip_info_read(pkt_l3(m), &info);

	assert(e == ERR_OK);
	assert(info.len == pkt_l3(m).len);
	assert(port_meta(m)->kind == FABRIC_PLAIN_IN);
	rte_pktmbuf_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct rte_mbuf *in, *out[BURST];
	uint64_t left = 0;

	if (!ready)
		set_up();
	ready = true;
	if (size == 0 || size > DATA_MAX)
		return 0;
	forget(sa_of(data[0]));
	in = frame_of(data[0], data + 1, size - 1);
	uint16_t n = inbound_run(&bed.roads, &in, 1, out);
	if (n == 1)
		check_out(out[0]);
	reasm_clear(&bed.roads.reasm, bed.shm, DROP_REASSEMBLY_TIMEOUT);
	for (int i = 0; i < DROP_ROOM; i++)
		left += bed.shm->drop[i];
	assert(n + left + bed.shm->stat[SPU_CONSUMED] == 1); /* one way or the other, once */
	assert((data[0] & SEALED) == 0 || bed.shm->drop[DROP_ICV] == 0);
	assert(rte_mempool_full(bed.pool));
	return 0;
}
