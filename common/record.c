// SPDX-License-Identifier: BSD-2-Clause
#include "record.h"
#include "secret.h"
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "records.pb-c.h"

static struct record_key key_of(enum record_kind kind, uint64_t a, size_t a_len, uint64_t b,
                                size_t b_len)
{
	struct record_key key = { .kind = (uint8_t)kind };
	struct writer w = wr_of(key.b, sizeof(key.b));

	wr_be(&w, a, a_len);
	wr_be(&w, b, b_len);
	key.len = (uint8_t)wr_len(&w);
	return key;
}

struct record_key record_key_node(void)
{
	return key_of(REC_NODE, 0, 0, 0, 0);
}

struct record_key record_key_anchors(void)
{
	return key_of(REC_ANCHORS, 0, 0, 0, 0);
}

struct record_key record_key_spu(uint8_t slot)
{
	return key_of(REC_SPU, slot, 1, 0, 0);
}

struct record_key record_key_tunnel(uint32_t index)
{
	return key_of(REC_TUNNEL, index, 4, 0, 0);
}

struct record_key record_key_ike_sa(const uint8_t spi[8])
{
	struct reader r = rd_of(spi, 8);

	return key_of(REC_IKE_SA, rd_u64(&r), 8, 0, 0);
}

struct record_key record_key_child_sa(uint8_t protocol, uint32_t spi)
{
	return key_of(REC_CHILD_SA, protocol, 1, spi, 4);
}

struct record_key record_key_manual_sa(uint8_t protocol, uint32_t spi, uint32_t tunnel)
{
	return key_of(REC_CHILD_SA, protocol, 1, (uint64_t)spi << 32 | tunnel, 8);
}

struct record_key record_key_totals(uint32_t of)
{
	return key_of(REC_TOTALS, of, 4, 0, 0);
}

struct record_key record_key_devices(void)
{
	return key_of(REC_DEVICES, 0, 0, 0, 0);
}

/* How a key reads: the parts are unsigned numbers in network order. */
/* clang-format off */
static const struct {
	const char *name;
	uint8_t first, second; /* bytes of each part */
	const char *format;    /* of one part or two */
	uint8_t more;          /* bytes of a number that may follow */
} shown[REC_KINDS] = {
	[REC_NODE]     = { "node",     0, 0, "", 0 },
	[REC_SPU]      = { "spu",      1, 0, " %" PRIu64, 0 },
	[REC_ANCHORS]  = { "anchors",  0, 0, "", 0 },
	[REC_TUNNEL]   = { "tunnel",   4, 0, " %" PRIu64, 0 },
	[REC_IKE_SA]   = { "ike-sa",   8, 0, " 0x%016" PRIx64, 0 },
	[REC_CHILD_SA] = { "child-sa", 1, 4, " %" PRIu64 " 0x%08" PRIx64, 4 },
	[REC_TOTALS]   = { "totals",   4, 0, " %" PRIu64, 0 },
	[REC_DEVICES]  = { "devices",  0, 0, "", 0 },
};
/* clang-format on */

static void text_unknown(const struct record_key *key, char *buf)
{
	int n = snprintf(buf, RECORD_KEY_TEXT_MAX, "kind-%u ", key->kind);

	for (size_t i = 0; i < key->len && i < sizeof(key->b); i++)
		n += snprintf(buf + n, RECORD_KEY_TEXT_MAX - (size_t)n, "%02x", key->b[i]);
}

char *record_key_text(const struct record_key *key, char *buf)
{
	struct reader r = rd_of(key->b, key->len <= sizeof(key->b) ? key->len : 0);

	if (key->kind >= REC_KINDS || shown[key->kind].name == NULL) {
		text_unknown(key, buf);
		return buf;
	}
	size_t more = shown[key->kind].more;
	size_t parts = (size_t)shown[key->kind].first + shown[key->kind].second;
	if (key->len != parts && (more == 0 || key->len != parts + more)) {
		text_unknown(key, buf);
		return buf;
	}
	uint64_t a = rd_be(&r, shown[key->kind].first);
	uint64_t b = rd_be(&r, shown[key->kind].second);
	int n = snprintf(buf, RECORD_KEY_TEXT_MAX, "%s", shown[key->kind].name);
	n += snprintf(buf + n, RECORD_KEY_TEXT_MAX - (size_t)n, shown[key->kind].format, a, b);
	if (key->len != parts)
		(void)snprintf(buf + n, RECORD_KEY_TEXT_MAX - (size_t)n, " %" PRIu64,
		               rd_be(&r, more));
	return buf;
}

static void wipe(ProtobufCBinaryData b)
{
	secret_wipe(b.data, b.len);
}

void record_ike_sa_free(struct Hawser__IkeSaRecord *m)
{
	if (m == NULL)
		return;
	wipe(m->wrapped_keys);
	hawser__ike_sa_record__free_unpacked(m, NULL);
}

void record_child_sa_free(struct Hawser__ChildSaRecord *m)
{
	if (m == NULL)
		return;
	wipe(m->key_in);
	wipe(m->key_out);
	wipe(m->auth_key_in);
	wipe(m->auth_key_out);
	hawser__child_sa_record__free_unpacked(m, NULL);
}

enum err record_encode(const struct ProtobufCMessage *m, uint8_t *buf, size_t cap, size_t *ret_len)
{
	size_t len = protobuf_c_message_get_packed_size(m);

	if (len > cap)
		return ERR_FULL;
	*ret_len = protobuf_c_message_pack(m, buf);
	return ERR_OK;
}
