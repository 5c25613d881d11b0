/* SPDX-License-Identifier: BSD-2-Clause */
/* The Diffie-Hellman groups as OpenSSL knows them, and the checks of RFC 6989 on a peer's value.
 *
 * A group's parameters are made at its first use and stay: to look a group up or to build it anew
 * at each key costs more than a small key does. They never change after that; any thread. */
#ifndef IKE_DH_GROUP_H
#define IKE_DH_GROUP_H
#include "algorithms.h"
#include "errors.h"
#include "ike_dh.h"

#include <openssl/evp.h>

enum dh_kind { DH_MODP, DH_ECP, DH_MONTGOMERY };

struct dh_group {
	const struct alg_ke *ke;
	enum dh_kind kind;
	const char *type;                 /* OpenSSL's key type */
	EVP_PKEY *params;                 /* NULL: the type says all */
	uint8_t p_minus_1[DH_PUBLIC_MAX]; /* MODP */
	BIGNUM *p, *q; /* q: the order of the subgroup, where it is smaller than (p - 1) / 2 */
};

/* NULL when the library has not the group, or memory is out. */
const struct dh_group *dh_group_of(const struct alg_ke *ke);

/* A pair as OpenSSL has it; lives as long as the key. */
EVP_PKEY *dh_key_pkey(const struct dh_key *k);
/* The key of a pair, which is taken, also where it fails. */
enum err dh_key_of(const struct dh_group *g, EVP_PKEY *pkey, struct dh_key **ret) MUST_CHECK;

/* A value of ke->public_len bytes: RFC 6989 2.1 and 2.2. The other kinds are checked where the
 * value is decoded, and by the result. ERR_VALUE. */
enum err dh_group_check(const struct dh_group *g, const uint8_t *value) MUST_CHECK;

#endif
