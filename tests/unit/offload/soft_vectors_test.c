// SPDX-License-Identifier: BSD-2-Clause
/* The software engine against published vectors: a cipher alone or an AEAD cipher as ESP, an
 * integrity algorithm as AH. */
#include "cipher_vectors.h"
#include "engine.h"
#include "esp_frame.h"
#include "runner.h"

#include <string.h>

#define TEXT_MAX 256

struct run {
	const struct cipher_vector *v;
	struct engine *soft;
	struct engine_sa sa;
	struct engine_op op;
	struct rte_mbuf m;
	uint8_t key[80], iv[16], text[TEXT_MAX], icv[64], want[TEXT_MAX], want_icv[64];
	size_t text_len, want_len, icv_len;
};

static void load(struct run *r, const struct cipher_vector *v, bool inbound)
{
	struct view key = { r->key, esp_hex(v->key, r->key, sizeof(r->key)) };
	uint8_t *text = inbound && v->cipher[0] ? r->want : r->text;
	uint8_t *sealed = inbound && v->cipher[0] ? r->text : r->want;

	r->v = v;
	(void)esp_hex(v->iv, r->iv, sizeof(r->iv));
	r->text_len = esp_hex(v->text, text, TEXT_MAX);
	r->want_len = esp_hex(v->sealed, sealed, TEXT_MAX);
	r->icv_len = esp_hex(v->icv, r->want_icv, sizeof(r->want_icv));
	if (inbound)
		memcpy(r->icv, r->want_icv, r->icv_len);
	r->sa.inbound = inbound;
	r->op = (struct engine_op){ .m = &r->m, .iv = r->iv, .icv = r->icv, .verdict = 0xff };
	r->op.aad_len = (uint8_t)esp_hex(v->aad, r->op.aad, sizeof(r->op.aad));
	if (v->cipher[0]) {
		r->sa.protocol = IPPROTO_NO_ESP;
		r->sa.cipher = alg_cipher_by_name(v->cipher);
		r->sa.key = key;
		r->op.payload = r->text;
		r->op.len = (uint32_t)r->text_len;
	} else {
		r->sa.protocol = IPPROTO_NO_AH;
		r->sa.integ = alg_integ_by_name(v->integ);
		r->sa.auth_key = key;
		r->op.auth = r->text;
		r->op.auth_len = (uint32_t)r->text_len;
	}
}

static void compute(struct run *r)
{
	struct engine_session *s = NULL;
	struct why why = { 0 };

	ck_assert_msg(engine_soft_open(&r->soft, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(r->soft->session_add(r->soft, &r->sa, &s, &why) == ERR_OK, "%s: %s",
	              r->v->name, why.text);
	r->op.session = s;
	(r->sa.inbound ? r->soft->burst_in : r->soft->burst_out)(r->soft, &r->op, 1);
	r->soft->session_del(r->soft, s);
	engine_close(r->soft);
}

START_TEST(software_computes_published_vectors_of_all_kinds)
{
	for (int inbound = 0; inbound < 2; inbound++) {
		struct run r = { 0 };

		load(&r, &cipher_vectors[_i], inbound);
		compute(&r);
		ck_assert_msg(r.op.verdict == ENGINE_OK, "%s: %u", r.v->name, r.op.verdict);
		ck_assert_msg(memcmp(r.text, r.want, r.want_len) == 0, "%s: text", r.v->name);
		ck_assert_msg(memcmp(r.icv, r.want_icv, r.icv_len) == 0, "%s: ICV", r.v->name);
	}
}
END_TEST

TESTS_OF(soft_vectors)
{
	TCase *tc = tcase_create("soft_vectors");

	tcase_add_loop_test(tc, software_computes_published_vectors_of_all_kinds, 0,
	                    (int)ARRAY_LEN(cipher_vectors));
	return tc;
}
