// SPDX-License-Identifier: BSD-2-Clause
#include "ike_frag.h"
#include "ike_priv.h"
#include "payload_sk.h"

#include <stdlib.h>

enum {
	SIZE_V4 = 576, /* of an IP packet, where the gateway says nothing */
	SIZE_V6 = 1280,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	UDP_HEADER = 8,
	MARKER = 4, /* before IKE on port 4500 */
	NATT_PORT = 4500,
};

/* ---- out ------------------------------------------------------------------------------------- */

uint16_t ike_frag_size(const struct ike_sa *sa)
{
	if (!sa->fragmentation || (sa->gw && sa->gw->conf.no_fragmentation))
		return 0;
	if (sa->gw && sa->gw->conf.fragment_size)
		return sa->gw->conf.fragment_size;
	return sa->local.addr.family == ADDR_V6 ? SIZE_V6 : SIZE_V4;
}

size_t ike_frag_limit(const struct ike_sa *sa)
{
	size_t size = ike_frag_size(sa);
	size_t ip = sa->local.addr.family == ADDR_V6 ? IPV6_HEADER : IPV4_HEADER;

	if (size == 0)
		return SIZE_MAX;
	return size - ip - UDP_HEADER - (sa->local.port == NATT_PORT ? MARKER : 0);
}

size_t ike_frag_capacity(size_t room, const struct ike_suite *s)
{
	size_t content =
	        room - IKE_HEADER_LEN - SKF_HEADER - s->cipher->iv_len - payload_sk_icv_len(s);

	return content - content % s->cipher->block - 1; /* the pad length */
}

static bool seal_one(struct ike_sa *sa, struct writer *w, const struct ike_out *o,
                     const struct payload_skf *f)
{
	const struct ike_suite *s = &sa->choice.suite;
	struct payload_sk_place at = { .message = wr_len(w) };
	struct payload_sk_keys k;
	uint8_t iv[16];

	ike_sa_seal_keys(sa, o->buf, f->number, iv, &k);
	wr_bytes(w, o->buf, IKE_HEADER_LEN);
	if (!w->bad)
		w->start[at.message + 16] = PL_SKF;
	at.payload = wr_len(w);
	payload_skf_open(w, f, o->buf[o->sk_at]);
	at.iv = wr_len(w);
	wr_zeros(w, s->cipher->iv_len);
	wr_view(w, f->rest);
	return payload_sk_seal(w, &at, sa->ike->crypto, s, &k);
}

struct view ike_frag_seal(struct ike_sa *sa, struct ike_out *o)
{
	const struct ike_suite *s = &sa->choice.suite;
	size_t from = o->sk_at + 4 + s->cipher->iv_len;
	struct reader r = rd_of(o->buf + from, wr_len(&o->w) - from);
	size_t each = ike_frag_capacity(ike_frag_limit(sa), s);
	size_t total = (rd_left(&r) + each - 1) / each;
	struct writer w = wr_of(o->sent, sizeof(o->sent));

	if (o->w.bad || total > IKE_FRAGMENTS_MAX) {
		sa->too_long = true;
		return (struct view){ NULL, 0 };
	}
	for (size_t i = 1; i <= total; i++) {
		struct payload_skf f = { (uint16_t)i, (uint16_t)total,
			                 rd_view(&r, rd_left(&r) < each ? rd_left(&r) : each) };

		if (!seal_one(sa, &w, o, &f))
			return (struct view){ NULL, 0 };
	}
	return wr_done(&w);
}

bool ike_frag_next(struct reader *message, struct view *ret)
{
	struct reader peek = *message;

	if (rd_left(message) == 0)
		return false;
	rd_skip(&peek, 24);
	size_t len = rd_u32(&peek);
	if (peek.bad || len < IKE_HEADER_LEN || len > rd_left(message))
		len = rd_left(message);
	*ret = rd_view(message, len);
	return true;
}

static uint32_t id_of(struct view datagram)
{
	struct reader r = rd_of_view(datagram);

	rd_skip(&r, 20);
	return rd_u32(&r);
}

bool ike_frag_next_message(struct reader *list, struct view *ret, uint32_t *ret_id)
{
	struct view next;

	if (!ike_frag_next(list, ret))
		return false;
	*ret_id = id_of(*ret);
	for (struct reader more = *list; ike_frag_next(&more, &next) && id_of(next) == *ret_id;
	     *list = more)
		ret->len += next.len;
	return true;
}

/* ---- in -------------------------------------------------------------------------------------- */

static struct ike_frag_set *set_at(struct list *of_sa)
{
	return CONTAINER_OF(of_sa, struct ike_frag_set, of_sa);
}

static void set_free(struct ike_frag_set *set)
{
	set->sa->ike->frag_bytes -= set->bytes;
	for (size_t i = 0; i < ARRAY_LEN(set->part); i++)
		blob_clear(&set->part[i]);
	list_del(&set->of_sa);
	list_del(&set->of_ike);
	set->sa->frag_sets--;
	free(set);
}

/* It will not be whole any more. */
static void set_lose(struct ike_frag_set *set)
{
	set->sa->ike->stats.fragments_lost += set->have;
	set_free(set);
}

static struct ike_frag_set *longest_waiting(struct ike *ike)
{
	if (list_empty(&ike->frags))
		return NULL;
	return CONTAINER_OF(ike->frags.next, struct ike_frag_set, of_ike);
}

static void expire(struct ike *ike, struct due *due, uint64_t now, struct effects *fx)
{
	struct ike_frag_set *set;

	(void)fx;
	while ((set = longest_waiting(ike)) && set->touched_ms + IKE_FRAG_WAIT_MS <= now)
		set_lose(set);
	if (set)
		ike_due_at(ike, due, set->touched_ms + IKE_FRAG_WAIT_MS);
}

void ike_frag_init(struct ike *ike)
{
	list_init(&ike->frags);
	ike->frag_due.fire = expire;
}

void ike_frag_forget(struct ike_sa *sa)
{
	while (!list_empty(&sa->frags))
		set_free(set_at(sa->frags.next));
}

static struct ike_frag_set *set_of(struct ike_sa *sa, const struct ike_in *in)
{
	bool response = in->h.flags & IKE_FLAG_RESPONSE;
	struct list *at;

	list_each (at, &sa->frags)
		if (set_at(at)->id == in->h.id && set_at(at)->response == response)
			return set_at(at);
	return NULL;
}

static bool refuse(struct ike_sa *sa, const struct ike_in *in, const char *why, struct effects *fx)
{
	char from[ENDPOINT_TEXT_MAX];

	sa->ike->stats.fragments_refused++;
	fx_event(fx,
	         in->skf.total > IKE_FRAGMENTS_MAX ? EVENT_IKE_FRAGMENTS_TOO_MANY
	                                           : EVENT_IKE_FRAGMENT_INVALID,
	         "from %s: %s %u of %u", endpoint_text(&in->remote, from), why, in->skf.number,
	         in->skf.total);
	return false;
}

bool ike_frag_wanted(struct ike_sa *sa, const struct ike_in *in, struct effects *fx)
{
	const struct ike_frag_set *set = set_of(sa, in);

	if (!sa->fragmentation)
		return refuse(sa, in, "not agreed on, fragment", fx);
	if (in->skf.total > IKE_FRAGMENTS_MAX)
		return refuse(sa, in, "fragment", fx);
	if (set == NULL || in->skf.total > set->total)
		return true;
	/* RFC 7383 2.6: one that is there, or of a set that was given up for one of more. */
	if (in->skf.total < set->total || set->part[in->skf.number - 1].p) {
		sa->ike->stats.fragments_repeated++;
		return false;
	}
	return true;
}

static struct ike_frag_set *set_new(struct ike_sa *sa, const struct ike_in *in)
{
	size_t most = sa->state == IKE_UP ? IKE_FRAG_SETS : 1;

	while (sa->frag_sets >= most)
		set_lose(set_at(sa->frags.next));
	struct ike_frag_set *set = calloc(1, sizeof(*set));
	if (set == NULL)
		return NULL;
	set->sa = sa;
	set->id = in->h.id;
	set->response = in->h.flags & IKE_FLAG_RESPONSE;
	set->total = in->skf.total;
	set->bytes = sizeof(*set);
	sa->ike->frag_bytes += sizeof(*set);
	sa->frag_sets++;
	list_add_tail(&set->of_sa, &sa->frags);
	list_add_tail(&set->of_ike, &sa->ike->frags);
	return set;
}

static bool set_put(struct ike_frag_set *set, const struct ike_in *in)
{
	struct ike *ike = set->sa->ike;

	if (set->bytes - sizeof(*set) + in->plain.len > IKE_MESSAGE_MAX ||
	    blob_set(&set->part[in->skf.number - 1], in->plain) != ERR_OK)
		return false;
	if (in->skf.number == 1)
		set->first = in->first;
	set->have++;
	set->bytes += in->plain.len;
	ike->frag_bytes += in->plain.len;
	set->touched_ms = ike_sa_now(set->sa);
	list_del(&set->of_ike);
	list_add_tail(&set->of_ike, &ike->frags);
	while (ike->frag_bytes > IKE_FRAG_BYTES && longest_waiting(ike) != set)
		set_lose(longest_waiting(ike));
	ike_due_at(ike, &ike->frag_due, longest_waiting(ike)->touched_ms + IKE_FRAG_WAIT_MS);
	return true;
}

/* RFC 7383 2.6: the contents one behind the other are what an SK payload would have held. */
static void merge(const struct ike_frag_set *set, struct ike_in *in, uint8_t *buf)
{
	struct writer w = wr_of(buf, IKE_MESSAGE_MAX);

	for (size_t i = 0; i < set->total; i++)
		wr_view(&w, blob_view(&set->part[i]));
	in->plain = wr_done(&w);
	in->first = set->first;
}

bool ike_frag_collect(struct ike_sa *sa, struct ike_in *in, uint8_t *buf)
{
	struct ike_frag_set *set = set_of(sa, in);

	sa->ike->stats.fragments_in++;
	sa->fragments_in++;
	if (set && in->skf.total > set->total) {
		set_lose(set);
		set = NULL;
	}
	if (set == NULL)
		set = set_new(sa, in);
	if (set == NULL || !set_put(set, in)) {
		sa->ike->stats.fragments_lost++;
		if (set)
			set_lose(set);
		return false;
	}
	if (set->have < set->total)
		return false;
	merge(set, in, buf);
	set_free(set);
	sa->ike->stats.reassembled++;
	sa->reassembled++;
	return true;
}
