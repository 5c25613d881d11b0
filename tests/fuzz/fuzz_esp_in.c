// SPDX-License-Identifier: BSD-2-Clause
/* Reaches the inbound road, ESP and AH. The fuzzer is given the keys: with an odd first byte what
 * follows is sealed, so that it arrives behind the ICV as payload and trailer; with an even one it
 * is the outer packet as the wire brings it. Bit 1: over IPv6; bit 2: in UDP; bit 3: ESN; the upper
 * half: the algorithms, see suites[]. Sealed AH: the next byte says how many of the following are
 * IPv4 options (in fours) or IPv6 extension headers (in eights) before AH. */
#include "ah_mute.h"
#include "eal_dir.h"
#include "fuzz.h"
#include "records.pb-c.h"
#include "roads.h"

#include <assert.h>
#include <rte_eal.h>
#include <stdlib.h>

enum { SEALED = 1, OVER_V6 = 2, IN_UDP = 4, WITH_ESN = 8, FORMS = 8, SUITE_SHIFT = 4 };
enum { SPI = 0x1007, TUNNEL = 131073, DATA_MAX = 1500, MBUFS = 63, KEY_MAX = 64 };

static const struct suite {
	uint8_t protocol;
	uint16_t cipher, bits, integ;
} suites[] = {
	{ IPPROTO_NO_ESP, ENCR_AES_GCM_16, 128, INTEG_NONE },
	{ IPPROTO_NO_ESP, ENCR_AES_GCM_16_IIV, 256, INTEG_NONE },
	{ IPPROTO_NO_ESP, ENCR_CHACHA20_POLY1305, 0, INTEG_NONE },
	{ IPPROTO_NO_ESP, ENCR_NULL_AES_GMAC, 192, INTEG_NONE },
	{ IPPROTO_NO_ESP, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
	{ IPPROTO_NO_ESP, ENCR_3DES_CBC, 0, INTEG_HMAC_MD5_96 },
	{ IPPROTO_NO_ESP, ENCR_NULL, 0, INTEG_HMAC_SHA2_512_256 },
	{ IPPROTO_NO_ESP, ENCR_AES_CBC, 256, INTEG_NONE },
	{ IPPROTO_NO_AH, 0, 0, INTEG_HMAC_SHA2_256_128 },
	{ IPPROTO_NO_AH, 0, 0, INTEG_HMAC_MD5_96 },
	{ IPPROTO_NO_AH, 0, 0, INTEG_AES_128_GMAC },
	{ IPPROTO_NO_AH, 0, 0, INTEG_HMAC_SHA2_512_256 },
};
enum { SAS = (int)ARRAY_LEN(suites) * FORMS };

static struct {
	struct roads roads;
	struct sa_engines engines;
	struct sa_runtime_table runtime;
	struct spu_slot *shm;
	struct rte_mempool *pool;
	uint8_t key[KEY_MAX];
	bool sealed; /* the packet in work has a good ICV */
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

static void algorithms_fill(Hawser__ChildSaRecord *m, const struct suite *suite)
{
	const struct alg_cipher *c = alg_cipher_by_id(suite->cipher, suite->bits);
	const struct alg_integ *a = alg_integ_by_id(suite->integ);
	size_t key = c ? (size_t)c->key_len + c->salt_len : 0;
	size_t auth = a ? (size_t)a->key_len + a->salt_len : 0;

	m->protocol = suite->protocol;
	m->cipher = suite->cipher;
	m->key_bits = suite->bits;
	m->integ = suite->integ;
	m->key_in = m->key_out = (ProtobufCBinaryData){ .len = key, .data = bed.key };
	m->auth_key_in = m->auth_key_out = (ProtobufCBinaryData){ .len = auth, .data = bed.key };
}

/* One SA for each suite and outer form; both families inside. Not every pair is one (AH is not in
 * UDP): those are as the form without it. */
static void add_sa(unsigned int number)
{
	static uint8_t local[16] = { 192, 0, 2, 1 }, remote[16] = { 198, 51, 100, 2 };
	uint8_t zero[16] = { 0 }, ones4[16], ones6[16];
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	Hawser__Selector v4, v6, *both[2] = { &v4, &v6 };
	unsigned int form = number % FORMS;
	size_t len = form & OVER_V6 >> 1 ? 16 : 4;
	struct sa *sa = NULL;

	any(&v4, zero, ones4, 4);
	any(&v6, zero, ones6, 16);
	algorithms_fill(&m, &suites[number / FORMS]);
	m.tunnel = TUNNEL;
	m.spi_in = SPI + (number << 8);
	m.spi_out = SPI;
	m.local = (ProtobufCBinaryData){ .len = len, .data = local };
	m.remote = (ProtobufCBinaryData){ .len = len, .data = remote };
	m.udp_encap = form & IN_UDP >> 1 && m.protocol == IPPROTO_NO_ESP;
	m.esn = form & WITH_ESN >> 1;
	m.local_port = m.remote_port = 4500;
	m.local_ts = m.remote_ts = both;
	m.n_local_ts = m.n_remote_ts = 2;
	m.slot_in = 2 * number;
	m.slot_out = 2 * number + 1;
	enum err e = sa_make(&m, &bed.runtime, &sa, NULL);
	assert(e == ERR_OK);
	e = sa_table_put(&bed.roads.sas, sa, NULL);
	assert(e == ERR_OK);
}

static void set_up(void)
{
	for (unsigned int i = 0; i < KEY_MAX; i++) /* no key of the weak ones */
		bed.key[i] = (uint8_t)(7 * i + 1);
	eal_up();
	bed.shm = aligned_alloc(4096, sizeof(*bed.shm));
	bed.runtime.at = aligned_alloc(64, 2 * SAS * sizeof(struct sa_runtime));
	assert(bed.shm != NULL && bed.runtime.at != NULL);
	memset((void *)bed.runtime.at, 0, 2 * SAS * sizeof(struct sa_runtime));
	bed.runtime.slots = 2 * SAS;
	for (unsigned int i = 0; i < 2 * SAS; i++)
		bed.runtime.at[i].window = i % 2 ? 0 : SA_WINDOW_MIN;
	enum err e = engine_soft_open(&bed.engines.by[SA_ENGINE_SOFT], NULL);
	assert(e == ERR_OK);
	e = sa_table_init(&bed.roads.sas, SAS, &bed.engines);
	assert(e == ERR_OK);
	bed.roads.shm = bed.shm;
	bed.roads.runtime = &bed.runtime;
	bed.roads.pool = bed.pool;
	reasm_init(&bed.roads.reasm, 1);
	for (unsigned int i = 0; i < SAS; i++)
		add_sa(i);
	sa_table_tunnel_get(&bed.roads.sas, TUNNEL)->known = true;
}

static struct sa *sa_of(uint8_t mode)
{
	unsigned int suite = (mode >> SUITE_SHIFT) % ARRAY_LEN(suites);
	unsigned int number = suite * FORMS + (mode >> 1 & (FORMS - 1u));

	return sa_table_of(&bed.roads.sas, suites[suite].protocol, SPI + (number << 8), 0);
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
static struct encap encap_of(const struct sa *sa)
{
	struct encap_spec spec = { .local = sa->remote,
		                   .remote = sa->local,
		                   .ah = sa->protocol == IPPROTO_NO_AH,
		                   .udp = sa->udp,
		                   .local_port = 4500,
		                   .remote_port = 4500 };
	struct encap encap;
	enum err e = encap_make(&encap, &spec);

	assert(e == ERR_OK);
	return encap;
}

static void work(struct sa *sa, struct engine_op *op)
{
	struct engine *soft = bed.engines.by[SA_ENGINE_SOFT];

	op->session = sa->out.session[SA_ENGINE_SOFT];
	soft->burst_out(soft, op, 1);
	assert(op->verdict == ENGINE_OK);
}

static size_t seal_esp(struct sa *sa, struct rte_mbuf *m, const uint8_t *data, size_t size)
{
	struct encap encap = encap_of(sa);
	const struct form *f = &sa->form;
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, ETHER_LEN), *esp = ip + encap.len;
	struct pkt p = { .m = m, .esp = esp, .sa = sa, .seq = 1 };
	struct pkt_own own;
	struct engine_op op;

	if (f->iv == FORM_IV_RANDOM) /* no CBC of half a block */
		size -= size % f->align;
	memset(esp, 0, f->head);
	memcpy(esp + f->head, data, size);
	put_be32(esp, sa->in.spi);
	put_be32(esp + 4, 1);
	if (f->iv_len != 0)
		esp[f->head - 1] = 1;
	pkt_esp_op(&op, &p, &own, (uint32_t)size);
	if (op.len != 0 || op.auth_len != 0)
		work(sa, &op);
	uint16_t len = (uint16_t)(f->head + size + f->tail);
	encap_write(&encap, ip, len, (struct encap_inner){ .tos = 0 });
	return encap.len + (size_t)len;
}

/* Options or extension headers behind the outer header, as they are given: they may be nonsense. */
static size_t outer_write(const struct sa *sa, uint8_t *ip, struct view more, uint16_t payload)
{
	struct encap encap = encap_of(sa);

	encap_write(&encap, ip, (uint16_t)(more.len + payload), (struct encap_inner){ .tos = 0 });
	memcpy(ip + encap.len, more.p, more.len);
	if (encap.family == ADDR_V4) {
		ip[0] = (uint8_t)(0x40 | (encap.len + more.len) / 4);
		put_be16(ip + 10, 0);
		put_be16(ip + 10, csum_fold(csum_add(0, ip, encap.len + more.len)));
	} else if (more.len != 0) {
		ip[6] = 60;
	}
	return encap.len + more.len;
}

static size_t seal_ah(struct sa *sa, struct rte_mbuf *m, const uint8_t *data, size_t size)
{
	struct reader r = rd_of(data, size);
	const struct form *f = &sa->form;
	uint8_t first = rd_u8(&r);
	size_t want = sa->local.family == ADDR_V4 ? first % 11u * 4 : first % 32u * 8;
	struct view more = rd_view(&r, want <= rd_left(&r) ? want : 0), inner = rd_rest(&r);
	uint16_t rest = (uint16_t)(f->head + inner.len);
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, ETHER_LEN);
	size_t before = outer_write(sa, ip, more, rest);
	uint8_t *ah = ip + before, copy[DATA_MAX + 512];

	memset(ah, 0, f->head);
	ah[0] = inner.len && inner.p[0] >> 4 == 6 ? PROTO_IPV6 : PROTO_IPV4;
	ah[1] = (uint8_t)(f->head / 4 - 2);
	put_be32(ah + 4, sa->in.spi);
	put_be32(ah + 8, 1);
	if (inner.len)
		memcpy(ah + f->head, inner.p, inner.len);
	memcpy(copy, ip, before + rest);
	uint8_t icv[32] = { 0 }, iv[NONCE_IV_LEN] = { 0 }, *start = ah_mute(ip, before);
	bed.sealed = start != NULL; /* else AH is not where we put it */
	if (start != NULL) {
		struct engine_op op = { .m = m,
			                .payload = ah + f->head,
			                .auth = start,
			                .auth_len = (uint32_t)(ah - start) + rest,
			                .iv = iv,
			                .icv = icv,
			                .esn_len = f->esn_len };
		work(sa, &op);
	}
	memcpy(ip, copy, before + rest);
	memcpy(ah + AH_LEN + f->iv_len, icv, f->icv_len);
	return before + rest;
}

static struct rte_mbuf *frame_of(uint8_t mode, const uint8_t *data, size_t size)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
	struct sa *sa = sa_of(mode);
	size_t len = size;

	assert(m != NULL);
	bed.sealed = mode & SEALED;
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
	if ((mode & SEALED) == 0)
		memcpy(at + ETHER_LEN, data, size);
	else if (sa->form.kind == FORM_AH)
		len = seal_ah(sa, m, data, size);
	else
		len = seal_esp(sa, m, data, size);
	at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(ETHER_LEN + len));
	assert(at != NULL);
	memset(at, 0, ETHER_LEN);
	put_be16(at + 12, mode & OVER_V6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
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
	assert(!bed.sealed || bed.shm->drop[DROP_ICV] == 0);
	assert(rte_mempool_full(bed.pool));
	return 0;
}
