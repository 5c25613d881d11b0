// SPDX-License-Identifier: BSD-2-Clause
/* Fragments that become packets: orders, overlaps, limits, marks. */
#include "rig.h"
#include "seal.h"

struct fragment_spec {
	uint16_t first, end; /* of the ESP packet; end 0: to its end */
	bool last;           /* as its header says */
};

static size_t v4_fragment(const uint8_t *whole, size_t len, const struct fragment_spec *f,
                          uint8_t *out)
{
	size_t end = f->end ? f->end : len - 20, n = end - f->first;

	memcpy(out, whole, 20);
	memcpy(out + 20, whole + 20 + f->first, n);
	put_be16(out + 2, (uint16_t)(20 + n));
	put_be16(out + 4, 77);
	put_be16(out + 6, (uint16_t)(f->first / 8 | (f->last ? 0 : 0x2000)));
	seal_checksum(out);
	return 20 + n;
}

static size_t v6_fragment(const uint8_t *whole, size_t len, const struct fragment_spec *f,
                          uint8_t *out)
{
	size_t end = f->end ? f->end : len - 40, n = end - f->first;

	memcpy(out, whole, 40);
	put_be16(out + 4, (uint16_t)(8 + n));
	out[6] = 44;
	out[40] = whole[6];
	out[41] = 0;
	put_be16(out + 42, (uint16_t)(f->first | !f->last));
	put_be32(out + 44, 77);
	memcpy(out + 48, whole + 40 + f->first, n);
	return 48 + n;
}

static size_t fragment(const uint8_t *whole, size_t len, const struct fragment_spec *f,
                       uint8_t *out)
{
	return whole[0] >> 4 == 4 ? v4_fragment(whole, len, f, out)
	                          : v6_fragment(whole, len, f, out);
}

static const struct {
	const char *what;
	struct fragment_spec at[20];
	uint16_t n;
	enum drop_reason reason;
	uint16_t drops, held, whole;
} floods[] = {
	{ "in order", { { 0, 400, 0 }, { 400, 800, 0 }, { 800, 0, 1 } }, 3, DROP_NONE, 0, 0, 1 },
	{ "backwards", { { 800, 0, 1 }, { 400, 800, 0 }, { 0, 400, 0 } }, 3, DROP_NONE, 0, 0, 1 },
	{ "the middle last",
	  { { 0, 400, 0 }, { 800, 0, 1 }, { 400, 800, 0 } },
	  3,
	  DROP_NONE,
	  0,
	  0,
	  1 },
	{ "one is missing", { { 0, 400, 0 }, { 800, 0, 1 } }, 2, DROP_NONE, 0, 2, 0 },
	{ "the last is missing", { { 0, 400, 0 }, { 400, 800, 0 } }, 2, DROP_NONE, 0, 2, 0 },
	{ "one twice",
	  { { 0, 400, 0 }, { 0, 400, 0 }, { 400, 0, 1 } },
	  3,
	  DROP_REASSEMBLY_OVERLAP,
	  1,
	  0,
	  1 },
	{ "overlap",
	  { { 0, 400, 0 }, { 392, 800, 0 }, { 800, 0, 1 } },
	  3,
	  DROP_REASSEMBLY_OVERLAP,
	  3,
	  0,
	  0 },
	{ "overlap from below",
	  { { 400, 800, 0 }, { 0, 408, 0 }, { 800, 0, 1 } },
	  3,
	  DROP_REASSEMBLY_OVERLAP,
	  3,
	  0,
	  0 },
	{ "one within another",
	  { { 0, 800, 0 }, { 80, 160, 0 }, { 800, 0, 1 } },
	  3,
	  DROP_REASSEMBLY_OVERLAP,
	  3,
	  0,
	  0 },
	{ "one around another",
	  { { 80, 160, 0 }, { 0, 800, 0 } },
	  2,
	  DROP_REASSEMBLY_OVERLAP,
	  2,
	  0,
	  0 },
	{ "a second end", { { 800, 0, 1 }, { 400, 800, 1 } }, 2, DROP_REASSEMBLY_BAD, 2, 0, 0 },
	{ "behind the end", { { 400, 800, 1 }, { 800, 880, 0 } }, 2, DROP_REASSEMBLY_BAD, 2, 0, 0 },
	{ "an end within", { { 400, 800, 0 }, { 80, 160, 1 } }, 2, DROP_REASSEMBLY_BAD, 2, 0, 0 },
	{ "not a multiple of 8", { { 0, 401, 0 } }, 1, DROP_REASSEMBLY_BAD, 1, 0, 0 },
	{ "a first fragment of 8 bytes", { { 0, 8, 0 } }, 1, DROP_REASSEMBLY_BAD, 1, 0, 0 },
	{ "too many",
	  { { 0, 16, 0 },
	    { 16, 24, 0 },
	    { 24, 32, 0 },
	    { 32, 40, 0 },
	    { 40, 48, 0 },
	    { 48, 56, 0 },
	    { 56, 64, 0 },
	    { 64, 72, 0 },
	    { 72, 80, 0 },
	    { 80, 88, 0 },
	    { 88, 96, 0 },
	    { 96, 104, 0 },
	    { 104, 112, 0 },
	    { 112, 120, 0 },
	    { 120, 128, 0 },
	    { 128, 136, 0 },
	    { 136, 144, 0 },
	    { 144, 152, 0 } },
	  18,
	  DROP_REASSEMBLY_BAD,
	  17,
	  0,
	  0 },
};

static void receive(size_t k, bool v6, enum rig_engine engine)
{
	struct rig *rig = rig_new(engine);
	struct rig_sa sa = { .local = v6 ? "2001:db8:1::1" : NULL,
		             .remote = v6 ? "2001:db8:2::2" : NULL };
	struct seal_spec spec = { .outer = v6 ? 6 : 4, .inner = { .payload = 1000 } };
	uint8_t whole[SEAL_MAX], part[SEAL_MAX];
	size_t len = seal_make(&spec, whole), got = 0;

	(void)rig_sa(rig, &sa);
	for (uint16_t i = 0; i < floods[k].n; i++) {
		size_t n = fragment(whole, len, &floods[k].at[i], part);
		got += rig_run(rig, RIG_IN, part, n).len != 0;
	}
	const char *what = floods[k].what;
	ck_assert_msg(got == floods[k].whole, "%s: %zu packets", what, got);
	ck_assert_msg(rig_drops(rig) >= floods[k].drops, "%s: %lu dropped", what, rig_drops(rig));
	if (floods[k].reason)
		ck_assert_msg(rig->roads.shm->drop[floods[k].reason] >= floods[k].drops, "%s",
		              what);
	ck_assert_msg(rig->roads.reasm.held == floods[k].held, "%s: %u held", what,
	              rig->roads.reasm.held);
	rig_sums_up(rig, floods[k].n, got);
	rig->roads.now_ms += REASM_MS;
	reasm_expire(&rig->roads.reasm, rig->roads.shm, rig->roads.now_ms);
	ck_assert_uint_eq(rig->roads.shm->drop[DROP_REASSEMBLY_TIMEOUT], floods[k].held);
	rig_sums_up(rig, floods[k].n, got);
	rig_free(rig);
}

START_TEST(fragments_come_together_or_not_at_all)
{
	for (size_t k = 0; k < ARRAY_LEN(floods); k++)
		receive(k, _i % 2, (enum rig_engine)(_i / 2));
}
END_TEST

START_TEST(the_oldest_goes_where_one_more_comes)
{
	struct rig *rig = rig_new(RIG_SOFT);
	struct seal_spec spec = { .inner = { .payload = 1000 } };
	struct fragment_spec begin = { 0, 400, false }, end = { 400, 0, true };
	uint8_t whole[SEAL_MAX], part[SEAL_MAX];
	size_t len = seal_make(&spec, whole), n = 0;

	(void)rig_sa(rig, &(struct rig_sa){ 0 });
	for (uint16_t id = 0; id <= REASM_PACKETS; id++) {
		n = fragment(whole, len, &begin, part);
		put_be16(part + 4, id);
		seal_checksum(part);
		(void)rig_run(rig, RIG_IN, part, n);
	}
	ck_assert_uint_eq(rig->roads.shm->drop[DROP_REASSEMBLY_FULL], 1);
	ck_assert_uint_eq(rig->roads.reasm.held, REASM_PACKETS);
	n = fragment(whole, len, &end, part);
	put_be16(part + 4, REASM_PACKETS);
	seal_checksum(part);
	ck_assert_uint_ne(rig_run(rig, RIG_IN, part, n).len, 0);
	put_be16(part + 4, 0); /* its beginning is gone */
	seal_checksum(part);
	ck_assert_uint_eq(rig_run(rig, RIG_IN, part, n).len, 0);
	rig_sums_up(rig, REASM_PACKETS + 3, 1);
	rig_free(rig);
}
END_TEST

/* RFC 3168 5.3 */
static void mark(size_t k, bool v6)
{
	static const struct {
		uint8_t outer[2], inner;
		enum drop_reason drop;
		uint8_t want;
	} cases[] = { { { 2, 3 }, 2, DROP_NONE, 3 },
		      { { 3, 2 }, 2, DROP_NONE, 3 },
		      { { 2, 2 }, 2, DROP_NONE, 2 },
		      { { 0, 3 }, 2, DROP_ECN, 0 },
		      { { 3, 3 }, 0, DROP_ECN, 0 } };
	struct rig *rig = rig_new(RIG_SOFT);
	struct rig_sa sa = { .local = v6 ? "2001:db8:1::1" : NULL,
		             .remote = v6 ? "2001:db8:2::2" : NULL };
	struct seal_spec spec = { .outer = v6 ? 6 : 4,
		                  .inner = { .payload = 1000, .tos = cases[k].inner } };
	struct fragment_spec at[2] = { { 0, 400, false }, { 400, 0, true } };
	uint8_t whole[SEAL_MAX], part[SEAL_MAX];
	size_t len = seal_make(&spec, whole);
	struct rig_result r = { 0 };

	(void)rig_sa(rig, &sa);
	for (int i = 0; i < 2; i++) {
		size_t n = fragment(whole, len, &at[i], part);

		if (v6) {
			part[1] = (uint8_t)(cases[k].outer[i] << 4);
		} else {
			part[1] = cases[k].outer[i];
			seal_checksum(part);
		}
		r = rig_run(rig, RIG_IN, part, n);
	}
	ck_assert_uint_eq(r.drop, cases[k].drop);
	if (r.drop == DROP_NONE)
		ck_assert_uint_eq(r.ip[1] & 3, cases[k].want);
	rig_sums_up(rig, 2, r.len != 0);
	rig_free(rig);
}

START_TEST(a_mark_on_one_fragment_is_a_mark_on_the_packet)
{
	for (size_t k = 0; k < 5; k++)
		mark(k, _i);
}
END_TEST

/* AH covers the outer header, so what fragments it must leave what is authenticated (RFC 4302
 * 3.3.4): encrypted first, then fragmented; put together, then verified. */
START_TEST(ah_is_fragmented_and_comes_together)
{
	static const uint8_t key[64] = "of an SA that is its own peer";
	const char *self = _i ? "2001:db8:1::1" : "192.0.2.1";
	struct rig *rig = rig_new(RIG_SOFT);
	struct tunnel *tun = rig_tunnel(rig, RIG_TUNNEL);
	struct plain_spec spec = { .payload = 1400 };
	struct rte_mbuf *in, *part[BURST], *out[BURST];
	uint8_t p[SEAL_MAX];
	size_t len = plain_make(&spec, p);
	uint16_t n = 0;

	(void)rig_sa(rig, &(struct rig_sa){ .protocol = IPPROTO_NO_AH,
	                                    .integ = INTEG_HMAC_SHA2_256_128,
	                                    .esn = true,
	                                    .auth_in = key,
	                                    .auth_out = key,
	                                    .local = self,
	                                    .remote = self,
	                                    .spi_out = 0x1007 });
	tun->post_fragmentation = true;
	tun->df = ENCAP_DF_CLEAR;
	sa_table_tunnel_changed(tun);
	rig->roads.wire_mtu = 700;
	in = rig_mbuf(rig, RIG_OUT, p, len);
	ck_assert_uint_eq(outbound_run(&rig->roads, &in, 1, part), 0);
	ck_assert(outbound_more(&rig->roads, part, &n));
	ck_assert_uint_eq(n, 3);
	for (uint16_t i = 0; i < n; i++) {
		ck_assert_uint_le(rte_pktmbuf_data_len(part[i]), ETHER_LEN + 700);
		port_meta(part[i])->kind = FABRIC_WIRE_IN;
	}
	ck_assert_uint_eq(inbound_run(&rig->roads, part, n, out), 1);
	ck_assert_uint_eq(rte_pktmbuf_data_len(out[0]), ETHER_LEN + len);
	ck_assert_mem_eq(rte_pktmbuf_mtod_offset(out[0], uint8_t *, ETHER_LEN), p, len);
	rte_pktmbuf_free(out[0]);
	ck_assert_uint_eq(rig_drops(rig), 0);
	rig_free(rig);
}
END_TEST

TESTS_OF(reasm)
{
	TCase *tc = tcase_create("reasm");

	eal_for(tc);
	tcase_add_loop_test(tc, fragments_come_together_or_not_at_all, 0, 2 * RIG_ENGINES);
	tcase_add_test(tc, the_oldest_goes_where_one_more_comes);
	tcase_add_loop_test(tc, a_mark_on_one_fragment_is_a_mark_on_the_packet, 0, 2);
	tcase_add_loop_test(tc, ah_is_fragmented_and_comes_together, 0, 2);
	return tc;
}
