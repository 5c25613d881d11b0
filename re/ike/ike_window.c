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
	w->retry_ms = UINT64_MAX;
}

void ike_window_done(struct ike_window *w)
{
	blob_clear(&w->request);
	blob_clear(&w->response);
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

enum err ike_window_answer(struct ike_window *w, struct view response)
{
	TRY(blob_set(&w->response, response));
	w->next_expected++;
	return ERR_OK;
}

enum ike_arrival ike_window_judge(const struct ike_window *w, bool response, uint32_t id)
{
	if (response)
		return !ike_window_free(w) && id + 1 == w->next_request ? IKE_NEW : IKE_STRAY;
	if (id == w->next_expected)
		return IKE_NEW;
	return id + 1 == w->next_expected && w->response.len ? IKE_DUPLICATE : IKE_STRAY;
}
