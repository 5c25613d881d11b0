/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of an IKE SA as a table (RFC 7296 1.2, 1.4, 2.4). ike_fsm.c is the only code that writes
 * a state; the picture stands above the table there. Classify first, then step: an event has one
 * meaning, an action works or fails, and one that fails has changed nothing. */
#ifndef IKE_FSM_H
#define IKE_FSM_H
#include "effects.h"

struct ike_sa;

enum ike_state {
	IKE_IDLE,          /* made, nothing done */
	IKE_KEYGEN,        /* initiator: a key pair is being made */
	IKE_INIT_SENT,     /* initiator: waits for the answer */
	IKE_DERIVING,      /* initiator: the secret is being computed */
	IKE_AUTH_SENT,     /* initiator: waits for the answer */
	IKE_ANSWERING,     /* responder: key pair and secret are being made */
	IKE_INIT_ANSWERED, /* responder: waits for IKE_AUTH */
	IKE_UP,
	IKE_REPLACED, /* another took over its children; one of both ends will delete it */
	IKE_DELETING, /* our Delete is out */
	IKE_ENDED,    /* over; repeats its last answer to a peer that did not get it */
	IKE_GONE,     /* to be freed */
	IKE_STATES
};

enum ike_event {
	EV_INITIATE,       /* arg: none */
	EV_KEY_READY,      /* struct dh_job: a key pair */
	EV_SECRET,         /* struct dh_job: the secret */
	EV_JOB_FAILED,     /* struct dh_job */
	EV_INIT_REQUEST,   /* struct init_request: acceptable */
	EV_INIT_REPLY,     /* struct ike_in: acceptable */
	EV_COOKIE,         /* struct ike_in: the peer wants its cookie back */
	EV_WRONG_KE,       /* struct ike_in: the peer wants another group */
	EV_REFUSED,        /* struct ike_in: an error */
	EV_AUTH_REQUEST,   /* struct auth_request: the peer is who it says */
	EV_AUTH_REPLY,     /* struct ike_in: the peer is who it should be */
	EV_AUTH_BAD,       /* struct ike_in: it is not */
	EV_REQUEST,        /* struct ike_in: an INFORMATIONAL */
	EV_CHILD_REQUEST,  /* struct ike_in: a CREATE_CHILD_SA */
	EV_INHERIT,        /* struct ike_sa: the one that it takes over from */
	EV_REPLACED,       /* none: another takes over */
	EV_BAD_REQUEST,    /* struct ike_in: authentic, but malformed */
	EV_NOT_UNDERSTOOD, /* struct ike_in: authentic, with a critical payload that we do not know
	                    */
	EV_PEER_DELETE,    /* struct ike_in: Delete of the IKE SA */
	EV_REPLY,          /* struct ike_in: to our INFORMATIONAL */
	EV_PROBE,          /* none: is the peer alive? */
	EV_DELETE_CHILD,   /* none: of those that wait for it */
	EV_DELETE,         /* none */
	EV_GIVE_UP,        /* none: waited long enough */
	IKE_EVENTS
};

typedef enum err ike_action(struct ike_sa *sa, const void *arg, struct effects *fx);

struct ike_step {
	ike_action *action; /* NULL: not expected, counted */
	enum ike_state worked, failed;
};

extern const struct ike_step ike_steps[IKE_STATES][IKE_EVENTS];

enum err ike_step(struct ike_sa *sa, enum ike_event ev, const void *arg, struct effects *fx);

/* A state by its number in a record; ERR_VALUE when there is none. */
enum err ike_fsm_restore(struct ike_sa *sa, uint32_t number) MUST_CHECK;
/* Its number there; 0: such an SA has no record. */
uint32_t ike_fsm_number(enum ike_state state);

const char *ike_state_text(enum ike_state state); /* "auth-sent" */
const char *ike_event_text(enum ike_event ev);

/* The actions, each beside the exchange that it belongs to. */
ike_action ex_init_start; /* ex_init.c */
ike_action ex_init_send;
ike_action ex_init_cookie;
ike_action ex_init_other_group;
ike_action ex_init_note_refusal;
ike_action ex_init_derive;
ike_action ex_init_take_key_back;
ike_action ex_init_begin_answer;
ike_action ex_init_answer;
ike_action ex_auth_send; /* ex_auth.c */
ike_action ex_auth_finish;
ike_action ex_auth_refused;
ike_action ex_auth_accept;
ike_action ex_auth_refuse;
ike_action ex_info_answer; /* ex_info.c */
ike_action ex_info_answer_error;
ike_action ex_info_answer_delete;
ike_action ex_info_reply;
ike_action ex_info_probe;
ike_action ex_info_delete_child;
ike_action ex_info_delete;
ike_action ex_info_delete_unauthenticated;
ike_action ex_child_request; /* ex_child_answer.c */
ike_action ex_child_refuse_request;
ike_action ike_rekey_inherit; /* ike_rekey.c */
ike_action ike_rekey_retire;
ike_action ike_sa_forget; /* ike_sa.c */

#endif
