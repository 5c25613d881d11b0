// SPDX-License-Identifier: BSD-2-Clause
#include "history.h"
#include "ike_message.h"
#include "records.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 28, AT_NEXT = 16, AT_FLAGS = 19, AT_ID = 20, AT_LENGTH = 24 };

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, size_t len)
{
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = mix(h, word);
	}
	word = len;
	for (size_t i = 0; i < len; i++)
		word = word << 8 | p[i];
	return mix(h, word);
}

/* Its place: of this key, or free. */
static uint64_t *place(struct history_map *m, uint64_t key)
{
	key += key == 0;
	size_t i = key % HISTORY_SLOTS;

	while (m->at[i].key != 0 && m->at[i].key != key)
		i = (i + 1) % HISTORY_SLOTS;
	if (m->at[i].key == 0) {
		assert(++m->n < HISTORY_SLOTS);
		m->at[i].key = key;
	}
	return &m->at[i].value;
}

/* Once one value, always this one. */
static bool holds(struct history_map *m, uint64_t key, uint64_t value)
{
	uint64_t *v = place(m, key);

	value += value == 0;
	if (*v == 0)
		*v = value;
	return *v == value;
}

static void blame(struct history *h, int node, const char *what)
{
	if (h->wrong[0] == '\0')
		(void)snprintf(h->wrong, sizeof(h->wrong), "node %d: %s", node, what);
}

void history_init(struct history *h)
{
	memset(h, 0, sizeof(*h));
}

void history_note(struct history *h, uint64_t a, uint64_t b)
{
	h->digest = mix(mix(h->digest, a), b);
}

void history_text(struct history *h, const char *text)
{
	h->digest = hash_bytes(h->digest, (const uint8_t *)text, strlen(text));
}

/* ---- records --------------------------------------------------------------------------------- */

static uint64_t of_key(int node, const struct record_key *key)
{
	return hash_bytes((uint64_t)(node + 1) << 8 | key->kind, key->b, key->len);
}

static uint64_t of_keys(ProtobufCBinaryData cipher, ProtobufCBinaryData integ)
{
	return hash_bytes(hash_bytes(7, cipher.data, cipher.len), integ.data, integ.len);
}

static void check_child(struct history *h, int node, const struct record_key *key,
                        const Hawser__ChildSaRecord *m)
{
	uint64_t in = of_keys(m->key_in, m->auth_key_in);
	uint64_t out = of_keys(m->key_out, m->auth_key_out);
	uint64_t nonce = (uint64_t)node << 60 | (uint64_t)m->slot_out << 20 | m->epoch;

	if (!holds(&h->spis, in, m->spi_in) || !holds(&h->spis, out, m->spi_out))
		blame(h, node, "a key of a child SA under two SPIs");
	if (!holds(&h->nonces, out, nonce + 1))
		blame(h, node, "an outbound key with two slots or epochs: nonces would repeat");
	uint64_t *life = place(&h->lives, of_key(node, key));
	if (*place(&h->dead, in + (uint64_t)node))
		blame(h, node, "a child SA came back after its end");
	if (*life && *life != in)
		blame(h, node, "two child SAs with one SPI");
	*life = in;
}

void history_put(struct history *h, int node, const struct record_key *key, struct view body)
{
	Hawser__ChildSaRecord *m = NULL;

	history_note(h, of_key(node, key), body.len);
	if (key->kind != REC_CHILD_SA)
		return;
	if (record_child_sa_decode(body, &m) != ERR_OK) {
		blame(h, node, "a child's record does not decode");
		return;
	}
	check_child(h, node, key, m);
	record_child_sa_free(m);
}

void history_del(struct history *h, int node, const struct record_key *key)
{
	history_note(h, of_key(node, key), 0);
	if (key->kind != REC_CHILD_SA)
		return;
	uint64_t *life = place(&h->lives, of_key(node, key));
	if (*life)
		*place(&h->dead, *life + (uint64_t)node) = 1;
	*life = 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* All of the header but the length; of a fragment also its number. */
static uint64_t of_header(int node, struct view m, bool fragment)
{
	uint64_t h = hash_bytes((uint64_t)node + 3, m.p, AT_LENGTH);

	return fragment ? hash_bytes(h, m.p + HEADER + 4, 4) : h;
}

void history_sent(struct history *h, int node, struct view m)
{
	if (m.len < HEADER + 16)
		return; /* a keepalive */
	history_note(h, of_header(node, m, false), m.len);
	bool fragment = m.p[AT_NEXT] == PL_SKF;
	if (m.p[AT_NEXT] != PL_SK && !fragment)
		return;
	uint64_t content = hash_bytes(11, m.p, m.len);
	if (!holds(&h->messages, of_header(node, m, fragment), content))
		blame(h, node, "two messages with one message ID");
	const uint8_t *iv = m.p + HEADER + 4 + (fragment ? 4 : 0);
	uint64_t key = hash_bytes(hash_bytes((uint64_t)node + 5, m.p, 16), iv, 8);
	if (!holds(&h->ivs, key, content))
		blame(h, node, "two messages under one IV");
}

void history_arrived(struct history *h, int node, struct view m)
{
	if (m.len < HEADER || !(m.p[AT_FLAGS] & IKE_FLAG_RESPONSE))
		return;
	uint64_t *seen = place(&h->answers, of_header(node, m, false));
	h->exchanges += *seen == 0;
	*seen = 1;
}
