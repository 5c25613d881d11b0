/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a child SA as a table (RFC 7296 1.3.3, 1.4.1, 2.8, 2.25.1). child_fsm.c is the only
 * code that writes a child's state; the picture stands above the table there. Each step puts the
 * child's record. */
#ifndef CHILD_FSM_H
#define CHILD_FSM_H
#include "effects.h"

struct child_sa;

enum child_state {
	CHILD_NEW,     /* made, not installed */
	CHILD_WAITING, /* installed, and does not send: the peer may not have it yet */
	CHILD_UP,
	CHILD_REPLACED,  /* another took over; one of both ends will delete it */
	CHILD_DELETING,  /* our Delete is out */
	CHILD_RETIRING,  /* likewise, of one that was replaced */
	CHILD_LINGERING, /* over: what is still on its way is received for a moment */
	CHILD_GONE,      /* to be freed at once */
	CHILD_STATES
};

enum child_event {
	CHILD_EV_INSTALL,        /* the peer has it */
	CHILD_EV_INSTALL_BESIDE, /* it will have it when our answer arrives; an older one sends */
	CHILD_EV_CONFIRMED,      /* the peer has it: it used it, or deleted the older one */
	CHILD_EV_REPLACED,
	CHILD_EV_DELETE,  /* our Delete goes out */
	CHILD_EV_DELETED, /* the peer's has come, or its answer to ours */
	CHILD_EV_END,     /* no more is waited for */
	CHILD_EVENTS
};

typedef void child_action(struct child_sa *c);

struct child_step {
	child_action *action; /* NULL: not expected, nothing is done */
	enum child_state next;
};

extern const struct child_step child_steps[CHILD_STATES][CHILD_EVENTS];

/* c is freed where it leads to CHILD_GONE. False: the event means nothing in its state. */
bool child_step(struct child_sa *c, enum child_event ev, struct effects *fx);

/* Its number in a record; the state of a number, ERR_VALUE when there is none. */
uint32_t child_fsm_number(enum child_state state);
enum err child_fsm_restore(struct child_sa *c, uint32_t number) MUST_CHECK;

const char *child_state_text(enum child_state state); /* "replaced" */
const char *child_event_text(enum child_event ev);

#endif
