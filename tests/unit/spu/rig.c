// SPDX-License-Identifier: BSD-2-Clause
#include "rig.h"
#include "eal_dir.h"
#include "emu_port.h"
#include "record.h"
#include "records.pb-c.h"

#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <unistd.h>

void rig_eal_up(void)
{
	static const char *const words[] = {
		"unit-spu", "--no-huge",      "-m",          "192", "--no-shconf",
		"--no-pci", "--no-telemetry", "--iova-mode", "va",  "--lcores",
		"0@(0-1)",  "--log-level",    "error",
	};
	static char copies[ARRAY_LEN(words)][24];
	char *argv[ARRAY_LEN(words) + 1] = { 0 };
	struct why why = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = strcpy(copies[i], words[i]);
	eal_dir_set("/tmp");
	ck_assert_int_ge(rte_eal_init((int)ARRAY_LEN(words), argv), 0);
	eal_dir_clean("/tmp");
	ck_assert_msg(port_meta_register(&why) == ERR_OK, "%s", why.text);
}

static void eal_down(void)
{
	(void)rte_eal_cleanup();
}

void eal_for(TCase *tc)
{
	tcase_add_checked_fixture(tc, rig_eal_up, eal_down);
}

const char *rig_engine_name(enum rig_engine kind)
{
	return kind == RIG_INLINE ? "inline" : "software";
}

static unsigned int rigs; /* pools, ports and loops have names */

static uint16_t loop_port(struct rig *rig, const char *what, const char *profile)
{
	char name[24], loop[24];
	struct emu_port_conf conf = { .name = name, .profile = profile, .loop = loop };
	struct why why = { 0 };
	uint16_t port = 0;

	(void)snprintf(name, sizeof(name), "%s%u", what, rigs);
	(void)snprintf(loop, sizeof(loop), "rig%u", rigs);
	ck_assert_msg(emu_port_open(&conf, &port, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(emu_port_start(port, 2048, rig->pool, &why) == ERR_OK, "%s", why.text);
	return port;
}

static void open_engines(struct rig *rig)
{
	struct why why = { 0 };
	struct engine **by = rig->engines.by;

	ck_assert_msg(engine_soft_open(&by[SA_ENGINE_SOFT], &why) == ERR_OK, "%s", why.text);
	if (rig->kind != RIG_INLINE)
		return;
	rig->wire = loop_port(rig, "wire", "generic");
	rig->far = loop_port(rig, "far", "none");
	ck_assert_msg(engine_inline_open(rig->wire, &by[SA_ENGINE_INLINE], &why) == ERR_OK, "%s",
	              why.text);
}

static void open_runtime(struct rig *rig)
{
	static const uint8_t identity[16] = { 1, 2, 3 };
	struct why why = { 0 };
	bool is_new = false;
	int fd = -1;

	(void)snprintf(rig->runtime_path, sizeof(rig->runtime_path), "/tmp/hawser-spu-%d-%p",
	               (int)getpid(), (void *)rig);
	ck_assert_msg(sa_runtime_create(rig->runtime_path, 1024, identity, &rig->runtime, &fd,
	                                &is_new, &why) == ERR_OK,
	              "%s", why.text);
	(void)close(fd);
	(void)unlink(rig->runtime_path); /* the mapping is enough */
}

struct rig *rig_new(enum rig_engine kind)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct why why = { 0 };

	ck_assert_ptr_nonnull(rig);
	rig->kind = kind;
	rig->node = aligned_alloc(4096, sizeof(*rig->node));
	ck_assert_ptr_nonnull(rig->node);
	memset((void *)rig->node, 0, sizeof(*rig->node));
	char name[24];
	(void)snprintf(name, sizeof(name), "rig-%u", ++rigs);
	ck_assert_msg(emu_port_pool(name, 8191, &rig->pool, &why) == ERR_OK, "%s", why.text);
	open_runtime(rig);
	open_engines(rig);
	ck_assert_int_eq(sa_table_init(&rig->roads.sas, 64, &rig->engines), ERR_OK);
	rig->roads.shm = &rig->node->spu[0];
	rig->roads.runtime = &rig->runtime;
	rig->roads.now_ms = RIG_NOW;
	rig->roads.wire_mtu = 3498;
	ck_assert_msg(iv_source_open(&rig->roads.ivs, &why) == ERR_OK, "%s", why.text);
	rig->roads.pool = rig->pool;
	reasm_init(&rig->roads.reasm, 1);
	(void)rig_tunnel(rig, RIG_TUNNEL);
	return rig;
}

void rig_free(struct rig *rig)
{
	reasm_clear(&rig->roads.reasm, rig->roads.shm, DROP_REASSEMBLY_TIMEOUT);
	sa_table_done(&rig->roads.sas);
	iv_source_close(rig->roads.ivs);
	engine_close(rig->engines.by[SA_ENGINE_INLINE]);
	engine_close(rig->engines.by[SA_ENGINE_SOFT]);
	if (rig->kind == RIG_INLINE) {
		emu_port_close(rig->wire);
		emu_port_close(rig->far);
	}
	ck_assert_msg(rte_mempool_full(rig->pool) == 1, "%u packet buffers were lost",
	              rte_mempool_in_use_count(rig->pool));
	rte_mempool_free(rig->pool);
	sa_runtime_unmap(&rig->runtime);
	free(rig->node);
	free(rig);
}

static bool used_by_nobody(void *ctx, uint32_t slot)
{
	(void)ctx;
	(void)slot;
	return false;
}

void rig_clear(struct rig *rig)
{
	struct tunnel *tun = rig_tunnel(rig, RIG_TUNNEL);

	sa_table_clear(&rig->roads.sas);
	sa_runtime_sweep(&rig->runtime, used_by_nobody, NULL);
	reasm_clear(&rig->roads.reasm, rig->roads.shm, DROP_REASSEMBLY_TIMEOUT);
	memset((void *)rig->node, 0, sizeof(*rig->node));
	rig->roads.tell = (struct tell){ 0 };
	rig->roads.icmp_limit = (struct icmp_limit){ 0 };
	*tun = (struct tunnel){ .index = tun->index, .next = tun->next };
	(void)rig_tunnel(rig, RIG_TUNNEL);
}

struct tunnel *rig_tunnel(struct rig *rig, uint32_t index)
{
	struct tunnel *tun = sa_table_tunnel_get(&rig->roads.sas, index);

	ck_assert_ptr_nonnull(tun);
	tun->known = true;
	tun->st0_ifindex = RIG_ST0;
	tun->df = ENCAP_DF_SET;
	sa_table_tunnel_changed(tun);
	return tun;
}

/* ---------------------------------------------------------------- SAs by record */

struct ts {
	Hawser__Selector m;
	uint8_t first[16], last[16];
};

static void ts_fill(struct ts *ts, const char *prefix)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(prefix, &p), ERR_OK);
	struct addr first = prefix_first(&p), last = prefix_last(&p);
	size_t len = addr_len(&first);
	hawser__selector__init(&ts->m);
	memcpy(ts->first, first.b, len);
	memcpy(ts->last, last.b, len);
	ts->m.first = (ProtobufCBinaryData){ len, ts->first };
	ts->m.last = (ProtobufCBinaryData){ len, ts->last };
	ts->m.port_last = UINT16_MAX;
}

static size_t ts_side(struct ts ts[2], Hawser__Selector *at[2], const char *prefix)
{
	ts_fill(&ts[0], prefix ? prefix : "0.0.0.0/0");
	if (prefix == NULL)
		ts_fill(&ts[1], "::/0");
	at[0] = &ts[0].m;
	at[1] = &ts[1].m;
	return prefix ? 1 : 2;
}

struct record_room {
	struct addr local, remote;
	struct ts ts_local[2], ts_remote[2];
	Hawser__Selector *at_local[2], *at_remote[2];
	uint8_t key_in[36], key_out[36], auth_in[64], auth_out[64];
};

static void selectors_fill(Hawser__ChildSaRecord *m, const struct rig_sa *s, struct record_room *r)
{
	m->n_local_ts = ts_side(r->ts_local, r->at_local, s->ts_local);
	m->local_ts = r->at_local;
	m->n_remote_ts = ts_side(r->ts_remote, r->at_remote, s->ts_remote);
	m->remote_ts = r->at_remote;
	for (size_t i = 0; i < m->n_local_ts; i++)
		m->local_ts[i]->protocol = s->ts_proto;
	for (size_t i = 0; i < m->n_remote_ts; i++) {
		m->remote_ts[i]->protocol = s->ts_proto;
		if (s->ts_port_last == 0)
			continue;
		m->remote_ts[i]->port_first = s->ts_port_first;
		m->remote_ts[i]->port_last = s->ts_port_last;
	}
}

static ProtobufCBinaryData key_fill(uint8_t *room, const uint8_t *key, int fixed, size_t len)
{
	memset(room, fixed, len);
	if (key)
		memcpy(room, key, len);
	return (ProtobufCBinaryData){ len, room };
}

static void keys_fill(Hawser__ChildSaRecord *m, const struct rig_sa *s, struct record_room *r)
{
	bool gcm = s->protocol != IPPROTO_NO_AH && s->cipher == 0;

	m->cipher = gcm ? ENCR_AES_GCM_16 : s->cipher;
	m->key_bits = gcm && s->bits == 0 ? 128 : s->bits;
	m->integ = s->integ;
	const struct alg_cipher *c = alg_cipher_by_id((uint16_t)m->cipher, (uint16_t)m->key_bits);
	const struct alg_integ *a = alg_integ_by_id(s->integ);
	size_t len = c ? (size_t)c->key_len + c->salt_len : 0;
	size_t auth = a ? (size_t)a->key_len + a->salt_len : 0;
	m->key_in = key_fill(r->key_in, s->key_in, 0x11, len);
	m->key_out = key_fill(r->key_out, s->key_out, 0x22, len);
	m->auth_key_in = key_fill(r->auth_in, s->auth_in, 0x33, auth);
	m->auth_key_out = key_fill(r->auth_out, s->auth_out, 0x44, auth);
}

static void outer_fill(Hawser__ChildSaRecord *m, const struct rig_sa *s, struct record_room *r)
{
	ck_assert_int_eq(addr_parse(s->local ? s->local : "192.0.2.1", &r->local), ERR_OK);
	ck_assert_int_eq(addr_parse(s->remote ? s->remote : "198.51.100.2", &r->remote), ERR_OK);
	m->local = (ProtobufCBinaryData){ addr_len(&r->local), r->local.b };
	m->remote = (ProtobufCBinaryData){ addr_len(&r->remote), r->remote.b };
	m->udp_encap = s->udp;
	m->local_port = s->local_port ? s->local_port : 4500;
	m->remote_port = s->remote_port ? s->remote_port : 4500;
}

static void record_fill(struct rig *rig, Hawser__ChildSaRecord *m, const struct rig_sa *s,
                        struct record_room *r)
{
	static const uint8_t ike_spi[8] = { 1 };

	m->protocol = s->protocol ? s->protocol : IPPROTO_NO_ESP;
	m->ike_spi = (ProtobufCBinaryData){ 8, (uint8_t *)(uintptr_t)ike_spi };
	m->tunnel = s->tunnel ? s->tunnel : RIG_TUNNEL;
	m->anchor = s->anchor ? s->anchor : RIG_ANCHOR;
	m->spi_in = s->spi_in ? s->spi_in : 0x1007;
	m->spi_out = s->spi_out ? s->spi_out : 0x2000;
	m->esn = s->esn;
	m->manual = s->manual;
	m->epoch = s->epoch;
	m->instance = s->instance;
	m->hard_ms = s->hard_ms;
	m->serial = s->serial;
	m->sending = !s->not_sending;
	m->window = s->window ? s->window : 64;
	m->soft_bytes = s->soft_bytes;
	m->hard_bytes = s->hard_bytes;
	m->soft_packets = s->soft_packets;
	m->hard_packets = s->hard_packets;
	outer_fill(m, s, r);
	keys_fill(m, s, r);
	selectors_fill(m, s, r);
	if (s->slots_of != NULL) {
		m->slot_in = s->slots_of->in.slot;
		m->slot_out = s->slots_of->out.slot;
		return;
	}
	ck_assert_int_eq(sa_runtime_take(&rig->runtime, true, (uint16_t)m->window, &m->slot_in),
	                 ERR_OK);
	ck_assert_int_eq(sa_runtime_take(&rig->runtime, false, 0, &m->slot_out), ERR_OK);
}

size_t rig_record(struct rig *rig, const struct rig_sa *s, uint8_t *body, size_t cap)
{
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	struct record_room room = { 0 };
	size_t len = 0;

	record_fill(rig, &m, s, &room);
	if (s->foreign_slot)
		m.slot_out = rig->runtime.slots;
	ck_assert_int_eq(record_encode(&m.base, body, cap, &len), ERR_OK);
	return len;
}

struct sa *rig_sa_put(struct rig *rig, const struct rig_sa *s)
{
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	struct record_room room = { 0 };
	struct why why = { 0 };
	struct sa *sa = NULL;

	record_fill(rig, &m, s, &room);
	ck_assert_msg(sa_make(&m, rig->roads.runtime, &sa, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(sa_table_put(&rig->roads.sas, sa, &why) == ERR_OK, "%s", why.text);
	return sa;
}

struct sa *rig_sa(struct rig *rig, const struct rig_sa *s)
{
	struct sa *sa = rig_sa_put(rig, s);

	if (rig->kind == RIG_INLINE)
		rig_promote(rig, sa, true);
	return sa;
}

/* AES-GCM the NIC must take; what it refuses of others stays in software. */
static void promote_half(struct rig *rig, struct sa *sa, bool inbound)
{
	struct why why = { 0 };
	bool gcm = sa->cipher != NULL && sa->cipher->v2_id == ENCR_AES_GCM_16;
	enum err e = sa_promote(&rig->engines, sa, inbound, &why);

	ck_assert_msg(e == ERR_OK || (!gcm && e == ERR_UNSUPPORTED), "%s", why.text);
}

void rig_promote(struct rig *rig, struct sa *sa, bool nic)
{
	if (!nic) {
		sa_demote(&rig->engines, sa, true);
		sa_demote(&rig->engines, sa, false);
		return;
	}
	promote_half(rig, sa, true);
	if (!encap_wants_checksum(&sa->encap))
		promote_half(rig, sa, false);
}

void rig_seq(struct rig *rig, struct sa *sa, uint64_t seq)
{
	bool nic = sa->in.engine == SA_ENGINE_INLINE || sa->out.engine == SA_ENGINE_INLINE;

	if (nic)
		rig_promote(rig, sa, false);
	atomic_store(&sa->out.runtime->seq, seq - 1);
	atomic_store(&sa->in.runtime->seq, seq - 1);
	if (nic)
		rig_promote(rig, sa, true);
}

/* ---------------------------------------------------------------- packets */

static struct rte_mbuf *frame(struct rig *rig, const struct fabric_hdr *meta, const void *ip,
                              size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig->pool);
	uint8_t first = len ? *(const uint8_t *)ip : 0;

	ck_assert_ptr_nonnull(m);
	uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(ETHER_LEN + len));
	ck_assert_ptr_nonnull(at);
	memset(at, 0xee, 12);
	put_be16(at + 12, first >> 4 == 6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
	if (len)
		memcpy(at + ETHER_LEN, ip, len);
	*port_meta(m) = *meta;
	return m;
}

struct rte_mbuf *rig_mbuf(struct rig *rig, enum rig_road road, const void *ip, size_t len)
{
	struct fabric_hdr meta = { .kind = road == RIG_IN ? FABRIC_WIRE_IN : FABRIC_PLAIN_OUT,
		                   .anchor = RIG_ANCHOR,
		                   .tunnel = road == RIG_IN ? 0 : htonl(RIG_TUNNEL),
		                   .ifindex = htonl(3) };
	struct rte_mbuf *m = frame(rig, &meta, ip, len);

	if (road == RIG_OUT || rig->kind != RIG_INLINE)
		return m;
	ck_assert_uint_eq(rte_eth_tx_burst(rig->far, 0, &m, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(rig->wire, 0, &m, 1), 1);
	return m;
}

struct rte_mbuf *rig_wire(struct rig *rig, struct rte_mbuf *m)
{
	if (rig->kind != RIG_INLINE)
		return m;
	ck_assert_uint_eq(rte_eth_tx_burst(rig->wire, 0, &m, 1), 1);
	ck_assert_uint_eq(rte_eth_rx_burst(rig->far, 0, &m, 1), 1);
	return m;
}

struct rig_result rig_run(struct rig *rig, enum rig_road road, const void *ip, size_t len)
{
	struct spu_slot *shm = rig->roads.shm;
	struct rig_result got = { 0 };
	struct rte_mbuf *in = rig_mbuf(rig, road, ip, len), *out[BURST];
	uint64_t before[DROP_ROOM], consumed = rig_stat(rig, SPU_CONSUMED);

	for (int i = 0; i < DROP_ROOM; i++)
		before[i] = shm->drop[i];
	uint16_t n = road == RIG_IN ? inbound_run(&rig->roads, &in, 1, out)
	                            : outbound_run(&rig->roads, &in, 1, out);
	for (uint8_t i = 0; i < DROP_ROOM; i++)
		if (shm->drop[i] != before[i])
			got.drop = i;
	got.consumed = rig_stat(rig, SPU_CONSUMED) != consumed;
	if (n == 0)
		return got;
	ck_assert_uint_eq(n, 1);
	if (road == RIG_OUT)
		out[0] = rig_wire(rig, out[0]);
	got.len = rte_pktmbuf_data_len(out[0]) - (size_t)ETHER_LEN;
	memcpy(got.ip, rte_pktmbuf_mtod_offset(out[0], uint8_t *, ETHER_LEN), got.len);
	got.meta = *port_meta(out[0]);
	rte_pktmbuf_free(out[0]);
	return got;
}

uint64_t rig_stat(const struct rig *rig, enum spu_stat s)
{
	return rig->node->spu[0].stat[s];
}

uint64_t rig_drops(const struct rig *rig)
{
	uint64_t sum = 0;

	for (int i = 0; i < DROP_ROOM; i++)
		sum += rig->node->spu[0].drop[i];
	return sum;
}

void rig_sums_up(const struct rig *rig, uint64_t in, uint64_t out)
{
	ck_assert_uint_eq(in + rig_stat(rig, SPU_MADE),
	                  out + rig_drops(rig) + rig_stat(rig, SPU_MERGED) +
	                          rig_stat(rig, SPU_CONSUMED) + rig->roads.reasm.held);
}
