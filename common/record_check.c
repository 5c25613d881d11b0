// SPDX-License-Identifier: BSD-2-Clause
/* The decoders of record.h: unpack, then hold every field against a row of a table, then against
 * the rules that join several fields. A message that fails is freed, wiped, and never seen. */
#include "algorithms.h"
#include "anchor.h"
#include "record.h"
#include "sa_runtime.h"
#include "secret.h"

#include <limits.h>
#include <string.h>

#include "records.pb-c.h"

enum { NAME_MAX_LEN = 63, IFNAME_MAX = 15, PORT_TEXT_MAX = 255, IKE_HEADER = 28, ID_MAX = 2048 };

/* A number, enumerated or not, of 32 bits. */
struct number {
	size_t at;
	uint32_t min, max;
};

struct bytes {
	size_t at;
	size_t min, max;
	bool or_none; /* an empty field is fine too */
};

struct text {
	size_t at;
	size_t min, max;
};

struct rules {
	const struct number *numbers;
	const struct bytes *bytes;
	const struct text *texts;
};

#define FIELD(type, name) offsetof(Hawser__##type, name)
#define END_NUMBER             \
	{                      \
		SIZE_MAX, 0, 0 \
	}
#define END_BYTES                     \
	{                             \
		SIZE_MAX, 0, 0, false \
	}
#define END_TEXT               \
	{                      \
		SIZE_MAX, 0, 0 \
	}

static bool number_ok(const void *m, const struct number *n)
{
	uint32_t x;

	memcpy(&x, (const uint8_t *)m + n->at, sizeof(x));
	return x >= n->min && x <= n->max;
}

static bool bytes_ok(const void *m, const struct bytes *b)
{
	ProtobufCBinaryData d;

	memcpy(&d, (const uint8_t *)m + b->at, sizeof(d));
	return (d.len >= b->min && d.len <= b->max) || (b->or_none && d.len == 0);
}

/* Names reach logs, tables and the kernel: printable ASCII without spaces and quotes. */
static bool text_ok(const void *m, const struct text *t)
{
	const char *s;

	memcpy(&s, (const uint8_t *)m + t->at, sizeof(s));
	size_t len = strlen(s);
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return false;
	return len >= t->min && len <= t->max;
}

/* Field number 0 is none; protobuf-c reads it where it is written in two bytes, and then packs what
 * nobody can read. */
static bool unknown_ok(const ProtobufCMessage *m)
{
	for (unsigned i = 0; i < m->n_unknown_fields; i++)
		if (m->unknown_fields[i].tag == 0)
			return false;
	return true;
}

static enum err fields_check(const void *m, const struct rules *r)
{
	if (!unknown_ok(m))
		return ERR_SYNTAX;
	for (const struct number *n = r->numbers; n && n->at != SIZE_MAX; n++)
		if (!number_ok(m, n))
			return ERR_RANGE;
	for (const struct bytes *b = r->bytes; b && b->at != SIZE_MAX; b++)
		if (!bytes_ok(m, b))
			return ERR_LENGTH;
	for (const struct text *t = r->texts; t && t->at != SIZE_MAX; t++)
		if (!text_ok(m, t))
			return ERR_VALUE;
	return ERR_OK;
}

static bool is_addr(ProtobufCBinaryData a)
{
	return a.len == 4 || a.len == 16;
}

static bool is_family_of(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return is_addr(a) && a.len == b.len;
}

static bool is_zero(ProtobufCBinaryData b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] != 0)
			return false;
	return true;
}

/* clang-format off */
static const struct rules node_rules = {
	(const struct number[]){
		{ FIELD(NodeRecord, node_id), 0, 1 },
		{ FIELD(NodeRecord, epoch), 0, UINT16_MAX },
		END_NUMBER },
	(const struct bytes[]){
		{ FIELD(NodeRecord, runtime_identity), 16, 16, false },
		{ FIELD(NodeRecord, anchor_key), 16, 16, false },
		END_BYTES },
	NULL,
};

static const struct rules spu_rules = {
	(const struct number[]){
		{ FIELD(SpuRecord, slot), 0, SPU_SLOTS - 1 },
		{ FIELD(SpuRecord, fpc), 0, 255 },
		{ FIELD(SpuRecord, pic), 0, 255 },
		{ FIELD(SpuRecord, offload), 0, HAWSER__OFFLOAD__OFFLOAD_SOFTWARE },
		{ FIELD(SpuRecord, weight), 0, UINT16_MAX },
		{ FIELD(SpuRecord, wire_ifindex), 0, INT_MAX },
		{ FIELD(SpuRecord, fabric_ifindex), 0, INT_MAX },
		END_NUMBER },
	NULL,
	(const struct text[]){
		{ FIELD(SpuRecord, port), 1, PORT_TEXT_MAX },
		{ FIELD(SpuRecord, vdev), 0, PORT_TEXT_MAX },
		{ FIELD(SpuRecord, profile), 0, NAME_MAX_LEN },
		{ FIELD(SpuRecord, wire_ifname), 0, IFNAME_MAX },
		{ FIELD(SpuRecord, fabric_ifname), 0, IFNAME_MAX },
		END_TEXT },
};

static const struct rules anchors_rules = {
	NULL,
	(const struct bytes[]){
		{ FIELD(AnchorsRecord, owner), ANCHORS, ANCHORS, false },
		{ FIELD(AnchorsRecord, standin), ANCHORS, ANCHORS, false },
		{ FIELD(AnchorsRecord, pinned), ANCHORS, ANCHORS, false },
		{ FIELD(AnchorsRecord, moving_from), ANCHORS, ANCHORS, true },
		END_BYTES },
	NULL,
};

static const struct rules tunnel_rules = {
	(const struct number[]){
		{ FIELD(TunnelRecord, index), 1, UINT32_MAX },
		{ FIELD(TunnelRecord, st0_ifindex), 0, INT_MAX },
		{ FIELD(TunnelRecord, df_bit), 0, HAWSER__DF_BIT__DF_COPY },
		{ FIELD(TunnelRecord, engine), 0, HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE },
		{ FIELD(TunnelRecord, anchor), 0, ANCHORS - 1 },
		{ FIELD(TunnelRecord, mtu), 0, UINT16_MAX },
		{ FIELD(TunnelRecord, tcp_mss), 0, UINT16_MAX },
		{ FIELD(TunnelRecord, link_mtu), 0, UINT16_MAX },
		END_NUMBER },
	(const struct bytes[]){
		{ FIELD(TunnelRecord, answer4), 4, 4, true },
		{ FIELD(TunnelRecord, answer6), 16, 16, true },
		END_BYTES },
	(const struct text[]){
		{ FIELD(TunnelRecord, vpn), 1, NAME_MAX_LEN },
		{ FIELD(TunnelRecord, gateway), 0, NAME_MAX_LEN },
		END_TEXT },
};

static const struct rules selector_rules = {
	(const struct number[]){
		{ FIELD(Selector, protocol), 0, UINT8_MAX },
		{ FIELD(Selector, port_first), 0, UINT16_MAX },
		{ FIELD(Selector, port_last), 0, UINT16_MAX },
		END_NUMBER },
	NULL, NULL,
};

static const struct rules child_rules = {
	(const struct number[]){
		{ FIELD(ChildSaRecord, tunnel), 1, UINT32_MAX },
		{ FIELD(ChildSaRecord, anchor), 0, ANCHORS - 1 },
		{ FIELD(ChildSaRecord, spi_in), 256, UINT32_MAX },  /* RFC 4303 2.1 */
		{ FIELD(ChildSaRecord, spi_out), 256, UINT32_MAX },
		{ FIELD(ChildSaRecord, cipher), 0, UINT16_MAX },
		{ FIELD(ChildSaRecord, key_bits), 0, UINT16_MAX },
		{ FIELD(ChildSaRecord, integ), 0, UINT16_MAX },
		{ FIELD(ChildSaRecord, window), 0, SA_WINDOW_MAX },
		{ FIELD(ChildSaRecord, local_port), 0, UINT16_MAX },
		{ FIELD(ChildSaRecord, remote_port), 0, UINT16_MAX },
		{ FIELD(ChildSaRecord, epoch), 0, UINT16_MAX },
		{ FIELD(ChildSaRecord, state), 0, UINT8_MAX },
		{ FIELD(ChildSaRecord, tries), 0, UINT8_MAX },
		END_NUMBER },
	(const struct bytes[]){
		{ FIELD(ChildSaRecord, ike_spi), 8, 8, false },
		END_BYTES },
	NULL,
};

static const struct rules creation_rules = {
	(const struct number[]){
		{ FIELD(Creation, kind), 1, 3 },
		{ FIELD(Creation, ke), 0, UINT16_MAX },
		{ FIELD(Creation, restarts), 0, UINT8_MAX },
		END_NUMBER },
	(const struct bytes[]){
		{ FIELD(Creation, spi), 8, 8, true },
		{ FIELD(Creation, nonce), 16, 256, false },  /* RFC 7296 2.10 */
		{ FIELD(Creation, wrapped_private), 1, RECORD_BODY_MAX, true },
		{ FIELD(Creation, rival_ike_spi), 8, 8, true },
		{ FIELD(Creation, rival_nonce), 16, 256, true },
		END_BYTES },
	NULL,
};

static const struct rules ike_rules = {
	(const struct number[]){
		{ FIELD(IkeSaRecord, local_port), 1, UINT16_MAX },
		{ FIELD(IkeSaRecord, remote_port), 1, UINT16_MAX },
		{ FIELD(IkeSaRecord, encr), 0, UINT16_MAX },
		{ FIELD(IkeSaRecord, key_bits), 0, UINT16_MAX },
		{ FIELD(IkeSaRecord, prf), 0, UINT16_MAX },
		{ FIELD(IkeSaRecord, integ), 0, UINT16_MAX },
		{ FIELD(IkeSaRecord, ke), 0, UINT16_MAX },
		{ FIELD(IkeSaRecord, anchor), 0, ANCHORS - 1 },
		{ FIELD(IkeSaRecord, state), 0, UINT8_MAX },
		{ FIELD(IkeSaRecord, tries), 0, UINT8_MAX },
		END_NUMBER },
	(const struct bytes[]){
		{ FIELD(IkeSaRecord, spi_i), 8, 8, false },
		{ FIELD(IkeSaRecord, spi_r), 8, 8, false },
		{ FIELD(IkeSaRecord, wrapped_keys), 1, RECORD_BODY_MAX, true },
		{ FIELD(IkeSaRecord, peer_id), 4, ID_MAX, true },  /* RFC 7296 3.5 */
		{ FIELD(IkeSaRecord, local_id), 4, ID_MAX, true },
		{ FIELD(IkeSaRecord, pending_request), IKE_HEADER, RECORD_BODY_MAX, true },
		{ FIELD(IkeSaRecord, last_response), IKE_HEADER, RECORD_BODY_MAX, true },
		END_BYTES },
	(const struct text[]){
		{ FIELD(IkeSaRecord, gateway), 0, NAME_MAX_LEN },
		END_TEXT },
};
/* clang-format on */

/* Slots of SPUs, or nobody. */
static bool slots_ok(ProtobufCBinaryData b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] >= SPU_SLOTS && b.data[i] != ANCHOR_NOBODY)
			return false;
	return true;
}

static enum err node_check(const void *m)
{
	return fields_check(m, &node_rules);
}

static enum err spu_check(const void *m)
{
	return fields_check(m, &spu_rules);
}

static enum err anchors_check(const void *p)
{
	const Hawser__AnchorsRecord *m = p;

	TRY(fields_check(m, &anchors_rules));
	if (!slots_ok(m->owner) || !slots_ok(m->standin) || !slots_ok(m->pinned) ||
	    !slots_ok(m->moving_from))
		return ERR_RANGE;
	return ERR_OK;
}

static enum err tunnel_check(const void *p)
{
	const Hawser__TunnelRecord *m = p;

	TRY(fields_check(m, &tunnel_rules));
	return m->next_hop.len == 0 || is_addr(m->next_hop) ? ERR_OK : ERR_LENGTH;
}

static enum err selector_check(const Hawser__Selector *s)
{
	TRY(fields_check(s, &selector_rules));
	if (!is_family_of(s->first, s->last))
		return ERR_LENGTH;
	if (s->port_first > s->port_last || memcmp(s->first.data, s->last.data, s->first.len) > 0)
		return ERR_RANGE;
	return ERR_OK;
}

/* RFC 7296 3.13: one to 255 selectors a side. */
static enum err selectors_check(Hawser__Selector *const *s, size_t n)
{
	if (n < 1 || n > 255)
		return ERR_LENGTH;
	for (size_t i = 0; i < n; i++)
		TRY(selector_check(s[i]));
	return ERR_OK;
}

/* RFC 4303 1: what encrypts without a check value of its own may have an integrity algorithm, and
 * what does not encrypt must. Without any, neither replays nor numbers can be told (2.2, 2.2.1). */
static enum err esp_algorithms_check(const Hawser__ChildSaRecord *m, const struct alg_cipher *c,
                                     const struct alg_integ *a)
{
	if (c == NULL)
		return m->cipher == 0 ? ERR_VALUE : ERR_UNSUPPORTED;
	if (a != NULL && a->salt_len != 0) /* RFC 4543: GMAC is a cipher's in ESP */
		return ERR_VALUE;
	if (!(c->use & ALG_SOFT) || (a != NULL && !(a->use & ALG_SOFT)))
		return ERR_UNSUPPORTED;
	if (c->icv_len != 0)
		return a == NULL ? ERR_OK : ERR_VALUE;
	return a != NULL || (c->kind != ALG_KIND_NULL && !m->esn) ? ERR_OK : ERR_VALUE;
}

/* RFC 4302: integrity alone; never in UDP (RFC 3948 1). */
static enum err ah_algorithms_check(const Hawser__ChildSaRecord *m, const struct alg_integ *a)
{
	if (a == NULL)
		return ERR_VALUE;
	if (!(a->use & ALG_AH))
		return ERR_UNSUPPORTED;
	return m->cipher == 0 && m->key_bits == 0 && !m->udp_encap ? ERR_OK : ERR_VALUE;
}

/* The keys against the algorithms' rows, each with its salt. */
static enum err child_keys_check(const Hawser__ChildSaRecord *m)
{
	const struct alg_cipher *c = alg_cipher_by_id((uint16_t)m->cipher, (uint16_t)m->key_bits);
	const struct alg_integ *a = alg_integ_by_id((uint16_t)m->integ);

	if (m->integ != INTEG_NONE && a == NULL)
		return ERR_UNSUPPORTED;
	TRY(m->protocol == IPPROTO_NO_AH ? ah_algorithms_check(m, a)
	                                 : esp_algorithms_check(m, c, a));
	size_t key = c ? (size_t)c->key_len + c->salt_len : 0;
	size_t auth = a ? (size_t)a->key_len + a->salt_len : 0;
	if (m->key_in.len != key || m->key_out.len != key || m->auth_key_in.len != auth ||
	    m->auth_key_out.len != auth)
		return ERR_LENGTH;
	return ERR_OK;
}

static bool window_ok(uint32_t window)
{
	return window == 0 || (window >= SA_WINDOW_MIN && (window & (window - 1)) == 0);
}

static bool child_joint_ok(const Hawser__ChildSaRecord *m)
{
	return window_ok(m->window) && m->slot_in != m->slot_out &&
	       (m->manual || !is_zero(m->ike_spi)) &&
	       (!m->udp_encap ||
	        (m->protocol == IPPROTO_NO_ESP && m->local_port != 0 && m->remote_port != 0)) &&
	       (m->hard_ms == 0 || m->soft_ms <= m->hard_ms);
}

static enum err child_sa_check(const void *p)
{
	const Hawser__ChildSaRecord *m = p;

	TRY(fields_check(m, &child_rules));
	if (m->protocol != IPPROTO_NO_ESP && m->protocol != IPPROTO_NO_AH)
		return ERR_UNSUPPORTED;
	TRY(child_keys_check(m));
	if (!is_family_of(m->local, m->remote))
		return ERR_LENGTH;
	if (!child_joint_ok(m))
		return ERR_VALUE;
	TRY(selectors_check(m->local_ts, m->n_local_ts));
	return selectors_check(m->remote_ts, m->n_remote_ts);
}

static enum err ike_algorithms_check(const Hawser__IkeSaRecord *m)
{
	const struct alg_cipher *c = alg_cipher_by_id((uint16_t)m->encr, (uint16_t)m->key_bits);
	const struct alg_integ *a = alg_integ_by_id((uint16_t)m->integ);

	if (c == NULL || !(c->use & ALG_IKE) || (m->integ != INTEG_NONE && a == NULL))
		return ERR_UNSUPPORTED;
	if (alg_prf_by_id((uint16_t)m->prf) == NULL || alg_ke_by_id((uint16_t)m->ke) == NULL)
		return ERR_UNSUPPORTED;
	return (c->icv_len == 0) == (a != NULL) ? ERR_OK : ERR_VALUE;
}

static enum err creation_check(const Hawser__Creation *m)
{
	TRY(fields_check(m, &creation_rules));
	if (m->ke && alg_ke_by_id((uint16_t)m->ke) == NULL)
		return ERR_UNSUPPORTED;
	if (m->kind == 3 ? m->spi.len == 0 || m->ke == 0 : m->tunnel == 0 || m->spi_in < 256)
		return ERR_MISSING;
	return m->kind == 2 && m->spi_old < 256 ? ERR_MISSING : ERR_OK;
}

static enum err ike_sa_check(const void *p)
{
	const Hawser__IkeSaRecord *m = p;

	TRY(fields_check(m, &ike_rules));
	if (!is_family_of(m->local, m->remote))
		return ERR_LENGTH;
	if (is_zero(m->spi_i)) /* RFC 7296 2.6 */
		return ERR_VALUE;
	for (size_t i = 0; i < m->n_tunnels; i++)
		if (m->tunnels[i] == 0)
			return ERR_RANGE;
	if (m->creation)
		TRY(creation_check(m->creation));
	return ike_algorithms_check(m);
}

enum { TOTALS_MAX = 64, DYING_MAX = 512 };

static enum err totals_check(const void *p)
{
	const Hawser__TotalsRecord *m = p;

	if (m->n_dead > TOTALS_MAX || m->n_cleared > TOTALS_MAX || m->n_dying > DYING_MAX)
		return ERR_LENGTH;
	for (size_t i = 0; i < m->n_dying; i++)
		if (m->dying[i]->protocol > UINT8_MAX ||
		    m->dying[i]->slot_in == m->dying[i]->slot_out)
			return ERR_RANGE;
	return ERR_OK;
}

static enum err devices_check(const void *p)
{
	const Hawser__DevicesRecord *m = p;

	return m->n_inside <= SPU_SLOTS ? ERR_OK : ERR_LENGTH;
}

/* One decoder: unpack, check, hand out or free. */
#define DECODER(name, type, lower, free_fn)                                                   \
	enum err record_##name##_decode(struct view body, struct Hawser__##type **ret)        \
	{                                                                                     \
		if (body.len > RECORD_BODY_MAX)                                               \
			return ERR_LENGTH;                                                    \
		struct Hawser__##type *m = hawser__##lower##__unpack(NULL, body.len, body.p); \
		if (m == NULL)                                                                \
			return ERR_SYNTAX;                                                    \
		enum err e = name##_check(m);                                                 \
		if (e != ERR_OK)                                                              \
			free_fn;                                                              \
		else                                                                          \
			*ret = m;                                                             \
		return e;                                                                     \
	}                                                                                     \
	struct decoder_needs_a_semicolon

DECODER(node, NodeRecord, node_record, hawser__node_record__free_unpacked(m, NULL));
DECODER(spu, SpuRecord, spu_record, hawser__spu_record__free_unpacked(m, NULL));
DECODER(anchors, AnchorsRecord, anchors_record, hawser__anchors_record__free_unpacked(m, NULL));
DECODER(tunnel, TunnelRecord, tunnel_record, hawser__tunnel_record__free_unpacked(m, NULL));
DECODER(ike_sa, IkeSaRecord, ike_sa_record, record_ike_sa_free(m));
DECODER(totals, TotalsRecord, totals_record, hawser__totals_record__free_unpacked(m, NULL));
DECODER(devices, DevicesRecord, devices_record, hawser__devices_record__free_unpacked(m, NULL));
DECODER(child_sa, ChildSaRecord, child_sa_record, record_child_sa_free(m));
