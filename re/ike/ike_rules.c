// SPDX-License-Identifier: BSD-2-Clause
/* Which payload may be in which message, how often, in the clear or inside SK (RFC 7296 1.2, 1.3,
 * 1.4, 2.5 and its appendix C). A table; what is not in it and known is out of place there, what is
 * unknown and not critical is skipped. */
#include "ike_message.h"

enum { REQ = 0, RESP = 1, ANY = 2, MANY = IKE_PAYLOADS_MAX };

struct rule {
	uint8_t exchange, direction, where;
	uint8_t type;
	uint8_t min, max;
};

/* clang-format off */
static const struct rule rules[] = {
	/* exchange           dir   where          payload     min max */
	{ EX_IKE_SA_INIT,     REQ,  IKE_CLEAR,     PL_SA,       1, 1 },
	{ EX_IKE_SA_INIT,     REQ,  IKE_CLEAR,     PL_KE,       1, 1 },
	{ EX_IKE_SA_INIT,     REQ,  IKE_CLEAR,     PL_NONCE,    1, 1 },
	{ EX_IKE_SA_INIT,     RESP, IKE_CLEAR,     PL_SA,       1, 1 },
	{ EX_IKE_SA_INIT,     RESP, IKE_CLEAR,     PL_KE,       1, 1 },
	{ EX_IKE_SA_INIT,     RESP, IKE_CLEAR,     PL_NONCE,    1, 1 },
	{ EX_IKE_SA_INIT,     RESP, IKE_CLEAR,     PL_CERTREQ,  0, MANY },
	{ EX_IKE_SA_INIT,     ANY,  IKE_CLEAR,     PL_NOTIFY,   0, MANY },
	{ EX_IKE_SA_INIT,     ANY,  IKE_CLEAR,     PL_VENDOR,   0, MANY },

	{ EX_IKE_AUTH,        ANY,  IKE_CLEAR,     PL_SK,       1, 1 },
	{ EX_IKE_AUTH,        REQ,  IKE_ENCRYPTED, PL_IDI,      1, 1 },
	{ EX_IKE_AUTH,        REQ,  IKE_ENCRYPTED, PL_IDR,      0, 1 },
	{ EX_IKE_AUTH,        RESP, IKE_ENCRYPTED, PL_IDR,      1, 1 },
	{ EX_IKE_AUTH,        REQ,  IKE_ENCRYPTED, PL_AUTH,     0, 1 }, /* none: EAP is asked for, refused */
	{ EX_IKE_AUTH,        RESP, IKE_ENCRYPTED, PL_AUTH,     1, 1 },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_SA,       0, 1 },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_TSI,      0, 1 },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_TSR,      0, 1 },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_CERT,     0, MANY },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_CERTREQ,  0, MANY },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_CP,       0, 1 },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_EAP,      0, 1 },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_NOTIFY,   0, MANY },
	{ EX_IKE_AUTH,        ANY,  IKE_ENCRYPTED, PL_VENDOR,   0, MANY },

	{ EX_CREATE_CHILD_SA, ANY,  IKE_CLEAR,     PL_SK,       1, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_SA,       1, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_NONCE,    1, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_KE,       0, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_TSI,      0, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_TSR,      0, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_CP,       0, 1 },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_NOTIFY,   0, MANY },
	{ EX_CREATE_CHILD_SA, ANY,  IKE_ENCRYPTED, PL_VENDOR,   0, MANY },

	{ EX_INFORMATIONAL,   ANY,  IKE_CLEAR,     PL_SK,       1, 1 },
	{ EX_INFORMATIONAL,   ANY,  IKE_ENCRYPTED, PL_NOTIFY,   0, MANY },
	{ EX_INFORMATIONAL,   ANY,  IKE_ENCRYPTED, PL_DELETE,   0, IKE_DELETES_MAX },
	{ EX_INFORMATIONAL,   ANY,  IKE_ENCRYPTED, PL_CP,       0, 1 },
	{ EX_INFORMATIONAL,   ANY,  IKE_ENCRYPTED, PL_VENDOR,   0, MANY },
};
/* clang-format on */

static bool applies(const struct rule *r, const struct ike_header *h, enum ike_where where)
{
	int dir = h->flags & IKE_FLAG_RESPONSE ? RESP : REQ;

	return r->exchange == h->exchange && r->where == where &&
	       (r->direction == ANY || r->direction == dir);
}

static size_t count(const struct ike_payloads *p, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->at[i].type == type;
	return n;
}

/* Payload types that RFC 7296 defines, and fragments: their critical flag means nothing (2.5). */
static bool known(uint8_t type)
{
	return (type >= PL_SA && type <= PL_EAP) || type == PL_SKF;
}

/* A response that only refuses, or asks for a cookie, has notifies and nothing else that we need.
 */
static bool refuses(const struct ike_header *h, const struct ike_payloads *p)
{
	if (!(h->flags & IKE_FLAG_RESPONSE))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		struct payload_notify n;

		if (p->at[i].type == PL_NOTIFY &&
		    payload_notify_read(p->at[i].body, &n) == ERR_OK &&
		    (n.type < N_ERROR_END || n.type == N_COOKIE))
			return true;
	}
	return false;
}

static const struct rule *rule_of(const struct ike_header *h, enum ike_where where, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (applies(&rules[i], h, where) && rules[i].type == type)
			return &rules[i];
	return NULL;
}

enum err ike_rules_check(const struct ike_header *h, enum ike_where where,
                         const struct ike_payloads *p, uint8_t *ret_type)
{
	bool refusal = refuses(h, p);

	for (size_t i = 0; i < p->n; i++) {
		uint8_t type = p->at[i].type;

		*ret_type = type;
		if (!known(type) && p->at[i].critical)
			return ERR_UNSUPPORTED;
		if (known(type) && rule_of(h, where, type) == NULL)
			return ERR_SYNTAX;
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (!applies(&rules[i], h, where))
			continue;
		size_t n = count(p, rules[i].type);

		*ret_type = rules[i].type;
		if (n > rules[i].max || (n < rules[i].min && !refusal))
			return ERR_SYNTAX;
	}
	return ERR_OK;
}
