// SPDX-License-Identifier: BSD-2-Clause
#include "ike_message.h"
#include "runner.h"

/* clang-format off */
static const struct {
	const char *what;
	uint8_t first, bytes[24];
	size_t len;
	enum err want;
} chains[] = {
	{ "nothing at all",        0,  { 0 },                                    0,  ERR_OK },
	{ "one nonce",             40, { 0, 0, 0, 6, 0xaa, 0xbb },               6,  ERR_OK },
	{ "nonce, then vendor id", 40, { 43, 0, 0, 5, 1, 0, 0, 0, 5, 2 },        10, ERR_OK },
	{ "SK ends the chain",     46, { 33, 0, 0, 5, 1 },                       5,  ERR_OK },
	{ "after SK there is more",46, { 33, 0, 0, 4, 0, 0, 0, 4 },              8,  ERR_LENGTH },
	{ "length below header",   40, { 0, 0, 0, 3, 0 },                        5,  ERR_LENGTH },
	{ "length beyond message", 40, { 0, 0, 0, 9, 0xaa },                     5,  ERR_TRUNCATED },
	{ "chain without end",     40, { 40, 0, 0, 4, 40, 0, 0, 4 },             8,  ERR_TRUNCATED },
	{ "bytes after the end",   40, { 0, 0, 0, 4, 9 },                        5,  ERR_LENGTH },
	{ "header cut",            40, { 0, 0, 0 },                              3,  ERR_TRUNCATED },
};

#define P(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
static const struct {
	const char *what;
	uint8_t type;
	uint8_t bytes[48];
	size_t len;
	enum err want;
} bodies[] = {
	{ "SA: one transform with key length", PL_SA, P(0, 0, 0, 20, 1, 1, 0, 1, 0, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 0, 128), ERR_OK },
	{ "SA: with an SPI",                   PL_SA, P(0, 0, 0, 20, 1, 3, 4, 1, 1, 2, 3, 4, 0, 0, 0, 8, 5, 0, 0, 0), ERR_OK },
	{ "SA: two proposals",                 PL_SA, P(2, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 2, 0, 0, 5, 0, 0, 0, 16, 2, 1, 0, 1, 0, 0, 0, 8, 2, 0, 0, 5), ERR_OK },
	{ "SA: more is promised",              PL_SA, P(2, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 2, 0, 0, 5), ERR_TRUNCATED },
	{ "SA: empty",                         PL_SA, { 0 }, 0, ERR_TRUNCATED },
	{ "SA: counts one transform too many", PL_SA, P(0, 0, 0, 16, 1, 1, 0, 2, 0, 0, 0, 8, 2, 0, 0, 5), ERR_LENGTH },
	{ "SA: counts one too few",            PL_SA, P(0, 0, 0, 24, 1, 1, 0, 1, 3, 0, 0, 8, 2, 0, 0, 5, 0, 0, 0, 8, 2, 0, 0, 6), ERR_LENGTH },
	{ "SA: transform longer than it",      PL_SA, P(0, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 9, 2, 0, 0, 5), ERR_TRUNCATED },
	{ "SA: transform of seven bytes",      PL_SA, P(0, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 7, 2, 0, 0, 5), ERR_LENGTH },
	{ "SA: SPI beyond its proposal",       PL_SA, P(0, 0, 0, 12, 1, 3, 9, 0, 1, 2, 3, 4), ERR_TRUNCATED },
	{ "SA: attribute cut",                 PL_SA, P(0, 0, 0, 18, 1, 1, 0, 1, 0, 0, 0, 10, 1, 0, 0, 20, 0x80, 14), ERR_TRUNCATED },
	{ "SA: long attribute beyond",         PL_SA, P(0, 0, 0, 20, 1, 1, 0, 1, 0, 0, 0, 12, 1, 0, 0, 20, 0, 14, 0, 9), ERR_TRUNCATED },
	{ "KE: group and value",               PL_KE, P(0, 31, 0, 0, 1, 2), ERR_OK },
	{ "KE: no value",                      PL_KE, P(0, 31, 0, 0), ERR_LENGTH },
	{ "KE: cut",                           PL_KE, P(0, 31, 0), ERR_TRUNCATED },
	{ "nonce of 16",                       PL_NONCE, { 1 }, 16, ERR_OK },
	{ "nonce of 15",                       PL_NONCE, { 1 }, 15, ERR_LENGTH },
	{ "ID: an IPv4 address",               PL_IDI, P(1, 0, 0, 0, 10, 0, 0, 1), ERR_OK },
	{ "ID: an IPv4 address of three",      PL_IDI, P(1, 0, 0, 0, 10, 0, 0), ERR_LENGTH },
	{ "ID: an IPv6 address of four",       PL_IDR, P(5, 0, 0, 0, 10, 0, 0, 1), ERR_LENGTH },
	{ "ID: empty",                         PL_IDR, P(2, 0, 0, 0), ERR_LENGTH },
	{ "ID: cut",                           PL_IDR, P(2, 0), ERR_TRUNCATED },
	{ "AUTH",                              PL_AUTH, P(2, 0, 0, 0, 9), ERR_OK },
	{ "AUTH: cut",                         PL_AUTH, P(2, 0, 0), ERR_TRUNCATED },
	{ "notify",                            PL_NOTIFY, P(0, 0, 64, 0), ERR_OK },
	{ "notify with SPI and data",          PL_NOTIFY, P(3, 4, 0, 11, 1, 2, 3, 4, 5), ERR_OK },
	{ "notify: SPI beyond",                PL_NOTIFY, P(3, 4, 0, 11, 1, 2, 3), ERR_TRUNCATED },
	{ "delete of the IKE SA",              PL_DELETE, P(1, 0, 0, 0), ERR_OK },
	{ "delete of two children",            PL_DELETE, P(3, 4, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8), ERR_OK },
	{ "delete: one SPI less than said",    PL_DELETE, P(3, 4, 0, 2, 1, 2, 3, 4), ERR_TRUNCATED },
	{ "delete: one more than said",        PL_DELETE, P(3, 4, 0, 0, 1, 2, 3, 4), ERR_LENGTH },
	{ "delete: an IKE SA with an SPI",     PL_DELETE, P(1, 8, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8), ERR_LENGTH },
	{ "delete: SPIs of two bytes",         PL_DELETE, P(3, 2, 0, 1, 1, 2), ERR_LENGTH },
	{ "TS: one of IPv4",                   PL_TSI, P(1, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0, 255), ERR_OK },
	{ "TS: one of an unknown type",        PL_TSI, P(1, 0, 0, 0, 9, 0, 0, 8, 1, 2, 3, 4), ERR_OK },
	{ "TS: none",                          PL_TSR, P(0, 0, 0, 0), ERR_LENGTH },
	{ "TS: one less than said",            PL_TSR, P(2, 0, 0, 0, 7, 0, 0, 16, 0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0, 255), ERR_TRUNCATED },
	{ "TS: one more than said",            PL_TSR, P(1, 0, 0, 0, 9, 0, 0, 4, 9, 0, 0, 4), ERR_LENGTH },
	{ "TS: length of another family",      PL_TSR, P(1, 0, 0, 0, 7, 0, 0, 20, 0, 0, 255, 255, 10, 0, 0, 0, 10, 0, 0, 255, 1, 2, 3, 4), ERR_LENGTH },
	{ "TS: length below its header",       PL_TSR, P(1, 0, 0, 0, 7, 0, 0, 3), ERR_LENGTH },
};

/* Types of payloads in order, for the rules. A capital type is critical. */
static const struct {
	const char *what;
	uint8_t exchange, flags;
	enum ike_where where;
	uint8_t types[8];
	uint8_t critical; /* bit n: payload n */
	uint16_t notify;  /* type of notifies */
	enum err want;
} messages[] = {
	{ "IKE_SA_INIT request",               34, 8,  IKE_CLEAR,     { 33, 34, 40, 41, 43 }, 0, 16388, ERR_OK },
	{ "IKE_SA_INIT request without KE",    34, 8,  IKE_CLEAR,     { 33, 40 },             0, 0, ERR_SYNTAX },
	{ "IKE_SA_INIT request with two SA",   34, 8,  IKE_CLEAR,     { 33, 33, 34, 40 },     0, 0, ERR_SYNTAX },
	{ "IKE_SA_INIT with an identity",      34, 8,  IKE_CLEAR,     { 33, 34, 40, 35 },     0, 0, ERR_SYNTAX },
	{ "IKE_SA_INIT that refuses",          34, 32, IKE_CLEAR,     { 41 },                 0, 14, ERR_OK },
	{ "IKE_SA_INIT that wants a cookie",   34, 32, IKE_CLEAR,     { 41 },                 0, N_COOKIE, ERR_OK },
	{ "IKE_SA_INIT answer without SA",     34, 32, IKE_CLEAR,     { 41, 34, 40 },         0, 16388, ERR_SYNTAX },
	{ "unknown payload",                   34, 8,  IKE_CLEAR,     { 33, 34, 40, 200 },    0, 0, ERR_OK },
	{ "unknown critical payload",          34, 8,  IKE_CLEAR,     { 33, 34, 40, 200 },    8, 0, ERR_UNSUPPORTED },
	{ "critical bit on a known payload",   34, 8,  IKE_CLEAR,     { 33, 34, 40 },         1, 0, ERR_OK },
	{ "IKE_AUTH in the clear",             35, 8,  IKE_CLEAR,     { 35, 39 },             0, 0, ERR_SYNTAX },
	{ "IKE_AUTH: SK",                      35, 8,  IKE_CLEAR,     { 46 },                 0, 0, ERR_OK },
	{ "IKE_AUTH request",                  35, 8,  IKE_ENCRYPTED, { 35, 39, 33, 44, 45 }, 0, 0, ERR_OK },
	{ "IKE_AUTH request without IDi",      35, 8,  IKE_ENCRYPTED, { 39, 33, 44, 45 },     0, 0, ERR_SYNTAX },
	{ "IKE_AUTH answer that refuses",      35, 32, IKE_ENCRYPTED, { 41 },                 0, 24, ERR_OK },
	{ "IKE_AUTH answer without AUTH",      35, 32, IKE_ENCRYPTED, { 36, 33 },             0, 0, ERR_SYNTAX },
	{ "INFORMATIONAL, empty",              37, 8,  IKE_ENCRYPTED, { 0 },                  0, 0, ERR_OK },
	{ "INFORMATIONAL with SA",             37, 8,  IKE_ENCRYPTED, { 33 },                 0, 0, ERR_SYNTAX },
	{ "CREATE_CHILD_SA without nonce",     36, 8,  IKE_ENCRYPTED, { 33, 44, 45 },         0, 0, ERR_SYNTAX },
	{ "SK inside SK",                      35, 8,  IKE_ENCRYPTED, { 46 },                 0, 0, ERR_SYNTAX },
};
/* clang-format on */

START_TEST(payload_chain)
{
	struct ike_payloads got;
	enum err e =
	        ike_payloads_read(rd_of(chains[_i].bytes, chains[_i].len), chains[_i].first, &got);

	ck_assert_msg(e == chains[_i].want, "%s: got \"%s\"", chains[_i].what, err_text(e));
}
END_TEST

START_TEST(payload_body)
{
	struct ike_payloads p = {
		.at = { { bodies[_i].type, false, { bodies[_i].bytes, bodies[_i].len } } }, .n = 1
	};
	struct ike_content got;
	enum err e = ike_content_read(&p, &got);

	ck_assert_msg(e == bodies[_i].want, "%s: got \"%s\"", bodies[_i].what, err_text(e));
}
END_TEST

START_TEST(rules)
{
	uint8_t notify[4] = { 0, 0, (uint8_t)(messages[_i].notify >> 8),
		              (uint8_t)messages[_i].notify };
	struct ike_header h = { .exchange = messages[_i].exchange, .flags = messages[_i].flags };
	struct ike_payloads p = { .n = 0 };
	uint8_t type = 0;

	for (; messages[_i].types[p.n]; p.n++)
		p.at[p.n] = (struct ike_payload){ messages[_i].types[p.n],
			                          messages[_i].critical >> p.n & 1,
			                          { notify, sizeof(notify) } };
	enum err e = ike_rules_check(&h, messages[_i].where, &p, &type);
	ck_assert_msg(e == messages[_i].want, "%s: got \"%s\", payload %u", messages[_i].what,
	              err_text(e), type);
	if (e == ERR_UNSUPPORTED)
		ck_assert_uint_eq(type, 200);
}
END_TEST

START_TEST(a_header_counts_its_bytes)
{
	uint8_t bytes[IKE_HEADER_LEN + 1] = { 0 };
	struct ike_header h;

	bytes[27] = IKE_HEADER_LEN;
	ck_assert_int_eq(ike_header_read((struct view){ bytes, IKE_HEADER_LEN }, &h), ERR_OK);
	ck_assert_int_eq(ike_header_read((struct view){ bytes, 27 }, &h), ERR_TRUNCATED);
	ck_assert_int_eq(ike_header_read((struct view){ bytes, 29 }, &h), ERR_LENGTH);
	bytes[24] = 1;
	ck_assert_int_eq(ike_header_read((struct view){ bytes, IKE_HEADER_LEN }, &h), ERR_LENGTH);
}
END_TEST

START_TEST(more_payloads_than_anybody_sends)
{
	uint8_t bytes[4 * (IKE_PAYLOADS_MAX + 1)];
	struct ike_payloads got;

	for (size_t i = 0; i < sizeof(bytes); i += 4)
		memcpy(bytes + i, (uint8_t[]){ i + 4 < sizeof(bytes) ? 43 : 0, 0, 0, 4 }, 4);
	ck_assert_int_eq(ike_payloads_read(rd_of(bytes, sizeof(bytes)), 43, &got), ERR_LENGTH);
	bytes[sizeof(bytes) - 8] = 0;
	ck_assert_int_eq(ike_payloads_read(rd_of(bytes, sizeof(bytes) - 4), 43, &got), ERR_OK);
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	static struct ike_out o;
	struct ike_header h = { .exchange = EX_INFORMATIONAL, .flags = IKE_FLAG_RESPONSE, .id = 7 };
	uint8_t spis[8] = { 0, 0, 1, 2, 0, 0, 1, 3 };
	struct payload_delete d = { PROTO_ESP, 4, 2, { spis, 8 } };
	struct ike_payloads p;
	struct ike_content c;

	ike_out_begin(&o, &h);
	ike_out_notify(&o, N_COOKIE, (struct view){ spis, 8 });
	ike_out_open(&o, PL_DELETE);
	payload_delete_write(&o.w, &d);
	ike_out_close(&o);
	struct view m = ike_out_finish(&o);
	ck_assert_int_eq(ike_header_read(m, &h), ERR_OK);
	ck_assert_uint_eq(h.id, 7);
	struct reader r = rd_of_view(m);
	rd_skip(&r, IKE_HEADER_LEN);
	ck_assert_int_eq(ike_payloads_read(r, h.next, &p), ERR_OK);
	ck_assert_int_eq(ike_content_read(&p, &c), ERR_OK);
	ck_assert(view_equal(ike_content_notify(&c, N_COOKIE)->data, d.list));
	ck_assert_uint_eq(c.deletes_n, 1);
	ck_assert(view_equal(c.deletes[0].list, d.list));
}
END_TEST

TESTS_OF(message)
{
	TCase *tc = tcase_create("message");

	tcase_add_loop_test(tc, payload_chain, 0, ARRAY_LEN(chains));
	tcase_add_loop_test(tc, payload_body, 0, ARRAY_LEN(bodies));
	tcase_add_loop_test(tc, rules, 0, ARRAY_LEN(messages));
	tcase_add_test(tc, a_header_counts_its_bytes);
	tcase_add_test(tc, more_payloads_than_anybody_sends);
	tcase_add_test(tc, what_is_written_reads_back);
	return tc;
}
