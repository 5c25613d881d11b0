// SPDX-License-Identifier: BSD-2-Clause
/* The table, and the only code that writes a state.
 *
 *   initiator                                   responder
 *     IDLE                                        IDLE
 *      | initiate                                  | IKE_SA_INIT request that we can answer
 *     KEYGEN <---------- other group --+          ANSWERING
 *      | key pair                      |           | secret; IKE_SA_INIT answered
 *     INIT_SENT <-- cookie, refusal    |          INIT_ANSWERED --- wrong key, identity ---> ENDED
 *      | answer                        |           | IKE_AUTH that holds
 *     DERIVING                         |           |
 *      | secret; IKE_AUTH sent         |           |
 *     AUTH_SENT -- refused --> GONE    |           |
 *      |        \- bad AUTH --> DELETING           |
 *      +-----------------> UP <--------------------+      IDLE -- takes over --> UP
 *                        / |  \- peer's Delete --> ENDED -- some time --> GONE
 *             replaced  /  | our Delete             |
 *               REPLACED --+------------------------+ peer's Delete
 *                          |
 *                        DELETING -- answer, or none --> GONE
 *
 * Each state that waits for somebody else handles EV_GIVE_UP. */
#include "ike_priv.h"

/* clang-format off */
const struct ike_step ike_steps[IKE_STATES][IKE_EVENTS] = {
	/*                                            action                    worked             failed                RFC 7296 */
	[IKE_IDLE]          = { [EV_INITIATE]      = { ex_init_start,         IKE_KEYGEN,        IKE_GONE },
	                        [EV_INIT_REQUEST]  = { ex_init_begin_answer,  IKE_ANSWERING,     IKE_GONE },          /* 1.2 */
	                        [EV_INHERIT]       = { ike_rekey_inherit,     IKE_UP,            IKE_GONE } },        /* 2.18 */

	[IKE_KEYGEN]        = { [EV_KEY_READY]     = { ex_init_send,          IKE_INIT_SENT,     IKE_GONE },          /* 1.2 */
	                        [EV_JOB_FAILED]    = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },

	[IKE_INIT_SENT]     = { [EV_INIT_REPLY]    = { ex_init_derive,        IKE_DERIVING,      IKE_INIT_SENT },     /* 2.21.1: may be forged */
	                        [EV_COOKIE]        = { ex_init_cookie,        IKE_INIT_SENT,     IKE_INIT_SENT },     /* 2.6 */
	                        [EV_WRONG_KE]      = { ex_init_other_group,   IKE_KEYGEN,        IKE_INIT_SENT },     /* 1.2 */
	                        [EV_REFUSED]       = { ex_init_note_refusal,  IKE_INIT_SENT,     IKE_INIT_SENT },     /* 2.21.1: may be forged */
	                        [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },        /* 2.4 */

	[IKE_DERIVING]      = { [EV_SECRET]        = { ex_auth_send,          IKE_AUTH_SENT,     IKE_GONE },          /* 1.2 */
	                        [EV_JOB_FAILED]    = { ex_init_take_key_back, IKE_INIT_SENT,     IKE_GONE },          /* a bad value; may be forged */
	                        [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },

	[IKE_AUTH_SENT]     = { [EV_AUTH_REPLY]    = { ex_auth_finish,        IKE_UP,            IKE_GONE },          /* 2.15 */
	                        [EV_AUTH_BAD]      = { ex_info_delete_unauthenticated, IKE_DELETING, IKE_GONE },      /* 2.21.2 */
	                        [EV_REFUSED]       = { ex_auth_refused,       IKE_GONE,          IKE_GONE },          /* 2.21.2 */
	                        [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },        /* 2.4 */

	[IKE_ANSWERING]     = { [EV_SECRET]        = { ex_init_answer,        IKE_INIT_ANSWERED, IKE_GONE },          /* 1.2 */
	                        [EV_JOB_FAILED]    = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },

	[IKE_INIT_ANSWERED] = { [EV_AUTH_REQUEST]  = { ex_auth_accept,        IKE_UP,            IKE_GONE },          /* 2.15 */
	                        [EV_AUTH_BAD]      = { ex_auth_refuse,        IKE_ENDED,         IKE_GONE },          /* 2.21.2 */
	                        [EV_BAD_REQUEST]   = { ex_info_answer_error,  IKE_ENDED,         IKE_GONE },
	                        [EV_NOT_UNDERSTOOD] = { ex_info_answer_error, IKE_ENDED,         IKE_GONE },          /* 2.5 */
	                        [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },

	[IKE_UP]            = { [EV_REQUEST]       = { ex_info_answer,        IKE_UP,            IKE_UP },            /* 1.4 */
	                        [EV_CHILD_REQUEST] = { ex_child_request,      IKE_UP,            IKE_UP },            /* 1.3 */
	                        [EV_REPLACED]      = { ike_rekey_retire,      IKE_REPLACED,      IKE_UP },            /* 2.8 */
	                        [EV_BAD_REQUEST]   = { ex_info_answer_error,  IKE_ENDED,         IKE_UP },            /* 2.21.3 */
	                        [EV_NOT_UNDERSTOOD] = { ex_info_answer_error, IKE_UP,            IKE_UP },            /* 2.5 */
	                        [EV_PEER_DELETE]   = { ex_info_answer_delete, IKE_ENDED,         IKE_UP },            /* 1.4.1 */
	                        [EV_REPLY]         = { ex_info_reply,         IKE_UP,            IKE_UP },
	                        [EV_PROBE]         = { ex_info_probe,         IKE_UP,            IKE_UP },            /* 2.4 */
	                        [EV_DELETE_CHILD]  = { ex_info_delete_child,  IKE_UP,            IKE_UP },            /* 1.4.1 */
	                        [EV_DELETE]        = { ex_info_delete,        IKE_DELETING,      IKE_GONE },          /* 1.4.1 */
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },        /* 2.4 */

	[IKE_REPLACED]      = { [EV_REQUEST]       = { ex_info_answer,        IKE_REPLACED,      IKE_REPLACED },      /* 1.4 */
	                        [EV_CHILD_REQUEST] = { ex_child_refuse_request, IKE_REPLACED,    IKE_REPLACED },      /* 2.25.2 */
	                        [EV_BAD_REQUEST]   = { ex_info_answer_error,  IKE_ENDED,         IKE_REPLACED },
	                        [EV_NOT_UNDERSTOOD] = { ex_info_answer_error, IKE_REPLACED,      IKE_REPLACED },
	                        [EV_PEER_DELETE]   = { ex_info_answer_delete, IKE_ENDED,         IKE_REPLACED },      /* 2.8 */
	                        [EV_REPLY]         = { ex_info_reply,         IKE_REPLACED,      IKE_REPLACED },
	                        [EV_DELETE]        = { ex_info_delete,        IKE_DELETING,      IKE_GONE },          /* 2.8 */
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },        /* 2.4 */

	[IKE_DELETING]      = { [EV_REPLY]         = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_REFUSED]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_REQUEST]       = { ex_info_answer,        IKE_DELETING,      IKE_DELETING },
	                        [EV_CHILD_REQUEST] = { ex_child_refuse_request, IKE_DELETING,    IKE_DELETING },      /* 2.25.2 */
	                        [EV_BAD_REQUEST]   = { ex_info_answer_error,  IKE_ENDED,         IKE_DELETING },
	                        [EV_NOT_UNDERSTOOD] = { ex_info_answer_error, IKE_DELETING,      IKE_DELETING },
	                        [EV_PEER_DELETE]   = { ex_info_answer_delete, IKE_ENDED,         IKE_DELETING },      /* both at once */
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },

	[IKE_ENDED]         = { [EV_DELETE]        = { ike_sa_forget,         IKE_GONE,          IKE_GONE },
	                        [EV_GIVE_UP]       = { ike_sa_forget,         IKE_GONE,          IKE_GONE } },
};
/* clang-format on */

enum err ike_step(struct ike_sa *sa, enum ike_event ev, const void *arg, struct effects *fx)
{
	const struct ike_step *s = &ike_steps[sa->state][ev];

	if (s->action == NULL) {
		sa->unexpected++;
		sa->ike->stats.unexpected++;
		return ERR_WRONG_STATE;
	}
	bool was_half_open = ike_sa_half_open(sa), was_answering = sa->state == IKE_ANSWERING;
	sa->target = s->worked;
	enum err e = s->action(sa, arg, fx);
	sa->state = sa->target = e ? s->failed : s->worked;
	ike_guard_moved(sa, was_half_open, was_answering);
	if (sa->state == IKE_GONE)
		ike_sa_bury(sa, fx);
	return e;
}

/* Numbers in records: never reused. States that are not here are abandoned by a restart. */
static const struct {
	enum ike_state state;
	uint32_t number;
} recorded[] = { { IKE_AUTH_SENT, 1 }, { IKE_UP, 2 }, { IKE_DELETING, 3 }, { IKE_REPLACED, 4 } };

uint32_t ike_fsm_number(enum ike_state state)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded); i++)
		if (recorded[i].state == state)
			return recorded[i].number;
	return 0;
}

enum err ike_fsm_restore(struct ike_sa *sa, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded); i++)
		if (recorded[i].number == number) {
			sa->state = sa->target = recorded[i].state;
			return ERR_OK;
		}
	return ERR_VALUE;
}

/* At shutdown: from any state, without an event. */
void ike_sa_discard(struct ike_sa *sa, struct effects *fx)
{
	bool was_half_open = ike_sa_half_open(sa), was_answering = sa->state == IKE_ANSWERING;

	sa->state = sa->target = IKE_GONE;
	ike_guard_moved(sa, was_half_open, was_answering);
	ike_sa_bury(sa, fx);
}

static const char *const state_texts[IKE_STATES] = {
	"idle",          "keygen", "init-sent", "deriving", "auth-sent", "answering",
	"init-answered", "up",     "replaced",  "deleting", "ended",     "gone",
};

const char *ike_state_text(enum ike_state state)
{
	return state_texts[state];
}

static const char *const event_texts[IKE_EVENTS] = {
	"initiate",    "key-ready",     "secret",  "job-failed",   "init-request", "init-reply",
	"cookie",      "wrong-ke",      "refused", "auth-request", "auth-reply",   "auth-bad",
	"request",     "child-request", "inherit", "replaced",     "bad-request",  "not-understood",
	"peer-delete", "reply",         "probe",   "delete-child", "delete",       "give-up",
};

const char *ike_event_text(enum ike_event ev)
{
	return event_texts[ev];
}
