// SPDX-License-Identifier: BSD-2-Clause
/* Reaches record_..._decode(). Input: which kind, then the body. Holds: what a decoder lets through
 * has the sizes that its users rely on, survives being packed and decoded again, and packs the same
 * the second time. */
#include "algorithms.h"
#include "fuzz.h"
#include "record.h"

#include "records.pb-c.h"

#include <assert.h>
#include <string.h>

/* Twice the room: packing may be longer than what was read (a field written in fewer bytes than
 * protobuf-c would use, an unknown field in odd form). */
static uint8_t once[2 * RECORD_BODY_MAX], twice[2 * RECORD_BODY_MAX];

static void check_child(const Hawser__ChildSaRecord *m)
{
	const struct alg_cipher *c = alg_cipher_by_id((uint16_t)m->cipher, (uint16_t)m->key_bits);

	const struct alg_integ *a = alg_integ_by_id((uint16_t)m->integ);

	assert(m->protocol == IPPROTO_NO_AH ? c == NULL && a != NULL : c != NULL);
	assert(m->key_in.len == (c ? (size_t)c->key_len + c->salt_len : 0));
	assert(m->auth_key_in.len == (a ? (size_t)a->key_len + a->salt_len : 0));
	assert(m->key_out.len == m->key_in.len && m->auth_key_out.len == m->auth_key_in.len);
	assert((m->local.len == 4 || m->local.len == 16) && m->local.len == m->remote.len);
	assert(m->window == 0 || (m->window >= 64 && m->window <= 4096));
	assert(m->anchor < 256 && m->spi_in > 255 && m->spi_out > 255);
	for (size_t i = 0; i < m->n_local_ts; i++)
		assert(memcmp(m->local_ts[i]->first.data, m->local_ts[i]->last.data,
		              m->local_ts[i]->first.len) <= 0);
}

static void check_ike(const Hawser__IkeSaRecord *m)
{
	assert(m->spi_i.len == 8 && m->spi_r.len == 8);
	assert(strlen(m->gateway) < 64);
	assert(alg_prf_by_id((uint16_t)m->prf) && alg_ke_by_id((uint16_t)m->ke));
}

static void check_anchors(const Hawser__AnchorsRecord *m)
{
	for (size_t i = 0; i < 256; i++)
		assert(m->owner.data[i] < 64 || m->owner.data[i] == 255);
}

static void check_spu(const Hawser__SpuRecord *m)
{
	assert(m->slot < 64 && strlen(m->wire_ifname) < 16);
}

static void check_tunnel(const Hawser__TunnelRecord *m)
{
	assert(m->index != 0 && *m->vpn && m->anchor < 256);
}

static void check_node(const Hawser__NodeRecord *m)
{
	assert(m->runtime_identity.len == 16 && m->epoch <= 65535);
}

/* Packs, decodes, packs: the second must be the first. */
#define ROUND_TRIP(name, Type, check, free_fn)                                            \
	static void try_##name(struct view body)                                          \
	{                                                                                 \
		struct Hawser__##Type *m = NULL;                                          \
		size_t len = 0, len2 = 0;                                                 \
		if (record_##name##_decode(body, &m) != ERR_OK)                           \
			return;                                                           \
		check(m);                                                                 \
		assert(record_encode(&m->base, once, sizeof(once), &len) == ERR_OK);      \
		free_fn;                                                                  \
		if (len > RECORD_BODY_MAX)                                                \
			return;                                                           \
		assert(record_##name##_decode((struct view){ once, len }, &m) == ERR_OK); \
		assert(record_encode(&m->base, twice, sizeof(twice), &len2) == ERR_OK);   \
		free_fn;                                                                  \
		assert(len == len2 && memcmp(once, twice, len) == 0);                     \
	}

ROUND_TRIP(node, NodeRecord, check_node, hawser__node_record__free_unpacked(m, NULL))
ROUND_TRIP(spu, SpuRecord, check_spu, hawser__spu_record__free_unpacked(m, NULL))
ROUND_TRIP(anchors, AnchorsRecord, check_anchors, hawser__anchors_record__free_unpacked(m, NULL))
ROUND_TRIP(tunnel, TunnelRecord, check_tunnel, hawser__tunnel_record__free_unpacked(m, NULL))
ROUND_TRIP(ike_sa, IkeSaRecord, check_ike, record_ike_sa_free(m))
ROUND_TRIP(child_sa, ChildSaRecord, check_child, record_child_sa_free(m))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(struct view) = {
		try_node, try_spu, try_anchors, try_tunnel, try_ike_sa, try_child_sa,
	};
	struct reader r = rd_of(data, size);
	uint8_t kind = rd_u8(&r);

	kinds[kind % ARRAY_LEN(kinds)](rd_rest(&r));
	return 0;
}
