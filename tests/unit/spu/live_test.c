// SPDX-License-Identifier: BSD-2-Clause
/* hawser-spu on real (virtual) links: packets, records, engines, death and return. */
#include "live.h"
#include "addr.h"
#include "algorithms.h"
#include "esp_vectors.h"
#include "fabric.h"
#include "records.pb-c.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TUNNEL = 131073, ST0 = 42 };

/* Slots of both directions of the SA that is put. */
struct slots {
	uint32_t in, out;
};

static void put_anchors(struct live *l, uint8_t from, uint32_t marker)
{
	Hawser__AnchorsRecord m = HAWSER__ANCHORS_RECORD__INIT;
	static uint8_t owner[ANCHORS], nobody[ANCHORS], moving[ANCHORS];

	memset(owner, LIVE_SLOT, sizeof(owner));
	memset(nobody, ANCHOR_NOBODY, sizeof(nobody));
	memset(moving, from, sizeof(moving));
	m.owner = (ProtobufCBinaryData){ ANCHORS, owner };
	m.standin = m.pinned = (ProtobufCBinaryData){ ANCHORS, nobody };
	if (from != ANCHOR_NOBODY)
		m.moving_from = (ProtobufCBinaryData){ ANCHORS, moving };
	m.marker = marker;
	live_put(l, record_key_anchors(), &m.base);
}

static void put_tunnel(struct live *l, Hawser__EngineChoice engine)
{
	Hawser__TunnelRecord m = HAWSER__TUNNEL_RECORD__INIT;

	m.index = TUNNEL;
	m.vpn = (char *)"v";
	m.gateway = (char *)"g";
	m.st0_ifindex = ST0;
	m.df_bit = HAWSER__DF_BIT__DF_SET;
	m.engine = engine;
	m.mtu = 1400;
	live_put(l, record_key_tunnel(TUNNEL), &m.base);
}

static void any_selector(Hawser__Selector *s, uint8_t *first, uint8_t *last, size_t len)
{
	hawser__selector__init(s);
	memset(first, 0, len);
	memset(last, 0xff, len);
	s->first = (ProtobufCBinaryData){ len, first };
	s->last = (ProtobufCBinaryData){ len, last };
	s->port_last = UINT16_MAX;
}

/* One SA that sends as the vector says, and one that receives what it sends. */
static struct slots put_sa(struct live *l, const struct esp_vector *v, bool receiver)
{
	Hawser__ChildSaRecord m = HAWSER__CHILD_SA_RECORD__INIT;
	Hawser__Selector any, *list[1] = { &any };
	struct addr local, remote;
	uint8_t first[16], last[16], zero_key[36] = { 0 }, ike_spi[8] = { 1 };
	struct slots slots;

	any_selector(&any, first, last, v->inner == 4 ? 4 : 16);
	ck_assert_int_eq(addr_parse(v->outer == 4 ? ESP_VECTORS_LOCAL4 : ESP_VECTORS_LOCAL6,
	                            receiver ? &remote : &local),
	                 ERR_OK);
	ck_assert_int_eq(addr_parse(v->outer == 4 ? ESP_VECTORS_REMOTE4 : ESP_VECTORS_REMOTE6,
	                            receiver ? &local : &remote),
	                 ERR_OK);
	ck_assert_int_eq(sa_runtime_take(&l->runtime, true, 64, &slots.in), ERR_OK);
	ck_assert_int_eq(sa_runtime_take(&l->runtime, false, 0, &slots.out), ERR_OK);
	m.tunnel = TUNNEL;
	m.ike_spi = (ProtobufCBinaryData){ 8, ike_spi };
	m.protocol = 50;
	m.anchor = v->spi & 0xff;
	m.spi_in = receiver ? v->spi : v->spi ^ 0x40000000;
	m.spi_out = receiver ? v->spi ^ 0x40000000 : v->spi;
	m.cipher = ENCR_AES_GCM_16;
	m.key_bits = v->bits;
	m.esn = v->esn;
	m.window = 64;
	m.key_in = (ProtobufCBinaryData){ v->key_len, receiver ? (uint8_t *)v->key : zero_key };
	m.key_out = (ProtobufCBinaryData){ v->key_len, receiver ? zero_key : (uint8_t *)v->key };
	m.local = (ProtobufCBinaryData){ addr_len(&local), local.b };
	m.remote = (ProtobufCBinaryData){ addr_len(&remote), remote.b };
	m.udp_encap = v->udp;
	m.local_port = m.remote_port = 4500;
	m.n_local_ts = m.n_remote_ts = 1;
	m.local_ts = m.remote_ts = list;
	m.slot_in = slots.in;
	m.slot_out = slots.out;
	m.epoch = ESP_VECTORS_EPOCH;
	m.sending = !receiver;
	m.serial = 1;
	live_put(l, record_key_child_sa(50, m.spi_in), &m.base);
	return slots;
}

static void next_seq(struct live *l, const struct slots *s, uint64_t seq)
{
	atomic_store(&sa_runtime_at(&l->runtime, s->out)->seq, seq - 1);
}

/* Both directions byte for byte. */
static void pass_out(struct live *l, const struct esp_vector *v)
{
	struct fabric_hdr meta = { .kind = FABRIC_PLAIN_OUT, .tunnel = htonl(TUNNEL) };
	uint8_t got[LIVE_FRAME];

	live_send(l, LIVE_FABRIC, &meta, v->plain, v->plain_len);
	size_t len = live_receive(l, LIVE_WIRE, FABRIC_WIRE_OUT, got);
	ck_assert_msg(len == v->esp_len, "%s: %zu bytes, not %zu", v->name, len, v->esp_len);
	ck_assert_mem_eq(got, v->esp, len);
}

static void pass_in(struct live *l, const struct esp_vector *v)
{
	struct fabric_hdr meta = { .kind = FABRIC_WIRE_IN, .ifindex = htonl(3) };
	uint8_t got[LIVE_FRAME];

	live_send(l, LIVE_WIRE, &meta, v->esp, v->esp_len);
	size_t len = live_receive(l, LIVE_FABRIC, FABRIC_PLAIN_IN, got);
	ck_assert_msg(len == v->plain_len, "%s: %zu bytes, not %zu", v->name, len, v->plain_len);
	ck_assert_mem_eq(got, v->plain, len);
}

static struct live *up(const char *profile)
{
	struct live *l = live_new(profile);

	put_anchors(l, ANCHOR_NOBODY, 0);
	put_tunnel(l, HAWSER__ENGINE_CHOICE__ENGINE_AUTOMATIC);
	live_start(l);
	ck_assert_uint_eq(live_serve(l), 0);
	live_wait_ready(l);
	return l;
}

static void wait_engine(struct live *l, uint32_t slot, uint8_t engine)
{
	LIVE_WAIT("the engine is the one that was asked for",
	          atomic_load(&sa_runtime_at(&l->runtime, slot)->engine) == engine);
}

/* What is in a device is not in this sum: all are empty at rest. */
static bool sum_holds(struct live *l)
{
	_Atomic uint64_t *s = l->spu->stat;
	uint64_t out = s[SPU_WIRE_TX] + s[SPU_FABRIC_TX] + s[SPU_CONSUMED] + s[SPU_HELD];

	for (int i = 0; i < DROP_ROOM; i++)
		out += l->spu->drop[i];
	return s[SPU_WIRE_RX] + s[SPU_FABRIC_RX] == out;
}

static void check_sum(struct live *l)
{
	LIVE_WAIT("in = out + drops + consumed + held", sum_holds(l));
}

START_TEST(packets_pass_both_ways_and_change_engines)
{
	const struct esp_vector *v = &esp_vectors[0];
	struct live *l = up("generic");
	struct slots out = put_sa(l, v, false), in = put_sa(l, v, true);

	wait_engine(l, out.out, SA_ENGINE_INLINE);
	wait_engine(l, in.in, SA_ENGINE_INLINE);
	next_seq(l, &out, v->seq);
	pass_out(l, v);
	pass_in(l, v);
	ck_assert_uint_eq(l->spu->stat[SPU_ENCRYPTED_INLINE], 1);
	ck_assert_uint_eq(l->spu->stat[SPU_DECRYPTED_INLINE], 1);

	put_tunnel(l, HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE);
	wait_engine(l, out.out, SA_ENGINE_SOFT);
	wait_engine(l, in.in, SA_ENGINE_SOFT);
	next_seq(l, &out, v->seq);
	pass_out(l, v);
	atomic_store(&sa_runtime_at(&l->runtime, in.in)->seq, 0);
	memset((void *)sa_runtime_at(&l->runtime, in.in)->words, 0, 64);
	pass_in(l, v);
	ck_assert_uint_eq(l->spu->stat[SPU_ENCRYPTED_INLINE], 1);
	LIVE_WAIT("both are counted", l->spu->stat[SPU_DECRYPTED] == 2);
	ck_assert_uint_eq(sa_runtime_at(&l->runtime, in.in)->packets, 2);
	check_sum(l);
	live_free(l);
}
END_TEST

START_TEST(a_deleted_sa_is_gone_and_its_peer_is_told_of)
{
	const struct esp_vector *v = &esp_vectors[0];
	struct live *l = up("generic");
	struct fabric_hdr meta = { .kind = FABRIC_WIRE_IN };
	struct spu_event e;

	(void)put_sa(l, v, true);
	pass_in(l, v);
	live_del(l, record_key_child_sa(50, v->spi));
	live_send(l, LIVE_WIRE, &meta, v->esp, v->esp_len);
	LIVE_WAIT("the packet is dropped", l->spu->drop[DROP_UNKNOWN_SPI] == 1);
	do {
		ck_assert_msg(spu_event_pop(&l->spu->events, &e), "no event of a bad SPI");
	} while (e.kind != SPU_EVENT_BAD_SPI);
	ck_assert_uint_eq(e.arg, v->spi);
	check_sum(l);
	live_free(l);
}
END_TEST

START_TEST(a_move_is_held_until_the_old_owner_has_read_the_marker)
{
	const struct esp_vector *v = &esp_vectors[0];
	struct live *l = up("generic");
	struct fabric_hdr plain = { .kind = FABRIC_PLAIN_OUT, .tunnel = htonl(TUNNEL) };
	struct fabric_hdr mark = { .kind = FABRIC_MARKER, .tunnel = htonl(9) };
	uint8_t got[LIVE_FRAME];

	(void)put_sa(l, v, false);
	live_send(l, LIVE_FABRIC, &mark, "", 0);
	LIVE_WAIT("the marker is read", atomic_load(&l->spu->moved_marker) == 9);

	put_anchors(l, 7, 5); /* from slot 7, which answers */
	live_send(l, LIVE_FABRIC, &plain, v->plain, v->plain_len);
	LIVE_WAIT("the packet has come", l->spu->stat[SPU_FABRIC_RX] == 2);
	atomic_store(&l->node->spu[7].moved_marker, 5);
	ck_assert_uint_ne(live_receive(l, LIVE_WIRE, FABRIC_WIRE_OUT, got), 0);

	put_anchors(l, 7, 6); /* and does not */
	live_send(l, LIVE_FABRIC, &plain, v->plain, v->plain_len);
	ck_assert_uint_ne(live_receive(l, LIVE_WIRE, FABRIC_WIRE_OUT, got), 0);
	LIVE_WAIT("the wait is counted", l->spu->stat[SPU_HOLD_LATE] != 0);
	check_sum(l);
	live_free(l);
}
END_TEST

START_TEST(a_new_keeper_is_given_everything_back)
{
	const struct esp_vector *v = &esp_vectors[0];
	struct live *l = up("generic");
	struct why why = { 0 };

	(void)put_sa(l, v, true);
	(void)close(l->link);
	(void)close(l->listen);
	ck_assert_msg(keeper_link_listen(l->dir, &l->listen, &why) == ERR_OK, "%s", why.text);
	ck_assert_uint_eq(live_serve(l), 6);
	pass_in(l, v);
	live_free(l);
}
END_TEST

START_TEST(killed_and_started_again_it_goes_on)
{
	const struct esp_vector *v = &esp_vectors[0];
	struct live *l = up("82599");
	struct slots out = put_sa(l, v, false);

	next_seq(l, &out, v->seq - 1);
	wait_engine(l, out.out, SA_ENGINE_INLINE);
	struct fabric_hdr meta = { .kind = FABRIC_PLAIN_OUT, .tunnel = htonl(TUNNEL) };
	uint8_t got[LIVE_FRAME];
	live_send(l, LIVE_FABRIC, &meta, v->plain, v->plain_len);
	ck_assert_uint_eq(live_receive(l, LIVE_WIRE, FABRIC_WIRE_OUT, got), v->esp_len);

	ck_assert(WIFSIGNALED(live_stop(l, SIGKILL)));
	ck_assert(!proc_slot_alive(&l->spu->proc));
	(void)close(l->link);
	atomic_store(&l->spu->state, SPU_ABSENT);
	live_start(l);
	(void)live_serve(l);
	live_wait_ready(l);
	pass_out(l, v); /* with the next number, none twice */
	int status = live_stop(l, SIGTERM);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "SIGTERM: status %#x", status);
	ck_assert_uint_eq(atomic_load(&l->spu->state), SPU_ABSENT);
	live_free(l);
}
END_TEST

/* Everything at once: more than the rings take, from both sides, engines switched meanwhile. What
 * the sockets lost is counted too (XDP_STATISTICS). */
START_TEST(under_a_flood_the_sum_still_holds)
{
	enum { FRAMES = 30000, SWITCH = 6000 };
	const struct esp_vector *v = &esp_vectors[0];
	struct live *l = up("generic");
	struct fabric_hdr plain = { .kind = FABRIC_PLAIN_OUT, .tunnel = htonl(TUNNEL) };
	struct fabric_hdr wire = { .kind = FABRIC_WIRE_IN };
	_Atomic uint64_t *s = l->spu->stat;

	(void)put_sa(l, v, false);
	(void)put_sa(l, v, true);
	for (int i = 0; i < FRAMES; i++) {
		if (i % SWITCH == SWITCH / 2)
			put_tunnel(l, i / SWITCH % 2 ? HAWSER__ENGINE_CHOICE__ENGINE_AUTOMATIC
			                             : HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE);
		live_send(l, LIVE_FABRIC, &plain, v->plain, v->plain_len);
		live_send(l, LIVE_WIRE, &wire, v->esp, v->esp_len);
	}
	(void)usleep(600000); /* the devices are asked four times a second */
	check_sum(l);
	printf("flood: %lu of %d came, %lu encrypted (%lu inline), %lu replays, %lu lost in "
	       "sockets\n",
	       s[SPU_WIRE_RX] + s[SPU_FABRIC_RX], 2 * FRAMES, s[SPU_ENCRYPTED],
	       s[SPU_ENCRYPTED_INLINE], l->spu->drop[DROP_REPLAY],
	       l->spu->drop[DROP_RX_RING_FULL] + l->spu->drop[DROP_NO_BUFFER]);
	ck_assert_uint_eq(l->spu->drop[DROP_ICV] + l->spu->drop[DROP_CRYPTO], 0);
	ck_assert_uint_eq(s[SPU_DECRYPTED], 1);
	ck_assert_uint_eq(s[SPU_ENCRYPTED], s[SPU_WIRE_TX] + l->spu->drop[DROP_TX_RING_FULL]);
	live_free(l);
}
END_TEST

static unsigned long cpu_ticks(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	int n = fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
	               &system);
	(void)fclose(f);
	ck_assert_int_eq(n, 2);
	return user + system;
}

START_TEST(idle_it_sleeps_and_its_progress_counts_on)
{
	struct live *l = up("generic");

	(void)usleep(300000);
	unsigned long before = cpu_ticks(l->pid);
	uint64_t progress = atomic_load(&l->spu->progress);
	for (int i = 0; i < 10; i++) {
		(void)usleep(200000);
		ck_assert_uint_ne(atomic_load(&l->spu->progress), progress);
		progress = atomic_load(&l->spu->progress);
	}
	unsigned long used = cpu_ticks(l->pid) - before;
	/* Ticks are 10 ms: 3% of 2 s are 6. */
	ck_assert_msg(used <= 6, "%lu0 ms of processor time in 2 s", used);
	printf("idle: %lu0 ms of processor time in 2 s\n", used);
	live_free(l);
}
END_TEST

TESTS_OF(live)
{
	TCase *tc = tcase_create("live");

	tcase_add_test(tc, packets_pass_both_ways_and_change_engines);
	tcase_add_test(tc, a_deleted_sa_is_gone_and_its_peer_is_told_of);
	tcase_add_test(tc, a_move_is_held_until_the_old_owner_has_read_the_marker);
	tcase_add_test(tc, a_new_keeper_is_given_everything_back);
	tcase_add_test(tc, killed_and_started_again_it_goes_on);
	tcase_add_test(tc, under_a_flood_the_sum_still_holds);
	tcase_add_test(tc, idle_it_sleeps_and_its_progress_counts_on);
	return tc;
}
