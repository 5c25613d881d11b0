// SPDX-License-Identifier: BSD-2-Clause
/* ESP byte for byte against scapy, both directions, both engines. */
#include "rig.h"
#include "esp_vectors.h"

static struct rig_sa outbound(const struct esp_vector *v)
{
	return (struct rig_sa){
		.local = v->outer == 4 ? ESP_VECTORS_LOCAL4 : ESP_VECTORS_LOCAL6,
		.remote = v->outer == 4 ? ESP_VECTORS_REMOTE4 : ESP_VECTORS_REMOTE6,
		.spi_out = v->spi,
		.key_out = v->key,
		.bits = v->bits,
		.udp = v->udp,
		.esn = v->esn,
		.epoch = ESP_VECTORS_EPOCH,
		.local_port = 4500,
		.remote_port = 4500,
	};
}

static struct rig_sa inbound(const struct esp_vector *v)
{
	struct rig_sa s = outbound(v), in = s;

	in.local = s.remote;
	in.remote = s.local;
	in.local_port = s.remote_port;
	in.remote_port = s.local_port;
	in.spi_in = v->spi;
	in.spi_out = 0;
	in.key_in = v->key;
	in.key_out = NULL;
	return in;
}

static void diff(const char *what, const struct esp_vector *v, const struct rig_result *got,
                 const uint8_t *want, size_t len)
{
	size_t i = 0;

	ck_assert_msg(got->drop == DROP_NONE, "%s %s: dropped: %s", what, v->name,
	              drop_text(got->drop));
	while (i < len && i < got->len && got->ip[i] == want[i])
		i++;
	ck_assert_msg(got->len == len && i == len, "%s %s: %zu of %zu bytes, differs at %zu", what,
	              v->name, got->len, len, i);
}

START_TEST(what_we_send_is_what_scapy_sends)
{
	for (size_t i = 0; i < ARRAY_LEN(esp_vectors); i++) {
		const struct esp_vector *v = &esp_vectors[i];
		struct rig *rig = rig_new((enum rig_engine)_i);
		struct rig_sa spec = outbound(v);
		struct sa *sa = rig_sa(rig, &spec);

		rig_seq(rig, sa, v->seq);
		struct rig_result got = rig_run(rig, RIG_OUT, v->plain, v->plain_len);
		diff("out", v, &got, v->esp, v->esp_len);
		ck_assert_uint_eq(got.meta.kind, FABRIC_WIRE_OUT);
		rig_free(rig);
	}
}
END_TEST

START_TEST(what_scapy_sends_is_read)
{
	for (size_t i = 0; i < ARRAY_LEN(esp_vectors); i++) {
		const struct esp_vector *v = &esp_vectors[i];
		struct rig *rig = rig_new((enum rig_engine)_i);
		struct rig_sa spec = inbound(v);
		struct sa *sa = rig_sa(rig, &spec);

		rig_seq(rig, sa, v->seq);
		struct rig_result got = rig_run(rig, RIG_IN, v->esp, v->esp_len);
		diff("in", v, &got, v->plain, v->plain_len);
		ck_assert_uint_eq(got.meta.kind, FABRIC_PLAIN_IN);
		ck_assert_uint_eq(rig_stat(rig, SPU_DECRYPTED_INLINE), _i == RIG_INLINE);
		got = rig_run(rig, RIG_IN, v->esp, v->esp_len);
		ck_assert_msg(got.drop == DROP_REPLAY, "in %s again: %s", v->name,
		              drop_text(got.drop));
		rig_free(rig);
	}
}
END_TEST

TESTS_OF(esp_vectors)
{
	TCase *tc = tcase_create("esp_vectors");

	eal_for(tc);
	tcase_add_loop_test(tc, what_we_send_is_what_scapy_sends, 0, RIG_ENGINES);
	tcase_add_loop_test(tc, what_scapy_sends_is_read, 0, RIG_ENGINES);
	return tc;
}
