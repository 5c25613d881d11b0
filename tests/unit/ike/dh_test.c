// SPDX-License-Identifier: BSD-2-Clause
/* Key exchange against published vectors, and every value that RFC 6989 forbids; key derivation
 * against NIST's. */
#include "ike_dh_group.h"
#include "ike_keys.h"
#include "runner.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

#include "dh_vectors.h"

enum { BYTES_MAX = 1024 };

struct bytes {
	size_t len;
	uint8_t b[BYTES_MAX];
};

static struct bytes hex(const char *text)
{
	struct bytes r = { strlen(text) / 2, { 0 } };

	for (size_t i = 0; i < r.len; i++) {
		unsigned x;

		ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &x), 1);
		r.b[i] = (uint8_t)x;
	}
	return r;
}

static struct view view_of(const struct bytes *b)
{
	return (struct view){ b->b, b->len };
}

static const uint16_t groups[] = { 1, 2, 5, 14, 15, 16, 19, 20, 21, 24, 31, 32 };

static bool is_x(uint16_t group)
{
	return group == 31 || group == 32;
}

static struct dh_job *job(uint16_t group, struct view peer)
{
	static const uint8_t spi[8] = { 1 };
	struct dh_job *j = dh_job_new(alg_ke_by_id(group), spi, 0);

	ck_assert_ptr_nonnull(j);
	if (peer.len)
		ck_assert_int_eq(dh_job_peer(j, peer), ERR_OK);
	j->job.run(&j->job);
	return j;
}

/* RFC 5903 9: x alone; RFC 7296 2.14: padded to the prime. */
static size_t secret_len(const struct alg_ke *ke)
{
	return ke->v2_id >= 19 && ke->v2_id <= 21 ? ke->public_len / 2u : ke->public_len;
}

START_TEST(both_sides_agree_on_the_secret)
{
	const struct alg_ke *ke = alg_ke_by_id(groups[_i]);
	struct dh_job *a = job(ke->v2_id, (struct view){ NULL, 0 });

	ck_assert_int_eq(a->result, ERR_OK);
	ck_assert_int_eq(memcmp(dh_key_public(a->key), a->public, ke->public_len), 0);
	struct dh_job *b = job(ke->v2_id, (struct view){ a->public, ke->public_len });
	ck_assert_int_eq(b->result, ERR_OK);
	ck_assert_int_eq(dh_job_peer(a, (struct view){ b->public, ke->public_len }), ERR_OK);
	a->job.run(&a->job);
	ck_assert_int_eq(a->result, ERR_OK);
	ck_assert(view_equal(secret_view(a->secret), secret_view(b->secret)));
	ck_assert_uint_eq(a->secret->len, secret_len(ke));
	dh_job_free(a);
	dh_job_free(b);
}
END_TEST

/* ---- vectors --------------------------------------------------------------------------------- */

static EVP_PKEY *from_numbers(const struct dh_group *g, const struct bytes *mine,
                              const struct bytes *public)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *x = BN_bin2bn(mine->b, (int)mine->len, NULL), *y = NULL;
	struct bytes point = { public->len + 1, { 4 } };
	EVP_PKEY *pkey = NULL;

	memcpy(point.b + 1, public->b, public->len);
	ck_assert(
	        OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, g->ke->openssl, 0));
	ck_assert(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, x));
	if (g->kind == DH_ECP) {
		ck_assert(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.b,
		                                           point.len));
	} else {
		y = BN_bin2bn(public->b, (int)public->len, NULL);
		ck_assert(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PUB_KEY, y));
	}
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, g->type, NULL);
	ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params), 1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(x);
	BN_free(y);
	return pkey;
}

START_TEST(secrets_are_those_of_the_rfcs)
{
	const struct alg_ke *ke = alg_ke_by_id(dh_vectors[_i].group);
	const struct dh_group *g = dh_group_of(ke);
	struct bytes mine = hex(dh_vectors[_i].mine), public = hex(dh_vectors[_i].public);
	struct bytes peer = hex(dh_vectors[_i].peer), want = hex(dh_vectors[_i].secret);
	static const uint8_t spi[8] = { 1 };
	EVP_PKEY *pkey =
	        g->kind == DH_MONTGOMERY
	                ? EVP_PKEY_new_raw_private_key_ex(NULL, g->type, NULL, mine.b, mine.len)
	                : from_numbers(g, &mine, &public);
	struct dh_job *j = dh_job_new(ke, spi, 0);

	ck_assert_int_eq(dh_key_of(g, pkey, &j->key), ERR_OK);
	ck_assert_int_eq(memcmp(dh_key_public(j->key), public.b, public.len), 0);
	ck_assert_int_eq(dh_job_peer(j, view_of(&peer)), ERR_OK);
	j->job.run(&j->job);
	ck_assert_int_eq(j->result, ERR_OK);
	ck_assert_msg(view_equal(secret_view(j->secret), view_of(&want)), "%s",
	              dh_vectors[_i].from);
	dh_job_free(j);
}
END_TEST

/* ---- what RFC 6989 forbids ------------------------------------------------------------------- */

static void refused(uint16_t group, const uint8_t *value, const char *what)
{
	const struct alg_ke *ke = alg_ke_by_id(group);
	struct dh_job *j = job(group, (struct view){ value, ke->public_len });

	ck_assert_msg(j->result != ERR_OK && j->secret == NULL, "%s: %s is accepted", ke->name,
	              what);
	dh_job_free(j);
}

START_TEST(values_that_no_group_has)
{
	uint8_t value[DH_PUBLIC_MAX] = { 0 };
	const struct alg_ke *ke = alg_ke_by_id(groups[_i]);

	refused(ke->v2_id, value, "0");
	value[is_x(ke->v2_id) ? 0 : ke->public_len - 1] = 1;
	refused(ke->v2_id, value, "1");
	memset(value, 0xff, sizeof(value));
	if (!is_x(ke->v2_id)) /* any bits are a point there, of the curve or its twist */
		refused(ke->v2_id, value, "more than the prime");
	struct dh_job *j = job(ke->v2_id, (struct view){ NULL, 0 });
	ck_assert_int_eq(dh_job_peer(j, (struct view){ value, ke->public_len - 1u }), ERR_LENGTH);
	dh_job_free(j);
}
END_TEST

START_TEST(the_ends_of_a_modp_group)
{
	const struct alg_ke *ke = alg_ke_by_id(groups[_i]);
	const struct dh_group *g = dh_group_of(ke);
	uint8_t value[DH_PUBLIC_MAX] = { 0 };

	if (g->kind != DH_MODP)
		return;
	memcpy(value, g->p_minus_1, ke->public_len);
	refused(ke->v2_id, value, "p - 1");
	value[ke->public_len - 1]++; /* p is odd */
	refused(ke->v2_id, value, "p");
	value[ke->public_len - 1] = (uint8_t)(value[ke->public_len - 1] - 2);
	ck_assert_int_eq(dh_group_check(g, value), ke->v2_id == 24 ? ERR_VALUE : ERR_OK);
	memset(value, 0, sizeof(value));
	value[ke->public_len - 1] = 2; /* the generator; but not of group 24 */
	ck_assert_int_eq(dh_group_check(g, value), ke->v2_id == 24 ? ERR_VALUE : ERR_OK);
}
END_TEST

/* A point of another curve leaks our key (Wycheproof's invalid curve attacks). */
START_TEST(points_beside_the_curve)
{
	for (size_t i = 0; i < 3; i++) {
		struct bytes p = hex(dh_vectors[i].peer);

		p.b[p.len - 1] ^= 1;
		refused(dh_vectors[i].group, p.b, "a point with another y");
		p = hex(dh_vectors[i].peer);
		p.b[p.len / 2 - 1] ^= 1;
		refused(dh_vectors[i].group, p.b, "a point with another x");
		memset(p.b + p.len / 2, 0, p.len / 2);
		refused(dh_vectors[i].group, p.b, "a point with y 0");
	}
	/* x = 0 is on these curves with y the root of b: but (0, 0) and (p, y) are not. */
	struct bytes zero = { 64, { 0 } };
	memset(zero.b, 0xff, 32);
	refused(19, zero.b, "an x beyond the prime");
}
END_TEST

static const struct {
	uint16_t group;
	const char *point;
} small[] = {
	{ 31, "0000000000000000000000000000000000000000000000000000000000000000" },
	{ 31, "0100000000000000000000000000000000000000000000000000000000000000" },
	{ 31, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800" },
	{ 31, "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157" },
	{ 31, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
	{ 31, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
	{ 31, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
	{ 31, "0000000000000000000000000000000000000000000000000000000000000080" },
	{ 32, "00000000000000000000000000000000000000000000000000000000"
	      "00000000000000000000000000000000000000000000000000000000" },
	{ 32, "01000000000000000000000000000000000000000000000000000000"
	      "00000000000000000000000000000000000000000000000000000000" },
	{ 32, "fefffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	      "effffffffffffffffffffffffffffffffffffffffffffffffffffff" },
	{ 32, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
	      "effffffffffffffffffffffffffffffffffffffffffffffffffffff" },
	{ 32, "00000000000000000000000000000000000000000000000000000000"
	      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
};

/* RFC 7748 6, RFC 8031 5: their secret is zero whatever our key is. */
START_TEST(points_of_small_order)
{
	struct bytes p = hex(small[_i].point);

	ck_assert_uint_eq(p.len, alg_ke_by_id(small[_i].group)->public_len);
	refused(small[_i].group, p.b, small[_i].point);
}
END_TEST

/* ---- key derivation -------------------------------------------------------------------------- */

struct fixture {
	struct ike_crypto *crypto;
	struct bytes ni, nr, spi_i, spi_r, secret, new_secret;
	struct ike_suite suite;
	struct ike_seed seed;
	struct ike_keys keys;
};

static void derive(struct fixture *f)
{
	*f = (struct fixture){ .crypto = ike_crypto_new(),
		               .ni = hex(kdf_vector.ni),
		               .nr = hex(kdf_vector.nr),
		               .spi_i = hex(kdf_vector.spi_i),
		               .spi_r = hex(kdf_vector.spi_r),
		               .secret = hex(kdf_vector.secret),
		               .new_secret = hex(kdf_vector.new_secret) };
	f->suite = (struct ike_suite){ alg_cipher_by_id(ENCR_AES_CBC, 256),
		                       alg_integ_by_id(INTEG_HMAC_SHA2_256_128),
		                       alg_prf_by_id(PRF_HMAC_SHA2_256), alg_ke_by_id(2) };
	f->seed = (struct ike_seed){ .nonce_i = view_of(&f->ni),
		                     .nonce_r = view_of(&f->nr),
		                     .spi_i = f->spi_i.b,
		                     .spi_r = f->spi_r.b };
	ck_assert_int_eq(
	        ike_keys_derive(f->crypto, &f->suite, &f->seed, view_of(&f->secret), &f->keys),
	        ERR_OK);
}

START_TEST(keys_as_nist_has_them)
{
	struct fixture f;
	struct bytes dkm = hex(kdf_vector.dkm);

	derive(&f);
	const uint8_t *want[] = { f.keys.d,    f.keys.a[0], f.keys.a[1], f.keys.e[0],
		                  f.keys.e[1], f.keys.p[0], f.keys.p[1] };
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		ck_assert_int_eq(memcmp(want[i], dkm.b + 32 * i, 32), 0);
	ike_crypto_free(f.crypto);
}
END_TEST

static void check_child(struct fixture *f, const char *stream)
{
	struct child_keys k[2], *const keys[2] = { &k[0], &k[1] };
	struct child_suite suite = { f->suite.cipher, f->suite.integ };
	struct bytes want = hex(stream);

	ck_assert_int_eq(ike_keys_child(f->crypto, f->suite.prf, f->keys.d, &f->seed, &suite, keys),
	                 ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(memcmp(k[i].cipher, want.b + 64 * i, 32), 0);
		ck_assert_int_eq(memcmp(k[i].integ, want.b + 64 * i + 32, 32), 0);
	}
}

/* RFC 7296 2.17: of each direction the cipher's key, then integrity's. */
START_TEST(keys_of_a_child_as_nist_has_them)
{
	struct fixture f;

	derive(&f);
	check_child(&f, kdf_vector.child);
	f.seed.secret = view_of(&f.new_secret);
	check_child(&f, kdf_vector.child_dh);
	ike_crypto_free(f.crypto);
}
END_TEST

/* RFC 7296 2.18: SKEYSEED from the old SK_d. */
START_TEST(keys_of_a_rekeyed_sa_as_nist_has_them)
{
	struct fixture f;
	struct bytes skeyseed = hex(kdf_vector.rekey), stream = { 224, { 0 } },
	             seed = { 32, { 0 } };
	struct ike_keys got;

	derive(&f);
	f.seed.secret = view_of(&f.new_secret);
	ck_assert_int_eq(ike_keys_rekey(f.crypto, &f.suite, &f.seed, f.suite.prf, f.keys.d, &got),
	                 ERR_OK);
	memcpy(seed.b, f.ni.b, 8);
	memcpy(seed.b + 8, f.nr.b, 8);
	memcpy(seed.b + 16, f.spi_i.b, 8);
	memcpy(seed.b + 24, f.spi_r.b, 8);
	ck_assert_int_eq(ike_prf_plus(f.crypto, f.suite.prf, view_of(&skeyseed), view_of(&seed),
	                              view_of(&stream)),
	                 ERR_OK);
	ck_assert_int_eq(memcmp(got.d, stream.b, 32), 0);
	ck_assert_int_eq(memcmp(got.p[1], stream.b + 192, 32), 0);
	ike_crypto_free(f.crypto);
}
END_TEST

TESTS_OF(dh)
{
	TCase *tc = tcase_create("dh");

	tcase_set_timeout(tc, 60); /* groups 1 to 16 under sanitizers */
	tcase_add_loop_test(tc, both_sides_agree_on_the_secret, 0, ARRAY_LEN(groups));
	tcase_add_loop_test(tc, secrets_are_those_of_the_rfcs, 0, ARRAY_LEN(dh_vectors));
	tcase_add_loop_test(tc, values_that_no_group_has, 0, ARRAY_LEN(groups));
	tcase_add_loop_test(tc, the_ends_of_a_modp_group, 0, ARRAY_LEN(groups));
	tcase_add_test(tc, points_beside_the_curve);
	tcase_add_loop_test(tc, points_of_small_order, 0, ARRAY_LEN(small));
	tcase_add_test(tc, keys_as_nist_has_them);
	tcase_add_test(tc, keys_of_a_child_as_nist_has_them);
	tcase_add_test(tc, keys_of_a_rekeyed_sa_as_nist_has_them);
	return tc;
}
