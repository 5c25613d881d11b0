// SPDX-License-Identifier: BSD-2-Clause
/* Reaches a whole IKE core, node 1, whose peer node 0 lends this target its keys.
 *
 * Input: one byte, 1 if node 1 still waits for IKE_AUTH (else the SA is up), then datagrams, each a
 * byte of flags, two of length, bytes. Flag 1: exchange, first payload type and payloads of a
 * message that is encrypted as node 0 would (else the bytes are a datagram as they stand); 2:
 * message ID one too high; 4: an answer; 8: a probe of node 1's goes out before; 16: ten seconds
 * pass before; 32: a fragment, its number and total before the payloads; 64: message ID 0, as of
 * RFC 6311. Holds after each: SAs, records and slots fit, one datagram makes a bounded number of
 * messages. */
#include "fuzz.h"
#include "ike_frag.h"
#include "ike_priv.h"
#include "payload_sk.h"
#include "world.h"

#include <assert.h>

enum {
	ENCRYPTED = 1,
	WRONG_ID = 2,
	ANSWER = 4,
	PROBE = 8,
	WAIT = 16,
	FRAGMENT = 32,
	ID_0 = 64,
	STEPS_MAX = 32
};

static struct world w;
static struct world_conf c[2];

static void prepare(size_t messages)
{
	world_init(&w, 7);
	w.manual = true;
	for (int i = 1; i >= 0; i--) {
		world_conf(&w, i, &c[i]);
		node_start(&w.node[i], &c[i].conf);
	}
	world_jobs(&w);
	for (size_t i = 0; i < messages; i++)
		world_deliver(&w, 0);
	while (w.packets)
		world_lose(&w, 0);
}

static bool count_child(void *ctx, const struct ike_child_info *i)
{
	assert(i->spi_in >= 256 && i->slot_in != i->slot_out);
	(*(size_t *)ctx)++;
	return true;
}

static void check(size_t packets_before)
{
	struct node *n = &w.node[1];
	struct ike_stats s;
	size_t children = 0;

	ike_each_child(n->ike, count_child, &children);
	ike_stats(n->ike, &s);
	assert(children == node_children(n) && children == s.children);
	assert(node_slots(n) == 2 * children);
	assert(node_ike_sas(n) <= s.sas && s.half_open <= s.sas && s.sas <= STEPS_MAX + 2);
	assert(w.packets <= packets_before + 3);
	assert(n->ike->frag_bytes <= IKE_FRAG_BYTES);
	assert(list_empty(&n->ike->frags) == (n->ike->frag_bytes == 0));
}

static struct ike_sa *first_of(struct node *n)
{
	return list_empty(&n->ike->sas) ? NULL : ike_sa_at(n->ike->sas.next);
}

static struct view encrypt_fragment(struct ike_sa *mine, struct ike_out *o, uint8_t first,
                                    struct reader r)
{
	struct payload_skf f = { .number = rd_u8(&r), .total = rd_u8(&r) };
	struct payload_sk_place at = { 0, IKE_HEADER_LEN, IKE_HEADER_LEN + SKF_HEADER };
	struct payload_sk_keys k;
	uint8_t iv[16];

	ike_sa_seal_keys(mine, o->buf, f.number & 31, iv, &k);
	o->buf[16] = PL_SKF;
	o->w.p = o->w.start + IKE_HEADER_LEN;
	payload_skf_open(&o->w, &f, first);
	wr_zeros(&o->w, mine->choice.suite.cipher->iv_len);
	wr_view(&o->w, rd_rest(&r));
	return payload_sk_seal(&o->w, &at, mine->ike->crypto, &mine->choice.suite, &k)
	               ? wr_done(&o->w)
	               : (struct view){ NULL, 0 };
}

/* What node 0 would send, if it were as ill-mannered as the input. */
static struct view encrypt(struct ike_out *o, uint8_t flags, struct reader r)
{
	struct ike_sa *mine = first_of(&w.node[0]), *its = first_of(&w.node[1]);
	uint8_t exchange = rd_u8(&r), first = rd_u8(&r);

	if (mine == NULL || its == NULL || !mine->keyed || !its->keyed)
		return (struct view){ NULL, 0 };
	uint32_t id = flags & ANSWER ? its->win.next_request - 1 : its->win.next_expected;
	id = flags & ID_0 ? 0 : id + (flags & WRONG_ID ? 1 : 0);
	mine->win.next_request = mine->win.next_expected = id;
	mine->win.answering = 0;
	ike_sa_out(mine, o, (enum ike_exchange)exchange, flags & ANSWER);
	if (flags & FRAGMENT)
		return encrypt_fragment(mine, o, first, r);
	o->buf[o->next_at] = first;
	wr_view(&o->w, rd_rest(&r));
	return ike_sa_seal(mine, o, flags & ANSWER);
}

static void step(uint8_t flags, struct reader r)
{
	struct endpoint from = { w.node[0].addr, 500 }, to = { w.node[1].addr, 500 };
	struct node *n = &w.node[1];
	struct effects fx = { 0 };
	struct ike_out o;

	if (flags & PROBE && first_of(n)) {
		first_of(n)->wish_probe = true;
		ike_sa_pump(first_of(n), &fx);
		node_run(n, &fx);
	}
	if (flags & WAIT)
		world_run(&w, 10000);
	while (w.packets)
		world_lose(&w, 0);
	struct view m = flags & ENCRYPTED ? encrypt(&o, flags, r) : rd_rest(&r);
	ike_datagram(n->ike, &to, &from, m, &fx);
	node_run(n, &fx);
	world_jobs(&w);
	check(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = rd_of(data, size);

	prepare(rd_u8(&r) == 1 ? 2 : 4);
	for (int i = 0; i < STEPS_MAX && rd_left(&r) >= 3; i++) {
		uint8_t flags = rd_u8(&r);
		size_t len = rd_u16(&r);

		step(flags, rd_sub(&r, len < rd_left(&r) ? len : rd_left(&r)));
	}
	world_done(&w);
	return 0;
}
