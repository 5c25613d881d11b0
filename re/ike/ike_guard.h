/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands between the core and whoever floods it (RFC 8019, without puzzles).
 *
 * A new initial message is judged in one order, cheapest first, and nothing is kept for it until
 * all has been passed: is there a gateway for it; may the peer come at all; does it repeat itself;
 * does it negotiate already; must it return a cookie; is there room. */
#ifndef IKE_GUARD_H
#define IKE_GUARD_H
#include "ike_backoff.h"
#include "ike_blocklist.h"
#include "ike_cookie.h"
#include "ike_rate.h"

struct gateway;
struct ike_in;
struct ike_sa;

/* Things that strangers can cause at will are said some times a second; all are counted. */
enum ike_said { SAID_COOKIES, SAID_FULL, SAID_BACKOFF, SAID_DUPLICATE, SAID_STRANGER, SAID_KINDS };
enum { SAID_PER_SECOND = 10 };

struct ike_guard {
	struct ike_conf_session conf;
	struct ike_cookies cookies;
	struct ike_backoff backoff;
	struct ike_rates rates;
	struct hash by_source; /* half-open SAs by where their IKE_SA_INIT came from */
	uint32_t answering;    /* key pairs that half-open SAs wait for */
	struct {
		uint64_t since_ms;
		uint32_t n;
	} said[SAID_KINDS];
};

enum err ike_guard_init(struct ike *ike) MUST_CHECK;
void ike_guard_done(struct ike *ike);
bool ike_guard_may_say(struct ike *ike, enum ike_said kind);

/* ---- a new initial message ------------------------------------------------------------------- */

/* Is the peer in backoff? Then it has been counted and said. */
bool ike_guard_holds_off(struct ike *ike, const struct ike_in *in, struct effects *fx);

enum ike_verdict {
	IKE_ADMIT,
	IKE_DROP,   /* counted and said */
	IKE_COOKIE, /* make it come back with a cookie: ike_cookie_make() */
};
/* cookie: empty where there is none. */
enum ike_verdict ike_guard_judge(struct ike *ike, const struct ike_in *in,
                                 const struct ike_cookie_of *of, struct view cookie,
                                 struct effects *fx);
/* The SA that was made for it: its lifetime while half-open, and where it came from. */
void ike_guard_admitted(struct ike_sa *sa);
/* From ike_fsm.c: the SA was, or is, half-open or at its key pair. */
void ike_guard_moved(struct ike_sa *sa, bool was_half_open, bool was_answering);

/* ---- peers ----------------------------------------------------------------------------------- */

/* A peer as events name it. */
struct ike_who {
	const char *gateway; /* "-" */
	struct endpoint local, remote;
	const struct ike_id *id; /* NULL: it has not told */
	bool peer_responds, nat;
};
struct ike_who ike_who_of(const struct ike_sa *sa, const struct ike_id *id);

/* A negotiation came to nothing: said, remembered, and where it is configured the peer is put in
 * backoff. what: the reason in a word. */
void ike_guard_failed(struct ike *ike, const struct ike_who *who, enum ike_failure phase,
                      const char *what, struct effects *fx);
/* Does the gateway's blocklist have this identity? Then it has been counted, said and remembered.
 */
bool ike_guard_blocks(struct ike *ike, const struct gateway *gw, const struct ike_who *who,
                      struct ike_block_hit *ret, struct effects *fx);
/* The peer is up: what it failed at is forgotten. */
void ike_guard_succeeded(const struct ike_sa *sa);
/* When we may try this peer again; 0: now. */
uint64_t ike_guard_not_before(const struct ike *ike, const struct endpoint *local,
                              const struct endpoint *remote);
/* Would this peer be one too many for the gateway (DEC-22)? Then it has been counted and said. */
bool ike_guard_crowded(const struct ike_sa *sa, const struct gateway *gw, const struct ike_id *id,
                       struct effects *fx);

/* ---- exchanges of peers that are up ---------------------------------------------------------- */

/* May the peer do this once more now? tunnel: of IKE_RATE_IPSEC_REKEY. Else it has been counted and
 * said. */
bool ike_guard_rate(const struct ike_sa *sa, enum ike_rate kind, uint32_t tunnel,
                    struct effects *fx);

#endif
