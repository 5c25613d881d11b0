// SPDX-License-Identifier: BSD-2-Clause
/* Reaches the header, the payload chain, the rules, fragments and every payload's read. Input: what
 * follows the fields of an IKE header that we set: exchange, flags, first payload type, then
 * payloads. Holds: no view leaves the message, no more selectors, notifies or proposals than bytes
 * allow. */
#include "fuzz.h"
#include "payload_sk.h"

#include <assert.h>

static void inside(struct view v, const uint8_t *data, size_t size)
{
	assert(v.len == 0 || (v.p >= data && v.p + v.len <= data + size));
}

static void check_content(const struct ike_content *c, const uint8_t *data, size_t size)
{
	inside(c->sa, data, size);
	inside(c->ke.data, data, size);
	inside(c->nonce, data, size);
	inside(c->idi.data, data, size);
	inside(c->idr.body, data, size);
	inside(c->auth.data, data, size);
	assert(c->tsi_n <= IKE_SELECTORS_MAX && c->tsr_n <= IKE_SELECTORS_MAX);
	for (size_t i = 0; i < c->notifies; i++) {
		inside(c->notify[i].spi, data, size);
		inside(c->notify[i].data, data, size);
	}
	for (size_t i = 0; i < c->deletes_n; i++)
		inside(c->deletes[i].list, data, size);
}

static void check_proposals(struct view sa, size_t size)
{
	struct reader r = rd_of_view(sa);
	struct sa_proposal p;
	struct sa_transform t;
	size_t turns = 0;

	while (sa_next_proposal(&r, &p)) {
		size_t transforms = 0;

		while (sa_next_transform(&p.body, &t))
			transforms++;
		assert(transforms == p.transforms); /* the check held */
		assert(++turns <= size);
	}
	assert(rd_done(&r));
}

static void check_fragment(const struct ike_payloads *p, const uint8_t *data, size_t size)
{
	struct payload_skf f;

	if (p->n == 0 || p->at[p->n - 1].type != PL_SKF ||
	    payload_skf_read(p->at[p->n - 1].body, &f) != ERR_OK)
		return;
	inside(f.rest, data, size);
	assert(f.number >= 1 && f.number <= f.total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = rd_of(data, size);
	struct ike_header h = { .exchange = rd_u8(&r), .flags = rd_u8(&r), .next = rd_u8(&r) };
	struct ike_header other;
	struct ike_payloads p;
	struct ike_content c;
	uint8_t type;

	(void)!ike_header_read((struct view){ data, size }, &other);
	if (ike_payloads_read(r, h.next, &p) != ERR_OK)
		return 0;
	for (size_t i = 0; i < p.n; i++)
		inside(p.at[i].body, data, size);
	check_fragment(&p, data, size);
	(void)!ike_rules_check(&h, IKE_CLEAR, &p, &type);
	(void)!ike_rules_check(&h, IKE_ENCRYPTED, &p, &type);
	if (ike_content_read(&p, &c) != ERR_OK)
		return 0;
	check_content(&c, data, size);
	if (c.has_sa)
		check_proposals(c.sa, size);
	return 0;
}
