// SPDX-License-Identifier: BSD-2-Clause
#include "ike_auth.h"
#include "payload_sk.h"
#include "runner.h"

#include <string.h>

#define V(s)                                        \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

struct ike_vector {
	uint16_t encr, bits, integ, prf;
	struct view ni, nr, spi_i, spi_r, secret;
	struct view d, ai, ar, ei, er, pi, pr, child;
	struct view psk, message, id, auth;
	struct view iv, plain, sealed;
};

#include "ike_vectors.h"

static struct ike_crypto *crypto;

static void up(void)
{
	crypto = ike_crypto_new();
	ck_assert_ptr_nonnull(crypto);
}

static void down(void)
{
	ike_crypto_free(crypto);
}

/* clang-format off */
/* RFC 5869 A.1: its extract is SKEYSEED's formula, its expand is prf+ to the letter. */
static const uint8_t hkdf_ikm[22] = { 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11 };
static const uint8_t hkdf_salt[13] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const uint8_t hkdf_info[10] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9 };
static const uint8_t hkdf_prk[32] =
	"\x07\x77\x09\x36\x2c\x2e\x32\xdf\x0d\xdc\x3f\x0d\xc4\x7b\xba\x63"
	"\x90\xb6\xc7\x3b\xb5\x0f\x9c\x31\x22\xec\x84\x4a\xd7\xc2\xb3\xe5";
static const uint8_t hkdf_okm[42] =
	"\x3c\xb2\x5f\x25\xfa\xac\xd5\x7a\x90\x43\x4f\x64\xd0\x36\x2f\x2a"
	"\x2d\x2d\x0a\x90\xcf\x1a\x5a\x4c\x5d\xb0\x2d\x56\xec\xc4\xc5\xbf"
	"\x34\x00\x72\x08\xd5\xb8\x87\x18\x58\x65";
/* RFC 4231 4.3, RFC 2202 2 and 3: key "Jefe", "what do ya want for nothing?". */
static const struct { uint16_t prf; const char *want; } rfc4231[] = {
	{ PRF_HMAC_MD5, "\x75\x0c\x78\x3e\x6a\xb0\xb5\x03\xea\xa8\x6e\x31\x0a\x5d\xb7\x38" },
	{ PRF_HMAC_SHA1, "\xef\xfc\xdf\x6a\xe5\xeb\x2f\xa2\xd2\x74\x16\xd5\xf1\x84\xdf\x9c"
	                 "\x25\x9a\x7c\x79" },
	{ PRF_HMAC_SHA2_256, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
	                     "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43" },
	{ PRF_HMAC_SHA2_384, "\xaf\x45\xd2\xe3\x76\x48\x40\x31\x61\x7f\x78\xd2\xb5\x8a\x6b\x1b"
	                     "\x9c\x7e\xf4\x64\xf5\xa0\x1b\x47\xe4\x2e\xc3\x73\x63\x22\x44\x5e"
	                     "\x8e\x22\x40\xca\x5e\x69\xe2\xc7\x8b\x32\x39\xec\xfa\xb2\x16\x49" },
	{ PRF_HMAC_SHA2_512, "\x16\x4b\x7a\x7b\xfc\xf8\x19\xe2\xe3\x95\xfb\xe7\x3b\x56\xe0\xa3"
	                     "\x87\xbd\x64\x22\x2e\x83\x1f\xd6\x10\x27\x0c\xd7\xea\x25\x05\x54"
	                     "\x97\x58\xbf\x75\xc0\x5a\x99\x4a\x6d\x03\x4f\x65\xf8\xf0\xe6\xfd"
	                     "\xca\xea\xb1\xa3\x4d\x4a\x6b\x4b\x63\x6e\x07\x0a\x38\xbc\xe7\x37" },
};
/* clang-format on */

START_TEST(prf_is_hmac_as_in_rfc_4231)
{
	static const char data[] = "what do ya want for nothing?";
	const struct alg_prf *prf = alg_prf_by_id(rfc4231[_i].prf);
	struct view parts[] = { { (const uint8_t *)data, 10 },
		                { (const uint8_t *)data + 10, sizeof(data) - 11 },
		                { NULL, 0 } };
	uint8_t got[PRF_MAX];

	ck_assert_int_eq(
	        ike_prf(crypto, prf, (struct view){ (const uint8_t *)"Jefe", 4 }, parts, got), 0);
	ck_assert_mem_eq(got, rfc4231[_i].want, prf->out_len);
}
END_TEST

START_TEST(prf_plus_and_skeyseed_as_in_rfc_5869)
{
	const struct alg_prf *prf = alg_prf_by_id(PRF_HMAC_SHA2_256);
	struct view ikm[] = { { hkdf_ikm, sizeof(hkdf_ikm) }, { NULL, 0 } };
	uint8_t prk[PRF_MAX], okm[sizeof(hkdf_okm)];

	ck_assert_int_eq(
	        ike_prf(crypto, prf, (struct view){ hkdf_salt, sizeof(hkdf_salt) }, ikm, prk), 0);
	ck_assert_mem_eq(prk, hkdf_prk, sizeof(hkdf_prk));
	ck_assert_int_eq(ike_prf_plus(crypto, prf, (struct view){ prk, 32 },
	                              (struct view){ hkdf_info, sizeof(hkdf_info) },
	                              (struct view){ okm, sizeof(okm) }),
	                 0);
	ck_assert_mem_eq(okm, hkdf_okm, sizeof(hkdf_okm));
}
END_TEST

START_TEST(prf_plus_ends_after_255_turns)
{
	static uint8_t out[255 * 32 + 1];
	const struct alg_prf *prf = alg_prf_by_id(PRF_HMAC_SHA2_256);
	struct view key = { hkdf_prk, 32 };

	ck_assert_int_eq(ike_prf_plus(crypto, prf, key, key, (struct view){ out, 255 * 32 }), 0);
	ck_assert_int_eq(ike_prf_plus(crypto, prf, key, key, (struct view){ out, sizeof(out) }),
	                 ERR_LENGTH);
}
END_TEST

static struct ike_suite suite_of(const struct ike_vector *v)
{
	return (struct ike_suite){ alg_cipher_by_id(v->encr, v->bits), alg_integ_by_id(v->integ),
		                   alg_prf_by_id(v->prf), alg_ke_by_id(KE_CURVE25519) };
}

static struct ike_seed seed_of(const struct ike_vector *v)
{
	return (struct ike_seed){ v->ni, v->nr, v->spi_i.p, v->spi_r.p, { NULL, 0 } };
}

static void same(const char *what, const uint8_t *got, struct view want)
{
	ck_assert_msg(memcmp(got, want.p, want.len) == 0, "%s differs", what);
}

START_TEST(keys_of_the_sa_and_its_child)
{
	const struct ike_vector *v = &vectors[_i];
	struct ike_suite s = suite_of(v);
	struct ike_seed seed = seed_of(v);
	struct ike_keys k;
	struct child_suite child = { alg_cipher_by_id(ENCR_AES_GCM_16, 256), NULL };
	struct child_keys first, second, *const keys[2] = { &first, &second };

	ck_assert_int_eq(ike_keys_derive(crypto, &s, &seed, v->secret, &k), ERR_OK);
	same("SK_d", k.d, v->d);
	same("SK_ai", k.a[OF_INITIATOR], v->ai);
	same("SK_ar", k.a[OF_RESPONDER], v->ar);
	same("SK_ei", k.e[OF_INITIATOR], v->ei);
	same("SK_er", k.e[OF_RESPONDER], v->er);
	same("SK_pi", k.p[OF_INITIATOR], v->pi);
	same("SK_pr", k.p[OF_RESPONDER], v->pr);
	ck_assert_int_eq(ike_keys_child(crypto, s.prf, k.d, &seed, &child, keys), ERR_OK);
	same("what the initiator sends with", first.cipher, (struct view){ v->child.p, 36 });
	same("what the responder sends with", second.cipher, (struct view){ v->child.p + 36, 36 });
}
END_TEST

START_TEST(auth_by_pre_shared_key)
{
	const struct ike_vector *v = &vectors[_i];
	struct ike_auth_octets o = { v->message, v->nr, v->pi.p, v->id };
	uint8_t got[PRF_MAX];

	ck_assert_int_eq(ike_auth_psk(crypto, alg_prf_by_id(v->prf), v->psk, &o, got), ERR_OK);
	same("AUTH", got, v->auth);
}
END_TEST

/* The header and SK payload that the vectors were sealed with, built by our writer. */
static struct view seal(const struct ike_vector *v, const struct ike_suite *s, struct ike_out *o)
{
	struct payload_sk_keys k = { .enc = v->ei.p, .integ = v->ai.p, .iv = v->iv.p };
	struct ike_header h = { .exchange = EX_IKE_AUTH, .flags = IKE_FLAG_INITIATOR, .id = 1 };

	memcpy(h.spi_i, v->spi_i.p, 8);
	memcpy(h.spi_r, v->spi_r.p, 8);
	ike_out_begin(o, &h);
	payload_sk_open(o, s);
	ike_out_open(o, PL_NONCE);
	payload_nonce_write(&o->w, v->plain);
	ike_out_close(o);
	return payload_sk_finish(o, crypto, s, &k);
}

START_TEST(an_sk_payload_is_sealed_as_by_another_implementation)
{
	const struct ike_vector *v = &vectors[_i];
	struct ike_suite s = suite_of(v);
	static struct ike_out o;
	struct view got = seal(v, &s, &o);

	ck_assert_uint_eq(got.len, v->sealed.len);
	ck_assert_mem_eq(got.p, v->sealed.p, got.len);
}
END_TEST

static enum err open_sealed(const struct ike_vector *v, struct view message, struct view *plain)
{
	static uint8_t copy[IKE_MESSAGE_MAX];
	struct ike_suite s = suite_of(v);
	struct payload_sk_keys k = { v->ei.p, v->ai.p, NULL, copy, sizeof(copy) };

	return payload_sk_read(crypto, &s, &k, message,
	                       (struct view){ message.p + 32, message.len - 32 }, plain);
}

START_TEST(what_another_implementation_sealed_opens)
{
	const struct ike_vector *v = &vectors[_i];
	struct view plain;

	ck_assert_int_eq(open_sealed(v, v->sealed, &plain), ERR_OK);
	ck_assert_uint_eq(plain.len, 4 + v->plain.len);
	same("the nonce inside", plain.p + 4, v->plain);
}
END_TEST

START_TEST(one_flipped_bit_anywhere_and_nothing_opens)
{
	const struct ike_vector *v = &vectors[_i];
	uint8_t bytes[512];
	struct view plain;

	memcpy(bytes, v->sealed.p, v->sealed.len);
	for (size_t bit = 0; bit < 8 * v->sealed.len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		enum err e = open_sealed(v, (struct view){ bytes, v->sealed.len }, &plain);
		ck_assert_msg(e == ERR_AUTH, "bit %zu: %s", bit, err_text(e));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(an_sk_payload_cut_short_anywhere_does_not_open)
{
	const struct ike_vector *v = &vectors[_i];
	struct view plain;

	for (size_t len = 32; len < v->sealed.len; len++)
		ck_assert_int_ne(open_sealed(v, (struct view){ v->sealed.p, len }, &plain), ERR_OK);
}
END_TEST

/* Authentic, but the pad length reaches before the payloads. */
START_TEST(padding_that_is_longer_than_what_it_pads)
{
	const struct ike_vector *v = &vectors[0];
	uint8_t m[28 + 4 + 8 + 4 + 16] = { 0 };
	struct ike_cipher_call call = {
		alg_cipher_by_id(v->encr, v->bits), v->ei.p, m + 32, { m, 32 }, m + 40, 4, m + 44
	};
	struct view plain;

	memcpy(m + 40, "\1\2\3\4", 4); /* three bytes, "four of padding" */
	ck_assert_int_eq(ike_encrypt(crypto, &call), ERR_OK);
	ck_assert_int_eq(open_sealed(v, (struct view){ m, sizeof(m) }, &plain), ERR_LENGTH);
	m[44] ^= 1;
	ck_assert_int_eq(open_sealed(v, (struct view){ m, sizeof(m) }, &plain), ERR_AUTH);
}
END_TEST

TESTS_OF(keys)
{
	TCase *tc = tcase_create("keys");
	int n = ARRAY_LEN(vectors);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_loop_test(tc, prf_is_hmac_as_in_rfc_4231, 0, ARRAY_LEN(rfc4231));
	tcase_add_test(tc, prf_plus_and_skeyseed_as_in_rfc_5869);
	tcase_add_test(tc, prf_plus_ends_after_255_turns);
	tcase_add_loop_test(tc, keys_of_the_sa_and_its_child, 0, n);
	tcase_add_loop_test(tc, auth_by_pre_shared_key, 0, n);
	tcase_add_loop_test(tc, an_sk_payload_is_sealed_as_by_another_implementation, 0, n);
	tcase_add_loop_test(tc, what_another_implementation_sealed_opens, 0, n);
	tcase_add_loop_test(tc, one_flipped_bit_anywhere_and_nothing_opens, 0, n);
	tcase_add_loop_test(tc, an_sk_payload_cut_short_anywhere_does_not_open, 0, n);
	tcase_add_test(tc, padding_that_is_longer_than_what_it_pads);
	return tc;
}
