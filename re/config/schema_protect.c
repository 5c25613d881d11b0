// SPDX-License-Identifier: BSD-2-Clause
/* set security ike session …, set security ike blocklists … (RFC 8019) */
#include "schema_protect.h"

/* clang-format off */
static const struct schema backoff_timeouts[] = {
	{ "auth-phase-failure", LEAF, UINT(1, 180), "seconds", NULL, EFFECT_NEXT, 0,
	  "How long a peer waits after a failure in IKE_AUTH, and every peer on a blocklist; not given: it "
	  "need not wait", NULL },
	{ "init-phase-failure", LEAF, UINT(1, 180), "seconds", NULL, EFFECT_NEXT, 0,
	  "How long a peer waits after a failure in IKE_SA_INIT; not given: it need not wait", NULL },
	{ 0 }
};

static const struct schema reduce_timeout[] = {
	{ "timeout", LEAF, UINT(1, 180), "seconds", NULL, EFFECT_NEXT, MARK_MUST,
	  "Their lifetime", NULL },
	{ 0 }
};

static const struct schema thresholds[] = {
	{ "reduce-timeout", LIST, UINT(1, 100000), NULL, NULL,
	  EFFECT_NEXT, MARK_FULL, "From so many half-open SAs on, new ones live shorter; neither this nor "
	  "max-count given: from 225 on, 30 seconds", reduce_timeout },
	{ "send-cookie", LEAF, UINT(1, 100000), "half-open SAs", NULL, EFFECT_NEXT, 0,
	  "From so many half-open SAs on, new peers must return a cookie before anything is kept for "
	  "them; neither this nor max-count given: from 150 on",
	  NULL },
	{ 0 }
};

static const struct schema half_open[] = {
	{ "backoff-timeouts", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "Peers that fail have to wait", backoff_timeouts },
	{ "discard-duplicate", FLAG, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "Drop a second IKE_SA_INIT of a peer that is negotiating and has no IKE SA", NULL },
	{ "max-count", LEAF, UINT(1, 100000), "half-open SAs", "300", EFFECT_NEXT, 0,
	  "Refuse new ones, silently, when there are so many; given, it switches off the thresholds that "
	  "are not", NULL },
	NOT_YET("notify-on-refuse", "Tell peers that are refused at max-count"),
	{ "thresholds", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "What is done before there are too many", thresholds },
	{ "timeout", LEAF, UINT(1, 180), "seconds", "60", EFFECT_NEXT, 0,
	  "Lifetime of a half-open SA that a peer began; ours are given up after 60 seconds", NULL },
	{ 0 }
};

static const struct schema exchange_rates[] = {
	{ "ike-rekey", LEAF, VALUE(TYPE_RATE), NULL, NULL, EFFECT_NEXT, 0,
	  "Rekeys of the IKE SA, of each peer; beyond it TEMPORARY_FAILURE is answered", NULL },
	{ "ipsec-rekey", LEAF, VALUE(TYPE_RATE), NULL, NULL, EFFECT_NEXT, 0,
	  "Rekeys of IPsec SAs, of each tunnel; beyond it TEMPORARY_FAILURE is answered", NULL },
	{ "keepalive", LEAF, VALUE(TYPE_RATE), NULL, NULL, EFFECT_NEXT, 0,
	  "Probes of each peer; beyond it they are dropped, and answered when they are repeated", NULL },
	{ 0 }
};

static const struct schema full_open[] = {
	{ "incoming-exchange-max-rates", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "How often a peer may ask: N/SECONDS, or N for each second; what is not given has no limit", exchange_rates },
	{ 0 }
};

const struct schema schema_ike_session[] = {
	{ "full-open", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "Peers that are authenticated", full_open },
	{ "half-open", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0,
	  "Negotiations that peers began, before they are authenticated: of all peers together", half_open },
	{ 0 }
};

static const struct schema match[] = {
	{ "id-pattern", LEAF, TEXT(1, 255), NULL, NULL, EFFECT_NEXT, MARK_MUST,
	  "POSIX extended regular expression that the whole identity matches; a leading * is read as .*",
	  NULL },
	{ "id-type", LEAF, WORDS("inet inet6 hostname distinguished-name user-at-hostname key-id"),
	  NULL, NULL, EFFECT_NEXT, MARK_MUST,
	  "Type of the identity; a gateway that knows its peers by another type skips the rule", NULL },
	{ "role", LEAF, WORDS("initiator responder"), NULL, "initiator", EFFECT_NEXT, 0,
	  "What the peer is in the negotiation", NULL },
	{ 0 }
};

static const struct schema then[] = {
	{ "backoff", LEAF, UINT(1, 180), "seconds", NULL, EFFECT_NEXT, 0,
	  "How long the peer waits before it may try again; not given: auth-phase-failure", NULL },
	{ "discard", FLAG, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0, "Answer nothing", NULL },
	{ "reject", FLAG, NO_VALUE, NULL, NULL, EFFECT_NEXT, 0, "Answer AUTHENTICATION_FAILED", NULL },
	{ 0 }
};

static const struct schema rule[] = {
	{ "match", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, MARK_MUST, "Which peers", match },
	{ "then", CONTAINER, NO_VALUE, NULL, NULL, EFFECT_NEXT, MARK_MUST, "What is done with them", then },
	{ 0 }
};

const struct schema schema_ike_blocklist[] = {
	{ "description", LEAF, VALUE(TYPE_TEXT), NULL, NULL, EFFECT_NONE, 0, "Text for people", NULL },
	{ "rule", LIST, VALUE(TYPE_NAME), NULL, NULL, EFFECT_NEXT, MARK_FULL,
	  "Up to 1000; the first that matches decides", rule },
	{ 0 }
};
/* clang-format on */
