/* SPDX-License-Identifier: BSD-2-Clause */
/* CREATE_CHILD_SA (RFC 7296 1.3, 2.8, 2.18, 2.25): a new child, a child that takes over from
 * another, an IKE SA that takes over from this one.
 *
 * An SA in the making is a struct creation. Of ours an IKE SA has one at a time: its life is the
 * table in ex_child_ask.c, and it waits for the window, the thread pool and the peer. Of the
 * peer's there is one while its Diffie-Hellman runs (ex_child_answer.c). What happens to the old SA
 * and what is redundant is decided in ike_rekey.c. */
#ifndef EX_CHILD_H
#define EX_CHILD_H
#include "ike_sa.h"

struct tunnel;

enum create_kind {
	CREATE_NEW,       /* a child beside others, or the first */
	CREATE_REKEY,     /* a child that takes over from another */
	CREATE_REKEY_IKE, /* an IKE SA that takes over from this one */
};

enum create_state {
	CREATE_IDLE,
	CREATE_KEYGEN,   /* a key pair is being made */
	CREATE_READY,    /* waits for the window */
	CREATE_SENT,     /* waits for the answer */
	CREATE_DERIVING, /* the secret is being computed */
	CREATE_DONE,     /* to be freed at once */
	CREATE_STATES
};

enum create_event {
	CREATE_EV_BEGIN,       /* with a Diffie-Hellman */
	CREATE_EV_BEGIN_PLAIN, /* without */
	CREATE_EV_KEY,         /* struct dh_job: a key pair */
	CREATE_EV_WINDOW,      /* none: it is free */
	CREATE_EV_REPLY,       /* struct ike_in: acceptable, with a Diffie-Hellman */
	CREATE_EV_REPLY_PLAIN, /* struct ike_in: acceptable, without */
	CREATE_EV_WRONG_KE,    /* struct ike_in: the peer wants another group, which we have */
	CREATE_EV_REFUSED,     /* struct ike_in: an error */
	CREATE_EV_UNUSABLE,    /* struct ike_in: an SA that we did not ask for */
	CREATE_EV_SECRET,      /* struct dh_job: the secret */
	CREATE_EV_JOB_FAILED,  /* struct dh_job */
	CREATE_EVENTS
};

enum { RIVAL_NONCE_MAX = 256, PEER_DELETED_MAX = 4 };

/* The peer's rekey of the same SA, which we answered while ours was on its way (2.8.1). */
struct rival {
	uint32_t spi_in;                /* its child; 0: there is none */
	uint8_t ike_spi[8];             /* its IKE SA: ours of it */
	uint16_t nonce_len;             /* 0: there is no rival at all */
	uint8_t nonce[RIVAL_NONCE_MAX]; /* the lower of its two */
};

struct creation {
	enum create_kind kind;
	enum create_state state; /* of ours; written by ex_child_ask.c alone */
	bool initiator;          /* it is ours */
	bool asked;              /* its request is out: so it is in the record */
	uint32_t turn;           /* of its job */
	uint32_t tunnel;         /* index; of a child */
	uint32_t spi_old;        /* CREATE_REKEY: our SPI of the child that it takes over from */
	uint32_t spi_in;         /* of a child: ours */
	struct hash_node by_offer;
	const struct alg_ke *ke; /* NULL: without a Diffie-Hellman of its own */
	struct dh_key *dh;       /* owns; ours, between its two jobs */
	uint8_t restarts;        /* wrong groups so far */
	struct blob nonce_i, nonce_r;
	struct child_choice choice; /* of a child, as soon as it is known */
	struct ike_ts_list local, remote;
	struct ike_choice ike; /* of an IKE SA, likewise */
	uint8_t spi_i[8], spi_r[8];
	struct rival rival;
	/* Children that the peer deleted while it waited, by its SPIs, and that we do not have: the
	 * answer that names one of them was overtaken by its Delete. */
	uint32_t peer_deleted[PEER_DELETED_MAX];
	size_t peer_deleted_n;
	/* The peer's: where its request came from and to, and its message ID. */
	struct endpoint asked_local, asked_remote;
	uint32_t asked_id;
};

typedef enum err create_action(struct ike_sa *sa, struct creation *cr, const void *arg,
                               struct effects *fx);

struct create_step {
	create_action *action; /* NULL: not expected, counted */
	enum create_state worked, failed;
};

extern const struct create_step create_steps[CREATE_STATES][CREATE_EVENTS];

const char *create_state_text(enum create_state state);
const char *create_event_text(enum create_event ev);

/* ---- both (ex_child.c) ----------------------------------------------------------------------- */

void creation_free(struct ike *ike, struct creation *cr); /* takes NULL */
uint32_t ex_child_new_spi(struct ike_sa *sa);
/* Makes the child whose messages are all read. secret: empty without a Diffie-Hellman. */
enum err ex_child_make(struct ike_sa *sa, const struct creation *cr, struct view secret,
                       struct child_sa **ret) MUST_CHECK;
void ex_child_say_up(const struct child_sa *c, const struct tunnel *t, struct effects *fx);
void ex_child_put_ts(struct ike_out *o, const struct creation *cr);
void ex_child_put_ke(struct ike_out *o, const struct alg_ke *ke, const uint8_t *value);
void ex_child_put_nonce(struct ike_out *o, const struct blob *nonce);
enum err ex_child_new_nonce(struct ike *ike, struct blob *nonce) MUST_CHECK;

/* An answer of the peer, for this tunnel, into the creation: choice and selectors. */
enum err ex_child_read_answer(const struct ike_sa *sa, const struct ike_in *in,
                              const struct tunnel *t, struct creation *cr) MUST_CHECK;
/* The peer refused; we refuse: said and counted. */
void ex_child_say_refused(struct ike_sa *sa, uint16_t notify, struct effects *fx);
void ex_child_say_no_ts(struct ike_sa *sa, struct effects *fx);
void ex_child_say_no_proposal(struct ike_sa *sa, struct view offer, const struct tunnel *t,
                              const struct alg_ke *ke, struct effects *fx);
/* Ours could not be made: said. */
void ex_child_say_failed(struct ike_sa *sa, enum err e, struct effects *fx);

/* The tunnel of this gateway whose selectors fit best, and what is left of the selectors. */
struct fit {
	struct tunnel *t; /* NULL: none */
	struct ike_ts_list local, remote;
	int score;
};
/* only: no other tunnel than this one; NULL: any. */
struct fit ex_child_fit(struct ike_sa *sa, const struct ike_content *m, struct tunnel *only);

/* ---- ours (ex_child_ask.c) ------------------------------------------------------------------- */

/* The window is free: begins or goes on with what is wished for. */
void ex_child_pump(struct ike_sa *sa, struct effects *fx);
void ex_child_reply(struct ike_sa *sa, struct ike_in *in, struct effects *fx);
/* The SA ends, or what is asked for has become pointless. */
void ex_child_abandon(struct ike_sa *sa, struct effects *fx);
/* Its request is out. */
bool ex_child_asking(const struct ike_sa *sa);
/* The peer deletes a child that we do not have: by its SPI. It may be the one that we asked for. */
void ex_child_peer_deleted(struct ike_sa *sa, uint32_t spi);
/* From a record: its request is out; then its SA hangs in the tables. */
void ex_child_restore(struct creation *cr);
void ex_child_rehang(struct ike_sa *sa);

/* ---- the peer's (ex_child_answer.c) ---------------------------------------------------------- */

/* A job of one of both has run. */
void ex_child_job(struct ike_sa *sa, struct dh_job *j, struct effects *fx);
void ex_child_answer_job(struct ike_sa *sa, struct dh_job *j, struct effects *fx);
void ex_child_receive(struct ike_sa *sa, struct ike_in *in, struct effects *fx);

/* ---- what follows (ike_rekey.c) -------------------------------------------------------------- */

/* We answered: the new child is there, the old one (NULL: none) is as it was. */
void ike_rekey_child_answered(struct ike_sa *sa, const struct creation *cr, struct child_sa *c,
                              struct effects *fx);
/* Our request was answered: likewise. */
void ike_rekey_child_made(struct ike_sa *sa, const struct creation *cr, struct child_sa *c,
                          struct effects *fx);
/* Our request came to nothing: what the peer made meanwhile takes over. True: it did. */
bool ike_rekey_yield(struct ike_sa *sa, const struct creation *cr, struct effects *fx);
/* Makes the IKE SA whose messages are all read. */
enum err ike_rekey_make(struct ike_sa *sa, const struct creation *cr, struct view secret,
                        struct ike_sa **ret, struct effects *fx) MUST_CHECK;
void ike_rekey_answered(struct ike_sa *old, const struct creation *cr, struct ike_sa *sa,
                        struct effects *fx);
void ike_rekey_made(struct ike_sa *old, const struct creation *cr, struct ike_sa *sa,
                    struct effects *fx);
/* It did not work, for now: when it is tried again. */
void ike_rekey_failed(struct ike_sa *sa, const struct creation *cr, const char *why,
                      struct effects *fx);

#endif
