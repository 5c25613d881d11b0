// SPDX-License-Identifier: BSD-2-Clause
/* The table, and the only code that writes a child's state.
 *
 *   NEW -- installed ----------------------------> UP -- our Delete --> DELETING --+
 *    | beside an older one                         ^ |                             | answer
 *   WAITING -- the peer uses it, or deletes -------+ | replaced                    | or Delete
 *    |         the older one                         v                             v
 *    +-- replaced ------------------------------> REPLACED -- our Delete --+      GONE
 *                                                    | peer's Delete       v       ^
 *                                                 LINGERING <-- answer -- RETIRING |
 *                                                    +-- a moment later -----------+ */
#include "ike_priv.h"

enum {
	DRAIN_MS = 1000,       /* from the new one that sends to our Delete of the old one */
	PEERS_PART_MS = 60000, /* the peer is to delete it; when it does not, we do */
	LINGER_MS = 2000,      /* how long packets may still be on their way */
	CONFIRM_MS = 10000     /* after this the peer has it, or never will */
};

static void install(struct child_sa *c)
{
	c->sending = true;
	c->next_ms = c->soft_ms ? c->soft_ms : UINT64_MAX;
}

static void install_beside(struct child_sa *c)
{
	uint64_t now = ike_sa_now(c->sa);

	c->next_ms = now; /* to be looked at */
	c->confirm_ms = now + CONFIRM_MS;
}

static void replaced(struct child_sa *c)
{
	c->next_ms = ike_sa_now(c->sa) + (c->ours_to_delete ? DRAIN_MS : PEERS_PART_MS);
	c->wish_rekey = false;
	c->replaced = true;
}

static void delete (struct child_sa *c)
{
	c->sending = false;
	c->next_ms = UINT64_MAX;
	c->hard_ms = c->soft_ms = 0; /* this is its end */
	c->wish_delete = c->wish_rekey = false;
}

static void linger(struct child_sa *c)
{
	c->sending = c->wish_delete = false;
	c->next_ms = ike_sa_now(c->sa) + LINGER_MS;
	c->hard_ms = 0; /* there is nothing to delete any more */
	c->soft_ms = 0;
}

static void end(struct child_sa *c)
{
	c->sending = false;
}

/* clang-format off */
const struct child_step child_steps[CHILD_STATES][CHILD_EVENTS] = {
	/*                                                action          next                RFC 7296 */
	[CHILD_NEW]       = { [CHILD_EV_INSTALL]        = { install,        CHILD_UP },
	                      [CHILD_EV_INSTALL_BESIDE] = { install_beside, CHILD_WAITING },
	                      [CHILD_EV_REPLACED]       = { replaced,       CHILD_REPLACED } },   /* 2.8.1: the redundant one */

	[CHILD_WAITING]   = { [CHILD_EV_CONFIRMED]      = { install,        CHILD_UP },           /* 2.8 */
	                      [CHILD_EV_REPLACED]       = { replaced,       CHILD_REPLACED },     /* 2.8.1 */
	                      [CHILD_EV_DELETE]         = { delete,         CHILD_DELETING },
	                      [CHILD_EV_DELETED]        = { end,            CHILD_GONE },
	                      [CHILD_EV_END]            = { end,            CHILD_GONE } },

	[CHILD_UP]        = { [CHILD_EV_REPLACED]       = { replaced,       CHILD_REPLACED },     /* 2.8 */
	                      [CHILD_EV_DELETE]         = { delete,         CHILD_DELETING },     /* 1.4.1 */
	                      [CHILD_EV_DELETED]        = { end,            CHILD_GONE },         /* 1.4.1 */
	                      [CHILD_EV_END]            = { end,            CHILD_GONE } },       /* 2.25: CHILD_SA_NOT_FOUND */

	[CHILD_REPLACED]  = { [CHILD_EV_DELETE]         = { delete,         CHILD_RETIRING },     /* 2.8 */
	                      [CHILD_EV_DELETED]        = { linger,         CHILD_LINGERING },
	                      [CHILD_EV_END]            = { end,            CHILD_GONE } },

	[CHILD_DELETING]  = { [CHILD_EV_DELETED]        = { end,            CHILD_GONE },         /* 2.25.1: both at once */
	                      [CHILD_EV_END]            = { end,            CHILD_GONE } },

	[CHILD_RETIRING]  = { [CHILD_EV_DELETED]        = { linger,         CHILD_LINGERING },
	                      [CHILD_EV_END]            = { end,            CHILD_GONE } },

	[CHILD_LINGERING] = { [CHILD_EV_END]            = { end,            CHILD_GONE } },
};
/* clang-format on */

bool child_step(struct child_sa *c, enum child_event ev, struct effects *fx)
{
	const struct child_step *s = &child_steps[c->state][ev];

	if (s->action == NULL)
		return false;
	struct tunnel *t = ike_tunnel_by_index(c->sa->ike, c->tunnel);
	bool was_sending = c->sending;
	s->action(c);
	c->state = s->next;
	bool stopped = was_sending && !c->sending;
	if (c->state == CHILD_GONE)
		child_sa_drop(c->sa, c, fx);
	else
		child_sa_put(c->sa, c, fx);
	if (stopped && t)
		ike_tunnel_confirm(t, fx);
	return true;
}

/* Numbers in records: never reused. */
static const uint32_t numbers[CHILD_STATES] = {
	[CHILD_WAITING] = 1,  [CHILD_UP] = 2,       [CHILD_REPLACED] = 3,
	[CHILD_DELETING] = 4, [CHILD_RETIRING] = 5, [CHILD_LINGERING] = 6,
};

uint32_t child_fsm_number(enum child_state state)
{
	return numbers[state];
}

enum err child_fsm_restore(struct child_sa *c, uint32_t number)
{
	for (int s = 0; s < CHILD_STATES; s++)
		if (number && numbers[s] == number) {
			c->state = (enum child_state)s;
			return ERR_OK;
		}
	return ERR_VALUE;
}

static const char *const state_texts[CHILD_STATES] = {
	"new", "waiting", "up", "replaced", "deleting", "retiring", "lingering", "gone",
};

const char *child_state_text(enum child_state state)
{
	return state_texts[state];
}

static const char *const event_texts[CHILD_EVENTS] = {
	"install", "install-beside", "confirmed", "replaced", "delete", "deleted", "end",
};

const char *child_event_text(enum child_event ev)
{
	return event_texts[ev];
}
