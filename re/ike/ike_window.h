/* SPDX-License-Identifier: BSD-2-Clause */
/* Message IDs, retransmission and duplicates (RFC 7296 2.1 to 2.3).
 *
 * Who asks repeats its request until it is answered or it gives up; who answers keeps its last
 * answers, as many as its window is wide, and sends one again when its request comes again. The
 * window is one until the peer was told that it is wider; then requests in it are worked on in the
 * order in which they come. What is outside is not kept. Pure; the event loop's thread. */
#ifndef IKE_WINDOW_H
#define IKE_WINDOW_H
#include "errors.h"
#include "reader.h"

/* Bytes on the heap. Zero-initialise. */
struct blob {
	uint8_t *p; /* owns */
	size_t len;
};
/* Replaces what is there by a copy (wiped first). ERR_MEMORY changes nothing. */
enum err blob_set(struct blob *b, struct view v) MUST_CHECK;
void blob_clear(struct blob *b);
static inline struct view blob_view(const struct blob *b)
{
	return (struct view){ b->p, b->len };
}

/* How a request is repeated. */
struct retry_policy {
	uint32_t first_ms, max_ms; /* doubles from the first to the longest interval */
	uint8_t sends;             /* in all; then give up */
};

extern const struct retry_policy retry_normal; /* about a minute */
extern const struct retry_policy retry_delete; /* about a quarter of one */

enum {
	IKE_WINDOW = 4,           /* requests of the peer at once, when it knows */
	IKE_WINDOW_BYTES = 49152, /* of all answers kept; but the last is kept anyhow */
	IKE_ID_MOST = 1000000000, /* no message ID is beyond it, so that none is used twice */
};

/* An answer of ours that may have to be sent again. */
struct ike_answer {
	uint32_t id;
	struct blob message; /* empty: none */
};

struct ike_window {
	uint32_t next_request;                /* ID of our next request */
	uint32_t next_expected;               /* the peer's requests below it were all answered */
	uint32_t answering;                   /* the peer's request that is worked on */
	uint32_t width;                       /* of the peer's requests: 1 to IKE_WINDOW */
	struct ike_answer answer[IKE_WINDOW]; /* by ID modulo IKE_WINDOW */
	struct blob request;                  /* ours, unanswered; empty: free to ask */
	struct retry_policy policy;
	uint8_t sent;      /* how often the request went out */
	uint64_t retry_ms; /* when it is due again; UINT64_MAX: nothing is */
	uint32_t jitter;   /* per thousand, 0..199, drawn for this request */
	uint32_t retransmits;
};

void ike_window_init(struct ike_window *w);
void ike_window_done(struct ike_window *w);

static inline bool ike_window_free(const struct ike_window *w)
{
	return w->request.len == 0;
}

/* A request with ID next_request goes out now. random: any bits, for the jitter. */
enum err ike_window_ask(struct ike_window *w, struct view request,
                        const struct retry_policy *policy, uint64_t now_ms,
                        uint32_t random) MUST_CHECK;
/* The pending request is due: sets the next time; false when it is time to give up. */
bool ike_window_retry(struct ike_window *w, uint64_t now_ms);
/* The answer to the pending request has come. */
void ike_window_answered(struct ike_window *w);
/* Work on the peer's request with this ID begins, or goes on: the next answer is to it. */
void ike_window_work(struct ike_window *w, uint32_t id);
/* The request that an answer would be to. */
static inline uint32_t ike_window_at_work(const struct ike_window *w)
{
	return w->answering < w->next_expected ? w->next_expected : w->answering;
}
/* Our answer to it; without ike_window_work(), to request next_expected. */
enum err ike_window_answer(struct ike_window *w, struct view response) MUST_CHECK;
/* The answer to this request, where it is kept; else empty. */
struct view ike_window_answer_to(const struct ike_window *w, uint32_t id);
/* Calls fn for each answer that is kept, in the order of their requests. */
void ike_window_each_answer(const struct ike_window *w, void (*fn)(void *ctx, struct view answer),
                            void *ctx);
/* The peer's requests go on with this ID: answers to older ones are forgotten (RFC 6311). */
void ike_window_jump(struct ike_window *w, uint32_t next_expected);
/* Of a record: the answer to a request of the past. */
enum err ike_window_restore_answer(struct ike_window *w, uint32_t id,
                                   struct view answer) MUST_CHECK;

enum ike_arrival {
	IKE_NEW,       /* a request to work on, an answer that we wait for */
	IKE_DUPLICATE, /* answer it again */
	IKE_STRAY,     /* outside the window */
	IKE_AHEAD,     /* a request beyond it */
};
enum ike_arrival ike_window_judge(const struct ike_window *w, bool response, uint32_t id);

#endif
