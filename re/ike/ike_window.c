// SPDX-License-Identifier: BSD-2-Clause
#include "ike_window.h"
#include "secret.h"

#include <stdlib.h>

const struct retry_policy retry_normal = { 500, 16000, 8 };
const struct retry_policy retry_delete = { 500, 16000, 5 };

enum err blob_set(struct blob *b, struct view v)
{
	uint8_t *p = malloc(v.len ? v.len : 1);

	if (p == NULL)
		return ERR_MEMORY;
	if (v.len)
		memcpy(p, v.p, v.len);
	blob_clear(b);
	b->p = p;
	b->len = v.len;
	return ERR_OK;
}

void blob_clear(struct blob *b)
{
	secret_wipe(b->p, b->len);
	free(b->p);
	*b = (struct blob){ NULL, 0 };
}

void ike_window_init(struct ike_window *w)
{
	memset(w, 0, sizeof(*w));
	w->width = 1;
	w->retry_ms = UINT64_MAX;
}

void ike_window_done(struct ike_window *w)
{
	blob_clear(&w->request);
	for (size_t i = 0; i < IKE_WINDOW; i++)
		blob_clear(&w->answer[i].message);
}

/* The interval after the request was sent n times, with jitter so that many SAs that lost one link
 * do not all come back in one moment. */
static uint64_t interval(const struct ike_window *w)
{
	uint64_t ms = w->policy.first_ms;

	for (uint8_t i = 1; i < w->sent && ms < w->policy.max_ms; i++)
		ms *= 2;
	if (ms > w->policy.max_ms)
		ms = w->policy.max_ms;
	return ms + ms * w->jitter / 1000;
}

enum err ike_window_ask(struct ike_window *w, struct view request,
                        const struct retry_policy *policy, uint64_t now_ms, uint32_t random)
{
	TRY(blob_set(&w->request, request));
	w->policy = *policy;
	w->jitter = random % 200;
	w->sent = 1;
	w->next_request++;
	w->retry_ms = now_ms + interval(w);
	return ERR_OK;
}

bool ike_window_retry(struct ike_window *w, uint64_t now_ms)
{
	if (w->sent >= w->policy.sends)
		return false;
	w->sent++;
	w->retransmits++;
	w->retry_ms = now_ms + interval(w);
	return true;
}

void ike_window_answered(struct ike_window *w)
{
	blob_clear(&w->request);
	w->retry_ms = UINT64_MAX;
}

/* ---- the peer's requests --------------------------------------------------------------------- */

void ike_window_work(struct ike_window *w, uint32_t id)
{
	w->answering = id;
}

struct view ike_window_answer_to(const struct ike_window *w, uint32_t id)
{
	const struct ike_answer *a = &w->answer[id % IKE_WINDOW];

	return a->message.len && a->id == id ? blob_view(&a->message) : (struct view){ NULL, 0 };
}

static struct ike_answer *oldest(struct ike_window *w)
{
	struct ike_answer *found = NULL;

	for (size_t i = 0; i < IKE_WINDOW; i++)
		if (w->answer[i].message.len && (found == NULL || w->answer[i].id < found->id))
			found = &w->answer[i];
	return found;
}

/* The peer repeats no request that is a whole window below one that it has sent; and all of them
 * are in one record. */
static void drop_answers(struct ike_window *w)
{
	uint32_t newest = 0;
	size_t bytes = 0;

	for (size_t i = 0; i < IKE_WINDOW; i++) {
		bytes += w->answer[i].message.len;
		if (w->answer[i].message.len && w->answer[i].id > newest)
			newest = w->answer[i].id;
	}
	for (struct ike_answer *a = oldest(w);
	     a && a->id != newest && (newest - a->id >= w->width || bytes > IKE_WINDOW_BYTES);
	     a = oldest(w)) {
		bytes -= a->message.len;
		blob_clear(&a->message);
	}
}

enum err ike_window_answer(struct ike_window *w, struct view response)
{
	uint32_t id = ike_window_at_work(w);
	struct ike_answer *a = &w->answer[id % IKE_WINDOW];

	TRY(blob_set(&a->message, response));
	a->id = id;
	while (ike_window_answer_to(w, w->next_expected).len)
		w->next_expected++;
	w->answering = w->next_expected;
	drop_answers(w);
	return ERR_OK;
}

void ike_window_jump(struct ike_window *w, uint32_t next_expected)
{
	for (size_t i = 0; i < IKE_WINDOW; i++)
		blob_clear(&w->answer[i].message);
	w->next_expected = next_expected;
}

void ike_window_each_answer(const struct ike_window *w, void (*fn)(void *ctx, struct view answer),
                            void *ctx)
{
	for (uint32_t i = 0; i < 2 * IKE_WINDOW; i++) {
		struct view v = ike_window_answer_to(w, w->next_expected - IKE_WINDOW + i);

		if (v.len)
			fn(ctx, v);
	}
}

enum err ike_window_restore_answer(struct ike_window *w, uint32_t id, struct view answer)
{
	struct ike_answer *a = &w->answer[id % IKE_WINDOW];

	TRY(blob_set(&a->message, answer));
	a->id = id;
	return ERR_OK;
}

enum ike_arrival ike_window_judge(const struct ike_window *w, bool response, uint32_t id)
{
	if (response)
		return !ike_window_free(w) && id + 1 == w->next_request ? IKE_NEW : IKE_STRAY;
	if (ike_window_answer_to(w, id).len)
		return IKE_DUPLICATE;
	if (id < w->next_expected || id > IKE_ID_MOST)
		return IKE_STRAY;
	return id - w->next_expected < w->width ? IKE_NEW : IKE_AHEAD;
}
